//! The resources of each action.

use super::{conditions::Input, policy::Resource};
use crate::plan::{Change, Subject};

/// Returns the resources of an action, for a change or for a step as a whole.
pub(super) fn resources(action: &str, input: &Input<'_>, change: Option<&Change>) -> Vec<Resource> {
    let subject = change.map(|change| &change.subject);
    let named = types_of(action).iter().flat_map(|kind| match kind {
        Type::Any => vec![Resource::Any],
        Type::Instance => vec![Resource::Instance],
        Type::PermissionSet => vec![permission_set(input, subject)],
        Type::Account => vec![match subject {
            Some(Subject::Assignment { account, .. }) => Resource::Account(account.to_string()),
            _ => Resource::AnyAccount,
        }],
        Type::ManagementAccount => vec![match &input.target.management_account {
            Some(account) => Resource::Account(account.to_string()),
            None => Resource::AnyAccount,
        }],
        Type::Store => vec![Resource::IdentityStore],
        Type::User => vec![Resource::Users],
        Type::Group => vec![Resource::Groups],
        Type::Membership => vec![Resource::Memberships],
        Type::Parent => vec![Resource::Roots, Resource::Units],
        Type::OrganizationAccount => vec![Resource::OrganizationAccounts],
        Type::ProblemAccount => {
            let accounts = input.problem_accounts();
            accounts
                .map(|id| Resource::OrganizationAccount(id.to_owned()))
                .collect()
        }
        Type::Role => vec![Resource::Roles],
        Type::SamlProvider => vec![Resource::SamlProvider],
    });
    named.collect()
}

/// Returns the types of the resources of an action, for a reader.
pub(super) fn resource_types(action: &str) -> Vec<&'static str> {
    let types = types_of(action).iter();
    types.map(|kind| kind.name()).collect()
}

fn types_of(action: &str) -> &'static [Type] {
    let types = ACTIONS.iter().find(|(known, _)| *known == action);
    types.map_or(&[Type::Any], |(_, types)| types)
}

fn permission_set(input: &Input<'_>, subject: Option<&Subject>) -> Resource {
    let name = match subject {
        Some(Subject::PermissionSet { name }) => name,
        Some(
            Subject::Policy { permission_set, .. }
            | Subject::Provisioning { permission_set }
            | Subject::Assignment { permission_set, .. },
        ) => permission_set,
        _ => return Resource::AnyPermissionSet,
    };
    if input.created.contains(&**name) {
        return Resource::AnyPermissionSet;
    }
    let known = input.target.permission_sets.get(&**name);
    known.map_or(Resource::AnyPermissionSet, |arn| {
        Resource::PermissionSet(arn.clone())
    })
}

/// A type of resources that an action has.
#[derive(Clone, Copy)]
enum Type {
    Any,
    Instance,
    /// The permission set of a change, or else all sets of the instance.
    PermissionSet,
    /// The account of an assignment, or else all accounts.
    Account,
    ManagementAccount,
    Store,
    User,
    Group,
    Membership,
    /// A root or an organizational unit.
    Parent,
    OrganizationAccount,
    /// The accounts of the blueprint that do not exist or are not active.
    ProblemAccount,
    Role,
    SamlProvider,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "`*`",
            Self::Instance => "instance",
            Self::PermissionSet => "permission set",
            Self::Account => "account",
            Self::ManagementAccount => "management account",
            Self::Store => "identity store",
            Self::User => "user",
            Self::Group => "group",
            Self::Membership => "membership",
            Self::Parent => "root and organizational unit",
            Self::OrganizationAccount => "account of the organization",
            Self::ProblemAccount => "account of the organization with a problem",
            Self::Role => "role of Identity Center in the management account",
            Self::SamlProvider => "SAML provider of Identity Center in the management account",
        }
    }
}

const SET: &[Type] = &[Type::Instance, Type::PermissionSet];
const PAIR: &[Type] = &[Type::Instance, Type::PermissionSet, Type::Account];
const INSTANCE: &[Type] = &[Type::Instance];
const ROLE: &[Type] = &[Type::Role];

