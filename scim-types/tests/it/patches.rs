//! What patches do to a user and a group, case by case.

use scim_types::{
    Schemas,
    patch::{MissingElement, Options, UnknownAttributes},
};
use serde_json::json;

use crate::patching::{ENTERPRISE, ada, changes, group, patch, refused, user};

#[test]
fn a_complex_attribute_keeps_what_the_value_does_not_say() {
    let name =
        json!({"name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada L."}});
    for op in ["add", "replace"] {
        user(
            json!([{"op": op, "value": {"name": {"formatted": "Ada L."}}}]),
            name.clone(),
        );
        user(
            json!([{"op": op, "path": "name", "value": {"formatted": "Ada L."}}]),
            name.clone(),
        );
        user(
            json!([{"op": op, "value": {"name.formatted": "Ada L."}}]),
            name.clone(),
        );
        user(
            json!([{"op": op, "path": "urn:ietf:params:scim:schemas:core:2.0:User:name.formatted",
                    "value": "Ada L."}]),
            name.clone(),
        );
        user(
            json!([{"op": op, "value": {"urn:ietf:params:scim:schemas:core:2.0:User": {
                "name": {"formatted": "Ada L."}}}}]),
            name.clone(),
        );
        user(
            json!([{"op": op, "path": "NAME.FORMATTED", "value": "Ada L."}]),
            name.clone(),
        );
    }
    user(
        json!([{"op": "replace", "path": "name", "value": {"givenName": null}}]),
        json!({"name": {"familyName": "Lovelace"}}),
    );
}

#[test]
fn a_value_that_is_there_is_not_added_again() {
    user(
        json!([{"op": "add", "path": "emails",
                "value": [{"TYPE": "home", "value": "ada@home.example", "display": null}]}]),
        json!({}),
    );
    // A member is the same by its `value` alone.
    group(
        json!([{"op": "add", "path": "members",
                "value": [{"value": "u-1", "display": "Other"}, {"value": "u-3"}, {"value": "u-3"}]}]),
        json!({"members": [{"value": "u-1", "display": "Ada"}, {"value": "u-2"}, {"value": "u-3"}]}),
    );
}

#[test]
fn a_new_primary_value_takes_that_from_the_others() {
    let new = json!({"value": "ada@new.example", "primary": true});
    user(
        json!([{"op": "add", "path": "emails", "value": new}]),
        json!({"emails": [
            {"value": "ada@work.example", "type": "work", "primary": false},
            {"value": "ada@home.example", "type": "home"},
            new
        ]}),
    );
    user(
        json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}]),
        json!({"emails": [
            {"value": "ada@work.example", "type": "work", "primary": false},
            {"value": "ada@home.example", "type": "home", "primary": true}
        ]}),
    );
    refused(
        json!([{"op": "add", "path": "emails", "value": [new, {"value": "x", "primary": true}]}]),
        "invalidValue Operations[0] (add emails) was refused: more than one element of `emails` would be \
         the primary one",
    );
}

#[test]
fn an_element_that_is_chosen_is_made_where_entra_needs_it() {
    let entra = Options::entra();
    changes(
        &ada(),
        &entra,
        json!([
            {"op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "+44 1"},
            {"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "admin"},
            {"op": "Replace", "path": "addresses[type eq \"work\" and primary eq true]",
             "value": {"country": "GB"}},
            {"op": "Add", "path": "emails[type eq \"other\" and primary eq true].value", "value": "x@y"}
        ]),
        json!({
            "phoneNumbers": [{"type": "work", "value": "+44 1"}],
            "roles": [{"primary": true, "value": "admin"}],
            "addresses": [{"type": "work", "primary": true, "country": "GB"}],
            "emails": [
                {"value": "ada@work.example", "type": "work", "primary": false},
                {"value": "ada@home.example", "type": "home"},
                {"value": "x@y", "type": "other", "primary": true}
            ]
        }),
    );
    for filter in [
        "type eq \"a\" or type eq \"b\"",
        "type ne \"a\"",
        "type eq null",
        "type eq \"a\" and type eq \"b\"",
        "not (type eq \"a\")",
    ] {
        let path = format!("phoneNumbers[{filter}].value");
        let error = patch(json!([{"op": "add", "path": path, "value": "1"}]))
            .apply(&ada(), &entra)
            .unwrap_err();
        assert_eq!(error.scim_type().as_str(), "noTarget", "{filter}");
    }
}

#[test]
fn an_element_that_is_replaced_is_replaced_whole_and_one_that_is_added_to_is_not() {
    user(
        json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "x@y"}}]),
        json!({"emails": [
            {"value": "ada@work.example", "type": "work", "primary": true}, {"value": "x@y"}
        ]}),
    );
    user(
        json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "x"}}]),
        json!({"emails": [
            {"value": "ada@work.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home", "display": "x"}
        ]}),
    );
}

