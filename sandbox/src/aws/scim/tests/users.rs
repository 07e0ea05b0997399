//! Tests of the operations on users.

use serde_json::json;

use super::{NONE, group, patch, user, user_body};
use crate::aws::Harness;

#[test]
fn a_created_user_is_returned_as_sent() {
    let mut harness = Harness::provisioned();
    let mut sent = user_body("ada@example.com");
    sent["profileUrl"] = "https://example.com/ada".into();
    let (status, created) = harness.scim("POST", "/Users", &sent);
    assert_eq!(status, 201);
    assert_eq!(created["userName"], "ada@example.com");
    assert_eq!(created["externalId"], "id-of-ada@example.com");
    assert_eq!(created["active"], true);
    assert_eq!(
        created["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:User"])
    );
    assert_eq!(
        created["meta"],
        json!({ "resourceType": "User", "created": "2026-11-24T10:57:08Z", "lastModified": "2026-11-24T10:57:08Z" })
    );
    assert!(created.get("profileUrl").is_none());
    let id = created["id"].as_str().expect("an id");
    let (_, read) = harness.scim("GET", &format!("/Users/{id}"), &NONE);
    assert_eq!(read["profileUrl"], "https://example.com/ada");
    assert_eq!(read["emails"], sent["emails"]);
}

#[test]
fn an_invalid_user_gets_the_general_error_message() {
    let mut harness = Harness::provisioned();
    let mut sent = user_body("ada@example.com");
    sent["displayName"] = "".into();
    let (status, body) = harness.scim("POST", "/Users", &sent);
    assert_eq!(status, 400);
    assert_eq!(
        body["detail"],
        "Request is unparsable, syntactically incorrect, or violates schema."
    );
}

#[test]
fn duplicate_names_addresses_and_external_ids_are_conflicts() {
    let mut harness = Harness::provisioned();
    user(&mut harness, "ada@example.com");
    for (name, value) in [
        ("userName", json!("ADA@example.com")),
        (
            "emails",
            json!([{ "value": "ada@example.com", "primary": true }]),
        ),
        ("externalId", json!("id-of-ada@example.com")),
    ] {
        let mut other = user_body("eve@example.com");
        other[name] = value;
        let (status, body) = harness.scim("POST", "/Users", &other);
        assert_eq!(status, 409, "{name}");
        assert_eq!(
            body["detail"],
            "Refused to create a new, duplicate resource."
        );
    }
    group(&mut harness, "admins", &[]);
    assert_eq!(
        harness
            .scim("POST", "/Groups", &json!({ "displayName": "admins" }))
            .0,
        409
    );
}

#[test]
fn put_replaces_the_complete_user() {
    let mut harness = Harness::provisioned();
    let id = user(&mut harness, "ada@example.com");
    let mut sent = user_body("ada.king@example.com");
    sent["title"] = "Countess".into();
    let (status, body) = harness.scim("PUT", &format!("/Users/{id}"), &sent);
    assert_eq!(status, 200);
    assert_eq!(body["userName"], "ada.king@example.com");
    assert_eq!(body["id"], id);
    let (_, body) = harness.scim(
        "PUT",
        &format!("/Users/{id}"),
        &user_body("ada.king@example.com"),
    );
    assert!(body.get("title").is_none());
    assert_eq!(harness.scim("PUT", "/Users/unknown", &sent).0, 404);
    sent["id"] = "another".into();
    assert_eq!(harness.scim("PUT", &format!("/Users/{id}"), &sent).0, 400);
}

#[test]
fn patch_returns_the_changed_user() {
    let mut harness = Harness::provisioned();
    let id = user(&mut harness, "ada@example.com");
    let off = patch(&json!([{ "op": "replace", "value": { "active": false } }]));
    let (status, body) = harness.scim("PATCH", &format!("/Users/{id}"), &off);
    assert_eq!(status, 200);
    assert_eq!(body["active"], false);
    assert_eq!(harness.scim("PATCH", "/Users/unknown", &off).0, 404);
}
