//! Tests of errors and their help texts.

use std::error::Error as _;

use scim_client::{Dialect, Error, Reachability, TransportError};
use scim_types::{Group, PatchOperation, ScimType, User, filter::Filter};

use crate::fixture::{Fixture, Script, fixture, id};

#[track_caller]
fn error_and_source(error: &Error) -> (String, String) {
    let source = error.source().expect("a source");
    (error.to_string(), source.to_string())
}

async fn error_of_create(fixture: &mut Fixture, status: usize, body: &str) -> Error {
    fixture
        .mock("POST", "/Groups")
        .with_status(status)
        .with_header("x-amzn-RequestId", "81abca44")
        .with_body(body)
        .expect(1)
        .create_async()
        .await;
    fixture
        .client
        .groups()
        .create(&Group::new("admins"))
        .await
        .expect_err("the call fails")
}

#[tokio::test]
async fn the_error_of_a_wrong_token_has_a_help_text() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let config = fixture
        .mock("GET", "/ServiceProviderConfig")
        .with_status(401)
        .create_async()
        .await;
    let error = fixture.client.probe().await.expect_err("the call fails");
    config.assert_async().await;
    assert!(error.is_unauthenticated());
    assert_eq!(
        error.to_string(),
        "AWS IAM Identity Center refused GET /ServiceProviderConfig with 401 Unauthorized: the server gave no reason"
    );
    assert_eq!(
        error.help(),
        Some(
            "the token is wrong, expired or deleted, or the endpoint belongs to another tenant: \
             create a new token in IAM Identity Center > Settings > Automatic provisioning"
        )
    );
}

#[tokio::test]
async fn a_conflict_error_contains_all_details_of_aws() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let body = r#"{"schema":["urn:ietf:params:scim:api:messages:2.0:Error"],
        "detail":"Refused to create a new, duplicate resource.","status":"409",
        "exceptionRequestId":"of-the-body","timeStamp":"2022-02-14 17:37:21.224"}"#;
    let error = error_of_create(&mut fixture, 409, body).await;
    assert!(error.is_conflict() && !error.may_have_acted());
    assert_eq!(error.operation(), Some("POST /Groups"));
    assert_eq!(error.request_id(), Some("81abca44"));
    assert_eq!(
        error.message(),
        Some("Refused to create a new, duplicate resource.")
    );
    assert_eq!(
        error.to_string(),
        "AWS IAM Identity Center refused POST /Groups with 409 Conflict: Refused to create a new, duplicate resource. \
         (request 81abca44)"
    );
    // A report of the chain of causes has the response only once.
    assert!(error.source().is_none());
    assert!(
        error
            .help()
            .expect("a help text")
            .starts_with("another user or group already has this name")
    );
}

#[tokio::test]
async fn the_request_id_of_the_body_is_used_if_there_is_no_header() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    fixture
        .mock("GET", "/Users/u")
        .with_status(404)
        .with_body(r#"{"status":404,"detail":"gone","exceptionRequestId":"of-the-body"}"#)
        .create_async()
        .await;
    let error = fixture
        .client
        .users()
        .get(&id("u"))
        .await
        .expect_err("the call fails");
    assert_eq!(error.request_id(), Some("of-the-body"));
}

#[tokio::test]
async fn the_scim_error_type_is_kept() {
    let mut fixture = fixture(Dialect::Generic).await;
    let error = error_of_create(
        &mut fixture,
        409,
        r#"{"scimType":"uniqueness","detail":"taken"}"#,
    )
    .await;
    assert_eq!(error.scim_type(), Some(&ScimType::Uniqueness));
    assert_eq!(
        error.error_response().expect("a response").to_string(),
        "uniqueness: taken (request 81abca44)"
    );
}

#[tokio::test]
async fn an_html_page_from_a_proxy_is_reported_by_its_status() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let error = error_of_create(&mut fixture, 500, "<html><h1>Internal error</h1></html>").await;
    assert_eq!(error.status(), Some(500));
    assert_eq!(error.message(), None);
    // The server may have processed the request before it failed, so it was not retried.
    assert!(error.may_have_acted());
    assert_eq!(
        error.help(),
        Some("check whether the server processed the request before you send it again")
    );
    assert!(fixture.clock.slept().is_empty());
}

#[tokio::test]
async fn the_error_message_of_the_gateway_is_the_detail() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let error = error_of_create(&mut fixture, 403, r#"{"message":"Forbidden"}"#).await;
    assert_eq!(error.message(), Some("Forbidden"));
}

#[tokio::test]
async fn a_throttled_create_is_retried() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let throttled = fixture
        .mock("POST", "/Users")
        .with_status(429)
        .with_header("retry-after", "7")
        .expect(1)
        .create_async()
        .await;
    let created = fixture
        .mock("POST", "/Users")
        .match_header("content-type", "application/scim+json")
        .match_body(
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
        )
        .with_status(201)
        .with_body(r#"{"id":"u"}"#)
        .expect(1)
        .create_async()
        .await;
    let user = fixture
        .client
        .users()
        .create(&User::new("ada"))
        .await
        .expect("a user");
    assert_eq!(user.id, Some(id("u")));
    assert_eq!(fixture.clock.slept(), [std::time::Duration::from_secs(7)]);
    throttled.assert_async().await;
    created.assert_async().await;
}

#[tokio::test]
async fn a_request_that_stays_throttled_fails_after_ten_attempts() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let throttled = fixture
        .mock("GET", "/Users/u")
        .with_status(429)
        .expect(10)
        .create_async()
        .await;
    let error = fixture
        .client
        .users()
        .get(&id("u"))
        .await
        .expect_err("the call fails");
    throttled.assert_async().await;
    assert!(error.is_throttled());
    assert_eq!(
        error
            .error_response()
            .map(scim_client::ErrorResponse::attempts),
        Some(10)
    );
}

