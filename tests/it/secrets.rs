//! Tests that a run never prints, logs or stores a secret, even at log level trace.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::sync::Arc;

use okta_aws_sso::{
    BoxFuture, Error,
    okta::{self, Transport, TransportError},
    plan::Problem,
    scim,
};
use rest_core::Secret;
use sandbox::Sandbox;

use crate::{
    fixture::{SEED, TEAM},
    processes::{blueprint, example, integrate, served, stderr, stdout},
};

/// Returns whether a text contains a secret of the sandbox.
pub(crate) fn has_secret(text: &str) -> bool {
    let secrets = [
        Sandbox::OKTA_TOKEN,
        Sandbox::AWS_SECRET_ACCESS_KEY,
        Sandbox::SCIM_TOKEN_MARK,
    ];
    secrets.iter().any(|secret| text.contains(secret))
}

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
        for folder in [state.clone(), state.join("ledger")] {
            // A run that has made nothing has no ledger.
            let files = std::fs::read_dir(folder).into_iter().flatten();
            let files = files.map(|file| file.expect("a file").path());
            for file in files.filter(|path| path.is_file()) {
                text.push_str(&std::fs::read_to_string(file).expect("text"));
            }
        }
        assert!(!has_secret(&text), "the output contains a secret");
    }
}

/// A service that repeats the authorization of a request in the texts of its error.
#[derive(Debug)]
struct Echo;

impl Transport for Echo {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, TransportError>> {
        let header = &request.headers()["authorization"];
        let text = format!("{}\u{1b}[2J\u{202e}", header.to_str().expect("text"));
        let body = serde_json::json!({
            "errorCode": "E0000001", "errorSummary": text, "errorCauses": [{ "errorSummary": text }],
            "detail": text,
        });
        let response = http::Response::builder().status(400);
        let response = response.body(body.to_string().into()).expect("a response");
        Box::pin(async { Ok(response) })
    }
}

#[tokio::test]
async fn a_text_of_a_service_that_repeats_the_token_is_shown_without_it() {
    let token = "00abcdefghijklmnop";
    let okta = okta::Client::builder("https://acme.okta.com", Secret::new(token));
    let okta = okta.transport(Arc::new(Echo)).build().expect("a client");
    let error = okta.users().me().await.expect_err("a refusal");
    let okta = Error::service("the user could not be read", error);
    let endpoint = "https://scim.example.com/v2".parse().expect("an endpoint");
    let scim = scim::Client::builder(&endpoint, Secret::new(token));
    let scim = scim.transport(Arc::new(Echo)).build().expect("a client");
    let error = scim.users().get(&"1".parse().expect("an id")).await;
    let scim = Error::service("the user could not be read", error.expect_err("a refusal"));
    for error in [okta, scim] {
        let problem = Problem::new(None, &error);
        let json = serde_json::to_string(&problem).expect("JSON");
        for text in [
            error.explain(),
            error.to_string(),
            json,
            format!("{error:?}"),
        ] {
            assert!(!text.contains(token), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
        let explained = error.explain();
        assert!(explained.contains("(a secret)"), "{explained}");
        assert!(explained.contains("\\u{202e}"), "{explained}");
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
