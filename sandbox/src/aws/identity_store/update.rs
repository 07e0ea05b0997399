//! Updates of single attributes of users and groups.

use serde_json::{Map, Value, json};

use super::users::{EXTENSION, check, lower_keys, reserved};
use super::{Call, check_revision, duplicate, group_of, user_of};
use crate::aws::directory::Draft;
use crate::aws::params::Params;
use crate::aws::reply::Refusal;
use crate::aws::rules::{ATTRIBUTE_PATH, ATTRIBUTE_VALUE};
use crate::scim::ENTERPRISE;

pub(super) fn user(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (id, expected) = (call.user_id(), call.expected_revision());
    let changes = read(call.params);
    let now = call.now;
    let user = user_of(call.store()?, &id)?;
    let (revision, mut draft) = (user.revision, user.draft().clone());
    check_revision(expected.as_deref(), revision)?;
    for (path, value) in changes {
        set(&mut draft, &path, value)?;
    }
    check(&draft)?;
    let center = call.store()?;
    let user = center
        .directory
        .update_user(&id, draft, now)
        .map_err(|conflict| duplicate(&conflict))?;
    let revision = user.revision;
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "UserId": id,
        "UserArn": center.resource_arn("user", &id),
        "Revision": revision.to_string(),
    }))
}

pub(super) fn group(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (id, expected) = (call.group_id(), call.expected_revision());
    let changes = read(call.params);
    let now = call.now;
    let mut group = group_of(call.store()?, &id)?.clone();
    check_revision(expected.as_deref(), group.revision)?;
    for (path, value) in changes {
        let text = match value {
            Value::String(text) if ATTRIBUTE_VALUE.accepts(&text) => Some(text),
            Value::Null => None,
            _ => return Err(Refusal::validation(format!("{path} is not valid."))),
        };
        match (path.as_str(), text) {
            ("displayName", Some(name)) => {
                reserved(&name)?;
                group.display_name = name;
            }
            ("description", description) => group.description = description,
            _ => {
                return Err(Refusal::validation(format!(
                    "{path} cannot be changed this way."
                )));
            }
        }
    }
    let center = call.store()?;
    let group = center
        .directory
        .update_group(&id, group, now)
        .map_err(|conflict| duplicate(&conflict))?;
    let revision = group.revision;
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "GroupId": id,
        "GroupArn": center.resource_arn("group", &id),
        "Revision": revision.to_string(),
    }))
}

/// Returns the paths and values of a request; an operation without a value removes the attribute.
fn read(params: &Params<'_>) -> Vec<(String, Value)> {
    params
        .structures("Operations", 1, 100)
        .iter()
        .map(|operation| {
            let path = operation.text("AttributePath", &ATTRIBUTE_PATH);
            let value = operation
                .value("AttributeValue")
                .map_or(Value::Null, lower_keys);
            (path, value)
        })
        .collect()
}

fn set(draft: &mut Draft, path: &str, value: Value) -> Result<(), Refusal> {
    let (attribute, inner) = match path.strip_prefix(EXTENSION) {
        Some(rest) => (ENTERPRISE, rest.strip_prefix('.')),
        None => path
            .split_once('.')
            .map_or((path, None), |(attribute, inner)| (attribute, Some(inner))),
    };
    let required = [
        "userName",
        "displayName",
        "name.givenName",
        "name.familyName",
        "name",
    ];
    if value.is_null() && required.contains(&path) {
        return Err(Refusal::validation(format!("{path} cannot be removed.")));
    }
    if !ATTRIBUTES.contains(&attribute) {
        return Err(Refusal::validation(format!(
            "{path} is not an attribute of a user."
        )));
    }
    if value.as_array().is_some_and(|items| items.len() > 1) {
        return Err(Refusal::validation(format!(
            "{path} can have one value only."
        )));
    }
    let attributes = &mut draft.attributes;
    let Some(inner) = inner else {
        put(attributes, attribute, value);
        return Ok(());
    };
    let outer = attributes
        .entry(attribute)
        .or_insert_with(|| Value::Object(Map::new()));
    match outer {
        Value::Object(members) => put(members, inner, value),
        _ => {
            return Err(Refusal::validation(format!(
                "{path} cannot be changed this way."
            )));
        }
    }
    Ok(())
}

fn put(members: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

const ATTRIBUTES: [&str; 18] = [
    "userName",
    "name",
    "displayName",
    "nickName",
    "profileUrl",
    "emails",
    "addresses",
    "phoneNumbers",
    "userType",
    "title",
    "preferredLanguage",
    "locale",
    "timezone",
    "photos",
    "website",
    "birthdate",
    "roles",
    ENTERPRISE,
];
