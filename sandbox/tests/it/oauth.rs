//! Tests of the token endpoint of the org authorization server.
//!
//! The rules are from Okta's guides "Implement OAuth for Okta with a service app" and "Configure OAuth 2.0
//! Demonstrating Proof-of-Possession". The error texts are those of recorded responses, where there are any.

use std::time::Duration;

use okta_aws_sandbox::{OktaRateLimits, ServiceApp};
use serde_json::{Value, json};

use crate::{
    client::{builder, client, get, send},
    jose::{App, Key, sandbox_with, token_error},
};

fn automation() -> ServiceApp {
    ServiceApp::new("Automation", ["okta.users.read", "okta.groups.manage"])
}

#[tokio::test]
async fn an_app_without_dpop_gets_a_bearer_token_for_one_hour() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let scope = "okta.groups.manage okta.users.read";
    let response = send(app.token_request(&json!({ "scope": scope }))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-cache, no-store");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["scope"], scope);
}

#[tokio::test]
async fn an_assertion_with_a_wrong_claim_is_refused() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let now = sandbox.now().as_second();
    let org = sandbox.okta_url();
    let audience =
        "The audience claim for client_assertion must be the endpoint invoked for the request.";
    let far = "The client_assertion token has an expiration too far into the future.";
    let expired = "The client_assertion token is expired.";
    let client = "Invalid value for 'client_id' parameter.";
    let subject =
        "The client_assertion token must have the client_id as its issuer and its subject.";
    let none = "The client_assertion token must have an expiration.";
    let future = "The client_assertion token is issued in the future.";
    let cases = [
        (json!({ "aud": org }), audience),
        (json!({ "aud": null }), audience),
        (json!({ "exp": now + 3601 }), far),
        (json!({ "exp": now }), expired),
        (json!({ "exp": null }), none),
        (json!({ "iat": now + 301 }), future),
        (json!({ "iss": "0oa0000000000unknown" }), client),
        (json!({ "sub": "0oa0000000000unknown" }), subject),
    ];
    for (changes, description) in cases {
        let assertion = app.assertion(&changes);
        let request = app.token_request(&json!({ "client_assertion": assertion }));
        let expected = (401, "invalid_client".to_owned(), description.to_owned());
        assert_eq!(token_error(request).await, expected, "{changes}");
    }
    // The longest assertion, and one without the optional claims.
    for changes in [
        json!({ "exp": now + 3600 }),
        json!({ "iat": null, "jti": null }),
    ] {
        let assertion = app.assertion(&changes);
        let request = app.token_request(&json!({ "client_assertion": assertion }));
        assert_eq!(send(request).await.status(), 200, "{changes}");
    }
}

#[tokio::test]
async fn an_assertion_of_another_key_is_refused() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let mut app = App::new(&sandbox);
    let kid = app.key.kid.clone();
    app.key = Key::generate();
    app.key.kid = kid;
    let (status, error, description) = token_error(app.token_request(&json!({}))).await;
    assert_eq!((status, error.as_str()), (401, "invalid_client"));
    assert_eq!(description, "The client_assertion signature is invalid.");
}

#[tokio::test]
async fn an_app_with_two_keys_needs_the_kid_of_one_of_them() {
    let mut second = Key::generate();
    second.kid = Some("second".to_owned());
    let app = automation()
        .dpop(false)
        .public_key(&second.jwk().to_string());
    let sandbox = sandbox_with(app).await;
    let mut app = App::new(&sandbox);
    assert_eq!(send(app.token_request(&json!({}))).await.status(), 200);
    app.key = second;
    assert_eq!(send(app.token_request(&json!({}))).await.status(), 200);
    for kid in [None, Some("third".to_owned())] {
        app.key.kid = kid;
        let (status, _, description) = token_error(app.token_request(&json!({}))).await;
        assert_eq!(status, 401);
        assert_eq!(description, "The client_assertion JWT kid is invalid.");
    }
}

#[tokio::test]
async fn an_app_with_one_key_needs_no_kid() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let mut app = App::new(&sandbox);
    app.key.kid = None;
    assert_eq!(send(app.token_request(&json!({}))).await.status(), 200);
}

