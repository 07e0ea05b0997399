//! The users, groups and memberships that AWS's identity store does not have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use okta_client::{Id, User};

use super::super::identity_view::IdentityView;
use crate::{
    aws_user_name::AppAssignments,
    blueprint::{Blueprint, PrincipalSpec, WaitFor},
    plan::Subject,
    resolved_scope::{GroupWithMembers, ResolvedScope},
};

/// The users, groups and memberships that are missing in AWS.
#[derive(Default)]
pub(super) struct Missing {
    pub(super) users: BTreeMap<Subject, MissingUser>,
    pub(super) groups: BTreeSet<Subject>,
    pub(super) memberships: BTreeMap<Subject, Id<User>>,
    /// Memberships that AWS has but Okta does not. The step does not wait for their removal; `verify` reports them.
    pub(super) extra_memberships: Vec<(String, String)>,
}

/// A user that has not arrived in AWS, or is disabled there.
pub(super) struct MissingUser {
    pub(super) user: User,
    /// Whether AWS has a user with this name that is disabled.
    pub(super) disabled: bool,
    /// The other name under which AWS has the user, by its external id: a rename of Okta has not arrived.
    pub(super) other_name: Option<String>,
}

impl Missing {
    /// Returns the parts of the scope that the identity store does not have.
    pub(super) fn find(
        scope: &ResolvedScope,
        assigned: &AppAssignments,
        in_aws: &IdentityView,
    ) -> Self {
        let mut missing = Self::default();
        let by_id: HashMap<&str, &str> = in_aws
            .users
            .iter()
            .flat_map(|(name, user)| user.external_ids.iter().map(|id| (&*id.id, name.as_str())))
            .collect();
        for user in scope.provisionable_users() {
            match in_aws.user(user, assigned) {
                Some(found) if found.is_enabled() => {}
                found => {
                    let missing_user = MissingUser {
                        user: user.clone(),
                        disabled: found.is_some(),
                        other_name: { by_id.get(user.id.as_str()) }
                            .filter(|_| found.is_none())
                            .map(|name| (*name).to_owned()),
                    };
                    let subject = Subject::user(&user.profile.login);
                    missing.users.insert(subject, missing_user);
                }
            }
        }
        for members in &scope.pushed {
            let Some(group) = in_aws.groups.get(&members.group.name) else {
                missing.groups.insert(Subject::group(&members.group.name));
                continue;
            };
            for user in scope.provisionable_members(members) {
                // A user that has not arrived is already listed as a missing user, so the membership is not listed.
                if let Some(found) = in_aws.user(user, assigned)
                    && !group.members.contains(&found.id)
                {
                    let membership = Subject::membership(&members.group.name, &user.profile.login);
                    missing.memberships.insert(membership, user.id.clone());
                }
            }
            let extra = in_aws.other_members(members, assigned).into_iter();
            let extra = extra.map(|user| (user, members.group.name.clone()));
            missing.extra_memberships.extend(extra);
        }
        missing.extra_memberships.sort();
        missing
    }

    pub(super) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.users
            .keys()
            .chain(&self.groups)
            .chain(self.memberships.keys())
    }

    /// Returns the pushed groups that lack a member, also one that has not arrived.
    pub(super) fn incomplete_groups<'s>(&self, scope: &'s ResolvedScope) -> BTreeSet<&'s str> {
        let users: BTreeSet<&Id<User>> = self.users.values().map(|user| &user.user.id).collect();
        let lacks = |members: &&GroupWithMembers| {
            let name = &members.group.name;
            let mut users_of_group = members.users.iter();
            users_of_group.any(|user| {
                users.contains(&user.id)
                    || self
                        .memberships
                        .contains_key(&Subject::membership(name, &user.profile.login))
            })
        };
        let incomplete = scope.pushed.iter().filter(lacks);
        incomplete.map(|members| &*members.group.name).collect()
    }

    /// Returns the members that a group of AWS lacks.
    pub(super) fn members_of(&self, group: &str) -> impl Iterator<Item = &Id<User>> {
        let memberships = self.memberships.iter();
        memberships.filter_map(move |(membership, user)| match membership {
            Subject::Membership { group: of, .. } if **of == *group => Some(user),
            _ => None,
        })
    }

    /// Returns the missing part that each subject waits for.
    ///
    /// The memberships of a group or user that arrives in this run are known only after both have arrived. The group waits for
    /// them if the run waits for it (`is_awaited`), and else the user.
    pub(super) fn parts(
        &self,
        is_awaited: impl Fn(&Subject) -> bool,
    ) -> HashMap<Subject, &Subject> {
        let mut parts: HashMap<Subject, &Subject> = self
            .subjects()
            .map(|subject| (subject.clone(), subject))
            .collect();
        for membership in self.memberships.keys() {
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
    pub(super) fn only_awaited(mut self, blueprint: &Blueprint) -> Self {
        if blueprint.provisioning.wait_for == WaitFor::Access {
            let with_access: BTreeSet<Subject> = blueprint
                .principals()
                .into_iter()
                .map(|principal| match principal {
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
