//! Tests of API requests with access tokens: bearer tokens, DPoP (RFC 9449 7), and scopes.

use std::time::Duration;

use okta_aws_sandbox::ServiceApp;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::{
    client::{client, refusal, send},
    jose::{App, access_token, sandbox_with},
};

const USERS: &str = "/api/v1/users";

fn automation() -> ServiceApp {
    ServiceApp::new("Automation", ["okta.users.read", "okta.groups.manage"])
}

/// Sends a request that must be refused without a body, and returns the header with the reason.
async fn challenge(request: RequestBuilder) -> (u16, String) {
    let response = send(request).await;
    let status = response.status().as_u16();
    let header = response.headers()["www-authenticate"].to_str();
    let header = header.expect("text").to_owned();
    assert_eq!(response.text().await.expect("a body"), "");
    (status, header)
}

#[tokio::test]
async fn a_bound_token_works_with_a_fresh_proof_for_each_request() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let token = app.bound_token("okta.users.read").await;
    for path in [USERS, "/api/v1/users?limit=1"] {
        let response = send(app.api(Method::GET, path, &token, &json!({}))).await;
        assert_eq!(response.status(), 200);
    }
}

/// The header is that of recorded responses (okta-sdk-nodejs, issue 453; Okta's DPoP guide).
#[tokio::test]
async fn a_wrong_proof_is_refused_with_a_challenge_and_no_body() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let token = app.bound_token("okta.users.read").await;
    let host = sandbox.okta_url().replace("http://", "");
    let users = |changes| app.api(Method::GET, USERS, &token, &changes);
    let (status, header) = challenge(users(json!({ "htm": "POST" }))).await;
    assert_eq!(status, 400);
    assert_eq!(
        header,
        format!(
            "DPoP algs=\"RS256 RS384 RS512 ES256 ES384 ES512\", \
             authorization_uri=\"http://{host}/oauth2/v1/authorize\", realm=\"http://{host}\", \
             scope=\"okta.users.read\", error=\"invalid_dpop_proof\", \
             error_description=\"'htm' claim in the DPoP proof JWT is invalid.\", \
             resource=\"/api/v1/users\""
        )
    );
    let url = format!("{}{USERS}?limit=1", sandbox.okta_url());
    let old = sandbox.now().as_second() - 301;
    for (changes, reason) in [
        (json!({ "htu": url }), "'htu' claim"),
        (json!({ "ath": null }), "'ath' claim"),
        (json!({ "ath": "AAAA" }), "'ath' claim"),
        (json!({ "iat": old }), "more than five minutes in the past"),
    ] {
        let (status, header) = challenge(users(changes)).await;
        assert_eq!(status, 400);
        assert!(header.contains(reason), "{header}");
    }
    let missing = client()
        .get(format!("{}{USERS}", sandbox.okta_url()))
        .header("authorization", format!("DPoP {token}"));
    let (_, header) = challenge(missing).await;
    assert!(header.contains("The DPoP proof JWT header is missing."));
}

#[tokio::test]
async fn a_proof_is_accepted_for_one_request() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let token = app.bound_token("okta.users.read").await;
    let request = app.api(Method::GET, USERS, &token, &json!({}));
    let again = request.try_clone().expect("a request without a stream");
    assert_eq!(send(request).await.status(), 200);
    let (status, header) = challenge(again).await;
    assert_eq!(status, 400);
    assert!(header.contains("The DPoP proof JWT has already been used."));
}

#[tokio::test]
async fn a_bound_token_is_refused_with_another_key_and_as_a_bearer_token() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let token = app.bound_token("okta.users.read").await;
    let thief = App::new(&sandbox);
    let (status, header) = challenge(thief.api(Method::GET, USERS, &token, &json!({}))).await;
    assert_eq!(status, 400);
    assert!(header.contains("invalid_dpop_proof"));
    let url = format!("{}{USERS}", sandbox.okta_url());
    let (status, code, ..) = refusal(client().get(url).bearer_auth(&token)).await;
    assert_eq!((status, code.as_str()), (401, "E0000011"));
}

