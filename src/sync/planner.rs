//! Computes the plan from the source and the target snapshot, without I/O.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use scim_client::Dialect;
use scim_types::{ExternalId, ResourceId};

use super::{
    Directory, UserProfile,
    directory::{Group, User},
    plan::{
        GroupChange, Member, RemovedPrincipal, Skipped, SyncPlan, Totals, Transient, UserChange,
    },
};
use crate::plan::count;

/// The treatment of users that are no longer in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// Keeps the users unchanged.
    Keep,
    /// Deactivates the users: they are kept but cannot sign in.
    #[default]
    Deactivate,
    /// Deactivates the users, and deletes them in a later run after a retention period.
    ///
    /// The deletion of a user also deletes the user's assignments; if the user returns, the assignments must be created
    /// again. If the deactivation time is unknown (no cached state), the user is deleted only with a retention period
    /// of zero.
    Delete {
        /// The retention period: the minimum time between deactivation and deletion.
        after: Duration,
    },
}

/// The treatment of groups that are no longer in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupRemoval {
    /// Keeps the groups with their members.
    #[default]
    Keep,
    /// Deletes the groups. The access that they grant is lost.
    Delete,
}

/// The settings of the planner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) users: Removal,
    pub(super) groups: GroupRemoval,
    pub(super) dialect: Dialect,
}

/// The users and groups of the target, as read or as cached.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TargetSnapshot {
    pub(super) users: Vec<TargetUser>,
    pub(super) groups: Vec<TargetGroup>,
}

/// A user of the target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetUser {
    pub(super) id: ResourceId,
    pub(super) external_id: Option<ExternalId>,
    /// The digest of the [`UserProfile`].
    pub(super) digest: String,
    pub(super) active: bool,
    /// Whether the sync may remove the user: the cached state has the user, or the source may have issued the user's
    /// external id.
    pub(super) managed: bool,
    /// The time of deactivation, if the cached state has it.
    pub(super) inactive_since: Option<Timestamp>,
    /// The external id in the cached state, if the user's `externalId` was removed in the target.
    pub(super) cached_external_id: Option<ExternalId>,
    /// The SCIM user, if it was read.
    pub(super) scim_user: Option<Box<scim_types::User>>,
}

/// A group of the target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetGroup {
    pub(super) id: ResourceId,
    pub(super) external_id: Option<ExternalId>,
    pub(super) name: String,
    /// Whether the sync may remove the group; see [`TargetUser::managed`].
    pub(super) managed: bool,
    /// The ids of the members, if they were read or cached.
    pub(super) members: Option<BTreeSet<ResourceId>>,
}

impl TargetUser {
    fn name(&self) -> Option<&str> {
        self.scim_user.as_ref()?.user_name.as_deref()
    }

    fn to_removed(&self) -> RemovedPrincipal {
        RemovedPrincipal {
            id: self.id.clone(),
            external_id: self.external_id.clone(),
            name: self.name().map(ToOwned::to_owned),
        }
    }
}

/// Returns for each group of the source the index of the matching group of the target.
pub(super) fn match_groups(source: &[Group], target: &[TargetGroup]) -> Vec<Option<usize>> {
    let by_id = by_external_id(target.iter().map(|group| group.external_id.as_ref()));
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (index, group) in target.iter().enumerate() {
        by_name.entry(&group.name).or_insert(index);
    }
    match_by_id_then_name(
        source
            .iter()
            .map(|group| (&group.id, by_name.get(group.name.as_str()).copied())),
        &by_id,
    )
}

/// Returns for each user of the source the index of the matching user of the target.
pub(super) fn match_users(source: &[User], target: &[TargetUser]) -> Vec<Option<usize>> {
    let by_id = by_external_id(target.iter().map(|user| {
        user.external_id
            .as_ref()
            .or(user.cached_external_id.as_ref())
    }));
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (index, user) in target.iter().enumerate() {
        if let Some(name) = user.name() {
            by_name.entry(name.to_lowercase()).or_insert(index);
        }
    }
    match_by_id_then_name(
        source.iter().map(|user| {
            let name = user.profile.user_name.to_lowercase();
            (&user.id, by_name.get(&name).copied())
        }),
        &by_id,
    )
}

/// Maps each external id to its index in the list.
fn by_external_id<'a>(
    ids: impl Iterator<Item = Option<&'a ExternalId>>,
) -> HashMap<&'a ExternalId, usize> {
    let ids = ids.enumerate();
    ids.filter_map(|(index, id)| Some((id?, index))).collect()
}

