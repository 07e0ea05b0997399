//! Tests that no output contains the secret.

use std::{
    io,
    sync::{LazyLock, Mutex},
};

use rest_core::{BuildError, Call, Secret, Service, TransportError};
use tracing_subscriber::fmt::MakeWriter;

use super::{Scripted, TOKEN, builder, clock, response, scripted};

/// The log of all tests in this binary, at level `trace`.
static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        // The mock server logs every request, including its secret.
        .with_env_filter("trace,mockito=off")
        .with_ansi(false)
        .with_writer(Log)
        .init();
    Mutex::default()
});

pub(super) fn start_log() {
    LazyLock::force(&LOG);
}

/// Returns what all tests have logged so far.
pub(super) fn log() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}

#[derive(Debug, Clone)]
struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
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
async fn the_log_contains_the_call_but_no_secret() {
    let mut server = mockito::Server::new_async().await;
    server
        .mock("POST", "/v1/traced?key=in-the-query")
        .with_status(500)
        .with_body("in-the-response")
        .create_async()
        .await;
    let service = builder(&format!("{}/v1", server.url())).build().unwrap();
    let call = Call::post(["traced"])
        .query("key", "in-the-query")
        .json("in-the-body");
    let error = service.send(call).await.expect_err("status 500");

    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let text = format!("{log}\n{error}\n{error:?}\n{service:?}");
    assert!(
        text.contains("method=POST path=\"/traced\" status=500 attempt=1"),
        "{text}"
    );
    for hidden in [TOKEN, "in-the-query", "in-the-body", "in-the-response"] {
        assert!(
            !text.contains(hidden),
            "the output contains {hidden}: {text}"
        );
    }
}

#[tokio::test]
async fn debug_output_of_a_request_hides_its_authorization() {
    let transport = Scripted::new([response(200, &[])]);
    scripted(&transport, &clock())
        .send(Call::get(["things"]))
        .await
        .expect("a response");
    let printed = format!("{transport:?}");
    assert!(
        printed.contains("\"authorization\": Sensitive"),
        "{printed}"
    );
    assert!(!printed.contains(TOKEN), "{printed}");
}

#[test]
fn a_transport_error_does_not_contain_the_url() {
    let error = TransportError::not_sent("x");
    assert_eq!(error.to_string(), "the server could not be reached");
}

#[track_caller]
fn check_secret(secret: &str, expected: &str) {
    let error = Service::builder("https://api.example.com".parse().unwrap())
        .authorization("Bearer", Secret::new(secret))
        .build()
        .expect_err("an error");
    assert_eq!(error.to_string(), expected);
    assert!(secret.is_empty() || !format!("{error:?}").contains(secret.trim()));
}

#[test]
fn an_invalid_secret_is_an_error_that_does_not_contain_it() {
    let unsendable =
        "the secret has a space, a line break or another character that a header cannot contain";
    check_secret("hunter2\n", unsendable);
    check_secret("hunter 2", unsendable);
    check_secret("hunter2\u{7f}", unsendable);
    check_secret("", "the secret is empty");
}

#[track_caller]
fn check_base(base: &str, expected: &str) {
    let error = Service::builder(base.parse().unwrap())
        .build()
        .expect_err("an error");
    assert!(matches!(error, BuildError::Base { .. }));
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_invalid_base_url_is_an_error_that_does_not_contain_its_secrets() {
    check_base(
        "https://ada:hunter2@example.com/",
        "https://example.com/ is not a valid base URL: it contains a user name or a password",
    );
    check_base(
        "https://example.com/?key=hunter2",
        "https://example.com/ is not a valid base URL: it contains a query or a fragment",
    );
    check_base(
        "ftp://example.com/",
        "ftp://example.com/ is not a valid base URL: it uses neither http nor https",
    );
}
