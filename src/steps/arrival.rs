//! Those who were assigned and pushed in Okta are in the identity store of AWS.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{Aws, IdentityUser, UserId};
use futures::future::BoxFuture;
use okta_client::{AppUser, Client as Okta, Group, Id, PushMapping, PushStatus, User};

use crate::{
    blueprint::{Blueprint, PrincipalSpec, WaitFor},
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    step::{Applied, Check, Context, Planned, Step, Waiting},
};

/// Those who were assigned and pushed in Okta have arrived in the identity store of AWS.
///
/// This is the hop that nothing confirms: Okta provisions in the background. What is missing is listed, with what Okta
/// says about it.
#[derive(Clone, Debug)]
pub struct Arrival {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// What has not arrived.
#[derive(Default)]
struct Missing {
    users: Vec<(Id<User>, Absent)>,
    groups: Vec<String>,
    memberships: Vec<(String, String)>,
    /// Who is in a group in AWS and not in Okta: nobody waits for them to go, and verification finds them.
    lingering: Vec<(String, String)>,
}

/// A user who has not arrived.
struct Absent {
    login: String,
    name: String,
    /// In AWS there is one of that name, and they are disabled.
    disabled: bool,
}

impl Missing {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.memberships.is_empty()
    }

    /// What has to arrive before anybody is given access.
    fn awaited(mut self, blueprint: &Blueprint) -> Self {
        if blueprint.provisioning.wait_for == WaitFor::Access {
            let named = |principal: &PrincipalSpec| {
                blueprint
                    .access
                    .iter()
                    .any(|access| access.principal() == *principal)
            };
            self.users
                .retain(|(_, user)| named(&PrincipalSpec::User(user.login.clone())));
            self.groups
                .retain(|group| named(&PrincipalSpec::Group(group.clone())));
            self.memberships.clear();
        }
        self
    }
}

impl Arrival {
    /// The step for the people of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    /// What Okta says about everybody assigned to the app.
    async fn app_users(&self, cx: &Context) -> Result<BTreeMap<Id<User>, AppUser>> {
        let Some(app) = cx.facts(|facts| facts.app.clone()) else {
            return Ok(BTreeMap::new());
        };
        let users = self
            .okta
            .apps()
            .users(&app)
            .try_collect()
            .await
            .map_err(|error| {
                Error::service(
                    format!("the assigned users of app {app} could not be read from Okta"),
                    error,
                )
            })?;
        Ok(users
            .into_iter()
            .map(|user| (user.id.clone(), user))
            .collect())
    }

    async fn missing(
        &self,
        scope: &ResolvedScope,
        assigned: &BTreeMap<Id<User>, AppUser>,
        cx: &Context,
    ) -> Result<Missing> {
        let name = |user: &User| user_name(assigned, user);
        let absent = |user: &User, disabled| {
            let absent = Absent {
                login: user.profile.login.clone(),
                name: name(user),
                disabled,
            };
            (user.id.clone(), absent)
        };
        let mut missing = Missing::default();
        let Some(center) = super::identity_center(&self.aws, cx) else {
            missing.users = scope
                .provisionable_users()
                .map(|user| absent(user, false))
                .collect();
            missing.groups = scope
                .pushed
                .iter()
                .map(|members| members.group.name.clone())
                .collect();
            return Ok(missing);
        };
        let failed = |error| Error::service("the identity store could not be read from AWS", error);
        let store = center.identity_store();
        let users: BTreeMap<String, IdentityUser> = store
            .users()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|user| (user.user_name.clone(), user))
            .collect();
        let groups: BTreeMap<String, _> = store
            .groups()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|group| (group.display_name, group.id))
            .collect();
        for user in scope.provisionable_users() {
            match users.get(&name(user)) {
                Some(found) if found.active != Some(false) => {}
                found => missing.users.push(absent(user, found.is_some())),
            }
        }
        for members in &scope.pushed {
            let Some(id) = groups.get(&members.group.name) else {
                missing.groups.push(members.group.name.clone());
                continue;
            };
            let present: BTreeSet<UserId> = store
                .members(id)
                .await
                .map_err(failed)?
                .into_iter()
                .collect();
            for user in scope.provisionable_members(members) {
                // Who has not arrived at all is listed once.
                if let Some(found) = users.get(&name(user))
                    && !present.contains(&found.id)
                {
                    missing
                        .memberships
                        .push((name(user), members.group.name.clone()));
                }
            }
            let members_in_okta: BTreeSet<String> = members.users.iter().map(name).collect();
            let lingering = users.values().filter(|user| {
                present.contains(&user.id) && !members_in_okta.contains(&user.user_name)
            });
            missing
                .lingering
                .extend(lingering.map(|user| (user.user_name.clone(), members.group.name.clone())));
        }
        Ok(missing)
    }

    /// What is missing, in words, with what Okta says about it.
    async fn reasons(
        &self,
        missing: &Missing,
        assigned: &BTreeMap<Id<User>, AppUser>,
        cx: &Context,
    ) -> Result<Vec<String>> {
        let mut reasons = Vec::new();
        for (id, Absent { name, disabled, .. }) in &missing.users {
            let why = match assigned.get(id) {
                _ if *disabled => "there, and disabled in AWS".to_owned(),
                None => "not assigned to the app".to_owned(),
                Some(user) => {
                    let sync = user
                        .sync_state
                        .as_ref()
                        .map(|state| format!(", sync {state}"))
                        .unwrap_or_default();
                    format!("{}{sync}", user.status)
                }
            };
            reasons.push(format!("user {name} (Okta: {why})"));
        }
        if missing.groups.is_empty() && missing.memberships.is_empty() {
            return Ok(reasons);
        }
        let mut mappings = BTreeMap::new();
        if let Some(app) = cx.facts(|facts| facts.app.clone()) {
            let all = self.okta.push_mappings(&app).list().try_collect().await;
            let all = all.map_err(|error| {
                Error::service("the pushed groups could not be read from Okta", error)
            })?;
            mappings.extend(
                all.into_iter()
                    .map(|mapping| (mapping.source_group.clone(), mapping)),
            );
        }
        let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
        refuse_broken_pushes(missing, scope, &mappings)?;
        let state = |group: &str| {
            let id = scope
                .pushed
                .iter()
                .find(|members| members.group.name == group)
                .map(|members| &members.group.id);
            match id.and_then(|id| mappings.get(id)) {
                None => "not pushed".to_owned(),
                Some(mapping) => match (&mapping.status, &mapping.error_summary) {
                    (PushStatus::Error, Some(why)) => format!("ERROR: {why}"),
                    (status, _) => status.to_string(),
                },
            }
        };
        reasons.extend(
            missing
                .groups
                .iter()
                .map(|group| format!("group {group} (Okta: {})", state(group))),
        );
        reasons.extend(
            missing
                .memberships
                .iter()
                .map(|(user, group)| format!("{user} in group {group} (Okta: {})", state(group))),
        );
        Ok(reasons)
    }
}