/// The types of resources of each action, all of which a policy must allow.
///
/// Source: Service Authorization Reference, "Actions, resources, and condition keys" of IAM Identity Center, Identity Store and
/// Organizations; IAM Identity Center user guide, "Identity-based policy examples", example 2, for IAM.
static ACTIONS: &[(&str, &[Type])] = &[
    ("sso:ListInstances", &[Type::Any]),
    ("sso:DescribeInstance", INSTANCE),
    ("sso:UpdateInstance", INSTANCE),
    ("sso:ListPermissionSets", INSTANCE),
    ("sso:DescribePermissionSet", SET),
    ("sso:ListManagedPoliciesInPermissionSet", SET),
    (
        "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
        SET,
    ),
    ("sso:GetInlinePolicyForPermissionSet", SET),
    ("sso:GetPermissionsBoundaryForPermissionSet", SET),
    ("sso:ListTagsForResource", &[Type::PermissionSet]),
    ("sso:ListAccountsForProvisionedPermissionSet", SET),
    (
        "sso:ListPermissionSetsProvisionedToAccount",
        &[Type::Instance, Type::ManagementAccount],
    ),
    ("sso:CreatePermissionSet", SET),
    ("sso:UpdatePermissionSet", SET),
    ("sso:DeletePermissionSet", SET),
    ("sso:TagResource", &[Type::PermissionSet]),
    ("sso:AttachManagedPolicyToPermissionSet", SET),
    ("sso:DetachManagedPolicyFromPermissionSet", SET),
    (
        "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
        SET,
    ),
    (
        "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
        SET,
    ),
    ("sso:PutInlinePolicyToPermissionSet", SET),
    ("sso:DeleteInlinePolicyFromPermissionSet", SET),
    ("sso:PutPermissionsBoundaryToPermissionSet", SET),
    ("sso:DeletePermissionsBoundaryFromPermissionSet", SET),
    ("sso:ProvisionPermissionSet", PAIR),
    ("sso:DescribePermissionSetProvisioningStatus", INSTANCE),
    ("sso:ListPermissionSetProvisioningStatus", INSTANCE),
    ("sso:CreateAccountAssignment", PAIR),
    ("sso:DeleteAccountAssignment", PAIR),
    ("sso:DescribeAccountAssignmentCreationStatus", INSTANCE),
    ("sso:DescribeAccountAssignmentDeletionStatus", INSTANCE),
    ("sso:ListAccountAssignmentCreationStatus", INSTANCE),
    ("sso:ListAccountAssignmentDeletionStatus", INSTANCE),
    ("sso:ListAccountAssignments", PAIR),
    ("sso:ListAccountAssignmentsForPrincipal", INSTANCE),
    ("identitystore:ListUsers", &[Type::User, Type::Store]),
    ("identitystore:DescribeUser", &[Type::User, Type::Store]),
    ("identitystore:ListGroups", &[Type::Group, Type::Store]),
    ("identitystore:DescribeGroup", &[Type::Group, Type::Store]),
    (
        "identitystore:ListGroupMemberships",
        &[Type::Membership, Type::Group, Type::Store],
    ),
    (
        "identitystore:ListGroupMembershipsForMember",
        &[Type::Membership, Type::User, Type::Store],
    ),
    ("organizations:DescribeOrganization", &[Type::Any]),
    (
        "organizations:ListAWSServiceAccessForOrganization",
        &[Type::Any],
    ),
    ("organizations:EnableAWSServiceAccess", &[Type::Any]),
    ("organizations:ListDelegatedAdministrators", &[Type::Any]),
    ("organizations:ListAccounts", &[Type::Any]),
    ("organizations:ListRoots", &[Type::Any]),
    (
        "organizations:ListOrganizationalUnitsForParent",
        &[Type::Parent],
    ),
    ("organizations:ListAccountsForParent", &[Type::Parent]),
    (
        "organizations:ListTagsForResource",
        &[Type::OrganizationAccount],
    ),
    ("organizations:DescribeAccount", &[Type::ProblemAccount]),
    ("iam:GetSAMLProvider", &[Type::SamlProvider]),
    ("iam:ListRoles", &[Type::Any]),
    ("iam:ListPolicies", &[Type::Any]),
    ("iam:GetRole", ROLE),
    ("iam:ListRolePolicies", ROLE),
    ("iam:ListAttachedRolePolicies", ROLE),
    ("iam:CreateRole", ROLE),
    ("iam:UpdateRole", ROLE),
    ("iam:UpdateRoleDescription", ROLE),
    ("iam:DeleteRole", ROLE),
    ("iam:AttachRolePolicy", ROLE),
    ("iam:DetachRolePolicy", ROLE),
    ("iam:PutRolePolicy", ROLE),
    ("iam:DeleteRolePolicy", ROLE),
    ("iam:PutRolePermissionsBoundary", ROLE),
    ("iam:DeleteRolePermissionsBoundary", ROLE),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::actions::uses, ACTIONS};

    #[test]
    fn each_action_has_resources_and_each_row_is_used() {
        let with_resources: BTreeSet<&str> = ACTIONS.iter().map(|(action, _)| *action).collect();
        let used: BTreeSet<&str> = uses().iter().map(|row| row.action).collect();
        assert_eq!(with_resources, used);
        assert_eq!(
            with_resources.len(),
            ACTIONS.len(),
            "an action has two rows"
        );
    }
}