/// Matches by external id first, then by name.
///
/// A target resource matches by name only if no source resource has its external id, and matches only one source
/// resource by name.
fn match_by_id_then_name<'a>(
    source: impl Iterator<Item = (&'a ExternalId, Option<usize>)> + Clone,
    by_id: &HashMap<&ExternalId, usize>,
) -> Vec<Option<usize>> {
    let mut taken: HashSet<usize> = source
        .clone()
        .filter_map(|(id, _)| by_id.get(id).copied())
        .collect();
    source
        .map(|(id, same_name)| {
            by_id
                .get(id)
                .copied()
                .or_else(|| same_name.filter(|index| taken.insert(*index)))
        })
        .collect()
}

/// Returns the plan that changes the target to match the source.
pub(super) fn plan(
    source: &Directory,
    target: &TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    serial: u64,
) -> SyncPlan {
    let mut plan = SyncPlan {
        version: SyncPlan::VERSION,
        made_at: now,
        serial,
        totals: totals(source, target),
        users: Vec::new(),
        groups: Vec::new(),
        skipped: Vec::new(),
        notes: source.remarks.clone(),
        next_state: Transient::default(),
        missing_users: Transient::default(),
    };
    let user_ids = plan_users(source, target, policy, now, &mut plan);
    plan_groups(source, target, policy, &user_ids, &mut plan);
    plan
}

fn totals(source: &Directory, target: &TargetSnapshot) -> Totals {
    let source_ids: HashSet<&ExternalId> = source.users.iter().map(|user| &user.id).collect();
    let managed_users = || {
        target
            .users
            .iter()
            .filter(|user| user.managed && user.active)
    };
    let managed_groups = || target.groups.iter().filter(|group| group.managed);
    Totals {
        source_active: source
            .users
            .iter()
            .filter(|user| user.profile.active)
            .count(),
        source_groups: source.groups.len(),
        managed_users: managed_users().count(),
        managed_groups: managed_groups().count(),
        memberships: managed_groups()
            .filter_map(|group| group.members.as_ref())
            .map(BTreeSet::len)
            .sum(),
        missing_users: managed_users()
            .filter(|user| {
                let in_source = |id| source_ids.contains(id);
                !user.external_id.as_ref().is_some_and(in_source)
            })
            .count(),
    }
}

/// Plans the changes of users.
///
/// Returns the source users that will exist in the target and can be group members. The value is the user's target id,
/// or `None` if the run creates the user.
fn plan_users<'a>(
    source: &'a Directory,
    target: &TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    plan: &mut SyncPlan,
) -> HashMap<&'a ExternalId, Option<ResourceId>> {
    let matches = match_users(&source.users, &target.users);
    let mut user_ids = HashMap::with_capacity(source.users.len());
    let mut removals = Vec::new();
    for (user, found) in source.users.iter().zip(&matches) {
        let found = found.map(|index| &target.users[index]);
        if let Some(found) = found {
            user_ids.insert(&user.id, Some(found.id.clone()));
        }
        if !user.profile.active && found.is_none() {
            continue;
        }
        let adapted = if user.problems.is_empty() {
            user.profile.adapt_to_dialect(&user.id, policy.dialect)
        } else {
            Err(user.problems.clone())
        };
        let profile = match (adapted, found) {
            (Ok((profile, remarks)), _) => {
                let name = &user.profile.user_name;
                plan.notes
                    .extend(remarks.iter().map(|remark| format!("{name}: {remark}")));
                profile
            }
            // A user that is inactive in the source is deactivated even if the profile has problems.
            (Err(_), Some(found)) if !user.profile.active && found.active => {
                removals.push(UserChange::Deactivate(found.to_removed()));
                continue;
            }
            (Err(problems), _) => {
                plan.skipped.push(Skipped {
                    name: user.profile.user_name.clone(),
                    reason: problems.join("; "),
                });
                continue;
            }
        };
        let Some(found) = found else {
            user_ids.insert(&user.id, None);
            plan.users.push(UserChange::Create {
                external_id: user.id.clone(),
                profile,
            });
            continue;
        };
        let adopts = found.external_id.as_ref() != Some(&user.id);
        if !adopts && found.digest == profile.digest() {
            continue;
        }
        let deactivates = found.active && !profile.active;
        let change = UserChange::Update {
            id: found.id.clone(),
            external_id: user.id.clone(),
            before: found.scim_user.as_deref().map(UserProfile::of),
            profile,
            adopts,
            deactivates,
            base: Transient(found.scim_user.clone()),
        };
        if deactivates {
            removals.push(change);
        } else {
            plan.users.push(change);
        }
    }
    let taken: HashSet<usize> = matches.into_iter().flatten().collect();
    let missing: Vec<&TargetUser> = target
        .users
        .iter()
        .enumerate()
        .filter(|(index, user)| user.managed && !taken.contains(index))
        .map(|(_, user)| user)
        .collect();
    let missing_ids = missing.iter().map(|user| user.id.clone()).collect();
    plan.missing_users = Transient(Some(Arc::new(missing_ids)));
    for user in missing {
        match plan_user_removal(user, policy.users, now) {
            Ok(change) => removals.extend(change),
            Err(note) => plan
                .notes
                .push(format!("user {}: {note}", user.to_removed())),
        }
    }
    plan.users.extend(removals);
    user_ids
}

