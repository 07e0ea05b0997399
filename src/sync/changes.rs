//! The changes of a sync plan as changes of a pipeline plan: one for each user, each group and each membership.

use std::collections::{BTreeMap, HashMap, HashSet};

use scim_types::{ExternalId, ResourceId};

use super::{
    GroupChange, Member, RemovedMember, RemovedPrincipal, SyncPlan, Totals, UserChange, Why,
};
use crate::plan::{Action, Change, Kind, Name, Note, Plan, StepId, StepPlan, Subject, Value};

/// The step of the changes.
pub(crate) const STEP: StepId = StepId::new("directory-sync");

/// The names of the users, by their ids in the source and in the target. A user that is not here has the name of the plan.
#[derive(Default)]
pub(crate) struct UserNames {
    pub(crate) logins: HashMap<ExternalId, Name>,
    /// The reason why a user loses access, if it is known.
    pub(crate) reasons: HashMap<ExternalId, String>,
    pub(crate) external_ids: HashMap<ResourceId, ExternalId>,
    /// The names in AWS of users that the sync does not manage.
    pub(crate) unmanaged: HashMap<ResourceId, Name>,
}

impl UserNames {
    pub(crate) fn user(&self, id: &ExternalId, fallback: &str) -> Name {
        let known = self.logins.get(id).cloned();
        known.unwrap_or_else(|| fallback.into())
    }

    /// Returns the removal of a user. If the user name in the target is another one than the subject's, the change has it, so
    /// that the guard can compare it with the protected names.
    fn removed_user(&self, removed: &RemovedPrincipal) -> Change {
        let id = removed.external_id.as_ref();
        let subject = self.named(id, removed.name.as_deref(), &removed.id);
        let other = removed.name.clone().filter(|name| *name != *subject);
        let change = Change::new(Action::Remove, Subject::user(subject));
        match other {
            Some(name) => change.field("userName", Value::Known(name.clone()), Value::Known(name)),
            None => change,
        }
    }

    fn member(&self, member: &Member) -> Name {
        self.user(&member.external_id, &member.name)
    }

    /// Returns the name of a member that a group loses.
    pub(crate) fn removed_member(&self, member: &RemovedMember) -> Name {
        if let Some(name) = self.unmanaged.get(&member.id) {
            return name.clone();
        }
        self.named(self.owner(member), member.name.as_deref(), &member.id)
    }

    /// Returns the source's id of a member that a group loses.
    fn owner<'a>(&'a self, member: &'a RemovedMember) -> Option<&'a ExternalId> {
        let known = self.external_ids.get(&member.id);
        known.or(member.external_id.as_ref())
    }

    fn named(&self, owner: Option<&ExternalId>, name: Option<&str>, id: &ResourceId) -> Name {
        let known = owner.and_then(|id| self.logins.get(id)).cloned();
        let fallback = || name.or(owner.map(ExternalId::as_str));
        known.unwrap_or_else(|| fallback().unwrap_or(id.as_str()).into())
    }

    /// Returns the name of a user of the target.
    pub(crate) fn member_id(&self, id: &ResourceId) -> Name {
        if let Some(external_id) = self.external_ids.get(id) {
            return self.user(external_id, external_id.as_str());
        }
        let known = self.unmanaged.get(id).cloned();
        known.unwrap_or_else(|| id.as_str().into())
    }

    /// Returns the reason why a user loses access.
    fn reason(&self, id: Option<&ExternalId>, why: &Why) -> Note {
        let known = id.and_then(|id| self.reasons.get(id)).cloned();
        Note::new("left-scope", known.unwrap_or_else(|| why.to_string()))
    }

    fn removal(
        &self,
        action: &'static str,
        id: Option<&ExternalId>,
        why: &Why,
        change: Change,
    ) -> Change {
        let change = match action {
            "delete" => change.field("exists", known("yes"), Value::Absent),
            _ => change.from_to("active", Some("true".to_owned()), "false"),
        };
        change.because(self.reason(id, why))
    }
}

fn known(value: &str) -> Value {
    Value::Known(value.to_owned())
}

/// A change of the pipeline, and the write of the sync that makes it.
pub(crate) struct SyncChange {
    pub(crate) change: Change,
    /// The description of the write, such as `update group deployers`.
    pub(crate) write: String,
}

/// Returns the changes of a sync plan. Users come before groups, and groups before their members.
pub(crate) fn changes(plan: &SyncPlan, names: &UserNames) -> Vec<SyncChange> {
    changes_of(&plan.users, &plan.groups, names)
}

