//! Computes the plan from the source and the target snapshot, without I/O.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use scim_client::Dialect;
use scim_types::{ExternalId, ResourceId};

use super::{
    directory::{Directory, Group, User},
    plan::{
        GroupChange, Member, RemovedMember, RemovedPrincipal, Skipped, SyncPlan, Totals,
        UserChange, Why,
    },
    profile::UserProfile,
    records::Usable,
    snapshot::{TargetGroup, TargetSnapshot, TargetUser, match_groups, match_users},
};
use crate::{plan::count, text::abbreviated, user_attribute::Attribute};

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
#[non_exhaustive]
pub enum GroupRemoval {
    /// Keeps the groups with their members.
    #[default]
    Keep,
    /// Deletes the groups. The access that they grant is lost.
    ///
    /// A group that the sync has adopted, or that has members that it does not manage, is kept, and loses only the members that
    /// the sync manages.
    Delete,
}

/// The settings of the planner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) users: Removal,
    pub(super) groups: GroupRemoval,
    pub(super) dialect: Dialect,
}

/// Returns the plan that changes the target to match the source.
///
/// The users of the target take over the attributes that the source has too.
pub(super) fn plan(
    usable: &Usable,
    target: &mut TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    serial: u64,
) -> SyncPlan {
    let source = &usable.directory;
    let mut plan = SyncPlan {
        version: SyncPlan::VERSION,
        made_at: now,
        serial,
        members_of_adopted: BTreeMap::new(),
        hazards: Vec::new(),
        totals: totals(source, target),
        users: Vec::new(),
        groups: Vec::new(),
        skipped: Vec::new(),
        unread: unread_items(source, target),
        kept: Vec::new(),
        notes: source.remarks.clone(),
        token: None,
    };
    let is_incomplete = !plan.unread.is_empty();
    let user_ids = plan_users(usable, target, policy, now, &mut plan);
    plan_groups(usable, target, policy, &user_ids, &mut plan);
    if is_incomplete {
        plan.keep_removals("removals deferred to a run that can read everything");
    }
    plan
}

/// Describes the items that could not be read.
fn unread_items(source: &Directory, target: &TargetSnapshot) -> Vec<String> {
    let from_source = source.incomplete.iter().map(|item| ("source", item));
    let from_target = target.unread_users.iter().chain(&target.unread_groups);
    let unread = from_source.chain(from_target.map(|item| ("target", item)));
    unread
        .map(|(side, item)| format!("not read from the {side}: {item}"))
        .collect()
}

/// The reason why a user or group of the source is not created while the list of the target is incomplete.
const MAY_EXIST: &str = "the target could not be read completely, so it may have it already";

/// The reason why an account with the name of a source user is not adopted while the source is incomplete.
const MAY_BELONG_TO_ANOTHER: &str = "the target has the name already, under the id of an item that could not be read from the source";

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
                !user.owner().is_some_and(in_source)
            })
            .count(),
    }
}

/// Leaves out a user.
fn skip(plan: &mut SyncPlan, user: &User, reason: String) {
    plan.skipped.push(Skipped {
        external_id: user.id.clone(),
        name: user.profile.user_name.clone(),
        since: None,
        days: 0,
        reason,
    });
}

