//! Fixtures for patch tests: a user, a group, and checks of the result.

use std::error::Error;

use scim_types::{PatchOp, patch::Options};
use serde_json::{Value, json};

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub(crate) fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "u-1",
        "userName": "ada",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
        "title": "Countess",
        "emails": [
            {"value": "ada@work.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"}
        ]
    })
}

pub(crate) fn admins() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "g-1",
        "displayName": "admins",
        "members": [{"value": "u-1", "display": "Ada"}, {"value": "u-2"}]
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write `json!` in place"
)]
pub(crate) fn patch(operations: Value) -> PatchOp {
    serde_json::from_value(json!({ "Operations": operations })).expect("operations")
}

/// Checks that operations change the given attributes of a resource, and no others.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write `json!` in place"
)]
pub(crate) fn changes(resource: &Value, options: &Options, operations: Value, expected: Value) {
    let patched = patch(operations).apply(resource, options);
    let patched = patched.unwrap_or_else(|error| panic!("{error}: {:?}", error.source()));
    let mut expected_resource = resource.clone();
    for (name, value) in expected.as_object().expect("attributes") {
        let attributes = expected_resource.as_object_mut().expect("a resource");
        match value {
            Value::Null => attributes.remove(name),
            value => attributes.insert(name.clone(), value.clone()),
        };
    }
    assert_eq!(patched, expected_resource);
}

#[track_caller]
pub(crate) fn user(operations: Value, expected: Value) {
    changes(&ada(), &Options::default(), operations, expected);
}

#[track_caller]
pub(crate) fn group(operations: Value, expected: Value) {
    changes(&admins(), &Options::default(), operations, expected);
}

/// Checks that operations are refused, and compares the messages of the error and its source.
#[track_caller]
pub(crate) fn refused_with(resource: &Value, options: &Options, operations: Value, expected: &str) {
    let error = patch(operations)
        .apply(resource, options)
        .expect_err("a refusal");
    let source = error.source().map(|source| format!(": {source}"));
    let text = format!(
        "{} {error}{}",
        error.scim_type(),
        source.unwrap_or_default()
    );
    assert_eq!(text, expected);
}

#[track_caller]
pub(crate) fn refused(operations: Value, expected: &str) {
    refused_with(&ada(), &Options::default(), operations, expected);
}
