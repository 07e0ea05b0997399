//! Tests of the profile through the shared engine: filters, paths, users and PATCH.

use serde_json::{Map, Value, json};

use super::*;
use crate::scim::{
    Resource, document, filter::Filter, patch::patched, path::Path, profile::ResourceType,
    reply::Refusal,
};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const INVALID: &str = "Request is unparsable, syntactically incorrect, or violates schema.";

fn users() -> ResourceType {
    AWS.resource_type(Resource::User)
}

fn groups() -> ResourceType {
    AWS.resource_type(Resource::Group)
}

/// Returns the result, or the status and the message that the service sends.
fn sent<T>(result: Result<T, Refusal>) -> Result<T, (u16, String)> {
    result.map_err(|refusal| {
        (
            refusal.status(&AWS.errors),
            refusal.detail(&AWS.errors).to_owned(),
        )
    })
}

#[track_caller]
fn assert_refused<T>(result: Result<T, Refusal>, what: &str) {
    let outcome = sent(result.map(|_| ()));
    assert_eq!(outcome, Err((400, INVALID.to_owned())), "{what}");
}

fn body() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "00u1",
        "userName": "ada@example.com",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "displayName": "Ada Lovelace",
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
        "active": true,
    })
}

fn read(body: &Value) -> Result<Map<String, Value>, Refusal> {
    document::read(users(), body.as_object().expect("an object"))
}

fn with(name: &str, value: Value) -> Result<Map<String, Value>, Refusal> {
    let mut body = body();
    body[name] = value;
    read(&body)
}

#[track_caller]
fn assert_invalid(name: &str, value: Value) {
    let text = value.to_string();
    assert_refused(with(name, value), &format!("{name}: {text}"));
}

fn ada() -> Map<String, Value> {
    let body = json!({
        "userName": "ada@example.com",
        "name": { "givenName": "Ada", "familyName": "Lovelace", "middleName": "King" },
        "displayName": "Ada",
        "title": "Countess",
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
        ENTERPRISE: { "department": "Engines" },
    });
    read(&body).expect("a user")
}

fn patch_of(
    resource_type: ResourceType,
    before: &Map<String, Value>,
    operations: &Value,
) -> Result<Map<String, Value>, Refusal> {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    let body = body.as_object().expect("an object");
    patched(resource_type, before, before, body, &[]).map(|patched| patched.attributes)
}

fn patch(operations: &Value) -> Result<Map<String, Value>, Refusal> {
    patch_of(users(), &ada(), operations)
}

#[track_caller]
fn assert_patch_invalid(operations: &Value) {
    assert_refused(patch(operations), &operations.to_string());
}

#[test]
fn the_filters_of_the_developer_guide_are_accepted() {
    for text in [
        r#"userName eq "ada@example.com""#,
        r#"externalId eq "00u1""#,
        r#"id eq "1""#,
        r#"groups.value eq "g""#,
        r#"id eq "1" and manager eq "2""#,
        r#"manager eq "2" and id eq "1""#,
    ] {
        assert!(Filter::read(text, users()).is_ok(), "{text}");
    }
    for text in [
        r#"displayName eq "a \"b\"""#,
        r#"externalId eq "00g1""#,
        r#"members.value eq "u""#,
        r#"id eq "g" and members eq "u""#,
        r#"member eq "u" and id eq "g""#,
    ] {
        assert!(Filter::read(text, groups()).is_ok(), "{text}");
    }
}

