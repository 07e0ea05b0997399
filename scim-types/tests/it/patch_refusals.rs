//! What patches must not do, and what is said of it.

use std::error::Error;

use scim_types::patch::{ListedRemoval, Options};
use serde_json::{Value, json};

use crate::patching::{
    ENTERPRISE, ada, admins, changes, group, patch, refused, refused_with, user,
};

#[test]
fn a_filter_that_chooses_nothing_is_an_error_except_for_a_removal() {
    for op in ["add", "replace"] {
        refused(
            json!([{"op": op, "path": "phoneNumbers[type eq \"work\"].value", "value": "1"}]),
            &format!(
                "noTarget Operations[0] ({op} phoneNumbers[type eq \"work\"].value) was refused: no \
                 element of `phoneNumbers` is chosen"
            ),
        );
    }
    refused(
        json!([{"op": "replace", "path": "phoneNumbers.value", "value": "1"}]),
        "noTarget Operations[0] (replace phoneNumbers.value) was refused: `phoneNumbers` has no element",
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
fn members_are_never_removed_by_a_list_that_is_overlooked() {
    let remove = json!([{"op": "Remove", "path": "members", "value": [{"value": "u-1"}]}]);
    refused_with(
        &admins(),
        &Options::default(),
        remove.clone(),
        "invalidValue Operations[0] (remove members) was refused: a removal has a value, which could be \
         overlooked and everything removed",
    );
    let listed = Options {
        listed_removal: ListedRemoval::Listed,
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
        (
            json!([{}]),
            "a value to remove is not said, and never are all removed instead",
        ),
        (
            json!([null]),
            "a value to remove is not said, and never are all removed instead",
        ),
        (
            json!({"display": "Ada"}),
            "a value to remove from `members` does not say its `value`",
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
        "invalidValue Operations[0] (remove members[value pr]) was refused: the filter says what to \
         remove, so a value must not",
    );
    // Without a value, it is what the words of the RFC say.
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
fn what_is_required_or_read_only_is_not_changed() {
    for (operation, place, problem) in [
        (
            json!({"op": "remove", "path": "userName"}),
            "remove userName",
            "`userName` is required, and cannot be removed",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": null}),
            "replace userName",
            "`userName` is required, and cannot be removed",
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
            "`schemas` is required, and cannot be removed",
        ),
        (
            json!({"op": "replace", "path": "schemas", "value": ["urn:x"]}),
            "replace schemas",
            "`schemas` must say `urn:ietf:params:scim:schemas:core:2.0:User`, the core schema",
        ),
        (
            json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"}),
            "remove urn:ietf:params:scim:schemas:core:2.0:User",
            "a resource is not removed by a patch",
        ),
    ] {
        refused(
            json!([operation]),
            &format!("mutability Operations[0] ({place}) was refused: {problem}"),
        );
    }
    refused_with(
        &admins(),
        &Options::default(),
        json!([{"op": "replace", "path": "members[value eq \"u-1\"].value", "value": "u-3"}]),
        "mutability Operations[0] (replace members[value eq \"u-1\"].value) was refused: `value` cannot be \
         changed once it has a value",
    );
    refused_with(
        &admins(),
        &Options::default(),
        json!([{"op": "add", "path": "members[value eq \"u-1\"]", "value": {"value": "u-3"}}]),
        "mutability Operations[0] (add members[value eq \"u-1\"]) was refused: `value` cannot be changed \
         once it has a value",
    );
}

#[test]
fn what_is_read_only_may_be_said_again_without_a_path() {
    // What Okta sends with every change of a group.
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
fn a_path_that_leads_nowhere_is_refused() {
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
            "`userName` has one value, so nothing is chosen among its elements".to_owned(),
        ),
        (
            "name[givenName pr]",
            "`name` has one value, so nothing is chosen among its elements".to_owned(),
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
            format!(
                "the resource follows `{user_urn}`, not `urn:ietf:params:scim:schemas:core:2.0:Group`"
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
        "invalidFilter Operations[0] (add emails[) was refused: its path cannot be read: the path ends where \
         a sub-attribute should be",
    );
    refused(
        json!([{"op": "add", "value": {"a b": 1}}]),
        "invalidPath Operations[0] (add) was refused: its path cannot be read: an attribute should be at \
         column 1 of the path, not \"a\"",
    );
    refused(
        json!([{"op": "remove", "path": "emails[primary gt true]"}]),
        "invalidFilter Operations[0] (remove emails[primary gt true]) was refused: its filter cannot be \
         evaluated: `primary` cannot be compared with `gt`, because its values have no order",
    );
}

#[test]
fn values_are_taken_as_their_schema_says() {
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
        loose_values: false,
        ..Options::default()
    };
    for (options, path, value, problem) in [
        (
            &strict,
            "active",
            json!("False"),
            "`active` takes a boolean",
        ),
        (&strict, "name", json!("Ada"), "`name` takes an object"),
        (
            &strict,
            "phoneNumbers",
            json!("1"),
            "`phoneNumbers` takes an object",
        ),
        (
            &Options::default(),
            "active",
            json!("no"),
            "`active` takes a boolean",
        ),
        (
            &Options::default(),
            "title",
            json!(7),
            "`title` takes a text",
        ),
        (
            &Options::default(),
            "title",
            json!(["a"]),
            "`title` takes one value, not a list",
        ),
        (
            &Options::default(),
            "name",
            json!({"givenName": ["a"]}),
            "`givenName` takes a text",
        ),
        (
            &Options::default(),
            "name",
            json!({"givenName": "a", "GIVENNAME": "b"}),
            "`givenName` is said twice",
        ),
        (
            &Options::default(),
            "emails",
            json!([["a"]]),
            "a list stands where one value belongs",
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
fn a_message_that_says_too_little_is_refused() {
    refused(
        json!([]),
        "invalidSyntax the patch was refused: it has no operation",
    );
    refused(
        json!([{"op": "remove"}]),
        "noTarget Operations[0] (remove) was refused: a removal says no path",
    );
    refused(
        json!([{"op": "add", "path": "title"}]),
        "invalidValue Operations[0] (add title) was refused: it says no value",
    );
    refused(
        json!([{"op": "replace", "value": "x"}]),
        "invalidValue Operations[0] (replace) was refused: an object of attributes is needed",
    );
    refused_with(
        &json!([]),
        &Options::default(),
        json!([{"op": "remove", "path": "title"}]),
        "invalidSyntax the patch was refused: the resource is not an object",
    );
}

#[test]
fn an_error_says_which_operation_it_was_and_what_a_server_answers() {
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
    assert_eq!(error.problem(), "its path cannot be read");
    assert_eq!(
        serde_json::to_value(scim_types::Error::from(&error)).unwrap(),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "400",
            "scimType": "invalidFilter",
            "detail": "Operations[1] (remove emails[x eq]) was refused: its path cannot be read: a text in \
                       quotes, a number, true, false or null should be at column 12 of the path, not \"]\""
        })
    );
}

#[test]
fn what_is_too_long_too_deep_or_too_much_is_an_error_of_its_own() {
    let deep = format!("emails[{}type pr{}]", "(".repeat(5_000), ")".repeat(5_000));
    let error = patch(json!([{"op": "remove", "path": deep}])).apply(&ada(), &Options::default());
    let error = error.unwrap_err();
    assert_eq!(error.scim_type().as_str(), "invalidFilter");
    assert_eq!(
        error.source().unwrap().to_string(),
        "the path is nested more than 64 levels deep at column 71"
    );
    assert!(error.to_string().len() < 250, "a long path is cut");
    let long = format!("emails[value eq \"{}\"]", "a".repeat(10_000_000));
    let error = patch(json!([{"op": "remove", "path": long}])).apply(&ada(), &Options::default());
    assert_eq!(
        error.unwrap_err().source().unwrap().to_string(),
        "the path has 10000019 bytes, and 16384 are allowed"
    );
    let options = Options {
        max_operations: 2,
        listed_removal: ListedRemoval::Listed,
        ..Options::default()
    };
    let three = vec![json!({"op": "remove", "path": "title"}); 3];
    refused_with(
        &ada(),
        &options,
        three.into(),
        "tooMany the patch was refused: it has 3 operations, and 2 are allowed",
    );
    refused_with(
        &admins(),
        &options,
        json!([{"op": "remove", "path": "members", "value": ["a", "b", "c"]}]),
        "tooMany Operations[0] (remove members) was refused: it lists 3 values, and 2 are allowed",
    );
}

#[test]
fn large_groups_are_changed_in_time_that_grows_with_their_size() {
    // Were every new member held against every old one, this would take minutes.
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
        listed_removal: ListedRemoval::Listed,
        max_operations: 100_000,
        ..Options::default()
    };
    let patched = patch(operations).apply(&group, &options).unwrap();
    assert_eq!(patched["members"], members(60_000..75_000));
    // Or every removal against every member.
    let removals = (0..10_000)
        .map(|number| json!({"op": "remove", "path": format!("members[value eq \"U-{number}\"]")}));
    let patched = patch(removals.collect()).apply(&group, &options).unwrap();
    assert_eq!(patched["members"], members(10_000..50_000));
}
