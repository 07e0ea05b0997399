//! The example programs as a user runs them.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use sandbox::Sandbox;
use tokio::process::Command;

/// A program of `examples/`, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> Command {
    let tests = std::env::current_exe().expect("the test's own path");
    let folder: PathBuf = tests
        .ancestors()
        .nth(2)
        .expect("the folder of the profile")
        .join("examples");
    let mut command = Command::new(folder.join(name));
    for variable in [
        "OKTA_ORG_URL",
        "OKTA_API_TOKEN",
        "SCIM_ENDPOINT",
        "SCIM_TOKEN",
        "RUST_LOG",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A sandbox that answers fast, and the file that says where.
pub(crate) async fn served(folder: &Path) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::builder()
        .company(crate::world::company())
        .page_size(None)
        .provisioning_delay(Duration::from_millis(300))
        .operation_delay(Duration::from_millis(100))
        .start()
        .await
        .expect("a sandbox");
    let ready = folder.join("ready.json");
    std::fs::write(&ready, sandbox.ready().to_string()).expect("a file");
    (sandbox, ready)
}

/// A blueprint in a file.
pub(crate) fn blueprint(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("blueprint.toml");
    std::fs::write(&path, text).expect("a file");
    path
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn integrate_needs_no_arguments() {
    let output = example("integrate").output().await.expect("the program");
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}\n{}", stderr(&output));
    for part in [
        "Plan: ",
        "Make Okta the identity source",
        "ok create permission set AdministratorAccess",
        "ada.lovelace@example.com",
        "Sign in at https://d-",
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
}

#[tokio::test]
async fn integrate_run_again_says_that_nothing_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), crate::world::TEAM);
    let run = || {
        let mut command = example("integrate");
        command
            .arg("--target")
            .arg(&ready)
            .arg("--blueprint")
            .arg(&blueprint)
            .arg("--state")
            .arg(folder.path().join("state"))
            .arg("--yes");
        command.output()
    };
    let first = run().await.expect("the program");
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(folder.path().join("state/metadata.xml").exists());
    sandbox.forget_requests();
    let second = run().await.expect("the program");
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(stdout(&second).lines().next(), Some("No changes"));
    assert_eq!(sandbox.writes().len(), 0);
}

#[tokio::test]
async fn plan_only_changes_nothing_and_json_is_one_document_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), crate::world::SEED);
    let mut command = example("integrate");
    command
        .arg("--target")
        .arg(&ready)
        .arg("--blueprint")
        .arg(&blueprint)
        .args(["--plan-only", "--json"]);
    let output = command.output().await.expect("the program");
    assert!(output.status.success(), "{}", stderr(&output));
    let documents: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(documents[0]["plan"]["steps"].is_array());
    assert_eq!(sandbox.writes().len(), 0);
}

#[tokio::test]
async fn without_a_yes_and_without_a_terminal_nothing_is_applied_for_real() {
    let output = example("integrate")
        .env("OKTA_ORG_URL", "http://127.0.0.1:9")
        .output()
        .await
        .expect("the program");
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("OKTA_ORG_URL and OKTA_API_TOKEN belong together"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn the_metadata_example_explains_and_validates() {
    let output = example("saml_metadata")
        .output()
        .await
        .expect("the program");
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(
        stdout(&output).starts_with("entity http://www.okta.com/exk"),
        "{}",
        stdout(&output)
    );

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.xml");
    std::fs::write(&file, "{\"not\": \"xml\"}").expect("a file");
    let output = example("saml_metadata")
        .arg(&file)
        .output()
        .await
        .expect("the program");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("error: "),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn the_report_example_lists_roles() {
    let output = example("access_report")
        .output()
        .await
        .expect("the program");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("group aws-platform-admins"),
        "{}",
        stdout(&output)
    );
}
