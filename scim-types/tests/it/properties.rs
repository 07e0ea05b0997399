//! Property tests of filters, paths and documents.

use proptest::{collection::vec, prelude::*};
use scim_types::{
    User,
    filter::{AttributePath, Filter, Limits, Literal, Operator},
    patch::Path,
};
use serde_json::{Number, Value, json};

fn attribute_path() -> impl Strategy<Value = AttributePath> {
    let name = "[A-Za-z$][A-Za-z0-9_$-]{0,6}|not|and|or|pr|eq|true|null";
    let schema = prop_oneof![
        Just(String::new()),
        Just("urn:ietf:params:scim:schemas:core:2.0:User:".to_owned()),
        Just("urn:x:".to_owned()),
    ];
    (schema, name, proptest::option::of(name)).prop_map(|(schema, name, sub_attribute)| {
        let sub_attribute = sub_attribute
            .map(|name| format!(".{name}"))
            .unwrap_or_default();
        AttributePath::parse(&format!("{schema}{name}{sub_attribute}")).expect("a path")
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<String>().prop_map(Literal::String),
        any::<i64>().prop_map(Literal::from),
        any::<u64>().prop_map(Literal::from),
        any::<f64>()
            .prop_filter_map("JSON has no such number", Number::from_f64)
            .prop_map(
                // An integer that fits is parsed as an integer, even if it was written as a double.
                |number| match Filter::parse(&format!("a eq {number}")).expect("a filter") {
                    Filter::Compare(comparison) => comparison.value,
                    other => panic!("{other}"),
                }
            ),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Null),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    proptest::sample::select(vec![
        Operator::Eq,
        Operator::Ne,
        Operator::Co,
        Operator::Sw,
        Operator::Ew,
        Operator::Gt,
        Operator::Ge,
        Operator::Lt,
        Operator::Le,
    ])
}

/// Combinations of filters with `and`, `or` and `not`.
fn combinations(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(6, 48, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| left.and(right)),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| left.or(right)),
            inner.prop_map(|filter| !filter),
        ]
    })
    .boxed()
}

fn filter() -> BoxedStrategy<Filter> {
    let condition = prop_oneof![
        attribute_path().prop_map(Filter::present),
        (attribute_path(), operator(), literal())
            .prop_map(|(path, operator, value)| Filter::compare(path, operator, value)),
    ]
    .boxed();
    let elements = (attribute_path(), combinations(condition.clone()))
        .prop_map(|(path, filter)| Filter::value_path(path, filter).expect("no nested brackets"));
    combinations(prop_oneof![condition, elements].boxed())
}

/// Pieces of filters, in random order.
fn random_pieces() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a", "not", "and", "or", "pr", "eq", "gt", "(", ")", "[", "]", ".", ":", "\"", "\\",
        "\"x\"", "1", "-", "1e9", "true", "null", "urn:x:", " ", "  ", "é", "\t",
    ];
    vec(proptest::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    });
    proptest::collection::btree_map("x[a-z]{1,6}|urn:x:[a-z]", value, 0..6)
        .prop_map(|map| map.into_iter().collect())
}

fn path() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        attribute_path().prop_map(Filter::present),
        (attribute_path(), operator(), literal())
            .prop_map(|(path, operator, value)| Filter::compare(path, operator, value)),
    ];
    let elements = (
        attribute_path(),
        combinations(condition.boxed()),
        proptest::option::of("[a-z$][a-z]{0,4}"),
    );
    prop_oneof![
        attribute_path().prop_map(|path| path.to_string()),
        elements.prop_map(|(path, filter, sub_attribute)| {
            let sub_attribute = sub_attribute.map(|name| format!(".{name}"));
            format!("{path}[{filter}]{}", sub_attribute.unwrap_or_default())
        }),
        "urn:[a-z]{1,3}:[0-9]\\.[0-9](:[A-Z][a-z]{0,3})?",
    ]
}

proptest! {
    #[test]
    fn a_written_path_is_parsed_as_the_same_path(text in path()) {
        let limits = Limits { bytes: usize::MAX, depth: u8::MAX };
        let path = Path::parse_within(&text, limits);
        prop_assert_eq!(path.as_ref().map(ToString::to_string), Ok(text.clone()));
        prop_assert_eq!(Path::parse_within(&text, limits), path);
    }

    #[test]
    fn any_string_is_rejected_or_parsed_as_a_path_with_a_canonical_form(text in random_pieces()) {
        match Path::parse(&text) {
            Ok(path) => {
                let written = path.to_string();
                prop_assert_eq!(Path::parse(&written), Ok(path), "{}", text);
            }
            Err(error) => prop_assert!(text.is_char_boundary(error.position())),
        }
    }

    #[test]
    fn a_written_filter_is_parsed_as_the_same_filter(filter in filter()) {
        let limits = Limits { bytes: usize::MAX, depth: u8::MAX };
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse_within(&text, limits), Ok(filter), "{}", text);
    }

    #[test]
    fn any_string_is_rejected_or_parsed_as_a_filter_with_a_canonical_form(text in random_pieces()) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let written = filter.to_string();
                prop_assert_eq!(Filter::parse(&written).map(|filter| filter.to_string()), Ok(written));
            }
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.position()));
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn a_negated_filter_matches_if_the_filter_does_not(filter in filter(), resource in document()) {
        if let Ok(found) = filter.matches(&resource) {
            prop_assert_eq!((!filter).matches(&resource).ok(), Some(!found));
        }
    }

    #[test]
    fn unknown_attributes_round_trip_unchanged(document in document()) {
        let user: User = serde_json::from_str(&document.to_string()).expect("a user");
        let mut written = serde_json::to_value(&user).expect("a parsed user can be serialized");
        let urns = document.as_object().into_iter().flat_map(|map| map.keys());
        let urns: Vec<&String> = urns.filter(|name| name.starts_with("urn:")).collect();
        let mut schemas = vec![json!("urn:ietf:params:scim:schemas:core:2.0:User")];
        schemas.extend(urns.into_iter().map(|urn| json!(urn)));
        prop_assert_eq!(written["schemas"].take(), Value::from(schemas));
        written.as_object_mut().expect("an object").remove("schemas");
        prop_assert_eq!(written, document);
    }
}
