//! The API of IAM Identity Center; AWS names it `sso-admin`.

mod assignments;
mod attributes;
mod instances;
mod permission_sets;
mod policies;
mod provisioning;
mod tags;

use super::call::{Call, JsonPaging, JsonService, list_response};
use super::center::{Center, PermissionSet};
use super::reply::Refusal;
use super::rules::{ADMIN_TOKEN, INSTANCE_ARN, PERMISSION_SET_ARN};

/// The service.
pub(super) static SERVICE: JsonService = JsonService {
    name: "sso-admin",
    signing_name: "sso",
    target: "SWBExternalService",
    operations: &[
        ("ListInstances", instances::list),
        ("DescribeInstance", instances::describe),
        ("UpdateInstance", instances::update),
        ("CreateInstance", instances::create),
        ("CreatePermissionSet", permission_sets::create),
        ("DescribePermissionSet", permission_sets::describe),
        ("UpdatePermissionSet", permission_sets::update),
        ("DeletePermissionSet", permission_sets::delete),
        ("ListPermissionSets", permission_sets::list),
        (
            "AttachManagedPolicyToPermissionSet",
            policies::attach_managed,
        ),
        (
            "DetachManagedPolicyFromPermissionSet",
            policies::detach_managed,
        ),
        ("ListManagedPoliciesInPermissionSet", policies::list_managed),
        (
            "AttachCustomerManagedPolicyReferenceToPermissionSet",
            policies::attach_customer,
        ),
        (
            "DetachCustomerManagedPolicyReferenceFromPermissionSet",
            policies::detach_customer,
        ),
        (
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            policies::list_customer,
        ),
        ("PutInlinePolicyToPermissionSet", policies::put_inline),
        ("GetInlinePolicyForPermissionSet", policies::get_inline),
        (
            "DeleteInlinePolicyFromPermissionSet",
            policies::delete_inline,
        ),
        (
            "PutPermissionsBoundaryToPermissionSet",
            policies::put_boundary,
        ),
        (
            "GetPermissionsBoundaryForPermissionSet",
            policies::get_boundary,
        ),
        (
            "DeletePermissionsBoundaryFromPermissionSet",
            policies::delete_boundary,
        ),
        ("TagResource", tags::tag),
        ("UntagResource", tags::untag),
        ("ListTagsForResource", tags::list),
        ("ProvisionPermissionSet", provisioning::provision),
        (
            "DescribePermissionSetProvisioningStatus",
            provisioning::describe,
        ),
        ("ListPermissionSetProvisioningStatus", provisioning::list),
        (
            "ListAccountsForProvisionedPermissionSet",
            provisioning::accounts,
        ),
        (
            "ListPermissionSetsProvisionedToAccount",
            provisioning::permission_sets,
        ),
        ("CreateAccountAssignment", assignments::create),
        ("DeleteAccountAssignment", assignments::delete),
        (
            "DescribeAccountAssignmentCreationStatus",
            assignments::describe_creation,
        ),
        (
            "DescribeAccountAssignmentDeletionStatus",
            assignments::describe_deletion,
        ),
        (
            "ListAccountAssignmentCreationStatus",
            assignments::list_creations,
        ),
        (
            "ListAccountAssignmentDeletionStatus",
            assignments::list_deletions,
        ),
        ("ListAccountAssignments", assignments::list),
        (
            "ListAccountAssignmentsForPrincipal",
            assignments::list_for_principal,
        ),
        (
            "CreateInstanceAccessControlAttributeConfiguration",
            attributes::create,
        ),
        (
            "DescribeInstanceAccessControlAttributeConfiguration",
            attributes::describe,
        ),
        (
            "UpdateInstanceAccessControlAttributeConfiguration",
            attributes::update,
        ),
        (
            "DeleteInstanceAccessControlAttributeConfiguration",
            attributes::delete,
        ),
    ],
    admit: |_| Ok(()),
    validation_code: "ValidationException",
    paging: JsonPaging {
        // "`MaxResults`: valid range: minimum value of 1, maximum value of 100" (API reference, every list).
        max: 100,
        token: &ADMIN_TOKEN,
        bad_token: || Refusal::validation("Invalid NextToken."),
        empty_page: false,
    },
};

impl Call<'_> {
    /// Checks the members read so far, then returns the instance of the request.
    ///
    /// For a missing instance, or one in another Region, the error is `AccessDeniedException`:
    /// `DescribeInstance` "returns `AccessDeniedException` after the delete operation completes" (API
    /// reference).
    fn center(&mut self) -> Result<&mut Center, Refusal> {
        let arn = self.params.text("InstanceArn", &INSTANCE_ARN);
        self.params.check()?;
        self.authorized_center(&arn)
    }

    /// Returns the instance with an ARN, if the caller may use it.
    fn authorized_center(&mut self, arn: &str) -> Result<&mut Center, Refusal> {
        let denied = self.denied(arn);
        let administers = self.may_administer();
        let region = &self.caller.region;
        self.cloud
            .center
            .as_mut()
            .filter(|center| administers && center.arn == arn && center.region == *region)
            .ok_or(denied)
    }

    /// Checks the members like [`center`](Self::center), then returns the instance and the ARN of the
    /// request's permission set.
    ///
    /// # Errors
    ///
    /// Fails if the instance has no such permission set.
    fn permission_set(&mut self) -> Result<(&mut Center, String), Refusal> {
        let arn = self.params.text("PermissionSetArn", &PERMISSION_SET_ARN);
        let center = self.center()?;
        enabled(center)?;
        match center.permission_set(&arn) {
            Some(_) => Ok((center, arn)),
            None => Err(no_permission_set(&arn)),
        }
    }

    /// Returns the permission set of the request for a change, if the caller may change it.
    ///
    /// A delegated administrator cannot change permission sets that are provisioned in the management
    /// account (user guide, delegated administration).
    fn permission_set_to_change(&mut self) -> Result<&mut PermissionSet, Refusal> {
        let delegate = !self.is_management();
        let management = self.cloud.organization.management.clone();
        let (center, arn) = self.permission_set()?;
        if delegate && center.role(&management, &arn).is_some() {
            return Err(self.denied(&arn));
        }
        let (center, arn) = self.permission_set()?;
        center
            .permission_sets
            .iter_mut()
            .find(|set| set.arn == arn)
            .ok_or_else(|| no_permission_set(&arn))
    }

    fn denied(&self, resource: &str) -> Refusal {
        Refusal::denied(format!(
            "User: {} is not authorized to perform: sso:{} on resource: {resource}",
            self.caller.arn, self.operation
        ))
    }
}

/// Returns an error if permission sets are not enabled for the instance.
///
/// `UpdateInstance` enables them. The API documentation does not define the error of the permission set
/// operations before that.
fn enabled(center: &Center) -> Result<(), Refusal> {
    if center.permission_sets_enabled {
        return Ok(());
    }
    Err(Refusal::validation(
        "Permission sets are not enabled for this instance of IAM Identity Center.",
    ))
}

fn no_permission_set(arn: &str) -> Refusal {
    Refusal::not_found(format!("PermissionSet not found for {arn}"))
}

#[cfg(test)]
mod tests;
