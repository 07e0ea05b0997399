//! Tests of calls that the crate does not model.

use std::error::Error as _;

use scim_client::{Call, Dialect, TransportError};
use serde_json::{Value, json};

use crate::fixture::{Script, broken_connection, fixture};

#[tokio::test]
async fn a_call_of_the_caller_is_authorized_and_throttled_like_every_other() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let throttled = fixture
        .mock("POST", "/.search")
        .with_status(429)
        .with_header("retry-after", "7")
        .expect(1)
        .create_async()
        .await;
    let search = fixture
        .mock("POST", "/.search")
        .match_header("authorization", "Bearer token-of-the-tests")
        .match_header("accept", "application/scim+json, application/json")
        .match_header("content-type", "application/scim+json")
        .match_body(r#"{"count":1}"#)
        .with_header("x-amzn-RequestId", "81abca44")
        .with_body(r#"{"totalResults":0}"#)
        .expect(1)
        .create_async()
        .await;
    let call = Call::post([".search"]).json_as("application/scim+json", &json!({"count": 1}));
    let response = fixture.client.send(call).await.expect("a response");
    assert_eq!(response.request_id(), Some("81abca44"));
    assert_eq!(response.attempts(), 2);
    let found: Value = response.json().expect("JSON");
    assert_eq!(found["totalResults"], 0);
    assert_eq!(fixture.clock.slept(), [std::time::Duration::from_secs(7)]);
    throttled.assert_async().await;
    search.assert_async().await;
}

#[tokio::test]
async fn a_link_to_another_origin_is_not_followed() {
    let mut foreign = mockito::Server::new_async().await;
    let untouched = foreign
        .mock("GET", mockito::Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    let fixture = fixture(Dialect::Generic).await;
    let link = format!("{}/Users?cursor=2", foreign.url());
    let error = fixture.client.send(Call::get_link(link)).await;
    let error = error.expect_err("a foreign link");
    assert_eq!(error.to_string(), "GET /Users could not be sent");
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.ends_with("and was not followed"), "{cause}");
    untouched.assert_async().await;
}

#[tokio::test]
async fn a_lost_response_to_a_write_of_the_caller_is_not_retried() {
    let script = Script::new([
        Err(broken_connection as fn() -> TransportError),
        Err(broken_connection as fn() -> TransportError),
        Ok((200, "{}")),
    ]);
    let client = script.client(Dialect::Generic);
    let error = client.send(Call::post(["Bulk"])).await;
    let error = error.expect_err("no response");
    assert!(error.may_have_acted());
    assert_eq!(error.operation(), Some("POST /Bulk"));
    client
        .send(Call::get(["Me"]))
        .await
        .expect("a retried read");
    assert_eq!(
        script.requests(),
        ["POST /v2/Bulk", "GET /v2/Me", "GET /v2/Me"]
    );
}

#[tokio::test]
async fn a_refusal_of_a_call_of_the_caller_has_the_facts_of_every_other() {
    let script = Script::new([Ok((501, r#"{"detail":"no bulk"}"#))]);
    let client = script.client(Dialect::Generic);
    let error = client.send(Call::post(["Bulk"])).await;
    let error = error.expect_err("a refusal");
    assert_eq!(
        (error.status(), error.message()),
        (Some(501), Some("no bulk"))
    );
}
