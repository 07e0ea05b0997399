//! The changes of a sync plan as changes of a pipeline plan: one for each user, each group and each membership.

use std::collections::{HashMap, HashSet};

use scim_types::{ExternalId, ResourceId};

use crate::{
    plan::{Action, Change, Name, Note, Subject, Value},
    sync::{Directory, GroupChange, Member, RemovedMember, RemovedPrincipal, SyncPlan, UserChange},
};

/// The names of the users, by their ids in the source and in the target.
#[derive(Default)]
pub(super) struct UserNames {
    pub(super) logins: HashMap<ExternalId, Name>,
    /// The reason why a user loses access, if it is known.
    pub(super) reasons: HashMap<ExternalId, String>,
    pub(super) external_ids: HashMap<ResourceId, ExternalId>,
    /// The names in AWS of users that the sync does not manage.
    pub(super) unmanaged: HashMap<ResourceId, Name>,
}

impl UserNames {
    pub(super) fn user(&self, id: &ExternalId, fallback: &str) -> Name {
        let known = self.logins.get(id).cloned();
        known.unwrap_or_else(|| fallback.into())
    }

    fn removed(&self, removed: &RemovedPrincipal) -> Name {
        match &removed.external_id {
            Some(id) => self.user(id, id.as_str()),
            None => removed
                .name
                .as_deref()
                .unwrap_or(removed.id.as_str())
                .into(),
        }
    }

    fn member(&self, member: &Member) -> Name {
        self.user(&member.external_id, member.external_id.as_str())
    }

    pub(super) fn member_id(&self, id: &ResourceId) -> Name {
        if let Some(external_id) = self.external_ids.get(id) {
            return self.user(external_id, external_id.as_str());
        }
        let known = self.unmanaged.get(id).cloned();
        known.unwrap_or_else(|| id.as_str().into())
    }

    fn removal(&self, action: &'static str, id: Option<&ExternalId>, change: Change) -> Change {
        let change = match action {
            "delete" => change.field("exists", known("yes"), Value::Absent),
            _ => change.from_to("active", Some("true".to_owned()), "false"),
        };
        match id.and_then(|id| self.reasons.get(id)) {
            Some(reason) => change.because(Note::new("left-scope", reason)),
            None => change,
        }
    }
}

fn known(value: &str) -> Value {
    Value::Known(value.to_owned())
}

/// A change of the pipeline, and the write of the sync that makes it.
pub(super) struct SyncChange {
    pub(super) change: Change,
    /// The description of the write, such as `update group deployers`.
    pub(super) write: String,
}

/// Returns the changes of a sync plan. Users come before groups, and groups before their members.
pub(super) fn changes(plan: &SyncPlan, names: &UserNames) -> Vec<SyncChange> {
    let mut changes = Vec::new();
    for user in &plan.users {
        let write = user.description();
        let change = user_change(user, names);
        changes.push(SyncChange { change, write });
    }
    for group in &plan.groups {
        let write = group.description();
        changes.extend(group_changes(group, names).map(|change| SyncChange {
            change,
            write: write.clone(),
        }));
    }
    changes
}

fn user_change(change: &UserChange, names: &UserNames) -> Change {
    let of = |action, name: Name| Change::new(action, Subject::user(name));
    match change {
        UserChange::Create {
            external_id,
            profile,
        } => of(Action::Create, names.user(external_id, &profile.user_name))
            .with("userName", &profile.user_name),
        UserChange::Update {
            external_id,
            profile,
            before,
            adopts,
            deactivates,
            ..
        } => {
            let name = names.user(external_id, &profile.user_name);
            if *deactivates {
                let change = of(Action::Remove, name);
                return names.removal("deactivate", Some(external_id), change);
            }
            let action = if *adopts {
                Action::Adopt
            } else {
                Action::Update
            };
            let change = of(action, name);
            let change = match before {
                Some(before) if before.user_name != profile.user_name => change.from_to(
                    "userName",
                    Some(before.user_name.clone()),
                    &profile.user_name,
                ),
                _ => change,
            };
            if *adopts {
                change.with("externalId", external_id.as_str())
            } else {
                change
            }
        }
        UserChange::Deactivate(removed) => {
            let change = of(Action::Remove, names.removed(removed));
            names.removal("deactivate", removed.external_id.as_ref(), change)
        }
        UserChange::Delete(removed) => {
            let change = of(Action::Remove, names.removed(removed));
            names.removal("delete", removed.external_id.as_ref(), change)
        }
    }
}

