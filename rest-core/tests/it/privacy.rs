//! No output shows the secret.

use std::{
    io,
    sync::{LazyLock, Mutex},
};

use rest_core::{BuildError, Call, Secret, Service, TransportError};
use tracing_subscriber::fmt::MakeWriter;

use super::{Scripted, TOKEN, answer, builder, clock, scripted};

/// Everything that any test of this binary traces, at the finest level.
static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        // The mock server is not ours, and prints every request that it gets.
        .with_env_filter("trace,mockito=off")
        .with_ansi(false)
        .with_writer(Log)
        .init();
    Mutex::default()
});

pub(super) fn start_log() {
    LazyLock::force(&LOG);
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
async fn what_is_traced_names_the_call_and_shows_no_secret() {
    let mut server = mockito::Server::new_async().await;
    server
        .mock("POST", "/v1/traced?key=in-the-query")
        .with_status(500)
        .with_body("in-the-answer")
        .create_async()
        .await;
    let service = builder(&format!("{}/v1", server.url())).build().unwrap();
    let call = Call::post(["traced"])
        .query("key", "in-the-query")
        .json("in-the-body");
    let error = service.send(call).await.expect_err("a refusal");

    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let text = format!("{log}\n{error}\n{error:?}\n{service:?}");
    assert!(
        text.contains("method=POST path=\"/traced\" status=500 attempt=1"),
        "{text}"
    );
    for hidden in [TOKEN, "in-the-query", "in-the-body", "in-the-answer"] {
        assert!(!text.contains(hidden), "{hidden} is shown: {text}");
    }
}

#[tokio::test]
async fn a_request_that_is_printed_hides_its_authorization() {
    let transport = Scripted::new([answer(200, &[])]);
    scripted(&transport, &clock())
        .send(Call::get(["things"]))
        .await
        .expect("an answer");
    let printed = format!("{transport:?}");
    assert!(
        printed.contains("\"authorization\": Sensitive"),
        "{printed}"
    );
    assert!(!printed.contains(TOKEN), "{printed}");
}

#[test]
fn an_error_of_the_transport_has_no_address_in_it() {
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
fn a_secret_that_cannot_be_sent_is_refused_without_being_shown() {
    let unsendable =
        "the secret has a space, a line break or another character that a header cannot carry";
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
fn a_base_address_with_more_than_an_address_in_it_is_refused_without_showing_it() {
    check_base(
        "https://ada:hunter2@example.com/",
        "https://example.com/ is not a base address: it has a user name or a password in it",
    );
    check_base(
        "https://example.com/?key=hunter2",
        "https://example.com/ is not a base address: it has a query or a fragment",
    );
    check_base(
        "ftp://example.com/",
        "ftp://example.com/ is not a base address: it is neither http nor https",
    );
}
