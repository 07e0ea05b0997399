//! PATCH (RFC 7644 section 3.5.2): a request applies all of its operations or none.

use serde_json::{Map, Value};

use super::{
    document::{check_required, single, value_of},
    filter::{Filter, Target},
    path::Path,
    reply::Refusal,
    schema::{Attribute, Mutability, Resource, empty_object},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Returns a resource after a PATCH request; `representation` is the resource as clients see it.
pub(super) fn patched(
    resource: Resource,
    before: &Map<String, Value>,
    representation: &Map<String, Value>,
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    let schemas = body.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.iter().any(|schema| schema == PATCH_OP)) {
        return Err(Refusal::syntax(format!(
            "`schemas` must contain {PATCH_OP}"
        )));
    }
    let operations = body
        .get("Operations")
        .and_then(Value::as_array)
        .filter(|operations| !operations.is_empty())
        .ok_or_else(|| Refusal::syntax("`Operations` must be a list of at least one operation"))?;
    let mut after = before.clone();
    for operation in operations {
        apply(resource, &mut after, representation, operation)?;
    }
    check_required(resource, &after)?;
    Ok(after)
}

fn apply(
    resource: Resource,
    after: &mut Map<String, Value>,
    representation: &Map<String, Value>,
    operation: &Value,
) -> Result<(), Refusal> {
    let verb = match operation["op"]
        .as_str()
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("add") => Verb::Add,
        Some("replace") => Verb::Replace,
        Some("remove") => Verb::Remove,
        _ => return Err(Refusal::syntax("`op` must be add, remove or replace")),
    };
    let value = operation.get("value");
    let path = match operation.get("path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(Path::read(path, resource)?),
        Some(_) => return Err(Refusal::path("`path` must be a string")),
    };
    match (verb, path, value) {
        (Verb::Remove, None, _) => Err(Refusal::bad("noTarget", "`remove` needs a path")),
        // The RFC does not define a `value` for `remove`. Given a list of values, one server in four removes
        // all values of the attribute.
        (Verb::Remove, Some(_), Some(value)) if !value.is_null() => Err(Refusal::value(
            "`remove` must not have a value; select the values with a filter in the path",
        )),
        (Verb::Remove, Some(path), _) => remove(after, &path),
        (_, _, None) => Err(Refusal::value("`value` is missing")),
        (verb, Some(path), Some(value)) => set(after, verb, &path, value),
        (verb, None, Some(value)) => {
            let object = value
                .as_object()
                .ok_or_else(|| Refusal::value("without a path, `value` must be an object"))?;
            for (name, value) in object {
                if name.eq_ignore_ascii_case("schemas") {
                    continue;
                }
                // Clients send read-only attributes back; an unchanged read-only attribute is not an error.
                let path = Path::read(name, resource)?;
                if let Path::Attribute { target, .. } = &path
                    && target.attribute.mutability == Mutability::ReadOnly
                    && representation.get(target.attribute.name) == Some(value)
                {
                    continue;
                }
                set(after, verb, &path, value)?;
            }
            Ok(())
        }
    }
}