#[tokio::test]
async fn an_assertion_is_accepted_once() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let fields = json!({ "client_assertion": app.assertion(&json!({})) });
    assert_eq!(send(app.token_request(&fields)).await.status(), 200);
    let (status, error, _) = token_error(app.token_request(&fields)).await;
    assert_eq!((status, error.as_str()), (401, "invalid_client"));
}

#[tokio::test]
async fn a_request_that_is_no_form_with_client_credentials_is_refused() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    let json = client()
        .post(app.token_url())
        .json(&json!({ "scope": "okta.users.read" }));
    let (status, error, _) = token_error(json).await;
    assert_eq!((status, error.as_str()), (400, "invalid_request"));
    let (status, error, _) =
        token_error(app.token_request(&json!({ "grant_type": "password" }))).await;
    assert_eq!((status, error.as_str()), (400, "unsupported_grant_type"));
    let secret = json!({ "client_assertion": null, "client_secret": "secret" });
    let (status, error, description) = token_error(app.token_request(&secret)).await;
    assert_eq!((status, error.as_str()), (401, "invalid_client"));
    assert!(description.contains("private_key_jwt"), "{description}");
}

#[tokio::test]
async fn only_granted_scopes_are_issued() {
    let sandbox = sandbox_with(automation().dpop(false)).await;
    let app = App::new(&sandbox);
    // A token never has a scope that the app was not granted, not even the `read` of a granted `manage`.
    for scope in [
        "okta.apps.read",
        "okta.users.read okta.apps.read",
        "okta.groups.read",
        " ",
    ] {
        let (status, error, _) = token_error(app.token_request(&json!({ "scope": scope }))).await;
        assert_eq!((status, error.as_str()), (400, "invalid_scope"), "{scope}");
    }
}

#[tokio::test]
async fn an_app_with_dpop_needs_a_proof_with_the_nonce_of_the_server() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let missing = token_error(app.token_request(&json!({}))).await;
    let expected = "The DPoP proof JWT header is missing.";
    assert_eq!(
        missing,
        (400, "invalid_dpop_proof".to_owned(), expected.to_owned())
    );
    for nonce in [json!({}), json!({ "nonce": "invented" })] {
        let proof = app.proof("POST", &app.token_url(), &nonce);
        let response = send(app.token_request(&json!({})).header("dpop", proof)).await;
        assert_eq!(response.status(), 400);
        assert!(response.headers().contains_key("dpop-nonce"));
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["error"], "use_dpop_nonce");
    }
    let nonce = app.nonce().await;
    let response = app.request_with_nonce(&nonce, "okta.users.read").await;
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["token_type"], "DPoP");
}

#[tokio::test]
async fn a_proof_with_a_wrong_claim_is_refused() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let nonce = app.nonce().await;
    let now = sandbox.now().as_second();
    let slash = app.token_url().replace("/oauth2", "//oauth2");
    let query = format!("{}?a=b", app.token_url());
    let invalid = |claim: &str| format!("'{claim}' claim in the DPoP proof JWT is invalid.");
    let cases = [
        (json!({ "htu": slash }), invalid("htu")),
        (json!({ "htu": query }), invalid("htu")),
        (json!({ "htm": "GET" }), invalid("htm")),
        (json!({ "htm": "post" }), invalid("htm")),
        (json!({ "iat": null }), invalid("iat")),
        (json!({ "jti": null }), invalid("jti")),
        (json!({ "jti": "" }), invalid("jti")),
        (json!({ "ath": "AAAA" }), invalid("ath")),
        (
            json!({ "iat": now - 301 }),
            "The DPoP proof JWT is issued more than five minutes in the past.".to_owned(),
        ),
        (
            json!({ "iat": now + 301 }),
            "The DPoP proof JWT is issued more than five minutes in the future.".to_owned(),
        ),
    ];
    for (mut changes, expected) in cases {
        changes["nonce"] = nonce.as_str().into();
        let proof = app.proof("POST", &app.token_url(), &changes);
        let request = app.token_request(&json!({})).header("dpop", proof);
        let (status, error, description) = token_error(request).await;
        assert_eq!((status, error.as_str()), (400, "invalid_dpop_proof"));
        assert_eq!(description, expected);
    }
}