#[test]
fn a_sub_attribute_of_several_values_is_set_in_all_of_them() {
    user(
        json!([{"op": "replace", "path": "emails.display", "value": "x"}]),
        json!({"emails": [
            {"value": "ada@work.example", "type": "work", "primary": true, "display": "x"},
            {"value": "ada@home.example", "type": "home", "display": "x"}
        ]}),
    );
    user(
        json!([{"op": "remove", "path": "emails.type"}]),
        json!({"emails": [
            {"value": "ada@work.example", "primary": true}, {"value": "ada@home.example"}
        ]}),
    );
}

#[test]
fn brackets_look_at_one_element_at_a_time_and_may_hold_every_character() {
    user(
        json!([{"op": "remove", "path": "emails[type eq \"work\" and value eq \"ada@home.example\"]"}]),
        json!({}),
    );
    user(
        json!([
            {"op": "add", "path": "emails", "value": {"value": "a].b:c", "type": "x"}},
            {"op": "replace", "path": "emails[value eq \"a].b:c\"].type", "value": "y"},
            {"op": "remove", "path": "emails[value co \"@\" or value co \"nothing\"]"}
        ]),
        json!({"emails": [{"value": "a].b:c", "type": "y"}]}),
    );
}

#[test]
fn removing_the_last_value_or_replacing_with_none_leaves_nothing() {
    for operations in [
        json!([{"op": "remove", "path": "emails[type pr]"}]),
        json!([{"op": "remove", "path": "emails"}]),
        json!([{"op": "replace", "path": "emails", "value": []}]),
        json!([{"op": "replace", "path": "emails", "value": null}]),
        json!([{"op": "replace", "value": {"emails": [{}]}}]),
    ] {
        user(operations, json!({"emails": null}));
    }
    user(
        json!([
            {"op": "remove", "path": "name.givenName"},
            {"op": "remove", "path": "name.familyName"}
        ]),
        json!({"name": null}),
    );
    // To add nothing changes nothing.
    user(
        json!([{"op": "add", "value": {"title": null, "name": {"givenName": null}}}]),
        json!({}),
    );
}

