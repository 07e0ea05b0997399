//! Tests of the findings for resources in requests and responses.

use std::fs;

use scim_types::{Schema, Schemas, validate::Direction};
use serde_json::{Value, json};

use crate::corpus;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[track_caller]
fn check(schemas: &Schemas, resource: &Value, direction: Direction<'_>, expected: &[&str]) {
    let findings = schemas.check(resource, direction);
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(texts, expected);
}

#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write `json!` in place"
)]
fn user(attributes: Value, direction: Direction<'_>, expected: &[&str]) {
    let mut user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada"
    });
    let known = user.as_object_mut().expect("a user");
    known.extend(attributes.as_object().expect("attributes").clone());
    check(&Schemas::user(), &user, direction, expected);
}

#[test]
fn a_required_attribute_must_be_present_and_not_empty() {
    check(
        &Schemas::user(),
        &json!({}),
        Direction::Create,
        &[
            "schemas: is required but missing (invalidSyntax)",
            "userName: is required but missing (invalidValue)",
        ],
    );
    user(
        json!({"userName": ""}),
        Direction::Create,
        &["userName: is required but empty (invalidValue)"],
    );
    user(
        json!({"userName": null}),
        Direction::Create,
        &["userName: is required but missing (invalidValue)"],
    );
    check(
        &Schemas::group(),
        &json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}),
        Direction::Create,
        &[
            "schemas: does not contain `urn:ietf:params:scim:schemas:core:2.0:Group` (invalidSyntax)",
            "displayName: is required but missing (invalidValue)",
        ],
    );
    check(
        &Schemas::unknown(),
        &json!({"a": 1}),
        Direction::Create,
        &["schemas: is required but missing (invalidSyntax)"],
    );
    check(
        &Schemas::user(),
        &json!("ada"),
        Direction::Create,
        &["the resource is not an object (invalidSyntax)"],
    );
}

#[test]
fn a_response_needs_an_id_and_may_be_partial() {
    check(
        &Schemas::user(),
        &json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "title": "Dr."}),
        Direction::Response,
        &["id: is required but missing (invalidValue)"],
    );
    user(
        json!({"id": "1", "password": "x", "groups": [{"value": "g"}]}),
        Direction::Response,
        &["password: must never be returned (invalidValue)"],
    );
}

#[test]
fn a_read_only_attribute_is_ignored_in_a_request() {
    for direction in [Direction::Create, Direction::replace(&json!({"id": "2"}))] {
        user(
            json!({"id": "1", "meta": {"created": "yesterday"}, "groups": []}),
            direction,
            &[
                "id: is read-only and ignored",
                "meta: is read-only and ignored",
            ],
        );
    }
    user(
        json!({"id": "1", "meta": {"created": "yesterday"}}),
        Direction::Response,
        &["meta.created: is not a dateTime, such as 2011-05-13T04:42:34Z (invalidValue)"],
    );
}

#[test]
fn at_most_one_value_is_primary() {
    user(
        json!({"emails": [{"primary": true}, {"primary": "True"}, {"primary": false}]}),
        Direction::Create,
        &[
            "emails[1].primary: is a boolean written as a string",
            "emails: has more than one primary value (invalidValue)",
        ],
    );
}

#[test]
fn a_value_must_have_the_type_in_its_schema() {
    user(
        json!({
            "active": 1, "title": ["Dr."], "emails": {"value": "a"}, "name": "Ada",
            "phoneNumbers": ["1"], "nickName": null
        }),
        Direction::Create,
        &[
            "active: must be a boolean, not a number (invalidValue)",
            "emails: must be a list of values (invalidValue)",
            "name: must be an object, not a string (invalidValue)",
            "phoneNumbers[0]: must be an object, not a string (invalidValue)",
            "title: must be a single value, not a list (invalidValue)",
        ],
    );
}

#[test]
fn a_boolean_as_a_string_is_tolerated_in_requests_but_not_in_responses() {
    user(
        json!({"active": "False"}),
        Direction::Create,
        &["active: is a boolean written as a string"],
    );
    user(
        json!({"id": "1", "active": "False"}),
        Direction::Response,
        &["active: is a boolean written as a string (invalidValue)"],
    );
}

#[test]
fn a_string_must_have_the_format_that_the_rfc_requires() {
    user(
        json!({
            "profileUrl": "my page", "locale": "en_GB",
            "addresses": [{"country": "England"}, {"country": "GB"}],
            "photos": [{"value": "https://example.com/a.png"}],
            "x509Certificates": [{"value": "MII="}, {"value": "-----BEGIN CERTIFICATE"}]
        }),
        Direction::Create,
        &[
            "addresses[0].country: is not a two-letter country code (ISO 3166-1)",
            "locale: is not a language tag, such as en-GB",
            "profileUrl: is not a URI (invalidValue)",
            "x509Certificates[1].value: is not Base64 (invalidValue)",
        ],
    );
    user(
        json!({"id": "1", "locale": "en_GB", "addresses": [{"country": "England"}]}),
        Direction::Response,
        &[
            "addresses[0].country: is not a two-letter country code (ISO 3166-1) (invalidValue)",
            "locale: is not a language tag, such as en-GB (invalidValue)",
        ],
    );
}

