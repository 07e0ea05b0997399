//! Step `app-access`: users and groups are assigned to the Okta app, and groups are pushed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::{App, Client as Okta, Group, Id, PushStatus, User};

use super::{
    accounts::Accounts,
    adoption::Adoption,
    app_lists::{self, AppLists, Pushes},
    estate::SHARED,
    group_push::{Push, PushPlanner, Pusher, failed_push},
    identity_view, ids, lookup,
    owned_app::{AppOwner, InApp, remove, removed_id},
    profile_mapping::{self, Unnamed},
};
use crate::{
    batch::{Batch, Waiting},
    blueprint::{Blueprint, Ownership, ProvisioningMode},
    context::Context,
    error::{Error, ErrorKind, Result},
    outcome::{Cause, Outcome},
    plan::{Action, Change, Kind, Need, StepId, Subject},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    state::MadeInApp,
    step::{Applied, Planned, Step, unknown_change},
};

/// Assigns the blueprint's users and groups to the app, and pushes its groups if `provisioning.mode` is `okta`.
///
/// A group is pushed once its members are provisioned, and pushed again if members are missing in AWS later. Assignments and
/// push mappings that the blueprint does not name stay, unless its ownership removes them. The group in AWS stays in any case.
#[derive(Clone, Debug)]
pub struct AppAccess {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// The assignments and push mappings that the app has now.
struct Current<'a> {
    accounts: Accounts<'a>,
    groups: Arc<BTreeSet<Id<Group>>>,
    pushes: Arc<Pushes>,
}

impl Current<'_> {
    /// Returns whether Okta has a user to provision that is not assigned to the app, or a group to push that is not pushed.
    fn lacks_any(&self, scope: &ResolvedScope) -> bool {
        let assigned = &self.accounts.assigned;
        let mut users = scope.provisionable_users();
        let mut groups = scope.pushed.iter();
        users.any(|user| assigned.get(&user.id).is_none())
            || groups.any(|members| !self.pushes.contains_key(&members.group.id))
    }
}

/// An assignment or push that the blueprint asks for.
enum Desired<'a> {
    User(&'a User),
    Assigned(&'a Group),
    Pushed(&'a GroupWithMembers),
}

impl AppAccess {
    /// Creates the step for the users and groups of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    async fn read_current<'a>(
        &self,
        scope: &'a ResolvedScope,
        cx: &Context,
    ) -> Result<Current<'a>> {
        let lists = AppLists::new(&self.okta, cx);
        Ok(Current {
            groups: lists.groups(app_lists::NOW).await?,
            accounts: Accounts::read(scope, &lists, app_lists::NOW).await?,
            pushes: lists.pushes(app_lists::NOW).await?,
        })
    }

    /// Assigns a user or a group to the app.
    async fn assign(
        &self,
        app: &Id<App>,
        desired: &Desired<'_>,
        lists: &AppLists<'_>,
    ) -> Result<()> {
        let apps = self.okta.apps();
        match desired {
            Desired::User(user) => {
                apps.assign_user(app, &user.id).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not assign user {} to the app", user.profile.login),
                        error,
                    )
                })?;
                lists.users_changed();
            }
            Desired::Assigned(group) => {
                apps.assign_group(app, &group.id).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not assign group {} to the app", group.name),
                        error,
                    )
                })?;
                lists.group_assigned(&group.id);
            }
            Desired::Pushed(_) => {}
        }
        Ok(())
    }

    /// Plans what the ownership of the blueprint removes.
    async fn plan_removals(
        &self,
        scope: &ResolvedScope,
        current: &Current<'_>,
        (app, made): (&Id<App>, Option<&MadeInApp>),
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<()> {
        let ownership = &self.blueprint.ownership;
        let modes = [ownership.app_assignments, ownership.pushed_groups];
        if modes == [Ownership::Add; 2] {
            return Ok(());
        }
        let owner = AppOwner {
            okta: &self.okta,
            blueprint: &self.blueprint,
            scope,
            app,
            made,
            others: Some(cx.other_ledgers().await?),
        };
        let in_app = InApp {
            users: &current.accounts.assigned,
            groups: &current.groups,
            pushes: &current.pushes,
        };
        owner.plan(in_app, planned).await
    }

    fn pusher<'a>(
        &'a self,
        app: &'a Id<App>,
        scope: &'a ResolvedScope,
        lists: &'a AppLists<'a>,
        cx: &'a Context,
    ) -> Pusher<'a> {
        Pusher {
            okta: &self.okta,
            app,
            scope,
            lists,
            cx,
        }
    }
}