const REFUSED: &str =
    r#"{"detail":"Request is unparsable, syntactically incorrect, or violates schema."}"#;

/// Returns the error of a patch for a user that the server refuses with this body.
async fn error_of_patch(dialect: Dialect, body: &'static str, operation: PatchOperation) -> Error {
    let client = Script::new([Ok((400, body))]).client(dialect);
    let patched = client.users().patch(&id("u"), &operation.into()).await;
    patched.expect_err("the call fails")
}

#[tokio::test]
async fn a_400_names_the_known_violations_and_the_answer_of_the_service_in_all_its_texts() {
    let client = Script::new([Ok((400, REFUSED))]).client(Dialect::AwsIdentityCenter);
    let created = client.users().create(&User::new("ada\u{2028}b")).await;
    let error = created.expect_err("the call fails");
    let answer = "Request is unparsable, syntactically incorrect, or violates schema.";
    let violations = "userName contains U+2028, which is not accepted; name.givenName is required; name.familyName \
                      is required; displayName is required; emails.value is required";
    assert_eq!(error.message(), Some(&*format!("{answer}; {violations}")));
    assert_eq!(
        error.to_string(),
        format!(
            "AWS IAM Identity Center refused POST /Users with 400 Bad Request: {answer}; {violations}"
        )
    );
    assert_eq!(
        error.help(),
        Some(&*format!(
            "correct what was sent: {violations} (the service answered: {answer})"
        ))
    );
    let response = error.error_response().expect("a refusal");
    assert_eq!(response.message(), Some(answer));
    assert_eq!(response.violations().len(), 5);
}

#[tokio::test]
async fn a_400_of_a_patch_names_the_violations_of_its_values() {
    let operation = PatchOperation::replace("title", "Count\u{200b}ess");
    let error = error_of_patch(Dialect::AwsIdentityCenter, REFUSED, operation).await;
    let message = error.message().expect("a message");
    assert!(
        message.ends_with("schema.; title contains U+200B, which is not accepted"),
        "{message}"
    );
    assert!(error.to_string().contains("PATCH /Users/u"), "{error}");
    assert!(
        error.to_string().contains("title contains U+200B"),
        "{error}"
    );
    assert!(
        error
            .help()
            .expect("help")
            .contains("title contains U+200B")
    );
}

#[tokio::test]
async fn the_help_for_a_400_without_a_known_violation_has_the_answer_of_the_service() {
    let operation = PatchOperation::replace("title", "Countess");
    let error = error_of_patch(Dialect::AwsIdentityCenter, REFUSED, operation).await;
    let help = error.help().expect("help");
    assert!(help.starts_with("AWS gives the same response"), "{help}");
    assert!(help.ends_with("violates schema.)"), "{help}");
}

#[tokio::test]
async fn texts_of_a_server_and_ids_cannot_forge_a_line_or_hide_characters() {
    let body = r#"{"detail":"bad\n  + user eve\u202e\u200b","scimType":"odd\u001b[2J"}"#;
    let operation = PatchOperation::replace("active", true);
    let error = error_of_patch(Dialect::Generic, body, operation).await;
    assert_eq!(
        error.to_string(),
        "the SCIM service refused PATCH /Users/u with 400 Bad Request: odd [2J: bad + user eve\\u{202e}\\u{200b}"
    );
    let client = Script::new([Ok((404, "{}"))]).client(Dialect::Generic);
    let read = client.users().get(&id("a\u{202e}b")).await;
    let text = read.expect_err("the call fails").to_string();
    assert!(text.contains("GET /Users/a\\u{202e}b with 404"), "{text}");
    let unsupported = Script::new([]).client(Dialect::AwsIdentityCenter);
    let filter = Filter::parse("userName sw \"a\u{202e}\"").expect("a filter");
    let listed = unsupported.users().list(filter).try_collect().await;
    let text = listed.expect_err("the call fails").to_string();
    assert!(text.ends_with("sw \"a\\u{202e}\""), "{text}");
}

#[tokio::test]
async fn a_response_that_is_not_json_is_an_error() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Users/u")
        .with_body("<html></html>")
        .create_async()
        .await;
    let error = fixture
        .client
        .users()
        .get(&id("u"))
        .await
        .expect_err("no user");
    assert_eq!(
        error_and_source(&error),
        (
            "the response to GET /Users/u could not be decoded".into(),
            "expected value at line 1 column 1".into()
        )
    );
    assert_eq!(error.status(), Some(200));
    assert!(!error.may_have_acted());
}

#[tokio::test]
async fn after_a_call_found_the_service_unreachable_the_next_call_of_the_scope_is_not_sent() {
    let refused: fn() -> TransportError = || TransportError::not_sent("connection refused");
    let script = Script::new((0..10).map(|_| Err(refused)));
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = Reachability::scope(async {
        let first = client.users().get(&id("u")).await;
        first.expect_err("no connection");
        let second = client.users().create(&User::new("ada")).await;
        second.expect_err("no connection")
    });
    let error = error.await;
    assert_eq!(script.requests().len(), 10, "the attempts of one call");
    let explained = std::iter::successors(Some(&error as &dyn std::error::Error), |&error| {
        error.source()
    });
    let explained: Vec<String> = explained.map(ToString::to_string).collect();
    assert_eq!(
        explained,
        [
            "AWS IAM Identity Center is unreachable, so POST /Users was not sent",
            "an earlier call found https://scim.example unreachable after all its attempts",
            "no response was received",
            "the server could not be reached",
            "connection refused",
        ]
    );
    assert!(error.help().is_some_and(|help| help.ends_with("run again")));
    assert!(!error.may_have_acted());
}
