//! Requests about groups.

use okta_client::{Edit, GroupExpand, ListGroups, SortOrder};
use serde_json::json;

use super::{check, done, group, list, no_items, resource, wire};
use crate::{group_id, json, user_id};

#[tokio::test]
async fn calls_for_groups_match_the_api_reference() {
    let org = group();
    org.client().groups().get(&group_id()).await.unwrap();
    check(&org, "GET /api/v1/groups/00g1", None);

    let org = no_items();
    org.client()
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/groups?limit=200", None);

    let org = no_items();
    let options = ListGroups {
        name_prefix: Some("aws-".to_owned()),
        ..ListGroups::default()
    };
    org.client()
        .groups()
        .list(options)
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/groups?q=aws-", None);

    let org = group();
    org.client().groups().create("admins", None).await.unwrap();
    check(
        &org,
        "POST /api/v1/groups",
        json!({ "profile": { "name": "admins" } }),
    );

    let org = group();
    org.client()
        .groups()
        .create("admins", Some("They"))
        .await
        .unwrap();
    let body = json!({ "profile": { "name": "admins", "description": "They" } });
    check(&org, "POST /api/v1/groups", body);

    let org = done(204);
    org.client().groups().delete(&group_id()).await.unwrap();
    check(&org, "DELETE /api/v1/groups/00g1", None);

    let org = no_items();
    org.client()
        .groups()
        .members(&group_id())
        .try_collect()
        .await
        .unwrap();
    check(&org, "GET /api/v1/groups/00g1/users?limit=200", None);

    let org = done(204);
    org.client()
        .groups()
        .add_member(&group_id(), &user_id())
        .await
        .unwrap();
    check(&org, "PUT /api/v1/groups/00g1/users/00u1", None);
    assert_eq!(org.header(0, "content-length").as_deref(), Some("0"));

    let org = done(204);
    org.client()
        .groups()
        .remove_member(&group_id(), &user_id())
        .await
        .unwrap();
    check(&org, "DELETE /api/v1/groups/00g1/users/00u1", None);
}

#[tokio::test]
async fn calls_for_the_rest_of_groups_match_the_api_reference() {
    wire(
        json(
            200,
            json!([{ "id": "00g1", "_embedded": { "stats": { "usersCount": 7, "appsCount": 2 } } }]),
        ),
        async |okta| {
            let options = ListGroups {
                search: Some("profile.name sw \"a\"".to_owned()),
                sort_by: Some("profile.name".to_owned()),
                sort_order: Some(SortOrder::Ascending),
                expand: Some(GroupExpand::Stats),
                ..ListGroups::default()
            };
            let groups = okta.groups().list(options).try_collect().await.unwrap();
            assert_eq!((groups[0].users_count, groups[0].apps_count), (Some(7), Some(2)));
        },
        "GET /api/v1/groups?limit=200&search=profile.name%20sw%20%22a%22&sortBy=profile.name&sortOrder=asc&expand=stats",
        None,
    )
    .await;
    wire(
        resource("00g1"),
        async |okta| {
            let mut edit = Edit::new();
            edit.set_name("owners");
            okta.groups().replace(&group_id(), &edit).await.unwrap();
        },
        "PUT /api/v1/groups/00g1",
        json!({ "profile": { "name": "owners" } }),
    )
    .await;
    wire(
        list(),
        async |okta| drop(okta.groups().apps(&group_id()).try_collect().await.unwrap()),
        "GET /api/v1/groups/00g1/apps?limit=200",
        None,
    )
    .await;
    let missing = json!({ "errorCode": "E0000007" });
    wire(
        json(404, missing),
        async |okta| assert_eq!(okta.groups().get_opt(&group_id()).await.unwrap(), None),
        "GET /api/v1/groups/00g1",
        None,
    )
    .await;
}
