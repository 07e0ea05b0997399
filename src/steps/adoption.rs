//! Users and groups that exist in AWS under the name of one that Okta is about to provision.
//!
//! SCIM has no other key than the name: Okta takes over the user or group of AWS, with its members and its access.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use aws_sso_glue::{Aws, IdentityCenter, IdentityGroup, IdentityUser, Principal};
use okta_client::{Client as Okta, Group, Id, User};

use super::lookup;
use crate::{
    aws_user_name::AppAssignments,
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Hazard, Note, Subject, Value},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    state::Facts,
    step::Planned,
    sync::identity_store_error,
};

/// The objects that a run has created or adopted.
#[derive(Default)]
struct Owned(Mutex<BTreeSet<Subject>>);

/// Records that this run has created or adopted an object, so that the run plans no other adoption of it.
pub(super) fn record_owned(cx: &Context, subject: &Subject) {
    let owned = cx.run_memory::<Owned>();
    let mut owned = owned.0.lock().unwrap_or_else(PoisonError::into_inner);
    owned.insert(subject.clone());
}

/// Returns whether an object that was found by its name must be adopted: the state did not know its id at the start, and
/// this run has not created or adopted it.
pub(super) fn must_adopt(
    cx: &Context,
    subject: &Subject,
    is_known: impl FnOnce(&Facts) -> bool,
) -> bool {
    let owned = cx.run_memory::<Owned>();
    let owned = owned.0.lock().unwrap_or_else(PoisonError::into_inner);
    !is_known(cx.facts_at_start()) && !owned.contains(subject)
}

/// The services and the blueprint of the step.
pub(super) struct Adoption<'a> {
    pub(super) okta: &'a Okta,
    pub(super) aws: &'a Aws,
    pub(super) blueprint: &'a Blueprint,
}