/// Plans the changes of users.
///
/// Returns the source users that will exist in the target and can be group members. The value is the user's target id,
/// or `None` if the run creates the user.
fn plan_users<'a>(
    usable: &'a Usable,
    target: &mut TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    plan: &mut SyncPlan,
) -> HashMap<&'a ExternalId, Option<ResourceId>> {
    let source = &usable.directory;
    let matches = match_users(&source.users, &target.users);
    let mut user_ids = HashMap::with_capacity(source.users.len());
    let mut removals = Vec::new();
    let mut unowned: BTreeMap<Attribute, Vec<String>> = BTreeMap::new();
    let may_exist = (!target.unread_users.is_empty()).then_some(MAY_EXIST);
    target.own_unmatched(&matches);
    for (user, found) in source.users.iter().zip(&matches) {
        let mut found = found.map(|index| &mut target.users[index]);
        if !user.profile.active && found.is_none() {
            continue;
        }
        let uncertain = match &found {
            None => may_exist,
            Some(found) => may_belong_to_another(source, &user.id, found.owner(), found.managed),
        };
        if let Some(reason) = uncertain {
            if let Some(found) = &mut found {
                found.own(None);
            }
            skip(plan, user, reason.to_owned());
            continue;
        }
        if let Some(found) = &found {
            user_ids.insert(&user.id, Some(found.id.clone()));
        }
        let adapted = if user.problems.is_empty() {
            user.profile.adapt_to_dialect(&user.id, policy.dialect)
        } else {
            Err(user.problems.clone())
        };
        if let Some(found) = &mut found {
            found.own(adapted.as_ref().ok().map(|(profile, _)| profile));
        }
        let found = found.as_deref();
        let profile = match (adapted, found) {
            (Ok((profile, remarks)), _) => {
                let name = &user.profile.user_name;
                plan.notes
                    .extend(remarks.iter().map(|remark| format!("{name}: {remark}")));
                profile
            }
            // A user that is inactive in the source is deactivated even if the profile has problems.
            (Err(problems), Some(found)) if !user.profile.active && found.active => {
                let mut removed = found.to_removed(Why::ProfileRefused { problems });
                let name = Some(&user.profile.user_name).filter(|name| !name.is_empty());
                removed.name = removed.name.or_else(|| name.cloned());
                removals.push(UserChange::Deactivate(removed));
                continue;
            }
            (Err(mut problems), found) => {
                problems.extend(found.and_then(|found| old_name(found, &user.profile)));
                skip(plan, user, problems.join("; "));
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
        for attribute in found.unowned(&profile) {
            let names = unowned.entry(attribute).or_default();
            names.push(profile.user_name.clone());
        }
        let adopts = found.external_id.as_ref() != Some(&user.id);
        if !adopts && found.digest == profile.digest() {
            continue;
        }
        let deactivates = found.active && !profile.active;
        let change = UserChange::Update {
            id: found.id.clone(),
            external_id: user.id.clone(),
            before: found.profile().map(Box::new),
            removes: profile.lacks(&found.owned),
            profile,
            adopts,
            deactivates,
        };
        if deactivates {
            removals.push(change);
        } else {
            plan.users.push(change);
        }
    }
    note_unowned(unowned, plan);
    removals.extend(plan_missing_users(
        usable, target, &matches, policy, now, plan,
    ));
    plan.users.extend(removals);
    user_ids
}

/// Adds a note for each attribute that the sync does not own, with the names of its users.
fn note_unowned(unowned: BTreeMap<Attribute, Vec<String>>, plan: &mut SyncPlan) {
    plan.notes.extend(unowned.into_iter().map(|(attribute, names)| {
        let users = count(names.len(), "user");
        let names = abbreviated(&names, MAX_NAMED);
        format!(
            "{attribute} of {users} is kept: the source does not have it, and the sync has not written it: {names}"
        )
    }));
}

/// Plans the removal of the managed users that the source does not have.
fn plan_missing_users(
    usable: &Usable,
    target: &TargetSnapshot,
    matches: &[Option<usize>],
    policy: Policy,
    now: Timestamp,
    plan: &mut SyncPlan,
) -> Vec<UserChange> {
    let mut removals = Vec::new();
    for user in target.missing_users(matches) {
        match plan_user_removal(user, policy.users, now) {
            Ok(Some(change)) if usable.protects(user) => {
                plan.keep(
                    format!("kept, because {CONTRADICTION}"),
                    vec![change],
                    Vec::new(),
                );
            }
            Ok(change) => removals.extend(change),
            Err(note) => plan
                .notes
                .push(format!("user {}: {note}", user.to_removed(Why::Missing))),
        }
    }
    removals
}

/// Returns what it means that the user has another user name in the target, and that it stays: the identity provider sends the
/// new name.
fn old_name(found: &TargetUser, profile: &UserProfile) -> Option<String> {
    let is_renamed = match found.name() {
        Some(name) => name != profile.user_name,
        None => found.keys.user_name != profile.keys().user_name,
    };
    let is_renamed = is_renamed && profile.active && found.keys.user_name.is_some();
    is_renamed.then(|| no_sign_in(found.name(), &profile.user_name))
}

/// Returns why a user whose rename is not written cannot sign in.
pub(super) fn no_sign_in(before: Option<&str>, name: &str) -> String {
    let before = before.map_or_else(
        || "another user name".to_owned(),
        |name| format!("the user name `{name}`"),
    );
    format!(
        "the account keeps {before} in the target, so a sign-in as `{name}` (NameID) fails until the rename is written"
    )
}

/// Returns why a user or group of the target that was found by name is not adopted: its id may belong to an item of the
/// source that could not be read.
fn may_belong_to_another(
    source: &Directory,
    id: &ExternalId,
    owner: Option<&ExternalId>,
    managed: bool,
) -> Option<&'static str> {
    let uncertain = managed && owner != Some(id) && !source.incomplete.is_empty();
    uncertain.then_some(MAY_BELONG_TO_ANOTHER)
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
            return Ok(Some(UserChange::Deactivate(user.to_removed(Why::Missing))));
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
    Ok(due.then(|| UserChange::Delete(user.to_removed(Why::Missing))))
}

