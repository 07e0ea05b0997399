//! Tests of certificate signing requests, and of keys that two applications share.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use okta_aws_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{get, identity_center, okta, refusal, sandbox, send, status, text};

async fn create(sandbox: &Sandbox, csrs: &str) -> Value {
    let body = json!({ "subject": { "commonName": "saml.example.com", "countryName": "US" } });
    let response = send(okta(sandbox, Method::POST, csrs).json(&body)).await;
    assert_eq!(response.status(), 201);
    response.json().await.expect("JSON")
}

/// Returns the request that publishes a certificate.
fn publish(sandbox: &Sandbox, csr: &str, certificate: Vec<u8>) -> reqwest::RequestBuilder {
    okta(sandbox, Method::POST, &format!("{csr}/lifecycle/publish"))
        .header("content-type", "application/pkix-cert")
        .body(certificate)
}

// Source: "Publish a certificate signing request": afterwards, the request is no longer accessible.
#[tokio::test]
async fn a_published_certificate_is_a_key_of_the_application() {
    let sandbox = sandbox().await;
    let app = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let csrs = format!("{app}/credentials/csrs");
    let csr = create(&sandbox, &csrs).await;
    let path = format!("{csrs}/{}", text(&csr, "id"));
    assert_eq!(get(&sandbox, &path).await, csr);
    assert_eq!(get(&sandbox, &csrs).await, json!([csr]));

    let certificate = sandbox.issue_certificate(&text(&csr, "csr"));
    let response = send(publish(&sandbox, &path, certificate.clone())).await;
    assert_eq!(response.status(), 201);
    let key: Value = response.json().await.expect("JSON");
    assert_eq!(key["x5c"], json!([STANDARD.encode(certificate)]));
    let path_of_key = format!("{app}/credentials/keys/{}", text(&key, "kid"));
    assert_eq!(get(&sandbox, &path_of_key).await, key);
    assert_eq!(status(&sandbox, Method::GET, &path).await, 404);
}

#[tokio::test]
async fn only_a_certificate_of_the_request_that_is_valid_for_90_days_is_published() {
    let sandbox = sandbox().await;
    let app = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let csrs = format!("{app}/credentials/csrs");
    let (csr, other) = (create(&sandbox, &csrs).await, create(&sandbox, &csrs).await);
    let path = format!("{csrs}/{}", text(&csr, "id"));
    let refused = |certificate| refusal(publish(&sandbox, &path, certificate));
    let of_other = sandbox.issue_certificate(&text(&other, "csr"));
    assert_eq!(
        refused(of_other).await.3,
        "The certificate doesn't match the CSR."
    );
    let certificate = sandbox.issue_certificate(&text(&csr, "csr"));
    sandbox.advance(Duration::from_hours(276 * 24));
    assert_eq!(
        refused(certificate).await.3,
        "The certificate must be valid for more than 90 days."
    );
}

#[tokio::test]
async fn a_revoked_request_does_not_exist() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let csrs = format!("/api/v1/apps/{app}/credentials/csrs");
    let csr = create(&sandbox, &csrs).await;
    let path = format!("{csrs}/{}", text(&csr, "id"));
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 204);
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 404);
    assert_eq!(get(&sandbox, &csrs).await, json!([]));
}

// Source: "Clone a key credential", with the example of its refusal.
#[tokio::test]
async fn a_key_is_copied_to_another_application_once() {
    let sandbox = sandbox().await;
    let app = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let other = get(&sandbox, "/api/v1/apps?q=AWS%20Account&limit=200").await;
    let other = text(&other[0], "id");
    let key = get(&sandbox, &format!("{app}/credentials/keys")).await[0].clone();
    let path = format!("{app}/credentials/keys/{}/clone", text(&key, "kid"));
    let clone = || {
        let path = format!("{path}?targetAid={other}");
        okta(&sandbox, Method::POST, &path).header("content-length", "0")
    };
    let response = send(clone()).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.json::<Value>().await.expect("JSON"), key);
    let copy = format!(
        "/api/v1/apps/{other}/credentials/keys/{}",
        text(&key, "kid")
    );
    assert_eq!(get(&sandbox, &copy).await, key);
    let (status_code, code, summary, cause) = refusal(clone()).await;
    assert_eq!((status_code, &*code), (400, "E0000001"));
    assert_eq!(summary, "Api validation failed: cloneKey");
    assert_eq!(
        cause,
        "Key already exists in the list of key credentials for the target app."
    );
    assert_eq!(status(&sandbox, Method::POST, &path).await, 400);
}
