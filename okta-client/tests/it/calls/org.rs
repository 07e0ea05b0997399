//! Requests about the org: settings, tokens, grants, limits, policies, brands.

use okta_client::{Edit, Id, NewPrincipalRateLimit, PolicyType, PrincipalType};
use serde_json::json;

use super::{list, resource, wire};
use crate::{Org, app_id, empty, json};

#[tokio::test]
async fn calls_for_the_org_match_the_api_reference() {
    wire(
        resource("00o1"),
        async |okta| assert_eq!(okta.org().get().await.unwrap().id.as_deref(), Some("00o1")),
        "GET /api/v1/org",
        None,
    )
    .await;
    wire(
        resource("00o1"),
        async |okta| {
            let mut edit = Edit::new();
            edit.set("/website", "https://example.com").unwrap();
            okta.org().update(&edit).await.unwrap();
        },
        "POST /api/v1/org",
        json!({ "website": "https://example.com" }),
    )
    .await;
}

#[tokio::test]
async fn calls_for_api_tokens_match_the_api_reference() {
    let id = || Id::parse("00T1").unwrap();
    wire(
        list(),
        async |okta| drop(okta.api_tokens().list().try_collect().await.unwrap()),
        "GET /api/v1/api-tokens",
        None,
    )
    .await;
    wire(
        json(
            200,
            json!({ "id": "00T1", "name": "ci", "userId": "00u1", "expiresAt": null }),
        ),
        async |okta| {
            let token = okta.api_tokens().get(&id()).await.unwrap();
            assert_eq!((token.name.as_str(), token.expires_at), ("ci", None));
        },
        "GET /api/v1/api-tokens/00T1",
        None,
    )
    .await;
    wire(
        empty(204),
        async |okta| okta.api_tokens().revoke(&id()).await.unwrap(),
        "DELETE /api/v1/api-tokens/00T1",
        None,
    )
    .await;
}

#[tokio::test]
async fn calls_for_grants_match_the_api_reference() {
    let id = || Id::parse("oag1").unwrap();
    wire(
        list(),
        async |okta| drop(okta.apps().grants(&app_id()).try_collect().await.unwrap()),
        "GET /api/v1/apps/0oa1/grants",
        None,
    )
    .await;
    wire(
        resource("oag1"),
        async |okta| drop(okta.apps().grant(&app_id(), &id()).await.unwrap()),
        "GET /api/v1/apps/0oa1/grants/oag1",
        None,
    )
    .await;
    wire(
        json(201, json!({ "id": "oag1", "scopeId": "okta.users.read" })),
        async |okta| {
            let grant = okta
                .apps()
                .grant_scope(&app_id(), "okta.users.read")
                .await
                .unwrap();
            assert_eq!(grant.scope, "okta.users.read");
        },
        "POST /api/v1/apps/0oa1/grants",
        json!({ "scopeId": "okta.users.read", "issuer": "https://acme.okta.com" }),
    )
    .await;
    wire(
        empty(204),
        async |okta| okta.apps().revoke_grant(&app_id(), &id()).await.unwrap(),
        "DELETE /api/v1/apps/0oa1/grants/oag1",
        None,
    )
    .await;
}

