//! Tolerant decoding of JSON: an invalid field counts as absent, unless it is required.

use serde_json::Value;

use crate::id::Id;

/// A type that is decoded from Okta's JSON.
pub(crate) trait FromJson: Sized {
    /// Decodes `value`.
    fn from_json(value: Value) -> Result<Self, Missing>;
}

/// The JSON pointer of a required field that is absent or invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) &'static str);

/// Returns the string at `pointer`. An empty string counts as absent, as in Okta's API.
pub(crate) fn string(value: &Value, pointer: &str) -> Option<String> {
    str_at(value, pointer).map(str::to_owned)
}

/// Returns the same as [`string`], but borrowed from `value`.
pub(crate) fn str_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Returns the strings of the list at `pointer`. Elements that are not strings are omitted.
pub(crate) fn strings(value: &Value, pointer: &str) -> Vec<String> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Returns the string at `pointer` as an open enum. An absent string becomes `Other` with an empty
/// string.
pub(crate) fn open_enum<T: for<'a> From<&'a str>>(value: &Value, pointer: &str) -> T {
    T::from(str_at(value, pointer).unwrap_or_default())
}

/// Returns the id at `pointer`. Fails if the id is absent or invalid.
pub(crate) fn id<T>(value: &Value, pointer: &'static str) -> Result<Id<T>, Missing> {
    id_opt(value, pointer).ok_or(Missing(pointer))
}

/// Returns the id at `pointer`, or `None` if the id is absent or invalid.
pub(crate) fn id_opt<T>(value: &Value, pointer: &str) -> Option<Id<T>> {
    Id::parse(str_at(value, pointer)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Missing, id, string, strings};
    use crate::App;

    #[test]
    fn an_invalid_value_counts_as_absent() {
        let value = json!({ "a": null, "b": 7, "c": "", "d": { "e": "x" }, "f": ["y", 1, null] });
        assert_eq!(string(&value, "/a"), None);
        assert_eq!(string(&value, "/b"), None);
        assert_eq!(string(&value, "/c"), None);
        assert_eq!(string(&value, "/b/c"), None);
        assert_eq!(string(&value, "/d/e").as_deref(), Some("x"));
        assert_eq!(strings(&value, "/f"), ["y"]);
        assert_eq!(strings(&value, "/a"), [""; 0]);
    }

    #[test]
    fn a_required_id_must_be_present_and_valid() {
        assert_eq!(id::<App>(&json!({}), "/id"), Err(Missing("/id")));
        assert_eq!(
            id::<App>(&json!({ "id": "../x" }), "/id"),
            Err(Missing("/id"))
        );
    }
}
