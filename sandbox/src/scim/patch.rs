//! PATCH requests, and what one does to a user.

use serde_json::{Map, Value};

use super::path::Path;
use super::reply::Refusal;
use super::{ENTERPRISE, USER, user};
use crate::aws::Draft;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// One operation of a request.
#[derive(Debug)]
pub(super) struct Operation<'b> {
    /// What to do.
    pub(super) verb: Verb,
    /// Where.
    pub(super) path: Option<&'b str>,
    /// With what.
    pub(super) value: Option<&'b Value>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Adds values, or sets the only one.
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
/// If there are none, or one has another `op`, or lacks what its `op` needs: a path to remove, a
/// value to add or replace (developer guide, `PatchUser`).
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

/// The attribute and value of an operation without a path.
///
/// # Errors
///
/// Unless it is about a single attribute; `id` may come along (developer guide, `PatchGroup`).
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

/// The user after a PATCH request; either all operations work or none is done.
///
/// # Errors
///
/// If an operation is not allowed, or the user would not be one that could be created.
pub(super) fn user(before: &Draft, body: &Map<String, Value>) -> Result<Draft, Refusal> {
    let operations = operations(body)?;
    let mut after = before.attributes.clone();
    after.insert("active".to_owned(), before.active.into());
    if let Some(id) = &before.external_id {
        after.insert("externalId".to_owned(), id.as_str().into());
    }
    let mut once = Vec::new();
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
            if operation.verb == Verb::Remove || once.contains(&path.attribute) {
                return Err(Refusal::invalid());
            }
            once.push(path.attribute.clone());
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
    let Some(inner) = &path.inner else {
        if let Some(filter) = &path.filter {
            let chosen = chosen(user, attribute, filter)?;
            *chosen = value.clone();
            return Ok(());
        }
        let value = match attribute {
            "active" => truth(value)?,
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
        let chosen = chosen(user, attribute, filter)?;
        return put(chosen, inner, Some(value));
    }
    let holder = user
        .entry(attribute)
        .or_insert_with(|| Value::Object(Map::new()));
    match holder {
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| put(item, inner, Some(value))),
        holder => put(holder, inner, Some(value)),
    }
}

fn remove(user: &mut Map<String, Value>, path: &Path) -> Result<(), Refusal> {
    let attribute = path.attribute.as_str();
    match (&path.filter, &path.inner) {
        (None, None) => {
            user.remove(attribute);
        }
        (None, Some(inner)) => match user.get_mut(attribute) {
            Some(Value::Array(items)) => items
                .iter_mut()
                .try_for_each(|item| put(item, inner, None))?,
            Some(holder) => put(holder, inner, None)?,
            None => {}
        },
        (Some(filter), Some(inner)) => put(chosen(user, attribute, filter)?, inner, None)?,
        (Some((name, value)), None) => {
            if let Some(Value::Array(items)) = user.get_mut(attribute) {
                items.retain(|item| item.get(name).is_none_or(|found| found != value.as_str()));
            }
        }
    }
    Ok(())
}

/// The value of a list that a filter is about.
fn chosen<'u>(
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

/// Sets or removes an inner attribute, such as `givenName` or `manager.value`.
fn put(holder: &mut Value, inner: &str, value: Option<&Value>) -> Result<(), Refusal> {
    let members = holder.as_object_mut().ok_or_else(Refusal::invalid)?;
    if let Some((first, rest)) = inner.split_once('.') {
        let deeper = members
            .entry(first)
            .or_insert_with(|| Value::Object(Map::new()));
        return put(deeper, rest, value);
    }
    match value {
        Some(value) => members.insert(inner.to_owned(), value.clone()),
        None => members.remove(inner),
    };
    Ok(())
}

/// The guide's own sample sends `"false"` as a text.
fn truth(value: &Value) -> Result<Value, Refusal> {
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

/// What a PATCH of a user can be about (developer guide, `PatchUser`).
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
    fn refused(operations: &Value) {
        assert_eq!(
            patched(operations).map(|_| ()),
            Err(Refusal::invalid()),
            "{operations}"
        );
    }

    #[test]
    fn active_is_a_truth_value_or_the_text_of_one() {
        for value in [json!(false), json!("false"), json!("False")] {
            let after = patched(&json!([{ "op": "replace", "path": "active", "value": value }]))
                .expect("a user");
            assert!(!after.active);
        }
        let after =
            patched(&json!([{ "op": "Replace", "value": { "active": false } }])).expect("a user");
        assert!(!after.active);
        refused(&json!([{ "op": "replace", "path": "active", "value": "no" }]));
    }

    #[test]
    fn user_name_and_active_are_changed_once_and_never_removed() {
        refused(&json!([{ "op": "remove", "path": "active" }]));
        refused(&json!([{ "op": "remove", "path": "userName" }]));
        refused(&json!([
            { "op": "replace", "path": "active", "value": false },
            { "op": "replace", "path": "active", "value": true },
        ]));
    }

    #[test]
    fn inner_attributes_are_changed_alone() {
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
    fn the_user_afterwards_is_one_that_could_be_created() {
        refused(&json!([{ "op": "remove", "path": "displayName" }]));
        refused(&json!([{ "op": "remove", "path": "name.givenName" }]));
        refused(&json!([{ "op": "replace", "path": "title", "value": "" }]));
        refused(
            &json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@example.com", "primary": true }] }]),
        );
        refused(
            &json!([{ "op": "replace", "path": "emails", "value": [{ "value": "b@example.com" }] }]),
        );
    }

    #[test]
    fn operations_need_what_they_need() {
        refused(&json!([]));
        refused(&json!([{ "op": "remove" }]));
        refused(&json!([{ "op": "replace", "path": "title" }]));
        refused(&json!([{ "op": "move", "path": "title", "value": "x" }]));
        refused(&json!([{ "op": "replace", "path": "password", "value": "x" }]));
        refused(
            &json!([{ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x@example.com" }]),
        );
        refused(
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
    fn without_a_path_there_is_a_single_attribute() {
        let refusal =
            patched(&json!([{ "op": "replace", "value": { "title": "x", "active": false } }]))
                .expect_err("a refusal");
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
