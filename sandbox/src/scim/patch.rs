//! PATCH requests, and their effect on a user.

use serde_json::{Map, Value};

use super::path::Path;
use super::reply::Refusal;
use super::{ENTERPRISE, USER, user};
use crate::aws::Draft;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// One operation of a PATCH request.
#[derive(Debug)]
pub(super) struct Operation<'b> {
    /// The kind of change.
    pub(super) verb: Verb,
    /// The changed attribute; `None` if the value names it.
    pub(super) path: Option<&'b str>,
    /// The new value.
    pub(super) value: Option<&'b Value>,
}

/// The kind of change of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Adds values, or sets a single value.
    Add,
    /// Replaces values.
    Replace,
    /// Removes values.
    Remove,
}

/// Reads the operations of a request.
///
/// # Errors
///
/// Returns an error if the request has no operations or an operation is incomplete: it needs a known `op`,
/// a path for `remove`, and a value for `add` and `replace` (developer guide, `PatchUser`).
pub(super) fn operations(body: &Map<String, Value>) -> Result<Vec<Operation<'_>>, Refusal> {
    let schemas = body.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.iter().any(|schema| schema == PATCH_OP)) {
        return Err(Refusal::invalid());
    }
    let operations = body
        .get("Operations")
        .and_then(Value::as_array)
        .filter(|operations| !operations.is_empty())
        .ok_or_else(Refusal::invalid)?;
    operations.iter().map(operation).collect()
}

fn operation(value: &Value) -> Result<Operation<'_>, Refusal> {
    let operation = value.as_object().ok_or_else(Refusal::invalid)?;
    let op = operation
        .get("op")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let verb = match op.to_ascii_lowercase().as_str() {
        "add" => Verb::Add,
        "replace" => Verb::Replace,
        "remove" => Verb::Remove,
        _ => return Err(Refusal::invalid()),
    };
    let path = match operation.get("path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.as_str()),
        Some(_) => return Err(Refusal::invalid()),
    };
    let value = operation.get("value").filter(|value| !value.is_null());
    let missing = match verb {
        Verb::Remove => path.is_none(),
        Verb::Add | Verb::Replace => value.is_none(),
    };
    if missing {
        return Err(Refusal::invalid());
    }
    Ok(Operation { verb, path, value })
}

/// Returns the attribute and value of an operation without a path.
///
/// # Errors
///
/// Returns an error unless the value has a single attribute; an additional `id` is allowed (developer
/// guide, `PatchGroup`).
pub(super) fn without_path<'b>(operation: &Operation<'b>) -> Result<(&'b str, &'b Value), Refusal> {
    let value = operation
        .value
        .and_then(Value::as_object)
        .ok_or_else(Refusal::invalid)?;
    let mut attributes = value
        .iter()
        .filter(|(name, _)| *name != "id" && *name != "schemas");
    match (attributes.next(), attributes.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(Refusal::new(
            400,
            "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying a \
             single attribute.",
        )),
    }
}

/// Returns the user after a PATCH request, which applies all of its operations or none.
///
/// # Errors
///
/// Returns an error if an operation is not allowed, or if the resulting user would be invalid in a create
/// request.
pub(super) fn user(before: &Draft, body: &Map<String, Value>) -> Result<Draft, Refusal> {
    let operations = operations(body)?;
    let mut after = before.attributes.clone();
    after.insert("active".to_owned(), before.active.into());
    if let Some(id) = &before.external_id {
        after.insert("externalId".to_owned(), id.as_str().into());
    }
    let mut changed_once = Vec::new();
    for operation in &operations {
        let (path, value) = if let Some(path) = operation.path {
            (Path::read(path)?, operation.value)
        } else {
            let (name, value) = without_path(operation)?;
            (Path::read(name)?, Some(value))
        };
        let attribute = path.attribute.as_str();
        if !ATTRIBUTES.contains(&attribute) {
            return Err(Refusal::invalid());
        }
        // "Only one operation on each of userName and active, and they cannot be removed" (`PatchUser`).
        if ["userName", "active"].contains(&attribute) {
            if operation.verb == Verb::Remove || changed_once.contains(&path.attribute) {
                return Err(Refusal::invalid());
            }
            changed_once.push(path.attribute.clone());
        }
        match (operation.verb, value) {
            (Verb::Remove, _) => remove(&mut after, &path)?,
            (_, Some(value)) => set(&mut after, &path, operation.verb, value)?,
            _ => return Err(Refusal::invalid()),
        }
    }
    after.insert("schemas".to_owned(), vec![USER].into());
    user::draft(&after)
}