/// Plans the removal of a managed user that is missing in the source.
///
/// # Errors
///
/// Returns a note for the reviewer of the plan if the policy keeps the user, or if the deactivation time is unknown.
fn plan_user_removal(
    user: &TargetUser,
    removal: Removal,
    now: Timestamp,
) -> Result<Option<UserChange>, &'static str> {
    let after = match (removal, user.active) {
        (Removal::Keep, true) => return Err("not in the source, but kept"),
        (Removal::Keep | Removal::Deactivate, false) => return Ok(None),
        (Removal::Deactivate | Removal::Delete { .. }, true) => {
            return Ok(Some(UserChange::Deactivate(user.to_removed())));
        }
        (Removal::Delete { after }, false) => after,
    };
    let due = match user.inactive_since {
        None if after.is_zero() => true,
        None => return Err("deactivated at an unknown time, therefore not deleted"),
        Some(since) => {
            let waited = now.duration_since(since);
            waited >= jiff::SignedDuration::try_from(after).unwrap_or(jiff::SignedDuration::MAX)
        }
    };
    Ok(due.then(|| UserChange::Delete(user.to_removed())))
}

/// Plans the changes of groups. `user_ids` is the result of [`plan_users`].
fn plan_groups(
    source: &Directory,
    target: &TargetSnapshot,
    policy: Policy,
    user_ids: &HashMap<&ExternalId, Option<ResourceId>>,
    plan: &mut SyncPlan,
) {
    let managed: HashSet<&ResourceId> = target
        .users
        .iter()
        .filter(|user| user.managed)
        .map(|user| &user.id)
        .chain(user_ids.values().flatten())
        .collect();
    let matches = match_groups(&source.groups, &target.groups);
    for (group, found) in source.groups.iter().zip(&matches) {
        let members = group.members.iter().filter_map(|member| {
            Some(Member {
                external_id: member.clone(),
                id: user_ids.get(member)?.clone(),
            })
        });
        let Some(found) = found.map(|index| &target.groups[index]) else {
            plan.groups.push(GroupChange::Create {
                external_id: group.id.clone(),
                name: group.name.clone(),
                members: members.collect(),
            });
            continue;
        };
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        if let Some(present) = &found.members {
            let members: Vec<Member> = members.collect();
            let wanted: HashSet<&ResourceId> = members
                .iter()
                .filter_map(|member| member.id.as_ref())
                .collect();
            let (leaving, unmanaged): (Vec<&ResourceId>, Vec<&ResourceId>) = present
                .iter()
                .filter(|id| !wanted.contains(id))
                .partition(|id| managed.contains(id));
            remove.extend(leaving.into_iter().cloned());
            if !unmanaged.is_empty() {
                plan.notes.push(format!(
                    "group {}: kept {} that the sync does not manage",
                    group.name,
                    count(unmanaged.len(), "member")
                ));
            }
            add.extend(
                members
                    .into_iter()
                    .filter(|member| !member.id.as_ref().is_some_and(|id| present.contains(id))),
            );
        }
        let renamed_from = (found.name != group.name).then(|| found.name.clone());
        let adopts = found.external_id.as_ref() != Some(&group.id);
        if renamed_from.is_some() || adopts || !add.is_empty() || !remove.is_empty() {
            plan.groups.push(GroupChange::Update {
                id: found.id.clone(),
                external_id: group.id.clone(),
                name: group.name.clone(),
                renamed_from,
                adopts,
                add,
                remove,
                present: Transient(found.members.clone().filter(|_| adopts)),
            });
        }
    }
    let taken: HashSet<usize> = matches.into_iter().flatten().collect();
    for (index, group) in target.groups.iter().enumerate() {
        if !group.managed || taken.contains(&index) {
            continue;
        }
        let removed = RemovedPrincipal {
            id: group.id.clone(),
            external_id: group.external_id.clone(),
            name: Some(group.name.clone()),
        };
        match policy.groups {
            GroupRemoval::Delete => plan.groups.push(GroupChange::Delete(removed)),
            GroupRemoval::Keep => plan
                .notes
                .push(format!("group {removed}: not in the source, but kept")),
        }
    }
}

#[cfg(test)]
mod tests;
