//! No secret in anything that a run prints, logs or keeps, however much it is asked to log.

use sandbox::Sandbox;

use crate::{
    fixture::{SEED, TEAM},
    programs::{blueprint, example, served, stderr, stdout},
};

#[tokio::test]
async fn a_whole_run_at_trace_level_shows_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_sandbox, ready) = served(folder.path()).await;
    let blueprint = blueprint(folder.path(), TEAM);
    for options in [&["--yes"][..], &["--yes", "--json"]] {
        let state = folder.path().join(format!("state{}", options.len()));
        let mut command = example("integrate");
        command
            .arg("--target")
            .arg(&ready)
            .arg("--blueprint")
            .arg(&blueprint)
            .arg("--state")
            .arg(&state)
            .args(options);
        let output = command
            .env("RUST_LOG", "trace")
            .output()
            .await
            .expect("the program");
        assert!(output.status.success(), "{}", stderr(&output));
        let mut said = stdout(&output) + &stderr(&output);
        assert!(said.len() > 10_000, "the log is there");
        for file in std::fs::read_dir(&state).expect("the state") {
            said.push_str(&std::fs::read_to_string(file.expect("a file").path()).expect("text"));
        }
        for secret in [
            Sandbox::OKTA_TOKEN,
            Sandbox::AWS_SECRET_ACCESS_KEY,
            Sandbox::SCIM_TOKEN_MARK,
        ] {
            assert!(!said.contains(secret), "a secret is shown");
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_not_shown_either() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_sandbox, ready) = served(folder.path()).await;
    let wrong = "00wr0ng-t0ken-that-nobody-may-see";
    let text = std::fs::read_to_string(&ready)
        .expect("a file")
        .replace(Sandbox::OKTA_TOKEN, wrong);
    std::fs::write(&ready, text).expect("a file");
    let blueprint = blueprint(folder.path(), SEED);
    let mut command = example("integrate");
    command
        .arg("--target")
        .arg(&ready)
        .arg("--blueprint")
        .arg(&blueprint)
        .arg("--yes")
        .env("RUST_LOG", "trace");
    let output = command.output().await.expect("the program");
    assert!(!output.status.success());
    let said = stdout(&output) + &stderr(&output);
    assert!(said.contains("E0000011"), "{said}");
    assert!(!said.contains(wrong));
    assert!(!said.contains("panicked"));
}
