//! Tests that a run never prints, logs or stores a secret, even at log level trace.

use sandbox::Sandbox;

use crate::{
    fixture::{SEED, TEAM},
    programs::{blueprint, example, integrate, served, stderr, stdout},
};

#[tokio::test]
async fn a_complete_run_at_trace_level_prints_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), TEAM);
    for options in [&["--yes"][..], &["--yes", "--json"]] {
        let state = folder.path().join(format!("state{}", options.len()));
        let output = integrate(&ready, &blueprint, &state)
            .args(options)
            .env("RUST_LOG", "trace")
            .output()
            .await
            .expect("the program starts");
        assert!(output.status.success(), "{}", stderr(&output));
        let mut text = stdout(&output) + &stderr(&output);
        assert!(text.len() > 10_000, "the log is missing");
        for file in std::fs::read_dir(&state).expect("the state") {
            text.push_str(&std::fs::read_to_string(file.expect("a file").path()).expect("text"));
        }
        for secret in [
            Sandbox::OKTA_TOKEN,
            Sandbox::AWS_SECRET_ACCESS_KEY,
            Sandbox::SCIM_TOKEN_MARK,
        ] {
            assert!(!text.contains(secret), "the output contains a secret");
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_not_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_sandbox, ready) = served(folder.path()).await;
    let wrong = "00wr0ng-t0ken-that-must-stay-secret";
    let ready_file = std::fs::read_to_string(&ready)
        .expect("a file")
        .replace(Sandbox::OKTA_TOKEN, wrong);
    std::fs::write(&ready, ready_file).expect("a file");
    let blueprint = blueprint(folder.path(), SEED);
    let mut command = example("integrate");
    command
        .arg("--target")
        .arg(&ready)
        .arg("--blueprint")
        .arg(&blueprint)
        .arg("--yes")
        .env("RUST_LOG", "trace");
    let output = command.output().await.expect("the program starts");
    assert!(!output.status.success());
    let text = stdout(&output) + &stderr(&output);
    assert!(text.contains("E0000011"), "{text}");
    assert!(!text.contains(wrong));
    assert!(!text.contains("panicked"));
}
