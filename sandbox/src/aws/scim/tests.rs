//! Tests of the SCIM endpoint of IAM Identity Center, and their shared helpers.

mod groups;
mod lists;
mod users;

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};

use crate::aws::Harness;

const NONE: Value = Value::Null;
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn user_body(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": format!("id-of-{name}"),
        "userName": name,
        "name": { "givenName": "G", "familyName": "F" },
        "displayName": "G F",
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "active": true,
        "groups": [],
    })
}

fn user(harness: &mut Harness, name: &str) -> String {
    let (status, user) = harness.scim("POST", "/Users", &user_body(name));
    assert_eq!(status, 201, "{user}");
    user["id"].as_str().expect("an id").to_owned()
}

fn group(harness: &mut Harness, name: &str, members: &[&str]) -> String {
    let members: Vec<Value> = members
        .iter()
        .map(|id| json!({ "value": id, "type": "User" }))
        .collect();
    let (status, group) = harness.scim(
        "POST",
        "/Groups",
        &json!({ "displayName": name, "members": members }),
    );
    assert_eq!(status, 201, "{group}");
    group["id"].as_str().expect("an id").to_owned()
}

fn patch(operations: &Value) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

#[test]
fn error_bodies_have_the_format_of_aws() {
    let mut harness = Harness::provisioned();
    let (status, body) = harness.scim("GET", "/Users/unknown", &NONE);
    assert_eq!(status, 404);
    let error = "urn:ietf:params:scim:api:messages:2.0:Error";
    assert_eq!(body["schema"], json!([error]));
    assert_eq!(body["schemas"], json!([error]));
    assert_eq!(body["status"], "404");
    assert_eq!(body["timeStamp"], "2026-11-24 10:57:08.014");
    assert_eq!(body["exceptionRequestId"].as_str().map(str::len), Some(36));
    assert!(body.get("scimType").is_none());
}

#[test]
fn a_wrong_token_and_a_wrong_tenant_get_the_same_error() {
    let mut harness = Harness::provisioned();
    let (endpoint, token) = harness.scim.clone().expect("a SCIM endpoint");
    let mut get = |path: &str, authorization: Option<&str>| {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let request = request.body(Bytes::new()).expect("a request");
        let response = super::handle(&mut harness.cloud, harness.now, &request);
        assert_eq!(response.headers()["x-amzn-requestid"].len(), 36);
        response.status().as_u16()
    };
    let users = format!(
        "{}Users",
        endpoint
            .strip_prefix("http://127.0.0.1:1")
            .expect("the URL of the listener")
    );
    assert_eq!(get(&users, Some(&format!("Bearer {token}"))), 200);
    assert_eq!(get(&users, None), 401);
    assert_eq!(get(&users, Some("Bearer wrong")), 401);
    assert_eq!(get(&users, Some(&format!("Basic {token}"))), 401);
    assert_eq!(
        get("/another/scim/v2/Users", Some(&format!("Bearer {token}"))),
        401
    );
    // A base URL without its final slash.
    assert_eq!(
        get(
            &users.replace("v2/", "v2"),
            Some(&format!("Bearer {token}"))
        ),
        404
    );
}

#[test]
fn a_body_must_be_a_json_object_with_a_supported_content_type() {
    let mut harness = Harness::provisioned();
    let (endpoint, token) = harness.scim.clone().expect("a SCIM endpoint");
    let users = format!(
        "{}Users",
        endpoint
            .strip_prefix("http://127.0.0.1:1")
            .expect("the URL of the listener")
    );
    let mut send = |content_type: &str, body: &str| {
        let request = Request::post(&users)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .body(Bytes::from(body.to_owned()))
            .expect("a request");
        super::handle(&mut harness.cloud, harness.now, &request)
            .status()
            .as_u16()
    };
    assert_eq!(
        send(
            "application/scim+json; charset=utf-8",
            &user_body("a@example.com").to_string()
        ),
        201
    );
    assert_eq!(
        send("application/json", &user_body("b@example.com").to_string()),
        201
    );
    assert_eq!(
        send("text/plain", &user_body("c@example.com").to_string()),
        400
    );
    assert_eq!(send("application/json", "[]"), 400);
    assert_eq!(send("application/json", "{"), 400);
}

#[test]
fn a_deleted_resource_returns_not_found() {
    let mut harness = Harness::provisioned();
    let id = user(&mut harness, "ada@example.com");
    let group = group(&mut harness, "admins", &[&id]);
    for path in [format!("/Users/{id}"), format!("/Groups/{group}")] {
        assert_eq!(harness.scim("DELETE", &path, &NONE), (204, NONE));
        assert_eq!(harness.scim("DELETE", &path, &NONE).0, 404);
        assert_eq!(harness.scim("GET", &path, &NONE).0, 404);
    }
}

#[test]
fn unsupported_operations_are_rejected() {
    let mut harness = Harness::provisioned();
    let group = group(&mut harness, "admins", &[]);
    for (method, path, status) in [
        ("PUT", format!("/Groups/{group}"), 400),
        ("POST", "/Bulk".to_owned(), 400),
        ("GET", "/Me".to_owned(), 400),
        ("POST", "/.search".to_owned(), 400),
        ("DELETE", "/Users".to_owned(), 400),
        ("GET", "/Users/".to_owned(), 404),
        ("GET", "/Devices".to_owned(), 404),
    ] {
        assert_eq!(
            harness
                .scim(method, &path, &json!({ "displayName": "x" }))
                .0,
            status,
            "{method} {path}"
        );
    }
}

#[test]
fn the_endpoint_describes_itself() {
    let mut harness = Harness::provisioned();
    let (_, config) = harness.scim("GET", "/ServiceProviderConfig", &NONE);
    assert_eq!(config["patch"]["supported"], true);
    assert_eq!(config["bulk"]["supported"], false);
    assert_eq!(config["filter"]["maxResults"], 50);
    let (_, types) = harness.scim("GET", "/ResourceTypes", &NONE);
    assert_eq!(types["totalResults"], 2);
    let (_, schemas) = harness.scim("GET", "/Schemas", &NONE);
    assert_eq!(schemas["totalResults"], 3);
    let (status, schema) = harness.scim(
        "GET",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group",
        &NONE,
    );
    assert_eq!((status, &schema["name"]), (200, &json!("Group")));
    assert_eq!(harness.scim("GET", "/Schemas/nonsense", &NONE).0, 404);
}