/// Plans the changes of groups. `user_ids` is the result of [`plan_users`].
fn plan_groups(
    usable: &Usable,
    target: &TargetSnapshot,
    policy: Policy,
    user_ids: &HashMap<&ExternalId, Option<ResourceId>>,
    plan: &mut SyncPlan,
) {
    let source = &usable.directory;
    let people = People::new(usable, target, user_ids);
    let matches = match_groups(&source.groups, &target.groups);
    for (group, found) in source.groups.iter().zip(&matches) {
        let found = found.map(|index| &target.groups[index]);
        let uncertain = match found {
            None => (!target.unread_groups.is_empty()).then_some(MAY_EXIST),
            Some(found) => may_belong_to_another(source, &group.id, found.owner(), found.managed),
        };
        let left_out = usable.left_out_groups.get(&group.id).map(String::as_str);
        let rules = &policy.dialect.rules().groups;
        let refused_name = rules.check("displayName", &group.name);
        // A group that the target has keeps its name, because its members must be able to leave it.
        let refused = rules
            .check("externalId", group.id.as_str())
            .or_else(|| refused_name.clone().filter(|_| found.is_none()))
            .map(|violation| violation.to_string());
        if let Some(reason) = uncertain.or(left_out).or(refused.as_deref()) {
            plan.notes
                .push(format!("group {} is skipped: {reason}", group.name));
            if let Some(found) = found {
                people.keep_leaving(group, found, plan);
            }
            continue;
        }
        people.note_skipped(group, plan);
        let Some(found) = found else {
            plan.groups.push(GroupChange::Create {
                external_id: group.id.clone(),
                name: group.name.clone(),
                members: people.members(group),
            });
            continue;
        };
        let adopts = found.external_id.as_ref() != Some(&group.id);
        let name = match refused_name {
            Some(violation) => {
                let (new, old) = (&group.name, &found.name);
                plan.notes
                    .push(format!("group {new} keeps the name {old}: {violation}"));
                old
            }
            None => &group.name,
        };
        let (add, remove) = match &found.members {
            Some(present) => people.differences(group, found, name, present, plan),
            None => (Vec::new(), Vec::new()),
        };
        let renamed_from = (found.name != *name).then(|| found.name.clone());
        if renamed_from.is_some() || adopts || !add.is_empty() || !remove.is_empty() {
            plan.groups.push(GroupChange::Update {
                id: found.id.clone(),
                external_id: group.id.clone(),
                name: name.clone(),
                renamed_from,
                adopts,
                add,
                remove,
            });
        }
    }
    let taken: HashSet<usize> = matches.into_iter().flatten().collect();
    plan_group_removals(&people, policy, &taken, plan);
}

/// Plans the removal of managed groups that the source does not have. `taken` has the indexes of the others.
///
/// A group that the sync has adopted, or that has members of others, is not deleted. It loses the members that the sync
/// manages.
fn plan_group_removals(
    people: &People<'_>,
    policy: Policy,
    taken: &HashSet<usize>,
    plan: &mut SyncPlan,
) {
    let (usable, target) = (people.usable, people.target);
    for (index, group) in target.groups.iter().enumerate() {
        let protected = group
            .owner()
            .is_some_and(|id| usable.protected_groups.contains(id))
            || usable
                .protected_group_names
                .contains(&group.name.to_lowercase());
        if !group.managed || taken.contains(&index) {
            continue;
        }
        let removed = RemovedPrincipal {
            id: group.id.clone(),
            external_id: group.owner().cloned(),
            name: Some(group.name.clone()),
            why: Why::Missing,
            adopted: group.adopted,
        };
        let adopted = { group.adopted }.then(|| "it existed before the sync adopted it".to_owned());
        let others = (!group.other_members.is_empty()).then(|| {
            let others = count(group.other_members.len(), "member");
            let names = abbreviated(&group.other_members, MAX_NAMED);
            format!("it has {others} that the sync does not manage: {names}")
        });
        let reasons: Vec<String> = adopted.into_iter().chain(others).collect();
        if protected {
            // The members that leave the group are unknown. Other removals do not wait for it.
            plan.unread.push(format!(
                "group {removed}: {CONTRADICTION}, so it keeps its members"
            ));
            continue;
        }
        match policy.groups {
            GroupRemoval::Delete if !reasons.is_empty() => {
                plan.notes.push(format!(
                    "group {removed}: not in the source, but not deleted, because {}",
                    reasons.join(", and ")
                ));
                let members = group.members.iter().flatten();
                let managed = members.filter(|id| people.managed.contains(id));
                let remove: Vec<RemovedMember> = managed.map(|id| people.removed(id)).collect();
                if let (Some(external_id), false) = (group.owner(), remove.is_empty()) {
                    let change = member_removal(group, external_id, &group.name, remove);
                    plan.groups.push(change);
                }
            }
            GroupRemoval::Delete => plan.groups.push(GroupChange::Delete(removed)),
            GroupRemoval::Keep => plan
                .notes
                .push(format!("group {removed}: not in the source, but kept")),
        }
    }
}

