//! Tests of the assignments of an application: its users, groups and policy.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{
    builder, get, identity_center, okta, post, refusal, sandbox, send, status, text, write,
};

// Source: "Update an application user" and error code E0000041.
#[tokio::test]
async fn the_user_name_and_unmapped_attributes_of_an_assigned_user_change() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let id = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    let users = format!("/api/v1/apps/{app}/users");
    post(&sandbox, &users, &json!({ "id": id })).await;
    let path = format!("{users}/{id}");
    let body = json!({ "credentials": { "userName": "ada" }, "profile": { "title": "Countess" } });
    let changed = post(&sandbox, &path, &body).await;
    assert_eq!(changed["credentials"]["userName"], "ada");
    assert_eq!(changed["profile"]["title"], "Countess");
    assert_eq!(changed["profile"]["displayName"], "Ada Lovelace");
    let listed = get(&sandbox, &format!("{users}?expand=user")).await;
    assert_eq!(listed[0]["profile"], changed["profile"]);
    assert_eq!(listed[0]["_embedded"]["user"]["id"], id.as_str());
    for (body, code) in [
        (
            json!({ "credentials": { "password": { "value": "secret" } } }),
            "E0000041",
        ),
        (json!({ "profile": { "badge": "1" } }), "E0000001"),
    ] {
        let refused = refusal(okta(&sandbox, Method::POST, &path).json(&body)).await;
        assert_eq!((refused.0, refused.1.as_str()), (400, code));
    }
    assert_eq!(
        status(&sandbox, Method::POST, &format!("{users}/00unone")).await,
        400
    );
    let missing = okta(&sandbox, Method::POST, &format!("{users}/00unone")).json(&json!({}));
    assert_eq!(refusal(missing).await.0, 404);
}

// Source: "Update a group assignment": a JSON Patch with the operations remove and replace.
#[tokio::test]
async fn a_patch_changes_the_priority_and_the_profile_of_a_group_assignment() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let group = sandbox.group_id("aws-users").expect("a group");
    let path = format!("/api/v1/apps/{app}/groups/{group}");
    write(
        &sandbox,
        Method::PUT,
        &path,
        &json!({ "priority": 3, "profile": { "title": "x" } }),
    )
    .await;
    let change = json!([
        { "op": "replace", "path": "/priority", "value": 7 },
        { "op": "remove", "path": "/profile/title" },
        { "op": "replace", "path": "/profile/department", "value": "Platform" },
    ]);
    let patched = write(&sandbox, Method::PATCH, &path, &change).await;
    assert_eq!(patched["priority"], 7);
    assert_eq!(patched["profile"], json!({ "department": "Platform" }));
    let listed = get(&sandbox, &format!("/api/v1/apps/{app}/groups?expand=group")).await;
    assert_eq!(listed[0]["_embedded"]["group"]["id"], group.as_str());
    let change = json!([{ "op": "add", "path": "/priority", "value": 1 }]);
    let (status, ..) = refusal(okta(&sandbox, Method::PATCH, &path).json(&change)).await;
    assert_eq!(status, 400);
}

// Source: "Assign an app sign-in policy" (204), the link `accessPolicy` of an app, "List all policies".
#[tokio::test]
async fn a_new_app_has_the_default_policy_until_another_is_assigned() {
    let sandbox = builder().page_size(None).start().await.expect("a sandbox");
    let path = format!("/api/v1/apps/{}", identity_center(&sandbox).await);
    let policies = get(&sandbox, "/api/v1/policies?type=ACCESS_POLICY").await;
    let ids: Vec<String> = policies
        .as_array()
        .expect("a list")
        .iter()
        .map(|policy| text(policy, "id"))
        .collect();
    let policy = async || {
        text(
            &get(&sandbox, &path).await["_links"]["accessPolicy"],
            "href",
        )
    };
    assert!(
        policy()
            .await
            .ends_with(&format!("/api/v1/policies/{}", ids[0]))
    );
    let assign = |id: &str| format!("{path}/policies/{id}");
    assert_eq!(status(&sandbox, Method::PUT, &assign(&ids[1])).await, 204);
    assert!(policy().await.ends_with(&ids[1]));
    assert_eq!(status(&sandbox, Method::PUT, &assign("rstnone")).await, 404);
    assert_eq!(
        get(&sandbox, &format!("/api/v1/policies/{}", ids[1])).await["type"],
        "ACCESS_POLICY"
    );
    let off = sandbox.add_sign_on_policy("Phishing resistant", false);
    let named = "/api/v1/policies?type=ACCESS_POLICY&q=phishing";
    assert_eq!(get(&sandbox, named).await[1]["id"], off.as_str());
    let active = get(&sandbox, &format!("{named}&status=ACTIVE")).await;
    assert_eq!(active.as_array().map(Vec::len), Some(1));
    assert_eq!(
        refusal(okta(&sandbox, Method::GET, "/api/v1/policies"))
            .await
            .1,
        "E0000028"
    );
}

// Source: "Grant consent to scope" (201), only for an OAuth 2.0 application.
#[tokio::test]
async fn a_scope_is_granted_and_revoked() {
    let sandbox = sandbox().await;
    let apps = get(&sandbox, "/api/v1/apps?filter=name%20eq%20%22saasure%22").await;
    let grants = format!("/api/v1/apps/{}/grants", text(&apps[0], "id"));
    let body = json!({ "issuer": sandbox.okta_url(), "scopeId": "okta.users.read" });
    let response = send(okta(&sandbox, Method::POST, &grants).json(&body)).await;
    assert_eq!(response.status(), 201);
    let grant: Value = response.json().await.expect("JSON");
    assert_eq!(get(&sandbox, &grants).await, json!([grant]));
    let path = format!("{grants}/{}", text(&grant, "id"));
    assert_eq!(get(&sandbox, &path).await, grant);
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 204);
    assert_eq!(get(&sandbox, &grants).await, json!([]));
    let saml = format!("/api/v1/apps/{}/grants", identity_center(&sandbox).await);
    assert_eq!(
        refusal(okta(&sandbox, Method::POST, &saml).json(&body))
            .await
            .0,
        400
    );
}