#[test]
fn an_unknown_attribute_is_tolerated_but_a_duplicate_is_not() {
    user(
        json!({"shoeSize": 37, "USERNAME": "bob", "name": {"nick": "A"}}),
        Direction::Create,
        &[
            "name.nick: is not in the schema",
            "shoeSize: is not in the schema",
            "userName: occurs more than once (invalidSyntax)",
        ],
    );
}

#[test]
fn a_response_must_declare_an_extension_but_a_request_need_not() {
    let attributes = json!({
        "id": "1", ENTERPRISE: {"department": 7, "x": 1}, "urn:acme:2.0:User": {"any": [1]},
        "urn:acme:2.0:Empty": {}
    });
    user(
        attributes.clone(),
        Direction::Create,
        &[
            "id: is read-only and ignored",
            "urn:acme:2.0:User: is not declared in `schemas`",
            &format!("{ENTERPRISE}: is not declared in `schemas`"),
            &format!("{ENTERPRISE}:department: must be a string, not a number (invalidValue)"),
            &format!("{ENTERPRISE}:x: is not in the schema"),
        ],
    );
    user(
        attributes,
        Direction::Response,
        &[
            "urn:acme:2.0:User: is not declared in `schemas` (invalidSyntax)",
            &format!("{ENTERPRISE}: is not declared in `schemas` (invalidSyntax)"),
            &format!("{ENTERPRISE}:department: must be a string, not a number (invalidValue)"),
            &format!("{ENTERPRISE}:x: is not in the schema"),
        ],
    );
}

#[test]
fn an_immutable_attribute_must_keep_its_value_in_a_replacement() {
    let schema: Schema = serde_json::from_value(json!({
        "id": "urn:acme:2.0:Device",
        "attributes": [
            {"name": "serial", "type": "string", "mutability": "immutable"},
            {"name": "size", "type": "integer"},
            {"name": "weight", "type": "decimal"}
        ]
    }))
    .unwrap();
    let schemas = Schemas::new(&schema, &[]).unwrap();
    let device = |serial: Value| json!({"schemas": ["urn:acme:2.0:Device"], "serial": serial});
    let changed = "serial: is immutable and cannot be changed (mutability)";
    for (before, after, expected) in [
        (json!("a"), json!("a"), vec![]),
        (Value::Null, json!("a"), vec![]),
        (json!("a"), json!("b"), vec![changed]),
        (json!("a"), Value::Null, vec![changed]),
    ] {
        let before = device(before);
        check(
            &schemas,
            &device(after),
            Direction::replace(&before),
            &expected,
        );
    }
    check(
        &schemas,
        &json!({"schemas": ["urn:acme:2.0:Device"], "size": 1.5, "weight": "2.5"}),
        Direction::Create,
        &[
            "size: must be an integer, not a number (invalidValue)",
            "weight: is a number written as a string",
        ],
    );
}

#[test]
fn a_finding_contains_its_path_its_kind_and_its_severity() {
    let findings = Schemas::group().check(
        &json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": 7, "x": 1}),
        Direction::Create,
    );
    let [wrong, tolerated] = findings.as_slice() else {
        panic!("expected two findings")
    };
    assert_eq!(
        (wrong.path(), wrong.problem()),
        ("displayName", "must be a string, not a number")
    );
    assert_eq!(wrong.scim_type(), Some(&scim_types::ScimType::InvalidValue));
    assert!(wrong.is_error());
    assert!(!tolerated.is_error() && tolerated.scim_type().is_none());
}

#[test]
fn the_users_and_groups_of_the_rfcs_and_of_clients_have_no_errors() {
    let mut checked = 0;
    for (set, start) in [
        ("rfc-json", "rfc7643-8."),
        ("rfc-json", "rfc7644-3.3-"),
        ("okta", "traffic"),
    ] {
        let Some(folder) = corpus::folder(set) else {
            return;
        };
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !name.starts_with(start) {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a readable file");
            let document: Value = serde_json::from_str(&text).expect("JSON");
            let bodies = document
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| &one["body"]);
            for resource in bodies.chain([&document]) {
                let schemas = Schemas::of(resource);
                if schemas == Schemas::unknown() {
                    continue;
                }
                let direction = if resource.get("id").is_some() {
                    Direction::Response
                } else {
                    Direction::Create
                };
                let errors = schemas.check(resource, direction).into_iter();
                let errors: Vec<_> = errors
                    .filter(scim_types::validate::Finding::is_error)
                    .collect();
                let paths: Vec<_> = errors
                    .iter()
                    .map(scim_types::validate::Finding::path)
                    .collect();
                // The full user in RFC 7643 violates two rules of that RFC.
                let known: &[&str] = match name.as_str() {
                    "rfc7643-8.2-user-full.json" | "rfc7643-8.3-enterprise_user.json" => {
                        &["addresses[0].country", "addresses[1].country", "password"]
                    }
                    _ => &[],
                };
                assert_eq!(paths, known, "{name}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 8, "only {checked} resources were checked");
}
