//! The assignments to the app and the pushed groups that the blueprint does not name, and whether its ownership removes them.

use std::collections::BTreeSet;

use okta_client::{
    App, Client as Okta, Group, Id, PushActivation, PushMapping, PushStatus, TargetGroupAction,
    User, UserRef,
};

use super::{
    app_lists::{self, AppLists, Pushes},
    ids,
};
use crate::{
    aws_user_name::AppAssignments,
    blueprint::{Blueprint, Ownership, ProvisioningMode},
    context::Context,
    error::{Error, Result},
    plan::{Action, Change, Kind, Note, Subject, Value, count},
    resolved_scope::ResolvedScope,
    state::{MadeInApp, OtherLedgers},
    step::{Planned, unknown_change},
    text::abbreviated,
};

/// The users, groups and pushed groups of the app.
#[derive(Clone, Copy)]
pub(super) struct InApp<'a> {
    pub(super) users: &'a AppAssignments,
    pub(super) groups: &'a BTreeSet<Id<Group>>,
    pub(super) pushes: &'a Pushes,
}

/// Decides about the assignments and pushed groups of the app that the blueprint does not name.
pub(super) struct AppOwner<'a> {
    pub(super) okta: &'a Okta,
    pub(super) blueprint: &'a Blueprint,
    pub(super) scope: &'a ResolvedScope,
    pub(super) app: &'a Id<App>,
    /// The part of the ledger about this app.
    pub(super) made: Option<&'a MadeInApp>,
    /// Not known in mode `add`, which removes nothing.
    pub(super) others: Option<&'a OtherLedgers>,
}

/// An assignment or a push that the blueprint does not name.
struct Foreign {
    subject: Subject,
    id: String,
    reason: Reason,
    /// The effect of the removal, for a reader.
    effect: String,
    /// The users that can have the app only through the group.
    users: Option<String>,
}

/// Why an assignment or a push is removed.
#[derive(Clone, Copy)]
enum Reason {
    /// A run of the blueprint has made it.
    NoLongerNamed,
    /// Mode `exclusive`.
    NotInBlueprint,
}

