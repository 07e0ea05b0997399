//! Validation of the resources that clients send, against the schemas.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    reply::Refusal,
    schema::{Attribute, Kind, Mutability, Resource, empty_object, named},
};

/// Reads a resource from the body of POST or PUT, with names in the spelling of the schemas.
///
/// Read-only attributes are ignored (RFC 7644 section 3.3). Null and empty lists count as missing (RFC 7643
/// section 2.5). An attribute that no schema defines is an error.
pub(super) fn read(
    resource: Resource,
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    check_schemas(resource, body)?;
    let mut read = empty_object();
    for (name, value) in body {
        if name.eq_ignore_ascii_case("schemas") {
            continue;
        }
        if let Some(extension) = extension(resource, name) {
            let object = value
                .as_object()
                .ok_or_else(|| Refusal::value(format!("`{name}` must be an object")))?;
            let inner = object_of(extension.attributes, object, name)?;
            if !inner.is_empty() {
                read.insert(extension.urn.to_owned(), inner.into());
            }
            continue;
        }
        let attribute = resource
            .attribute(name)
            .ok_or_else(|| Refusal::value(format!("the attribute `{name}` does not exist")))?;
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        if let Some(value) = value_of(attribute, value)? {
            read.insert(attribute.name.to_owned(), value);
        }
    }
    check_required(resource, &read)?;
    Ok(read)
}

/// Rejects a resource without a required attribute, or with several primary values in one attribute.
pub(super) fn check_required(resource: Resource, read: &Map<String, Value>) -> Result<(), Refusal> {
    for attribute in resource.schema().attributes {
        let value = read.get(attribute.name);
        if attribute.required && value.is_none_or(|value| value == "") {
            return Err(Refusal::value(format!("`{}` is required", attribute.name)));
        }
        if let Some(Value::Array(items)) = value {
            let primary = items.iter().filter(|item| item["primary"] == true).count();
            if primary > 1 {
                return Err(Refusal::value(format!(
                    "`{}` has {primary} primary values",
                    attribute.name
                )));
            }
        }
    }
    Ok(())
}

/// Requires `schemas` to contain the URN of the resource's own schema (RFC 7643 section 3).
fn check_schemas(resource: Resource, body: &Map<String, Value>) -> Result<(), Refusal> {
    let urn = resource.schema().urn;
    let schemas = body
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("schemas"))
        .and_then(|(_, value)| value.as_array());
    let is_own = |schema: &Value| {
        schema
            .as_str()
            .is_some_and(|schema| schema.eq_ignore_ascii_case(urn))
    };
    match schemas {
        Some(schemas) if schemas.iter().any(is_own) => Ok(()),
        _ => Err(Refusal::value(format!("`schemas` must contain {urn}"))),
    }
}

/// Returns the extension with this URN; URNs are compared without case.
pub(super) fn extension(resource: Resource, name: &str) -> Option<&'static super::schema::Schema> {
    resource
        .extension()
        .filter(|extension| extension.urn.eq_ignore_ascii_case(name))
}

/// Returns the value of an attribute for storage; `None` if the value is null or empty.
pub(super) fn value_of(attribute: &Attribute, value: &Value) -> Result<Option<Value>, Refusal> {
    if !attribute.multi_valued {
        return single(attribute, value);
    }
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        _ => return Err(type_error(attribute, "a list")),
    };
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        kept.extend(single(attribute, item)?);
    }
    Ok((!kept.is_empty()).then(|| kept.into()))
}

/// Returns one value of an attribute for storage; `None` if the value is null or empty.
pub(super) fn single(attribute: &Attribute, value: &Value) -> Result<Option<Value>, Refusal> {
    let valid = match (attribute.kind, value) {
        (_, Value::Null) => return Ok(None),
        (Kind::Complex, Value::Object(object)) => {
            let object = object_of(attribute.sub_attributes, object, attribute.name)?;
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
    if valid {
        return Ok(Some(value.clone()));
    }
    Err(type_error(
        attribute,
        match attribute.kind {
            Kind::Boolean => "true or false",
            Kind::DateTime => "a dateTime",
            Kind::Binary => "base64",
            Kind::Reference => "a URI",
            Kind::String | Kind::Complex => "a string",
        },
    ))
}

fn object_of(
    attributes: &[Attribute],
    object: &Map<String, Value>,
    holder: &str,
) -> Result<Map<String, Value>, Refusal> {
    let mut kept = empty_object();
    for (name, value) in object {
        let attribute = named(attributes, name)
            .ok_or_else(|| Refusal::value(format!("`{holder}` has no attribute `{name}`")))?;
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        if let Some(value) = value_of(attribute, value)? {
            kept.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(kept)
}

fn type_error(attribute: &Attribute, expected: &str) -> Refusal {
    Refusal::value(format!("`{}` must be {expected}", attribute.name))
}