/// Returns the change that removes members from a group of the target.
fn member_removal(
    group: &TargetGroup,
    external_id: &ExternalId,
    name: &str,
    remove: Vec<RemovedMember>,
) -> GroupChange {
    GroupChange::Update {
        id: group.id.clone(),
        external_id: external_id.clone(),
        name: name.to_owned(),
        renamed_from: None,
        adopts: false,
        add: Vec::new(),
        remove,
    }
}

/// The users of source and target, for the members of groups.
struct People<'a> {
    usable: &'a Usable,
    target: &'a TargetSnapshot,
    /// The result of [`plan_users`].
    user_ids: &'a HashMap<&'a ExternalId, Option<ResourceId>>,
    users: HashMap<&'a ExternalId, &'a User>,
    accounts: HashMap<&'a ResourceId, &'a TargetUser>,
    owners: HashMap<&'a ResourceId, &'a ExternalId>,
    managed: HashSet<&'a ResourceId>,
    /// The managed users whose records in the source contradict each other.
    protected: HashSet<&'a ResourceId>,
}

impl<'a> People<'a> {
    fn new(
        usable: &'a Usable,
        target: &'a TargetSnapshot,
        user_ids: &'a HashMap<&'a ExternalId, Option<ResourceId>>,
    ) -> Self {
        let users = usable.directory.users.iter();
        let accounts = target.users.iter();
        let (protected, managed): (Vec<&TargetUser>, Vec<&TargetUser>) = accounts
            .clone()
            .filter(|user| user.managed)
            .partition(|user| usable.protects(user));
        let managed = managed.into_iter().map(|user| &user.id);
        let owners = user_ids.iter();
        Self {
            usable,
            target,
            user_ids,
            users: users.map(|user| (&user.id, user)).collect(),
            accounts: accounts.map(|user| (&user.id, user)).collect(),
            owners: owners
                .filter_map(|(external_id, id)| Some((id.as_ref()?, *external_id)))
                .collect(),
            managed: managed.chain(user_ids.values().flatten()).collect(),
            protected: protected.into_iter().map(|user| &user.id).collect(),
        }
    }

    /// Returns the members of a group that exist in the target or are created.
    fn members(&self, group: &Group) -> Vec<Member> {
        let members = group.members.iter().filter_map(|member| {
            Some(Member {
                external_id: member.clone(),
                name: self.users.get(member)?.profile.user_name.clone(),
                id: self.user_ids.get(member)?.clone(),
            })
        });
        members.collect()
    }

