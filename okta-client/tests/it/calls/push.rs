//! Requests about push.

use okta_client::{Id, NewPushMapping, PushActivation, PushTarget, TargetGroupAction};
use serde_json::json;

use super::{check, done, no_items, wire};
use crate::{Org, app_id, empty, group_id, json};

#[tokio::test]
async fn calls_for_push_mappings_match_the_api_reference() {
    let mapping = || json!({ "id": "gPm1", "sourceGroupId": "00g1", "status": "ACTIVE" });
    let id = Id::parse("gPm1").unwrap();

    let org = no_items();
    org.client()
        .push_mappings(&app_id())
        .list()
        .try_collect()
        .await
        .unwrap();
    check(
        &org,
        "GET /api/v1/apps/0oa1/group-push/mappings?limit=1000",
        None,
    );

    for (target, body) in [
        (
            PushTarget::NewGroup("admins".to_owned()),
            json!({ "sourceGroupId": "00g1", "targetGroupName": "admins" }),
        ),
        (
            PushTarget::ExistingGroup(Id::parse("00g2").unwrap()),
            json!({ "sourceGroupId": "00g1", "targetGroupId": "00g2" }),
        ),
    ] {
        // Documented status: 201. Actual status: 200.
        let org = Org::responding([json(200, mapping())]);
        let new = NewPushMapping {
            source_group: group_id(),
            target,
        };
        org.client()
            .push_mappings(&app_id())
            .create(&new)
            .await
            .unwrap();
        check(&org, "POST /api/v1/apps/0oa1/group-push/mappings", body);
    }

    let org = Org::responding([json(200, mapping())]);
    let client = org.client();
    client
        .push_mappings(&app_id())
        .set_status(&id, PushActivation::Inactive)
        .await
        .unwrap();
    let line = "PATCH /api/v1/apps/0oa1/group-push/mappings/gPm1";
    check(&org, line, json!({ "status": "INACTIVE" }));

    for (target, value) in [
        (TargetGroupAction::Keep, "false"),
        (TargetGroupAction::Delete, "true"),
    ] {
        // Documented status: 204. Actual status: 200, without a body.
        let org = done(200);
        org.client()
            .push_mappings(&app_id())
            .delete(&id, target)
            .await
            .unwrap();
        let path = "DELETE /api/v1/apps/0oa1/group-push/mappings/gPm1";
        check(&org, &format!("{path}?deleteTargetGroup={value}"), None);
    }
}

#[tokio::test]
async fn a_mapping_is_read_again_if_its_update_returns_an_empty_body() {
    let mapping = json!({ "id": "gPm1", "sourceGroupId": "00g1", "status": "INACTIVE" });
    let org = Org::responding([empty(204), json(200, mapping)]);
    let id = Id::parse("gPm1").unwrap();
    let client = org.client();
    client
        .push_mappings(&app_id())
        .set_status(&id, PushActivation::Inactive)
        .await
        .unwrap();
    assert_eq!(
        org.requests()[1],
        "GET /api/v1/apps/0oa1/group-push/mappings/gPm1"
    );
}

#[tokio::test]
async fn a_push_mapping_is_read_by_its_id() {
    let mapping = json!({ "id": "gPm1", "sourceGroupId": "00g1" });
    wire(
        json(200, mapping),
        async |okta| {
            let id = Id::parse("gPm1").unwrap();
            okta.push_mappings(&app_id()).get(&id).await.unwrap();
        },
        "GET /api/v1/apps/0oa1/group-push/mappings/gPm1",
        None,
    )
    .await;
}
