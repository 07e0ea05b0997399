//! Requests about assignments.

use okta_client::{Edit, ListAppGroups, ListAppUsers, PatchOperation, UserStatus};
use serde_json::json;

use super::{check, done, group, no_items, resource, user, wire};
use crate::{Org, app_id, empty, group_id, json, user_id};

#[tokio::test]
async fn calls_for_assignments_match_the_api_reference() {
    let org = no_items();
    org.client()
        .apps()
        .users(&app_id())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/apps/0oa1/users?limit=500", None);

    let org = user();
    org.client()
        .apps()
        .user_opt(&app_id(), &user_id())
        .await
        .unwrap()
        .unwrap();
    check(&org, "GET /api/v1/apps/0oa1/users/00u1", None);

    let org = user();
    org.client()
        .apps()
        .assign_user(&app_id(), &user_id())
        .await
        .unwrap();
    check(
        &org,
        "POST /api/v1/apps/0oa1/users",
        json!({ "id": "00u1", "scope": "USER" }),
    );

    let org = done(204);
    org.client()
        .apps()
        .unassign_user(&app_id(), &user_id())
        .await
        .unwrap();
    check(&org, "DELETE /api/v1/apps/0oa1/users/00u1", None);

    let org = no_items();
    org.client()
        .apps()
        .groups(&app_id())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/apps/0oa1/groups?limit=200", None);

    let org = group();
    org.client()
        .apps()
        .assign_group(&app_id(), &group_id())
        .await
        .unwrap();
    check(&org, "PUT /api/v1/apps/0oa1/groups/00g1", json!({}));

    let org = done(204);
    org.client()
        .apps()
        .unassign_group(&app_id(), &group_id())
        .await
        .unwrap();
    check(&org, "DELETE /api/v1/apps/0oa1/groups/00g1", None);
}

#[tokio::test]
async fn an_assignment_is_read_if_its_creation_returns_an_empty_body() {
    let org = Org::responding([empty(204), json(200, json!({ "id": "00u1" }))]);
    let apps = org.client();
    apps.apps()
        .assign_user(&app_id(), &user_id())
        .await
        .unwrap();
    assert_eq!(org.requests()[1], "GET /api/v1/apps/0oa1/users/00u1");
    let org = Org::responding([empty(204), json(200, json!({ "id": "00g1" }))]);
    let apps = org.client();
    apps.apps()
        .assign_group(&app_id(), &group_id())
        .await
        .unwrap();
    assert_eq!(org.requests()[1], "GET /api/v1/apps/0oa1/groups/00g1");
}

#[tokio::test]
async fn calls_for_the_rest_of_user_assignments_match_the_api_reference() {
    wire(
        json(200, json!([{ "id": "00u1", "_embedded": { "user": { "id": "00u1", "status": "ACTIVE" } } }])),
        async |okta| {
            let options = ListAppUsers {
                query: Some("ada".to_owned()),
                with_user: true,
                limit: Some(50),
            };
            let users = okta.apps().list_users(&app_id(), options).try_collect().await.unwrap();
            assert_eq!(users[0].user().expect("a user").status, UserStatus::Active);
        },
        "GET /api/v1/apps/0oa1/users?limit=50&q=ada&expand=user",
        None,
    )
    .await;
    wire(
        resource("00u1"),
        async |okta| {
            let user = okta.apps().user(&app_id(), &user_id()).await.unwrap();
            assert_eq!(user.user(), None);
        },
        "GET /api/v1/apps/0oa1/users/00u1",
        None,
    )
    .await;
    let edit = || {
        let mut edit = Edit::new();
        edit.set_user_name("ada");
        edit.set("/profile/role", "admin").unwrap();
        edit
    };
    wire(
        resource("00u1"),
        async |okta| {
            let apps = okta.apps();
            apps.assign_user_with(&app_id(), &user_id(), &edit())
                .await
                .unwrap();
        },
        "POST /api/v1/apps/0oa1/users",
        json!({
            "credentials": { "userName": "ada" }, "profile": { "role": "admin" },
            "id": "00u1", "scope": "USER"
        }),
    )
    .await;
    wire(
        resource("00u1"),
        async |okta| {
            drop(
                okta.apps()
                    .update_user(&app_id(), &user_id(), &edit())
                    .await
                    .unwrap(),
            );
        },
        "POST /api/v1/apps/0oa1/users/00u1",
        json!({ "credentials": { "userName": "ada" }, "profile": { "role": "admin" } }),
    )
    .await;
}

#[tokio::test]
async fn calls_for_the_rest_of_group_assignments_match_the_api_reference() {
    wire(
        json(200, json!([{ "id": "00g1", "_embedded": { "group": { "id": "00g1", "profile": { "name": "admins" } } } }])),
        async |okta| {
            let options = ListAppGroups {
                query: Some("adm".to_owned()),
                with_group: true,
                limit: Some(20),
            };
            let groups = okta.apps().list_groups(&app_id(), options).try_collect().await.unwrap();
            assert_eq!(groups[0].group().expect("a group").name, "admins");
        },
        "GET /api/v1/apps/0oa1/groups?limit=20&q=adm&expand=group",
        None,
    )
    .await;
    wire(
        resource("00g1"),
        async |okta| drop(okta.apps().group(&app_id(), &group_id()).await.unwrap()),
        "GET /api/v1/apps/0oa1/groups/00g1",
        None,
    )
    .await;
    wire(
        json(404, json!({ "errorCode": "E0000007" })),
        async |okta| {
            assert_eq!(
                okta.apps().group_opt(&app_id(), &group_id()).await.unwrap(),
                None
            );
        },
        "GET /api/v1/apps/0oa1/groups/00g1",
        None,
    )
    .await;
    wire(
        resource("00g1"),
        async |okta| {
            let mut edit = Edit::new();
            edit.set("/priority", 3).unwrap();
            okta.apps()
                .assign_group_with(&app_id(), &group_id(), &edit)
                .await
                .unwrap();
        },
        "PUT /api/v1/apps/0oa1/groups/00g1",
        json!({ "priority": 3 }),
    )
    .await;
    wire(
        resource("00g1"),
        async |okta| {
            let changes = [
                PatchOperation::Replace {
                    path: "/priority".to_owned(),
                    value: json!(1),
                },
                PatchOperation::Remove {
                    path: "/profile/role".to_owned(),
                },
            ];
            okta.apps()
                .update_group(&app_id(), &group_id(), &changes)
                .await
                .unwrap();
        },
        "PATCH /api/v1/apps/0oa1/groups/00g1",
        json!([
            { "op": "replace", "path": "/priority", "value": 1 },
            { "op": "remove", "path": "/profile/role" }
        ]),
    )
    .await;
}
