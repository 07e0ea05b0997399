//! Reads the target: users, groups and, if needed, memberships.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture};
use scim_client::{Client, Error as ScimError, ItemError};
use scim_types::{ExternalId, Group, ResourceId, User, filter::AttributePath, filter::Filter};

use super::{
    directory::{Directory, UnreadItem},
    profile::{UserProfile, kept_digest},
    snapshot::{TargetGroup, TargetSnapshot, TargetUser, match_groups, match_users},
    source::Source,
};
use crate::error::{Error, Result};

/// Requests that are sent concurrently.
type Requests<'a, T> = Vec<BoxFuture<'a, Result<T, ScimError>>>;

/// Returns the number of requests to list `items` resources. An empty list takes one request.
pub(super) fn pages(items: usize, size: u32) -> usize {
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    items.div_ceil(size).max(1)
}

/// Reads all users and groups. Members are only read if the server includes them in groups.
///
/// A list that ends early is an error. A user or group that cannot be read or has no id is listed as an unread item.
pub(super) async fn read(scim: &Client, source: &dyn Source) -> Result<TargetSnapshot> {
    let failed = |what: &'static str| {
        move |error| {
            Error::service(
                format!("the {what} could not be read from the target; nothing was written"),
                error,
            )
        }
    };
    let users = scim.users().list(None).collect_partial();
    let groups = scim.groups().list(None).collect_partial();
    let (users, groups) =
        futures::try_join!(async { users.await.map_err(failed("users")) }, async {
            groups.await.map_err(failed("groups"))
        },)?;
    let unread = |list, errors: &[ItemError]| {
        errors
            .iter()
            .map(|error| UnreadItem::of_list(list, error))
            .collect()
    };
    let mut snapshot = TargetSnapshot {
        unread_users: unread("the target's users", &users.errors),
        unread_groups: unread("the target's groups", &groups.errors),
        ..TargetSnapshot::default()
    };
    let managed = |id: Option<&ExternalId>| id.is_some_and(|id| source.may_have_issued(id));
    for user in users.items {
        let managed = managed(user.external_id.as_ref());
        match target_user(user, managed) {
            Ok(user) => snapshot.users.push(user),
            Err(item) => snapshot.unread_users.push(item),
        }
    }
    let returns_members = scim.dialect().rules().returns_members;
    for group in groups.items {
        let managed = managed(group.external_id.as_ref());
        match target_group(group, managed, returns_members) {
            Ok(group) => snapshot.groups.push(group),
            Err(item) => snapshot.unread_groups.push(item),
        }
    }
    Ok(snapshot)
}

fn target_user(user: User, managed: bool) -> Result<TargetUser, UnreadItem> {
    let profile = UserProfile::of(&user);
    let id = user
        .id
        .clone()
        .ok_or_else(|| without_id(format!("user {}", profile.user_name)))?;
    Ok(TargetUser {
        id,
        external_id: user.external_id.clone(),
        digest: profile.digest(),
        is_read: true,
        owned: BTreeSet::new(),
        kept: Some(kept_digest(&user)),
        keys: profile.keys(),
        active: profile.active,
        managed,
        adopted: false,
        inactive_since: None,
        cached_external_id: None,
        scim_user: Some(Box::new(user)),
    })
}

fn target_group(
    group: Group,
    managed: bool,
    returns_members: bool,
) -> Result<TargetGroup, UnreadItem> {
    let name = group.display_name.unwrap_or_default();
    let id = group
        .id
        .ok_or_else(|| without_id(format!("group {name}")))?;
    let members = group.members.into_iter().filter_map(|member| member.value);
    Ok(TargetGroup {
        id,
        external_id: group.external_id,
        name: name.into_string(),
        managed,
        cached_external_id: None,
        members: returns_members.then(|| members.collect()),
        adopted: false,
        other_members: Vec::new(),
    })
}

fn without_id(item: String) -> UnreadItem {
    UnreadItem {
        item,
        reason: "the target returned it without an id".to_owned(),
    }
}

