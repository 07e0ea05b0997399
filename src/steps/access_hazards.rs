//! The effect of a plan's removals on access: the last administrator of an account, and the access of the caller.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aws_sso_glue::{
    AccountId, Aws, IdentityCenter, IdentityUser, Principal as AwsPrincipal, UserId,
    estate::Principals,
};
use okta_client::Client as Okta;

use super::{
    app_lists,
    estate::{InstanceReads, SHARED},
    lookup,
    owned_app::losing_users,
    set_contents::{ADMINISTRATOR_POLICY, is_administrator},
};
use crate::{
    blueprint::{Blueprint, PrincipalSpec, Row},
    context::Context,
    error::{Error, Result},
    plan::{Hazard, Name, Plan, PolicyRef, Principal, Subject},
    sync::identity_store_error,
};

/// A role that the blueprint gives to a user or group in an account, or gave until it expired.
#[derive(Clone, Copy)]
pub(super) struct Role<'a> {
    pub(super) principal: &'a PrincipalSpec,
    pub(super) account: &'a AccountId,
    pub(super) permission_set: &'a str,
}

impl<'a> Role<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self {
            principal: row.principal,
            account: &row.account.id,
            permission_set: row.permission_set,
        }
    }

    /// Returns the subject of the assignment of the role.
    pub(super) fn subject(&self) -> Subject {
        Subject::Assignment {
            principal: principal_subject(self.principal),
            account: self.account.as_str().into(),
            permission_set: self.permission_set.into(),
        }
    }
}

/// Returns the user or group of a plan.
pub(super) fn principal_subject(principal: &PrincipalSpec) -> Principal {
    match principal {
        PrincipalSpec::User(login) => Principal::User { name: login.into() },
        PrincipalSpec::Group(name) => Principal::Group { name: name.into() },
    }
}

/// Returns the deleted user or group of a plan.
pub(super) fn deleted_principal(principal: &AwsPrincipal) -> Principal {
    match principal {
        AwsPrincipal::User(id) => Principal::DeletedUser {
            id: id.as_str().into(),
        },
        AwsPrincipal::Group(id) => Principal::DeletedGroup {
            id: id.as_str().into(),
        },
    }
}

/// The services and the blueprint of the steps.
pub(super) struct Services<'a> {
    pub(super) okta: &'a Okta,
    pub(super) aws: &'a Aws,
    pub(super) blueprint: &'a Blueprint,
    pub(super) center: &'a IdentityCenter,
}

/// The access that a plan removes, by the names of the plan.
#[derive(Default)]
struct Removed {
    users: BTreeSet<String>,
    memberships: BTreeSet<(String, String)>,
    assignments: HashSet<Subject>,
    /// The permission sets that lose the policy `AdministratorAccess`, and those that lose their inline policy.
    without_managed: BTreeSet<String>,
    without_inline: BTreeSet<String>,
}