#[test]
fn every_other_filter_is_rejected() {
    for text in [
        "",
        "userName",
        r#"userName eq """#,
        r#"userName co "ada""#,
        "userName eq ada",
        "active eq true",
        r#"userName eq "ada"#,
        r#"userName eq "ada" or userName eq "eve""#,
        r#"userName eq "ada" and externalId eq "1""#,
        r#"id eq "1" and manager eq "2" and userName eq "ada""#,
        r#"id eq "1" and id eq "1""#,
        r#"id eq "1" and members eq "2""#,
        r#"manager eq "2""#,
        r#"not (userName eq "ada")"#,
        r#"(userName eq "ada")"#,
        r#"emails[type eq "work"]"#,
        r#"emails.value eq "ada@example.com""#,
        r#"displayName eq "Ada""#,
        r#"members.value eq "u""#,
        "userName pr",
    ] {
        assert_refused(Filter::read(text, users()), text);
    }
    for text in [
        r#"userName eq "ada""#,
        r#"groups.value eq "g""#,
        r#"members eq "u""#,
        r#"id eq "g" and members.value eq "u""#,
        r#"id eq "g" and manager eq "u""#,
    ] {
        assert_refused(Filter::read(text, groups()), text);
    }
}

#[test]
fn a_path_selects_an_attribute_a_value_or_a_sub_attribute() {
    for text in [
        "active",
        "name.givenName",
        r#"emails[type eq "a]b"]"#,
        r#"emails[type eq "work"].value"#,
        "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
        ENTERPRISE,
        &format!("{ENTERPRISE}:department"),
        "enterprise",
        "enterprise.manager.value",
    ] {
        assert!(Path::read(text, users()).is_ok(), "{text}");
    }
}

#[test]
fn every_other_path_is_rejected() {
    for text in [
        "",
        ".value",
        "emails[",
        r#"emails[type co "work"]"#,
        r#"emails[type eq "work" and primary eq true]"#,
        r#"emails[(type eq "work")]"#,
        "emails[primary eq true]",
        r#"emails[type eq "work"]value"#,
        "emails[type eq work]",
        "enterprises",
        "manager",
        "UserName",
        "a b",
    ] {
        assert_refused(Path::read(text, users()), text);
    }
    for text in [
        "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
        "enterprise",
    ] {
        assert_refused(Path::read(text, groups()), text);
    }
}

#[test]
fn a_valid_user_is_accepted() {
    let read = read(&body()).expect("a user");
    for name in [
        "userName",
        "name",
        "displayName",
        "emails",
        "externalId",
        "active",
    ] {
        assert_eq!(read[name], body()[name], "{name}");
    }
}

#[test]
fn a_user_without_a_required_attribute_is_rejected() {
    for name in ["userName", "name", "displayName"] {
        let mut body = body();
        body.as_object_mut().expect("an object").remove(name);
        assert_refused(read(&body), name);
    }
    assert_invalid("name", json!({ "givenName": "Ada" }));
    assert_invalid("name", json!({ "familyName": "Lovelace" }));
}

#[test]
fn empty_strings_are_rejected_and_null_counts_as_missing() {
    assert_invalid("title", json!(""));
    assert_invalid("externalId", json!(""));
    assert_invalid("name", json!({ "givenName": "", "familyName": "Lovelace" }));
    with("title", json!(null)).expect("null counts as missing");
    with(
        "name",
        json!({ "givenName": "Ada", "familyName": "Lovelace", "middleName": null }),
    )
    .expect("null counts as missing");
}

/// Reads a user, or a group, with a text in the attribute with this path, such as `name.givenName` or `group displayName`.
fn with_text(path: &str, text: &str) -> Result<Map<String, Value>, Refusal> {
    let is_group = path.starts_with("group ");
    let path = path.trim_start_matches("group ");
    let mut body = if is_group {
        json!({ "displayName": "g" })
    } else {
        body()
    };
    if path.starts_with("addresses.") {
        body["addresses"] = json!([{
            "streetAddress": "1", "locality": "l", "region": "r", "postalCode": "p", "country": "GB",
        }]);
    }
    let mut parts = path.split('.');
    let mut value = &mut body[parts
        .next()
        .expect("a name")
        .replace("enterprise", ENTERPRISE)];
    for part in parts {
        let is_list = ["emails", "addresses", "phoneNumbers", "roles"]
            .iter()
            .any(|name| path.starts_with(name));
        value = if is_list {
            if value.is_null() {
                *value = json!([{}]);
            }
            &mut value[0][part]
        } else {
            &mut value[part]
        };
    }
    *value = text.into();
    if is_group {
        document::read(groups(), body.as_object().expect("an object"))
    } else {
        read(&body)
    }
}

