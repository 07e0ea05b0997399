//! What is to be written so that the target is like the source: a pure function.

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

/// What becomes of users who are gone from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// They stay as they are.
    Keep,
    /// They stay and cannot sign in any more.
    #[default]
    Deactivate,
    /// They are deactivated, and deleted by a run that comes this much later at least.
    ///
    /// Deleting somebody takes their assignments; who comes back gets them anew. Without a memory of when they were
    /// deactivated nobody is deleted, unless the time is zero.
    Delete {
        /// How long they stay deactivated.
        after: Duration,
    },
}

/// What becomes of groups that are gone from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupRemoval {
    /// They stay as they are, members included.
    #[default]
    Keep,
    /// They are deleted, with the access they give.
    Delete,
}

/// What a plan is made by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) users: Removal,
    pub(super) groups: GroupRemoval,
    pub(super) dialect: Dialect,
}

/// What is known of the target: read from it, or remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TargetSnapshot {
    pub(super) users: Vec<TargetUser>,
    pub(super) groups: Vec<TargetGroup>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetUser {
    pub(super) id: ResourceId,
    pub(super) external_id: Option<ExternalId>,
    /// Of a [`UserProfile`].
    pub(super) digest: String,
    pub(super) active: bool,
    /// It was made by this sync, or has an id that the source gave: it may be removed.
    pub(super) managed: bool,
    pub(super) inactive_since: Option<Timestamp>,
    /// Whose it is remembered to be, where somebody has taken the id of the source off it.
    pub(super) remembered: Option<ExternalId>,
    /// The user as the target has it, if it was read.
    pub(super) read: Option<Box<scim_types::User>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetGroup {
    pub(super) id: ResourceId,
    pub(super) external_id: Option<ExternalId>,
    pub(super) name: String,
    pub(super) managed: bool,
    /// Who is in it, if that is known.
    pub(super) members: Option<BTreeSet<ResourceId>>,
}

impl TargetUser {
    fn name(&self) -> Option<&str> {
        self.read.as_ref()?.user_name.as_deref()
    }

    fn to_removed(&self) -> RemovedPrincipal {
        RemovedPrincipal {
            id: self.id.clone(),
            external_id: self.external_id.clone(),
            name: self.name().map(ToOwned::to_owned),
        }
    }
}

/// For each group of the source, which group of the target it is.
pub(super) fn match_groups(source: &[Group], known: &[TargetGroup]) -> Vec<Option<usize>> {
    let by_id = by_external_id(known.iter().map(|group| group.external_id.as_ref()));
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (place, group) in known.iter().enumerate() {
        by_name.entry(&group.name).or_insert(place);
    }
    resolve(
        source
            .iter()
            .map(|group| (&group.id, by_name.get(group.name.as_str()).copied())),
        &by_id,
    )
}

/// For each user of the source, which user of the target it is.
pub(super) fn match_users(source: &[User], known: &[TargetUser]) -> Vec<Option<usize>> {
    let by_id = by_external_id(
        known
            .iter()
            .map(|user| user.external_id.as_ref().or(user.remembered.as_ref())),
    );
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (place, user) in known.iter().enumerate() {
        if let Some(name) = user.name() {
            by_name.entry(name.to_lowercase()).or_insert(place);
        }
    }
    resolve(
        source.iter().map(|user| {
            let name = user.profile.user_name.to_lowercase();
            (&user.id, by_name.get(&name).copied())
        }),
        &by_id,
    )
}

fn by_external_id<'a>(
    ids: impl Iterator<Item = Option<&'a ExternalId>>,
) -> HashMap<&'a ExternalId, usize> {
    let ids = ids.enumerate();
    ids.filter_map(|(place, id)| Some((id?, place))).collect()
}

/// By the id of the source first; by name only what no other of the source has the id of.
fn resolve<'a>(
    wanted: impl Iterator<Item = (&'a ExternalId, Option<usize>)> + Clone,
    by_id: &HashMap<&ExternalId, usize>,
) -> Vec<Option<usize>> {
    let mut taken: HashSet<usize> = wanted
        .clone()
        .filter_map(|(id, _)| by_id.get(id).copied())
        .collect();
    wanted
        .map(|(id, named)| {
            by_id
                .get(id)
                .copied()
                .or_else(|| named.filter(|place| taken.insert(*place)))
        })
        .collect()
}

/// What is to be written so that the target is like the source.
pub(super) fn plan(
    source: &Directory,
    known: &TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    serial: u64,
) -> SyncPlan {
    let mut plan = SyncPlan {
        version: SyncPlan::VERSION,
        made_at: now,
        serial,
        totals: totals(source, known),
        users: Vec::new(),
        groups: Vec::new(),
        skipped: Vec::new(),
        notes: source.remarks.clone(),
        next_state: Transient::default(),
        missing_users: Transient::default(),
    };
    let there = plan_users(source, known, policy, now, &mut plan);
    plan_groups(source, known, policy, &there, &mut plan);
    plan
}

fn totals(source: &Directory, known: &TargetSnapshot) -> Totals {
    let ids: HashSet<&ExternalId> = source.users.iter().map(|user| &user.id).collect();
    let managed = || {
        known
            .users
            .iter()
            .filter(|user| user.managed && user.active)
    };
    let groups = || known.groups.iter().filter(|group| group.managed);
    Totals {
        source_active: source
            .users
            .iter()
            .filter(|user| user.profile.active)
            .count(),
        source_groups: source.groups.len(),
        managed_users: managed().count(),
        managed_groups: groups().count(),
        memberships: groups()
            .filter_map(|group| group.members.as_ref())
            .map(BTreeSet::len)
            .sum(),
        missing_users_count: managed()
            .filter(|user| {
                let known = |id| ids.contains(id);
                !user.external_id.as_ref().is_some_and(known)
            })
            .count(),
    }
}