impl Desired<'_> {
    /// Records in the ledger that a run makes this.
    fn record(&self, made: &mut MadeInApp) {
        match self {
            Self::User(user) => {
                let login = user.profile.login.clone();
                made.users.insert(user.id.clone(), login);
            }
            Self::Assigned(group) => _ = made.groups.insert(group.id.clone(), group.name.clone()),
            Self::Pushed(GroupWithMembers { group, .. }) => {
                made.pushes.insert(group.id.clone(), group.name.clone());
            }
        }
    }

    /// Removes this from the ledger.
    fn forget(&self, made: &mut MadeInApp) {
        match self {
            Self::User(user) => _ = made.users.remove(&user.id),
            Self::Assigned(group) => _ = made.groups.remove(&group.id),
            Self::Pushed(members) => _ = made.pushes.remove(&members.group.id),
        }
    }

    fn is_recorded(&self, made: &MadeInApp) -> bool {
        match self {
            Self::User(user) => made.users.contains_key(&user.id),
            Self::Assigned(group) => made.groups.contains_key(&group.id),
            Self::Pushed(members) => made.pushes.contains_key(&members.group.id),
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Self::User(user) => Subject::AppUser {
                login: (&user.profile.login).into(),
            },
            Self::Assigned(group) => Subject::AppGroup {
                group: (&group.name).into(),
            },
            Self::Pushed(members) => Subject::GroupPush {
                group: (&members.group.name).into(),
            },
        }
    }
}

/// Returns the assignments and pushes of the blueprint, in the order in which they are made.
fn all_desired(scope: &ResolvedScope, mode: ProvisioningMode) -> impl Iterator<Item = Desired<'_>> {
    let users = scope
        .users
        .iter()
        .filter(|user| !scope.has_problem(&user.profile.login))
        .map(Desired::User);
    let assigned = scope
        .assigned
        .iter()
        .map(|members| Desired::Assigned(&members.group));
    // Groups are pushed last, because a push includes only members that are already provisioned.
    let pushes_groups = mode == ProvisioningMode::Okta;
    let pushed = scope
        .pushed
        .iter()
        .filter(move |_| pushes_groups)
        .map(Desired::Pushed);
    users.chain(assigned).chain(pushed)
}

/// Returns whether the app has the assignment or the push.
fn exists(desired: &Desired<'_>, current: &Current<'_>) -> bool {
    match desired {
        // A user that is assigned only through a group loses access with that group. A user that the blueprint
        // names therefore needs an individual assignment.
        Desired::User(user) => current.accounts.assigned.is_individual(&user.id),
        Desired::Assigned(group) => current.groups.contains(&group.id),
        Desired::Pushed(members) => current.pushes.contains_key(&members.group.id),
    }
}

/// Returns the error if a group would be both assigned and pushed.
///
/// Okta and AWS do not support both for one group: members can be missing, or stay in AWS after they left the group. The
/// parser of the blueprint validates only the blueprint; this function also checks the app's current assignments and
/// pushes.
///
/// Sources: AWS "Configure SAML and SCIM with Okta"; Okta "Group Push troubleshooting".
fn assigned_and_pushed(desired: &Desired<'_>, current: &Current<'_>) -> Option<Error> {
    let (group, existing, wanted, help) = match desired {
        Desired::Pushed(GroupWithMembers { group, .. }) if current.groups.contains(&group.id) => (
            group,
            "assigned to the app",
            "pushed",
            "assign its members through another group (provisioning.assign_groups), unassign this group in Okta, then run again",
        ),
        Desired::Assigned(group) if current.pushes.contains_key(&group.id) => (
            *group,
            "pushed",
            "assigned to the app",
            "use another group in provisioning.assign_groups, because this group may have access in AWS",
        ),
        _ => return None,
    };
    let error = Error::new(
        ErrorKind::UnusableSubject,
        format!(
            "group {} is already {existing} and cannot also be {wanted}: Okta and AWS do not support both for one group, because members can be missing or stay in AWS after they left",
            group.name
        ),
    );
    Some(error.with_help(help))
}

fn missing_app() -> Error {
    lookup::missing_prerequisite("the Okta app", &ids::CATALOG_APP)
}

impl Step for AppAccess {
    fn id(&self) -> StepId {
        ids::APP_ACCESS
    }

