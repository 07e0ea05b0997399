//! People are assigned to the app, and groups are pushed.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use okta_client::{
    App, AppUserScope, Client as Okta, Group, Id, NewPushMapping, PushMapping, PushStatus,
    PushSwitch, PushTarget, User,
};

use crate::{
    blueprint::{Blueprint, ProvisioningMode},
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    step::{Applied, Context, Planned, Step, unknown_change},
};

/// The blueprint's users and groups are assigned to the app, and its groups are pushed unless runs write them.
///
/// Nobody is unassigned, and no mapping is deleted: what somebody else has set up stays.
#[derive(Clone, Debug)]
pub struct AppAccess {
    okta: Okta,
    blueprint: Blueprint,
}

/// What the app has already.
#[derive(Default)]
struct Current {
    users: BTreeSet<Id<User>>,
    groups: BTreeSet<Id<Group>>,
    pushed: BTreeMap<Id<Group>, PushMapping>,
}

/// One thing that this step makes true.
enum Desired<'a> {
    User(&'a User),
    Assigned(&'a Group),
    Pushed(&'a Group),
}

impl AppAccess {
    /// The step for the people of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            blueprint: blueprint.clone(),
        }
    }

    async fn present(&self, app: &Id<App>) -> Result<Current> {
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
            // A user who is assigned through a group only loses access with it: being named is a desired of its own.
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

    async fn do_wish(&self, app: &Id<App>, desired: Desired<'_>) -> Result<()> {
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
                            .set_status(&mapping.id, PushSwitch::Active)
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

fn desired_all(scope: &ResolvedScope, mode: ProvisioningMode) -> impl Iterator<Item = Desired<'_>> {
    let users = scope.users.iter().map(Desired::User);
    let assigned = scope
        .assigned
        .iter()
        .map(|members| Desired::Assigned(&members.group));
    // Pushed last: a push carries the members who are assigned by then.
    let by_okta = mode == ProvisioningMode::Okta;
    let pushed = scope
        .pushed
        .iter()
        .filter(move |_| by_okta)
        .map(|members| Desired::Pushed(&members.group));
    users.chain(assigned).chain(pushed)
}

fn planned(desired: &Desired<'_>, present: &Current) -> (Option<Change>, Option<String>) {
    let create = || Some(Change::new(Action::Create, desired.target()));
    match desired {
        Desired::User(user) if present.users.contains(&user.id) => (None, None),
        Desired::Assigned(group) if present.groups.contains(&group.id) => (None, None),
        Desired::Pushed(group) => match present.pushed.get(&group.id) {
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

/// Okta and AWS both say that one group cannot be assigned and pushed: its members go missing or linger (AWS
/// "Configure SAML and SCIM with Okta", Okta "Group Push troubleshooting"). The blueprint is checked for itself; this
/// looks at what somebody has set up before.
fn refuse_both(scope: &ResolvedScope, present: &Current) -> Result<()> {
    let refused = |group: &Group, now: &str, wanted: &str, help: &str| {
        Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "group {} is {now} already and would be {wanted}: Okta and AWS do not support both for one group, as its members go missing or linger in AWS",
                group.name
            ),
        )
        .with_help(help))
    };
    for GroupWithMembers { group, .. } in &scope.pushed {
        if present.groups.contains(&group.id) {
            return refused(
                group,
                "assigned to the app",
                "pushed",
                "assign its members through another group (provisioning.assign_groups), unassign this one in Okta, and run again",
            );
        }
    }
    for GroupWithMembers { group, .. } in &scope.assigned {
        if present.pushed.contains_key(&group.id) {
            return refused(
                group,
                "pushed",
                "assigned to the app",
                "name another group in provisioning.assign_groups: this one may have access in AWS",
            );
        }
    }
    Ok(())
}

impl Step for AppAccess {
    fn id(&self) -> StepId {
        StepId::new("app-access")
    }

    fn title(&self) -> String {
        "Users and groups in the Okta app".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let app = cx.facts(|facts| facts.app.clone());
            let present = match &app {
                Some(app) => self.present(app).await?,
                None => Current::default(),
            };
            let mut result = Planned {
                changes: Vec::new(),
                notes: scope.notes(),
            };
            let mode = self.blueprint.provisioning.mode;
            if mode == ProvisioningMode::Okta {
                refuse_both(scope, &present)?;
            }
            for desired in desired_all(scope, mode) {
                let (change, note) = planned(&desired, &present);
                result.changes.extend(change);
                result.notes.extend(note);
            }
            Ok(result)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let app = cx
                .facts(|facts| facts.app.clone())
                .ok_or_else(|| super::missing("the Okta app", "catalog-app"))?;
            let desired = desired_all(scope, self.blueprint.provisioning.mode)
                .find(|desired| desired.target() == change.target)
                .ok_or_else(|| unknown_change(&self.id(), change))?;
            self.do_wish(&app, desired).await?;
            Ok(Applied::Done)
        })
    }
}