/// Plans the users, and returns who will be there to be a member: with an id, or to be created.
fn plan_users<'a>(
    source: &'a Directory,
    known: &TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    plan: &mut SyncPlan,
) -> HashMap<&'a ExternalId, Option<ResourceId>> {
    let matches = match_users(&source.users, &known.users);
    let mut there = HashMap::with_capacity(source.users.len());
    let mut removals = Vec::new();
    for (user, found) in source.users.iter().zip(&matches) {
        let found = found.map(|place| &known.users[place]);
        if let Some(found) = found {
            there.insert(&user.id, Some(found.id.clone()));
        }
        if !user.profile.active && found.is_none() {
            continue;
        }
        let fitted = if user.problems.is_empty() {
            user.profile.fitted(&user.id, policy.dialect)
        } else {
            Err(user.problems.clone())
        };
        let profile = match (fitted, found) {
            (Ok((profile, remarks)), _) => {
                let name = &user.profile.user_name;
                plan.notes
                    .extend(remarks.iter().map(|remark| format!("{name}: {remark}")));
                profile
            }
            // Whatever else is wrong with them, they may not sign in any more.
            (Err(_), Some(found)) if !user.profile.active && found.active => {
                removals.push(UserChange::Deactivate(found.to_removed()));
                continue;
            }
            (Err(problems), _) => {
                plan.skipped.push(Skipped {
                    name: user.profile.user_name.clone(),
                    why: problems.join("; "),
                });
                continue;
            }
        };
        let Some(found) = found else {
            there.insert(&user.id, None);
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
            before: found.read.as_deref().map(UserProfile::of),
            profile,
            adopts,
            deactivates,
            base: Transient(found.read.clone()),
        };
        if deactivates {
            removals.push(change);
        } else {
            plan.users.push(change);
        }
    }
    let taken: HashSet<usize> = matches.into_iter().flatten().collect();
    let left: Vec<&TargetUser> = known
        .users
        .iter()
        .enumerate()
        .filter(|(place, user)| user.managed && !taken.contains(place))
        .map(|(_, user)| user)
        .collect();
    let lost = left.iter().map(|user| user.id.clone()).collect();
    plan.missing_users = Transient(Some(Arc::new(lost)));
    for user in left {
        match gone_user(user, policy.users, now) {
            Ok(change) => removals.extend(change),
            Err(why) => plan
                .notes
                .push(format!("user {}: {why}", user.to_removed())),
        }
    }
    plan.users.extend(removals);
    there
}

/// What becomes of a user who is gone, or why nothing does.
fn gone_user(
    user: &TargetUser,
    removal: Removal,
    now: Timestamp,
) -> Result<Option<UserChange>, &'static str> {
    let after = match (removal, user.active) {
        (Removal::Keep, true) => return Err("gone from the source, and kept"),
        (Removal::Keep | Removal::Deactivate, false) => return Ok(None),
        (Removal::Deactivate | Removal::Delete { .. }, true) => {
            return Ok(Some(UserChange::Deactivate(user.to_removed())));
        }
        (Removal::Delete { after }, false) => after,
    };
    let due = match user.inactive_since {
        None if after.is_zero() => true,
        None => return Err("deactivated nobody knows when, and kept"),
        Some(since) => {
            let waited = now.duration_since(since);
            waited >= jiff::SignedDuration::try_from(after).unwrap_or(jiff::SignedDuration::MAX)
        }
    };
    Ok(due.then(|| UserChange::Delete(user.to_removed())))
}

fn plan_groups(
    source: &Directory,
    known: &TargetSnapshot,
    policy: Policy,
    there: &HashMap<&ExternalId, Option<ResourceId>>,
    plan: &mut SyncPlan,
) {
    let managed: HashSet<&ResourceId> = known
        .users
        .iter()
        .filter(|user| user.managed)
        .map(|user| &user.id)
        .chain(there.values().flatten())
        .collect();
    let matches = match_groups(&source.groups, &known.groups);
    for (group, found) in source.groups.iter().zip(&matches) {
        let members = group.members.iter().filter_map(|member| {
            Some(Member {
                external_id: member.clone(),
                id: there.get(member)?.clone(),
            })
        });
        let Some(found) = found.map(|place| &known.groups[place]) else {
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
            let (away, foreign): (Vec<&ResourceId>, Vec<&ResourceId>) = present
                .iter()
                .filter(|id| !wanted.contains(id))
                .partition(|id| managed.contains(id));
            remove.extend(away.into_iter().cloned());
            if !foreign.is_empty() {
                plan.notes.push(format!(
                    "group {}: {} members whom somebody else has made are kept",
                    group.name,
                    foreign.len()
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
    for (place, group) in known.groups.iter().enumerate() {
        if !group.managed || taken.contains(&place) {
            continue;
        }
        let gone = RemovedPrincipal {
            id: group.id.clone(),
            external_id: group.external_id.clone(),
            name: Some(group.name.clone()),
        };
        match policy.groups {
            GroupRemoval::Delete => plan.groups.push(GroupChange::Delete(gone)),
            GroupRemoval::Keep => plan
                .notes
                .push(format!("group {gone}: gone from the source, and kept")),
        }
    }
}

#[cfg(test)]
mod tests;