#[test]
fn an_extension_is_declared_while_it_has_a_value() {
    let mut with = ada();
    with["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]);
    with[ENTERPRISE] = json!({"department": "R"});
    let options = Options::default();
    for operation in [
        json!({"op": "add", "path": ENTERPRISE, "value": {"department": "R"}}),
        json!({"op": "add", "path": format!("{ENTERPRISE}:department"), "value": "R"}),
        json!({"op": "add", "path": format!("{}:DEPARTMENT", ENTERPRISE.to_uppercase()), "value": "R"}),
        // Microsoft Entra put a dot there until 2018.
        json!({"op": "add", "path": format!("{ENTERPRISE}.department"), "value": "R"}),
        json!({"op": "replace", "value": {ENTERPRISE: {"department": "R"}}}),
        json!({"op": "replace", "value": {format!("{ENTERPRISE}:department"): "R"}}),
    ] {
        let patched = patch(json!([operation])).apply(&ada(), &options).unwrap();
        let spelled = patched["schemas"][1].as_str().unwrap();
        assert!(spelled.eq_ignore_ascii_case(ENTERPRISE), "{operation}");
        assert_eq!(patched[spelled], with[ENTERPRISE], "{operation}");
    }
    for path in [ENTERPRISE.to_owned(), format!("{ENTERPRISE}:department")] {
        let patched = patch(json!([{"op": "remove", "path": path}])).apply(&with, &options);
        assert_eq!(patched.unwrap(), ada(), "{path}");
    }
    // It stays declared as long as it is there, whatever is said of `schemas`.
    changes(
        &with,
        &options,
        json!([{"op": "replace", "path": "schemas", "value": ["urn:ietf:params:scim:schemas:core:2.0:User"]}]),
        json!({}),
    );
}

#[test]
fn an_extension_without_a_known_schema_takes_everything() {
    let acme = "urn:acme:hr:2.0:User";
    for operation in [
        json!({"op": "add", "path": format!("{acme}:badge"), "value": {"n": 1}}),
        json!({"op": "add", "path": acme, "value": {"badge": {"n": 1}}}),
        json!({"op": "add", "path": format!("{acme}:badge.n"), "value": 1}),
        json!({"op": "add", "value": {acme: {"badge": {"n": 1}}}}),
    ] {
        user(
            json!([operation]),
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", acme],
                acme: {"badge": {"n": 1}}
            }),
        );
    }
}

#[test]
fn unknown_attributes_are_kept_where_they_may_be() {
    let keep = Options {
        unknown_attributes: UnknownAttributes::Keep,
        ..Options::default()
    };
    let operations = json!([
        {"op": "add", "path": "shoeSize", "value": 37},
        {"op": "add", "value": {"name": {"nick": "A"}, "tags": ["a"]}},
        {"op": "add", "path": "tags", "value": ["a", "b"]}
    ]);
    let expected = json!({
        "shoeSize": 37,
        "name": {"givenName": "Ada", "familyName": "Lovelace", "nick": "A"},
        "tags": ["a", "b"]
    });
    changes(&ada(), &keep, operations.clone(), expected.clone());
    let unknown = Options {
        schemas: Some(Schemas::unknown()),
        ..Options::default()
    };
    changes(&ada(), &unknown, operations, expected);
}

#[test]
fn what_okta_and_entra_send_is_done() {
    let entra = Options::entra();
    changes(
        &ada(),
        &entra,
        json!([
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@work.example"},
            {"op": "replace", "value": {
                "displayName": "B",
                "name.givenName": "K",
                "name.familyName": "U",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "A"
            }}
        ]),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "displayName": "B",
            "name": {"givenName": "K", "familyName": "U"},
            "emails": [
                {"value": "new@work.example", "type": "work", "primary": true},
                {"value": "ada@home.example", "type": "home"}
            ],
            ENTERPRISE: {"employeeNumber": "A"}
        }),
    );
    group(
        json!([
            {"op": "remove", "path": "members[value eq \"u-1\"]"},
            {"op": "add", "path": "members", "value": [{"value": "u-3", "display": "c@x"}]}
        ]),
        json!({"members": [{"value": "u-2"}, {"value": "u-3", "display": "c@x"}]}),
    );
    group(
        json!([{"op": "replace", "path": "members", "value": []}]),
        json!({"members": null}),
    );
    assert_eq!(entra.missing_element, MissingElement::Create);
}

#[test]
fn the_first_schema_of_a_resource_nobody_knows_is_its_core() {
    let device = json!({
        "schemas": ["urn:acme:2.0:Device", "urn:acme:2.0:Place"],
        "serial": "1",
        "urn:acme:2.0:Place": {"floor": 2}
    });
    changes(
        &device,
        &Options::default(),
        json!([
            {"op": "replace", "path": "urn:acme:2.0:Device:serial", "value": "2"},
            {"op": "add", "path": "urn:acme:2.0:Device", "value": {"size": 3}},
            {"op": "replace", "path": "urn:acme:2.0:Place:floor", "value": 4}
        ]),
        json!({"serial": "2", "size": 3, "urn:acme:2.0:Place": {"floor": 4}}),
    );
}
