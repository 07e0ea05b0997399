//! Tests that a run completes when it runs again after SIGKILL during or after any step.

use std::process::Stdio;

use futures::{StreamExt as _, stream};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    fixture::{TEAM, WITH_DOMAIN},
    processes::{blueprint, integrate, served, stderr},
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
async fn a_run_killed_after_any_step_resumes_without_duplicates() {
    kill_at_each_step("step-finished").await;
}

#[tokio::test]
async fn a_run_killed_during_any_step_resumes_without_duplicates() {
    kill_at_each_step("change-started").await;
}

/// Kills a run at this event of each step, some at the same time because a run mostly waits, and runs it again.
async fn kill_at_each_step(event: &str) {
    let runs = stream::iter(STEPS).map(|step| kill_and_rerun(step, event));
    runs.buffer_unordered(4).collect::<()>().await;
}

/// Kills a run when it prints this event of this step, and runs it again.
async fn kill_and_rerun(step: &str, event: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), &format!("{WITH_DOMAIN}{TEAM}"));
    let program = || {
        let mut command = integrate(&ready, &blueprint, &folder.path().join("state"));
        command.args(["--yes", "--json"]);
        command
    };

    let mut first = program()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(first.stdout.take().expect("the standard output")).lines();
    let mut seen = false;
    let mut output = String::new();
    while let Some(line) = lines.next_line().await.expect("a line") {
        let message: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        output.extend([&line, "\n"]);
        if message["event"] == event && message["step"] == step {
            seen = true;
            // The signal is SIGKILL, so no destructor runs.
            first.start_kill().expect("the signal is sent");
            break;
        }
    }
    let end = first.wait_with_output().await.expect("the exit status");
    assert!(
        seen,
        "{step} never printed {event}: {output}{}",
        stderr(&end)
    );

    let second = program().output().await.expect("the program starts");
    assert!(
        second.status.success(),
        "the run after the kill at {event} of {step} failed: {}",
        stderr(&second)
    );
    assert_eq!(sandbox.app_count("amazon_aws_sso"), 1, "{step}");
    assert_eq!(sandbox.permission_sets().len(), 2, "{step}");
    assert_eq!(sandbox.assignments().len(), 3, "{step}");
}