#[tokio::test]
async fn calls_for_principal_rate_limits_match_the_api_reference() {
    let id = || Id::parse("lim1").unwrap();
    let body = json!({
        "principalId": "00T1", "principalType": "SSWS_TOKEN",
        "defaultPercentage": 80, "defaultConcurrencyPercentage": 60
    });
    wire(
        list(),
        async |okta| {
            let limits = okta
                .principal_rate_limits()
                .list(&PrincipalType::OauthClient);
            limits.try_collect().await.unwrap();
        },
        "GET /api/v1/principal-rate-limits?filter=principalType%20eq%20%22OAUTH_CLIENT%22&limit=50",
        None,
    )
    .await;
    wire(
        json(201, json!({ "id": "lim1" })),
        async |okta| {
            let limit = NewPrincipalRateLimit {
                principal_id: "00T1".to_owned(),
                principal_type: PrincipalType::SswsToken,
                percentage: 80,
                concurrency_percentage: 60,
            };
            okta.principal_rate_limits().create(&limit).await.unwrap();
        },
        "POST /api/v1/principal-rate-limits",
        body,
    )
    .await;
    let stored = json!({
        "id": "lim1", "orgId": "00o1", "createdBy": "00u1", "principalId": "00T1",
        "principalType": "SSWS_TOKEN", "defaultPercentage": 80, "defaultConcurrencyPercentage": 60
    });
    let org = Org::responding([json(200, stored.clone()), json(200, stored)]);
    let okta = org.client();
    let limit = okta.principal_rate_limits().get(&id()).await.unwrap();
    assert_eq!(limit.percentage, Some(80));
    let mut edit = limit.edit();
    edit.set_percentage(10);
    edit.set_concurrency_percentage(20);
    okta.principal_rate_limits()
        .replace(&id(), &edit)
        .await
        .unwrap();
    let lines = ["GET", "PUT"].map(|method| format!("{method} /api/v1/principal-rate-limits/lim1"));
    assert_eq!(org.requests(), lines);
    let body = json!({
        "principalId": "00T1", "principalType": "SSWS_TOKEN",
        "defaultPercentage": 10, "defaultConcurrencyPercentage": 20
    });
    assert_eq!(org.body(1), Some(body));
}

#[tokio::test]
async fn calls_for_policies_match_the_api_reference() {
    let id = || Id::parse("rst1").unwrap();
    wire(
        list(),
        async |okta| {
            let policies = okta.policies().list(&PolicyType::AccessPolicy);
            policies.try_collect().await.unwrap();
        },
        "GET /api/v1/policies?type=ACCESS_POLICY",
        None,
    )
    .await;
    wire(
        json(
            200,
            json!({ "id": "rst1", "type": "PASSWORD", "priority": 1, "system": true }),
        ),
        async |okta| {
            let policy = okta.policies().get(&id()).await.unwrap();
            assert_eq!(
                (policy.kind, policy.is_system),
                (PolicyType::Password, true)
            );
        },
        "GET /api/v1/policies/rst1",
        None,
    )
    .await;
    wire(
        empty(204),
        async |okta| {
            okta.apps()
                .set_access_policy(&app_id(), &id())
                .await
                .unwrap();
        },
        "PUT /api/v1/apps/0oa1/policies/rst1",
        None,
    )
    .await;
    let link = json!({ "accessPolicy": { "href": "https://acme.okta.com/api/v1/policies/rst1" } });
    let org = Org::responding([
        json(200, json!({ "id": "0oa1", "_links": link })),
        resource("0oa1"),
    ]);
    let okta = org.client();
    let app = okta.apps().get(&app_id()).await.unwrap();
    assert_eq!(app.access_policy(), Some(id()));
    assert_eq!(
        okta.apps().get(&app_id()).await.unwrap().access_policy(),
        None
    );
}

#[tokio::test]
async fn calls_for_brands_match_the_api_reference() {
    let id = || Id::parse("bnd1").unwrap();
    wire(
        list(),
        async |okta| drop(okta.brands().list().try_collect().await.unwrap()),
        "GET /api/v1/brands?limit=200",
        None,
    )
    .await;
    wire(
        json(
            200,
            json!({ "id": "bnd1", "name": "Acme", "isDefault": true }),
        ),
        async |okta| assert!(okta.brands().get(&id()).await.unwrap().is_default),
        "GET /api/v1/brands/bnd1",
        None,
    )
    .await;
    wire(
        json(200, json!({ "domains": [{ "id": "OcD1" }] })),
        async |okta| {
            let domains = okta.brands().domains(&id()).try_collect().await.unwrap();
            assert_eq!(domains.len(), 1);
        },
        "GET /api/v1/brands/bnd1/domains",
        None,
    )
    .await;
}