impl Adoption<'_> {
    /// Adds the adoptions to the plan: of users that are not assigned to the app, and of groups that it does not push.
    ///
    /// Members of a group in AWS that the group in Okta does not have get the access of the group: they are a hazard. A user of
    /// another provisioner is a problem.
    pub(super) async fn plan(
        &self,
        scope: &ResolvedScope,
        is_assigned: impl Fn(&Id<User>) -> bool,
        is_pushed: impl Fn(&Id<Group>) -> bool,
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<()> {
        let Some(center) = lookup::identity_center(self.aws, cx) else {
            return Ok(());
        };
        let users: Vec<&User> = scope
            .provisionable_users()
            .filter(|user| !is_assigned(&user.id))
            .collect();
        let groups: Vec<&GroupWithMembers> = scope
            .pushed
            .iter()
            .filter(|members| !is_pushed(&members.group.id))
            .collect();
        if users.is_empty() && groups.is_empty() {
            return Ok(());
        }
        let app = cx.facts(|facts| facts.app.clone());
        let names = AppAssignments::read(self.okta, app.as_ref()).await?;
        for user in users {
            let found = self.user(&center, names.aws_user_name(user)).await?;
            if let Some(found) = found {
                self.plan_user(&center, user, &found, planned).await?;
            }
        }
        for members in groups {
            self.plan_group(&center, members, &names, planned).await?;
        }
        Ok(())
    }

    /// Returns the change that activates a push again. It is a removal if Okta would take members out of the group of AWS.
    pub(super) async fn plan_reactivation(
        &self,
        members: &GroupWithMembers,
        cx: &Context,
    ) -> Result<Change> {
        let group = &members.group.name;
        let subject = Subject::GroupPush {
            group: group.into(),
        };
        let change = Change::new(Action::Update, subject);
        let change = change.from_to("status", Some("INACTIVE".into()), "ACTIVE");
        let Some(center) = lookup::identity_center(self.aws, cx) else {
            return Ok(change);
        };
        let app = cx.facts(|facts| facts.app.clone());
        let names = AppAssignments::read(self.okta, app.as_ref()).await?;
        let others = match other_members(&center, members, &names).await? {
            Some((_, others)) if !others.is_empty() => others.join(", "),
            _ => return Ok(change),
        };
        let action = Action::Remove;
        let change = Change { action, ..change };
        Ok(change
            .field(MEMBERS_ONLY_IN_AWS, Value::Known(others), Value::Absent)
            .because(Note::new(
                "pushes-members-again",
                "Okta pushes the members of the group again, and can take the other members out of the group in AWS",
            )))
    }

    async fn user(&self, center: &IdentityCenter, name: &str) -> Result<Option<IdentityUser>> {
        let found = center.identity_store().user_by_name(name).await;
        found.map_err(identity_store_error)
    }

    async fn plan_user(
        &self,
        center: &IdentityCenter,
        user: &User,
        found: &IdentityUser,
        planned: &mut Planned,
    ) -> Result<()> {
        let subject = Subject::user(&user.profile.login);
        let mut ids = found.external_ids.iter().map(|id| id.id.as_str());
        match ids.next() {
            // Okta has created the user in AWS before.
            Some(id) if id == user.id.as_str() => return Ok(()),
            Some(id) => {
                let error = Error::new(
                    ErrorKind::UnusableSubject,
                    format!(
                        "user {} of AWS ({}) belongs to another provisioner: its external id is {id}",
                        found.user_name, found.id
                    ),
                )
                .with_help("stop the other provisioner and remove the external id in AWS, or give the user in Okta another user name");
                planned.problem(subject, &error);
                return Ok(());
            }
            None => {}
        }
        let store = center.identity_store();
        let mut groups = Vec::new();
        for id in store
            .groups_of(&found.id)
            .try_collect()
            .await
            .map_err(identity_store_error)?
        {
            let group = store.group_opt(&id).await.map_err(identity_store_error)?;
            groups.push(group.map_or_else(|| id.to_string(), |group| group.display_name));
        }
        groups.sort_unstable();
        let roles = self
            .roles(center, &Principal::User(found.id.clone()))
            .await?;
        let change = Change::new(Action::Adopt, subject).with("id", found.id.as_str());
        let change = with_list(change, "groups", &groups);
        planned
            .changes
            .push(with_list(change, "assignments", &roles));
        Ok(())
    }

    async fn plan_group(
        &self,
        center: &IdentityCenter,
        members: &GroupWithMembers,
        names: &AppAssignments,
        planned: &mut Planned,
    ) -> Result<()> {
        let name = &members.group.name;
        let Some((found, others)) = other_members(center, members, names).await? else {
            return Ok(());
        };
        let roles = self
            .roles(center, &Principal::Group(found.id.clone()))
            .await?;
        let change = Change::new(Action::Adopt, Subject::group(name)).with("id", found.id.as_str());
        let change = with_list(change, MEMBERS_ONLY_IN_AWS, &others);
        planned
            .changes
            .push(with_list(change, "assignments", &roles));
        if !others.is_empty() {
            planned.hazards.push(Hazard::GivesAccessTo {
                group: name.into(),
                users: others.into_iter().map(Into::into).collect(),
                roles: self.blueprint.roles_of_group(name),
            });
        }
        Ok(())
    }

    /// Returns the assignments that a principal has already, such as `ReadOnly in 111122223333`.
    async fn roles(&self, center: &IdentityCenter, principal: &Principal) -> Result<Vec<String>> {
        let assignments = center.assignments().for_principal(principal).try_collect();
        let assignments = assignments.await.map_err(|error| {
            Error::service("the assignments could not be listed from AWS", error)
        })?;
        let roles = assignments.iter().map(|assignment| {
            let set = assignment.permission_set.as_str();
            let set = set.rsplit('/').next().unwrap_or(set);
            format!("{set} in {}", assignment.account)
        });
        Ok(roles.collect())
    }
}

/// Returns the group of AWS with the name of a group of Okta, and its members that the group of Okta does not have.
async fn other_members(
    center: &IdentityCenter,
    members: &GroupWithMembers,
    names: &AppAssignments,
) -> Result<Option<(IdentityGroup, Vec<String>)>> {
    let store = center.identity_store();
    let found = store.group_by_name(&members.group.name).await;
    let Some(found) = found.map_err(identity_store_error)? else {
        return Ok(None);
    };
    let in_okta: BTreeSet<String> = members
        .users
        .iter()
        .map(|user| names.aws_user_name(user).to_lowercase())
        .collect();
    let mut others = Vec::new();
    for id in store
        .members(&found.id)
        .try_collect()
        .await
        .map_err(identity_store_error)?
    {
        let user = store.user_opt(&id).await.map_err(identity_store_error)?;
        let user_name = user.map_or_else(|| id.to_string(), |user| user.user_name);
        if !in_okta.contains(&user_name.to_lowercase()) {
            others.push(user_name);
        }
    }
    others.sort_unstable();
    Ok(Some((found, others)))
}

fn with_list(change: Change, name: &'static str, values: &[String]) -> Change {
    if values.is_empty() {
        change
    } else {
        change.with(name, values.join(", "))
    }
}

/// The field with the members of a group of AWS that the group of Okta does not have.
const MEMBERS_ONLY_IN_AWS: &str = "members that Okta does not have";
