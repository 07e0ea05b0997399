//! Tests of Okta's error responses.

use std::error::Error as _;

use okta_client::{Error, UserRef};
use rest_core::{Reachability, TransportError};
use serde_json::{Value, json};

use super::{Org, app_id, empty, group_id, json, text, user_id, with};

async fn refusal(response: http::Response<bytes::Bytes>) -> Error {
    let org = Org::responding([response]);
    org.client()
        .apps()
        .get(&app_id())
        .await
        .expect_err("the call fails")
}

fn okta(status: u16, code: &str, causes: &Value) -> http::Response<bytes::Bytes> {
    let body = json!({
        "errorCode": code, "errorSummary": "Api validation failed: label", "errorLink": code,
        "errorId": "oae1", "errorCauses": causes
    });
    json(status, body)
}

#[track_caller]
fn check(error: &Error, source: &str) {
    assert_eq!(error.to_string(), "Okta refused GET /api/v1/apps/0oa1");
    assert_eq!(error.source().expect("a source").to_string(), source);
    assert!(error.source().expect("a source").source().is_none());
}

#[tokio::test]
async fn an_error_contains_the_summary_the_causes_the_code_and_the_request_id() {
    let causes = json!([{ "errorSummary": "label: taken" }, { "errorSummary": "label: too long" }]);
    let error = refusal(okta(400, "E0000001", &causes)).await;
    check(
        &error,
        "400 Bad Request: Api validation failed: label: label: taken; label: too long (E0000001, \
         request request-1)",
    );
    assert_eq!(error.status(), Some(400));
    assert_eq!(error.code(), Some("E0000001"));
    assert_eq!(error.request_id(), Some("request-1"));
    assert_eq!(
        error.message(),
        Some("Api validation failed: label: label: taken; label: too long")
    );
    assert_eq!(error.operation(), Some("GET /api/v1/apps/0oa1"));
    assert!(
        error
            .help()
            .expect("a help text")
            .starts_with("Okta names the field")
    );
    assert!(!error.is_not_found());
}

#[tokio::test]
async fn causes_may_be_an_object() {
    let error = refusal(okta(
        400,
        "E0000041",
        &json!({ "errorSummary": "no credentials" }),
    ))
    .await;
    assert_eq!(
        error.message(),
        Some("Api validation failed: label: no credentials")
    );
}

#[tokio::test]
async fn an_html_page_from_a_proxy_is_reported_by_its_status() {
    let error = refusal(text(403, "<html><b>Blocked</b></html>")).await;
    check(&error, "403 Forbidden (request request-1)");
    assert_eq!(error.code(), None);
    assert_eq!(error.message(), None);
}

#[tokio::test]
async fn an_empty_error_response_is_reported_by_its_status() {
    check(
        &refusal(empty(401)).await,
        "401 Unauthorized (request request-1)",
    );
    let mut bare = empty(400);
    bare.headers_mut().clear();
    check(&refusal(bare).await, "400 Bad Request");
}

#[tokio::test]
async fn a_refusal_for_a_missing_right_names_the_scopes_and_the_role() {
    let rights = |response| async {
        let client = Org::responding([response]).client();
        let app = app_id();
        let mappings = client.push_mappings(&app).list().try_collect().await;
        mappings.expect_err("a refusal").help().map(str::to_owned)
    };
    let expected = "GET /api/v1/apps/{appId}/group-push/mappings needs the role APP_ADMIN; a service app also needs the \
                    scopes okta.apps.read and okta.groups.read (Admin Console: Applications > the app > Okta API Scopes \
                    and Admin roles). An API token has the roles of the admin who created it.";
    let role = rights(okta(403, "E0000006", &json!([]))).await;
    assert_eq!(role.as_deref(), Some(expected));
    let challenge = r#"Bearer error="insufficient_scope", scope="okta.groups.read""#;
    let scope = rights(with(empty(403), "www-authenticate", challenge)).await;
    let expected = format!("The access token lacks okta.groups.read. {expected}");
    assert_eq!(scope, Some(expected));
    // A domain too many is no missing right.
    let limit = rights(okta(403, "E0000165", &json!([]))).await;
    assert!(limit.is_some_and(|help| help.starts_with("Okta does not accept this custom domain")));
}

