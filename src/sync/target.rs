//! What the target has: users, groups and, where needed, who is in which.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture};
use scim_client::{Client, Error as ScimError};
use scim_types::{ExternalId, Group, ResourceId, User, filter::AttributePath, filter::Filter};

use super::{
    Directory, Source, UserProfile,
    planner::{TargetGroup, TargetSnapshot, TargetUser, match_groups, match_users},
};
use crate::error::{Error, ErrorKind, Result};

/// Requests that are on their way together.
type Work<'a, T> = Vec<BoxFuture<'a, Result<T, ScimError>>>;

/// How many pages a list has at least: an empty one is a request too.
pub(super) fn pages(items: usize, size: u32) -> usize {
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    items.div_ceil(size).max(1)
}

/// Reads all users and groups, without memberships.
///
/// A list that ends before its end is an error of the client; nothing here takes half of one for whole.
pub(super) async fn read(scim: &Client, source: &dyn Source) -> Result<TargetSnapshot> {
    let failed = |what: &'static str| {
        move |error| {
            Error::service(
                format!("the {what} of the target could not be read; nothing was written"),
                error,
            )
        }
    };
    let users = scim.users().list(None).try_collect();
    let groups = scim.groups().list(None).try_collect();
    let (users, groups) =
        futures::try_join!(async { users.await.map_err(failed("users")) }, async {
            groups.await.map_err(failed("groups"))
        },)?;
    let managed = |id: Option<&ExternalId>| id.is_some_and(|id| source.may_have_issued(id));
    let users = users.into_iter().map(|user| {
        let managed = managed(user.external_id.as_ref());
        known_user(user, managed)
    });
    let shows_members = scim.dialect().rules().shows_members;
    let groups = groups.into_iter().map(|group| {
        let managed = managed(group.external_id.as_ref());
        known_group(group, managed, shows_members)
    });
    Ok(TargetSnapshot {
        users: users.collect::<Result<_>>()?,
        groups: groups.collect::<Result<_>>()?,
    })
}

fn known_user(user: User, managed: bool) -> Result<TargetUser> {
    let profile = UserProfile::of(&user);
    let id = user
        .id
        .clone()
        .ok_or_else(|| nameless("user", &profile.user_name))?;
    Ok(TargetUser {
        id,
        external_id: user.external_id.clone(),
        digest: profile.digest(),
        active: profile.active,
        managed,
        inactive_since: None,
        remembered: None,
        read: Some(Box::new(user)),
    })
}

fn known_group(group: Group, managed: bool, shows_members: bool) -> Result<TargetGroup> {
    let name = group.display_name.unwrap_or_default();
    let id = group.id.ok_or_else(|| nameless("group", &name))?;
    let members = group.members.into_iter().filter_map(|member| member.value);
    Ok(TargetGroup {
        id,
        external_id: group.external_id,
        name: name.into_string(),
        managed,
        members: shows_members.then(|| members.collect()),
    })
}

fn nameless(kind: &str, name: &str) -> Error {
    Error::new(
        ErrorKind::Service,
        format!("the target has a {kind} without an id: `{name}`; nothing was written"),
    )
}

