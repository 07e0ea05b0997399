//! Validation of the resources that clients send, against the schemas.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    profile::ResourceType,
    reply::Refusal,
    schema::{Attribute, Kind, Mutability},
};

/// Reads a resource from the body of POST or PUT, with names in the spelling of the schemas.
pub(super) fn read(
    resource_type: ResourceType,
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    check_schemas(resource_type, body)?;
    attributes(resource_type, body, &[])
}

/// Reads the attributes of a resource, and checks the complete resource.
///
/// Read-only attributes are ignored (RFC 7644 section 3.3). Null and empty lists count as missing (RFC 7643
/// section 2.5). An attribute that no schema defines is an error. Attributes in `dropped` may be missing.
pub(super) fn attributes(
    resource_type: ResourceType,
    body: &Map<String, Value>,
    dropped: &[String],
) -> Result<Map<String, Value>, Refusal> {
    let mut read = Map::new();
    for (name, value) in body {
        let ignored = resource_type.rules().ignores_empty && is_empty(value);
        if resource_type.is_name("schemas", name) || ignored {
            continue;
        }
        if let Some(extension) = resource_type.extension(name) {
            let object = value
                .as_object()
                .ok_or_else(|| Refusal::value(format!("`{name}` must be an object")))?;
            let inner = object_of(resource_type, extension.attributes, false, object)?;
            if !inner.is_empty() {
                read.insert(extension.urn.to_owned(), inner.into());
            }
            continue;
        }
        let attribute = resource_type
            .attribute(name)
            .filter(|attribute| attribute.mutability != Mutability::FilterOnly)
            .ok_or_else(|| ResourceType::unknown(name))?;
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        if let Some(value) = value_of(resource_type, attribute, value)? {
            read.insert(attribute.name.to_owned(), value);
        }
    }
    let kept = resource_type.schema().attributes.iter();
    check(
        kept.filter(|attribute| !dropped.iter().any(|name| name == attribute.name)),
        &read,
    )?;
    Ok(read)
}

/// Rejects an object without a required attribute, or with wrong primary values.
fn check<'a>(
    attributes: impl IntoIterator<Item = &'a Attribute>,
    object: &Map<String, Value>,
) -> Result<(), Refusal> {
    for attribute in attributes {
        let name = attribute.name;
        let value = object.get(name);
        if attribute.required && value.is_none_or(|value| value == "") {
            return Err(Refusal::value(format!("`{name}` is required")));
        }
        match value {
            Some(Value::Object(inner)) => check(attribute.sub_attributes, inner)?,
            Some(Value::Array(items)) => {
                let primary = items.iter().filter(|item| item["primary"] == true).count();
                if primary > 1 || (attribute.primary_only && primary < items.len()) {
                    return Err(Refusal::value(format!(
                        "`{name}` has {primary} primary values"
                    )));
                }
                for inner in items.iter().filter_map(Value::as_object) {
                    check(attribute.sub_attributes, inner)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Requires `schemas` to contain the URN of the resource's own schema (RFC 7643 section 3).
fn check_schemas(resource_type: ResourceType, body: &Map<String, Value>) -> Result<(), Refusal> {
    let urn = resource_type.schema().urn;
    let schemas = body
        .iter()
        .find(|(name, _)| resource_type.is_name("schemas", name))
        .map(|(_, value)| value)
        .filter(|value| !(resource_type.rules().ignores_empty && is_empty(value)));
    let is_own = |schema: &Value| {
        schema
            .as_str()
            .is_some_and(|schema| resource_type.is_name(urn, schema))
    };
    let valid = match schemas {
        None => !resource_type.rules().schemas_required,
        Some(Value::Array(schemas)) => {
            schemas.iter().any(is_own) && schemas.iter().all(Value::is_string)
        }
        Some(_) => false,
    };
    if valid {
        Ok(())
    } else {
        Err(Refusal::value(format!("`schemas` must contain {urn}")))
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Returns the value of an attribute for storage; `None` if the value is null or empty.
pub(super) fn value_of(
    resource_type: ResourceType,
    attribute: &Attribute,
    value: &Value,
) -> Result<Option<Value>, Refusal> {
    if !attribute.multi_valued {
        return single(resource_type, attribute, value);
    }
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        _ => return Err(type_error(attribute, "a list")),
    };
    // Empty values count too, although they are not stored.
    if attribute.max_values.is_some_and(|max| items.len() > max) {
        return Err(type_error(attribute, "a list with fewer values"));
    }
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if item.is_null() {
            return Err(type_error(attribute, "a list without null"));
        }
        match single(resource_type, attribute, item)? {
            Some(item) => kept.push(item),
            None if attribute.sub_attributes.iter().any(|inner| inner.required) => {
                return Err(type_error(attribute, "a list without empty values"));
            }
            None => {}
        }
    }
    Ok((!kept.is_empty()).then(|| kept.into()))
}

/// Returns one value of an attribute for storage; `None` if the value is null or empty.
pub(super) fn single(
    resource_type: ResourceType,
    attribute: &Attribute,
    value: &Value,
) -> Result<Option<Value>, Refusal> {
    let valid = match (attribute.kind, value) {
        (_, Value::Null) => return Ok(None),
        (Kind::Complex, Value::Object(object)) => {
            let object = object_of(
                resource_type,
                attribute.sub_attributes,
                attribute.open,
                object,
            )?;
            return Ok((!object.is_empty()).then(|| object.into()));
        }
        (Kind::Complex, _) => return Err(type_error(attribute, "an object")),
        (Kind::Boolean, value) => value.is_boolean(),
        (Kind::String, value) => value.is_string(),
        (Kind::Reference, Value::String(text)) => !text.contains(char::is_whitespace),
        (Kind::DateTime, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        (Kind::Binary, Value::String(text)) => STANDARD.decode(text).is_ok(),
        _ => false,
    };
    if !valid {
        return Err(type_error(
            attribute,
            match attribute.kind {
                Kind::Boolean => "true or false",
                Kind::DateTime => "a dateTime",
                Kind::Binary => "base64",
                Kind::Reference => "a URI",
                Kind::String | Kind::Complex => "a string",
            },
        ));
    }
    if let Value::String(text) = value
        && !attribute.text.accepts(text)
    {
        return Err(type_error(attribute, "a text that the service accepts"));
    }
    Ok(Some(value.clone()))
}

/// Returns the members of an object for storage; an `open` object may have unknown ones, which are ignored.
pub(super) fn object_of(
    resource_type: ResourceType,
    attributes: &[Attribute],
    open: bool,
    object: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    let mut kept = Map::new();
    for (name, value) in object {
        let Some(attribute) = resource_type.named(attributes, name) else {
            if open {
                continue;
            }
            return Err(ResourceType::unknown(name));
        };
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        match value_of(resource_type, attribute, value)? {
            Some(value) => {
                kept.insert(attribute.name.to_owned(), value);
            }
            None if attribute.required => return Err(type_error(attribute, "a value")),
            None => {}
        }
    }
    Ok(kept)
}

fn type_error(attribute: &Attribute, expected: &str) -> Refusal {
    Refusal::value(format!("`{}` must be {expected}", attribute.name))
}
