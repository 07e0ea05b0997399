//! Tests of proofs of possession (DPoP).

use std::collections::HashSet;

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use okta_client::{ListGroups, NewPushMapping, PushTarget};
use rest_core::TransportError;
use serde_json::json;

use super::{TOKEN_URL, app, assertion, challenge, nonce_demand, oauth_error, part, proof, token};
use crate::{Org, app_id, clock, empty, group_id, header, json as answer, text, with};

fn groups() -> http::Response<bytes::Bytes> {
    answer(
        200,
        json!([{ "id": "00g1", "profile": { "name": "admins" } }]),
    )
}

#[tokio::test]
async fn the_first_sign_in_answers_the_demand_of_a_nonce_with_a_new_proof_and_a_new_assertion() {
    let org = Org::responding([
        nonce_demand("n-1"),
        token("DPoP", "access-1", 3600),
        groups(),
    ]);
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();

    let requests = org.0.requests.lock().unwrap();
    let [first, second, call] = [0, 1, 2].map(|request| proof(&requests[request]));
    for (claims, nonce) in [(&first, json!(null)), (&second, json!("n-1"))] {
        assert_eq!(claims["htm"], "POST");
        assert_eq!(claims["htu"], TOKEN_URL);
        assert_eq!(claims["nonce"], nonce);
        assert_eq!(claims.get("ath"), None);
    }
    assert_ne!(first["jti"], second["jti"]);
    assert_ne!(
        assertion(&requests[0])["jti"],
        assertion(&requests[1])["jti"]
    );

    // The call: the query is not part of the proof, and the token is.
    assert_eq!(
        header(&requests[2], "authorization").as_deref(),
        Some("DPoP access-1")
    );
    let hash = digest::digest(&digest::SHA256, b"access-1");
    assert_eq!(call["ath"], BASE64_URL_SAFE_NO_PAD.encode(hash));
    assert_eq!(call["htm"], "GET");
    assert_eq!(call["htu"], "https://acme.okta.com/api/v1/groups");
    assert_eq!(requests[2].uri().query(), Some("limit=200"));
    assert_eq!(call["iat"].as_u64(), Some(500_000 * 3600));
    assert_eq!(
        call.get("nonce"),
        None,
        "the nonce of the token endpoint is not for calls"
    );
}

#[tokio::test]
async fn the_proof_names_its_own_public_key_and_not_the_one_of_the_app() {
    let org = Org::responding([token("DPoP", "access-1", 3600), groups()]);
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    let headers = [0, 1].map(|request| part(&org.header(request, "dpop").unwrap(), 0));
    assert_eq!(headers[0], headers[1], "one key per client");
    let key = &headers[0]["jwk"];
    assert_eq!(headers[0]["typ"], "dpop+jwt");
    assert_eq!(headers[0]["alg"], "ES256");
    assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
    assert_eq!(key.get("d"), None);
    let app: serde_json::Value = serde_json::from_str(super::EC256_PUBLIC).unwrap();
    assert_ne!(key["x"], app["x"]);

    let other = Org::responding([token("DPoP", "access-1", 3600), groups()]);
    let client = other.client_with(super::app(), &clock());
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    assert_ne!(part(&other.header(0, "dpop").unwrap(), 0)["jwk"], *key);
}

#[tokio::test]
async fn a_nonce_is_kept_until_a_response_has_another() {
    let org = Org::responding([
        nonce_demand("n-1"),
        with(token("DPoP", "access-1", 3600), "dpop-nonce", "n-2"),
        challenge(401, "invalid_token"),
        nonce_demand("n-3"),
        token("DPoP", "access-2", 3600),
        groups(),
    ]);
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    let requests = org.0.requests.lock().unwrap();
    let nonces = [0, 1, 3, 4].map(|request| proof(&requests[request])["nonce"].clone());
    assert_eq!(
        nonces,
        [json!(null), json!("n-1"), json!("n-2"), json!("n-3")]
    );
}

#[tokio::test]
async fn a_demand_of_a_nonce_is_answered_once() {
    let org = Org::responding([nonce_demand("n-1"), nonce_demand("n-2")]);
    let client = org.client_with(app(), &clock());
    let error = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("a refusal");
    assert_eq!(error.code(), Some("use_dpop_nonce"));
    assert!(
        error
            .help()
            .unwrap()
            .starts_with("Okta rejected the nonce of two proofs")
    );
    assert_eq!(org.requests().len(), 2);
}

/// Okta checks the times of the assertion before the nonce.
#[tokio::test]
async fn the_clock_and_then_the_nonce_are_corrected_in_one_attempt() {
    let refused = oauth_error("invalid_client", "The client_assertion token is expired.");
    let org = Org::responding([
        with(refused, "date", "Fri, 15 Jan 2027 08:02:00 GMT"),
        with(nonce_demand("n-1"), "date", "Fri, 15 Jan 2027 08:02:00 GMT"),
        token("DPoP", "access-1", 3600),
        groups(),
    ]);
    let clock = clock();
    let client = org.client_with(app(), &clock);
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    assert!(clock.slept().is_empty());
    let requests = org.0.requests.lock().unwrap();
    assert_eq!(proof(&requests[2])["iat"], 500_000 * 3600 + 120);
    assert_eq!(proof(&requests[3])["iat"], 500_000 * 3600 + 120);
}