/// Reads the members of the groups that match a group of the source, unless the snapshot has them already.
///
/// AWS lists memberships only by filter: users by `groups.value`, groups by `members.value`. The filter that needs fewer
/// requests is used. Groups that will be created have no members yet and cause no request.
pub(super) async fn read_members(
    scim: &Client,
    directory: &Directory,
    snapshot: &mut TargetSnapshot,
) -> Result<()> {
    let matches = match_groups(&directory.groups, &snapshot.groups);
    let unread: Vec<(usize, usize)> = directory
        .groups
        .iter()
        .zip(&matches)
        .filter_map(|(group, index)| Some((group.members.len(), (*index)?)))
        .filter(|(_, index)| snapshot.groups[*index].members.is_none())
        .map(|(size, index)| (index, size))
        .collect();
    if unread.is_empty() {
        return Ok(());
    }
    let size = scim.dialect().rules().page_size;
    let requests_by_group: usize = unread
        .iter()
        .map(|(_, members)| pages(*members, size))
        .sum();
    // The users that are managed now or will be adopted. The sync ignores memberships of other users.
    let managed: BTreeSet<usize> = match_users(&directory.users, &snapshot.users)
        .into_iter()
        .flatten()
        .chain((0..snapshot.users.len()).filter(|index| snapshot.users[*index].managed))
        .collect();
    // This is an estimate of one page per user. A user in more than 100 groups needs another page.
    let requests_by_user = managed.len();
    let failed = |error| {
        Error::service(
            "the group members could not be read from the target; nothing was written",
            error,
        )
    };
    if requests_by_group <= requests_by_user {
        let mut requests: Requests<'_, (usize, BTreeSet<ResourceId>)> =
            Vec::with_capacity(unread.len());
        for (index, _) in unread {
            let id = snapshot.groups[index].id.clone();
            requests.push(Box::pin(async move {
                Ok((index, members_of(scim, &id).await?))
            }));
        }
        let mut responses = futures::stream::iter(requests).buffer_unordered(concurrency(scim));
        while let Some((index, members)) = responses.try_next().await.map_err(failed)? {
            snapshot.groups[index].members = Some(members);
        }
        return Ok(());
    }
    let indexes: BTreeMap<ResourceId, usize> = unread
        .iter()
        .map(|(index, _)| (snapshot.groups[*index].id.clone(), *index))
        .collect();
    let mut requests: Requests<'_, (ResourceId, Vec<Group>)> = Vec::with_capacity(requests_by_user);
    for index in managed {
        let user = snapshot.users[index].id.clone();
        requests.push(Box::pin(async move {
            let filter = Filter::eq(AttributePath::MEMBERS_VALUE, user.as_str());
            let groups = scim.groups().list(filter).try_collect().await?;
            Ok((user, groups))
        }));
    }
    let mut members: BTreeMap<usize, BTreeSet<ResourceId>> = indexes
        .values()
        .map(|index| (*index, BTreeSet::new()))
        .collect();
    let mut responses = futures::stream::iter(requests).buffer_unordered(concurrency(scim));
    while let Some((user, groups)) = responses.try_next().await.map_err(failed)? {
        for group in groups {
            let index = group.id.as_ref().and_then(|id| indexes.get(id));
            if let Some(present) = index.and_then(|index| members.get_mut(index)) {
                present.insert(user.clone());
            }
        }
    }
    for (index, present) in members {
        snapshot.groups[index].members = Some(present);
    }
    Ok(())
}

/// Reads the members of the managed groups that the source does not have, before they are deleted: a group with members that
/// the sync does not manage is kept.
pub(super) async fn read_members_of_missing(
    scim: &Client,
    directory: &Directory,
    snapshot: &mut TargetSnapshot,
) -> Result<()> {
    let taken = match_groups(&directory.groups, &snapshot.groups).into_iter();
    let taken: BTreeSet<usize> = taken.flatten().collect();
    let managed: BTreeSet<ResourceId> = match_users(&directory.users, &snapshot.users)
        .into_iter()
        .flatten()
        .map(|index| &snapshot.users[index])
        .chain(snapshot.users.iter().filter(|user| user.managed))
        .map(|user| user.id.clone())
        .collect();
    for (index, group) in snapshot.groups.iter_mut().enumerate() {
        let is_known = group.adopted && group.members.is_some();
        if taken.contains(&index) || !group.managed || is_known {
            continue;
        }
        let members = named_members_of(scim, &group.id).await?;
        let others = members.iter().filter(|(id, _)| !managed.contains(id));
        group.other_members = others.map(|(_, name)| name.clone()).collect();
        group.members = Some(members.into_keys().collect());
    }
    Ok(())
}

