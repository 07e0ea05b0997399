//! Tests that no output contains a secret.

use std::{
    error::Error as _,
    io,
    sync::{LazyLock, Mutex},
};

use rest_core::Secret;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::{Org, SCIM_TOKEN, TOKEN, app_id, json};

/// The log of all tests in this binary, at level `trace`.
static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        // The mock server logs every request, including its secrets.
        .with_env_filter("trace,mockito=off")
        .with_ansi(false)
        .with_writer(Log)
        .init();
    Mutex::default()
});

pub(super) fn start_log() {
    LazyLock::force(&LOG);
}

/// Returns the log so far.
pub(super) fn log() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}

/// The tokens of the tests, and the start of each JSON Web Token: access tokens, assertions and proofs.
const SECRETS: [&str; 3] = [TOKEN, SCIM_TOKEN, "eyJ"];

#[derive(Debug, Clone)]
struct Log;

impl io::Write for Log {
    /// Fails the test that logs a secret, whichever test that is.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let secret = SECRETS.iter().find(|secret| line.contains(*secret));
        assert_eq!(secret, None, "the log contains a secret");
        LOG.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_output_contains_the_token_or_a_token_in_a_body() {
    let body = json!({
        "errorCode": "E0000001", "errorSummary": format!("Error testing {SCIM_TOKEN}"),
        "errorCauses": [{ "errorSummary": format!("{SCIM_TOKEN} was refused") }]
    });
    let org = Org::responding([json(400, body)]);
    let client = org.client();
    let token = Secret::new(SCIM_TOKEN);
    let error = client
        .apps()
        .set_connection(&app_id(), "https://scim/v2", &token, true)
        .await
        .expect_err("the call fails");
    let summary = "Error testing (a secret): (a secret) was refused";
    assert_eq!(error.message(), Some(summary));

    let log = log();
    let source = error.source().expect("a source");
    let text = format!("{log}\n{error}\n{error:?}\n{source}\n{source:?}\n{client:?}\n{token:?}");
    assert!(
        text.contains("method=POST path=\"/api/v1/apps/0oa1/connections/default\" status=400"),
        "{text}"
    );
    for hidden in [TOKEN, SCIM_TOKEN] {
        assert!(
            !text.contains(hidden),
            "the output contains {hidden}: {text}"
        );
    }
}

#[test]
fn debug_output_of_a_client_contains_only_its_url() {
    let client = Org::default().client();
    assert_eq!(
        format!("{client:?}"),
        "Client { org_url: \"https://acme.okta.com/\", .. }"
    );
}