fn group_changes<'a>(
    change: &'a GroupChange,
    names: &'a UserNames,
) -> impl Iterator<Item = Change> + 'a {
    let group: Name = match change {
        GroupChange::Create { name, .. } | GroupChange::Update { name, .. } => name.into(),
        GroupChange::Delete(removed) => {
            let fallback = || removed.id.as_str();
            removed.name.as_deref().unwrap_or_else(fallback).into()
        }
    };
    let of = |action| Change::new(action, Subject::group(group.clone()));
    let (own, add, remove): (Option<Change>, &[Member], &[RemovedMember]) = match change {
        GroupChange::Create { members, .. } => (Some(of(Action::Create)), members, &[]),
        GroupChange::Update {
            external_id,
            renamed_from,
            adopts,
            add,
            remove,
            name,
            ..
        } => {
            let mut own = of(if *adopts {
                Action::Adopt
            } else {
                Action::Update
            });
            if let Some(before) = renamed_from {
                own = own.from_to("displayName", Some(before.clone()), name);
            }
            if *adopts {
                own = own.with("externalId", external_id.as_str());
            }
            let own = (!own.fields.is_empty()).then_some(own);
            (own, add, remove)
        }
        GroupChange::Delete(_) => {
            let change = of(Action::Remove).field("exists", known("yes"), Value::Absent);
            (Some(change), &[], &[])
        }
    };
    let membership =
        move |action, user| Change::new(action, Subject::membership(group.clone(), user));
    let removal = membership.clone();
    own.into_iter()
        .chain(
            add.iter()
                .map(move |member| membership(Action::Create, names.member(member))),
        )
        .chain(remove.iter().map(move |RemovedMember { id, .. }| {
            let change = removal(Action::Remove, names.member_id(id));
            let reason = names
                .external_ids
                .get(id)
                .and_then(|id| names.reasons.get(id));
            match reason {
                Some(reason) => change.because(Note::new("left-scope", reason)),
                None => change,
            }
        }))
}

/// Returns the changes for a target that cannot be read yet: everything is planned as if nothing were there. Removals are
/// never planned like this.
pub(super) fn changes_for_unknown_target(directory: &Directory, names: &UserNames) -> Vec<Change> {
    let mut changes = Vec::new();
    let active: HashMap<&ExternalId, Name> = directory
        .users
        .iter()
        .filter(|user| user.profile.active && user.problems.is_empty())
        .map(|user| (&user.id, names.user(&user.id, &user.profile.user_name)))
        .collect();
    for user in &directory.users {
        if let Some(name) = active.get(&user.id) {
            let change = Change::new(Action::Create, Subject::user(name.clone()));
            changes.push(change.with("userName", &user.profile.user_name));
        }
    }
    for group in &directory.groups {
        let name: Name = (&group.name).into();
        let subject = Subject::group(name.clone());
        changes.push(Change::new(Action::Create, subject));
        for user in group.members.iter().filter_map(|id| active.get(id)) {
            let subject = Subject::membership(name.clone(), user.clone());
            changes.push(Change::new(Action::Create, subject));
        }
    }
    changes
}

/// Drops from a sync plan whatever was not approved.
///
/// A removal needs the approval of exactly this removal. A user or group that was approved to be created may turn out to
/// exist, and is then updated or adopted.
pub(super) fn retain_approved(
    plan: &mut SyncPlan,
    names: &UserNames,
    approved: &HashSet<(bool, Subject)>,
) {
    let is_approved = |change: &Change| {
        approved.contains(&(change.action == Action::Remove, change.subject.clone()))
    };
    plan.users
        .retain(|user| is_approved(&user_change(user, names)));
    plan.groups.retain_mut(|group| {
        let kept: HashSet<(bool, Subject)> = group_changes(group, names)
            .filter(&is_approved)
            .map(|change| (change.action == Action::Remove, change.subject))
            .collect();
        let own = group_changes(group, names)
            .next()
            .filter(|change| matches!(change.subject, Subject::Group { .. }));
        if own.is_some_and(|own| !is_approved(&own)) {
            return false;
        }
        let keeps = |removal, group: &str, user: Name| {
            kept.contains(&(removal, Subject::membership(group, user)))
        };
        match group {
            GroupChange::Create { name, members, .. } => {
                members.retain(|member| keeps(false, name, names.member(member)));
                true
            }
            GroupChange::Update {
                name,
                add,
                remove,
                renamed_from,
                adopts,
                ..
            } => {
                add.retain(|member| keeps(false, name, names.member(member)));
                remove.retain(|member| keeps(true, name, names.member_id(&member.id)));
                renamed_from.is_some() || *adopts || !add.is_empty() || !remove.is_empty()
            }
            GroupChange::Delete(_) => true,
        }
    });
}