#[tokio::test]
async fn a_call_answers_the_demand_of_a_nonce_and_keeps_the_nonce() {
    for status in [400, 401] {
        let demand = with(challenge(status, "use_dpop_nonce"), "dpop-nonce", "r-1");
        let org = Org::responding([token("DPoP", "access-1", 3600), demand, groups(), groups()]);
        let client = org.client_with(app(), &clock());
        for _ in 0..2 {
            client
                .groups()
                .list(ListGroups::default())
                .try_collect()
                .await
                .unwrap();
        }
        let requests = org.0.requests.lock().unwrap();
        let nonces = [1, 2, 3].map(|request| proof(&requests[request])["nonce"].clone());
        assert_eq!(
            nonces,
            [json!(null), json!("r-1"), json!("r-1")],
            "{status}"
        );
        assert_eq!(requests.len(), 4, "the token is kept");
    }
}

/// Okta refuses a proof that it has seen, so each attempt needs its own.
#[tokio::test]
async fn no_proof_is_sent_twice() {
    let org = Org::responding([
        empty(503),
        nonce_demand("n-1"),
        answer(429, json!({ "errorCode": "E0000047" })),
        token("DPoP", "access-1", 3600),
        empty(502),
        answer(429, json!({ "errorCode": "E0000047" })),
    ])
    .then(Err(TransportError::maybe_sent("connection reset")))
    .then(Ok(with(
        groups(),
        "link",
        "<https://acme.okta.com/api/v1/groups?after=1>; rel=\"next\"",
    )))
    .then(Ok(challenge(400, "invalid_dpop_proof")))
    .then(Ok(groups()));
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();

    let requests = org.0.requests.lock().unwrap();
    assert_eq!(requests.len(), 10);
    let proofs: Vec<_> = requests.iter().map(proof).collect();
    let ids: HashSet<_> = proofs
        .iter()
        .map(|claims| claims["jti"].to_string())
        .collect();
    assert_eq!(ids.len(), 10, "all ids differ");
    for (request, claims) in requests.iter().zip(&proofs) {
        assert_eq!(claims["htm"], request.method().as_str());
        let url = request.uri().to_string();
        assert_eq!(claims["htu"], url.split('?').next().unwrap());
    }
}

/// Also a write: Okta has refused its proof, and has not carried it out.
#[tokio::test]
async fn a_write_with_a_refused_proof_is_sent_once_more() {
    let org = Org::responding([
        token("DPoP", "access-1", 3600),
        challenge(400, "invalid_dpop_proof"),
        challenge(400, "invalid_dpop_proof"),
    ]);
    let client = org.client_with(app(), &clock());
    let mapping = NewPushMapping {
        source_group: group_id(),
        target: PushTarget::NewGroup("x".to_owned()),
    };
    let error = client
        .push_mappings(&app_id())
        .create(&mapping)
        .await
        .expect_err("a refusal");
    assert_eq!(org.requests().len(), 3);
    assert_eq!(error.status(), Some(400));
    assert_eq!(error.code(), Some("invalid_dpop_proof"));
    assert_eq!(error.message(), Some("It is refused."));
    assert!(error.help().unwrap().contains("DPoP"), "{:?}", error.help());
    assert!(!error.may_have_acted());
}

#[tokio::test]
async fn a_token_of_the_type_bearer_is_used_without_proofs() {
    let org = Org::responding([token("bearer", "access-1", 3600), groups()]);
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    assert!(org.header(0, "dpop").is_some());
    assert_eq!(
        org.header(1, "authorization").as_deref(),
        Some("Bearer access-1")
    );
    assert_eq!(org.header(1, "dpop"), None);
}

#[tokio::test]
async fn a_token_of_the_type_dpop_is_refused_if_dpop_is_off() {
    let org = Org::responding([token("DPoP", "access-1", 3600)]);
    let client = org.client_with(app().dpop(false), &clock());
    let error = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("an error");
    assert_eq!(org.requests().len(), 1);
    assert_eq!(
        error.to_string(),
        "GET /api/v1/groups/00g1 could not be authorized"
    );
}

/// The answer of a terminating proxy says nothing about the proof.
#[tokio::test]
async fn another_400_is_not_sent_again() {
    let org = Org::responding([
        token("DPoP", "access-1", 3600),
        text(400, "<html>Bad request</html>"),
    ]);
    let client = org.client_with(app(), &clock());
    client
        .groups()
        .get(&group_id())
        .await
        .expect_err("an error");
    assert_eq!(org.requests().len(), 2);
}
