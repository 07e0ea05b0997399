//! Tests of the rules that apply to all requests to Okta.

use okta_aws_sandbox::OktaRateLimits;
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::{builder, client, get, okta, refusal, sandbox, send};

#[tokio::test]
async fn a_wrong_or_missing_token_is_refused() {
    let sandbox = sandbox().await;
    let url = format!("{}/api/v1/users/me", sandbox.okta_url());
    let client = client();
    for request in [
        client.get(&url),
        client.get(&url).header("authorization", "SSWS wrong"),
        client.get(&url).bearer_auth(sandbox.okta_token()),
    ] {
        let (status, code, summary, _) = refusal(request).await;
        assert_eq!((status, code.as_str()), (401, "E0000011"));
        assert_eq!(summary, "Invalid token provided");
    }
}

#[tokio::test]
async fn every_response_has_request_id_rate_limit_and_date_headers() {
    let sandbox = sandbox().await;
    let missing = send(okta(&sandbox, Method::GET, "/api/v1/nothing")).await;
    assert_eq!(missing.status(), 404);
    let found = send(okta(&sandbox, Method::GET, "/api/v1/users/me")).await;
    for response in [&missing, &found] {
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("x-okta-request-id").len(), 27);
        assert_eq!(header("x-rate-limit-limit"), "10000");
        assert_eq!(header("x-rate-limit-remaining"), "9999");
        assert_eq!(header("x-rate-limit-reset"), "1780315260");
        assert_eq!(header("date"), "Mon, 01 Jun 2026 12:00:00 GMT");
    }
    let ids = [&missing, &found].map(|response| response.headers()["x-okta-request-id"].clone());
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_full_bucket_rejects_requests_until_its_minute_ends() {
    let sandbox = builder()
        .rate_limits(OktaRateLimits::Integrator)
        .start()
        .await
        .expect("a sandbox");
    for _ in 0..10 {
        get(&sandbox, "/api/v1/apps").await;
    }
    let response = send(okta(&sandbox, Method::GET, "/api/v1/apps")).await;
    assert_eq!(response.headers()["x-rate-limit-remaining"], "0");
    assert!(!response.headers().contains_key("retry-after"));
    let (status, code, ..) = refusal(okta(&sandbox, Method::GET, "/api/v1/apps")).await;
    assert_eq!((status, code.as_str()), (429, "E0000047"));
    get(&sandbox, "/api/v1/users/me").await;
    sandbox.advance(std::time::Duration::from_mins(1));
    get(&sandbox, "/api/v1/apps").await;
}

#[tokio::test]
async fn a_missing_resource_gets_404_and_a_wrong_method_405() {
    let sandbox = sandbox().await;
    let (status, code, summary, _) =
        refusal(okta(&sandbox, Method::GET, "/api/v1/apps/0oa404")).await;
    assert_eq!((status, code.as_str()), (404, "E0000007"));
    assert_eq!(
        summary,
        "Not found: Resource not found: 0oa404 (AppInstance)"
    );
    let (status, code, ..) = refusal(okta(&sandbox, Method::DELETE, "/api/v1/apps")).await;
    assert_eq!((status, code.as_str()), (405, "E0000022"));
    let (status, ..) = refusal(okta(&sandbox, Method::GET, "/api/v1x/users")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let sandbox = sandbox().await;
    let path = "/api/v1/groups";
    let text = okta(&sandbox, Method::POST, path)
        .header("content-type", "text/plain")
        .body("{}");
    let (status, code, ..) = refusal(text).await;
    assert_eq!((status, code.as_str()), (400, "E0000021"));
    let broken = okta(&sandbox, Method::POST, path)
        .header("content-type", "application/json")
        .body("{");
    let (status, code, ..) = refusal(broken).await;
    assert_eq!((status, code.as_str()), (400, "E0000003"));
    let html_only = okta(&sandbox, Method::GET, path).header("accept", "text/html");
    let (status, code, ..) = refusal(html_only).await;
    assert_eq!((status, code.as_str()), (400, "E0000021"));
}

#[tokio::test]
async fn a_write_without_a_content_length_is_rejected() {
    let sandbox = sandbox().await;
    let address = sandbox.okta_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    let request = format!(
        "POST /api/v1/domains/x/verify HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: SSWS {}\r\n\r\n",
        sandbox.okta_token()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .await
        .expect("a response");
    assert!(
        response.starts_with("HTTP/1.1 411 Length Required"),
        "{response}"
    );
}

#[tokio::test]
async fn an_unknown_parameter_is_rejected() {
    let sandbox = sandbox().await;
    let (status, _, _, cause) = refusal(okta(&sandbox, Method::GET, "/api/v1/users?filer=x")).await;
    assert_eq!(status, 400);
    assert_eq!(
        cause,
        "filer: the sandbox does not support this parameter of the endpoint"
    );
}

#[tokio::test]
async fn the_same_company_gets_the_same_ids_in_every_sandbox() {
    let (one, other) = (sandbox().await, sandbox().await);
    assert_eq!(
        one.user_id("ada.lovelace@example.com"),
        other.user_id("ada.lovelace@example.com")
    );
    let mut ids = Vec::new();
    for sandbox in [&one, &other] {
        let snapshot = sandbox.okta_snapshot();
        ids.push(snapshot["apps"][0]["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
}
