//! Tests of paths that three other implementations parsed.

use std::collections::BTreeMap;

use scim_types::{Schemas, patch::Path};
use serde::Deserialize;
use serde_json::Value;

use crate::corpus;

/// Paths on which the three do not agree, whether this crate accepts them, and why.
const CONTESTED: &[(&str, bool, &str)] = &[
    ("$ref", true, "a name may start with `$` (erratum 8924)"),
    (
        "members.$ref",
        true,
        "a name may start with `$` (erratum 8924)",
    ),
    (
        "emails[type eq \"work\"].$ref",
        true,
        "a name may start with `$` (erratum 8924)",
    ),
    (
        "emails.value[type eq \"work\"]",
        true,
        "the grammar allows it; the schema of `emails` refuses it when the patch is applied",
    ),
    (
        "emails.type eq \"work\"",
        false,
        "a condition without brackets does not name a target",
    ),
    (
        "userName eq \"x\"",
        false,
        "a condition without brackets does not name a target",
    ),
    (
        "",
        false,
        "an empty path means no path, and `PatchOperation` handles it",
    ),
    ("/name/familyName", false, "a JSON pointer is not a path"),
    ("members/0", false, "a JSON pointer is not a path"),
    (
        "urn:example:my.ext:2.0:User:x.y",
        true,
        "the URN ends at the last colon and may contain dots",
    ),
];

#[test]
fn paths_are_parsed_as_in_three_other_implementations() {
    #[derive(Deserialize)]
    struct Case {
        path: String,
        verdicts: BTreeMap<String, BTreeMap<String, Value>>,
    }
    let Some(cases) = corpus::json::<Vec<Case>>("filters", "path-matrix.json") else {
        return;
    };
    assert_eq!(cases.len(), 46, "the set is complete");
    let mut contested: BTreeMap<&str, bool> = CONTESTED
        .iter()
        .map(|(path, read, _)| (*path, *read))
        .collect();
    for Case { path, verdicts } in &cases {
        let read = verdicts
            .values()
            .filter(|verdict| verdict.contains_key("ok"))
            .count();
        let expected = match read {
            0 => false,
            3 => true,
            _ => contested
                .remove(path.as_str())
                .unwrap_or_else(|| panic!("{path:?} is contested, but not in the list")),
        };
        let ours = Path::parse(path);
        assert_eq!(ours.is_ok(), expected, "{path:?}: {ours:?}");
    }
    assert!(contested.is_empty(), "{contested:?} are not contested");
}

#[test]
fn the_built_in_schemas_equal_the_schemas_of_the_rfc() {
    let read = |name: &str| {
        corpus::json::<scim_types::Schema>("rfc-json", &format!("rfc7643-8.7.1-schema-{name}.json"))
    };
    let (Some(user), Some(group), Some(enterprise)) =
        (read("user"), read("group"), read("enterprise_user"))
    else {
        return;
    };
    // Both give the same findings for a document with a value of every attribute.
    let rfc = Schemas::new(&user, &[enterprise]).expect("schemas with URNs");
    let full = corpus::json::<Value>("rfc-json", "rfc7643-8.3-enterprise_user.json");
    let full = full.expect("a user");
    let response = scim_types::validate::Direction::Response;
    assert_eq!(
        rfc.check(&full, response),
        Schemas::user().check(&full, response)
    );
    assert_eq!(rfc.core(), Schemas::user().core());
    assert!(rfc.extensions().eq(Schemas::user().extensions()));
    let rfc = Schemas::new(&group, &[]).expect("a schema with a URN");
    let full = corpus::json::<Value>("rfc-json", "rfc7643-8.4-group.json").expect("a group");
    assert_eq!(
        rfc.check(&full, response),
        Schemas::group().check(&full, response)
    );
}
