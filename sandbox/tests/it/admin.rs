//! Tests of API tokens, principal rate limits and brands.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{get, okta, post, refusal, sandbox, send, status, text, write};

// Source: "List all API token metadata" and "Revoke an API token".
#[tokio::test]
async fn a_token_has_metadata_without_its_value_and_is_refused_after_its_deletion() {
    let sandbox = sandbox().await;
    let tokens = get(&sandbox, "/api/v1/api-tokens").await;
    let path = format!("/api/v1/api-tokens/{}", text(&tokens[0], "id"));
    let token = get(&sandbox, &path).await;
    assert_eq!(token, tokens[0]);
    assert_eq!(
        token["userId"].as_str(),
        sandbox.user_id("ada.lovelace@example.com").as_deref()
    );
    assert!(!token.to_string().contains(sandbox.okta_token()));
    assert_eq!(
        status(&sandbox, Method::GET, "/api/v1/api-tokens/00Tnone").await,
        404
    );
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 204);
    assert_eq!(
        refusal(okta(&sandbox, Method::GET, "/api/v1/users"))
            .await
            .1,
        "E0000011"
    );
}

// Source: "Create a principal rate limit" (201): one entity for each principal.
#[tokio::test]
async fn a_principal_has_at_most_one_rate_limit() {
    let sandbox = sandbox().await;
    let token = text(&get(&sandbox, "/api/v1/api-tokens").await[0], "id");
    let limits = "/api/v1/principal-rate-limits";
    let body =
        json!({ "principalId": token, "principalType": "SSWS_TOKEN", "defaultPercentage": 40 });
    let response = send(okta(&sandbox, Method::POST, limits).json(&body)).await;
    assert_eq!(response.status(), 201);
    let limit: Value = response.json().await.expect("JSON");
    assert_eq!(
        (
            &limit["defaultPercentage"],
            &limit["defaultConcurrencyPercentage"]
        ),
        (&json!(40), &json!(75))
    );
    assert_eq!(
        refusal(okta(&sandbox, Method::POST, limits).json(&body))
            .await
            .0,
        400
    );
    let path = format!("{limits}/{}", text(&limit, "id"));
    let body =
        json!({ "principalId": token, "principalType": "SSWS_TOKEN", "defaultPercentage": 60 });
    let replaced = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(replaced["defaultPercentage"], 60);
    let filter = format!("{limits}?filter=principalType%20eq%20%22SSWS_TOKEN%22");
    assert_eq!(get(&sandbox, &filter).await, json!([replaced]));
    assert_eq!(
        refusal(okta(&sandbox, Method::GET, limits)).await.1,
        "E0000028"
    );
}

// Source: "List all brands".
#[tokio::test]
async fn the_org_has_the_default_brand() {
    let sandbox = sandbox().await;
    let brands = get(&sandbox, "/api/v1/brands").await;
    let path = format!("/api/v1/brands/{}", text(&brands[0], "id"));
    assert_eq!(get(&sandbox, &path).await["isDefault"], true);
    assert_eq!(
        get(&sandbox, &format!("{path}/domains")).await,
        json!({ "domains": [] })
    );
}

// Source: "Update the Org general settings" changes parts, and `OrgSetting` names the read-only properties.
#[tokio::test]
async fn an_update_of_the_org_changes_the_sent_settings_and_no_read_only_ones() {
    let sandbox = sandbox().await;
    let before = get(&sandbox, "/api/v1/org").await;
    let body = json!({ "website": "https://www.example.com", "subdomain": "other" });
    let after = post(&sandbox, "/api/v1/org", &body).await;
    assert_eq!(after["website"], "https://www.example.com");
    assert_eq!(after["subdomain"], before["subdomain"]);
    assert_eq!(after["companyName"], before["companyName"]);
    assert_eq!(get(&sandbox, "/api/v1/org").await, after);
    let body = json!({ "website": 7 });
    let request = okta(&sandbox, Method::POST, "/api/v1/org").json(&body);
    assert_eq!(refusal(request).await.0, 400);
}
