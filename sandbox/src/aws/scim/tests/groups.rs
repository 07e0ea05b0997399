//! Tests of the operations on groups.

use serde_json::json;

use super::{NONE, group, patch, user};
use crate::aws::Harness;

#[test]
fn adding_and_removing_members_returns_an_empty_response() {
    let mut harness = Harness::provisioned();
    let (ada, eve) = (
        user(&mut harness, "ada@example.com"),
        user(&mut harness, "eve@example.com"),
    );
    let id = group(&mut harness, "admins", &[&ada]);
    let path = format!("/Groups/{id}");
    let add = patch(&json!([
        { "op": "remove", "path": format!("members[value eq \"{ada}\"]") },
        { "op": "add", "path": "members", "value": [{ "value": eve, "display": "Eve" }] },
    ]));
    assert_eq!(harness.scim("PATCH", &path, &add), (204, NONE));
    assert_eq!(harness.cloud.groups()[0].members, ["eve@example.com"]);
    let remove =
        patch(&json!([{ "op": "remove", "path": "members", "value": [{ "value": eve }] }]));
    assert_eq!(harness.scim("PATCH", &path, &remove), (204, NONE));
    assert_eq!(harness.scim("PATCH", &path, &remove), (204, NONE));
    assert_eq!(harness.cloud.groups()[0].members, Vec::<String>::new());
}

#[test]
fn replacing_or_removing_all_members_is_rejected() {
    let mut harness = Harness::provisioned();
    let ada = user(&mut harness, "ada@example.com");
    let id = group(&mut harness, "admins", &[&ada]);
    let path = format!("/Groups/{id}");
    for value in [json!([{ "value": ada }]), json!([])] {
        let replace = patch(&json!([{ "op": "replace", "path": "members", "value": value }]));
        let (status, body) = harness.scim("PATCH", &path, &replace);
        assert_eq!(status, 400);
        assert_eq!(
            body["detail"],
            "Replacing group memberships is not supported."
        );
    }
    for operation in [
        json!({ "op": "remove", "path": "members" }),
        json!({ "op": "remove", "path": "members", "value": [] }),
        json!({ "op": "remove", "path": "members[display eq \"Ada\"]" }),
        json!({ "op": "remove", "path": "displayName" }),
        json!({ "op": "replace", "path": "owners", "value": "x" }),
        json!({ "op": "add", "path": "members", "value": [{ "value": ada, "type": "Group" }] }),
    ] {
        assert_eq!(
            harness.scim("PATCH", &path, &patch(&json!([operation]))).0,
            400,
            "{operation}"
        );
    }
    let unknown =
        patch(&json!([{ "op": "add", "path": "members", "value": [{ "value": "unknown" }] }]));
    assert_eq!(harness.scim("PATCH", &path, &unknown).0, 404);
    assert_eq!(harness.cloud.groups()[0].members, ["ada@example.com"]);
}

#[test]
fn a_request_changes_at_most_100_memberships() {
    let mut harness = Harness::provisioned();
    let all: Vec<String> = (0..101)
        .map(|number| user(&mut harness, &format!("u{number}@example.com")))
        .collect();
    let members = |ids: &[String]| {
        ids.iter()
            .map(|id| json!({ "value": id }))
            .collect::<Vec<_>>()
    };
    let too_many = json!({ "displayName": "all", "members": members(&all) });
    assert_eq!(harness.scim("POST", "/Groups", &too_many).0, 400);
    let most = json!({ "displayName": "all", "members": members(&all[..100]) });
    let (status, group) = harness.scim("POST", "/Groups", &most);
    assert_eq!(status, 201);
    let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
    let both = patch(&json!([
        { "op": "add", "path": "members", "value": members(&all[100..]) },
        { "op": "remove", "path": "members", "value": members(&all[..100]) },
    ]));
    assert_eq!(harness.scim("PATCH", &path, &both).0, 400);
    assert_eq!(harness.cloud.groups()[0].members.len(), 100);
    let one = patch(&json!([{ "op": "add", "path": "members", "value": members(&all[100..]) }]));
    assert_eq!(harness.scim("PATCH", &path, &one).0, 204);
}

#[test]
fn a_group_can_be_renamed_with_and_without_a_path() {
    let mut harness = Harness::provisioned();
    let id = group(&mut harness, "admins", &[]);
    group(&mut harness, "readers", &[]);
    let path = format!("/Groups/{id}");
    let two = patch(&json!([
        { "op": "replace", "path": "displayName", "value": "owners" },
        { "op": "replace", "path": "externalId", "value": "00g1" },
    ]));
    assert_eq!(harness.scim("PATCH", &path, &two).0, 204);
    let without_path =
        patch(&json!([{ "op": "replace", "value": { "id": id, "displayName": "keepers" } }]));
    assert_eq!(harness.scim("PATCH", &path, &without_path).0, 204);
    let shown = &harness.cloud.groups()[0];
    assert_eq!(
        (shown.display_name.as_str(), shown.external_id.as_deref()),
        ("keepers", Some("00g1"))
    );
    let both =
        patch(&json!([{ "op": "replace", "value": { "displayName": "x", "externalId": "y" } }]));
    let (status, body) = harness.scim("PATCH", &path, &both);
    assert_eq!(status, 400);
    assert_eq!(
        body["detail"],
        "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying a \
         single attribute."
    );
    let duplicate = patch(&json!([{ "op": "replace", "path": "displayName", "value": "readers" }]));
    assert_eq!(harness.scim("PATCH", &path, &duplicate).0, 409);
}

#[test]
fn a_group_without_a_name_or_with_an_unknown_attribute_is_rejected() {
    let mut harness = Harness::provisioned();
    for body in [
        json!({}),
        json!({ "displayName": "" }),
        json!({ "displayName": "a\u{0000}" }),
        json!({ "displayName": "a", "description": "x" }),
        json!({ "displayName": "a", "externalId": "" }),
        json!({ "displayName": "a", "members": [{ "value": "g", "type": "Group" }] }),
        json!({ "displayName": "a", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] }),
    ] {
        assert_eq!(harness.scim("POST", "/Groups", &body).0, 400, "{body}");
    }
    let unknown = json!({ "displayName": "a", "members": [{ "value": "unknown" }] });
    assert_eq!(harness.scim("POST", "/Groups", &unknown).0, 404);
    assert_eq!(harness.cloud.groups(), []);
}
