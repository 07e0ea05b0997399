//! The rights as data.

use okta_client::rights;
use serde_json::{Value, json};

use super::operations;

#[test]
fn the_rights_are_those_of_the_contract() {
    let mut data: Vec<(String, Value)> = rights::operations()
        .iter()
        .map(|operation| (operation.to_string(), json!(operation.scopes())))
        .collect();
    let mut described: Vec<(String, Value)> = operations()
        .iter()
        .map(|(name, facts)| (name.clone(), facts["scopes"].clone()))
        .collect();
    data.sort_by(|a, b| a.0.cmp(&b.0));
    described.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(data, described);
}

#[test]
fn an_operation_is_found_by_the_path_of_a_request() {
    let found = |method, path| rights::operation(method, path).map(ToString::to_string);
    for (method, path, expected) in [
        (
            "GET",
            "/api/v1/groups/rules",
            Some("GET /api/v1/groups/rules"),
        ),
        (
            "GET",
            "/api/v1/groups/00g1",
            Some("GET /api/v1/groups/{groupId}"),
        ),
        ("GET", "/api/v1/users/me", Some("GET /api/v1/users/{id}")),
        ("PATCH", "/api/v1/users/me", None),
        ("GET", "/api/v1/users/", None),
        ("GET", "/api/v1/apps/0oa1/users/00u1/x", None),
    ] {
        assert_eq!(found(method, path).as_deref(), expected, "{method} {path}");
    }
}