fn set(
    user: &mut Map<String, Value>,
    path: &Path,
    verb: Verb,
    value: &Value,
) -> Result<(), Refusal> {
    let attribute = path.attribute.as_str();
    let Some(inner) = &path.sub_attribute else {
        if let Some(filter) = &path.filter {
            let selected = selected(user, attribute, filter)?;
            *selected = value.clone();
            return Ok(());
        }
        let value = match attribute {
            "active" => boolean(value)?,
            _ => value.clone(),
        };
        match (user.get_mut(attribute), value) {
            (Some(Value::Object(known)), Value::Object(more))
                if verb == Verb::Add || attribute == "name" =>
            {
                known.extend(more);
            }
            (Some(Value::Array(known)), Value::Array(more)) if verb == Verb::Add => {
                let new = more
                    .into_iter()
                    .filter(|item| !known.contains(item))
                    .collect::<Vec<_>>();
                known.extend(new);
            }
            (_, value) => {
                user.insert(attribute.to_owned(), value);
            }
        }
        return Ok(());
    };
    if let Some(filter) = &path.filter {
        let selected = selected(user, attribute, filter)?;
        return set_sub_attribute(selected, inner, Some(value));
    }
    let holder = user
        .entry(attribute)
        .or_insert_with(|| Value::Object(Map::new()));
    match holder {
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| set_sub_attribute(item, inner, Some(value))),
        holder => set_sub_attribute(holder, inner, Some(value)),
    }
}

fn remove(user: &mut Map<String, Value>, path: &Path) -> Result<(), Refusal> {
    let attribute = path.attribute.as_str();
    match (&path.filter, &path.sub_attribute) {
        (None, None) => {
            user.remove(attribute);
        }
        (None, Some(inner)) => match user.get_mut(attribute) {
            Some(Value::Array(items)) => items
                .iter_mut()
                .try_for_each(|item| set_sub_attribute(item, inner, None))?,
            Some(holder) => set_sub_attribute(holder, inner, None)?,
            None => {}
        },
        (Some(filter), Some(inner)) => {
            set_sub_attribute(selected(user, attribute, filter)?, inner, None)?;
        }
        (Some((name, value)), None) => {
            if let Some(Value::Array(items)) = user.get_mut(attribute) {
                items.retain(|item| item.get(name).is_none_or(|found| found != value.as_str()));
            }
        }
    }
    Ok(())
}

/// Returns the value of a multi-valued attribute that a filter selects.
fn selected<'u>(
    user: &'u mut Map<String, Value>,
    attribute: &str,
    filter: &(String, String),
) -> Result<&'u mut Value, Refusal> {
    let (name, wanted) = filter;
    user.get_mut(attribute)
        .and_then(Value::as_array_mut)
        .and_then(|items| {
            items
                .iter_mut()
                .find(|item| item.get(name).is_some_and(|found| found == wanted.as_str()))
        })
        .ok_or_else(Refusal::invalid)
}

/// Sets or removes a sub-attribute, such as `givenName` or `manager.value`.
fn set_sub_attribute(
    holder: &mut Value,
    inner: &str,
    value: Option<&Value>,
) -> Result<(), Refusal> {
    let members = holder.as_object_mut().ok_or_else(Refusal::invalid)?;
    if let Some((first, rest)) = inner.split_once('.') {
        let deeper = members
            .entry(first)
            .or_insert_with(|| Value::Object(Map::new()));
        return set_sub_attribute(deeper, rest, value);
    }
    match value {
        Some(value) => members.insert(inner.to_owned(), value.clone()),
        None => members.remove(inner),
    };
    Ok(())
}

/// Reads a Boolean; the guide's own sample sends `"false"` as a string.
fn boolean(value: &Value) -> Result<Value, Refusal> {
    match value {
        Value::Bool(truth) => Ok(Value::Bool(*truth)),
        Value::String(text) => text
            .to_ascii_lowercase()
            .parse()
            .map(Value::Bool)
            .map_err(|_unreadable| Refusal::invalid()),
        _ => Err(Refusal::invalid()),
    }
}

