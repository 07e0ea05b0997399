//! Reads the target through AWS's Identity Store API: for planning, before the SCIM token is known.
//!
//! The API has the same ids as SCIM. It is read only: the run writes with SCIM, and reads the target again before.

use std::collections::BTreeSet;

use aws_sso_glue::{IdentityCenter, IdentityGroup, IdentityUser};
use scim_types::{ExternalId, ResourceId, User};

use super::{
    directory::{Directory, UnreadItem},
    profile::UserProfile,
    snapshot::{TargetGroup, TargetSnapshot, TargetUser, match_groups},
    source::Source,
};
use crate::error::{Error, Result};

/// Reads all users and groups, and the members of the groups that match a group of the source.
pub(super) async fn read(
    center: &IdentityCenter,
    source: &dyn Source,
    directory: &Directory,
) -> Result<TargetSnapshot> {
    let store = center.identity_store();
    let users = store
        .users()
        .try_collect()
        .await
        .map_err(identity_store_error)?;
    let groups = store
        .groups()
        .try_collect()
        .await
        .map_err(identity_store_error)?;
    let managed = |id: Option<&ExternalId>| id.is_some_and(|id| source.may_have_issued(id));
    let mut snapshot = TargetSnapshot::default();
    for user in users {
        match target_user(user, managed) {
            Ok(user) => snapshot.users.push(user),
            Err(item) => snapshot.unread_users.push(item),
        }
    }
    let mut ids = Vec::new();
    for group in groups {
        let id = group.id.clone();
        match target_group(group, managed) {
            Ok(group) => {
                snapshot.groups.push(group);
                ids.push(id);
            }
            Err(item) => snapshot.unread_groups.push(item),
        }
    }
    let matched = match_groups(&directory.groups, &snapshot.groups);
    for index in matched.into_iter().flatten() {
        let members = store.members(&ids[index]).try_collect().await;
        let members: Vec<_> = members.map_err(identity_store_error)?;
        let members = members
            .iter()
            .filter_map(|id| resource_id(id.as_str()).ok());
        snapshot.groups[index].members = Some(members.collect::<BTreeSet<_>>());
    }
    Ok(snapshot)
}

/// Returns the error of an identity store that cannot be read.
pub(crate) fn identity_store_error(error: aws_sso_glue::Error) -> Error {
    Error::service("the identity store could not be read from AWS", error)
}

fn target_user(
    user: IdentityUser,
    managed: impl Fn(Option<&ExternalId>) -> bool,
) -> Result<TargetUser, UnreadItem> {
    let id = resource_id(user.id.as_str())?;
    let external_id = external_id(&user.external_ids);
    let active = user.is_enabled();
    Ok(TargetUser {
        managed: managed(external_id.as_ref()),
        // The API does not return all attributes, so a user that exists is planned as an update. It is no longer planned if SCIM
        // returns the desired attributes.
        digest: String::new(),
        is_read: false,
        owned: BTreeSet::new(),
        kept: None,
        keys: UserProfile {
            user_name: user.user_name.clone(),
            email: user.emails.first().cloned(),
            ..UserProfile::default()
        }
        .keys(),
        active,
        adopted: false,
        inactive_since: None,
        cached_external_id: None,
        scim_user: Some(Box::new(User {
            id: Some(id.clone()),
            external_id: external_id.clone(),
            user_name: Some(user.user_name.into()),
            active: Some(active),
            ..User::default()
        })),
        id,
        external_id,
    })
}

fn target_group(
    group: IdentityGroup,
    managed: impl Fn(Option<&ExternalId>) -> bool,
) -> Result<TargetGroup, UnreadItem> {
    let external_id = external_id(&group.external_ids);
    Ok(TargetGroup {
        id: resource_id(group.id.as_str())?,
        managed: managed(external_id.as_ref()),
        external_id,
        name: group.display_name,
        cached_external_id: None,
        members: None,
        adopted: false,
        other_members: Vec::new(),
    })
}

fn resource_id(id: &str) -> Result<ResourceId, UnreadItem> {
    ResourceId::parse(id).map_err(|error| UnreadItem {
        item: id.to_owned(),
        reason: error.to_string(),
    })
}

/// Returns the id that SCIM has written. AWS stores at most one.
fn external_id(ids: &[aws_sso_glue::ExternalId]) -> Option<ExternalId> {
    ids.first().map(|id| ExternalId::new(&*id.id))
}
