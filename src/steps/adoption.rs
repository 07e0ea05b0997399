//! Users and groups that exist in AWS under the name of one that Okta is about to provision.
//!
//! SCIM has no other key than the name: Okta takes over the user or group of AWS, with its members and its access.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use aws_sso_glue::{Assignment, Aws, IdentityCenter, IdentityUser, Principal};
use okta_client::{Group, Id, User};

use super::{
    identity_view::{GroupInAws, IdentityView},
    lookup,
};
use crate::{
    aws_user_name::AppAssignments,
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Hazard, Subject},
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
    pub(super) aws: &'a Aws,
    pub(super) blueprint: &'a Blueprint,
    /// The users and groups of AWS.
    pub(super) in_aws: &'a IdentityView,
    /// The users of the app, with their names in AWS, and the template of the other users' names.
    pub(super) names: &'a AppAssignments,
}

impl Adoption<'_> {
    /// Adds the adoptions to the plan: of users that are not assigned to the app, and of groups that it does not push.
    ///
    /// Members of a group in AWS that the group in Okta does not have get the access of the group: they are a hazard. A user of
    /// another provisioner is a problem.
    pub(super) async fn plan(
        &self,
        scope: &ResolvedScope,
        is_pushed: impl Fn(&Id<Group>) -> bool,
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<()> {
        let Some(center) = lookup::identity_center(self.aws, cx) else {
            return Ok(());
        };
        for user in scope.provisionable_users() {
            if self.names.get(&user.id).is_none()
                && let Some(found) = self.in_aws.user(user, self.names)
            {
                self.plan_user(&center, user, found, planned).await?;
            }
        }
        for members in &scope.pushed {
            if !is_pushed(&members.group.id)
                && let Some(found) = self.in_aws.groups.get(&members.group.name)
            {
                self.plan_group(&center, members, found, planned).await?;
            }
        }
        Ok(())
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
        planned.changes.push(roles.of(change));
        Ok(())
    }

    async fn plan_group(
        &self,
        center: &IdentityCenter,
        members: &GroupWithMembers,
        found: &GroupInAws,
        planned: &mut Planned,
    ) -> Result<()> {
        let name = &members.group.name;
        let others = self.in_aws.other_members(members, self.names);
        let roles = self
            .roles(center, &Principal::Group(found.id.clone()))
            .await?;
        let change = Change::new(Action::Adopt, Subject::group(name)).with("id", found.id.as_str());
        let change = with_list(change, MEMBERS_ONLY_IN_AWS, &others);
        planned.changes.push(roles.of(change));
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
    ///
    /// AWS lets only the management account list them (API reference, `ListAccountAssignmentsForPrincipal`). The adoption does not
    /// depend on them, so that a delegated administrator gets a change without them.
    async fn roles(&self, center: &IdentityCenter, principal: &Principal) -> Result<Roles> {
        let listed = center.assignments().for_principal(principal).try_collect();
        let assignments: Vec<Assignment> = match listed.await {
            Ok(assignments) => assignments,
            Err(error) if error.is_permission_denied() => return Ok(Roles::Unknown),
            Err(error) => {
                let summary = "the assignments could not be listed from AWS";
                return Err(Error::service(summary, error));
            }
        };
        let roles = assignments.iter().map(|assignment| {
            let set = assignment.permission_set.as_str();
            let set = set.rsplit('/').next().unwrap_or(set);
            format!("{set} in {}", assignment.account)
        });
        Ok(Roles::Known(roles.collect()))
    }
}

/// The assignments of an adopted principal.
enum Roles {
    Known(Vec<String>),
    /// AWS does not let the caller list them.
    Unknown,
}

impl Roles {
    /// Returns the change with the assignments as a field.
    fn of(&self, change: Change) -> Change {
        match self {
            Self::Known(roles) => with_list(change, "assignments", roles),
            Self::Unknown => change.with(
                "assignments",
                "not known: these credentials may not call sso:ListAccountAssignmentsForPrincipal",
            ),
        }
    }
}

fn with_list(change: Change, name: &'static str, values: &[String]) -> Change {
    if values.is_empty() {
        change
    } else {
        change.with(name, values.join(", "))
    }
}

/// The field with the members of a group of AWS that the group of Okta does not have.
pub(super) const MEMBERS_ONLY_IN_AWS: &str = "members that Okta does not have";
