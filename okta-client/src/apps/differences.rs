//! The differences between two documents, by their text.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::value::RawValue;

use crate::raw::{members, text};

/// Adds the paths of all differences between two values to `paths`.
pub(super) fn compare(path: String, before: &str, after: &str, paths: &mut Vec<String>) {
    if let (Some(before), Some(after)) = (members(before), members(after)) {
        let (before, after) = (by_name(before), by_name(after));
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for key in keys {
            if path.is_empty() && IGNORED.contains(&key.as_str()) {
                continue;
            }
            let at = |members: &BTreeMap<String, &'_ str>| {
                members.get(key).map_or("null", |value| value).to_owned()
            };
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            compare(path, &at(&before), &at(&after), paths);
        }
        return;
    }
    let is_equal = if path == "features" {
        set(before) == set(after)
    } else {
        before == after
            || is_empty(before) && is_empty(after)
            || text(before).is_some_and(|before| Some(before) == text(after))
            || lists(before, after)
    };
    if !is_equal {
        paths.push(path);
    }
}

fn by_name<'a>(members: Vec<(&RawValue, &'a RawValue)>) -> BTreeMap<String, &'a str> {
    let member = |(key, value): (&RawValue, &'a RawValue)| {
        let name = text(key.get()).map_or_else(|| key.get().to_owned(), Cow::into_owned);
        (name, value.get())
    };
    members.into_iter().map(member).collect()
}

/// Returns whether two texts are lists with equal elements. The elements are compared like whole documents.
fn lists(before: &str, after: &str) -> bool {
    let list = |json| serde_json::from_str::<Vec<&RawValue>>(json).ok();
    let (Some(before), Some(after)) = (list(before), list(after)) else {
        return false;
    };
    let is_equal = |(before, after): (&&RawValue, &&RawValue)| {
        let mut paths = Vec::new();
        compare(".".to_owned(), before.get(), after.get(), &mut paths);
        paths.is_empty()
    };
    before.len() == after.len() && before.iter().zip(&after).all(is_equal)
}

fn set(json: &str) -> Option<BTreeSet<&str>> {
    let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(list.into_iter().map(RawValue::get).collect())
}

fn is_empty(json: &str) -> bool {
    matches!(json, "null" | "\"\"")
}

/// Fields that may differ between two reads of an unchanged app.
const IGNORED: [&str; 3] = ["lastUpdated", "_links", "_embedded"];