/// Reads who is in the groups that the source has too, as far as that is not known.
///
/// AWS says who is in a group to none but those who ask for the users of a group, or for the groups of a user; the
/// way that needs fewer requests is taken. Groups that are to be made have nobody in them and are not asked about.
pub(super) async fn read_members(
    scim: &Client,
    directory: &Directory,
    known: &mut TargetSnapshot,
) -> Result<()> {
    let matches = match_groups(&directory.groups, &known.groups);
    let wanted: Vec<(usize, usize)> = directory
        .groups
        .iter()
        .zip(&matches)
        .filter_map(|(group, place)| Some((group.members.len(), (*place)?)))
        .filter(|(_, place)| known.groups[*place].members.is_none())
        .map(|(size, place)| (place, size))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let size = scim.dialect().rules().page_size;
    let by_group: usize = wanted
        .iter()
        .map(|(_, members)| pages(*members, size))
        .sum();
    // Whoever is or becomes managed; who else is in a group is nobody's business here.
    let ours: BTreeSet<usize> = match_users(&directory.users, &known.users)
        .into_iter()
        .flatten()
        .chain((0..known.users.len()).filter(|place| known.users[*place].managed))
        .collect();
    // Somebody is in a hundred groups at most, as a rule; who is in more costs another page.
    let by_user = ours.len();
    let failed = |error| {
        Error::service(
            "who is in the groups of the target could not be read; nothing was written",
            error,
        )
    };
    if by_group <= by_user {
        let mut work: Work<'_, (usize, BTreeSet<ResourceId>)> = Vec::with_capacity(wanted.len());
        for (place, _) in wanted {
            let id = known.groups[place].id.clone();
            work.push(Box::pin(async move {
                Ok((place, members_of(scim, &id).await?))
            }));
        }
        let mut read = futures::stream::iter(work).buffer_unordered(width(scim));
        while let Some((place, members)) = read.try_next().await.map_err(failed)? {
            known.groups[place].members = Some(members);
        }
        return Ok(());
    }
    let places: BTreeMap<ResourceId, usize> = wanted
        .iter()
        .map(|(place, _)| (known.groups[*place].id.clone(), *place))
        .collect();
    let mut work: Work<'_, (ResourceId, Vec<Group>)> = Vec::with_capacity(by_user);
    for place in ours {
        let user = known.users[place].id.clone();
        work.push(Box::pin(async move {
            let filter = Filter::eq(AttributePath::MEMBERS_VALUE, user.as_str());
            let groups = scim.groups().list(filter).try_collect().await?;
            Ok((user, groups))
        }));
    }
    let mut members: BTreeMap<usize, BTreeSet<ResourceId>> = places
        .values()
        .map(|place| (*place, BTreeSet::new()))
        .collect();
    let mut read = futures::stream::iter(work).buffer_unordered(width(scim));
    while let Some((user, groups)) = read.try_next().await.map_err(failed)? {
        for group in groups {
            let place = group.id.as_ref().and_then(|id| places.get(id));
            if let Some(present) = place.and_then(|place| members.get_mut(place)) {
                present.insert(user.clone());
            }
        }
    }
    for (place, present) in members {
        known.groups[place].members = Some(present);
    }
    Ok(())
}

/// Reads which of the groups whose members are remembered those users are in of whom nothing is remembered.
pub(super) async fn read_groups_of_unknown(
    scim: &Client,
    directory: &Directory,
    known: &mut TargetSnapshot,
    remembered: &BTreeSet<&ResourceId>,
) -> Result<()> {
    let unknown: Vec<ResourceId> = match_users(&directory.users, &known.users)
        .into_iter()
        .flatten()
        .map(|place| known.users[place].id.clone())
        .filter(|id| !remembered.contains(id))
        .collect();
    if unknown.len() > known.groups.len() {
        // Then it is cheaper to ask for everybody in each group.
        for group in &mut known.groups {
            group.members = None;
        }
        return Ok(());
    }
    for id in unknown {
        let groups = groups_of(scim, &id).await.map_err(|error| {
            Error::service(
                format!("the groups of user {id} could not be read; nothing was written"),
                error,
            )
        })?;
        for group in &mut known.groups {
            if let Some(members) = &mut group.members
                && groups.contains(&group.id)
            {
                members.insert(id.clone());
            }
        }
    }
    Ok(())
}

/// Reads which groups a user is in.
pub(super) async fn groups_of(
    scim: &Client,
    user: &ResourceId,
) -> Result<BTreeSet<ResourceId>, ScimError> {
    let filter = Filter::eq(AttributePath::MEMBERS_VALUE, user.as_str());
    let groups = scim.groups().list(filter).try_collect().await?;
    Ok(groups.into_iter().filter_map(|group| group.id).collect())
}

/// Reads who is in a group.
pub(super) async fn members_of(
    scim: &Client,
    group: &ResourceId,
) -> Result<BTreeSet<ResourceId>, ScimError> {
    if scim.dialect().rules().shows_members {
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

/// How many requests are prepared at once; how many are on their way is the client's business.
pub(super) fn width(scim: &Client) -> usize {
    scim.max_in_flight() * 2
}
