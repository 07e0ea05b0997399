//! Step `app-access`: users and groups are assigned to the Okta app, and groups are pushed.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use okta_client::{
    App, AppUserScope, Client as Okta, Group, Id, NewPushMapping, PushActivation, PushMapping,
    PushStatus, PushTarget, User,
};

use super::{ids, lookup};
use crate::{
    blueprint::{Blueprint, ProvisioningMode},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    step::{Applied, Planned, Step, unknown_change},
};

/// Assigns the blueprint's users and groups to the app, and pushes its groups if `provisioning.mode` is `okta`.
///
/// The step unassigns no user or group and deletes no push mapping, so manual assignments and mappings stay.
#[derive(Clone, Debug)]
pub struct AppAccess {
    okta: Okta,
    blueprint: Blueprint,
}

/// The assignments and push mappings that the app has now.
#[derive(Default)]
struct Current {
    users: BTreeSet<Id<User>>,
    groups: BTreeSet<Id<Group>>,
    pushed: BTreeMap<Id<Group>, PushMapping>,
}

/// An assignment or push that the blueprint asks for.
enum Desired<'a> {
    User(&'a User),
    Assigned(&'a Group),
    Pushed(&'a Group),
}

impl AppAccess {
    /// Creates the step for the users and groups of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
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
            Desired::Pushed(group) => {
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
    fn target(&self) -> String {
        match self {
            Self::User(user) => format!("user {} assigned to the app", user.profile.login),
            Self::Assigned(group) => format!("group {} assigned to the app", group.name),
            Self::Pushed(group) => format!("group {} pushed to AWS", group.name),
        }
    }
}

/// Returns the assignments and pushes of the blueprint, in the order in which they are made.
fn all_desired(scope: &ResolvedScope, mode: ProvisioningMode) -> impl Iterator<Item = Desired<'_>> {
    let users = scope.users.iter().map(Desired::User);
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
        .map(|members| Desired::Pushed(&members.group));
    users.chain(assigned).chain(pushed)
}

/// Returns the change that `desired` needs, if any, and a note about a failed push.
fn plan_desired(desired: &Desired<'_>, current: &Current) -> (Option<Change>, Option<String>) {
    let create = || Some(Change::new(Action::Create, desired.target()));
    match desired {
        Desired::User(user) if current.users.contains(&user.id) => (None, None),
        Desired::Assigned(group) if current.groups.contains(&group.id) => (None, None),
        Desired::Pushed(group) => match current.pushed.get(&group.id) {
            None => (create(), None),
            Some(mapping) => match mapping.status {
                PushStatus::Inactive => (
                    Some(Change::new(Action::Update, desired.target()).from_to(
                        "status",
                        Some("INACTIVE".into()),
                        "ACTIVE",
                    )),
                    None,
                ),
                PushStatus::Error => {
                    let why = mapping
                        .error_summary
                        .as_deref()
                        .unwrap_or("no reason given");
                    (
                        None,
                        Some(format!("Okta could not push group {}: {why}", group.name)),
                    )
                }
                _ => (None, None),
            },
        },
        _ => (create(), None),
    }
}

/// Fails if a group would be both assigned and pushed.
///
/// Okta and AWS do not support both for one group: members can be missing, or stay in AWS after they left the group. The
/// parser of the blueprint validates only the blueprint; this function also checks the app's current assignments and
/// pushes.
///
/// Sources: AWS "Configure SAML and SCIM with Okta"; Okta "Group Push troubleshooting".
fn reject_assigned_and_pushed(scope: &ResolvedScope, current: &Current) -> Result<()> {
    let conflict = |group: &Group, existing: &str, desired: &str, help: &str| {
        Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "group {} is already {existing} and cannot also be {desired}: Okta and AWS do not support both for one group, because members can be missing or stay in AWS after they left",
                group.name
            ),
        )
        .with_help(help))
    };
    for GroupWithMembers { group, .. } in &scope.pushed {
        if current.groups.contains(&group.id) {
            return conflict(
                group,
                "assigned to the app",
                "pushed",
                "assign its members through another group (provisioning.assign_groups), unassign this group in Okta, then run again",
            );
        }
    }
    for GroupWithMembers { group, .. } in &scope.assigned {
        if current.pushed.contains_key(&group.id) {
            return conflict(
                group,
                "pushed",
                "assigned to the app",
                "use another group in provisioning.assign_groups, because this group may have access in AWS",
            );
        }
    }
    Ok(())
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
            let mut result = Planned {
                changes: Vec::new(),
                notes: scope.notes(),
            };
            let mode = self.blueprint.provisioning.mode;
            if mode == ProvisioningMode::Okta {
                reject_assigned_and_pushed(&scope, &current)?;
            }
            for desired in all_desired(&scope, mode) {
                let (change, note) = plan_desired(&desired, &current);
                result.changes.extend(change);
                result.notes.extend(note);
            }
            Ok(result)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let app = cx
                .facts(|facts| facts.app.clone())
                .ok_or_else(|| lookup::missing_prerequisite("the Okta app", &ids::CATALOG_APP))?;
            let desired = all_desired(&scope, self.blueprint.provisioning.mode)
                .find(|desired| desired.target() == change.target)
                .ok_or_else(|| unknown_change(&self.id(), change))?;
            self.apply_desired(&app, desired).await?;
            Ok(Applied::Done)
        })
    }
}
