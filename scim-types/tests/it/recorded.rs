//! The patch suites of other implementations, as they were recorded, and every answer that differs.

use std::collections::BTreeMap;

use scim_types::{
    PatchOp, Schema, Schemas,
    patch::{ListedRemoval, MissingElement, Options},
};
use serde_json::{Map, Value, json};

use crate::corpus;

/// An answer of ours that differs from the recorded one, and why it does.
pub(crate) type Deviation = (usize, &'static str);

const SCIM2_MODELS: &[Deviation] = &[
    (
        7,
        "`ref` is no attribute of a member, and is refused rather than overlooked",
    ),
    (
        9,
        "`ref` is no attribute of a member, and is refused rather than overlooked",
    ),
    (
        13,
        "an attribute that its schema does not have is refused rather than overlooked",
    ),
    (
        14,
        "without a path the value is an object; another one is refused rather than overlooked",
    ),
    (
        17,
        "a removal with a value is for lists; elsewhere it is refused rather than overlooked",
    ),
    (
        38,
        "without a path the value is an object; another one is refused rather than overlooked",
    ),
    (
        44,
        "two primary values from before are left alone by what does not make a third",
    ),
    (
        49,
        "`manager.displayName` is read-only: what a client says of it is overlooked",
    ),
    (
        56,
        "an attribute in a resource without a known schema is kept rather than overlooked",
    ),
    (
        61,
        "the value is what is wrong with a text for a whole schema, not the path",
    ),
    (
        62,
        "the URN of an extension leaves `schemas` with its last attribute",
    ),
    (
        73,
        "without a path the value is an object; another one is refused rather than overlooked",
    ),
    (
        74,
        "the value is what is wrong with a text for a whole schema, not the path",
    ),
    (
        75,
        "a patch without an operation is malformed: it has no `Operations` to do",
    ),
    (
        78,
        "an operation that does not exist makes the message malformed, not its value",
    ),
];
const SCIM_PATCH: &[Deviation] = &[
    (5, "`schemas` says the extension that was changed"),
    (16, "`schemas` says the extension that was changed"),
    (
        20,
        "an element that is chosen and replaced is replaced whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        21,
        "an element that is chosen and replaced is replaced whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        26,
        "a list that is replaced is replaced whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        28,
        "an element that is chosen and replaced is replaced whole (RFC 7644 section 3.5.2.3)",
    ),
    (29, "an empty object is no value (RFC 7643 section 2.5)"),
    (35, "`schemas` says the extension that was changed"),
    (
        46,
        "an element that is chosen by `eq` is made for an object too, not just for one value",
    ),
    (48, "`schemas` says the extension that was changed"),
    (
        62,
        "two primary values in one operation are refused (RFC 7643 section 2.4)",
    ),
    (
        63,
        "the value that becomes the primary one takes that from the others (RFC 7644 section 3.5.2)",
    ),
    (86, "`schemas` says the extension that was changed"),
    (87, "a path has two names at most"),
];
const SCIMMY_ADD: &[Deviation] = &[(3, "a text in a filter has quotes (RFC 7644 figure 1)")];
const SCIMMY_REMOVE: &[Deviation] = &[
    (3, "members are told apart by their `value` alone"),
    (7, "a text in a filter has quotes (RFC 7644 figure 1)"),
];
const SCIMMY_REPLACE: &[Deviation] = &[(
    1,
    "a complex attribute keeps what the value does not say (RFC 7644 section 3.5.2.3)",
)];

/// One recorded case: a resource, operations, and the resource afterwards or the kind of mistake.
struct Case {
    before: Value,
    patch: Value,
    after: Result<Value, Option<String>>,
    options: Options,
}

impl Case {
    /// Returns in which way our answer differs from the recorded one, if it does.
    fn difference(&self) -> Option<String> {
        let patch: Result<PatchOp, _> = serde_json::from_value(self.patch.clone());
        let patched = match patch {
            // An operation that does not exist is no operation: what a server answers with 400.
            Err(_) => Err("invalidSyntax".to_owned()),
            Ok(patch) => patch
                .apply(&self.before, &self.options)
                .map_err(|error| error.scim_type().to_string()),
        };
        match (&patched, &self.after) {
            (Ok(patched), Ok(after)) if assigned(patched) == assigned(after) => None,
            (Err(ours), Err(theirs)) if theirs.as_ref().is_none_or(|theirs| theirs == ours) => None,
            (ours, theirs) => Some(format!("{ours:?} instead of {theirs:?}")),
        }
    }
}

/// Takes out what says nothing.
fn assigned(value: &Value) -> Value {
    match value {
        Value::Object(attributes) => {
            let said = attributes
                .iter()
                .filter(|(_, value)| !value.is_null() && value.as_array() != Some(&Vec::new()))
                .map(|(name, value)| (name.clone(), assigned(value)));
            said.collect::<Map<_, _>>().into()
        }
        Value::Array(list) => list.iter().map(assigned).collect(),
        value => value.clone(),
    }
}

#[track_caller]
fn check(cases: impl IntoIterator<Item = Case>, deviations: &[Deviation]) {
    check_listed(
        cases.into_iter().map(|case| {
            let difference = case.difference();
            difference.map(|difference| format!("{} {difference}", case.patch))
        }),
        deviations,
    );
}

/// Checks that exactly the listed cases differ, so that the list says neither too little nor too much.
#[track_caller]
pub(crate) fn check_listed(
    differences: impl IntoIterator<Item = Option<String>>,
    deviations: &[Deviation],
) {
    let mut listed: BTreeMap<usize, &str> = deviations.iter().copied().collect();
    let mut wrong = Vec::new();
    for (number, difference) in differences.into_iter().enumerate() {
        match (difference, listed.remove(&number)) {
            (Some(difference), None) => wrong.push(format!("{number}: {difference}")),
            (None, Some(reason)) => wrong.push(format!("{number} no longer differs: {reason}")),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    assert!(listed.is_empty(), "{listed:?} is not in the set");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The suite gives some resources a schema of their own, with an attribute that cannot be changed.
fn locked() -> Schemas {
    let schema: Schema = serde_json::from_value(json!({
        "id": "urn:test:Locked",
        "attributes": [
            {"name": "locked", "mutability": "immutable"},
            {"name": "immutable", "mutability": "immutable"}
        ]
    }))
    .expect("a schema");
    Schemas::new(&schema, &[]).expect("a schema with an id")
}

#[test]
fn the_recorded_suite_of_scim2_models_is_answered_alike() {
    let set = corpus::json::<Vec<Value>>("patch", "scim2-models-0.6.12-recorded.json");
    let Some(set) = set else { return };
    assert_eq!(set.len(), 81, "the set is whole");
    let cases = set.into_iter().map(|case| Case {
        options: Options {
            schemas: case["input"].get("schemas").is_none().then(locked),
            listed_removal: ListedRemoval::Listed,
            ..Options::default()
        },
        before: case["input"].clone(),
        patch: case["patch"].clone(),
        after: match case.get("output") {
            Some(after) => Ok(after.clone()),
            None => Err(case["error"]["scim_type"].as_str().map(str::to_owned)),
        },
    });
    check(cases, SCIM2_MODELS);
}

#[test]
fn the_recorded_suite_of_scim_patch_is_answered_alike() {
    let set = corpus::json::<Vec<Value>>("patch", "scim-patch-npm-0.8.3-recorded.json");
    let Some(set) = set else { return };
    assert_eq!(set.len(), 96, "the set is whole");
    let cases = set.into_iter().map(|case| Case {
        options: Options {
            missing_element: if case["options"]["treatMissingAsAdd"] == json!(false) {
                MissingElement::Refuse
            } else {
                MissingElement::Create
            },
            ..without_schema()
        },
        before: case["input"].clone(),
        patch: json!({ "Operations": case["ops"] }),
        after: match case.get("output") {
            Some(after) => Ok(after.clone()),
            // That suite says `invalidSyntax` of most mistakes; the kinds are our own.
            None => Err(None),
        },
    });
    check(cases, SCIM_PATCH);
}

#[test]
fn the_recorded_suite_of_scimmy_is_answered_alike() {
    let Some(set) = corpus::json::<Value>("scimmy", "patchop.json") else {
        return;
    };
    for (op, deviations) in [
        ("add", SCIMMY_ADD),
        ("remove", SCIMMY_REMOVE),
        ("replace", SCIMMY_REPLACE),
    ] {
        let cases = set["inbound"][op].as_array().expect("cases");
        let cases = cases.iter().map(|case| Case {
            options: Options {
                missing_element: MissingElement::Create,
                ..without_schema()
            },
            before: case["source"].clone(),
            patch: json!({ "Operations": case["ops"] }),
            after: Ok(case["target"].clone()),
        });
        check(cases, deviations);
    }
}

/// Both suites know no schema, and remove what is listed.
fn without_schema() -> Options {
    Options {
        schemas: Some(Schemas::unknown()),
        listed_removal: ListedRemoval::Listed,
        ..Options::default()
    }
}
