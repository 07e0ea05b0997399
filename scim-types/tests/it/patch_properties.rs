//! What holds for every patch, and for every two resources.

use proptest::{collection::vec, option, prelude::*, sample::select};
use scim_types::{
    PatchOp, PatchOperation, Schemas,
    patch::{ListedRemoval, MissingElement, Options},
};
use serde_json::{Map, Value, json};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ACME: &str = "urn:acme:hr:2.0:User";

fn object(attributes: Vec<(&'static str, Option<Value>)>) -> Value {
    let said = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    said.collect::<Map<_, _>>().into()
}

fn text() -> BoxedStrategy<Value> {
    select(vec!["a", "A", "b", "x@y", "", "é\"]"])
        .prop_map(Value::from)
        .boxed()
}

/// Elements, one of which may be the primary one.
fn elements() -> impl Strategy<Value = Value> {
    let element = (text(), option::of(text()))
        .prop_map(|(value, kind)| object(vec![("value", Some(value)), ("type", kind)]));
    (vec(element, 1..4), 0..6_usize).prop_map(|(mut list, primary)| {
        if let Some(element) = list.get_mut(primary) {
            element["primary"] = true.into();
        }
        list.into()
    })
}

/// Any JSON with names that a path can say.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        text(),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]", inner, 1..3)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
    .boxed()
}

fn user() -> impl Strategy<Value = Value> {
    let name = (option::of(text()), option::of(text()))
        .prop_map(|(given, family)| object(vec![("givenName", given), ("familyName", family)]));
    let enterprise = (option::of(text()), option::of(text())).prop_map(|(department, manager)| {
        let manager = manager.map(|value| json!({ "value": value }));
        object(vec![("department", department), ("manager", manager)])
    });
    let acme = proptest::collection::btree_map("[a-c]", anything(), 1..3)
        .prop_map(|map| map.into_iter().collect());
    let attributes = (
        option::of(text()),
        option::of(any::<bool>().prop_map(Value::from)),
        option::of(name),
        option::of(elements()),
        option::of(elements()),
        option::of(enterprise),
        option::of(acme),
    );
    attributes.prop_map(|(title, active, name, emails, roles, enterprise, acme)| {
        let has = |value: &Option<Value>| {
            let attributes = value.as_ref().and_then(Value::as_object);
            attributes.is_some_and(|attributes| !attributes.is_empty())
        };
        let schemas = [
            (true, CORE),
            (has(&enterprise), ENTERPRISE),
            (has(&acme), ACME),
        ];
        let schemas = schemas.into_iter().filter(|(has, _)| *has);
        object(vec![
            ("schemas", Some(schemas.map(|(_, urn)| urn).collect())),
            ("id", Some("1".into())),
            ("userName", Some("ada".into())),
            ("title", title),
            ("active", active),
            ("name", name),
            ("emails", emails),
            ("roles", roles),
            (ENTERPRISE, enterprise),
            (ACME, acme),
        ])
    })
}

fn group() -> impl Strategy<Value = Value> {
    let member = select(vec!["a", "A", "b", "c", "d", "2011-05-13T04:42:34Z"])
        .prop_map(|id| json!({ "value": id }));
    proptest::collection::vec(member, 0..8).prop_map(|mut members| {
        let mut seen = std::collections::BTreeSet::new();
        members.retain(|member| seen.insert(member["value"].to_string()));
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "g",
            "members": members
        })
    })
}

fn thing() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-d]|urn:x:[a-b]|urn:x:1|urn:x:2\\.0:T", anything(), 0..5)
        .prop_map(|map| {
            let named = map.into_iter().filter(|(name, value)| {
                // A URN that is not the name of an extension is nothing that a path can say.
                !name.starts_with("urn:") || value.is_object()
            });
            let mut thing: Map<String, Value> = named.collect();
            let extensions: Value = thing
                .keys()
                .filter(|name| name.starts_with("urn:"))
                .map(String::as_str)
                .collect();
            thing.insert("schemas".into(), extensions);
            thing.into()
        })
}

fn options() -> impl Strategy<Value = Options> {
    let removal = select(vec![ListedRemoval::Refuse, ListedRemoval::Listed]);
    let missing = select(vec![MissingElement::Refuse, MissingElement::Create]);
    (removal, missing).prop_map(|(listed_removal, missing_element)| Options {
        listed_removal,
        missing_element,
        ..Options::default()
    })
}

/// A value in one form: lists in order, and nothing where nothing is said.
fn one_form(value: &Value) -> Value {
    match value {
        Value::Object(attributes) => {
            let attributes = attributes
                .iter()
                .map(|(name, value)| (name.clone(), one_form(value)))
                .filter(|(_, value)| !value.is_null());
            let attributes: Map<_, _> = attributes.collect();
            if attributes.is_empty() {
                Value::Null
            } else {
                attributes.into()
            }
        }
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(one_form).collect();
            list.sort_by_key(Value::to_string);
            list.into()
        }
        value => value.clone(),
    }
}

fn becomes(before: &Value, after: &Value, options: &Options) -> Result<(), TestCaseError> {
    let patch = PatchOp::between(before, after, options).expect("two resources with names");
    let Some(patch) = patch else {
        prop_assert_eq!(one_form(before), one_form(after));
        return Ok(());
    };
    let patched = patch.apply(before, options);
    let patched = patched.unwrap_or_else(|error| panic!("{error} of {patch:?}"));
    prop_assert_eq!(one_form(&patched), one_form(after), "{:?}", patch);
    // Nothing is left to say.
    prop_assert_eq!(
        PatchOp::between(&patched, after, options).expect("two resources with names"),
        None
    );
    Ok(())
}

