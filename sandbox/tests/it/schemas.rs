//! Tests of the schemas of users and of an application's users.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{get, identity_center, okta, post, refusal, sandbox};

const USERS: &str = "/api/v1/meta/schemas/user/default";

// Source: "Update a user schema": a partial update, and null removes a custom property.
#[tokio::test]
async fn a_custom_attribute_is_added_used_and_removed() {
    let sandbox = sandbox().await;
    let custom =
        |value: Value| json!({ "definitions": { "custom": { "properties": { "badge": value } } } });
    let badge = json!({ "title": "Badge", "type": "string", "maxLength": 4 });
    let schema = post(&sandbox, USERS, &custom(badge)).await;
    assert_eq!(
        schema["definitions"]["custom"]["properties"]["badge"]["maxLength"],
        4
    );
    assert_eq!(
        schema["definitions"]["base"]["required"],
        json!(["email", "firstName", "lastName", "login"])
    );
    let set = |badge: &str| json!({ "profile": { "badge": badge } });
    let user = post(&sandbox, "/api/v1/users/me", &set("1815")).await;
    assert_eq!(user["profile"]["badge"], "1815");
    let request = okta(&sandbox, Method::POST, "/api/v1/users/me").json(&set("18151"));
    assert_eq!(refusal(request).await.3, "badge: The field is too long");
    let schema = post(&sandbox, USERS, &custom(Value::Null)).await;
    assert_eq!(schema["definitions"]["custom"]["properties"], json!({}));
}

// Source: "`firstName` and `lastName` properties are nullable" on request (`UserProfile`).
#[tokio::test]
async fn the_last_name_is_optional_after_the_schema_says_so() {
    let sandbox = sandbox().await;
    let base = |name: &str, rules: Value| json!({ "definitions": { "base": { "properties": { name: rules } } } });
    post(
        &sandbox,
        USERS,
        &base("lastName", json!({ "required": false })),
    )
    .await;
    let profile =
        json!({ "login": "new@example.com", "email": "new@example.com", "firstName": "New" });
    let user = post(&sandbox, "/api/v1/users", &json!({ "profile": profile })).await;
    assert_eq!(user["profile"]["lastName"], Value::Null);
    let login = post(
        &sandbox,
        USERS,
        &base("login", json!({ "required": false })),
    )
    .await;
    assert_eq!(
        login["definitions"]["base"]["required"],
        json!(["email", "firstName", "login"])
    );
    let removed = okta(&sandbox, Method::POST, USERS).json(&base("title", Value::Null));
    assert_eq!(refusal(removed).await.0, 400);
}

// Source: "Retrieve the default app user schema for an app".
#[tokio::test]
async fn an_app_has_a_schema_of_its_own() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let path = format!("/api/v1/meta/schemas/apps/{app}/default");
    let body = json!({ "definitions": { "custom": { "properties": { "badge": { "title": "Badge", "type": "string" } } } } });
    let schema = post(&sandbox, &path, &body).await;
    assert!(schema["definitions"]["base"]["properties"]["displayName"].is_object());
    assert!(schema["definitions"]["custom"]["properties"]["badge"].is_object());
    assert_eq!(
        get(&sandbox, USERS).await["definitions"]["custom"]["properties"],
        json!({})
    );
    let untitled =
        json!({ "definitions": { "custom": { "properties": { "other": { "type": "string" } } } } });
    assert_eq!(
        refusal(okta(&sandbox, Method::POST, &path).json(&untitled))
            .await
            .0,
        400
    );
}