fn set(
    after: &mut Map<String, Value>,
    verb: Verb,
    path: &Path,
    value: &Value,
) -> Result<(), Refusal> {
    let (target, filter) = match path {
        Path::Attribute { target, filter } => (target, filter),
        Path::Extension(extension) => {
            let object = value
                .as_object()
                .ok_or_else(|| Refusal::value("an extension must be an object"))?;
            // scim2-models adds a `schemas` member to an extension; its value is known and ignored here.
            let attributes = object.iter().filter(|(name, _)| *name != "schemas");
            for (name, value) in attributes {
                let attribute =
                    super::schema::named(extension.attributes, name).ok_or_else(|| {
                        Refusal::path(format!("the attribute `{name}` does not exist"))
                    })?;
                let target = Target {
                    holder: Some(extension.urn),
                    attribute,
                    sub_attribute: None,
                };
                set(
                    after,
                    verb,
                    &Path::Attribute {
                        target,
                        filter: None,
                    },
                    value,
                )?;
            }
            return Ok(());
        }
    };
    require_writable(target)?;
    let attribute = target.attribute;
    let holder = holder(after, target)?;
    if let Some(filter) = filter {
        return set_selected(holder, target, filter, verb, value);
    }
    if let Some(inner) = target.sub_attribute {
        let Some(value) = value_of(inner, value)? else {
            return Ok(());
        };
        return match holder.get_mut(attribute.name) {
            Some(Value::Array(items)) => {
                for item in items.iter_mut() {
                    set_sub_attribute(item, inner, value.clone())?;
                }
                Ok(())
            }
            None if attribute.multi_valued => Err(Refusal::bad(
                "noTarget",
                format!("`{}` has no values", attribute.name),
            )),
            _ => set_sub_attribute(
                holder
                    .entry(attribute.name)
                    .or_insert_with(|| empty_object().into()),
                inner,
                value,
            ),
        };
    }
    // A client may add a single value without a list around it.
    let wrapped = match value {
        Value::Object(_) if attribute.multi_valued && verb == Verb::Add => {
            Some(Value::Array(vec![value.clone()]))
        }
        _ => None,
    };
    let value = value_of(attribute, wrapped.as_ref().unwrap_or(value))?;
    match (holder.get_mut(attribute.name), value) {
        (_, None) if verb == Verb::Replace => {
            holder.remove(attribute.name);
        }
        (_, None) => {}
        (Some(Value::Object(known)), Some(Value::Object(more))) => known.extend(more),
        (Some(Value::Array(known)), Some(Value::Array(more))) if verb == Verb::Add => {
            add(known, more);
        }
        (_, Some(value)) => {
            holder.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(())
}

/// Adds values to a list: a value is not added twice, and a new primary value replaces the old one as
/// primary.
fn add(known: &mut Vec<Value>, more: Vec<Value>) {
    for value in more {
        let same = |item: &Value| *item == value || is_same_member(item, &value);
        if known.iter().any(same) {
            continue;
        }
        if value["primary"] == true {
            for item in known.iter_mut().filter(|item| item["primary"] == true) {
                item["primary"] = false.into();
            }
        }
        known.push(value);
    }
}

/// Returns whether two values are the same group member: the ids must be equal, and also the types if both
/// values have a type.
fn is_same_member(item: &Value, value: &Value) -> bool {
    let is_member = |value: &Value| {
        value.as_object().is_some_and(|object| {
            object.contains_key("value")
                && object
                    .keys()
                    .all(|key| ["value", "$ref", "type"].contains(&key.as_str()))
        })
    };
    is_member(item) && is_member(value) && item["value"] == value["value"] && {
        let kind = |value: &Value| value.get("type").cloned();
        kind(item).is_none() || kind(value).is_none() || kind(item) == kind(value)
    }
}

fn set_selected(
    holder: &mut Map<String, Value>,
    target: &Target,
    filter: &Filter,
    verb: Verb,
    value: &Value,
) -> Result<(), Refusal> {
    let attribute = target.attribute;
    let items = holder.get_mut(attribute.name).and_then(Value::as_array_mut);
    let selected: Vec<&mut Value> = items
        .map(|items| {
            items
                .iter_mut()
                .filter(|item| matches(filter, item))
                .collect()
        })
        .unwrap_or_default();
    if selected.is_empty() {
        return Err(Refusal::bad(
            "noTarget",
            format!("no value of `{}` matches the filter", attribute.name),
        ));
    }
    for item in selected {
        if let Some(inner) = target.sub_attribute {
            let value = value_of(inner, value)?
                .ok_or_else(|| Refusal::value(format!("`{}` must have a value", inner.name)))?;
            set_sub_attribute(item, inner, value)?;
            continue;
        }
        let new = single(attribute, value)?
            .ok_or_else(|| Refusal::value(format!("`{}` must have a value", attribute.name)))?;
        match (verb, item.as_object_mut(), new) {
            (Verb::Add, Some(known), Value::Object(more)) => known.extend(more),
            (_, _, new) => *item = new,
        }
    }
    Ok(())
}

fn remove(after: &mut Map<String, Value>, path: &Path) -> Result<(), Refusal> {
    let (target, filter) = match path {
        Path::Attribute { target, filter } => (target, filter),
        Path::Extension(extension) => {
            after.remove(extension.urn);
            return Ok(());
        }
    };
    require_writable(target)?;
    let attribute = target.attribute;
    if attribute.required && filter.is_none() && target.sub_attribute.is_none() {
        return Err(Refusal::mutability(attribute.name));
    }
    let holder = holder(after, target)?;
    let Some(value) = holder.get_mut(attribute.name) else {
        return Ok(());
    };
    match (value, target.sub_attribute) {
        (Value::Array(items), None) => {
            items.retain(|item| filter.as_ref().is_some_and(|filter| !matches(filter, item)));
        }
        (Value::Array(items), Some(inner)) => {
            for item in items
                .iter_mut()
                .filter(|item| filter.as_ref().is_none_or(|filter| matches(filter, item)))
            {
                remove_sub_attribute(item, inner);
            }
            items.retain(|item| item.as_object().is_none_or(|item| !item.is_empty()));
        }
        (value, Some(inner)) => remove_sub_attribute(value, inner),
        (value, None) => *value = Value::Null,
    }
    // An empty list or object counts as missing, so it is removed (RFC 7643 section 2.5).
    holder.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    });
    let holder = target
        .holder
        .filter(|holder| after[*holder].as_object().is_some_and(Map::is_empty));
    if let Some(holder) = holder {
        after.remove(holder);
    }
    Ok(())
}

fn require_writable(target: &Target) -> Result<(), Refusal> {
    let locked = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
    if locked(target.attribute) || target.sub_attribute.is_some_and(locked) {
        return Err(Refusal::mutability(target.last().name));
    }
    Ok(())
}

/// Returns the object that contains the attribute: the resource or one of its extensions.
fn holder<'a>(
    after: &'a mut Map<String, Value>,
    target: &Target,
) -> Result<&'a mut Map<String, Value>, Refusal> {
    let Some(urn) = target.holder else {
        return Ok(after);
    };
    after
        .entry(urn)
        .or_insert_with(|| empty_object().into())
        .as_object_mut()
        .ok_or_else(|| Refusal::value("an extension must be an object"))
}

fn matches(filter: &Filter, item: &Value) -> bool {
    item.as_object().is_some_and(|item| filter.matches(item))
}

fn set_sub_attribute(holder: &mut Value, inner: &Attribute, value: Value) -> Result<(), Refusal> {
    let object = holder
        .as_object_mut()
        .ok_or_else(|| Refusal::path(format!("the parent of `{}` is not an object", inner.name)))?;
    let changed = object.get(inner.name).is_some_and(|known| *known != value);
    if inner.mutability == Mutability::Immutable && changed {
        return Err(Refusal::mutability(inner.name));
    }
    object.insert(inner.name.to_owned(), value);
    Ok(())
}

fn remove_sub_attribute(holder: &mut Value, inner: &Attribute) {
    if let Some(object) = holder.as_object_mut() {
        object.remove(inner.name);
    }
}
