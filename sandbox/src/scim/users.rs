//! Operations on users.

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::filter::{self, Filter};
use super::list::Query;
use super::reply::{Answer, Refusal};
use super::{ENTERPRISE, USER, patch, user};
use crate::aws::{Cloud, Duplicate, User};

pub(super) fn list(cloud: &Cloud, request: &Request<Bytes>) -> Result<Answer, Refusal> {
    let query = Query::read(request)?;
    let filter = query.filter.as_deref().map(filter::of_users).transpose()?;
    let directory = cloud.directory().ok_or_else(Refusal::not_found)?;
    let pages = cloud.pages();
    let show = |user: &User| user_json(user);
    match filter {
        None => query.page(pages, "users", directory.users(), show),
        Some(Filter::By {
            attribute: "id",
            value,
        }) => query.page(
            pages,
            "users",
            directory.user(&value).map(with_position),
            show,
        ),
        Some(Filter::By { attribute, value }) => query.page(
            pages,
            "users",
            directory.user_by(attribute, &value).map(with_position),
            show,
        ),
        Some(Filter::Related { other, .. }) => {
            let group = directory.group(&other).ok_or_else(Refusal::not_found)?;
            let members = directory
                .members(group)
                .map(|(position, (user, _))| (position, user));
            query.page(pages, "users", members, show)
        }
        Some(Filter::Managed { id, manager }) => {
            let user = directory.user(&id).filter(|user| {
                user.attributes()
                    .get(ENTERPRISE)
                    .is_some_and(|extension| extension["manager"]["value"] == manager)
            });
            query.page(pages, "users", user.map(with_position), show)
        }
    }
}

pub(super) fn get(cloud: &Cloud, id: &str) -> Result<Answer, Refusal> {
    Ok(Answer::Ok(user_json(found(cloud, id)?)))
}

/// Creates a user; like the sample of the developer guide (`CreateUser`), the response does not contain
/// `profileUrl`.
pub(super) fn create(
    cloud: &mut Cloud,
    now: Timestamp,
    body: &Map<String, Value>,
) -> Result<Answer, Refusal> {
    let draft = user::draft(body)?;
    let directory = cloud.directory_mut().ok_or_else(Refusal::not_found)?;
    let user = directory
        .create_user(draft, now)
        .map_err(|Duplicate(_)| Refusal::duplicate())?;
    let mut json = user_json(user);
    if let Some(members) = json.as_object_mut() {
        members.remove("profileUrl");
    }
    Ok(Answer::Created(json))
}

pub(super) fn replace(
    cloud: &mut Cloud,
    now: Timestamp,
    id: &str,
    body: &Map<String, Value>,
) -> Result<Answer, Refusal> {
    found(cloud, id)?;
    if body.get("id").is_some_and(|named| named != id) {
        return Err(Refusal::invalid());
    }
    let draft = user::draft(body)?;
    change(cloud, now, id, draft)
}

pub(super) fn patch(
    cloud: &mut Cloud,
    now: Timestamp,
    id: &str,
    body: &Map<String, Value>,
) -> Result<Answer, Refusal> {
    let before = found(cloud, id)?;
    let after = patch::user(before.draft(), body)?;
    change(cloud, now, id, after)
}

pub(super) fn delete(cloud: &mut Cloud, id: &str) -> Result<Answer, Refusal> {
    if cloud.delete_user(id) {
        Ok(Answer::NoContent)
    } else {
        Err(Refusal::not_found())
    }
}

fn change(
    cloud: &mut Cloud,
    now: Timestamp,
    id: &str,
    draft: crate::aws::Draft,
) -> Result<Answer, Refusal> {
    let directory = cloud.directory_mut().ok_or_else(Refusal::not_found)?;
    let user = directory
        .update_user(id, draft, now)
        .map_err(|Duplicate(_)| Refusal::duplicate())?;
    Ok(Answer::Ok(user_json(user)))
}

fn found<'c>(cloud: &'c Cloud, id: &str) -> Result<&'c User, Refusal> {
    cloud
        .directory()
        .and_then(|directory| directory.user(id))
        .ok_or_else(Refusal::not_found)
}

fn with_position(user: &User) -> (u64, &User) {
    (user.position, user)
}

fn user_json(user: &User) -> Value {
    let mut json = user.attributes().clone();
    let mut schemas = vec![USER];
    if json.contains_key(ENTERPRISE) {
        schemas.push(ENTERPRISE);
    }
    if let Some(id) = user.external_id() {
        json.insert("externalId".to_owned(), id.into());
    }
    json.insert("id".to_owned(), user.id.as_str().into());
    json.insert("active".to_owned(), user.is_active().into());
    json.insert("schemas".to_owned(), schemas.into());
    json.insert("meta".to_owned(), meta("User", user.created, user.updated));
    Value::Object(json)
}

/// Returns the `meta` of a resource: whole seconds, no location and no version.
pub(super) fn meta(kind: &str, created: Timestamp, updated: Timestamp) -> Value {
    let whole = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({ "resourceType": kind, "created": whole(created), "lastModified": whole(updated) })
}