#[tokio::test]
async fn a_redirect_is_an_error_with_a_help_text() {
    let error = refusal(with(empty(302), "location", "https://evil.example")).await;
    check(&error, "302 Found (request request-1)");
    assert!(
        error
            .help()
            .expect("a help text")
            .starts_with("The response does not seem to come from Okta")
    );
}

#[tokio::test]
async fn a_conflict_is_reported_with_its_status() {
    let error = refusal(okta(409, "E0000195", &json!([]))).await;
    assert_eq!(error.status(), Some(409));
    assert!(!error.is_not_found());
}

#[tokio::test]
async fn every_kind_of_refusal_has_its_predicate() {
    for (status, code, expected) in [
        (404, "E0000007", "not found"),
        (404, "E0000008", ""),
        (409, "E0000195", "conflict"),
        (401, "E0000011", "unauthenticated"),
        (401, "E0000015", ""),
        (403, "E0000006", "permission denied"),
        (403, "E0000038", ""),
        (400, "E0000001", ""),
    ] {
        let error = refusal(okta(status, code, &json!([]))).await;
        assert_eq!(predicates(&error), expected, "{status} {code}");
    }
    let throttled = std::iter::repeat_with(|| okta(429, "E0000047", &json!([]))).take(10);
    let org = Org::responding(throttled);
    let error = org.client().apps().get(&app_id()).await;
    assert_eq!(predicates(&error.expect_err("a limit")), "throttled");
}

/// Returns the names of the predicates that are true.
fn predicates(error: &Error) -> String {
    let all = [
        (error.is_not_found(), "not found"),
        (error.is_conflict(), "conflict"),
        (error.is_throttled(), "throttled"),
        (error.is_unauthenticated(), "unauthenticated"),
        (error.is_permission_denied(), "permission denied"),
        (error.may_have_acted(), "may have acted"),
    ];
    let names: Vec<&str> = all
        .into_iter()
        .filter_map(|(is, name)| is.then_some(name))
        .collect();
    names.join(", ")
}