    /// Returns the members to add to a group and those to remove from it. `present` has its members in the target.
    fn differences(
        &self,
        group: &Group,
        found: &TargetGroup,
        name: &str,
        present: &BTreeSet<ResourceId>,
        plan: &mut SyncPlan,
    ) -> (Vec<Member>, Vec<RemovedMember>) {
        let adopts = found.owner() != Some(&group.id);
        let mut remove = Vec::new();
        let members = self.members(group);
        let wanted: HashSet<&ResourceId> = members
            .iter()
            .filter_map(|member| member.id.as_ref())
            .collect();
        let (leaving, unmanaged): (Vec<&ResourceId>, Vec<&ResourceId>) = present
            .iter()
            .filter(|id| !wanted.contains(id))
            .partition(|id| self.managed.contains(id));
        // An adopted group loses no member in this run: the next plan names its removals.
        if adopts && !(leaving.is_empty() && unmanaged.is_empty()) {
            let kept = leaving.iter().chain(&unmanaged).map(|id| (*id).clone());
            plan.members_of_adopted
                .insert(group.name.clone(), kept.collect());
        }
        if self.usable.open_groups.contains(&group.id) && !leaving.is_empty() {
            let reason = "kept, because a group in the group contradicts itself in the source";
            let kept = leaving.into_iter().map(|id| self.removed(id)).collect();
            let kept = member_removal(found, &group.id, name, kept);
            plan.keep(reason, Vec::new(), vec![kept]);
        } else if !adopts {
            remove.extend(leaving.into_iter().map(|id| self.removed(id)));
        }
        let (protected, unmanaged): (Vec<&ResourceId>, Vec<&ResourceId>) = unmanaged
            .into_iter()
            .partition(|id| self.protected.contains(id));
        if !protected.is_empty() {
            let kept = protected.into_iter().map(|id| self.removed(id)).collect();
            let kept = member_removal(found, &group.id, name, kept);
            let reason = format!("kept, because {CONTRADICTION}");
            plan.keep(reason, Vec::new(), vec![kept]);
        }
        // An unread user is unknown here, but the sync may manage it.
        if !unmanaged.is_empty() && self.target.unread_users.is_empty() {
            plan.notes.push(format!(
                "group {}: kept {} that the sync does not manage",
                group.name,
                count(unmanaged.len(), "member")
            ));
        }
        let add = members.into_iter();
        let add = add.filter(|member| !member.id.as_ref().is_some_and(|id| present.contains(id)));
        (add.collect(), remove)
    }

    /// Keeps the members that leave a group that the plan skips.
    fn keep_leaving(&self, group: &Group, found: &TargetGroup, plan: &mut SyncPlan) {
        let wanted = group.members.iter();
        let wanted: HashSet<&ResourceId> = wanted
            .filter_map(|member| self.user_ids.get(member)?.as_ref())
            .collect();
        let leaving = found.members.iter().flatten();
        let leaving = leaving.filter(|id| self.managed.contains(id) && !wanted.contains(id));
        let leaving: Vec<RemovedMember> = leaving.map(|id| self.removed(id)).collect();
        if found.owner() == Some(&group.id) && !leaving.is_empty() {
            let kept = member_removal(found, &group.id, &group.name, leaving);
            plan.keep("kept, because the group is skipped", Vec::new(), vec![kept]);
        }
    }

    /// Names a member that leaves a group, and says why.
    fn removed(&self, id: &ResourceId) -> RemovedMember {
        let account = self.accounts.get(id);
        let owner = self.owners.get(id).copied();
        let external_id = owner.or_else(|| account.and_then(|user| user.owner()));
        let user = external_id.and_then(|id| self.users.get(id));
        let name = user.map(|user| user.profile.user_name.as_str());
        let name = name.filter(|name| !name.is_empty());
        RemovedMember {
            id: id.clone(),
            external_id: external_id.cloned(),
            name: name
                .or_else(|| account.and_then(|user| user.name()))
                .map(ToOwned::to_owned),
            why: match user {
                None => Why::Missing,
                Some(user) if !user.profile.active => Why::Inactive,
                Some(_) => Why::NotMember,
            },
        }
    }

    /// Adds a note that names the members of a group that are skipped and have no account yet.
    fn note_skipped(&self, group: &Group, plan: &mut SyncPlan) {
        let members = group.members.iter().filter_map(|id| self.users.get(id));
        let skipped: Vec<String> = members
            .filter(|user| user.profile.active && !self.user_ids.contains_key(&user.id))
            .map(|user| user.profile.user_name.clone())
            .collect();
        if !skipped.is_empty() {
            plan.notes.push(format!(
                "group {}: not added, because skipped: {}",
                group.name,
                abbreviated(&skipped, MAX_NAMED)
            ));
        }
    }
}

impl Usable {
    /// Returns whether the user of the target may belong to records that contradict each other.
    fn protects(&self, user: &TargetUser) -> bool {
        let by_id = user
            .owner()
            .is_some_and(|id| self.protected_users.contains(id));
        let by_name = |key: &String| self.protected_names.contains(key);
        by_id || user.keys.user_name.as_ref().is_some_and(by_name)
    }
}

/// The reason why a removal is not made.
const CONTRADICTION: &str = "the records in the source contradict each other";

/// Maximum number of members in one note.
const MAX_NAMED: usize = 20;

#[cfg(test)]
mod tests;