/// The attributes with texts, with the maximum length, and whether a text may have spaces and the characters `<>;:%`.
const TEXTS: [(&str, usize, bool, bool); 31] = [
    ("userName", 128, false, false),
    ("externalId", 256, false, true),
    ("displayName", 1024, true, false),
    ("name.formatted", 1024, true, false),
    ("name.familyName", 1024, true, false),
    ("name.givenName", 1024, true, false),
    ("name.middleName", 1024, true, false),
    ("name.honorificPrefix", 1024, true, false),
    ("name.honorificSuffix", 1024, true, false),
    ("nickName", 1024, true, false),
    ("profileUrl", 1024, true, true),
    ("title", 1024, true, false),
    ("userType", 1024, true, false),
    ("preferredLanguage", 1024, true, false),
    ("locale", 1024, true, false),
    ("timezone", 1024, true, false),
    ("emails.value", 1024, true, false),
    ("phoneNumbers.value", 1024, true, false),
    ("roles.value", 1024, true, false),
    ("addresses.streetAddress", 1024, true, false),
    ("addresses.locality", 1024, true, false),
    ("addresses.country", 1024, true, false),
    ("addresses.formatted", 1024, true, false),
    ("enterprise.employeeNumber", 1024, true, false),
    ("enterprise.costCenter", 1024, true, false),
    ("enterprise.organization", 1024, true, false),
    ("enterprise.division", 1024, true, false),
    ("enterprise.department", 1024, true, false),
    ("enterprise.manager.value", 1024, true, true),
    ("group displayName", 1024, true, false),
    ("group externalId", 256, false, true),
];

#[test]
fn a_text_has_the_length_and_the_characters_that_its_attribute_allows() {
    for (path, max, spaces, punctuation) in TEXTS {
        let check = |text: &str, accepted: bool| {
            let outcome = with_text(path, text);
            if accepted {
                outcome.unwrap_or_else(|_| panic!("{path} should accept {text:?}"));
            } else {
                assert_refused(outcome, &format!("{path}: {text:?}"));
            }
        };
        check(&"ü".repeat(max), true);
        check(&"ü".repeat(max + 1), false);
        check("", false);
        check("A-É+🙂'李1.", true);
        for space in [' ', '\u{a0}', '\u{3000}'] {
            check(&format!("a{space}b"), spaces);
        }
        for letter in ['<', '>', ';', ':', '%'] {
            check(&format!("a{letter}b"), punctuation);
        }
        // Control characters, format characters, other white space, private use.
        for letter in [
            '\t', '\n', '\r', '\u{7}', '\u{85}', '\u{ad}', '\u{200b}', '\u{200d}', '\u{2003}',
            '\u{2028}', '\u{202e}', '\u{feff}', '\u{e000}',
        ] {
            check(&format!("a{letter}b"), false);
        }
    }
}

#[test]
fn users_and_groups_cannot_have_reserved_names() {
    for name in ["Administrator", "AWSAdministrators", "administrator"] {
        assert_refused(with_text("userName", name), name);
        assert_refused(with_text("group displayName", name), name);
        with_text("displayName", name).expect("only names that identify are reserved");
        with_text("userName", &format!("{name}2")).expect("another name");
    }
}

#[test]
fn a_user_has_an_email() {
    for emails in [json!(null), json!([])] {
        assert_invalid("emails", emails);
    }
    assert_patch_invalid(&json!([{ "op": "remove", "path": "emails" }]));
}

