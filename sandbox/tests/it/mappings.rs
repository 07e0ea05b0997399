//! Tests of profile mappings, and of what the provisioning engine does with them.

use std::time::Duration;

use okta_aws_sandbox::{Company, Person, Sandbox, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, identity_center, okta, post, refusal, sandbox, text};

/// Returns the path of the mapping from Okta to an app.
async fn mapping_to(sandbox: &Sandbox, app: &str) -> String {
    let found = get(sandbox, &format!("/api/v1/mappings?targetId={app}")).await;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["source"]["type"], "user");
    assert_eq!(found[0]["target"]["type"], "appuser");
    assert_eq!(found[0].get("properties"), None);
    format!("/api/v1/mappings/{}", text(&found[0], "id"))
}

// Source: "List all profile mappings" and "Update a profile mapping".
#[tokio::test]
async fn an_update_changes_the_sent_properties_and_removes_null_ones() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let path = mapping_to(&sandbox, &app).await;
    let before = get(&sandbox, &path).await;
    assert_eq!(
        before["properties"]["displayName"],
        json!({ "expression": "user.displayName", "pushStatus": "PUSH" })
    );
    let body = json!({ "properties": {
        "title": null,
        "department": { "expression": "user.division", "pushStatus": "DONT_PUSH" },
    } });
    let after = post(&sandbox, &path, &body).await;
    assert_eq!(after["properties"].get("title"), None);
    assert_eq!(
        after["properties"]["department"],
        body["properties"]["department"]
    );
    assert_eq!(after["properties"]["email"], before["properties"]["email"]);
    let back = get(&sandbox, &format!("/api/v1/mappings?sourceId={app}")).await;
    assert_eq!(back[0]["target"]["type"], "user");
}

#[tokio::test]
async fn an_invalid_property_is_refused_and_changes_nothing() {
    let sandbox = sandbox().await;
    let path = mapping_to(&sandbox, &identity_center(&sandbox).await).await;
    let before = get(&sandbox, &path).await;
    for property in [
        json!({ "badge": { "expression": "user.title", "pushStatus": "PUSH" } }),
        json!({ "title": { "expression": "user.", "pushStatus": "PUSH" } }),
        json!({ "title": { "expression": "user.rank", "pushStatus": "PUSH" } }),
        json!({ "title": { "expression": "appuser.title", "pushStatus": "PUSH" } }),
        json!({ "title": { "expression": "user.title", "pushStatus": "SOMETIMES" } }),
    ] {
        let body = json!({ "properties": property });
        let (status, code, ..) = refusal(okta(&sandbox, Method::POST, &path).json(&body)).await;
        assert_eq!((status, code.as_str()), (400, "E0000001"));
    }
    assert_eq!(get(&sandbox, &path).await, before);
}

/// Starts a provisioned org with one assigned user that has no display name.
async fn with_unnamed_user() -> (Sandbox, String) {
    let user = Person::new("new@example.com", "New", "User").without_display_name();
    let company = Company::empty().person(user);
    let builder = builder().company(company).stage(Stage::Provisioned);
    let sandbox = builder.start().await.expect("a sandbox");
    let apps = get(
        &sandbox,
        "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22",
    )
    .await;
    let app = text(&apps[0], "id");
    let id = sandbox.user_id("new@example.com").expect("a user");
    post(
        &sandbox,
        &format!("/api/v1/apps/{app}/users"),
        &json!({ "id": id }),
    )
    .await;
    (sandbox, app)
}

// Source: AWS needs a display name, and the default mapping has none for a user without one.
#[tokio::test]
async fn a_user_without_a_display_name_arrives_after_the_mapping_gives_one() {
    let (sandbox, app) = with_unnamed_user().await;
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(sandbox.identity_users().len(), 0);
    let expression =
        r#"user.displayName != null ? user.displayName : user.firstName + " " + user.lastName"#;
    let body = json!({ "properties": { "displayName": { "expression": expression, "pushStatus": "PUSH" } } });
    post(&sandbox, &mapping_to(&sandbox, &app).await, &body).await;
    sandbox.advance(Duration::from_mins(1));
    let users = sandbox.identity_users();
    assert_eq!(users[0].display_name.as_deref(), Some("New User"));
}

#[tokio::test]
async fn users_of_an_app_without_the_attribute_have_no_display_name() {
    let builder = builder().without_app_display_name();
    let sandbox = builder.start().await.expect("a sandbox");
    let app = identity_center(&sandbox).await;
    let schema = format!("/api/v1/meta/schemas/apps/{app}/default");
    let attributes = &get(&sandbox, &schema).await["definitions"]["base"]["properties"];
    assert_eq!(attributes.get("displayName"), None);
    let path = mapping_to(&sandbox, &app).await;
    let mapping = get(&sandbox, &path).await;
    assert_eq!(mapping["properties"].get("displayName"), None);
    let property = json!({ "displayName": { "expression": "user.login", "pushStatus": "PUSH" } });
    let body = json!({ "properties": property });
    let (status, ..) = refusal(okta(&sandbox, Method::POST, &path).json(&body)).await;
    assert_eq!(status, 400);
}

// Source: "`DONT_PUSH` causes properties in the target to be updated only on create".
#[tokio::test]
async fn a_property_that_is_not_pushed_is_sent_only_at_the_creation() {
    let (sandbox, app) = with_unnamed_user().await;
    let body = json!({ "properties": {
        "displayName": { "expression": "user.firstName", "pushStatus": "PUSH" },
        "title": { "expression": "user.title", "pushStatus": "DONT_PUSH" },
    } });
    post(&sandbox, &mapping_to(&sandbox, &app).await, &body).await;
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(sandbox.identity_users().len(), 1);
    sandbox.clear_requests();
    sandbox.set_user_attribute("new@example.com", "title", "Countess");
    sandbox.advance(Duration::from_mins(1));
    let sent: Vec<Value> = sandbox
        .provisioning_requests()
        .iter()
        .map(|sent| sent.method.as_str().into())
        .collect();
    assert_eq!(sent, [Value::Null; 0]);
    sandbox.set_user_attribute("new@example.com", "firstName", "Renamed");
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(
        sandbox.identity_users()[0].display_name.as_deref(),
        Some("Renamed")
    );
}
