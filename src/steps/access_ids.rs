//! The users, groups and permission sets of the blueprint by AWS's ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sso_glue::{
    IdentityGroup, IdentityUser, PermissionSetArn, Principal,
    estate::{AssignmentRef, Principals},
};
use okta_client::Client as Okta;

use super::{
    access_hazards::Role,
    estate::{InstanceReads, SHARED},
    lookup,
};
use crate::{
    blueprint::{Blueprint, PrincipalSpec},
    context::Context,
    error::Result,
    plan::Note,
};

/// The users, groups and permission sets of the blueprint by AWS's ids, as far as they are known.
pub(super) struct Ids {
    pub(super) principals: BTreeMap<PrincipalSpec, Principal>,
    sets: BTreeMap<String, PermissionSetArn>,
    /// The users and groups that have another name in AWS, which is the value.
    other_names: BTreeMap<PrincipalSpec, String>,
}

impl Ids {
    /// Returns the ids that the state knows.
    pub(super) fn known(cx: &Context) -> Self {
        Self {
            principals: BTreeMap::new(),
            sets: cx.facts(|facts| facts.permission_sets.clone()),
            other_names: BTreeMap::new(),
        }
    }

    /// Reads the ids, and returns them with the users and groups of AWS.
    pub(super) async fn read(
        (okta, blueprint): (&Okta, &Blueprint),
        roles: &[Role<'_>],
        reads: &InstanceReads<'_>,
        cx: &Context,
    ) -> Result<(Self, Arc<Principals>)> {
        let mut ids = Self::known(cx);
        let specs: BTreeSet<&PrincipalSpec> = roles.iter().map(|role| role.principal).collect();
        let mut principals = reads.principals(SHARED).await?;
        ids.find_principals((okta, blueprint), &specs, &principals, cx)
            .await?;
        if ids.principals.len() < specs.len() {
            // Some may have arrived since the plan.
            principals = reads.principals(cx.age()).await?;
            ids.find_principals((okta, blueprint), &specs, &principals, cx)
                .await?;
        }
        Ok((ids, principals))
    }

    async fn find_principals(
        &mut self,
        (okta, blueprint): (&Okta, &Blueprint),
        specs: &BTreeSet<&PrincipalSpec>,
        in_aws: &Principals,
        cx: &Context,
    ) -> Result<()> {
        let mut missing = Vec::new();
        for &spec in specs {
            let by_name = match spec {
                PrincipalSpec::User(login) => {
                    let name = lookup::aws_user_name(okta, blueprint, login, cx).await?;
                    name.and_then(|name| in_aws.user_by_name(&name)).map(user)
                }
                PrincipalSpec::Group(name) => in_aws.group_by_name(name).map(group),
            };
            match by_name {
                Some(found) => _ = self.principals.insert(spec.clone(), found),
                None => missing.push(spec),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let okta_ids = lookup::okta_ids(okta, blueprint, cx).await?;
        let (users, groups) = (
            in_aws.users_by_external_id(),
            in_aws.groups_by_external_id(),
        );
        for spec in missing {
            let id = okta_ids.get(spec).map(String::as_str);
            let found = id.and_then(|id| match spec {
                PrincipalSpec::User(_) => users.get(id).copied().map(user),
                PrincipalSpec::Group(_) => groups.get(id).copied().map(group),
            });
            if let Some(found) = found {
                let name = in_aws.name(&found).unwrap_or_default();
                self.other_names.insert(spec.clone(), name.to_owned());
                self.principals.insert(spec.clone(), found);
            }
        }
        Ok(())
    }

    /// Returns a note about each user or group that was found in AWS by its external id, because it has another name there.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> {
        self.other_names.iter().map(|(spec, name)| {
            let text = format!(
                "{spec} has the name {name} in AWS, and was found by the external id, which is its id in Okta"
            );
            Note::new("found-by-external-id", text)
        })
    }

    /// Returns the assignment of each role by AWS's ids, if they are known.
    pub(super) fn assignments<'a>(&'a self, roles: &[Role<'a>]) -> Vec<Option<AssignmentRef<'a>>> {
        let is_same = |one: &Role<'_>, other: &Role<'_>| {
            one.principal == other.principal && one.permission_set == other.permission_set
        };
        let assignments = roles.chunk_by(is_same).flat_map(|roles| {
            let principal = self.principals.get(roles[0].principal);
            let set = self.sets.get(roles[0].permission_set);
            let ids = set.zip(principal);
            roles.iter().map(move |role| {
                ids.map(|(set, principal)| AssignmentRef::new(role.account, set, principal))
            })
        });
        assignments.collect()
    }
}

fn user(user: &IdentityUser) -> Principal {
    Principal::User(user.id.clone())
}

fn group(group: &IdentityGroup) -> Principal {
    Principal::Group(group.id.clone())
}
