//! Paths that three implementations were asked about.

use std::collections::BTreeMap;

use scim_types::{Schemas, patch::Path};
use serde::Deserialize;
use serde_json::Value;

use crate::corpus;

/// Paths the three do not agree on, whether we read them, and why.
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
        "the grammar has it; the schema of `emails` refuses it when it is applied",
    ),
    (
        "emails.type eq \"work\"",
        false,
        "a condition without brackets says nothing about where to write",
    ),
    (
        "userName eq \"x\"",
        false,
        "a condition without brackets says nothing about where to write",
    ),
    (
        "",
        false,
        "an operation without a path has none, or the empty text, and is read so there",
    ),
    ("/name/familyName", false, "a JSON pointer is not a path"),
    ("members/0", false, "a JSON pointer is not a path"),
    (
        "urn:example:my.ext:2.0:User:x.y",
        true,
        "the last colon ends the URN, and its dots are its own",
    ),
];

#[test]
fn paths_are_read_as_three_implementations_read_them() {
    #[derive(Deserialize)]
    struct Case {
        path: String,
        verdicts: BTreeMap<String, BTreeMap<String, Value>>,
    }
    let Some(cases) = corpus::json::<Vec<Case>>("filters", "path-matrix.json") else {
        return;
    };
    assert_eq!(cases.len(), 46, "the set is whole");
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
                .unwrap_or_else(|| panic!("{path:?} is contested, and not in the list")),
        };
        let ours = Path::parse(path);
        assert_eq!(ours.is_ok(), expected, "{path:?}: {ours:?}");
    }
    assert!(contested.is_empty(), "{contested:?} are not contested");
}

#[test]
fn the_built_in_schemas_are_those_of_the_rfc() {
    let read = |name: &str| {
        corpus::json::<scim_types::Schema>("rfc-json", &format!("rfc7643-8.7.1-schema-{name}.json"))
    };
    let (Some(user), Some(group), Some(enterprise)) =
        (read("user"), read("group"), read("enterprise_user"))
    else {
        return;
    };
    // A document with a value of every attribute is judged alike by both.
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
