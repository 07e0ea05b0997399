//! Lookup of the values that a path selects in a resource.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::AttributePath;
use crate::{names, schema};

/// Returns the values that a path selects: at least one entry, and `None` for each absent value.
pub(super) fn values<'v>(object: &'v Value, path: &AttributePath) -> Vec<Option<&'v Value>> {
    let Some((attribute, sub_attribute)) = attribute(object, path) else {
        return vec![None];
    };
    let inner = |value: &'v Value| match (sub_attribute, value) {
        (None, value) => Some(value),
        (Some(name), Value::Object(attributes)) => lookup(attributes, name),
        // A simple value is its own `value`, as in `schemas.value`.
        (Some(name), value) => name.eq_ignore_ascii_case("value").then_some(value),
    };
    match attribute {
        Value::Array(list) if list.is_empty() => vec![None],
        Value::Array(list) => list.iter().map(inner).collect(),
        value => vec![inner(value)],
    }
}

/// Returns the elements of an attribute, each as an object.
pub(super) fn elements_of<'v>(object: &'v Value, path: &AttributePath) -> Vec<Cow<'v, Value>> {
    let lists = values(object, path)
        .into_iter()
        .flatten()
        .flat_map(|value| match value {
            Value::Array(list) => list.as_slice(),
            Value::Null => &[],
            value => std::slice::from_ref(value),
        });
    lists.map(as_object).collect()
}

/// Returns an element as an object. A simple element becomes the `value` of an object.
pub(super) fn as_object(element: &Value) -> Cow<'_, Value> {
    match element {
        Value::Object(_) => Cow::Borrowed(element),
        value => Cow::Owned(Value::from(Map::from_iter([(
            "value".to_owned(),
            value.clone(),
        )]))),
    }
}

/// Returns the attribute of a path, and the name of the sub-attribute that is not yet looked up.
fn attribute<'v, 'p>(
    object: &'v Value,
    path: &'p AttributePath,
) -> Option<(&'v Value, Option<&'p str>)> {
    let attributes = object.as_object()?;
    let (name, sub_attribute) = (path.name(), path.sub_attribute());
    let Some(schema) = path.schema() else {
        return Some((lookup(attributes, name)?, sub_attribute));
    };
    // If the path is the URN of an extension, the last part of the URN looks like an attribute.
    if let Some(extension) = lookup(attributes, &format!("{schema}:{name}")) {
        return Some((extension, sub_attribute));
    }
    let within = match lookup(attributes, schema) {
        Some(extension) => extension.as_object()?,
        None if schema::is_core_urn(schema) => attributes,
        None => return None,
    };
    Some((lookup(within, name)?, sub_attribute))
}

fn lookup<'v>(attributes: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    names::find(attributes, name).map(|(_, value)| value)
}

/// Returns the value to compare if a path ends at a complex attribute: the sub-attribute `value`.
pub(super) fn default_value(value: &Value) -> &Value {
    value
        .as_object()
        .and_then(|attributes| lookup(attributes, "value"))
        .unwrap_or(value)
}

pub(super) fn is_present(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(attributes)) => !attributes.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => true,
    }
}
