//! Tests of groups: replacement, deletion, apps, embedded documents and imported groups.

use okta_aws_sandbox::Company;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{
    builder, get, identity_center, okta, post, refusal, sandbox, status, text, write,
};

// Source: "Replace a group" and "Delete a group".
#[tokio::test]
async fn a_group_is_renamed_and_deleted_and_the_built_in_group_is_not() {
    let sandbox = sandbox().await;
    let id = sandbox.group_id("aws-users").expect("a group");
    let path = format!("/api/v1/groups/{id}");
    let renamed = json!({ "profile": { "name": "renamed", "description": "New" } });
    let group = write(&sandbox, Method::PUT, &path, &renamed).await;
    assert_eq!(group["profile"], renamed["profile"]);
    let everyone = format!(
        "/api/v1/groups/{}",
        sandbox.group_id("Everyone").expect("a group")
    );
    let (refused, code, ..) = refusal(okta(&sandbox, Method::PUT, &everyone).json(&renamed)).await;
    assert_eq!((refused, code.as_str()), (403, "E0000006"));
    assert_eq!(status(&sandbox, Method::DELETE, &everyone).await, 403);
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 204);
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 404);
}

#[tokio::test]
async fn the_deletion_of_a_group_unassigns_its_members() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let id = sandbox.group_id("aws-users").expect("a group");
    let assignment = format!("/api/v1/apps/{app}/groups/{id}");
    write(&sandbox, Method::PUT, &assignment, &json!({})).await;
    let apps = get(&sandbox, &format!("/api/v1/groups/{id}/apps")).await;
    assert_eq!(apps[0]["id"], app.as_str());
    assert_eq!(
        status(&sandbox, Method::DELETE, &format!("/api/v1/groups/{id}")).await,
        204
    );
    assert_eq!(status(&sandbox, Method::GET, &assignment).await, 404);
    assert_eq!(
        get(&sandbox, &format!("/api/v1/apps/{app}/users")).await,
        json!([])
    );
}

// Source: parameter `expand` of "List all groups".
#[tokio::test]
async fn expand_embeds_the_numbers_and_the_app_of_a_group() {
    let company = Company::small(3, 1).imported_team("corp", "aws-users", &[]);
    let sandbox = builder()
        .company(company)
        .page_size(None)
        .start()
        .await
        .expect("a sandbox");
    let groups = get(&sandbox, "/api/v1/groups?expand=stats,app").await;
    let embedded = |number: usize| groups[number]["_embedded"].clone();
    assert_eq!(embedded(1)["stats"]["usersCount"], 3);
    assert_eq!(embedded(1).get("app"), None);
    assert_eq!(embedded(2)["app"]["name"], "active_directory");
    let (status, ..) = refusal(okta(&sandbox, Method::GET, "/api/v1/groups?expand=all")).await;
    assert_eq!(status, 400);
}

// Source: `search` of "List all groups" (`source.id`), and groups of one name from two sources.
#[tokio::test]
async fn groups_of_one_name_come_from_two_sources() {
    let company = Company::small(1, 1)
        .imported_team(
            "corp.example.com",
            "aws-users",
            &["ada.lovelace@example.com"],
        )
        .imported_team("lab.example.com", "aws-users", &[]);
    let sandbox = builder()
        .company(company)
        .page_size(None)
        .start()
        .await
        .expect("a sandbox");
    let found = get(
        &sandbox,
        "/api/v1/groups?search=profile.name%20eq%20%22aws-users%22",
    )
    .await;
    let kinds: Vec<&Value> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|group| &group["type"])
        .collect();
    assert_eq!(kinds, ["OKTA_GROUP", "APP_GROUP", "APP_GROUP"]);
    assert_ne!(found[1]["source"]["id"], found[2]["source"]["id"]);
    let source = text(&found[1]["source"], "id");
    let path = format!(
        "/api/v1/groups?search=type%20eq%20%22APP_GROUP%22%20and%20source.id%20eq%20%22{source}%22"
    );
    let of_source = get(&sandbox, &path).await;
    assert_eq!(of_source, json!([found[1]]));
    let member = format!(
        "/api/v1/groups/{}/users/{}",
        text(&found[1], "id"),
        sandbox.user_id("ada.lovelace@example.com").expect("Ada")
    );
    assert_eq!(status(&sandbox, Method::DELETE, &member).await, 403);
}

// Source: "Delete a group": a group of an app stays while a group push mapping uses it.
#[tokio::test]
async fn the_target_of_a_push_cannot_be_deleted() {
    let sandbox = sandbox().await;
    let app = identity_center(&sandbox).await;
    let source = sandbox.group_id("aws-users").expect("a group");
    let body = json!({ "sourceGroupId": source, "targetGroupName": "aws-users" });
    let mapping = post(
        &sandbox,
        &format!("/api/v1/apps/{app}/group-push/mappings"),
        &body,
    )
    .await;
    let target = text(&mapping, "targetGroupId");
    assert_eq!(
        status(
            &sandbox,
            Method::DELETE,
            &format!("/api/v1/groups/{target}")
        )
        .await,
        400
    );
}

// Source: "Assign a user to a group": the path has the user's id.
#[tokio::test]
async fn a_member_is_named_by_id_only() {
    let sandbox = sandbox().await;
    let group = sandbox.group_id("aws-users").expect("a group");
    let path = format!("/api/v1/groups/{group}/users/ada.lovelace@example.com");
    assert_eq!(status(&sandbox, Method::PUT, &path).await, 404);
}
