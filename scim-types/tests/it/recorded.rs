//! Tests with recorded patch suites of other implementations.
//!
//! The module lists every case in which the result differs, with the reason.

use std::collections::BTreeMap;

use scim_types::{
    PatchOp, Schema, Schemas,
    patch::{ListedRemoval, MissingElement, Options},
};
use serde_json::{Map, Value, json};

use crate::corpus;

/// The number of a case in which this crate differs from the recorded result, and the reason.
pub(crate) type Deviation = (usize, &'static str);

const SCIM2_MODELS: &[Deviation] = &[
    (
        7,
        "a member has no attribute `ref`, so it is refused instead of ignored",
    ),
    (
        9,
        "a member has no attribute `ref`, so it is refused instead of ignored",
    ),
    (
        13,
        "an attribute that is not in its schema is refused instead of ignored",
    ),
    (
        14,
        "without a path the value must be an object; another value is refused instead of ignored",
    ),
    (
        17,
        "a removal with a value is only for lists; otherwise it is refused instead of ignored",
    ),
    (
        38,
        "without a path the value must be an object; another value is refused instead of ignored",
    ),
    (
        44,
        "two existing primary values stay, unless the patch makes another value primary",
    ),
    (
        48,
        "the read-only `manager.displayName` is the name of the former manager",
    ),
    (
        49,
        "`manager.displayName` is read-only: a value from a client is ignored",
    ),
    (
        56,
        "an attribute in a resource without a known schema is kept instead of ignored",
    ),
    (
        61,
        "for a string as the value of a whole schema, the error is in the value, not in the path",
    ),
    (
        62,
        "the URN of an extension is removed from `schemas` with the extension's last attribute",
    ),
    (
        73,
        "without a path the value must be an object; another value is refused instead of ignored",
    ),
    (
        74,
        "for a string as the value of a whole schema, the error is in the value, not in the path",
    ),
    (75, "a patch without operations is malformed"),
    (
        78,
        "an unknown `op` is a syntax error of the message, not an invalid value",
    ),
];
const SCIM_PATCH: &[Deviation] = &[
    (5, "`schemas` contains the URN of the changed extension"),
    (16, "`schemas` contains the URN of the changed extension"),
    (
        20,
        "`replace` replaces a selected element as a whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        21,
        "`replace` replaces a selected element as a whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        26,
        "`replace` replaces a list as a whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        28,
        "`replace` replaces a selected element as a whole (RFC 7644 section 3.5.2.3)",
    ),
    (
        29,
        "an empty object counts as unassigned (RFC 7643 section 2.5)",
    ),
    (35, "`schemas` contains the URN of the changed extension"),
    (
        46,
        "a missing element of an `eq` filter is also created for an object, not only for a single value",
    ),
    (48, "`schemas` contains the URN of the changed extension"),
    (
        62,
        "two primary values in one operation are refused (RFC 7643 section 2.4)",
    ),
    (
        63,
        "a new primary value makes the other values non-primary (RFC 7644 section 3.5.2)",
    ),
    (86, "`schemas` contains the URN of the changed extension"),
    (87, "a path has at most two names"),
];
const SCIMMY_ADD: &[Deviation] = &[(3, "a string in a filter needs quotes (RFC 7644 figure 1)")];
const SCIMMY_REMOVE: &[Deviation] = &[
    (3, "members are identified by their `value` alone"),
    (7, "a string in a filter needs quotes (RFC 7644 figure 1)"),
];
const SCIMMY_REPLACE: &[Deviation] = &[(
    1,
    "a complex attribute keeps the sub-attributes that the value does not contain (RFC 7644 section 3.5.2.3)",
)];

/// One recorded case: a resource, a patch, and the patched resource or the kind of the error.
struct Case {
    before: Value,
    patch: Value,
    after: Result<Value, Option<String>>,
    options: Options,
}

impl Case {
    /// Returns the difference between this crate's result and the recorded result, if they differ.
    fn difference(&self) -> Option<String> {
        let patch: Result<PatchOp, _> = serde_json::from_value(self.patch.clone());
        let patched = match patch {
            // A server answers an unknown `op` with status 400.
            Err(_) => Err("invalidSyntax".to_owned()),
            Ok(patch) => patch
                .apply(&self.before, &self.options)
                .map_err(|error| error.scim_type().to_string()),
        };
        match (&patched, &self.after) {
            (Ok(patched), Ok(after))
                if without_unassigned(patched) == without_unassigned(after) =>
            {
                None
            }
            (Err(ours), Err(theirs)) if theirs.as_ref().is_none_or(|theirs| theirs == ours) => None,
            (ours, theirs) => Some(format!("{ours:?} instead of {theirs:?}")),
        }
    }
}

/// Removes `null` and empty lists.
fn without_unassigned(value: &Value) -> Value {
    match value {
        Value::Object(attributes) => {
            let assigned = attributes
                .iter()
                .filter(|(_, value)| !value.is_null() && value.as_array() != Some(&Vec::new()))
                .map(|(name, value)| (name.clone(), without_unassigned(value)));
            assigned.collect::<Map<_, _>>().into()
        }
        Value::Array(list) => list.iter().map(without_unassigned).collect(),
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

/// Checks that exactly the listed cases differ, so that the list is complete and has no obsolete entries.
#[track_caller]
pub(crate) fn check_listed(
    differences: impl IntoIterator<Item = Option<String>>,
    deviations: &[Deviation],
) {
    let mut listed: BTreeMap<usize, &str> = deviations.iter().copied().collect();
    let mut problems = Vec::new();
    for (number, difference) in differences.into_iter().enumerate() {
        match (difference, listed.remove(&number)) {
            (Some(difference), None) => problems.push(format!("{number}: {difference}")),
            (None, Some(reason)) => problems.push(format!("{number} no longer differs: {reason}")),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    assert!(listed.is_empty(), "the set has no case {listed:?}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Returns the suite's own schema for some resources, with an immutable attribute.
fn schema_with_an_immutable_attribute() -> Schemas {
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
fn the_recorded_suite_of_scim2_models_has_the_same_results() {
    let set = corpus::json::<Vec<Value>>("patch", "scim2-models-0.6.12-recorded.json");
    let Some(set) = set else { return };
    assert_eq!(set.len(), 81, "the set is complete");
    let cases = set.into_iter().map(|case| Case {
        options: Options {
            schemas: case["input"]
                .get("schemas")
                .is_none()
                .then(schema_with_an_immutable_attribute),
            listed_removal: ListedRemoval::RemoveListed,
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
fn the_recorded_suite_of_scim_patch_has_the_same_results() {
    let set = corpus::json::<Vec<Value>>("patch", "scim-patch-npm-0.8.3-recorded.json");
    let Some(set) = set else { return };
    assert_eq!(set.len(), 96, "the set is complete");
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
            // The suite has `invalidSyntax` for most errors, so the kinds are not compared.
            None => Err(None),
        },
    });
    check(cases, SCIM_PATCH);
}

#[test]
fn the_recorded_suite_of_scimmy_has_the_same_results() {
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

/// Returns options without a schema and with listed removals, as in both suites.
fn without_schema() -> Options {
    Options {
        schemas: Some(Schemas::unknown()),
        listed_removal: ListedRemoval::RemoveListed,
        ..Options::default()
    }
}
