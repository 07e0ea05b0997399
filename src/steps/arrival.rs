//! Step `arrival`: the provisioned users and groups have arrived in AWS's identity store.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{Aws, IdentityUser, UserId};
use futures::future::BoxFuture;
use okta_client::{Client as Okta, Group, Id, PushMapping, PushStatus, User};

use super::{ids, lookup};
use crate::{
    aws_user_name::AppAssignments,
    blueprint::{Blueprint, PrincipalSpec, WaitFor},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId, count},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    step::{Applied, Check, Planned, Step, Waiting},
};

/// Waits until AWS's identity store has the users, groups and memberships that Okta provisions.
///
/// Okta provisions in the background and confirms nothing, so the step compares the identity store with the blueprint. It
/// lists each missing part with its status in Okta.
#[derive(Clone, Debug)]
pub struct Arrival {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// The users, groups and memberships that are missing in AWS.
#[derive(Default)]
struct Missing {
    users: Vec<(Id<User>, MissingUser)>,
    groups: Vec<String>,
    memberships: Vec<(String, String)>,
    /// Memberships that AWS has but Okta does not. The step does not wait for their removal; `verify` reports them.
    extra_memberships: Vec<(String, String)>,
}

/// A user that has not arrived in AWS, or is disabled there.
struct MissingUser {
    login: String,
    /// The user's name in AWS.
    name: String,
    /// Whether AWS has a user with this name that is disabled.
    disabled: bool,
}

impl Missing {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.memberships.is_empty()
    }

    /// Keeps only the parts that must arrive before access is assigned (`provisioning.wait_for`).
    fn only_awaited(mut self, blueprint: &Blueprint) -> Self {
        if blueprint.provisioning.wait_for == WaitFor::Access {
            let has_access = |principal: &PrincipalSpec| {
                blueprint
                    .access
                    .iter()
                    .any(|access| access.principal() == *principal)
            };
            self.users
                .retain(|(_, user)| has_access(&PrincipalSpec::User(user.login.clone())));
            self.groups
                .retain(|group| has_access(&PrincipalSpec::Group(group.clone())));
            self.memberships.clear();
        }
        self
    }
}

impl Arrival {
    /// Creates the step for the users and groups of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    async fn read_assignments(&self, cx: &Context) -> Result<AppAssignments> {
        let app = cx.facts(|facts| facts.app.clone());
        AppAssignments::read(&self.okta, app.as_ref()).await
    }

    /// Returns the parts of the scope that the identity store does not have.
    async fn find_missing(
        &self,
        scope: &ResolvedScope,
        assigned: &AppAssignments,
        cx: &Context,
    ) -> Result<Missing> {
        let name = |user: &User| assigned.aws_user_name(user).to_owned();
        let missing_user = |user: &User, disabled| {
            let missing_user = MissingUser {
                login: user.profile.login.clone(),
                name: name(user),
                disabled,
            };
            (user.id.clone(), missing_user)
        };
        let mut missing = Missing::default();
        let Some(center) = lookup::identity_center(&self.aws, cx) else {
            missing.users = scope
                .provisionable_users()
                .map(|user| missing_user(user, false))
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
            .try_collect()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|user| (user.user_name.clone(), user))
            .collect();
        let groups: BTreeMap<String, _> = store
            .groups()
            .try_collect()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|group| (group.display_name, group.id))
            .collect();
        for user in scope.provisionable_users() {
            match users.get(&name(user)) {
                Some(found) if found.active != Some(false) => {}
                found => missing.users.push(missing_user(user, found.is_some())),
            }
        }
        for members in &scope.pushed {
            let Some(id) = groups.get(&members.group.name) else {
                missing.groups.push(members.group.name.clone());
                continue;
            };
            let members_in_aws: BTreeSet<UserId> = store
                .members(id)
                .try_collect()
                .await
                .map_err(failed)?
                .into_iter()
                .collect();
            for user in scope.provisionable_members(members) {
                // A user that has not arrived is already listed as a missing user, so the membership is not listed.
                if let Some(found) = users.get(&name(user))
                    && !members_in_aws.contains(&found.id)
                {
                    missing
                        .memberships
                        .push((name(user), members.group.name.clone()));
                }
            }
            let members_in_okta: BTreeSet<String> = members.users.iter().map(name).collect();
            let extra_members = users.values().filter(|user| {
                members_in_aws.contains(&user.id) && !members_in_okta.contains(&user.user_name)
            });
            missing.extra_memberships.extend(
                extra_members.map(|user| (user.user_name.clone(), members.group.name.clone())),
            );
        }
        Ok(missing)
    }

    /// Describes each missing part with its status in Okta.
    async fn describe_missing(
        &self,
        missing: &Missing,
        assigned: &AppAssignments,
        cx: &Context,
    ) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for (id, MissingUser { name, disabled, .. }) in &missing.users {
            let why = match assigned.get(id) {
                _ if *disabled => "exists in AWS, but is disabled".to_owned(),
                None => "Okta: not assigned to the app".to_owned(),
                Some(user) => {
                    let sync = user
                        .sync_state
                        .as_ref()
                        .map(|state| format!(", sync {state}"))
                        .unwrap_or_default();
                    format!("Okta: {}{sync}", user.status)
                }
            };
            lines.push(format!("user {name} ({why})"));
        }
        if missing.groups.is_empty() && missing.memberships.is_empty() {
            return Ok(lines);
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
        let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
        reject_failed_pushes(missing, &scope, &mappings)?;
        let status = |group: &str| {
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
        lines.extend(
            missing
                .groups
                .iter()
                .map(|group| format!("group {group} (Okta: {})", status(group))),
        );
        lines.extend(missing.memberships.iter().map(|(user, group)| {
            format!(
                "membership of {user} in group {group} (Okta: {})",
                status(group)
            )
        }));
        Ok(lines)
    }
}

