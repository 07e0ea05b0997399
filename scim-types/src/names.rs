//! Names and values of attributes in JSON, which are the same in any case and in several forms.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Returns an attribute and its name as it is spelled; names are the same in any case (RFC 7643
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

/// Returns the value of an attribute that has one.
pub(crate) fn assigned<'m>(attributes: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    find(attributes, name)
        .map(|(_, value)| value)
        .filter(|value| !is_unassigned(value))
}

/// Says whether a value is the same as none: `null`, or empty (RFC 7643 section 2.5).
pub(crate) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().all(Value::is_null),
        Value::Object(attributes) => attributes.values().all(is_unassigned),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Reads a boolean written as a text.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Says whether a name is a URN, and so the name of an extension.
pub(crate) fn is_urn(name: &str) -> bool {
    name.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

/// Says whether a value is `true`, or the text of it, which Microsoft Entra sends.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => boolean(text) == Some(true),
        _ => false,
    }
}

/// Says whether an element of a list is marked as the preferred one.
pub(crate) fn is_primary(element: &Value) -> bool {
    let primary = element
        .as_object()
        .and_then(|attributes| assigned(attributes, "primary"));
    primary.is_some_and(is_true)
}

/// Says whether two values say the same: names in any case, lists in any order, and nothing where
/// the other has `null`.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    left == right || identity(left) == identity(right)
}

/// Returns a text that is the same for values that say the same.
pub(crate) fn identity(value: &Value) -> String {
    let mut text = String::new();
    write_identity(value, &mut text);
    text
}

fn write_identity(value: &Value, text: &mut String) {
    match value {
        Value::Object(attributes) => {
            let said = attributes
                .iter()
                .filter(|(_, value)| !is_unassigned(value))
                .map(|(name, value)| (name.to_ascii_lowercase(), value));
            let mut said: Vec<_> = said.collect();
            said.sort_by(|(left, _), (right, _)| left.cmp(right));
            text.push('{');
            for (name, value) in said {
                write!(text, "{name:?}:").expect("a text takes every text");
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
            write!(text, "[{}]", items.join(",")).expect("a text takes every text");
        }
        value => write!(text, "{value}").expect("a text takes every text"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_as_they_are_spelled_first() {
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
    fn values_that_say_the_same_are_the_same() {
        let left = json!({"Name": {"given": "A", "x": null}, "tags": ["b", "a"], "none": []});
        let right = json!({"tags": ["a", "b"], "name": {"GIVEN": "A"}});
        assert!(is_same(&left, &right));
        assert!(!is_same(&json!({"a": "1"}), &json!({"a": 1})));
        assert!(!is_same(&json!(["a", "a"]), &json!(["a"])));
        assert!(!is_same(&json!(["a,\"b"]), &json!(["a", "b"])));
    }

    #[test]
    fn empty_is_unassigned_at_every_depth() {
        assert!(is_unassigned(&json!({"a": {"b": [null]}, "c": []})));
        assert!(!is_unassigned(&json!({"a": {"b": ""}})));
        assert!(!is_unassigned(&json!(false)));
    }
}
