//! Step `arrival`: the provisioned users and groups have arrived in AWS's identity store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sso_glue::{Aws, IdentityUser, UserId};
use futures::future::BoxFuture;
use okta_client::{Client as Okta, Id, PushMapping, PushStatus, User};

use super::{app_access::failed_push, ids, lookup};
use crate::{
    aws_user_name::AppAssignments,
    batch::{Batch, Waiting},
    blueprint::{Blueprint, PrincipalSpec, WaitFor},
    context::Context,
    error::{Error, ErrorKind, Result},
    outcome::Outcome,
    plan::{Action, Change, Kind, StepId, Subject},
    resolved_scope::ResolvedScope,
    step::{Applied, Check, Planned, Step},
    sync::identity_store_error,
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
    users: BTreeMap<Subject, MissingUser>,
    groups: BTreeSet<Subject>,
    memberships: BTreeSet<Subject>,
    /// Memberships that AWS has but Okta does not. The step does not wait for their removal; `verify` reports them.
    extra_memberships: Vec<(String, String)>,
}

/// A user that has not arrived in AWS, or is disabled there.
struct MissingUser {
    id: Id<User>,
    /// Whether AWS has a user with this name that is disabled.
    disabled: bool,
}

impl Missing {
    fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.users
            .keys()
            .chain(&self.groups)
            .chain(&self.memberships)
    }

    /// Returns the missing part that each subject waits for.
    ///
    /// The memberships of a group or user that arrives in this run are known only after both have arrived. The group waits for
    /// them if the run waits for it (`is_awaited`), and else the user.
    fn parts(&self, is_awaited: impl Fn(&Subject) -> bool) -> HashMap<Subject, &Subject> {
        let mut parts: HashMap<Subject, &Subject> = self
            .subjects()
            .map(|subject| (subject.clone(), subject))
            .collect();
        for membership in &self.memberships {
            if let Subject::Membership { group, user } = membership
                && !is_awaited(membership)
            {
                let group = Subject::group(group.clone());
                let waiting = if is_awaited(&group) {
                    group
                } else {
                    Subject::user(user.clone())
                };
                parts.entry(waiting).or_insert(membership);
            }
        }
        parts
    }

    /// Keeps only the parts that must arrive before access is assigned (`provisioning.wait_for`).
    fn only_awaited(mut self, blueprint: &Blueprint) -> Self {
        if blueprint.provisioning.wait_for == WaitFor::Access {
            let with_access: BTreeSet<Subject> = blueprint
                .access
                .iter()
                .map(|access| match access.principal() {
                    PrincipalSpec::User(login) => Subject::user(login),
                    PrincipalSpec::Group(name) => Subject::group(name),
                })
                .collect();
            self.users.retain(|user, _| with_access.contains(user));
            self.groups.retain(|group| with_access.contains(group));
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
            let id = user.id.clone();
            (
                Subject::user(&user.profile.login),
                MissingUser { id, disabled },
            )
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
                .map(|members| Subject::group(&members.group.name))
                .collect();
            return Ok(missing);
        };
        let store = center.identity_store();
        let users: BTreeMap<String, IdentityUser> = store
            .users()
            .try_collect()
            .await
            .map_err(identity_store_error)?
            .into_iter()
            .map(|user| (user.user_name.clone(), user))
            .collect();
        let groups: BTreeMap<String, _> = store
            .groups()
            .try_collect()
            .await
            .map_err(identity_store_error)?
            .into_iter()
            .map(|group| (group.display_name, group.id))
            .collect();
        for user in scope.provisionable_users() {
            match users.get(&name(user)) {
                Some(found) if found.active != Some(false) => {}
                found => missing.users.extend([missing_user(user, found.is_some())]),
            }
        }
        for members in &scope.pushed {
            let Some(id) = groups.get(&members.group.name) else {
                missing.groups.insert(Subject::group(&members.group.name));
                continue;
            };
            let members_in_aws: BTreeSet<UserId> = store
                .members(id)
                .try_collect()
                .await
                .map_err(identity_store_error)?
                .into_iter()
                .collect();
            for user in scope.provisionable_members(members) {
                // A user that has not arrived is already listed as a missing user, so the membership is not listed.
                if let Some(found) = users.get(&name(user))
                    && !members_in_aws.contains(&found.id)
                {
                    let membership = Subject::membership(&members.group.name, &user.profile.login);
                    missing.memberships.insert(membership);
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

    /// Returns the reason of each missing part: its status in Okta, or an error if waiting would not help.
    async fn reasons(
        &self,
        missing: &Missing,
        assigned: &AppAssignments,
        cx: &Context,
    ) -> Result<BTreeMap<Subject, Result<String>>> {
        let mut reasons = BTreeMap::new();
        for (subject, MissingUser { id, disabled }) in &missing.users {
            let reason = match assigned.get(id) {
                _ if *disabled => "exists in AWS, but is disabled".to_owned(),
                None => "Okta: not assigned to the app".to_owned(),
                Some(user) => {
                    let state = user.sync_state.as_ref();
                    let sync = state.map(|state| format!(", sync {state}"));
                    format!("Okta: {}{}", user.status, sync.unwrap_or_default())
                }
            };
            reasons.insert(subject.clone(), Ok(reason));
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
        let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
        let status: BTreeMap<&str, Result<String, &PushMapping>> = scope
            .pushed
            .iter()
            .map(|members| {
                let status = match mappings.get(&members.group.id) {
                    None => Ok("not pushed".to_owned()),
                    Some(mapping) if mapping.status == PushStatus::Error => Err(mapping),
                    Some(mapping) => Ok(mapping.status.to_string()),
                };
                (members.group.name.as_str(), status)
            })
            .collect();
        for subject in missing.groups.iter().chain(&missing.memberships) {
            let (Subject::Group { name: group } | Subject::Membership { group, .. }) = subject
            else {
                continue;
            };
            let reason = match status.get(&**group) {
                None => Ok("Okta: not pushed".to_owned()),
                Some(Ok(status)) => Ok(format!("Okta: {status}")),
                Some(Err(mapping)) => Err(failed_push(group, mapping)),
            };
            reasons.insert(subject.clone(), reason);
        }
        Ok(reasons)
    }

    /// Returns what is missing now and must arrive before access is assigned.
    async fn awaited(&self, cx: &Context) -> Result<(Missing, AppAssignments)> {
        let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
        let assigned = self.read_assignments(cx).await?;
        let missing = self.find_missing(&scope, &assigned, cx).await?;
        Ok((missing.only_awaited(&self.blueprint), assigned))
    }
}

impl Step for Arrival {
    fn id(&self) -> StepId {
        ids::ARRIVAL
    }

    fn title(&self) -> String {
        "Arrival of users and groups in AWS".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::User, Kind::Group]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (missing, _) = self.awaited(cx).await?;
            let waits = missing.subjects().cloned();
            let waits = waits.map(|subject| Change::new(Action::Wait, subject));
            Ok(Planned::changes(waits.collect()))
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let (missing, assigned) = self.awaited(cx).await?;
            let parts = missing.parts(|subject| *subject == change.subject);
            let Some(part) = parts.get(&change.subject) else {
                return Ok(Applied::Done);
            };
            let mut reasons = self.reasons(&missing, &assigned, cx).await?;
            let reason = reasons.remove(*part).transpose()?;
            Ok(Applied::Waiting(Waiting {
                on: format!("{part} to arrive in AWS"),
                missing: reason.into_iter().collect(),
            }))
        })
    }

    /// Waits for all users and groups together: one look at the identity store serves all of them.
    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut pending = BTreeMap::new();
            for (index, change) in batch.changes().iter().enumerate() {
                if batch.start(index).await? {
                    pending.insert(&change.subject, index);
                }
            }
            let awaited: BTreeSet<&Subject> = pending.keys().copied().collect();
            while !pending.is_empty() {
                let (missing, assigned) = self.awaited(cx).await?;
                let parts = missing.parts(|subject| awaited.contains(subject));
                let mut reasons = self.reasons(&missing, &assigned, cx).await?;
                let mut waiting = Vec::new();
                for (subject, index) in std::mem::take(&mut pending) {
                    let Some(part) = parts.get(subject) else {
                        batch.finish(index, Ok(Outcome::Done)).await?;
                        continue;
                    };
                    match reasons.remove(*part).transpose() {
                        Err(error) => batch.finish(index, Err(error)).await?,
                        Ok(reason) => {
                            let reason = reason.map(|reason| format!(" ({reason})"));
                            waiting.push((index, format!("{part}{}", reason.unwrap_or_default())));
                            pending.insert(subject, index);
                        }
                    }
                }
                if waiting.is_empty() {
                    break;
                }
                let waited = batch.wait(Waiting {
                    on: "users and groups to arrive in AWS".to_owned(),
                    missing: waiting.iter().map(|(_, text)| text.clone()).collect(),
                });
                match waited.await {
                    Err(error) if error.kind() == ErrorKind::TimedOut => {
                        for (index, text) in &waiting {
                            let error = Error::new(
                                ErrorKind::TimedOut,
                                format!(
                                    "no progress within the stall timeout: {text} has not arrived in AWS"
                                ),
                            );
                            let error = error.with_help(
                                "resolve what is missing, then run again: the run resumes here",
                            );
                            batch.finish(*index, Err(error)).await?;
                        }
                        return Ok(());
                    }
                    waited => waited?,
                }
            }
            Ok(())
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let assigned = self.read_assignments(cx).await?;
            let missing = self.find_missing(&scope, &assigned, cx).await?;
            let reasons = self.reasons(&missing, &assigned, cx).await?;
            let mut checks: Vec<Check> = reasons
                .into_iter()
                .map(|(subject, reason)| {
                    Check::failed(match reason {
                        Ok(reason) => format!("missing in AWS: {subject} ({reason})"),
                        Err(error) => error.to_string(),
                    })
                })
                .collect();
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