/// Fails if Okta could not push a missing group, or a group with a missing membership.
///
/// Waiting would not help: a failed push needs the operator.
fn reject_failed_pushes(
    missing: &Missing,
    scope: &ResolvedScope,
    mappings: &BTreeMap<Id<Group>, PushMapping>,
) -> Result<()> {
    for GroupWithMembers { group, .. } in &scope.pushed {
        let is_missing = missing.groups.contains(&group.name)
            || missing
                .memberships
                .iter()
                .any(|(_, name)| *name == group.name);
        if let Some(mapping) = mappings.get(&group.id)
            && mapping.status == PushStatus::Error
            && is_missing
        {
            let why = mapping
                .error_summary
                .as_deref()
                .unwrap_or("no reason given");
            return Err(Error::new(ErrorKind::UnusableSubject, format!("Okta could not push group {} to AWS: {why}", group.name))
                .with_help("fix the cause in Okta under Push Groups of the app, push the group again there, then run again"));
        }
    }
    Ok(())
}

impl Step for Arrival {
    fn id(&self) -> StepId {
        ids::ARRIVAL
    }

    fn title(&self) -> String {
        "Arrival of users and groups in AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.read_assignments(cx).await?;
            let missing = self
                .find_missing(&scope, &assigned, cx)
                .await?
                .only_awaited(&self.blueprint);
            if missing.is_empty() {
                return Ok(Planned::nothing());
            }
            // The number of missing parts decreases between two plans without a write of this run. The number is therefore
            // a note: as part of the change, it would make the plan stale.
            let planned = Planned::one(Change::new(
                Action::Wait,
                "users and groups to arrive through SCIM",
            ));
            Ok(planned.note(format!(
                "missing in AWS now: {}, {}, {}",
                count(missing.users.len(), "user"),
                count(missing.groups.len(), "group"),
                count(missing.memberships.len(), "membership")
            )))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.read_assignments(cx).await?;
            let missing = self
                .find_missing(&scope, &assigned, cx)
                .await?
                .only_awaited(&self.blueprint);
            if missing.is_empty() {
                return Ok(Applied::Done);
            }
            Ok(Applied::Waiting(Waiting {
                on: "users and groups to arrive in AWS".to_owned(),
                missing: self.describe_missing(&missing, &assigned, cx).await?,
            }))
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.read_assignments(cx).await?;
            let missing = self.find_missing(&scope, &assigned, cx).await?;
            let mut checks: Vec<Check> = match self.describe_missing(&missing, &assigned, cx).await
            {
                Ok(lines) => lines
                    .into_iter()
                    .map(|line| Check::failed(format!("missing in AWS: {line}")))
                    .collect(),
                Err(error) if error.kind() == ErrorKind::UnusableSubject => {
                    vec![Check::failed(error.to_string())]
                }
                Err(error) => return Err(error),
            };
            for (user, group) in &missing.extra_memberships {
                checks.push(Check::failed(format!(
                    "{user} is a member of group {group} in AWS but not in Okta"
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
