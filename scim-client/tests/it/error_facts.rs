//! Table test of the accessors and predicates of errors.

use scim_client::{
    Client, Dialect, Error, TransportError,
    scim_types::{Group, ScimType},
};

use crate::fixture::{Script, Step, broken_connection, id};

/// Returns the names of the predicates that hold for an error.
fn predicates(error: &Error) -> Vec<&'static str> {
    let all = [
        ("not found", error.is_not_found()),
        ("conflict", error.is_conflict()),
        ("throttled", error.is_throttled()),
        ("unauthenticated", error.is_unauthenticated()),
        ("permission denied", error.is_permission_denied()),
        ("may have acted", error.may_have_acted()),
    ];
    let held = all.into_iter().filter(|(_, holds)| *holds);
    held.map(|(name, _)| name).collect()
}

/// The facts of an error: status, code, message, and the predicates that hold.
type Facts<'a> = (Option<u16>, Option<&'a str>, Option<&'a str>, &'a [&'a str]);

#[track_caller]
fn check(error: &Error, operation: &str, expected: Facts) {
    let (status, code, message, held) = expected;
    assert_eq!(error.operation(), Some(operation));
    assert_eq!(error.status(), status, "{error}");
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(error.message(), message, "{error}");
    assert_eq!(predicates(error), held, "{error}");
    assert!(error.help().is_some(), "{error}");
}

/// Returns a client for which every attempt of a call gets the same result.
fn client(dialect: Dialect, step: impl Fn() -> Step) -> Client {
    Script::new((0..10).map(|_| step())).client(dialect)
}

async fn error_of_create(status: u16, body: &'static str) -> Error {
    let client = client(Dialect::Generic, || Ok((status, body)));
    let created = client.groups().create(&Group::new("admins")).await;
    created.expect_err("the call fails")
}

async fn error_of_get(step: impl Fn() -> Step) -> Error {
    let client = client(Dialect::Generic, step);
    let read = client.groups().get(&id("g")).await;
    read.expect_err("the call fails")
}

#[tokio::test]
async fn the_status_and_the_error_type_determine_the_facts_of_an_error() {
    type Row = (
        u16,
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        &'static [&'static str],
    );
    let rows: &[Row] = &[
        (
            400,
            r#"{"scimType":"invalidValue","detail":"no name"}"#,
            Some("invalidValue"),
            Some("no name"),
            &[],
        ),
        (
            400,
            r#"{"scimType":"UNIQUENESS"}"#,
            Some("uniqueness"),
            None,
            &["conflict"],
        ),
        (401, "", None, None, &["unauthenticated"]),
        (
            403,
            r#"{"message":"Forbidden"}"#,
            None,
            Some("Forbidden"),
            &["permission denied"],
        ),
        (404, "<html></html>", None, None, &["not found"]),
        (
            409,
            r#"{"detail":" of\n two\tlines "}"#,
            None,
            Some("of two lines"),
            &["conflict"],
        ),
        (
            412,
            r#"{"scimType":"odd"}"#,
            Some("odd"),
            None,
            &["conflict"],
        ),
        (429, "{}", None, None, &["throttled"]),
        (500, "{}", None, None, &["may have acted"]),
        (501, "{}", None, None, &[]),
        (503, "{}", None, None, &["may have acted"]),
    ];
    for (status, body, code, message, held) in rows {
        let error = error_of_create(*status, body).await;
        let expected = (Some(*status), *code, *message, *held);
        check(&error, "POST /Groups", expected);
    }
}

#[tokio::test]
async fn a_read_never_may_have_acted() {
    let server_failed = error_of_get(|| Ok((500, "{}"))).await;
    check(
        &server_failed,
        "GET /Groups/g",
        (Some(500), None, None, &[]),
    );
    let lost = error_of_get(|| Err(broken_connection)).await;
    check(&lost, "GET /Groups/g", (None, None, None, &[]));
    let not_json = error_of_get(|| Ok((200, "<html>"))).await;
    check(&not_json, "GET /Groups/g", (Some(200), None, None, &[]));
}

#[tokio::test]
async fn a_create_may_have_acted_unless_it_was_not_sent() {
    let not_json = error_of_create(201, "<html>").await;
    let expected: Facts = (Some(201), None, None, &["may have acted"]);
    check(&not_json, "POST /Groups", expected);

    let create = async |step: fn() -> TransportError| {
        let client = client(Dialect::Generic, || Err(step));
        let created = client.groups().create(&Group::new("admins")).await;
        created.expect_err("the call fails")
    };
    let lost = create(broken_connection).await;
    let expected: Facts = (None, None, None, &["may have acted"]);
    check(&lost, "POST /Groups", expected);
    let not_sent = create(|| TransportError::not_sent("connection refused")).await;
    check(&not_sent, "POST /Groups", (None, None, None, &[]));
}

#[tokio::test]
async fn texts_of_the_server_are_limited_to_one_line_of_500_characters() {
    let body: String = format!(
        r#"{{"scimType":"a\nb","detail":"{}","exceptionRequestId":"r\r\n1"}}"#,
        "x".repeat(501)
    );
    let error = error_of_create(400, body.leak()).await;
    assert_eq!(error.message().map(str::len), Some(500));
    assert_eq!(error.scim_type(), Some(&ScimType::Other("a b".into())));
    assert_eq!(error.request_id(), Some("r 1"));
}
