//! Tests of patches that must be refused, and of their error messages.

use std::error::Error;

use scim_types::patch::{ListedRemoval, Options};
use serde_json::{Value, json};

use crate::patching::{
    ENTERPRISE, ada, admins, changes, group, patch, refused, refused_with, user,
};

#[test]
fn a_filter_that_selects_nothing_is_an_error_except_in_a_removal() {
    for op in ["add", "replace"] {
        refused(
            json!([{"op": op, "path": "phoneNumbers[type eq \"work\"].value", "value": "1"}]),
            &format!(
                "noTarget Operations[0] ({op} phoneNumbers[type eq \"work\"].value) was refused: the \
                 filter selects no element of `phoneNumbers`"
            ),
        );
    }
    refused(
        json!([{"op": "replace", "path": "phoneNumbers.value", "value": "1"}]),
        "noTarget Operations[0] (replace phoneNumbers.value) was refused: `phoneNumbers` has no elements",
    );
    user(
        json!([
            {"op": "remove", "path": "emails[type eq \"other\"]"},
            {"op": "remove", "path": "phoneNumbers[type eq \"work\"].value"},
            {"op": "remove", "path": "nickName"},
            {"op": "remove", "path": "phoneNumbers.value"}
        ]),
        json!({}),
    );
}

#[test]
fn a_removal_with_a_list_of_values_never_removes_all_members() {
    let remove = json!([{"op": "Remove", "path": "members", "value": [{"value": "u-1"}]}]);
    refused_with(
        &admins(),
        &Options::default(),
        remove.clone(),
        "invalidValue Operations[0] (remove members) was refused: a removal must not have a value (a server \
         that ignores it removes all values)",
    );
    let listed = Options {
        listed_removal: ListedRemoval::RemoveListed,
        ..Options::default()
    };
    let rest = json!({"members": [{"value": "u-2"}]});
    changes(&admins(), &listed, remove, rest.clone());
    changes(
        &admins(),
        &Options::aws_identity_center(),
        json!([{"op": "remove", "path": "members", "value": ["u-1", "u-9"]}]),
        rest,
    );
    for nothing in [json!([]), json!([{"value": "u-9"}])] {
        changes(
            &admins(),
            &listed,
            json!([{"op": "remove", "path": "members", "value": nothing}]),
            json!({}),
        );
    }
    for (value, problem) in [
        (json!([{}]), "a value to remove must not be empty or a list"),
        (
            json!([null]),
            "a value to remove must not be empty or a list",
        ),
        (
            json!({"display": "Ada"}),
            "a value to remove from `members` has no `value`",
        ),
    ] {
        refused_with(
            &admins(),
            &listed,
            json!([{"op": "remove", "path": "members", "value": value}]),
            &format!("invalidValue Operations[0] (remove members) was refused: {problem}"),
        );
    }
    refused_with(
        &admins(),
        &listed,
        json!([{"op": "remove", "path": "members[value pr]", "value": [{"value": "u-1"}]}]),
        "invalidValue Operations[0] (remove members[value pr]) was refused: the filter already selects the \
         elements to remove, so a value is not allowed",
    );
    // Without a value, all members are removed, as the RFC says.
    group(
        json!([{"op": "remove", "path": "members"}]),
        json!({"members": null}),
    );
    changes(
        &ada(),
        &listed,
        json!([{"op": "remove", "path": "emails", "value": {"type": "home"}}]),
        json!({"emails": [{"value": "ada@work.example", "type": "work", "primary": true}]}),
    );
}

#[test]
fn a_required_or_read_only_attribute_cannot_be_removed_or_changed() {
    for (operation, operation_and_path, problem) in [
        (
            json!({"op": "remove", "path": "userName"}),
            "remove userName",
            "`userName` is required and cannot be removed",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": null}),
            "replace userName",
            "`userName` is required and cannot be removed",
        ),
        (
            json!({"op": "remove", "path": "id"}),
            "remove id",
            "`id` is read-only",
        ),
        (
            json!({"op": "replace", "path": "meta.version", "value": "x"}),
            "replace meta.version",
            "`meta` is read-only",
        ),
        (
            json!({"op": "remove", "path": "groups[value eq \"g\"]"}),
            "remove groups[value eq \"g\"]",
            "`groups` is read-only",
        ),
        (
            json!({"op": "replace", "value": {"id": "u-2"}}),
            "replace",
            "`id` is read-only",
        ),
        (
            json!({"op": "remove", "path": "schemas"}),
            "remove schemas",
            "`schemas` is required and cannot be removed",
        ),
        (
            json!({"op": "replace", "path": "schemas", "value": ["urn:x"]}),
            "replace schemas",
            "`schemas` must contain `urn:ietf:params:scim:schemas:core:2.0:User`, the core schema",
        ),
        (
            json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"}),
            "remove urn:ietf:params:scim:schemas:core:2.0:User",
            "a patch cannot remove a whole resource",
        ),
    ] {
        refused(
            json!([operation]),
            &format!("mutability Operations[0] ({operation_and_path}) was refused: {problem}"),
        );
    }
    refused_with(
        &admins(),
        &Options::default(),
        json!([{"op": "replace", "path": "members[value eq \"u-1\"].value", "value": "u-3"}]),
        "mutability Operations[0] (replace members[value eq \"u-1\"].value) was refused: `value` is \
         immutable and cannot be changed",
    );
    refused_with(
        &admins(),
        &Options::default(),
        json!([{"op": "add", "path": "members[value eq \"u-1\"]", "value": {"value": "u-3"}}]),
        "mutability Operations[0] (add members[value eq \"u-1\"]) was refused: `value` is immutable and \
         cannot be changed",
    );
}

