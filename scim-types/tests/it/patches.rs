//! Tests of the effect of patches on a user and a group.

use scim_types::{
    Schemas, ScimType,
    patch::{MissingElement, Options, UnknownAttributes},
};
use serde_json::{Value, json};

use crate::patching::{ENTERPRISE, ada, changes, group, patch, refused, refused_with, user};

#[test]
fn a_complex_attribute_keeps_sub_attributes_that_the_value_does_not_contain() {
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
fn an_existing_value_is_not_added_again() {
    user(
        json!([{"op": "add", "path": "emails",
                "value": [{"TYPE": "home", "value": "ada@home.example", "display": null}]}]),
        json!({}),
    );
    // A member is identified by its `value` alone.
    group(
        json!([{"op": "add", "path": "members",
                "value": [{"value": "u-1", "display": "Other"}, {"value": "u-3"}, {"value": "u-3"}]}]),
        json!({"members": [{"value": "u-1", "display": "Ada"}, {"value": "u-2"}, {"value": "u-3"}]}),
    );
}

#[test]
fn a_new_primary_value_makes_the_others_non_primary() {
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
         primary",
    );
}

#[test]
fn a_missing_element_is_created_for_entra() {
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
fn replace_replaces_a_whole_element_and_add_extends_it() {
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
fn a_sub_attribute_of_a_multi_valued_attribute_is_set_in_all_values() {
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
fn a_filter_in_brackets_matches_single_elements_and_may_contain_any_character() {
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
fn an_attribute_without_values_is_removed() {
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
    // An `add` operation with `null` has no effect.
    user(
        json!([{"op": "add", "value": {"title": null, "name": {"givenName": null}}}]),
        json!({}),
    );
}

#[test]
fn an_extension_is_declared_as_long_as_it_has_a_value() {
    let mut with = ada();
    with["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE]);
    with[ENTERPRISE] = json!({"department": "R"});
    let options = Options::default();
    for operation in [
        json!({"op": "add", "path": ENTERPRISE, "value": {"department": "R"}}),
        json!({"op": "add", "path": format!("{ENTERPRISE}:department"), "value": "R"}),
        json!({"op": "add", "path": format!("{}:DEPARTMENT", ENTERPRISE.to_uppercase()), "value": "R"}),
        // Microsoft Entra used a dot as the separator until 2018.
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
    // A patch of `schemas` cannot undeclare an extension that has a value.
    changes(
        &with,
        &options,
        json!([{"op": "replace", "path": "schemas", "value": ["urn:ietf:params:scim:schemas:core:2.0:User"]}]),
        json!({}),
    );
}

#[test]
fn an_extension_without_a_known_schema_accepts_any_value() {
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
fn unknown_attributes_are_kept_if_the_options_allow_them() {
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
fn patches_of_okta_and_entra_are_applied() {
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
fn the_first_schema_of_an_unknown_resource_type_is_its_core_schema() {
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

/// Returns Ada with a manager, and checks the manager after the operations; `null` for none.
#[track_caller]
fn manager(options: &Options, operations: Value, expected: &Value) {
    let mut ada = ada();
    ada["schemas"] = json!([ada["schemas"][0], ENTERPRISE]);
    let manager = json!({"value": "m1", "$ref": "../Users/m1", "displayName": "M One"});
    ada[ENTERPRISE] = json!({"manager": manager, "department": "Engines"});
    let patched = patch(operations).apply(&ada, options).expect("a change");
    assert_eq!(&patched[ENTERPRISE]["manager"], expected, "{patched}");
    assert_eq!(patched[ENTERPRISE]["department"], "Engines");
}

#[test]
fn a_new_manager_does_not_keep_the_uri_and_the_name_of_the_former_manager() {
    let path = format!("{ENTERPRISE}:manager");
    let new = json!({"value": "m2"});
    let options = Options::default();
    for op in ["add", "replace"] {
        for operation in [
            json!({"op": op, "path": path, "value": {"value": "m2"}}),
            json!({"op": op, "path": path, "value": "m2"}),
            json!({"op": op, "path": format!("{path}.value"), "value": "m2"}),
            json!({"op": op, "value": {ENTERPRISE: {"manager": {"value": "m2"}}}}),
            json!({"op": op, "value": {format!("{path}.value"): "m2"}}),
        ] {
            manager(&options, json!([operation]), &new);
        }
    }
    manager(
        &options,
        json!([{"op": "remove", "path": format!("{path}.value")}]),
        &Value::Null,
    );
}

#[test]
fn a_uri_that_the_patch_sets_belongs_to_the_new_manager() {
    let path = format!("{ENTERPRISE}:manager");
    let new = json!({"value": "m2", "$ref": "../Users/m2"});
    let options = Options::default();
    manager(
        &options,
        json!([{"op": "replace", "path": path, "value": new}]),
        &new,
    );
    let value = json!({"op": "replace", "path": format!("{path}.value"), "value": "m2"});
    let uri = json!({"op": "replace", "path": format!("{path}.$ref"), "value": "../Users/m2"});
    manager(&options, json!([value, uri]), &new);
    manager(&options, json!([uri, value]), &new);
}

#[test]
fn a_manager_with_the_same_value_keeps_all_sub_attributes() {
    let path = format!("{ENTERPRISE}:manager");
    let same = json!({"value": "m1", "$ref": "../Users/m1", "displayName": "M One"});
    let options = Options::default();
    for value in [
        json!({"value": "m1"}),
        json!("m1"),
        json!({"displayName": "Other"}),
    ] {
        manager(
            &options,
            json!([{"op": "replace", "path": path, "value": value}]),
            &same,
        );
    }
}

#[test]
fn an_empty_string_removes_a_manager_unless_the_options_are_strict() {
    let path = format!("{ENTERPRISE}:manager");
    for op in ["Add", "Replace"] {
        let operations = json!([{"op": op, "path": path, "value": ""}]);
        manager(&Options::entra(), operations, &Value::Null);
    }
    let strict = Options {
        lenient_values: false,
        ..Options::default()
    };
    refused_with(
        &ada(),
        &strict,
        json!([{"op": "replace", "path": path, "value": ""}]),
        &format!(
            "invalidValue Operations[0] (replace {path}) was refused: `manager` must be an object"
        ),
    );
}

#[test]
fn a_required_attribute_cannot_become_an_empty_string() {
    let path = "urn:ietf:params:scim:schemas:core:2.0:User:userName";
    for operation in [
        json!({"op": "replace", "path": "userName", "value": ""}),
        json!({"op": "add", "path": path, "value": ""}),
        json!({"op": "replace", "value": {"USERNAME": ""}}),
    ] {
        let error = patch(json!([operation])).apply(&ada(), &Options::default());
        let error = error.expect_err("a refusal");
        assert_eq!(error.scim_type(), &ScimType::InvalidValue);
        assert_eq!(
            error.problem(),
            "`userName` is required and cannot be empty"
        );
    }
    user(
        json!([{"op": "replace", "path": "title", "value": ""}]),
        json!({"title": ""}),
    );
}

#[test]
fn strict_options_do_not_compare_a_boolean_with_a_string() {
    let strict = Options {
        lenient_values: false,
        ..Options::default()
    };
    let removal = json!([{"op": "remove", "path": "emails[primary eq \"True\"]"}]);
    changes(&ada(), &strict, removal.clone(), json!({}));
    let home = json!([{"value": "ada@home.example", "type": "home"}]);
    user(removal, json!({"emails": home}));
    changes(
        &ada(),
        &strict,
        json!([{"op": "remove", "path": "emails[primary eq true]"}]),
        json!({"emails": home}),
    );
    refused_with(
        &ada(),
        &strict,
        json!([{"op": "replace", "path": "emails[primary eq \"True\"].value", "value": "x"}]),
        "noTarget Operations[0] (replace emails[primary eq \"True\"].value) was refused: the filter selects no \
         element of `emails`",
    );
}