/// Why an assignment or a push stays that the ownership would remove.
enum Kept<'a> {
    Protected,
    /// The runs of another blueprint have made it.
    Other(&'a str),
    /// The user is in a group that is assigned to the app.
    InGroup(&'a str),
}

impl<'a> AppOwner<'a> {
    /// Adds the removals to the plan.
    pub(super) async fn plan(&self, in_app: InApp<'_>, planned: &mut Planned) -> Result<()> {
        let ownership = &self.blueprint.ownership;
        let (assignments, pushes) = (ownership.app_assignments, ownership.pushed_groups);
        let mut foreign = Vec::new();
        if assignments != Ownership::Add {
            let direct = in_app.users.individual();
            planned.totals.insert(Kind::AppUser, direct.len() as u64);
            let total = in_app.groups.len() as u64;
            planned.totals.insert(Kind::AppGroup, total);
            let named: BTreeSet<&Id<User>> = self.scope.users.iter().map(|user| &user.id).collect();
            for id in direct.into_iter().filter(|id| !named.contains(id)) {
                let is_made = |made: &MadeInApp| made.users.contains_key(id);
                if let Some(reason) = self.reason(assignments, is_made) {
                    foreign.extend(self.user(id, reason, in_app.users, planned).await?);
                }
            }
            let named: BTreeSet<&Id<Group>> = self.assigned().collect();
            for id in in_app.groups.iter().filter(|id| !named.contains(id)) {
                let is_made = |made: &MadeInApp| made.groups.contains_key(id);
                if let Some(reason) = self.reason(assignments, is_made) {
                    foreign.extend(self.group(id, reason, in_app.users, planned).await?);
                }
            }
        }
        if pushes != Ownership::Add {
            let total = in_app.pushes.len() as u64;
            planned.totals.insert(Kind::GroupPush, total);
            let named = self.scope.pushed.iter().map(|pushed| &pushed.group.id);
            let named: BTreeSet<&Id<Group>> = named.collect();
            for (id, push) in in_app.pushes.iter().filter(|(id, _)| !named.contains(id)) {
                let is_made = |made: &MadeInApp| made.pushes.contains_key(id);
                if let Some(reason) = self.reason(pushes, is_made) {
                    foreign.extend(self.push(push, reason, planned).await?);
                }
            }
        }
        let missing: Vec<String> = self
            .scope
            .missing()
            .map(|(one, _)| one.to_string())
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        if !missing.is_empty() {
            // A user or group with another name in Okta now is in these lists, and the blueprint still means it.
            let text = format!(
                "{} of the app stays that the blueprint does not name, because Okta does not have what it names: {}",
                count(foreign.len(), "assignment or push"),
                abbreviated(&missing, MAX_NAMES)
            );
            planned.notes.push(Note::new("app-removals-held", text));
            return Ok(());
        }
        planned
            .changes
            .extend(foreign.into_iter().map(Foreign::removal));
        Ok(())
    }

    fn assigned(&self) -> impl Iterator<Item = &'a Id<Group>> {
        self.scope.assigned.iter().map(|members| &members.group.id)
    }

    fn reason(&self, mode: Ownership, is_made: impl Fn(&MadeInApp) -> bool) -> Option<Reason> {
        match mode {
            Ownership::Managed | Ownership::Exclusive if self.made.is_some_and(&is_made) => {
                Some(Reason::NoLongerNamed)
            }
            Ownership::Exclusive => Some(Reason::NotInBlueprint),
            _ => None,
        }
    }

    /// Returns the name of another blueprint whose runs have made something in the app.
    fn other(&self, is_made: impl Fn(&MadeInApp) -> bool) -> Option<Kept<'a>> {
        let owner = self
            .others?
            .owner(|ledger| ledger.in_app(self.app).is_some_and(&is_made));
        owner.map(Kept::Other)
    }

    async fn user(
        &self,
        id: &Id<User>,
        reason: Reason,
        users: &AppAssignments,
        planned: &mut Planned,
    ) -> Result<Option<Foreign>> {
        let user = self.okta.users().get_opt(&UserRef::from(id)).await;
        let user = user.map_err(unreadable("user", id.as_str()))?;
        let login = user.map_or_else(|| id.to_string(), |user| user.profile.login);
        let in_aws = users
            .get(id)
            .and_then(|assigned| assigned.user_name.as_deref());
        let protect = &self.blueprint.protect;
        let mut groups = self.scope.assigned.iter();
        let group = groups.find(|members| members.users.iter().any(|one| one.id == *id));
        let subject = Subject::AppUser {
            login: (&login).into(),
        };
        let kept = if protect.has_user(&login) || in_aws.is_some_and(|name| protect.has_user(name))
        {
            Some(Kept::Protected)
        } else if let Some(members) = group {
            Some(Kept::InGroup(&members.group.name))
        } else {
            self.other(|made| made.users.contains_key(id))
        };
        if let Some(kept) = kept {
            planned.notes.push(kept.note(subject));
            return Ok(None);
        }
        Ok(Some(Foreign {
            subject,
            id: id.to_string(),
            reason,
            effect: match self.blueprint.provisioning.mode {
                ProvisioningMode::Okta => "Okta then deactivates the user in AWS",
                ProvisioningMode::Direct => "the user can then not sign in to AWS",
            }
            .to_owned(),
            users: None,
        }))
    }

    /// Returns the name of a group; its id if Okta no longer has it.
    async fn group_name(&self, id: &Id<Group>) -> Result<String> {
        let group = self.okta.groups().get_opt(id).await;
        let group = group.map_err(unreadable("group", id.as_str()))?;
        Ok(group.map_or_else(|| id.to_string(), |group| group.name))
    }

    async fn group(
        &self,
        id: &Id<Group>,
        reason: Reason,
        users: &AppAssignments,
        planned: &mut Planned,
    ) -> Result<Option<Foreign>> {
        let name = self.group_name(id).await?;
        let subject = Subject::AppGroup {
            group: (&name).into(),
        };
        if let Some(kept) = self.kept(&name, |made| made.groups.contains_key(id)) {
            planned.notes.push(kept.note(subject));
            return Ok(None);
        }
        let members = self.okta.groups().members(id).try_collect().await;
        let members = members.map_err(unreadable("members of group", &name))?;
        let others = self.scope.assigned.iter();
        let others: BTreeSet<&Id<User>> = others
            .flat_map(|group| &group.users)
            .map(|user| &user.id)
            .collect();
        let losing = members.iter().filter(|user| {
            let has_app = users.get(&user.id).is_some() && !users.is_individual(&user.id);
            has_app && !others.contains(&user.id)
        });
        let mut losing: Vec<String> = losing.map(|user| user.profile.login.clone()).collect();
        losing.sort_unstable();
        let effect = match self.blueprint.provisioning.mode {
            ProvisioningMode::Okta => "Okta then deactivates them in AWS",
            ProvisioningMode::Direct => "they can then not sign in to AWS",
        };
        let users = count(losing.len(), "user");
        Ok(Some(Foreign {
            subject,
            id: id.to_string(),
            reason,
            effect: format!(
                "{users} can lose the app with it: {effect}, unless another group is assigned that they are in"
            ),
            users: (!losing.is_empty()).then(|| losing.join(", ")),
        }))
    }

    async fn push(
        &self,
        push: &PushMapping,
        reason: Reason,
        planned: &mut Planned,
    ) -> Result<Option<Foreign>> {
        let id = &push.source_group;
        let name = self.group_name(id).await?;
        let subject = Subject::GroupPush {
            group: (&name).into(),
        };
        if let Some(kept) = self.kept(&name, |made| made.pushes.contains_key(id)) {
            planned.notes.push(kept.note(subject));
            return Ok(None);
        }
        Ok(Some(Foreign {
            subject,
            id: push.id.to_string(),
            reason,
            effect: "the group in AWS stays, with its assignments and its present members, which Okta then no longer updates".to_owned(),
            users: None,
        }))
    }

    fn kept(&self, group: &str, is_made: impl Fn(&MadeInApp) -> bool) -> Option<Kept<'a>> {
        if self.blueprint.protect.has_group(group) {
            return Some(Kept::Protected);
        }
        self.other(is_made)
    }
}

