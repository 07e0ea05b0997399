//! Tests of the engine: the same requests under both profiles, on the same kind of store.

use super::*;
use crate::scim::{AWS, ENTERPRISE, GROUP, RFC, USER, generic::MemoryStore};

const BASE: &str = "http://127.0.0.1:1/scim/v2";

/// A service with a user `ada` and a group `admins`, whose only member is `ada`.
struct Service {
    profile: &'static Profile,
    store: MemoryStore,
    ada: String,
    admins: String,
}

impl Service {
    fn new(profile: &'static Profile) -> Self {
        let mut service = Self {
            profile,
            store: MemoryStore::new(BASE.to_owned()),
            ada: String::new(),
            admins: String::new(),
        };
        service.ada = service.create("/Users", &user());
        let member = json!({ "value": service.ada });
        let admins = json!({ "schemas": [GROUP], "displayName": "admins", "members": [member] });
        service.admins = service.create("/Groups", &admins);
        service
    }

    fn create(&mut self, path: &str, body: &Value) -> String {
        let (status, body) = self.send("POST", path, body);
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().expect("an id").to_owned()
    }

    /// Sends a request whose path and body may contain `{ada}` and `{admins}` for the ids.
    fn send(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let with_ids = |text: &str| {
            text.replace("{ada}", &self.ada)
                .replace("{admins}", &self.admins)
        };
        let (path, body) = (with_ids(path), with_ids(&body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(path.replace(' ', "%20").replace('"', "%22"))
            .header("content-type", "application/scim+json")
            .body(Bytes::from(body))
            .expect("a request");
        let response = Exchange {
            profile: self.profile,
            store: &mut self.store,
            base: BASE,
            request: &request,
            below: Some(request.uri().path()),
            authorized: true,
            options: &ScimOptions::default(),
            max_page_size: None,
            now: Timestamp::UNIX_EPOCH,
            request_id: "1",
        }
        .respond();
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        (response.status().as_u16(), body)
    }
}

fn user() -> Value {
    json!({
        "schemas": [USER],
        "userName": "ada",
        "displayName": "Ada",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
    })
}

/// Returns another user with one changed attribute.
fn user_with(name: &str, value: Value) -> Value {
    let mut body = user();
    body["userName"] = "eve".into();
    body[name] = value;
    body
}

fn patch(operation: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
}

/// A method, a path, a body, the status of the RFC profile, and the status of the AWS profile.
type Row = (&'static str, &'static str, Value, u16, u16);

#[track_caller]
fn assert_statuses(rows: &[Row]) {
    for (method, path, body, rfc, aws) in rows {
        for (profile, expected) in [(&RFC, *rfc), (&AWS, *aws)] {
            let (status, answer) = Service::new(profile).send(method, path, body);
            assert_eq!(status, expected, "{method} {path} {body}: {answer}");
        }
    }
}

#[test]
fn the_aws_profile_refuses_endpoints_and_methods_of_the_rfc() {
    let group = json!({ "schemas": [GROUP], "displayName": "x" });
    assert_statuses(&[
        ("PUT", "/Groups/{admins}", group, 200, 400),
        ("POST", "/.search", json!({}), 200, 400),
        ("POST", "/Users/.search", json!({}), 200, 400),
        ("POST", "/Bulk", json!({}), 501, 400),
        ("GET", "/Me", Value::Null, 501, 400),
        ("DELETE", "/Users", Value::Null, 405, 400),
        ("POST", "/Schemas", json!({}), 405, 404),
        ("GET", "/ResourceTypes/User", Value::Null, 200, 404),
        ("GET", "/Users/", Value::Null, 200, 404),
    ]);
}

#[test]
fn the_aws_profile_refuses_page_sizes_and_filters_of_the_rfc() {
    for query in [
        "count=0",
        "count=101",
        r#"filter=userName sw "a""#,
        r#"filter=not (userName eq "x")"#,
        r#"filter=userName eq "x" or id eq "y""#,
        r#"filter=displayName eq "x""#,
        r#"filter=emails[type eq "work"]"#,
        "filter=active eq true",
    ] {
        for (profile, expected) in [(&RFC, 200), (&AWS, 400)] {
            let path = format!("/Users?{query}");
            let (status, answer) = Service::new(profile).send("GET", &path, &Value::Null);
            assert_eq!(status, expected, "{query}: {answer}");
        }
    }
}

#[test]
fn the_aws_profile_refuses_attributes_of_the_rfc() {
    for (name, value) in [
        ("USERNAME", json!("eve")),
        ("displayName", json!("")),
        ("displayName", json!("a:b")),
        ("displayName", Value::Null),
        ("name", json!({ "givenName": "E" })),
        ("password", json!("secret")),
        ("groups", json!([{ "value": "g" }])),
        ("photos", json!([{ "value": "u:1" }])),
        ("emails", json!([{ "value": "e" }])),
        ("roles", json!([{ "value": "1" }, { "value": "2" }])),
        ("addresses", json!([{ "country": "GB" }])),
        (ENTERPRISE, json!({ "manager": { "value": null } })),
    ] {
        assert_statuses(&[("POST", "/Users", user_with(name, value), 201, 400)]);
    }
    let renamed = user_with("id", json!("another"));
    assert_statuses(&[("PUT", "/Users/{ada}", renamed, 200, 400)]);
}

#[test]
fn the_aws_profile_refuses_members_of_the_rfc() {
    let members: Vec<Value> = (0..101).map(|_| json!({ "value": "{ada}" })).collect();
    for (members, rfc, aws) in [
        (json!(members), 201, 400),
        (json!([{ "value": "{ada}", "type": "Group" }]), 201, 400),
        (json!([{ "value": "none" }]), 400, 404),
    ] {
        let group = json!({ "schemas": [GROUP], "displayName": "x", "members": members });
        assert_statuses(&[("POST", "/Groups", group, rfc, aws)]);
    }
    for operation in [
        json!({ "op": "replace", "path": "members", "value": [{ "value": "{ada}" }] }),
        json!({ "op": "remove", "path": "members" }),
        json!({ "op": "remove", "path": "members[type eq \"User\"]" }),
        json!({ "op": "add", "path": "members", "value": members }),
    ] {
        assert_statuses(&[("PATCH", "/Groups/{admins}", patch(&operation), 200, 400)]);
    }
}

#[test]
fn the_aws_profile_refuses_operations_of_the_rfc() {
    for operation in [
        json!({ "op": "replace", "value": { "title": "x", "nickName": "y" } }),
        json!({ "op": "replace", "path": "title", "value": null }),
        json!({ "op": "remove", "path": "active" }),
        json!({ "op": "add", "path": "roles", "value": [{ "value": "x" }] }),
        json!({ "op": "add", "path": "phoneNumbers", "value": { "value": "1" } }),
        json!({ "op": "remove", "path": "emails[primary eq true]" }),
    ] {
        assert_statuses(&[("PATCH", "/Users/{ada}", patch(&operation), 200, 400)]);
    }
}

#[test]
fn the_aws_profile_accepts_what_the_rfc_profile_refuses() {
    let requests = [
        (
            "/Users/{ada}",
            json!({ "op": "replace", "path": "active", "value": "False" }),
            200,
        ),
        (
            "/Users/{ada}",
            json!({ "op": "remove", "path": "title", "value": "x" }),
            200,
        ),
        (
            "/Users/{ada}",
            json!({ "op": "replace", "path": "enterprise.department", "value": "x" }),
            200,
        ),
        (
            "/Groups/{admins}",
            json!({ "op": "remove", "path": "members", "value": [{ "value": "{ada}" }] }),
            204,
        ),
    ];
    for (path, operation, aws) in requests {
        for (profile, expected) in [(&RFC, 400), (&AWS, aws)] {
            let (status, answer) = Service::new(profile).send("PATCH", path, &patch(&operation));
            assert_eq!(status, expected, "{path} {operation}: {answer}");
        }
    }
}

#[test]
fn a_response_has_the_members_of_its_profile() {
    let (mut rfc, mut aws) = (Service::new(&RFC), Service::new(&AWS));
    let (_, group) = rfc.send("GET", "/Groups/{admins}", &Value::Null);
    assert_eq!(group["members"][0]["value"], rfc.ada.as_str());
    assert_eq!(group["meta"]["version"], "W/\"1\"");
    let (_, group) = aws.send("GET", "/Groups/{admins}", &Value::Null);
    assert_eq!(group["members"], json!([]));
    assert!(group["meta"].get("version").is_none() && group["meta"].get("location").is_none());
    let (_, part) = aws.send("GET", "/Users/{ada}?attributes=userName", &Value::Null);
    assert_eq!(part["displayName"], "Ada");
}
