//! Users and groups that exist in AWS under the name of one that Okta is about to provision.
//!
//! SCIM has no other key than the name: Okta takes over the user or group of AWS, with its members and its access.

use std::collections::BTreeSet;

use aws_sso_glue::{Aws, IdentityCenter, IdentityUser, Principal};
use okta_client::{Client as Okta, Group, Id, User};

use super::lookup;
use crate::{
    aws_user_name::AppAssignments,
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Hazard, Subject},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    step::Planned,
    sync::identity_store_error,
};

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
        let store = center.identity_store();
        let Some(found) = store
            .group_by_name(name)
            .await
            .map_err(identity_store_error)?
        else {
            return Ok(());
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
        let roles = self
            .roles(center, &Principal::Group(found.id.clone()))
            .await?;
        let change = Change::new(Action::Adopt, Subject::group(name)).with("id", found.id.as_str());
        let change = with_list(change, "members that Okta does not have", &others);
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

fn with_list(change: Change, name: &'static str, values: &[String]) -> Change {
    if values.is_empty() {
        change
    } else {
        change.with(name, values.join(", "))
    }
}
