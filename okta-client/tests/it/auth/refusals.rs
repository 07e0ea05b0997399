//! Tests of errors of the token endpoint.

use std::error::Error as _;

use okta_client::{Error, TokenError};
use serde_json::json;

use super::{app, oauth_error};
use crate::{Org, clock, empty, group_id, json as answer, text, user_id};

/// Returns the error of a call whose token request has this response.
async fn refused(response: http::Response<bytes::Bytes>) -> Error {
    let org = Org::responding([response]);
    let client = org.client_with(app(), &clock());
    let error = client.groups().get_opt(&group_id()).await;
    assert_eq!(org.requests().len(), 1, "the call is not sent");
    error.expect_err("a refusal")
}

#[tokio::test]
async fn a_refusal_names_the_app_its_scopes_the_code_and_what_to_do() {
    for (code, description, help) in [
        ("invalid_client", "The client_assertion is invalid.", "kid"),
        (
            "invalid_scope",
            "One or more scopes are not configured for the authorization server resource.",
            "Okta API Scopes",
        ),
        (
            "access_denied",
            "Policy evaluation failed for this request.",
            "admin role",
        ),
        (
            "invalid_dpop_proof",
            "The DPoP proof JWT header is missing.",
            "leave DPoP on",
        ),
        (
            "unauthorized_client",
            "The client is not authorized.",
            "API service app",
        ),
    ] {
        let error = refused(oauth_error(code, description)).await;
        assert_eq!(error.operation(), Some("GET /api/v1/groups/00g1"));
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.message(), Some(description));
        assert_eq!(error.status(), Some(400));
        assert_eq!(error.request_id(), Some("request-1"));
        assert!(
            error.help().unwrap().contains(help),
            "{code}: {:?}",
            error.help()
        );
        assert!(!error.may_have_acted());
        assert_eq!(
            error.source().unwrap().to_string(),
            "no access token for the service app 0oaservice with the scopes okta.users.read okta.groups.manage"
        );
        let Error::Token { source, .. } = &error else {
            panic!("another error: {error:?}");
        };
        let TokenError::Endpoint { scopes, .. } = &**source else {
            panic!("another error: {source:?}");
        };
        assert_eq!(scopes, &["okta.users.read", "okta.groups.manage"]);
        let endpoint = source.endpoint().unwrap();
        assert_eq!(endpoint.to_string(), "Okta refused POST /oauth2/v1/token");
        assert_eq!(
            error.is_unauthenticated(),
            code == "invalid_client",
            "{code}"
        );
        let denied = ["access_denied", "invalid_scope", "unauthorized_client"];
        assert_eq!(
            error.is_permission_denied(),
            denied.contains(&code),
            "{code}"
        );
    }
}

/// A 404 of the token endpoint must not look like a resource that does not exist.
#[tokio::test]
async fn a_token_endpoint_that_is_not_found_says_nothing_about_the_resource() {
    for body in [
        json!({ "errorCode": "E0000007" }),
        json!({ "error": "not_found" }),
    ] {
        let error = refused(answer(404, body)).await;
        assert!(!error.is_not_found());
    }
    let error = refused(answer(409, json!({ "error": "conflict" }))).await;
    assert!(!error.is_conflict());
}

#[tokio::test]
async fn a_success_without_a_token_is_an_error() {
    for response in [
        answer(200, json!({ "token_type": "Bearer", "expires_in": 3600 })),
        answer(200, json!({ "token_type": "mac", "access_token": "x" })),
        text(200, "<html>Sign in</html>"),
        empty(200),
    ] {
        let error = refused(response).await;
        assert_eq!(error.status(), Some(200));
        assert!(
            error
                .help()
                .unwrap()
                .starts_with("The response does not seem to come from Okta")
        );
    }
}

#[tokio::test]
async fn a_write_that_gets_no_token_was_not_carried_out() {
    let org = Org::responding((0..5).map(|_| empty(503)));
    let client = org.client_with(app(), &clock());
    let groups = client.groups();
    let error = groups
        .add_member(&group_id(), &user_id())
        .await
        .expect_err("no token");
    assert!(!error.may_have_acted());
    assert_eq!(error.status(), Some(503));
    assert_eq!(org.requests(), ["POST /oauth2/v1/token"; 5]);
}
