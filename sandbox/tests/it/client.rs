//! Helpers of the tests: a plain HTTP client that sends Okta's token.

use okta_aws_sandbox::{Clock, Company, Sandbox, SandboxBuilder};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// Returns a builder with a manual clock at noon of 1 June 2026.
pub(crate) fn builder() -> SandboxBuilder {
    let noon = "2026-06-01T12:00:00Z".parse().expect("a timestamp");
    Sandbox::builder()
        .company(Company::small(3, 2))
        .clock(Clock::Manual(noon))
}

pub(crate) async fn sandbox() -> Sandbox {
    builder().start().await.expect("a sandbox")
}

/// Returns the client of this thread, because each test has its own thread and runtime.
pub(crate) fn client() -> reqwest::Client {
    thread_local! {
        static CLIENT: reqwest::Client =
            reqwest::Client::builder().no_proxy().build().expect("a client");
    }
    CLIENT.with(Clone::clone)
}

/// Returns a request to Okta with the token; the path starts with a slash.
pub(crate) fn okta(sandbox: &Sandbox, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", sandbox.okta_url());
    client()
        .request(method, url)
        .header("authorization", format!("SSWS {}", sandbox.okta_token()))
}

pub(crate) async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("a response")
}

#[track_caller]
fn assert_success(status: StatusCode, body: &Value) {
    assert!(status.is_success(), "{status}: {body}");
}

pub(crate) async fn get(sandbox: &Sandbox, path: &str) -> Value {
    let response = send(okta(sandbox, Method::GET, path)).await;
    let status = response.status();
    let body = response.json().await.expect("JSON");
    assert_success(status, &body);
    body
}

/// Sends a document and returns the document of the response, or null if the response has no body.
pub(crate) async fn write(sandbox: &Sandbox, method: Method, path: &str, body: &Value) -> Value {
    let response = send(okta(sandbox, method, path).json(body)).await;
    let status = response.status();
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or_default();
    assert_success(status, &body);
    body
}

pub(crate) async fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    write(sandbox, Method::POST, path, body).await
}

/// Sends a request that Okta must reject.
///
/// Returns the status, the error code, the summary and the first cause.
pub(crate) async fn refusal(request: RequestBuilder) -> (u16, String, String, String) {
    let response = send(request).await;
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    assert_eq!(body["errorCode"], body["errorLink"]);
    assert!(body["errorId"].as_str().expect("an id").starts_with("oae"));
    (
        status,
        text(&body["errorCode"]),
        text(&body["errorSummary"]),
        text(&body["errorCauses"][0]["errorSummary"]),
    )
}

/// Creates the Identity Center application and returns its id.
pub(crate) async fn identity_center(sandbox: &Sandbox) -> String {
    let app = post(
        sandbox,
        "/api/v1/apps",
        &json!({ "name": "amazon_aws_sso", "label": "AWS IAM Identity Center", "signOnMode": "SAML_2_0" }),
    )
    .await;
    app["id"].as_str().expect("an id").to_owned()
}

/// Returns the URL of a page's `next` link.
pub(crate) fn next(response: &Response) -> Option<String> {
    let links = response.headers().get_all("link");
    links.iter().find_map(|link| {
        let link = link.to_str().expect("text");
        let address = link.strip_suffix("; rel=\"next\"")?;
        Some(
            address
                .trim_start_matches('<')
                .trim_end_matches('>')
                .to_owned(),
        )
    })
}

/// Returns the string member of a document.
#[track_caller]
pub(crate) fn text(document: &Value, name: &str) -> String {
    let text = document[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {document}"))
        .to_owned()
}

/// Sends a request without a body and returns the status.
pub(crate) async fn status(sandbox: &Sandbox, method: Method, path: &str) -> u16 {
    let request = okta(sandbox, method, path).header("content-length", "0");
    send(request).await.status().as_u16()
}