#[test]
fn a_read_only_attribute_may_be_sent_back_unchanged_without_a_path() {
    // Okta sends the `id` with every change of a group.
    group(
        json!([{"op": "replace", "value": {"id": "g-1", "displayName": "Admins"}}]),
        json!({"displayName": "Admins"}),
    );
    changes(
        &ada(),
        &Options::default(),
        json!([{"op": "add", "value": {ENTERPRISE: {"manager": {"value": "m", "displayName": "M"}}}}]),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            ENTERPRISE: {"manager": {"value": "m"}}
        }),
    );
}

#[test]
fn a_path_to_an_attribute_that_does_not_exist_is_refused() {
    let (wrong, user_urn) = (
        "invalidPath Operations[0]",
        "urn:ietf:params:scim:schemas:core:2.0:User",
    );
    for (path, problem) in [
        (
            "shoeSize",
            "the schema has no attribute `shoeSize`".to_owned(),
        ),
        ("name.nick", "the schema has no attribute `nick`".to_owned()),
        (
            "emails[type pr].nick",
            "the schema has no attribute `nick`".to_owned(),
        ),
        (
            "userName.value",
            "`userName` has no sub-attributes".to_owned(),
        ),
        (
            "userName[value eq \"x\"]",
            "`userName` is not multi-valued, so a filter cannot select elements".to_owned(),
        ),
        (
            "name[givenName pr]",
            "`name` is not multi-valued, so a filter cannot select elements".to_owned(),
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
            format!(
                "the core schema of the resource is `{user_urn}`, not `urn:ietf:params:scim:schemas:core:2.0:Group`"
            ),
        ),
        (
            &format!("{ENTERPRISE}:shoeSize"),
            "the schema has no attribute `shoeSize`".to_owned(),
        ),
    ] {
        refused(
            json!([{"op": "add", "path": path, "value": "x"}]),
            &format!("{wrong} (add {path}) was refused: {problem}"),
        );
    }
    refused(
        json!([{"op": "add", "path": "emails[", "value": "x"}]),
        "invalidFilter Operations[0] (add emails[) was refused: its path cannot be parsed: expected a \
         sub-attribute, but the path ends",
    );
    refused(
        json!([{"op": "add", "value": {"a b": 1}}]),
        "invalidPath Operations[0] (add) was refused: its path cannot be parsed: expected an attribute at \
         column 1 of the path, found \"a\"",
    );
    refused(
        json!([{"op": "remove", "path": "emails[primary gt true]"}]),
        "invalidFilter Operations[0] (remove emails[primary gt true]) was refused: its filter cannot be \
         evaluated: `primary` cannot be compared with `gt`, because its values have no order",
    );
}

#[test]
fn values_are_converted_to_the_type_in_their_schema() {
    user(
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        json!({"active": false}),
    );
    changes(
        &ada(),
        &Options::default(),
        json!([{"op": "add", "path": format!("{ENTERPRISE}:manager"), "value": "u-2"},
               {"op": "add", "path": "phoneNumbers", "value": "1"}]),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            ENTERPRISE: {"manager": {"value": "u-2"}},
            "phoneNumbers": [{"value": "1"}]
        }),
    );
    let strict = Options {
        lenient_values: false,
        ..Options::default()
    };
    for (options, path, value, problem) in [
        (
            &strict,
            "active",
            json!("False"),
            "`active` must be a boolean",
        ),
        (&strict, "name", json!("Ada"), "`name` must be an object"),
        (
            &strict,
            "phoneNumbers",
            json!("1"),
            "`phoneNumbers` must be an object",
        ),
        (
            &Options::default(),
            "active",
            json!("no"),
            "`active` must be a boolean",
        ),
        (
            &Options::default(),
            "title",
            json!(7),
            "`title` must be a string",
        ),
        (
            &Options::default(),
            "title",
            json!(["a"]),
            "`title` must be a single value, not a list",
        ),
        (
            &Options::default(),
            "name",
            json!({"givenName": ["a"]}),
            "`givenName` must be a string",
        ),
        (
            &Options::default(),
            "name",
            json!({"givenName": "a", "GIVENNAME": "b"}),
            "`givenName` occurs more than once",
        ),
        (
            &Options::default(),
            "emails",
            json!([["a"]]),
            "an element must be a single value, not a list",
        ),
    ] {
        refused_with(
            &ada(),
            options,
            json!([{"op": "replace", "path": path, "value": value}]),
            &format!("invalidValue Operations[0] (replace {path}) was refused: {problem}"),
        );
    }
}

