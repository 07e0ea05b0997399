//! Reading JSON with tolerance: what is odd is absent, unless nothing can be done without it.

use serde_json::Value;

use crate::id::Id;

/// A thing that is read from Okta's JSON.
pub(crate) trait FromJson: Sized {
    /// Reads the thing from `value`.
    fn from_json(value: Value) -> Result<Self, Missing>;
}

/// What an answer lacks, or has in a form that makes no sense: the name of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) &'static str);

/// Returns the text at `pointer`; an empty one counts as none, as Okta means it.
pub(crate) fn text(value: &Value, pointer: &str) -> Option<String> {
    str_at(value, pointer).map(str::to_owned)
}

/// As [`text`], borrowed.
pub(crate) fn str_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Returns the texts of the list at `pointer`, leaving out what is none.
pub(crate) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Returns the open enum at `pointer`.
pub(crate) fn word<T: for<'a> From<&'a str>>(value: &Value, pointer: &str) -> T {
    T::from(str_at(value, pointer).unwrap_or_default())
}

/// Returns the id at `pointer`, which has to be there.
pub(crate) fn id<T>(value: &Value, pointer: &'static str) -> Result<Id<T>, Missing> {
    id_opt(value, pointer).ok_or(Missing(pointer))
}

/// Returns the id at `pointer`, if there is one.
pub(crate) fn id_opt<T>(value: &Value, pointer: &str) -> Option<Id<T>> {
    Id::parse(str_at(value, pointer)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Missing, id, text, texts};
    use crate::App;

    #[test]
    fn what_is_odd_is_absent() {
        let value = json!({ "a": null, "b": 7, "c": "", "d": { "e": "x" }, "f": ["y", 1, null] });
        assert_eq!(text(&value, "/a"), None);
        assert_eq!(text(&value, "/b"), None);
        assert_eq!(text(&value, "/c"), None);
        assert_eq!(text(&value, "/b/c"), None);
        assert_eq!(text(&value, "/d/e").as_deref(), Some("x"));
        assert_eq!(texts(&value, "/f"), ["y"]);
        assert_eq!(texts(&value, "/a"), [""; 0]);
    }

    #[test]
    fn an_id_has_to_be_there_and_has_to_be_one() {
        assert_eq!(id::<App>(&json!({}), "/id"), Err(Missing("/id")));
        assert_eq!(
            id::<App>(&json!({ "id": "../x" }), "/id"),
            Err(Missing("/id"))
        );
    }
}
