//! Operations on groups.

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::filter::{self, Filter};
use super::list::Query;
use super::patch::{Operation, Verb, operations, without_path};
use super::path::Path;
use super::reply::{Answer, Refusal};
use super::users::meta;
use super::{GROUP, user::text};
use crate::aws::{Cloud, Duplicate, Group};

/// The maximum number of members in a request: "100 members at most in a request" (developer guide,
/// `CreateGroup`, `PatchGroup`).
const MAX_MEMBERS: usize = 100;

pub(super) fn list(cloud: &Cloud, request: &Request<Bytes>) -> Result<Answer, Refusal> {
    let query = Query::read(request)?;
    let filter = query.filter.as_deref().map(filter::of_groups).transpose()?;
    let directory = cloud.directory().ok_or_else(Refusal::not_found)?;
    let pages = cloud.pages();
    match filter {
        None => query.page(pages, "groups", directory.groups(), group_json),
        Some(Filter::By {
            attribute: "id",
            value,
        }) => query.page(
            pages,
            "groups",
            directory.group(&value).map(with_position),
            group_json,
        ),
        Some(Filter::By { attribute, value }) => query.page(
            pages,
            "groups",
            directory.group_by(attribute, &value).map(with_position),
            group_json,
        ),
        Some(Filter::Related { other, id }) => {
            // "The member that you filter by does not exist" is a reason for 404 (`ListGroups`).
            let user = directory.user(&other).ok_or_else(Refusal::not_found)?;
            let groups = directory
                .groups_of(user)
                .map(|(position, (group, _))| (position, group))
                .filter(|(_, group)| id.as_ref().is_none_or(|id| group.id == *id));
            query.page(pages, "groups", groups, group_json)
        }
        Some(Filter::Managed { .. }) => Err(Refusal::invalid()),
    }
}

pub(super) fn get(cloud: &Cloud, id: &str) -> Result<Answer, Refusal> {
    Ok(Answer::Ok(group_json(found(cloud, id)?)))
}

/// Creates a group; the response has no `members` attribute (developer guide, `CreateGroup`).
pub(super) fn create(
    cloud: &mut Cloud,
    now: Timestamp,
    body: &Map<String, Value>,
) -> Result<Answer, Refusal> {
    for (name, value) in body {
        match name.as_str() {
            "schemas"
                if !value
                    .as_array()
                    .is_some_and(|schemas| schemas.iter().any(|schema| schema == GROUP)) =>
            {
                return Err(Refusal::invalid());
            }
            "schemas" | "id" | "meta" | "displayName" | "externalId" | "members" => {}
            _ => return Err(Refusal::invalid()),
        }
    }
    let name = text(body.get("displayName").unwrap_or(&Value::Null))?;
    let external_id = match body.get("externalId") {
        None | Some(Value::Null) => None,
        Some(id) => Some(text(id)?.to_owned()),
    };
    let members = match body.get("members") {
        None | Some(Value::Null) => Vec::new(),
        Some(members) => members_of(members)?,
    };
    if members.len() > MAX_MEMBERS {
        return Err(Refusal::invalid());
    }
    let directory = cloud.directory_mut().ok_or_else(Refusal::not_found)?;
    if members
        .iter()
        .any(|member| directory.user(member).is_none())
    {
        return Err(Refusal::not_found());
    }
    let group = directory
        .create_group(name, None, external_id, now)
        .map_err(|Duplicate(_)| Refusal::duplicate())?;
    let id = group.id.clone();
    let mut json = group_json(group);
    if let Some(json) = json.as_object_mut() {
        json.remove("members");
    }
    for member in members {
        directory.join(&id, member, now);
    }
    Ok(Answer::Created(json))
}