#[test]
fn an_incomplete_patch_is_refused() {
    refused(
        json!([]),
        "invalidSyntax the patch was refused: it has no operations",
    );
    refused(
        json!([{"op": "remove"}]),
        "noTarget Operations[0] (remove) was refused: a removal needs a path",
    );
    refused(
        json!([{"op": "add", "path": "title"}]),
        "invalidValue Operations[0] (add title) was refused: it has no value",
    );
    refused(
        json!([{"op": "replace", "value": "x"}]),
        "invalidValue Operations[0] (replace) was refused: the value must be an object of attributes",
    );
    refused_with(
        &json!([]),
        &Options::default(),
        json!([{"op": "remove", "path": "title"}]),
        "invalidSyntax the patch was refused: the resource is not an object",
    );
}

#[test]
fn an_error_has_the_operation_and_becomes_an_error_response() {
    let operations = json!([
        {"op": "replace", "path": "title", "value": "Dr."},
        {"op": "remove", "path": "emails[x eq]"}
    ]);
    let error = patch(operations)
        .apply(&ada(), &Options::default())
        .unwrap_err();
    assert_eq!(
        (error.operation(), error.path()),
        (Some(1), Some("emails[x eq]"))
    );
    assert_eq!(error.problem(), "its path cannot be parsed");
    assert_eq!(
        serde_json::to_value(scim_types::Error::from(&error)).unwrap(),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "400",
            "scimType": "invalidFilter",
            "detail": "Operations[1] (remove emails[x eq]) was refused: its path cannot be parsed: expected a \
                       quoted string, a number, true, false or null at column 12 of the path, found \"]\""
        })
    );
}

#[test]
fn a_patch_that_exceeds_a_limit_has_its_own_error() {
    let deep = format!("emails[{}type pr{}]", "(".repeat(5_000), ")".repeat(5_000));
    let error = patch(json!([{"op": "remove", "path": deep}])).apply(&ada(), &Options::default());
    let error = error.unwrap_err();
    assert_eq!(error.scim_type().as_str(), "invalidFilter");
    assert_eq!(
        error.source().unwrap().to_string(),
        "the path is nested more than 64 levels deep at column 71"
    );
    assert!(error.to_string().len() < 250, "a long path is truncated");
    let long = format!("emails[value eq \"{}\"]", "a".repeat(10_000_000));
    let error = patch(json!([{"op": "remove", "path": long}])).apply(&ada(), &Options::default());
    assert_eq!(
        error.unwrap_err().source().unwrap().to_string(),
        "the path has 10000019 bytes, more than the limit of 16384"
    );
    let options = Options {
        max_operations: 2,
        listed_removal: ListedRemoval::RemoveListed,
        ..Options::default()
    };
    let three = vec![json!({"op": "remove", "path": "title"}); 3];
    refused_with(
        &ada(),
        &options,
        three.into(),
        "tooMany the patch was refused: it has 3 operations, more than the limit of 2",
    );
    refused_with(
        &admins(),
        &options,
        json!([{"op": "remove", "path": "members", "value": ["a", "b", "c"]}]),
        "tooMany Operations[0] (remove members) was refused: it lists 3 values, more than the limit of 2",
    );
}

#[test]
fn patching_large_groups_takes_linear_time() {
    // A comparison of every new member with every existing member would take minutes.
    let members = |range: std::ops::Range<u32>| -> Value {
        range
            .map(|number| json!({"value": format!("u-{number}")}))
            .collect()
    };
    let mut group = admins();
    group["members"] = members(0..50_000);
    let operations = json!([
        {"op": "add", "path": "members", "value": members(25_000..75_000)},
        {"op": "remove", "path": "members", "value": members(0..60_000)}
    ]);
    let options = Options {
        listed_removal: ListedRemoval::RemoveListed,
        max_operations: 100_000,
        ..Options::default()
    };
    let patched = patch(operations).apply(&group, &options).unwrap();
    assert_eq!(patched["members"], members(60_000..75_000));
    // A comparison of every removal with every member would take minutes too.
    let removals = (0..10_000)
        .map(|number| json!({"op": "remove", "path": format!("members[value eq \"U-{number}\"]")}));
    let patched = patch(removals.collect()).apply(&group, &options).unwrap();
    assert_eq!(patched["members"], members(10_000..50_000));
}