/// The attributes that a PATCH of a user can change (developer guide, `PatchUser`).
const ATTRIBUTES: [&str; 16] = [
    "userName",
    "active",
    "externalId",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "name",
    ENTERPRISE,
    "emails",
    "addresses",
    "phoneNumbers",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ada() -> Draft {
        let body = json!({
            "userName": "ada@example.com",
            "name": { "givenName": "Ada", "familyName": "Lovelace", "middleName": "King" },
            "displayName": "Ada",
            "title": "Countess",
            "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
            ENTERPRISE: { "department": "Engines" },
        });
        user::draft(body.as_object().expect("an object")).expect("a user")
    }

    fn patched(operations: &Value) -> Result<Draft, Refusal> {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        super::user(&ada(), body.as_object().expect("an object"))
    }

    #[track_caller]
    fn assert_invalid(operations: &Value) {
        assert_eq!(
            patched(operations).map(|_| ()),
            Err(Refusal::invalid()),
            "{operations}"
        );
    }

    #[test]
    fn active_may_be_a_boolean_or_its_text() {
        for value in [json!(false), json!("false"), json!("False")] {
            let after = patched(&json!([{ "op": "replace", "path": "active", "value": value }]))
                .expect("a user");
            assert!(!after.active);
        }
        let after =
            patched(&json!([{ "op": "Replace", "value": { "active": false } }])).expect("a user");
        assert!(!after.active);
        assert_invalid(&json!([{ "op": "replace", "path": "active", "value": "no" }]));
    }

    #[test]
    fn user_name_and_active_can_be_changed_once_per_request_and_not_removed() {
        assert_invalid(&json!([{ "op": "remove", "path": "active" }]));
        assert_invalid(&json!([{ "op": "remove", "path": "userName" }]));
        assert_invalid(&json!([
            { "op": "replace", "path": "active", "value": false },
            { "op": "replace", "path": "active", "value": true },
        ]));
    }

    #[test]
    fn a_sub_attribute_can_be_changed_alone() {
        let after = patched(&json!([
            { "op": "replace", "path": "name.givenName", "value": "Augusta" },
            { "op": "add", "path": "emails[type eq \"work\"].value", "value": "augusta@example.com" },
            { "op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": "1" },
            { "op": "remove", "path": "name.middleName" },
        ]))
        .expect("a user");
        assert_eq!(
            after.attributes["name"],
            json!({ "givenName": "Augusta", "familyName": "Lovelace" })
        );
        assert_eq!(after.email(), Some("augusta@example.com"));
        let extension = json!({ "department": "Engines", "manager": { "value": "1" } });
        assert_eq!(after.attributes[ENTERPRISE], extension);
    }

    #[test]
    fn a_patch_that_makes_the_user_invalid_is_rejected() {
        assert_invalid(&json!([{ "op": "remove", "path": "displayName" }]));
        assert_invalid(&json!([{ "op": "remove", "path": "name.givenName" }]));
        assert_invalid(&json!([{ "op": "replace", "path": "title", "value": "" }]));
        assert_invalid(
            &json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@example.com", "primary": true }] }]),
        );
        assert_invalid(
            &json!([{ "op": "replace", "path": "emails", "value": [{ "value": "b@example.com" }] }]),
        );
    }

    #[test]
    fn incomplete_and_unsupported_operations_are_rejected() {
        assert_invalid(&json!([]));
        assert_invalid(&json!([{ "op": "remove" }]));
        assert_invalid(&json!([{ "op": "replace", "path": "title" }]));
        assert_invalid(&json!([{ "op": "move", "path": "title", "value": "x" }]));
        assert_invalid(&json!([{ "op": "replace", "path": "password", "value": "x" }]));
        assert_invalid(
            &json!([{ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x@example.com" }]),
        );
        assert_invalid(
            &json!([{ "op": "replace", "path": "emails[type co \"work\"].value", "value": "x@example.com" }]),
        );
        let without_schemas = json!({ "Operations": [{ "op": "remove", "path": "title" }] });
        let body = without_schemas.as_object().expect("an object");
        assert_eq!(
            super::user(&ada(), body).map(|_| ()),
            Err(Refusal::invalid())
        );
    }

    #[test]
    fn an_operation_without_a_path_changes_a_single_attribute() {
        let refusal =
            patched(&json!([{ "op": "replace", "value": { "title": "x", "active": false } }]))
                .expect_err("the request must fail");
        assert_eq!(
            refusal,
            Refusal::new(
                400,
                "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying \
                 a single attribute."
            )
        );
    }
}