/// Reads the members of a group that a run deletes, with their names. A member without a name has its id.
pub(super) async fn named_members_of(
    scim: &Client,
    group: &ResourceId,
) -> Result<BTreeMap<ResourceId, String>> {
    let failed = |error| {
        let what = format!(
            "the members of group {group}, which is missing in the source, could not be read from the target; nothing was written"
        );
        Error::service(what, error)
    };
    if scim.dialect().rules().returns_members {
        let members = match members_of(scim, group).await {
            Err(error) if error.is_not_found() => BTreeSet::new(),
            members => members.map_err(failed)?,
        };
        let names = members.into_iter().map(|id| (id.clone(), id.to_string()));
        return Ok(names.collect());
    }
    let filter = Filter::eq(AttributePath::GROUPS_VALUE, group.as_str());
    let users = match scim.users().list(filter).try_collect().await {
        Err(error) if error.is_not_found() => Vec::new(),
        users => users.map_err(failed)?,
    };
    let members = users.into_iter().filter_map(|user| {
        let id = user.id?;
        let name = user.user_name.map(|name| name.to_string());
        Some((id.clone(), name.unwrap_or_else(|| id.to_string())))
    });
    Ok(members.collect())
}

/// Reads the group memberships of users that are missing from the cached state.
///
/// Adds these users to the groups whose members come from the cached state.
pub(super) async fn read_groups_of_uncached(
    scim: &Client,
    directory: &Directory,
    snapshot: &mut TargetSnapshot,
    cached: &BTreeSet<&ResourceId>,
) -> Result<()> {
    let uncached: Vec<ResourceId> = match_users(&directory.users, &snapshot.users)
        .into_iter()
        .flatten()
        .map(|index| snapshot.users[index].id.clone())
        .filter(|id| !cached.contains(id))
        .collect();
    if uncached.len() > snapshot.groups.len() {
        // Listing the members of each group needs fewer requests; `read_members` does that.
        for group in &mut snapshot.groups {
            group.members = None;
        }
        return Ok(());
    }
    for id in uncached {
        let groups = groups_of(scim, &id).await.map_err(|error| {
            Error::service(
                format!(
                    "the groups of user {id} could not be read from the target; nothing was written"
                ),
                error,
            )
        })?;
        for group in &mut snapshot.groups {
            if let Some(members) = &mut group.members
                && groups.contains(&group.id)
            {
                members.insert(id.clone());
            }
        }
    }
    Ok(())
}

/// Reads the ids of a user's groups.
pub(super) async fn groups_of(
    scim: &Client,
    user: &ResourceId,
) -> Result<BTreeSet<ResourceId>, ScimError> {
    let filter = Filter::eq(AttributePath::MEMBERS_VALUE, user.as_str());
    let groups = scim.groups().list(filter).try_collect().await?;
    Ok(groups.into_iter().filter_map(|group| group.id).collect())
}

/// Reads the ids of a group's members.
pub(super) async fn members_of(
    scim: &Client,
    group: &ResourceId,
) -> Result<BTreeSet<ResourceId>, ScimError> {
    if scim.dialect().rules().returns_members {
        let group = scim.groups().get(group).await?;
        return Ok(group
            .members
            .into_iter()
            .filter_map(|member| member.value)
            .collect());
    }
    let filter = Filter::eq(AttributePath::GROUPS_VALUE, group.as_str());
    let users = scim.users().list(filter).try_collect().await?;
    Ok(users.into_iter().filter_map(|user| user.id).collect())
}

/// Returns the number of requests to prepare concurrently. The client itself limits the requests in flight.
pub(super) fn concurrency(scim: &Client) -> usize {
    scim.max_in_flight() * 2
}
