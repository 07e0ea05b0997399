//! Tests of the computation of the patch that changes one resource into another.

use scim_types::{
    Group, PatchOp, PatchOperation, Schemas, User,
    patch::{AbsentAttributes, DiffError, Options},
};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Checks the operations between two resources, and that they change the first into the second.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write `json!` in place"
)]
fn check(before: &Value, after: &Value, options: &Options, expected: Value) {
    let patch = PatchOp::diff(before, after, options).expect("two resources");
    let patch = patch.expect("a difference");
    let written = serde_json::to_value(&patch).expect("a patch");
    assert_eq!(written["Operations"], expected);
    if options.absent == AbsentAttributes::Remove {
        assert_eq!(patch.apply(before, options).expect("a change"), *after);
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write `json!` in place"
)]
fn user(attributes: Value) -> Value {
    let mut user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada"
    });
    let extended = attributes.get(ENTERPRISE).is_some();
    let known = user.as_object_mut().expect("a user");
    known.extend(attributes.as_object().expect("attributes").clone());
    if extended {
        user["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]);
    }
    user
}

fn group(ids: &[&str]) -> Value {
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "admins",
        "members": members
    })
}

#[track_caller]
fn users(before: Value, after: Value, expected: Value) {
    check(&user(before), &user(after), &Options::default(), expected);
}

#[test]
fn equivalent_resources_need_no_patch() {
    let before = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1", "meta": {"version": "a"}, "groups": [{"value": "g"}],
        "userName": "ada", "title": null, "emails": [{"value": "a"}, {"value": "b", "type": null}],
        ENTERPRISE: {"manager": {"value": "m", "displayName": "M"}}
    });
    let after = json!({
        "USERNAME": "ada", "emails": [{"value": "b"}, {"Value": "a"}], "phoneNumbers": [],
        ENTERPRISE: {"manager": {"value": "m"}, "department": null}
    });
    let patch = PatchOp::diff(&before, &after, &Options::default());
    assert_eq!(patch.unwrap(), None);
}

#[test]
fn one_value_is_added_replaced_or_removed() {
    users(
        json!({"title": "Dr.", "nickName": "A", "active": true}),
        json!({"title": "Countess", "active": true, "locale": "en-GB"}),
        json!([
            {"op": "remove", "path": "nickName"},
            {"op": "replace", "path": "title", "value": "Countess"},
            {"op": "add", "path": "locale", "value": "en-GB"}
        ]),
    );
}

#[test]
fn only_the_sub_attributes_that_differ_are_patched() {
    users(
        json!({"name": {"givenName": "A", "familyName": "L"}}),
        json!({"name": {"givenName": "Ada", "familyName": "L"}}),
        json!([{"op": "replace", "path": "name.givenName", "value": "Ada"}]),
    );
    users(
        json!({"name": {"givenName": "A", "familyName": "L", "middleName": "K"}}),
        json!({"name": {"givenName": "Ada", "familyName": "Lovelace"}}),
        json!([
            {"op": "remove", "path": "name.middleName"},
            {"op": "replace", "path": "name", "value": {"givenName": "Ada", "familyName": "Lovelace"}}
        ]),
    );
    users(
        json!({"name": {"givenName": "A"}}),
        json!({}),
        json!([{"op": "remove", "path": "name"}]),
    );
}

#[test]
fn new_elements_are_added_to_a_list_and_any_other_change_replaces_it() {
    let (work, home) = (
        json!({"value": "w", "primary": true}),
        json!({"value": "h"}),
    );
    users(
        json!({"emails": [work]}),
        json!({"emails": [work, home]}),
        json!([{"op": "add", "path": "emails", "value": [home]}]),
    );
    users(
        json!({"emails": [work, home]}),
        json!({"emails": [home]}),
        json!([{"op": "replace", "path": "emails", "value": [home]}]),
    );
    // `add` cannot create duplicate elements.
    users(
        json!({"emails": [home]}),
        json!({"emails": [home, home]}),
        json!([{"op": "replace", "path": "emails", "value": [home, home]}]),
    );
}

#[test]
fn only_the_changed_members_are_added_and_removed() {
    let options = Options::default();
    check(
        &group(&["a", "b", "c"]),
        &group(&["c", "d", "e"]),
        &options,
        json!([
            {"op": "remove", "path": "members[value eq \"a\"]"},
            {"op": "remove", "path": "members[value eq \"b\"]"},
            {"op": "add", "path": "members", "value": [{"value": "d"}, {"value": "e"}]}
        ]),
    );
    check(
        &group(&["a", "b", "c"]),
        &group(&["c"]),
        &Options::aws_identity_center(),
        json!([{"op": "remove", "path": "members", "value": [{"value": "a"}, {"value": "b"}]}]),
    );
    // A filter would match both members, because filters ignore case.
    check(
        &group(&["a", "A"]),
        &group(&["A"]),
        &options,
        json!([{"op": "replace", "path": "members", "value": [{"value": "A"}]}]),
    );
    // A filter would also match both members here, because filters compare dateTimes as points in time.
    let (time, same) = ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34.0Z");
    check(
        &group(&[time, same]),
        &group(&[same]),
        &options,
        json!([{"op": "replace", "path": "members", "value": [{"value": same}]}]),
    );
    // Other sub-attributes of a member are not compared.
    let shown = json!({"members": [{"value": "a", "display": "Ada", "$ref": "../Users/a"}]});
    let patch = PatchOp::diff(&shown, &json!({"members": [{"value": "a"}]}), &options);
    assert_eq!(patch.unwrap(), None);
}

