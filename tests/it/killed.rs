//! A run that is killed after any step, by the operating system and without a word, goes on when it is run again.

use std::process::Stdio;

use okta_aws_sso::Event;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    fixture::TEAM,
    programs::{blueprint, example, served, stderr},
};

const STEPS: [&str; 15] = [
    "catalog-app",
    "idp-metadata",
    "organization",
    "identity-center",
    "access-portal",
    "identity-source",
    "saml-settings",
    "scim-endpoint",
    "okta-provisioning",
    "app-access",
    "arrival",
    "permission-sets",
    "account-assignments",
    "sign-in",
    "custom-domain",
];

#[tokio::test]
async fn killed_after_any_step_it_goes_on_and_makes_nothing_twice() {
    for step in STEPS {
        killed_when(step, "step-done").await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_any_step_it_goes_on_and_makes_nothing_twice() {
    for step in STEPS {
        killed_when(step, "change-started").await;
    }
}

/// Kills a run as soon as it says that a step has come so far, and runs it again.
async fn killed_when(step: &str, event: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(
        folder.path(),
        &format!("[okta]\ncustom_domain = \"login.example.com\"\n{TEAM}"),
    );
    let program = || {
        let mut command = example("integrate");
        command
            .arg("--target")
            .arg(&ready)
            .arg("--blueprint")
            .arg(&blueprint)
            .arg("--state")
            .arg(folder.path().join("state"))
            .args(["--yes", "--json"]);
        command
    };

    let mut first = program()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut lines = BufReader::new(first.stdout.take().expect("its output")).lines();
    let mut seen = false;
    let mut told = String::new();
    while let Some(line) = lines.next_line().await.expect("a line") {
        let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        told.extend([&line, "\n"]);
        if said["event"] == event && said["step"] == step {
            seen = true;
            // SIGKILL: no destructor runs.
            first.start_kill().expect("a signal");
            break;
        }
    }
    let end = first.wait_with_output().await.expect("its end");
    assert!(seen, "{step} was never at {event}: {told}{}", stderr(&end));

    let again = program().output().await.expect("the program");
    assert!(
        again.status.success(),
        "killed at {event} of {step}: {}",
        stderr(&again)
    );
    assert_eq!(sandbox.app_count("amazon_aws_sso"), 1, "{step}");
    assert_eq!(sandbox.permission_sets().len(), 2, "{step}");
    assert_eq!(sandbox.assignments().len(), 3, "{step}");
}

#[test]
fn the_list_of_steps_is_whole() {
    // An event's name and the step's id are what the test looks for: they are part of what `--json` promises.
    let event = Event::StepDone {
        step: okta_aws_sso::plan::StepId::new("arrival"),
    };
    assert_eq!(
        serde_json::to_string(&event).expect("JSON"),
        r#"{"event":"step-done","step":"arrival"}"#
    );
}