/// Applies a PATCH request: all of its operations or none.
pub(super) fn patch(
    cloud: &mut Cloud,
    now: Timestamp,
    id: &str,
    body: &Map<String, Value>,
) -> Result<Answer, Refusal> {
    let mut group = found(cloud, id)?.clone();
    let mut changes: Vec<(Verb, &str)> = Vec::new();
    let operations = operations(body)?;
    let paths: Vec<Option<Path>> = operations
        .iter()
        .map(|operation| operation.path.map(Path::read).transpose())
        .collect::<Result<_, _>>()?;
    for (operation, path) in operations.iter().zip(&paths) {
        if let Some(path) = path {
            apply(&mut group, &mut changes, operation, path)?;
        } else {
            let (name, value) = without_path(operation)?;
            attribute(&mut group, &mut changes, operation.verb, name, Some(value))?;
        }
    }
    if changes.len() > MAX_MEMBERS {
        return Err(Refusal::invalid());
    }
    let directory = cloud.directory_mut().ok_or_else(Refusal::not_found)?;
    if changes
        .iter()
        .any(|(verb, member)| *verb != Verb::Remove && directory.user(member).is_none())
    {
        return Err(Refusal::not_found());
    }
    directory
        .update_group(id, group, now)
        .map_err(|Duplicate(_)| Refusal::duplicate())?;
    for (verb, member) in changes {
        if verb == Verb::Remove {
            directory.leave(id, member);
        } else {
            directory.join(id, member, now);
        }
    }
    Ok(Answer::NoContent)
}

pub(super) fn delete(cloud: &mut Cloud, id: &str) -> Result<Answer, Refusal> {
    if cloud.delete_group(id) {
        Ok(Answer::NoContent)
    } else {
        Err(Refusal::not_found())
    }
}

fn apply<'b>(
    group: &mut Group,
    changes: &mut Vec<(Verb, &'b str)>,
    operation: &Operation<'b>,
    path: &'b Path,
) -> Result<(), Refusal> {
    match (path.attribute.as_str(), &path.filter, &path.sub_attribute) {
        // Okta removes members with this path; the guide only documents the form with a value.
        ("members", Some((name, value)), None)
            if name == "value" && operation.verb == Verb::Remove =>
        {
            changes.push((Verb::Remove, value));
            Ok(())
        }
        (name, None, None) => attribute(group, changes, operation.verb, name, operation.value),
        _ => Err(Refusal::invalid()),
    }
}

fn attribute<'b>(
    group: &mut Group,
    changes: &mut Vec<(Verb, &'b str)>,
    verb: Verb,
    name: &str,
    value: Option<&'b Value>,
) -> Result<(), Refusal> {
    match (name, verb, value) {
        ("displayName", Verb::Add | Verb::Replace, Some(value)) => {
            text(value)?.clone_into(&mut group.display_name);
        }
        ("externalId", Verb::Add | Verb::Replace, Some(value)) => {
            group.external_id = Some(text(value)?.to_owned());
        }
        ("externalId", Verb::Remove, _) => group.external_id = None,
        ("members", Verb::Replace, _) => {
            return Err(Refusal::new(
                400,
                "Replacing group memberships is not supported.",
            ));
        }
        ("members", verb, Some(value)) => {
            let members = members_of(value)?;
            // A remove operation without members would remove them all, which is not supported
            // (limitations).
            if members.is_empty() {
                return Err(Refusal::invalid());
            }
            changes.extend(members.into_iter().map(|member| (verb, member)));
        }
        _ => return Err(Refusal::invalid()),
    }
    Ok(())
}

/// Returns the ids of members; groups cannot be members.
fn members_of(value: &Value) -> Result<Vec<&str>, Refusal> {
    let members = value.as_array().ok_or_else(Refusal::invalid)?;
    members
        .iter()
        .map(|member| {
            let kind = member.get("type").and_then(Value::as_str).unwrap_or("User");
            if kind != "User" {
                return Err(Refusal::invalid());
            }
            text(member.get("value").unwrap_or(&Value::Null))
        })
        .collect()
}

fn found<'c>(cloud: &'c Cloud, id: &str) -> Result<&'c Group, Refusal> {
    cloud
        .directory()
        .and_then(|directory| directory.group(id))
        .ok_or_else(Refusal::not_found)
}

fn with_position(group: &Group) -> (u64, &Group) {
    (group.position, group)
}

/// Returns the group in the format of the endpoint: `members` is always empty (developer guide,
/// limitations).
fn group_json(group: &Group) -> Value {
    let mut json = json!({
        "id": group.id,
        "schemas": [GROUP],
        "displayName": group.display_name,
        "meta": meta("Group", group.created, group.updated),
        "members": [],
    });
    if let Some(id) = &group.external_id {
        json["externalId"] = id.as_str().into();
    }
    json
}