/// An operation that makes sense, or nearly so.
fn operation() -> impl Strategy<Value = PatchOperation> {
    let path = select(vec![
        "",
        "userName",
        "title",
        "active",
        "id",
        "schemas",
        "nothing",
        "name",
        "name.givenName",
        "emails",
        "emails.type",
        "emails.primary",
        "emails[type eq \"a\"]",
        "emails[type eq \"a\"].value",
        "emails[value pr and not (type eq \"b\")].primary",
        "emails[primary eq true]",
        "emails[",
        ENTERPRISE,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        ACME,
        "urn:acme:hr:2.0:User:a.b",
    ]);
    let value = prop_oneof![
        anything(),
        text(),
        elements(),
        Just(json!({"value": "n", "primary": true})),
        Just(json!({"givenName": null, "familyName": "L"})),
        Just(json!({"title": "T", "name.givenName": "G", "emails": [{"value": "q"}]})),
        Just(json!("True")),
        Just(Value::Null),
    ];
    let op = select(vec!["add", "replace", "remove"]);
    (op, path, option::weighted(0.8, value)).prop_map(|(op, path, value)| {
        let mut operation = json!({"op": op, "path": path});
        if let Some(value) = value.filter(|_| op != "remove" || path.len() % 2 == 0) {
            operation["value"] = value;
        }
        serde_json::from_value(operation).expect("an operation")
    })
}

/// Removals by what an element says, of one list mostly.
fn removals() -> impl Strategy<Value = Vec<PatchOperation>> {
    let path = select(vec![
        "members[value eq T]",
        "members[value eq T]",
        "members[VALUE eq T]",
        "members[value co T]",
        "Members[value eq T]",
        "emails[value eq T]",
        "emails[type eq T]",
        "emails[value eq T].type",
        "emails[value eq T and type pr]",
    ]);
    let text = select(vec![
        "a",
        "A",
        "b",
        "c",
        "x@y",
        "é\"]",
        "É\"]",
        "2011-05-13T04:42:34Z",
        "2011-05-13T06:42:34+02:00",
    ]);
    let removal = (path, text).prop_map(|(path, text)| {
        PatchOperation::remove(path.replace('T', &json!(text).to_string()))
    });
    vec(removal, 1..8)
}

/// Asserts that a patch does what its operations do one by one, or fails at the same one.
fn is_the_sum_of_its_operations(
    before: &Value,
    operations: Vec<PatchOperation>,
    options: &Options,
) -> Result<(), TestCaseError> {
    let whole = PatchOp::new(operations.clone()).apply(before, options);
    let mut step_by_step: Result<Value, Option<usize>> = Ok(before.clone());
    for (index, operation) in operations.into_iter().enumerate() {
        if let Ok(resource) = &step_by_step {
            let patched = PatchOp::from(operation).apply(resource, options).ok();
            step_by_step = patched.ok_or(Some(index));
        }
    }
    match (whole, step_by_step) {
        (Ok(whole), Ok(last)) => prop_assert_eq!(whole, last),
        (Err(error), Err(index)) => prop_assert_eq!(error.operation(), index),
        (whole, last) => prop_assert!(false, "{:?} and {:?}", whole, last),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_patch_between_two_users_makes_the_one_into_the_other(
        before in user(), after in user(), options in options()
    ) {
        becomes(&before, &after, &options)?;
    }

    #[test]
    fn the_patch_between_two_groups_makes_the_one_into_the_other(
        before in group(), after in group(), options in options()
    ) {
        becomes(&before, &after, &options)?;
    }

    #[test]
    fn the_patch_between_two_things_makes_the_one_into_the_other(
        before in thing(), after in thing()
    ) {
        let options = Options { schemas: Some(Schemas::unknown()), ..Options::default() };
        becomes(&before, &after, &options)?;
    }

    #[test]
    fn a_patch_is_done_whole_or_not_at_all(
        before in user(), operations in vec(operation(), 1..6), options in options()
    ) {
        is_the_sum_of_its_operations(&before, operations, &options)?;
    }

    #[test]
    fn removals_that_follow_each_other_are_done_as_one_by_one(
        user in user(), group in group(), operations in removals()
    ) {
        // A group with addresses, so that both lists are there at once.
        let mut both = group;
        both["emails"] = user["emails"].clone();
        let options = Options { schemas: Some(Schemas::unknown()), ..Options::default() };
        is_the_sum_of_its_operations(&both, operations.clone(), &options)?;
        is_the_sum_of_its_operations(&both, operations, &Options::default())?;
    }

    #[test]
    fn a_patched_user_is_still_a_user(
        before in user(), operations in vec(operation(), 1..6), options in options()
    ) {
        if let Ok(after) = PatchOp::new(operations).apply(&before, &options) {
            let findings = Schemas::user().check(&after, scim_types::validate::Direction::Response);
            // Empty texts are what the generator makes of everything.
            let wrong = findings.into_iter().filter(|finding| {
                finding.is_error() && !finding.problem().contains("empty")
            });
            prop_assert_eq!(wrong.collect::<Vec<_>>(), vec![]);
            prop_assert_eq!(&after["id"], &before["id"]);
        }
    }
}