#[test]
fn a_user_has_at_most_one_email_and_it_must_be_primary() {
    assert_invalid("emails", json!([{ "value": "a@example.com" }]));
    assert_invalid(
        "emails",
        json!([{ "value": "a@example.com", "primary": false }]),
    );
    assert_invalid("emails", json!([{ "primary": true }]));
    assert_invalid(
        "emails",
        json!([{ "value": "a@example.com", "primary": true }, { "value": "b@example.com", "primary": false }]),
    );
    assert_invalid(
        "emails",
        json!([{ "value": "a@example.com", "primary": true, "display": "Ada" }]),
    );
}

#[test]
fn phone_numbers_and_roles_have_at_most_one_value() {
    for name in ["phoneNumbers", "roles"] {
        with(name, json!([{ "value": "1", "type": "work" }])).expect("a single value is accepted");
        assert_invalid(name, json!([{ "value": "1" }, { "value": "2" }]));
        assert_invalid(name, json!([{ "value": "1" }, {}]));
    }
}

#[test]
fn an_incomplete_address_is_rejected() {
    let whole = json!({ "streetAddress": "1", "locality": "l", "region": "r", "postalCode": "p", "country": "GB" });
    with("addresses", json!([whole])).expect("an address");
    assert_invalid(
        "addresses",
        json!([{ "streetAddress": "1", "country": "GB" }]),
    );
}

#[test]
fn unsupported_attributes_are_rejected_unless_they_are_empty() {
    for name in ["password", "nonsense"] {
        assert_invalid(name, json!("x"));
    }
    for name in [
        "photos",
        "ims",
        "x509Certificates",
        "entitlements",
        "groups",
    ] {
        assert_invalid(name, json!([{ "value": "x" }]));
        with(name, json!([])).expect("an empty list counts as missing");
    }
}

#[test]
fn values_of_the_wrong_type_are_rejected() {
    assert_invalid("active", json!("true"));
    assert_invalid("title", json!(1));
    assert_invalid(
        "emails",
        json!({ "value": "a@example.com", "primary": true }),
    );
    assert_invalid("schemas", json!([ENTERPRISE]));
    assert_invalid("schemas", json!(USER));
    with("schemas", json!([])).expect("an empty list counts as missing");
}

#[test]
fn only_the_id_of_a_manager_is_stored() {
    let read = with(
        ENTERPRISE,
        json!({ "manager": { "value": "1", "$ref": "../Users/1" } }),
    )
    .expect("a manager");
    assert_eq!(read[ENTERPRISE], json!({ "manager": { "value": "1" } }));
    assert_invalid(
        ENTERPRISE,
        json!({ "manager": { "value": "1", "displayName": "Boss" } }),
    );
    assert_invalid(ENTERPRISE, json!({ "floor": "1" }));
}
#[test]
fn active_may_be_a_boolean_or_its_text() {
    for value in [json!(false), json!("false"), json!("False")] {
        let after =
            patch(&json!([{ "op": "replace", "path": "active", "value": value }])).expect("a user");
        assert_eq!(after["active"], false);
    }
    let after = patch(&json!([{ "op": "Replace", "value": { "active": false } }])).expect("a user");
    assert_eq!(after["active"], false);
    assert_patch_invalid(&json!([{ "op": "replace", "path": "active", "value": "no" }]));
}

#[test]
fn user_name_and_active_can_be_changed_once_per_request_and_not_removed() {
    assert_patch_invalid(&json!([{ "op": "remove", "path": "active" }]));
    assert_patch_invalid(&json!([{ "op": "remove", "path": "userName" }]));
    assert_patch_invalid(&json!([
        { "op": "replace", "path": "active", "value": false },
        { "op": "replace", "path": "active", "value": true },
    ]));
}

#[test]
fn a_sub_attribute_can_be_changed_alone() {
    let after = patch(&json!([
        { "op": "replace", "path": "name.givenName", "value": "Augusta" },
        { "op": "add", "path": "emails[type eq \"work\"].value", "value": "augusta@example.com" },
        { "op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": "1" },
        { "op": "remove", "path": "name.middleName" },
    ]))
    .expect("a user");
    assert_eq!(
        after["name"],
        json!({ "givenName": "Augusta", "familyName": "Lovelace" })
    );
    assert_eq!(after["emails"][0]["value"], "augusta@example.com");
    let extension = json!({ "department": "Engines", "manager": { "value": "1" } });
    assert_eq!(after[ENTERPRISE], extension);
}