#[tokio::test]
async fn a_write_without_a_result_may_have_been_carried_out() {
    let new = okta_client::NewApp::default();
    let lost = rest_core::TransportError::maybe_sent("connection reset");
    let org = Org::default().then(Err(lost)).then(Ok(empty(502)));
    for _ in 0..2 {
        let error = org.client().apps().create(&new).await;
        let error = error.expect_err("no result");
        assert_eq!(predicates(&error), "may have acted", "{error}");
    }
    // The second one is an org in read-only mode.
    for (status, code) in [(400, "E0000001"), (503, "E0000010")] {
        let org = Org::responding([okta(status, code, &json!([]))]);
        let error = org.client().apps().create(&new).await;
        assert!(!error.expect_err("a refusal").may_have_acted(), "{code}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_modelled_is_authorized_retried_and_checked() {
    let org = Org::responding([empty(503), json(200, json!({ "id": "00o1" }))]);
    let call = okta_client::Call::get(["api", "v1", "org"]);
    let response = org.client().send(call).await.unwrap();
    assert_eq!(response.json::<Value>().unwrap()["id"], "00o1");
    assert_eq!(org.requests(), ["GET /api/v1/org", "GET /api/v1/org"]);
    assert_eq!(
        org.header(1, "authorization").expect("a header"),
        format!("SSWS {}", super::TOKEN)
    );
    let foreign = okta_client::Call::get_link("https://evil.example/api/v1/org".to_owned());
    let error = org.client().send(foreign).await;
    let source = error.expect_err("another origin");
    let source = source.source().expect("a source").to_string();
    assert!(source.contains("another origin"), "{source}");
    assert_eq!(org.requests().len(), 2, "nothing is sent");
}

#[tokio::test]
async fn optional_reads_return_none_for_absent_resources() {
    let absent = || okta(404, "E0000007", &json!([]));
    let org = Org::responding([absent(), absent(), absent(), absent(), absent()]);
    let client = org.client();
    assert_eq!(client.apps().get_opt(&app_id()).await.unwrap(), None);
    assert_eq!(client.groups().get_opt(&group_id()).await.unwrap(), None);
    assert_eq!(
        client
            .users()
            .get_opt(&UserRef::login("ada@example.com"))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        client.apps().user_opt(&app_id(), &user_id()).await.unwrap(),
        None
    );
    assert!(
        client
            .apps()
            .get(&app_id())
            .await
            .expect_err("the call fails")
            .is_not_found()
    );
}

#[tokio::test]
async fn a_404_that_is_not_about_the_resource_is_an_error() {
    for response in [
        text(404, "<html>"),
        empty(404),
        okta(404, "E0000008", &json!([])),
    ] {
        let org = Org::responding([response]);
        let error = org
            .client()
            .apps()
            .get_opt(&app_id())
            .await
            .expect_err("the call fails");
        assert_eq!(error.status(), Some(404));
        assert!(!error.is_not_found());
    }
}

#[tokio::test]
async fn provisioning_is_none_for_an_app_without_provisioning_support() {
    for cause in [
        "Provisioning is not supported.",
        "Provisioning is not enabled for the app instance.",
    ] {
        let response = || okta(400, "E0000001", &json!([{ "errorSummary": cause }]));
        let org = Org::responding([response(), response()]);
        let client = org.client();
        assert_eq!(
            client.apps().provisioning_opt(&app_id()).await.unwrap(),
            None
        );
        let error = client
            .apps()
            .provisioning(&app_id())
            .await
            .expect_err("the call fails");
        assert!(error.is_provisioning_unsupported());
    }
    let org = Org::responding([okta(400, "E0000001", &json!([{ "errorSummary": "Other" }]))]);
    assert!(
        org.client()
            .apps()
            .provisioning_opt(&app_id())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn adding_an_existing_member_succeeds() {
    let body = json!({ "errorCode": "E0000001", "errorSummary": "User is already a member." });
    let org = Org::responding([json(400, body)]);
    org.client()
        .groups()
        .add_member(&group_id(), &user_id())
        .await
        .unwrap();
    let org = Org::responding([okta(400, "E0000001", &json!([]))]);
    assert!(
        org.client()
            .groups()
            .add_member(&group_id(), &user_id())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_login_cannot_change_the_path_of_the_url() {
    for login in ["..", ".", "", "..\n"] {
        let org = Org::default();
        let error = org
            .client()
            .users()
            .get(&UserRef::login(login))
            .await
            .expect_err("the call fails");
        assert!(matches!(error, Error::Request { .. }), "{error:?}");
        let source = error.source().expect("a source").to_string();
        assert_eq!(
            source,
            format!("{login:?} cannot be used as a path segment")
        );
        assert!(org.requests().is_empty());
    }
}

#[tokio::test]
async fn after_a_call_found_okta_unreachable_the_next_call_of_the_scope_is_not_sent() {
    let refused = || Err(TransportError::not_sent("connection refused"));
    let org = (0..5).fold(Org::default(), |org, _| org.then(refused()));
    let okta = org.client();
    let error = Reachability::scope(async {
        let first = okta.apps().get(&app_id()).await;
        first.expect_err("no connection");
        okta.apps().get(&app_id()).await.expect_err("no connection")
    });
    let error = error.await;
    assert_eq!(org.requests().len(), 5, "the attempts of one call");
    assert_eq!(
        error.to_string(),
        "Okta is unreachable, so GET /api/v1/apps/0oa1 was not sent"
    );
    let causes = std::iter::successors(error.source(), |&error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    assert_eq!(
        causes,
        [
            "an earlier call found https://acme.okta.com unreachable after all its attempts",
            "no response was received",
            "the server could not be reached",
            "connection refused",
        ]
    );
    assert!(
        error
            .help()
            .is_some_and(|help| help.contains("status page"))
    );
    assert!(!error.may_have_acted());
}

#[tokio::test]
async fn a_response_that_is_lost_or_unreadable_has_help() {
    let reads = Org::responding([text(200, "<html>"), json(200, json!([]))]);
    for _ in 0..2 {
        let error = reads.client().apps().get(&app_id()).await;
        let error = error.expect_err("an unreadable response");
        let help = error.help().expect("help");
        assert!(help.contains("a proxy or a sign-in page"), "{help}");
    }
    let lost = Org::default().then(Err(TransportError::maybe_sent("reset")));
    let error = lost.client().groups().create("new", None).await;
    let error = error.expect_err("a lost response");
    let help = error.help().expect("help");
    assert!(help.contains("may have carried out the call"), "{help}");
}
