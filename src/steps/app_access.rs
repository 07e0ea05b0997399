//! Step `app-access`: users and groups are assigned to the Okta app, and groups are pushed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::{
    App, AppUserScope, Client as Okta, Group, Id, NewPushMapping, PushActivation, PushMapping,
    PushStatus, PushTarget, User,
};

use super::{adoption::Adoption, ids, lookup};
use crate::{
    blueprint::{Blueprint, ProvisioningMode},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, Need, StepId, Subject},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    step::{Applied, Planned, Step, unknown_change},
};

/// Assigns the blueprint's users and groups to the app, and pushes its groups if `provisioning.mode` is `okta`.
///
/// The step unassigns no user or group and deletes no push mapping, so manual assignments and mappings stay.
#[derive(Clone, Debug)]
pub struct AppAccess {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// The assignments and push mappings that the app has now.
#[derive(Default)]
struct Current {
    /// The users with an individual assignment.
    users: BTreeSet<Id<User>>,
    /// The users with an assignment of any kind.
    all_users: BTreeSet<Id<User>>,
    groups: BTreeSet<Id<Group>>,
    pushed: BTreeMap<Id<Group>, PushMapping>,
}

impl Current {
    /// Returns whether the push of a group is switched off.
    fn is_inactive(&self, group: &Id<Group>) -> bool {
        let mapping = self.pushed.get(group);
        mapping.is_some_and(|mapping| mapping.status == PushStatus::Inactive)
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

    async fn read_current(&self, app: &Id<App>) -> Result<Current> {
        let failed = |what: &str| {
            let what = format!("the {what} of app {app} could not be read from Okta");
            move |error| Error::service(what, error)
        };
        let apps = self.okta.apps();
        let users = apps
            .users(app)
            .try_collect()
            .await
            .map_err(failed("assigned users"))?;
        let groups = apps
            .groups(app)
            .try_collect()
            .await
            .map_err(failed("assigned groups"))?;
        let pushed = self
            .okta
            .push_mappings(app)
            .list()
            .try_collect()
            .await
            .map_err(failed("pushed groups"))?;
        Ok(Current {
            all_users: users.iter().map(|user| user.id.clone()).collect(),
            // A user that is assigned only through a group loses access with that group. A user that the blueprint
            // names therefore needs an individual assignment.
            users: users
                .into_iter()
                .filter(|user| user.scope == AppUserScope::User)
                .map(|user| user.id)
                .collect(),
            groups: groups.into_iter().map(|group| group.id).collect(),
            pushed: pushed
                .into_iter()
                .map(|mapping| (mapping.source_group.clone(), mapping))
                .collect(),
        })
    }

    async fn apply_desired(&self, app: &Id<App>, desired: Desired<'_>) -> Result<()> {
        let apps = self.okta.apps();
        match desired {
            Desired::User(user) => {
                apps.assign_user(app, &user.id).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not assign user {} to the app", user.profile.login),
                        error,
                    )
                })?;
            }
            Desired::Assigned(group) => {
                apps.assign_group(app, &group.id).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not assign group {} to the app", group.name),
                        error,
                    )
                })?;
            }
            Desired::Pushed(GroupWithMembers { group, .. }) => {
                let failed = |error| {
                    Error::service(format!("Okta did not push group {}", group.name), error)
                };
                let mappings = self.okta.push_mappings(app);
                let known = mappings.list().try_collect().await.map_err(failed)?;
                match known
                    .into_iter()
                    .find(|mapping| mapping.source_group == group.id)
                {
                    Some(mapping) if mapping.status == PushStatus::Inactive => {
                        mappings
                            .set_status(&mapping.id, PushActivation::Active)
                            .await
                            .map_err(failed)?;
                    }
                    Some(_) => {}
                    None => {
                        let new = NewPushMapping {
                            source_group: group.id.clone(),
                            target: PushTarget::NewGroup(group.name.clone()),
                        };
                        mappings.create(&new).await.map_err(failed)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Desired<'_> {
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
    // Groups are pushed last, because a push includes only members that are already assigned.
    let pushes_groups = mode == ProvisioningMode::Okta;
    let pushed = scope
        .pushed
        .iter()
        .filter(move |_| pushes_groups)
        .map(Desired::Pushed);
    users.chain(assigned).chain(pushed)
}

/// Returns the change that `desired` needs, if any, and the error of a failed push.
fn plan_desired(desired: &Desired<'_>, current: &Current) -> (Option<Change>, Option<Error>) {
    let create = || Some(Change::new(Action::Create, desired.subject()));
    match desired {
        Desired::User(user) if current.users.contains(&user.id) => (None, None),
        Desired::Assigned(group) if current.groups.contains(&group.id) => (None, None),
        Desired::Pushed(GroupWithMembers { group, .. }) => match current.pushed.get(&group.id) {
            None => (create(), None),
            Some(mapping) => match mapping.status {
                PushStatus::Error => (None, Some(failed_push(&group.name, mapping))),
                _ => (None, None),
            },
        },
        _ => (create(), None),
    }
}

/// Returns the error of a group that Okta could not push. A failed push needs the operator, so waiting would not help.
pub(super) fn failed_push(group: &str, mapping: &PushMapping) -> Error {
    let why = mapping.error_summary.as_deref();
    Error::new(
        ErrorKind::UnusableSubject,
        format!(
            "Okta could not push group {group} to AWS: {}",
            why.unwrap_or("no reason given")
        ),
    )
    .with_help("fix the cause in Okta under Push Groups of the app, push the group again there, then run again")
}

/// Returns the error if a group would be both assigned and pushed.
///
/// Okta and AWS do not support both for one group: members can be missing, or stay in AWS after they left the group. The
/// parser of the blueprint validates only the blueprint; this function also checks the app's current assignments and
/// pushes.
///
/// Sources: AWS "Configure SAML and SCIM with Okta"; Okta "Group Push troubleshooting".
fn assigned_and_pushed(desired: &Desired<'_>, current: &Current) -> Option<Error> {
    let (group, existing, wanted, help) = match desired {
        Desired::Pushed(GroupWithMembers { group, .. }) if current.groups.contains(&group.id) => (
            group,
            "assigned to the app",
            "pushed",
            "assign its members through another group (provisioning.assign_groups), unassign this group in Okta, then run again",
        ),
        Desired::Assigned(group) if current.pushed.contains_key(&group.id) => (
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
            let app = cx.facts(|facts| facts.app.clone());
            let current = match &app {
                Some(app) => self.read_current(app).await?,
                None => Current::default(),
            };
            let mut planned = Planned {
                notes: scope.notes(),
                problems: scope.problems.clone(),
                ..Planned::default()
            };
            let mode = self.blueprint.provisioning.mode;
            let adoption = Adoption {
                okta: &self.okta,
                aws: &self.aws,
                blueprint: &self.blueprint,
            };
            // In direct mode, the sync plans the adoptions.
            if mode == ProvisioningMode::Okta {
                let is_assigned = |id: &Id<User>| current.all_users.contains(id);
                let is_pushed = |id: &Id<Group>| current.pushed.contains_key(id);
                let planned = &mut planned;
                adoption
                    .plan(&scope, is_assigned, is_pushed, planned, cx)
                    .await?;
            }
            for desired in all_desired(&scope, mode) {
                if mode == ProvisioningMode::Okta
                    && let Some(error) = assigned_and_pushed(&desired, &current)
                {
                    planned.problem(desired.subject(), &error);
                    continue;
                }
                if let Desired::Pushed(members) = desired
                    && current.is_inactive(&members.group.id)
                {
                    let change = adoption.plan_reactivation(members, cx).await?;
                    planned.changes.push(change);
                    continue;
                }
                let (change, failed) = plan_desired(&desired, &current);
                planned.changes.extend(change);
                if let Some(error) = failed {
                    planned.problem(desired.subject(), &error);
                }
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            // Okta takes over the user or group with the assignment or the push, which follows.
            if change.action == Action::Adopt {
                return Ok(Applied::Done);
            }
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let app = cx
                .facts(|facts| facts.app.clone())
                .ok_or_else(|| lookup::missing_prerequisite("the Okta app", &ids::CATALOG_APP))?;
            let desired = all_desired(&scope, self.blueprint.provisioning.mode)
                .find(|desired| desired.subject() == change.subject)
                .ok_or_else(|| unknown_change(&self.id(), change))?;
            self.apply_desired(&app, desired).await?;
            Ok(Applied::Done)
        })
    }

    /// Each assignment and each push is independent of the others.
    fn chain(&self, change: &Change) -> Option<Subject> {
        Some(change.subject.clone())
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::AppUser, Kind::AppGroup, Kind::GroupPush]
    }

    /// A push or an assignment that would adopt a group or a user is not made if the adoption is not.
    fn needs(&self, change: &Change) -> Vec<Need> {
        let mut needs = change.subject.needs();
        needs.extend(match &change.subject {
            Subject::GroupPush { group } => Some(Need::Subject(Subject::group(group.clone()))),
            Subject::AppUser { login } => Some(Need::Subject(Subject::user(login.clone()))),
            _ => None,
        });
        needs
    }
}
