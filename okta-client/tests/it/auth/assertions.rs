//! Tests of token requests.

use std::time::Duration;

use rest_core::Clock as _;
use serde_json::json;

use super::{TOKEN_URL, app, assertion, form, oauth_error, part, token};
use crate::{Org, clock, empty, group_id, json as answer, with};

fn group() -> http::Response<bytes::Bytes> {
    answer(
        200,
        json!({ "id": "00g1", "profile": { "name": "admins" } }),
    )
}

#[tokio::test]
async fn a_token_request_has_the_fields_and_claims_that_okta_documents() {
    let org = Org::responding([token("Bearer", "access-1", 3600), group()]);
    let clock = clock();
    let client = org.client_with(app().dpop(false), &clock);
    client.groups().get(&group_id()).await.unwrap();

    assert_eq!(
        org.requests(),
        ["POST /oauth2/v1/token", "GET /api/v1/groups/00g1"]
    );
    assert_eq!(org.header(0, "authorization"), None);
    assert_eq!(org.header(0, "dpop"), None);
    assert_eq!(org.header(0, "accept").as_deref(), Some("application/json"));
    assert_eq!(
        org.header(1, "authorization").as_deref(),
        Some("Bearer access-1")
    );
    assert_eq!(org.header(1, "dpop"), None);
    let requests = org.0.requests.lock().unwrap();
    let mut fields = form(&requests[0]);
    let (name, jwt) = fields.pop().unwrap();
    assert_eq!(name, "client_assertion");
    let expected = [
        ("grant_type", "client_credentials"),
        ("scope", "okta.users.read okta.groups.manage"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
    ];
    assert_eq!(
        fields,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(part(&jwt, 0), json!({ "typ": "JWT", "alg": "ES256" }));
    let mut claims = assertion(&requests[0]);
    let jti = claims
        .as_object_mut()
        .unwrap()
        .remove("jti")
        .expect("an id");
    assert_eq!(jti.as_str().unwrap().len(), 22, "128 bits in base64url");
    let now = clock
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(
        claims,
        json!({
            "iss": "0oaservice", "sub": "0oaservice", "aud": TOKEN_URL,
            "iat": now, "exp": now + 300,
        })
    );
}

/// The token endpoint has its own bucket, and each attempt its own assertion.
#[tokio::test]
async fn a_throttled_or_failed_token_request_is_repeated_with_a_new_assertion() {
    let throttled = answer(429, json!({ "errorCode": "E0000047" }));
    let throttled = with(throttled, "date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let throttled = with(throttled, "x-rate-limit-limit", "150");
    let throttled = with(throttled, "x-rate-limit-remaining", "0");
    let throttled = with(throttled, "x-rate-limit-reset", "784111787");
    let org = Org::responding([
        throttled,
        empty(503),
        token("Bearer", "access-1", 3600),
        group(),
    ]);
    let clock = clock();
    let client = org.client_with(app().dpop(false), &clock);
    client.groups().get(&group_id()).await.unwrap();

    assert_eq!(clock.slept()[0], Duration::from_secs(11));
    let requests = org.0.requests.lock().unwrap();
    let ids = [0, 1, 2].map(|request| assertion(&requests[request])["jti"].to_string());
    assert!(
        ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2],
        "{ids:?}"
    );
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_the_date_of_the_refusal() {
    for (skew, date) in [
        (Duration::from_mins(2), "Fri, 15 Jan 2027 07:58:00 GMT"),
        (Duration::from_mins(2), "Fri, 15 Jan 2027 08:02:00 GMT"),
    ] {
        let refused = oauth_error("invalid_client", "The client_assertion token is expired.");
        let org = Org::responding([
            with(refused, "date", date),
            token("Bearer", "access-1", 3600),
            group(),
        ]);
        let clock = clock();
        let client = org.client_with(app().dpop(false), &clock);
        client.groups().get(&group_id()).await.unwrap();
        let requests = org.0.requests.lock().unwrap();
        let iat = |request: usize| assertion(&requests[request])["iat"].as_u64().unwrap();
        assert_eq!(iat(0).abs_diff(iat(1)), skew.as_secs(), "{date}");
        assert_eq!(iat(1) > iat(0), date.contains("08:02"));
    }
}

#[tokio::test]
async fn a_refused_assertion_is_not_repeated_if_the_clock_is_right() {
    let refused = oauth_error("invalid_client", "The client_assertion is invalid.");
    let org = Org::responding([with(refused, "date", "Fri, 15 Jan 2027 08:00:02 GMT")]);
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .get(&group_id())
        .await
        .expect_err("a refusal");
    assert_eq!(org.requests().len(), 1);
}
