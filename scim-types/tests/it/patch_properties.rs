//! Property tests of patches, and of the patch between any two resources.

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
    let assigned = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    assigned.collect::<Map<_, _>>().into()
}

fn text() -> BoxedStrategy<Value> {
    select(vec!["a", "A", "b", "x@y", "", "é\"]"])
        .prop_map(Value::from)
        .boxed()
}

/// A list of elements with at most one primary element.
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

/// Any JSON value with names that a path can contain.
fn any_json() -> BoxedStrategy<Value> {
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
    let uri = select(vec!["../Users/a", "../Users/b"]).prop_map(Value::from);
    let manager = (option::of(text()), option::of(uri))
        .prop_map(|(value, uri)| object(vec![("value", value), ("$ref", uri)]));
    let enterprise = (option::of(text()), option::of(manager)).prop_map(|(department, manager)| {
        object(vec![
            ("department", department),
            ("manager", manager.filter(|manager| manager != &json!({}))),
        ])
    });
    let acme = proptest::collection::btree_map("[a-c]", any_json(), 1..3)
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

fn custom_resource() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-d]|urn:x:[a-b]|urn:x:1|urn:x:2\\.0:T", any_json(), 0..5)
        .prop_map(|map| {
            let named = map.into_iter().filter(|(name, value)| {
                // A path cannot contain a URN that is not the name of an extension.
                !name.starts_with("urn:") || value.is_object()
            });
            let mut custom_resource: Map<String, Value> = named.collect();
            let extensions: Value = custom_resource
                .keys()
                .filter(|name| name.starts_with("urn:"))
                .map(String::as_str)
                .collect();
            custom_resource.insert("schemas".into(), extensions);
            custom_resource.into()
        })
}

fn options() -> impl Strategy<Value = Options> {
    let removal = select(vec![ListedRemoval::Refuse, ListedRemoval::RemoveListed]);
    let missing = select(vec![MissingElement::Refuse, MissingElement::Create]);
    (removal, missing).prop_map(|(listed_removal, missing_element)| Options {
        listed_removal,
        missing_element,
        ..Options::default()
    })
}

/// Returns a value in normal form: sorted lists, and no unassigned attributes.
fn normalized(value: &Value) -> Value {
    match value {
        Value::Object(attributes) => {
            let attributes = attributes
                .iter()
                .map(|(name, value)| (name.clone(), normalized(value)))
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
            let mut list: Vec<Value> = list.iter().map(normalized).collect();
            list.sort_by_key(Value::to_string);
            list.into()
        }
        value => value.clone(),
    }
}

/// Asserts that the patch between two resources changes the first into the second.
fn patch_is_complete(
    before: &Value,
    after: &Value,
    options: &Options,
) -> Result<(), TestCaseError> {
    let patch = PatchOp::diff(before, after, options).expect("two resources with names");
    let Some(patch) = patch else {
        prop_assert_eq!(normalized(before), normalized(after));
        return Ok(());
    };
    let patched = patch.apply(before, options);
    let patched = patched.unwrap_or_else(|error| panic!("{error} in {patch:?}"));
    prop_assert_eq!(normalized(&patched), normalized(after), "{:?}", patch);
    // The patch from the patched resource to the second one is empty.
    prop_assert_eq!(
        PatchOp::diff(&patched, after, options).expect("two resources with names"),
        None
    );
    Ok(())
}

/// An operation that is valid or almost valid.
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
        any_json(),
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

/// Removals by a filter, mostly on the same list.
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

/// Asserts that a patch has the same result as its operations one by one, or fails at the same operation.
fn equals_its_operations_one_by_one(
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
    fn the_patch_between_two_users_changes_the_first_into_the_second(
        before in user(), after in user(), options in options()
    ) {
        patch_is_complete(&before, &after, &options)?;
    }

    #[test]
    fn the_patch_between_two_groups_changes_the_first_into_the_second(
        before in group(), after in group(), options in options()
    ) {
        patch_is_complete(&before, &after, &options)?;
    }

    #[test]
    fn the_patch_between_two_custom_resources_changes_the_first_into_the_second(
        before in custom_resource(), after in custom_resource()
    ) {
        let options = Options { schemas: Some(Schemas::unknown()), ..Options::default() };
        patch_is_complete(&before, &after, &options)?;
    }

    #[test]
    fn a_patch_equals_its_operations_one_by_one(
        before in user(), operations in vec(operation(), 1..6), options in options()
    ) {
        equals_its_operations_one_by_one(&before, operations, &options)?;
    }

    #[test]
    fn consecutive_removals_equal_removals_one_by_one(
        user in user(), group in group(), operations in removals()
    ) {
        // The group gets `emails`, so that the resource has both lists.
        let mut resource = group;
        resource["emails"] = user["emails"].clone();
        let options = Options { schemas: Some(Schemas::unknown()), ..Options::default() };
        equals_its_operations_one_by_one(&resource, operations.clone(), &options)?;
        equals_its_operations_one_by_one(&resource, operations, &Options::default())?;
    }

    #[test]
    fn a_patched_user_is_valid(
        before in user(), operations in vec(operation(), 1..6), options in options()
    ) {
        if let Ok(after) = PatchOp::new(operations).apply(&before, &options) {
            let findings = Schemas::user().check(&after, scim_types::validate::Direction::Response);
            // The generator creates empty strings for all attributes.
            let errors = findings.into_iter().filter(|finding| {
                finding.is_error() && !finding.problem().contains("empty")
            });
            prop_assert_eq!(errors.collect::<Vec<_>>(), vec![]);
            prop_assert_eq!(&after["id"], &before["id"]);
        }
    }
}