    fn title(&self) -> String {
        "Users and groups in the Okta app".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let current = self.read_current(&scope, cx).await?;
            let mut planned = Planned {
                notes: scope.notes(),
                problems: scope.problems.clone(),
                ..Planned::default()
            };
            let mode = self.blueprint.provisioning.mode;
            let (app, ledger) = (cx.facts(|facts| facts.app.clone()), cx.ledger()?);
            let recorded = app.as_ref().zip(ledger.as_deref());
            let recorded = recorded.and_then(|(app, ledger)| ledger.in_app(app));
            // In direct mode, the sync plans the adoptions.
            let in_aws = match mode {
                ProvisioningMode::Okta => {
                    // Okta would take over a user or group that was made in AWS since the plan.
                    let max_age = if current.lacks_any(&scope) {
                        cx.age()
                    } else {
                        SHARED
                    };
                    identity_view::read(&self.aws, &scope, cx, max_age).await?
                }
                ProvisioningMode::Direct => None,
            };
            if let Some(in_aws) = &in_aws {
                let adoption = Adoption {
                    aws: &self.aws,
                    blueprint: &self.blueprint,
                    in_aws,
                    names: &current.accounts.assigned,
                };
                let is_pushed = |id: &Id<Group>| current.pushes.contains_key(id);
                adoption.plan(&scope, is_pushed, &mut planned, cx).await?;
            }
            let unnamed = match mode {
                ProvisioningMode::Okta => {
                    let is_mapped = self.blueprint.provisioning.display_name;
                    Unnamed::find(&self.okta, is_mapped, &scope, &current.accounts, cx).await?
                }
                // The sync sends the first and the last name instead.
                ProvisioningMode::Direct => Unnamed::default(),
            };
            planned.notes.extend(unnamed.note.clone());
            planned.problems.extend(unnamed.problems());
            let pushes = PushPlanner::new(&scope, &current.accounts, in_aws.as_deref(), cx)?;
            for desired in all_desired(&scope, mode) {
                if mode == ProvisioningMode::Okta
                    && let Some(error) = assigned_and_pushed(&desired, &current)
                {
                    planned.problem(desired.subject(), &error);
                    continue;
                }
                if !exists(&desired, &current) {
                    let create = Change::new(Action::Create, desired.subject());
                    match desired {
                        Desired::User(user) if unnamed.is_refused(user) => {}
                        Desired::User(user) => planned.changes.push(unnamed.depend(create, user)),
                        _ => planned.changes.push(create),
                    }
                    continue;
                }
                if self.blueprint.ownership.adopt
                    && !recorded.is_some_and(|made| desired.is_recorded(made))
                {
                    let adopt = Change::new(Action::Adopt, desired.subject());
                    planned.changes.push(adopt);
                }
                let Desired::Pushed(members) = desired else {
                    continue;
                };
                let mapping = &current.pushes[&members.group.id];
                if mapping.status == PushStatus::Error {
                    let error = failed_push(&members.group.name, mapping);
                    planned.problem(desired.subject(), &error);
                }
                let (change, note) = pushes.plan(members, mapping);
                planned.changes.extend(change);
                planned.notes.extend(note);
            }
            if let Some(app) = &app {
                self.plan_removals(&scope, &current, (app, recorded), &mut planned, cx)
                    .await?;
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let app = cx.facts(|facts| facts.app.clone());
            let app = app.ok_or_else(missing_app)?;
            let lists = AppLists::new(&self.okta, cx);
            if let Some(id) = removed_id(change) {
                remove(&self.okta, &app, (change, id), &lists, cx).await?;
                return Ok(Applied::Done);
            }
            let desired = all_desired(&scope, self.blueprint.provisioning.mode)
                .find(|desired| desired.subject() == change.subject);
            if change.action == Action::Adopt {
                // Okta takes over a user or group of AWS with the assignment or the push, which follows.
                if let Some(desired) = desired {
                    cx.update_ledger(|ledger| desired.record(ledger.in_app_mut(&app)));
                }
                return Ok(Applied::Done);
            }
            let desired = desired.ok_or_else(|| unknown_change(&self.id(), change))?;
            if change.action == Action::Create {
                cx.update_ledger(|ledger| desired.record(ledger.in_app_mut(&app)));
            }
            let Desired::Pushed(members) = desired else {
                self.assign(&app, &desired, &lists).await?;
                return Ok(Applied::Done);
            };
            let pusher = self.pusher(&app, &scope, &lists, cx);
            let awaited = pusher.awaited(members).await?;
            if !awaited.is_empty() {
                return Ok(Applied::Waiting(Waiting {
                    on: format!(
                        "the members of group {} to be provisioned",
                        members.group.name
                    ),
                    missing: awaited,
                }));
            }
            pusher.push(change, members).await?;
            Ok(Applied::Done)
        })
    }

    /// Assigns users and groups one by one, and then pushes the groups together: one look at the users of the app serves all. The
    /// removals come last, and none of them is made if an assignment or a push has failed that may replace it.
    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let app = cx.facts(|facts| facts.app.clone());
            let lists = AppLists::new(&self.okta, cx);
            let desired: HashMap<Subject, Desired<'_>> =
                all_desired(&scope, self.blueprint.provisioning.mode)
                    .map(|desired| (desired.subject(), desired))
                    .collect();
            let created: Vec<&Desired<'_>> = batch
                .changes()
                .iter()
                .filter(|change| change.action == Action::Create)
                .filter_map(|change| desired.get(&change.subject))
                .collect();
            // The ledger gets the assignments before Okta makes them, so that a crash right after one does not lose it.
            if let Some(app) = app.as_ref().filter(|_| !created.is_empty()) {
                cx.update_ledger(|ledger| {
                    let made = ledger.in_app_mut(app);
                    for desired in &created {
                        desired.record(made);
                    }
                });
                cx.checkpoint().await?;
            }
            let (mut pushes, mut removals, mut failed) = (Vec::new(), Vec::new(), Vec::new());
            for (index, change) in batch.changes().iter().enumerate() {
                if let Some(id) = removed_id(change) {
                    removals.push((index, change, id));
                    continue;
                }
                if !batch.start(index).await? {
                    failed.push(change);
                    continue;
                }
                let applied = match (&app, desired.get(&change.subject)) {
                    (Some(app), Some(desired)) if change.action == Action::Adopt => {
                        cx.update_ledger(|ledger| desired.record(ledger.in_app_mut(app)));
                        Ok(())
                    }
                    _ if change.action == Action::Adopt => Ok(()),
                    (_, None) => Err(unknown_change(&self.id(), change)),
                    (None, _) => Err(missing_app()),
                    (Some(_), Some(Desired::Pushed(members))) => {
                        pushes.push(Push {
                            index,
                            change,
                            members,
                        });
                        continue;
                    }
                    (Some(app), Some(desired)) => self.assign(app, desired, &lists).await,
                };
                if applied.is_err() {
                    failed.push(change);
                }
                let applied = applied.map(|()| Outcome::Done);
                batch.finish(index, applied).await?;
            }
            let Some(app) = app else { return Ok(()) };
            let planned: Vec<&Change> = pushes.iter().map(|push| push.change).collect();
            self.pusher(&app, &scope, &lists, cx)
                .push_all(pushes, batch)
                .await?;
            let mappings = lists.pushes(app_lists::RUN).await?;
            failed.extend(planned.into_iter().filter(|change| {
                let members = desired.get(&change.subject);
                matches!(members, Some(Desired::Pushed(members)) if !mappings.contains_key(&members.group.id))
            }));
            if !failed.is_empty() {
                let created = failed
                    .iter()
                    .filter(|change| change.action == Action::Create);
                cx.update_ledger(|ledger| {
                    let made = ledger.in_app_mut(&app);
                    let created = created.filter_map(|change| desired.get(&change.subject));
                    for desired in created {
                        desired.forget(made);
                    }
                });
            }
            for (index, change, id) in removals {
                if !batch.start(index).await? {
                    continue;
                }
                let removed = if let Some(failed) = failed.first() {
                    let because = Cause::Subject(failed.subject.clone());
                    Ok(Outcome::Skipped { because })
                } else {
                    let removed = remove(&self.okta, &app, (change, id), &lists, cx).await;
                    removed.map(|()| Outcome::Done)
                };
                batch.finish(index, removed).await?;
            }
            Ok(())
        })
    }

    /// Each assignment and each push is independent of the others.
    fn chain(&self, change: &Change) -> Option<Subject> {
        Some(change.subject.clone())
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::AppUser, Kind::AppGroup, Kind::GroupPush]
    }

    /// A push or an assignment that would adopt a group or a user is not made if the adoption is not. An assignment of a user
    /// without a display name is not made if the profile mapping is not changed.
    fn needs(&self, change: &Change) -> Vec<Need> {
        let mut needs = change.subject.needs();
        needs.extend(
            profile_mapping::needs_mapping(change).then_some(Need::Kind(Kind::ProfileMapping)),
        );
        needs.extend(match &change.subject {
            Subject::GroupPush { group } => Some(Need::Subject(Subject::group(group.clone()))),
            Subject::AppUser { login } => Some(Need::Subject(Subject::user(login.clone()))),
            _ => None,
        });
        needs
    }
}