#[test]
fn all_members_are_removed_at_once_unless_the_server_needs_a_list() {
    let mut empty = group(&[]);
    empty.as_object_mut().unwrap().remove("members");
    check(
        &group(&["a", "b"]),
        &empty,
        &Options::default(),
        json!([{"op": "remove", "path": "members"}]),
    );
    check(
        &group(&["a", "b"]),
        &empty,
        &Options::aws_identity_center(),
        json!([{"op": "remove", "path": "members", "value": [{"value": "a"}, {"value": "b"}]}]),
    );
}

#[test]
fn an_extension_is_added_changed_and_removed() {
    users(
        json!({}),
        json!({ENTERPRISE: {"department": "R"}}),
        json!([{"op": "replace", "value": {ENTERPRISE: {"department": "R"}}}]),
    );
    users(
        json!({ENTERPRISE: {"department": "R", "manager": {"value": "m"}, "division": "D"}}),
        json!({ENTERPRISE: {"department": "S", "manager": {"value": "n"}}}),
        json!([
            {"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "S"},
            {"op": "remove", "path": format!("{ENTERPRISE}:division")},
            {"op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": "n"}
        ]),
    );
    users(
        json!({ENTERPRISE: {"department": "R"}}),
        json!({}),
        json!([{"op": "remove", "path": ENTERPRISE}]),
    );
}

#[test]
fn an_absent_attribute_stays_if_the_resource_contains_only_changes() {
    let stay = Options {
        absent: AbsentAttributes::Keep,
        ..Options::default()
    };
    let before = user(json!({
        "title": "Dr.", "nickName": "A", "emails": [{"value": "a"}],
        "name": {"givenName": "Ada", "familyName": "L", "middleName": "K"},
        ENTERPRISE: {"department": "R", "division": "D"}
    }));
    check(
        &before,
        &json!({"title": null, "name": {"middleName": null, "familyName": "Lovelace"},
                ENTERPRISE: {"division": null}}),
        &stay,
        json!([
            {"op": "remove", "path": "name.middleName"},
            {"op": "replace", "path": "name.familyName", "value": "Lovelace"},
            {"op": "remove", "path": "title"},
            {"op": "remove", "path": format!("{ENTERPRISE}:division")}
        ]),
    );
    check(
        &before,
        &json!({"name": {"middleName": null}, "emails": []}),
        &stay,
        json!([
            {"op": "remove", "path": "emails"},
            {"op": "remove", "path": "name.middleName"}
        ]),
    );
    assert_eq!(PatchOp::diff(&before, &json!({}), &stay).unwrap(), None);
}

#[test]
fn without_a_schema_a_value_of_any_type_replaces_another() {
    let options = Options {
        schemas: Some(Schemas::unknown()),
        ..Options::default()
    };
    for (before, after, expected) in [
        (
            json!([1, 2]),
            json!("x"),
            json!([{"op": "remove", "path": "a"}, {"op": "replace", "path": "a", "value": "x"}]),
        ),
        (
            json!({"b": 1}),
            json!([1]),
            json!([{"op": "replace", "path": "a", "value": [1]}]),
        ),
        (
            json!({"b": {"c": 1, "d": 2}}),
            json!({"b": {"c": 1}}),
            json!([
                {"op": "remove", "path": "a.b"},
                {"op": "replace", "path": "a.b", "value": {"c": 1}}
            ]),
        ),
    ] {
        check(
            &json!({ "a": before }),
            &json!({ "a": after }),
            &options,
            expected,
        );
    }
}

#[test]
fn typed_resources_can_be_compared() {
    let before = User {
        title: Some("Dr.".into()),
        ..User::new("ada")
    };
    let after = User {
        title: None,
        active: Some(false),
        ..User::new("ada")
    };
    let patch = PatchOp::diff(&before, &after, &Options::default()).unwrap();
    assert_eq!(
        patch,
        Some(PatchOp::new(vec![
            PatchOperation::remove("title"),
            PatchOperation::add("active", false),
        ]))
    );
    let renamed = PatchOp::diff(&Group::new("a"), &Group::new("b"), &Options::default());
    assert_eq!(
        renamed.unwrap(),
        Some(PatchOperation::replace("displayName", "b").into())
    );
}

#[test]
fn a_name_that_a_path_cannot_contain_is_an_error() {
    let options = Options::default();
    let error = PatchOp::diff(&json!({}), &json!({"a b": 1}), &options).unwrap_err();
    assert!(matches!(error, DiffError::NoPath { .. }));
    assert_eq!(
        error.to_string(),
        r#"the attribute "a b" differs, but a path cannot contain its name"#
    );
    let error = PatchOp::diff(&json!({"urn:x y": {"a": 1}}), &json!({}), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the attribute "urn:x y" differs, but a path cannot contain its name"#
    );
    let error = PatchOp::diff(&json!({}), &json!([]), &options).unwrap_err();
    assert_eq!(error.to_string(), "a resource is not a JSON object");
    // Equal attributes need no path.
    let same = json!({"a b": 1});
    assert_eq!(PatchOp::diff(&same, &same, &options).unwrap(), None);
}
