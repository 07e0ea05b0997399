//! Lookup and comparison of attributes in JSON: names are case-insensitive, and one value may have several forms.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Returns an attribute and its name as spelled in the map. Names are case-insensitive (RFC 7643
/// section 2.1).
pub(crate) fn find<'m>(
    attributes: &'m Map<String, Value>,
    name: &str,
) -> Option<(&'m str, &'m Value)> {
    let exact = attributes.get_key_value(name);
    let folded = || {
        attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    exact
        .or_else(folded)
        .map(|(name, value)| (name.as_str(), value))
}

/// Returns the value of an attribute; `None` if the attribute is absent or unassigned.
pub(crate) fn assigned<'m>(attributes: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    find(attributes, name)
        .map(|(_, value)| value)
        .filter(|value| !is_unassigned(value))
}

/// Returns whether a value counts as unassigned: `null` or empty (RFC 7643 section 2.5).
pub(crate) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().all(Value::is_null),
        Value::Object(attributes) => attributes.values().all(is_unassigned),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Parses a boolean that is written as a string.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Returns whether a name is a URN, and therefore the name of an extension.
pub(crate) fn is_urn(name: &str) -> bool {
    name.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

/// Returns whether a value is `true`, or the string `"True"`, which Microsoft Entra sends.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => parse_boolean(text) == Some(true),
        _ => false,
    }
}

/// Returns whether an element of a list is marked as primary.
pub(crate) fn is_primary(element: &Value) -> bool {
    let primary = element
        .as_object()
        .and_then(|attributes| assigned(attributes, "primary"));
    primary.is_some_and(is_true)
}

/// Returns whether two values are equivalent.
///
/// The case of names and the order of lists do not matter, and `null` equals an absent attribute.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    left == right || identity(left) == identity(right)
}

/// Returns a string that is the same for equivalent values.
pub(crate) fn identity(value: &Value) -> String {
    let mut text = String::new();
    write_identity(value, &mut text);
    text
}

fn write_identity(value: &Value, text: &mut String) {
    match value {
        Value::Object(attributes) => {
            let assigned = attributes
                .iter()
                .filter(|(_, value)| !is_unassigned(value))
                .map(|(name, value)| (name.to_ascii_lowercase(), value));
            let mut assigned: Vec<_> = assigned.collect();
            assigned.sort_by(|(left, _), (right, _)| left.cmp(right));
            text.push('{');
            for (name, value) in assigned {
                write!(text, "{name:?}:").expect("writing to a String cannot fail");
                write_identity(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(list) => {
            let mut items: Vec<String> = list
                .iter()
                .filter(|item| !item.is_null())
                .map(identity)
                .collect();
            items.sort();
            write!(text, "[{}]", items.join(",")).expect("writing to a String cannot fail");
        }
        value => write!(text, "{value}").expect("writing to a String cannot fail"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exact_name_is_preferred_to_another_case() {
        let both = json!({"Title": 1, "title": 2});
        let attributes = both.as_object().unwrap();
        assert_eq!(find(attributes, "title"), Some(("title", &json!(2))));
        assert_eq!(
            find(attributes, "TITLE").map(|(name, _)| name),
            Some("Title")
        );
        assert_eq!(find(attributes, "titles"), None);
    }

    #[test]
    fn equivalent_values_are_the_same() {
        let left = json!({"Name": {"given": "A", "x": null}, "tags": ["b", "a"], "none": []});
        let right = json!({"tags": ["a", "b"], "name": {"GIVEN": "A"}});
        assert!(is_same(&left, &right));
        assert!(!is_same(&json!({"a": "1"}), &json!({"a": 1})));
        assert!(!is_same(&json!(["a", "a"]), &json!(["a"])));
        assert!(!is_same(&json!(["a,\"b"]), &json!(["a", "b"])));
    }

    #[test]
    fn an_empty_value_is_unassigned_at_every_depth() {
        assert!(is_unassigned(&json!({"a": {"b": [null]}, "c": []})));
        assert!(!is_unassigned(&json!({"a": {"b": ""}})));
        assert!(!is_unassigned(&json!(false)));
    }
}