/// A push that has failed does not mend itself, so nobody waits for it.
fn refuse_broken_pushes(
    missing: &Missing,
    scope: &ResolvedScope,
    mappings: &BTreeMap<Id<Group>, PushMapping>,
) -> Result<()> {
    for GroupWithMembers { group, .. } in &scope.pushed {
        let concerned = missing.groups.contains(&group.name)
            || missing
                .memberships
                .iter()
                .any(|(_, name)| *name == group.name);
        if let Some(mapping) = mappings.get(&group.id)
            && mapping.status == PushStatus::Error
            && concerned
        {
            let why = mapping
                .error_summary
                .as_deref()
                .unwrap_or("no reason given");
            return Err(Error::new(ErrorKind::UnusableSubject, format!("Okta could not push group {} to AWS: {why}", group.name))
                .with_help("see to the reason under Push Groups of the app in Okta, push the group again there, then run again"));
        }
    }
    Ok(())
}

/// The name a user has in AWS: what Okta says it sends, or the login until Okta says.
fn user_name(assigned: &BTreeMap<Id<User>, AppUser>, user: &User) -> String {
    let sent = assigned
        .get(&user.id)
        .and_then(|assigned| assigned.user_name.clone());
    sent.unwrap_or_else(|| user.profile.login.clone())
}

impl Step for Arrival {
    fn id(&self) -> StepId {
        StepId::new("arrival")
    }

    fn title(&self) -> String {
        "Users and groups in AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.app_users(cx).await?;
            let missing = self
                .missing(scope, &assigned, cx)
                .await?
                .awaited(&self.blueprint);
            if missing.is_empty() {
                return Ok(Planned::nothing());
            }
            // How many are missing falls by itself between two plans, so it is a remark and not part of the change.
            let planned = Planned::one(Change::new(
                Action::Wait,
                "users and groups to arrive through SCIM",
            ));
            Ok(planned.note(format!(
                "missing in AWS now: {} users, {} groups, {} memberships",
                missing.users.len(),
                missing.groups.len(),
                missing.memberships.len()
            )))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.app_users(cx).await?;
            let missing = self
                .missing(scope, &assigned, cx)
                .await?
                .awaited(&self.blueprint);
            if missing.is_empty() {
                return Ok(Applied::Done);
            }
            Ok(Applied::Waiting(Waiting {
                on: "users and groups to arrive in AWS".to_owned(),
                missing: self.reasons(&missing, &assigned, cx).await?,
            }))
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let scope = super::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.app_users(cx).await?;
            let missing = self.missing(scope, &assigned, cx).await?;
            let mut checks: Vec<Check> = match self.reasons(&missing, &assigned, cx).await {
                Ok(reasons) => reasons
                    .into_iter()
                    .map(|reason| Check::failed(format!("missing in AWS: {reason}")))
                    .collect(),
                Err(error) if error.kind() == ErrorKind::UnusableSubject => {
                    vec![Check::failed(error.to_string())]
                }
                Err(error) => return Err(error),
            };
            for (user, group) in &missing.lingering {
                checks.push(Check::failed(format!(
                    "{user} is in group {group} in AWS, and not in Okta"
                )));
            }
            Ok(if checks.is_empty() {
                vec![Check::verified(self.title())]
            } else {
                checks
            })
        })
    }
}