/// Returns the removals that the plan does not make, each with the reason.
pub(crate) fn kept_removals<'p>(
    plan: &'p SyncPlan,
    names: &'p UserNames,
) -> impl Iterator<Item = (Change, &'p str)> {
    plan.kept.iter().flat_map(move |kept| {
        let changes = changes_of(&kept.users, &kept.groups, names).into_iter();
        changes.map(|sync| (sync.change, kept.reason.as_str()))
    })
}

fn changes_of(users: &[UserChange], groups: &[GroupChange], names: &UserNames) -> Vec<SyncChange> {
    let mut changes = Vec::new();
    for user in users {
        let write = user.description();
        let change = user_change(user, names);
        changes.push(SyncChange { change, write });
    }
    for group in groups {
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
            let renamed = |change: Change| match before {
                Some(before) if before.user_name != profile.user_name => change.from_to(
                    "userName",
                    Some(before.user_name.clone()),
                    &profile.user_name,
                ),
                _ => change,
            };
            if *deactivates {
                let change = renamed(of(Action::Remove, name));
                return names.removal("deactivate", Some(external_id), &Why::Inactive, change);
            }
            let action = if *adopts {
                Action::Adopt
            } else {
                Action::Update
            };
            let change = renamed(of(action, name));
            if *adopts {
                change.with("externalId", external_id.as_str())
            } else {
                change
            }
        }
        UserChange::Deactivate(removed) => {
            let change = names.removed_user(removed);
            names.removal(
                "deactivate",
                removed.external_id.as_ref(),
                &removed.why,
                change,
            )
        }
        UserChange::Delete(removed) => {
            let change = names.removed_user(removed);
            names.removal("delete", removed.external_id.as_ref(), &removed.why, change)
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
        .chain(remove.iter().map(move |member| {
            let change = removal(Action::Remove, names.removed_member(member));
            change.because(names.reason(names.owner(member), &member.why))
        }))
}

impl SyncPlan {
    /// Returns the plan as a plan of a pipeline with one step. The guard checks it, and [`Document::Plan`](crate::Document::Plan)
    /// is its line format.
    #[must_use]
    pub fn to_plan(&self) -> Plan {
        let mut step = StepPlan::new(STEP, "Directory sync".to_owned());
        let changes = changes(self, &UserNames::default()).into_iter();
        step.changes = changes.map(|sync| sync.change).collect();
        step.hazards.clone_from(&self.hazards);
        let skipped = self.skipped.iter();
        let skipped = skipped.map(|skipped| Note::new("user-skipped", skipped.to_string()));
        step.notes = self.all_notes().chain(skipped).collect();
        step.totals = self.totals.of_kinds();
        Plan {
            format: Plan::FORMAT,
            made_at: self.made_at,
            lineage: String::new(),
            serial: self.serial,
            blueprint: String::new(),
            complete: self.unread.is_empty(),
            steps: vec![step],
        }
    }
}

impl SyncPlan {
    /// Returns the notes, with the warning before the end of the token, what could not be read, and the removals that the plan
    /// does not make.
    pub fn all_notes(&self) -> impl Iterator<Item = Note> {
        let warning = self.token.as_ref();
        let warning = warning.and_then(|token| token.warning(self.made_at));
        let notes = self.notes.iter().map(|note| Note::new("sync", note));
        let unread = self.unread.iter().map(|item| Note::new("unread", item));
        let kept = self.kept.iter();
        let kept = kept.map(|kept| Note::new("kept", kept.to_string()));
        warning.into_iter().chain(notes).chain(unread).chain(kept)
    }
}

impl Totals {
    /// Returns the number of managed objects of each kind, of which the guard limits the share that is removed.
    pub(crate) fn of_kinds(&self) -> BTreeMap<Kind, u64> {
        let totals = [
            (Kind::User, self.managed_users),
            (Kind::Group, self.managed_groups),
            (Kind::Membership, self.memberships),
        ];
        totals.map(|(kind, number)| (kind, number as u64)).into()
    }
}

/// Drops from a sync plan whatever was not approved.
///
/// A removal needs the approval of exactly this removal. A user or group that was approved to be created may turn out to
/// exist, and is then updated or adopted.
pub(crate) fn retain_approved(
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
                remove.retain(|member| keeps(true, name, names.removed_member(member)));
                renamed_from.is_some() || *adopts || !add.is_empty() || !remove.is_empty()
            }
            GroupChange::Delete(_) => true,
        }
    });
}