/// Returns the hazards of the removals of users, memberships, assignments and policies. Reads nothing if the plan has none.
///
/// Only roles of the blueprint, and those that the plan removes, count as the access of an administrator.
pub(super) async fn access_hazards(
    services: &Services<'_>,
    roles: &[Role<'_>],
    plan: &Plan,
    cx: &Context,
) -> Result<Vec<Hazard>> {
    let removed = Removed::of(plan);
    let takes_access = |subject: &Subject| {
        matches!(
            subject,
            Subject::User { .. }
                | Subject::AppUser { .. }
                | Subject::AppGroup { .. }
                | Subject::Membership { .. }
                | Subject::Assignment { .. }
                | Subject::Policy { .. }
        )
    };
    if !plan
        .removals()
        .any(|(_, change)| takes_access(&change.subject))
    {
        return Ok(Vec::new());
    }
    let Some(reads) = InstanceReads::new(services.aws, cx) else {
        return Ok(Vec::new());
    };
    // A removal is checked against the users and groups that AWS has now.
    let max_age = if reads.principals_are_of_the_plan() {
        app_lists::NOW
    } else {
        SHARED
    };
    let users = reads.principals(max_age).await?;
    let mut ids = BTreeMap::new();
    let members = removed.memberships.iter().map(|(_, user)| user);
    for name in removed.users.iter().chain(members) {
        if !ids.contains_key(name.as_str()) {
            ids.insert(name.as_str(), services.user_id(name, &users, cx).await?);
        }
    }
    let mut hazards = services.own_access(roles, plan, &ids, &users).await?;
    // The plan may remove roles that the blueprint does not have.
    let others: Vec<_> = removed.assignments.iter().filter_map(role_of).collect();
    let others = others.iter().map(|(principal, account, set)| Role {
        principal,
        account,
        permission_set: set,
    });
    let known: HashSet<Subject> = roles.iter().map(Role::subject).collect();
    let others = others.filter(|role| !known.contains(&role.subject()));
    let roles: Vec<Role<'_>> = roles.iter().copied().chain(others).collect();
    let lost = services
        .accounts_without_administrator(&roles, &removed, &ids, &reads, &users, cx)
        .await?;
    hazards.extend(lost.into_iter().map(|account| Hazard::LastAdministrator {
        account: account.as_str().into(),
    }));
    Ok(hazards)
}

impl Removed {
    fn of(plan: &Plan) -> Self {
        let mut removed = Self::default();
        for (_, change) in plan.removals() {
            match &change.subject {
                // A user without the app is deactivated in AWS, or cannot sign in.
                Subject::User { name } | Subject::AppUser { login: name } => {
                    removed.users.insert(name.to_string());
                }
                Subject::AppGroup { .. } => {
                    removed
                        .users
                        .extend(losing_users(change).map(str::to_owned));
                }
                Subject::Membership { group, user } => {
                    let membership = ((**group).to_owned(), (**user).to_owned());
                    removed.memberships.insert(membership);
                }
                assignment @ Subject::Assignment { .. } => {
                    removed.assignments.insert(assignment.clone());
                }
                Subject::Policy {
                    permission_set,
                    policy: PolicyRef::Managed { arn },
                } if arn.ends_with(ADMINISTRATOR_POLICY) => {
                    removed.without_managed.insert(permission_set.to_string());
                }
                Subject::Policy {
                    permission_set,
                    policy: PolicyRef::Inline {},
                } => {
                    removed.without_inline.insert(permission_set.to_string());
                }
                _ => {}
            }
        }
        removed
    }
}

impl Services<'_> {
    /// Returns the id in AWS of a user of the plan: a login of Okta, a user name of AWS, or an id of AWS.
    async fn user_id(
        &self,
        name: &str,
        users: &Principals,
        cx: &Context,
    ) -> Result<Option<UserId>> {
        let in_aws = lookup::aws_user_name(self.okta, self.blueprint, name, cx).await?;
        let known = in_aws.and_then(|name| users.user_by_name(&name));
        let known = known.map(|user| user.id.clone());
        Ok(known.or_else(|| UserId::parse(name).ok()))
    }

    /// Returns the hazards for a caller who has signed in through this instance and whose access the plan removes.
    async fn own_access(
        &self,
        roles: &[Role<'_>],
        plan: &Plan,
        ids: &BTreeMap<&str, Option<UserId>>,
        users: &Principals,
    ) -> Result<Vec<Hazard>> {
        let caller = self.aws.caller().await;
        let caller = caller.map_err(|error| {
            Error::service("the caller of the run could not be read from AWS", error)
        })?;
        let Some((set, user)) = signed_in_as(&caller.arn) else {
            return Ok(Vec::new());
        };
        let own_id = users.user_by_name(user).map(|user| &user.id);
        let is_caller = |name: &str| {
            let id = ids.get(name).and_then(Option::as_ref);
            name.eq_ignore_ascii_case(user) || (id.is_some() && id == own_id)
        };
        let is_own_role = |account: &Name, permission_set: &Name| {
            **permission_set == *set && **account == *caller.account.as_str()
        };
        let gives_role = |group: &str| {
            roles.iter().any(|role| {
                role.permission_set == set
                    && *role.account == caller.account
                    && *role.principal == PrincipalSpec::Group(group.to_owned())
            })
        };
        let mut own_groups = BTreeSet::new();
        for (_, change) in plan.removals() {
            if let Subject::Assignment {
                principal: Principal::Group { name },
                account,
                permission_set,
            } = &change.subject
                && is_own_role(account, permission_set)
                && let members = self.members(name, users).await?
                && own_id.is_some_and(|own_id| members.contains(own_id))
            {
                own_groups.insert(name);
            }
        }
        let own = plan.removals().filter(|(_, change)| match &change.subject {
            Subject::Assignment {
                principal,
                account,
                permission_set,
            } if is_own_role(account, permission_set) => match principal {
                Principal::User { name } => is_caller(name),
                Principal::Group { name } => own_groups.contains(name),
                Principal::DeletedUser { .. } | Principal::DeletedGroup { .. } => false,
            },
            Subject::User { name } | Subject::AppUser { login: name } => is_caller(name),
            Subject::AppGroup { .. } => losing_users(change).any(is_caller),
            Subject::Membership { group, user } => is_caller(user) && gives_role(group),
            Subject::Policy { permission_set, .. } => **permission_set == *set,
            _ => false,
        });
        Ok(own
            .map(|(_, change)| Hazard::OwnAccess {
                subject: change.subject.clone(),
            })
            .collect())
    }

    /// Returns the accounts that have an active user with `AdministratorAccess` now, and none after the removals. Users that the
    /// plan adds do not count: their changes can fail.
    async fn accounts_without_administrator(
        &self,
        roles: &[Role<'_>],
        removed: &Removed,
        ids: &BTreeMap<&str, Option<UserId>>,
        reads: &InstanceReads<'_>,
        users: &Principals,
        cx: &Context,
    ) -> Result<Vec<AccountId>> {
        let id = |name: &String| ids.get(name.as_str()).cloned().flatten();
        let removed_users: HashSet<UserId> = removed.users.iter().filter_map(id).collect();
        let mut removed_members: HashMap<&str, HashSet<UserId>> = HashMap::new();
        for (group, user) in &removed.memberships {
            removed_members.entry(group).or_default().extend(id(user));
        }
        let mut administrators = BTreeMap::new();
        let mut members: BTreeMap<&str, Vec<UserId>> = BTreeMap::new();
        let mut accounts: BTreeMap<&AccountId, (usize, usize)> = BTreeMap::new();
        for role in roles {
            let set = role.permission_set;
            if !administrators.contains_key(set) {
                administrators.insert(set, administrator(set, removed, reads).await?);
            }
            let Some(is_lost) = administrators[set] else {
                continue;
            };
            let (group, holders) = match role.principal {
                PrincipalSpec::User(login) => {
                    let holder = self.user_id(login, users, cx).await?;
                    (None, holder.into_iter().collect())
                }
                PrincipalSpec::Group(name) => {
                    if !members.contains_key(name.as_str()) {
                        members.insert(name, self.members(name, users).await?);
                    }
                    (Some(name.as_str()), members[name.as_str()].clone())
                }
            };
            let leaving = group.and_then(|group| removed_members.get(group));
            let is_removed = removed.assignments.contains(&role.subject());
            let (before, after) = accounts.entry(role.account).or_default();
            let is_active = |id: &&UserId| users.user(id).is_some_and(IdentityUser::is_enabled);
            for holder in holders.iter().filter(is_active) {
                *before += 1;
                let loses = is_removed
                    || removed_users.contains(holder)
                    || leaving.is_some_and(|leaving| leaving.contains(holder))
                    || is_lost;
                *after += usize::from(!loses);
            }
        }
        let lost = accounts.into_iter();
        let lost = lost.filter(|(_, (before, after))| *before > 0 && *after == 0);
        Ok(lost.map(|(account, _)| account.clone()).collect())
    }

    async fn members(&self, group: &str, in_aws: &Principals) -> Result<Vec<UserId>> {
        let store = self.center.identity_store();
        let Some(found) = in_aws.group_by_name(group) else {
            return Ok(Vec::new());
        };
        store
            .members(&found.id)
            .try_collect()
            .await
            .map_err(identity_store_error)
    }
}

/// Returns whether the plan takes all rights from a permission set that gives them, or `None` if it does not give them.
async fn administrator(
    set: &str,
    removed: &Removed,
    reads: &InstanceReads<'_>,
) -> Result<Option<bool>> {
    let sets = reads.permission_sets([]).await?;
    let Some(found) = sets.by_name(set) else {
        return Ok(None);
    };
    let Some(contents) = reads.contents(found).await? else {
        return Ok(None);
    };
    if !is_administrator(&contents) {
        return Ok(None);
    }
    let mut left = contents;
    if removed.without_managed.contains(set) {
        left.managed_policies
            .retain(|arn| !arn.ends_with(ADMINISTRATOR_POLICY));
    }
    if removed.without_inline.contains(set) {
        left.inline_policy = None;
    }
    Ok(Some(!is_administrator(&left)))
}

/// Returns the user or group, the account and the permission set of an assignment. `None` for a deleted user or group.
fn role_of(assignment: &Subject) -> Option<(PrincipalSpec, AccountId, &str)> {
    let Subject::Assignment {
        principal,
        account,
        permission_set,
    } = assignment
    else {
        return None;
    };
    let principal = match principal {
        Principal::User { name } => PrincipalSpec::User(name.to_string()),
        Principal::Group { name } => PrincipalSpec::Group(name.to_string()),
        Principal::DeletedUser { .. } | Principal::DeletedGroup { .. } => return None,
    };
    Some((principal, AccountId::parse(account).ok()?, permission_set))
}

/// Returns the permission set and the user of a caller who has signed in through IAM Identity Center.
fn signed_in_as(arn: &str) -> Option<(&str, &str)> {
    let (_, role) = arn.split_once(":assumed-role/AWSReservedSSO_")?;
    let (role, user) = role.split_once('/')?;
    let (set, _suffix) = role.rsplit_once('_')?;
    Some((set, user))
}

#[cfg(test)]
mod tests {
    use super::signed_in_as;

    #[test]
    fn a_caller_of_identity_center_has_a_permission_set_and_a_user() {
        let arn = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Read_Only_0123456789abcdef/ada@example.com";
        assert_eq!(signed_in_as(arn), Some(("Read_Only", "ada@example.com")));
        for other in [
            "arn:aws:iam::111111111111:user/ada",
            "arn:aws:sts::111111111111:assumed-role/Admin/ada",
        ] {
            assert_eq!(signed_in_as(other), None);
        }
    }
}
