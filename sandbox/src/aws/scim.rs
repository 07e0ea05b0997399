//! The SCIM endpoint of IAM Identity Center: the SCIM engine on the identity store.

use axum::body::Bytes;
use axum::http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cloud::Cloud;
use super::directory::{Directory, Draft, Duplicate, Group, User};
use crate::scim::{
    AWS, Exchange, MemberChange, Record, Records, Resource, Selection, Store, Taken, bearer_token,
    member_ids,
};

/// Handles one request; its path starts at the root of the listener.
pub(crate) fn handle(
    cloud: &mut Cloud,
    now: Timestamp,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    cloud.complete_due_operations(now);
    let request_id = cloud.next_request_id();
    let (tenant, below) = split(request.uri().path());
    let options = cloud.scim_options.clone();
    Exchange {
        profile: &AWS,
        base: "",
        request,
        below,
        authorized: bearer_token(request)
            .is_some_and(|token| cloud.accepts_scim_token(tenant, token, now)),
        options: &options,
        max_page_size: cloud.pages.max_size(),
        now,
        request_id: &request_id,
        store: cloud,
    }
    .respond()
}

/// Splits a path `/{tenant}/scim/v2…` into the tenant and the path below the base URL.
fn split(path: &str) -> (&str, Option<&str>) {
    let (tenant, rest) = path
        .strip_prefix('/')
        .and_then(|path| path.split_once('/'))
        .unwrap_or_default();
    let below = rest.strip_prefix("scim/v2");
    (
        tenant,
        below.filter(|below| below.is_empty() || below.starts_with('/')),
    )
}

impl Store for Cloud {
    fn get(&self, resource: Resource, id: &str) -> Option<Record> {
        let directory = self.directory()?;
        match resource {
            Resource::User => directory.user(id).map(user_record),
            Resource::Group => directory.group(id).map(group_record),
        }
    }

    fn list(&self, resource: Resource) -> Records<'_> {
        let directory = self.directory().into_iter();
        match resource {
            Resource::User => Box::new(
                directory
                    .flat_map(Directory::users)
                    .map(|(_, user)| user_record(user)),
            ),
            Resource::Group => Box::new(
                directory
                    .flat_map(Directory::groups)
                    .map(|(_, group)| group_record(group)),
            ),
        }
    }

    fn select(&self, resource: Resource, attribute: &str, value: &str) -> Selection<'_> {
        let Some(directory) = self.directory() else {
            return Selection::UnknownId;
        };
        let one = |record: Option<Record>| Selection::Records(Box::new(record.into_iter()));
        match (resource, attribute) {
            (Resource::User, "id") => one(directory.user(value).map(user_record)),
            (Resource::User, "userName") => {
                one(directory.user_by("userName", value).map(user_record))
            }
            (Resource::User, "externalId") => {
                one(directory.user_by("externalId", value).map(user_record))
            }
            (Resource::User, "groups.value") => match directory.group(value) {
                None => Selection::UnknownId,
                Some(group) => Selection::Records(Box::new(
                    directory
                        .members(group)
                        .map(|(_, (user, _))| user_record(user)),
                )),
            },
            (Resource::Group, "id") => one(directory.group(value).map(group_record)),
            (Resource::Group, "displayName") => {
                one(directory.group_by("displayName", value).map(group_record))
            }
            (Resource::Group, "externalId") => {
                one(directory.group_by("externalId", value).map(group_record))
            }
            // "The member that you filter by does not exist" is a reason for 404 (`ListGroups`).
            (Resource::Group, "members.value") => match directory.user(value) {
                None => Selection::UnknownId,
                Some(user) => Selection::Records(Box::new(
                    directory
                        .groups_of(user)
                        .map(|(_, (group, _))| group_record(group)),
                )),
            },
            _ => Selection::Unindexed,
        }
    }

    fn can_be_member(&self, id: &str) -> bool {
        self.directory()
            .is_some_and(|directory| directory.user(id).is_some())
    }

    fn create(
        &mut self,
        resource: Resource,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, Taken> {
        // Without Identity Center no SCIM token is valid, so no request gets here.
        let Some(directory) = self.directory_mut() else {
            return Ok(String::new());
        };
        if resource == Resource::User {
            let user = directory.create_user(draft(attributes), now);
            return user.map(|user| user.id.clone()).map_err(taken);
        }
        let name = text(&attributes, "displayName").unwrap_or_default();
        let external_id = text(&attributes, "externalId");
        let group = directory.create_group(&name, None, external_id, now);
        let id = group.map(|group| group.id.clone()).map_err(taken)?;
        for member in attributes.get("members").into_iter().flat_map(member_ids) {
            directory.join(&id, member, now);
        }
        Ok(id)
    }

    fn replace(
        &mut self,
        resource: Resource,
        id: &str,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Taken> {
        let Some(directory) = self.directory_mut() else {
            return Ok(());
        };
        if resource == Resource::User {
            let user = directory.update_user(id, draft(attributes), now);
            return user.map(|_| ()).map_err(taken);
        }
        let Some(mut group) = directory.group(id).cloned() else {
            return Ok(());
        };
        group.display_name = text(&attributes, "displayName").unwrap_or_default();
        group.external_id = text(&attributes, "externalId");
        let group = directory.update_group(id, group, now);
        group.map(|_| ()).map_err(taken)
    }

    fn change_members(&mut self, group: &str, changes: &[MemberChange], now: Timestamp) {
        let Some(directory) = self.directory_mut() else {
            return;
        };
        for change in changes {
            match change {
                MemberChange::Add(id) => {
                    directory.join(group, id, now);
                }
                MemberChange::Remove(id) => {
                    directory.leave(group, id);
                }
            }
        }
    }

    fn delete(&mut self, resource: Resource, id: &str) -> bool {
        self.directory_mut()
            .is_some_and(|directory| match resource {
                Resource::User => directory.delete_user(id),
                Resource::Group => directory.delete_group(id),
            })
    }
}

fn text(attributes: &Map<String, Value>, name: &str) -> Option<String> {
    let value = attributes.get(name)?;
    value.as_str().map(ToOwned::to_owned)
}

fn draft(mut attributes: Map<String, Value>) -> Draft {
    let active = attributes.remove("active");
    let external_id = text(&attributes, "externalId");
    attributes.remove("externalId");
    Draft {
        // "If it is left out, the user is active" (developer guide, `active`).
        active: active.as_ref().and_then(Value::as_bool).unwrap_or(true),
        external_id,
        attributes,
    }
}

fn user_record(user: &User) -> Record {
    let mut attributes = user.attributes().clone();
    if let Some(id) = user.external_id() {
        attributes.insert("externalId".to_owned(), id.into());
    }
    attributes.insert("active".to_owned(), user.is_active().into());
    Record {
        position: user.position,
        id: user.id.clone(),
        attributes,
        created: user.created,
        modified: user.updated,
        version: user.revision,
    }
}

/// Returns a group without its members, which responses do not contain.
fn group_record(group: &Group) -> Record {
    let mut attributes = Map::new();
    attributes.insert("displayName".to_owned(), group.display_name.as_str().into());
    if let Some(id) = &group.external_id {
        attributes.insert("externalId".to_owned(), id.as_str().into());
    }
    Record {
        position: group.position,
        id: group.id.clone(),
        attributes,
        created: group.created,
        modified: group.updated,
        version: group.revision,
    }
}

fn taken(Duplicate(attribute): Duplicate) -> Taken {
    Taken(attribute)
}

#[cfg(test)]
mod tests;
