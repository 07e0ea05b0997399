//! Requests about profile mappings and schemas.

use okta_client::{
    Edit, Id, ListProfileMappings, MappingSide, ProfileMapping, PropertyPush, Schema, UserType,
};
use serde_json::{Value, json};

use super::{list, resource, wire};
use crate::{Org, app_id, json};

fn id() -> Id<ProfileMapping> {
    Id::parse("prm1").unwrap()
}

#[tokio::test]
async fn calls_for_profile_mappings_match_the_api_reference() {
    wire(
        list(),
        async |okta| {
            let options = ListProfileMappings {
                source: Some(MappingSide::UserType(
                    Id::<UserType>::parse("otyf1").unwrap(),
                )),
                target: Some(app_id().into()),
                limit: None,
            };
            okta.profile_mappings()
                .list(options)
                .try_collect()
                .await
                .unwrap();
        },
        "GET /api/v1/mappings?limit=200&sourceId=otyf1&targetId=0oa1",
        None,
    )
    .await;
    wire(
        resource("prm1"),
        async |okta| drop(okta.profile_mappings().get(&id()).await.unwrap()),
        "GET /api/v1/mappings/prm1",
        None,
    )
    .await;
    wire(
        resource("prm1"),
        async |okta| {
            let mut edit = Edit::new();
            edit.set_property("displayName", "user.login", &PropertyPush::Push);
            edit.remove_property("nick/name");
            okta.profile_mappings().update(&id(), &edit).await.unwrap();
        },
        "POST /api/v1/mappings/prm1",
        json!({ "properties": {
            "displayName": { "expression": "user.login", "pushStatus": "PUSH" },
            "nick/name": null
        } }),
    )
    .await;
}

#[tokio::test]
async fn a_mapping_is_decoded_with_its_properties() {
    let mapping = json!({
        "id": "prm1", "source": { "id": "otyf1", "type": "user" }, "target": { "id": "0oa1", "type": "appuser" },
        "properties": { "a": { "expression": "user.a", "pushStatus": "DONT_PUSH" }, "b": null, "c": { "expression": 7 } }
    });
    let org = Org::responding([json(200, mapping)]);
    let mapping = org.client().profile_mappings().get(&id()).await.unwrap();
    assert_eq!(mapping.target_id.as_deref(), Some("0oa1"));
    assert_eq!(
        mapping.properties()["a"].push_status,
        PropertyPush::DontPush
    );
    assert_eq!(mapping.properties()["c"].expression, "");
    assert!(mapping.raw().get("/properties/b").is_some());
}

fn schema() -> Value {
    json!({
        "id": "https://acme.okta.com/meta/schemas/apps/0oa1/default",
        "definitions": {
            "base": { "properties": { "userName": { "type": "string", "required": true, "unique": "UNIQUE_VALIDATED" } } },
            "custom": { "properties": { "role": { "title": "Role", "type": "string", "required": null } } }
        }
    })
}

#[tokio::test]
async fn calls_for_schemas_match_the_api_reference() {
    let attribute = || json!({ "title": "Role", "type": "string" });
    let edit = || {
        let mut edit = Edit::<Schema>::new();
        edit.set_custom_attribute("role", attribute()).unwrap();
        edit.remove_custom_attribute("old");
        edit
    };
    let body = json!({ "definitions": { "custom": {
        "id": "#custom", "type": "object", "properties": { "role": attribute(), "old": null }
    } } });
    wire(
        json(200, schema()),
        async |okta| drop(okta.schemas().user().await.unwrap()),
        "GET /api/v1/meta/schemas/user/default",
        None,
    )
    .await;
    wire(
        json(200, schema()),
        async |okta| drop(okta.schemas().update_user(&edit()).await.unwrap()),
        "POST /api/v1/meta/schemas/user/default",
        body.clone(),
    )
    .await;
    wire(
        json(200, schema()),
        async |okta| {
            let schema = okta.schemas().app_user(&app_id()).await.unwrap();
            let [user_name, role] = schema.attributes().try_into().unwrap();
            assert_eq!(
                (user_name.name.as_str(), user_name.required),
                ("userName", true)
            );
            assert_eq!(user_name.unique.as_deref(), Some("UNIQUE_VALIDATED"));
            assert_eq!(
                (role.title.as_deref(), role.is_custom, role.required),
                (Some("Role"), true, false)
            );
            assert!(schema.attribute("role").is_some() && schema.attribute("x").is_none());
        },
        "GET /api/v1/meta/schemas/apps/0oa1/default",
        None,
    )
    .await;
    wire(
        json(200, schema()),
        async |okta| {
            drop(
                okta.schemas()
                    .update_app_user(&app_id(), &edit())
                    .await
                    .unwrap(),
            );
        },
        "POST /api/v1/meta/schemas/apps/0oa1/default",
        body,
    )
    .await;
}