#[tokio::test]
async fn a_bearer_token_is_refused_with_a_proof() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let token = access_token(send(app.token_request(&json!({}))).await).await;
    let request = app.api(Method::GET, USERS, &token, &json!({}));
    let (status, code, ..) = refusal(request).await;
    assert_eq!((status, code.as_str()), (401, "E0000011"));
}

#[tokio::test]
async fn a_token_is_refused_after_one_hour_and_when_it_is_revoked() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let url = format!("{}{USERS}", sandbox.okta_url());
    let token = access_token(send(app.token_request(&json!({}))).await).await;
    let request = || client().get(&url).bearer_auth(&token);
    sandbox.advance(Duration::from_secs(3599));
    assert_eq!(send(request()).await.status(), 200);
    sandbox.advance(Duration::from_secs(1));
    let response = send(request()).await;
    assert_eq!(response.status(), 401);
    let header = response.headers()["www-authenticate"].to_str();
    assert!(header.expect("text").contains("error=\"invalid_token\""));
    let (_, code, ..) = refusal(request()).await;
    assert_eq!(code, "E0000011");

    let token = access_token(send(app.token_request(&json!({}))).await).await;
    let request = || client().get(&url).bearer_auth(&token);
    assert_eq!(send(request()).await.status(), 200);
    sandbox.revoke_okta_access_tokens();
    assert_eq!(send(request()).await.status(), 401);
}

/// The header is that of Okta's knowledge base, with the scope of the operation.
#[tokio::test]
async fn a_call_without_the_scope_of_its_operation_is_refused() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let scope = "okta.users.read okta.groups.manage";
    let response = send(app.token_request(&json!({ "scope": scope }))).await;
    let token = access_token(response).await;
    let call = |method: Method, path: &str| {
        let url = format!("{}{path}", sandbox.okta_url());
        client().request(method, url).bearer_auth(&token)
    };
    // `manage` includes `read`.
    for path in [USERS, "/api/v1/groups"] {
        assert_eq!(send(call(Method::GET, path)).await.status(), 200);
    }
    let response = send(call(Method::GET, "/api/v1/apps")).await;
    let header = response.headers()["www-authenticate"].to_str();
    let host = sandbox.okta_url().replace("http://", "");
    assert_eq!(
        header.expect("text"),
        format!(
            "Bearer authorization_uri=\"http://{host}/oauth2/v1/authorize\", realm=\"http://{host}\", \
             scope=\"okta.apps.read\", error=\"insufficient_scope\", \
             error_description=\"The access token provided does not contain the required scopes.\", \
             resource=\"/api/v1/apps\""
        )
    );
    for (method, path) in [
        (Method::GET, "/api/v1/apps"),
        (Method::POST, USERS),
        (Method::DELETE, "/api/v1/users/00u1"),
        (Method::POST, "/api/v1/users/00u1/lifecycle/activate"),
    ] {
        let request = call(method, path).header("content-length", "0");
        let (status, code, summary, _) = refusal(request).await;
        assert_eq!((status, code.as_str()), (403, "E0000006"), "{path}");
        assert_eq!(
            summary,
            "You do not have permission to perform the requested action"
        );
    }
}

#[tokio::test]
async fn a_path_or_method_that_the_api_does_not_have_is_not_found_or_not_allowed() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let token = access_token(send(app.token_request(&json!({}))).await).await;
    let call = |method: Method, path: &str| {
        let url = format!("{}{path}", sandbox.okta_url());
        client().request(method, url).bearer_auth(&token)
    };
    let (status, code, ..) = refusal(call(Method::GET, "/api/v1/userz")).await;
    assert_eq!((status, code.as_str()), (404, "E0000007"));
    let (status, code, ..) = refusal(call(Method::DELETE, USERS)).await;
    assert_eq!((status, code.as_str()), (405, "E0000022"));
}