#[tokio::test]
async fn a_proof_with_a_wrong_header_is_refused() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let nonce = app.nonce().await;
    let mut private = app.proof_key.jwk();
    private["d"] = "AAAA".into();
    let headers = [
        json!({ "typ": "JWT", "alg": "ES256", "jwk": app.proof_key.jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "ES256" }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": private }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": Key::generate().jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "none", "jwk": app.proof_key.jwk() }),
    ];
    for header in headers {
        let claims = json!({
            "htm": "POST",
            "htu": app.token_url(),
            "iat": sandbox.now().as_second(),
            "jti": header.to_string(),
            "nonce": nonce,
        });
        let proof = app.proof_key.sign(&header, &claims);
        let request = app.token_request(&json!({})).header("dpop", proof);
        let (status, error, _) = token_error(request).await;
        assert_eq!(
            (status, error.as_str()),
            (400, "invalid_dpop_proof"),
            "{header}"
        );
    }
}

/// An HTTP client that repeats a request with the same header gets this error (terraform-provider-okta, issue 2598).
#[tokio::test]
async fn a_proof_is_accepted_once() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let nonce = app.nonce().await;
    let proof = app.proof("POST", &app.token_url(), &json!({ "nonce": nonce }));
    let request = || app.token_request(&json!({})).header("dpop", proof.clone());
    assert_eq!(send(request()).await.status(), 200);
    let (status, error, description) = token_error(request()).await;
    assert_eq!((status, error.as_str()), (400, "invalid_dpop_proof"));
    assert_eq!(description, "The DPoP proof JWT has already been used.");
}

#[tokio::test]
async fn a_nonce_is_renewed_every_day_and_on_request() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let first = app.nonce().await;
    sandbox.advance(Duration::from_hours(24));
    let second = app.nonce().await;
    assert_ne!(first, second);
    let scope = "okta.users.read";
    assert_eq!(app.request_with_nonce(&first, scope).await.status(), 200);
    sandbox.rotate_okta_dpop_nonce();
    for nonce in [first, second] {
        assert_eq!(app.request_with_nonce(&nonce, scope).await.status(), 400);
    }
    assert_eq!(
        app.request_with_nonce(&app.nonce().await, scope)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn the_token_endpoint_has_a_limit_of_150_requests_a_minute() {
    let sandbox = builder()
        .rate_limits(OktaRateLimits::Workforce)
        .service_app(automation().dpop(false))
        .start()
        .await
        .expect("a sandbox");
    let app = App::new(&sandbox);
    for left in (0..150).rev() {
        let response = send(app.token_request(&json!({ "grant_type": null }))).await;
        assert_eq!(response.headers()["x-rate-limit-limit"], "150");
        let remaining = &response.headers()["x-rate-limit-remaining"];
        assert_eq!(remaining, left.to_string().as_str());
    }
    assert_eq!(send(app.token_request(&json!({}))).await.status(), 429);
    get(&sandbox, "/api/v1/users/me").await;
}

#[tokio::test]
async fn no_credential_is_in_the_debug_output() {
    let sandbox = sandbox_with(automation()).await;
    let app = App::new(&sandbox);
    let token = app.bound_token("okta.users.read").await;
    let credentials = sandbox.service_app("Automation");
    let private: Value = serde_json::from_str(credentials.private_key()).expect("JSON");
    let secret = private["d"].as_str().expect("a secret");
    let debug = format!("{sandbox:?} {credentials:?}");
    assert!(debug.contains(credentials.client_id()));
    for hidden in [token.as_str(), secret, sandbox.okta_token()] {
        assert!(!debug.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_ready_document_has_the_first_service_app() {
    let sandbox = sandbox_with(automation()).await;
    let ready = &sandbox.ready()["okta"];
    let credentials = sandbox.service_app("Automation");
    assert_eq!(ready["client_id"], credentials.client_id());
    assert_eq!(ready["private_key"], credentials.private_key());
    let scopes = json!(["okta.groups.manage", "okta.users.read"]);
    assert_eq!(ready["scopes"], scopes);
    let without = builder().start().await.expect("a sandbox").ready();
    assert!(without["okta"].get("client_id").is_none());
}