impl Foreign {
    fn removal(self) -> Change {
        let (code, why) = match self.reason {
            Reason::NoLongerNamed => (
                "no-longer-named",
                "an earlier run has made it, and the blueprint no longer names it",
            ),
            Reason::NotInBlueprint => ("not-in-blueprint", "the blueprint does not name it"),
        };
        let change = Change::new(Action::Remove, self.subject);
        let mut change = change.field(ID, Value::Known(self.id), Value::Absent);
        if let Some(users) = self.users {
            change = change.field(USERS, Value::Known(users), Value::Absent);
        }
        change.because(Note::new(code, format!("{why}; {}", self.effect)))
    }
}

impl Kept<'_> {
    fn note(&self, subject: Subject) -> Note {
        let (code, why) = match self {
            Self::Protected => ("protected-in-app", "it is protected".to_owned()),
            Self::Other(name) => (
                "in-app-of-another-blueprint",
                format!("blueprint {name} has made it"),
            ),
            Self::InGroup(group) => (
                "assigned-twice",
                format!("the user is also in group {group}, which is assigned to the app"),
            ),
        };
        let text = format!("{subject} is not in the blueprint and is kept: {why}");
        Note::new(code, text).about(subject)
    }
}

/// Returns the id in Okta of the assignment or push that a change removes; `None` if the change does something else.
pub(super) fn removed_id(change: &Change) -> Option<&str> {
    known_before(change, ID)
}

/// Returns the logins of the users that can lose the app with a group.
pub(super) fn losing_users(change: &Change) -> impl Iterator<Item = &str> {
    let users = known_before(change, USERS);
    users.into_iter().flat_map(|users| users.split(", "))
}

/// Removes what a change removes, by its id in Okta. The group in AWS stays.
pub(super) async fn remove(
    okta: &Okta,
    app: &Id<App>,
    (change, id): (&Change, &str),
    lists: &AppLists<'_>,
    cx: &Context,
) -> Result<()> {
    let unknown = || unknown_change(&ids::APP_ACCESS, change);
    let apps = okta.apps();
    let removed = match &change.subject {
        Subject::AppUser { .. } => {
            let user = Id::parse(id).map_err(|_not_an_id| unknown())?;
            let removed = apps.unassign_user(app, &user).await;
            lists.users_changed();
            removed.map(|()| Removed::User(user))
        }
        Subject::AppGroup { .. } => {
            let group = Id::parse(id).map_err(|_not_an_id| unknown())?;
            let removed = apps.unassign_group(app, &group).await;
            lists.groups_changed();
            removed.map(|()| Removed::Group(group))
        }
        Subject::GroupPush { .. } => {
            let known = lists.pushes(app_lists::RUN).await?;
            let Some(push) = known.values().find(|push| push.id.as_str() == id) else {
                return Ok(());
            };
            let removed = delete_push(okta, app, push).await;
            lists.push_deleted();
            removed.map(|()| Removed::Push(push.source_group.clone()))
        }
        _ => return Err(unknown()),
    };
    let removed = removed.map_err(|error| {
        Error::service(format!("Okta did not remove {}", change.subject), error)
    })?;
    cx.update_ledger(|ledger| {
        let made = ledger.in_app_mut(app);
        match removed {
            Removed::User(user) => _ = made.users.remove(&user),
            Removed::Group(group) => _ = made.groups.remove(&group),
            Removed::Push(group) => _ = made.pushes.remove(&group),
        }
    });
    Ok(())
}

/// Deletes a push mapping, and keeps its group in AWS. Okta deletes only a mapping that is not active.
async fn delete_push(
    okta: &Okta,
    app: &Id<App>,
    push: &PushMapping,
) -> std::result::Result<(), okta_client::Error> {
    let mappings = okta.push_mappings(app);
    if push.status == PushStatus::Active {
        let off = PushActivation::Inactive;
        mappings.set_status(&push.id, off).await?;
    }
    mappings.delete(&push.id, TargetGroupAction::Keep).await
}

/// An assignment or push that was removed.
enum Removed {
    User(Id<User>),
    Group(Id<Group>),
    Push(Id<Group>),
}

fn known_before<'a>(change: &'a Change, name: &str) -> Option<&'a str> {
    let mut fields = change.fields.iter();
    let field = fields.find(|field| field.name == name)?;
    match (&field.before, &field.after) {
        (Value::Known(value), Value::Absent) if change.action == Action::Remove => Some(value),
        _ => None,
    }
}

fn unreadable(what: &'static str, id: &str) -> impl FnOnce(okta_client::Error) -> Error {
    let what = format!("{what} {id} could not be read from Okta");
    move |error| Error::service(what, error)
}

/// The name of the field with the id in Okta of what is removed.
const ID: &str = "id";

/// The name of the field with the users that lose the app with a group.
const USERS: &str = "users";

/// Maximum number of names in a note.
const MAX_NAMES: usize = 10;