#[test]
fn a_patch_that_makes_the_user_invalid_is_rejected() {
    assert_patch_invalid(&json!([{ "op": "remove", "path": "displayName" }]));
    assert_patch_invalid(&json!([{ "op": "remove", "path": "name.givenName" }]));
    assert_patch_invalid(&json!([{ "op": "replace", "path": "title", "value": "" }]));
    assert_patch_invalid(
        &json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@example.com", "primary": true }] }]),
    );
    assert_patch_invalid(
        &json!([{ "op": "replace", "path": "emails", "value": [{ "value": "b@example.com" }] }]),
    );
}

#[test]
fn incomplete_and_unsupported_operations_are_rejected() {
    assert_patch_invalid(&json!([]));
    assert_patch_invalid(&json!([{ "op": "remove" }]));
    assert_patch_invalid(&json!([{ "op": "replace", "path": "title" }]));
    assert_patch_invalid(&json!([{ "op": "move", "path": "title", "value": "x" }]));
    assert_patch_invalid(&json!([{ "op": "replace", "path": "password", "value": "x" }]));
    assert_patch_invalid(
        &json!([{ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x@example.com" }]),
    );
    assert_patch_invalid(
        &json!([{ "op": "replace", "path": "emails[type co \"work\"].value", "value": "x@example.com" }]),
    );
    let without_schemas = json!({ "Operations": [{ "op": "remove", "path": "title" }] });
    let body = without_schemas.as_object().expect("an object");
    assert_refused(patched(users(), &ada(), &ada(), body, &[]), "no schemas");
}

#[test]
fn an_operation_without_a_path_changes_a_single_attribute() {
    let message = AWS.patch.single_attribute_message.expect("a message");
    for value in [
        json!({ "title": "x", "active": false }),
        json!({ "id": "1" }),
    ] {
        let refused = sent(patch(&json!([{ "op": "replace", "value": value }])));
        assert_eq!(refused, Err((400, message.to_owned())));
    }
}

#[test]
fn values_are_replaced_and_merged_like_in_the_developer_guide() {
    let after = patch(&json!([
        { "op": "replace", "path": "name", "value": { "familyName": "King", "middleName": null } },
        { "op": "replace", "path": "enterprise", "value": { "costCenter": "1" } },
        { "op": "add", "value": { "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "division": "2" } } },
        { "op": "remove", "path": "title", "value": "ignored" },
    ]))
    .expect("a user");
    assert_eq!(
        after["name"],
        json!({ "givenName": "Ada", "familyName": "King" })
    );
    assert_eq!(
        after[ENTERPRISE],
        json!({ "costCenter": "1", "division": "2" })
    );
    assert!(!after.contains_key("title"));
}

#[test]
fn values_that_the_rfc_leaves_to_the_service_are_rejected() {
    for operation in [
        json!({ "op": "replace", "path": "title", "value": null }),
        json!({ "op": "replace", "value": { "active": null } }),
        json!({ "op": "add", "value": { "displayName": null } }),
        json!({ "op": "add", "path": "phoneNumbers", "value": { "value": "1" } }),
        json!({ "op": "add", "path": "emails[type eq \"work\"]", "value": { "value": "b@example.com" } }),
        json!({ "op": "remove", "path": "emails[type eq \"home\"].type" }),
        json!({ "op": "replace", "path": "roles", "value": [{ "value": "x" }] }),
        json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }),
        json!({ "op": "replace", "path": ENTERPRISE, "value": { "schemas": [ENTERPRISE] } }),
        json!({ "op": "replace", "path": "emails", "value": [null] }),
        json!({ "op": "replace", "path": "meta", "value": {} }),
    ] {
        assert_patch_invalid(&json!([operation]));
    }
}
