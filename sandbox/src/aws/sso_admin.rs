//! The API of IAM Identity Center; AWS names it `sso-admin`.

mod assignments;
mod attributes;
mod instances;
mod permission_sets;
mod policies;
mod provisioning;
mod tags;

use super::call::{Call, JsonPaging, JsonService, list, list_response, read, write};
use super::center::{Center, Kind, NewOperation, Operation, PermissionSet, Principal, SetIx};
use super::cloud::Cloud;
use super::reply::Refusal;
use super::rules::{ADMIN_TOKEN, INSTANCE_ARN, PERMISSION_SET_ARN};
use crate::operations::RATE_EXCEEDED;

/// The service.
pub(super) static SERVICE: JsonService = JsonService {
    name: "sso-admin",
    signing_name: "sso",
    target: "SWBExternalService",
    operations: &[
        list("ListInstances", instances::list),
        read("DescribeInstance", instances::describe),
        write("UpdateInstance", instances::update),
        list("ListRegions", instances::list_regions),
        read("DescribeRegion", instances::describe_region),
        write("CreateInstance", instances::create),
        write("CreatePermissionSet", permission_sets::create),
        read("DescribePermissionSet", permission_sets::describe),
        write("UpdatePermissionSet", permission_sets::update),
        write("DeletePermissionSet", permission_sets::delete),
        list("ListPermissionSets", permission_sets::list),
        write(
            "AttachManagedPolicyToPermissionSet",
            policies::attach_managed,
        ),
        write(
            "DetachManagedPolicyFromPermissionSet",
            policies::detach_managed,
        ),
        list("ListManagedPoliciesInPermissionSet", policies::list_managed),
        write(
            "AttachCustomerManagedPolicyReferenceToPermissionSet",
            policies::attach_customer,
        ),
        write(
            "DetachCustomerManagedPolicyReferenceFromPermissionSet",
            policies::detach_customer,
        ),
        list(
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            policies::list_customer,
        ),
        write("PutInlinePolicyToPermissionSet", policies::put_inline),
        read("GetInlinePolicyForPermissionSet", policies::get_inline),
        write(
            "DeleteInlinePolicyFromPermissionSet",
            policies::delete_inline,
        ),
        write(
            "PutPermissionsBoundaryToPermissionSet",
            policies::put_boundary,
        ),
        read(
            "GetPermissionsBoundaryForPermissionSet",
            policies::get_boundary,
        ),
        write(
            "DeletePermissionsBoundaryFromPermissionSet",
            policies::delete_boundary,
        ),
        write("TagResource", tags::tag),
        write("UntagResource", tags::untag),
        list("ListTagsForResource", tags::list),
        write("ProvisionPermissionSet", provisioning::provision),
        read(
            "DescribePermissionSetProvisioningStatus",
            provisioning::describe,
        ),
        list("ListPermissionSetProvisioningStatus", provisioning::list),
        list(
            "ListAccountsForProvisionedPermissionSet",
            provisioning::accounts,
        ),
        list(
            "ListPermissionSetsProvisionedToAccount",
            provisioning::permission_sets,
        ),
        write("CreateAccountAssignment", assignments::create),
        write("DeleteAccountAssignment", assignments::delete),
        read(
            "DescribeAccountAssignmentCreationStatus",
            assignments::describe_creation,
        ),
        read(
            "DescribeAccountAssignmentDeletionStatus",
            assignments::describe_deletion,
        ),
        list(
            "ListAccountAssignmentCreationStatus",
            assignments::list_creations,
        ),
        list(
            "ListAccountAssignmentDeletionStatus",
            assignments::list_deletions,
        ),
        list("ListAccountAssignments", assignments::list),
        list(
            "ListAccountAssignmentsForPrincipal",
            assignments::list_for_principal,
        ),
        write(
            "CreateInstanceAccessControlAttributeConfiguration",
            attributes::create,
        ),
        read(
            "DescribeInstanceAccessControlAttributeConfiguration",
            attributes::describe,
        ),
        write(
            "UpdateInstanceAccessControlAttributeConfiguration",
            attributes::update,
        ),
        write(
            "DeleteInstanceAccessControlAttributeConfiguration",
            attributes::delete,
        ),
    ],
    // "20 TPS collective" (Identity Center quotas).
    admit: |call| {
        let admitted = match &mut call.cloud.sso_admin_calls {
            Some(bucket) => bucket.take(call.now),
            None => true,
        };
        if admitted {
            Ok(())
        } else {
            Err(Refusal::new("ThrottlingException", RATE_EXCEEDED))
        }
    },
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

    /// Checks the members read so far, then returns the instance of the request for reading, which is also possible in
    /// an additional Region.
    fn readable_center(&mut self) -> Result<&Center, Refusal> {
        let arn = self.params.text("InstanceArn", &INSTANCE_ARN);
        self.params.check()?;
        let administers = self.may_administer();
        self.cloud
            .center
            .as_ref()
            .filter(|center| {
                administers && center.arn == arn && center.answers_in(&self.caller.region)
            })
            .ok_or_else(|| self.denied(&arn))
    }

    /// Returns the instance with an ARN, if the caller may use it in this Region.
    ///
    /// In an additional Region, an instance can be read, but not its permission sets and assignments (user guide,
    /// API support in additional Regions).
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

    /// Checks the members like [`center`](Self::center), then returns the instance and the request's permission
    /// set.
    ///
    /// # Errors
    ///
    /// Fails if the instance has no such permission set.
    fn permission_set(&mut self) -> Result<(&mut Center, SetIx), Refusal> {
        let arn = self.params.text("PermissionSetArn", &PERMISSION_SET_ARN);
        let center = self.center()?;
        enabled(center)?;
        match center.sets.ix(&arn) {
            Some(set) => Ok((center, set)),
            None => Err(no_permission_set(&arn)),
        }
    }

    /// Returns the permission set of the request.
    fn described_set(&mut self) -> Result<&PermissionSet, Refusal> {
        let (center, set) = self.permission_set()?;
        Ok(center.sets.at(set))
    }

    /// Returns the permission set of the request for a change, if the caller may change it.
    ///
    /// A delegated administrator cannot change permission sets that are provisioned in the management
    /// account (user guide, delegated administration).
    fn permission_set_to_change(&mut self) -> Result<&mut PermissionSet, Refusal> {
        let delegate = !self.is_management();
        let organization = &self.cloud.organization;
        let management = organization.account_ix(&organization.management);
        let (center, set) = self.permission_set()?;
        let in_management =
            management.is_some_and(|account| center.access.role(set, account).is_some());
        if delegate && in_management {
            let arn = center.sets.at(set).arn.clone();
            return Err(self.denied(&arn));
        }
        let (center, set) = self.permission_set()?;
        Ok(center.sets.at_mut(set))
    }

    /// Returns the instance that [`center`](Self::center) has checked, as a shared reference for pagination.
    fn checked_center(&self) -> Result<&Center, Refusal> {
        self.cloud.center.as_ref().ok_or_else(|| self.denied("*"))
    }

    /// Starts an asynchronous operation on the permission set of the request.
    fn start(
        &mut self,
        kind: Kind,
        account: Option<String>,
        principal: Option<Principal>,
    ) -> Result<&Operation, Refusal> {
        let arn = self.described_set()?.arn.clone();
        let new = NewOperation {
            kind,
            account,
            permission_set: arn,
            principal,
            caller: self.limited_caller(),
            now: self.now,
        };
        let denied = self.denied("*");
        let Cloud {
            organization,
            center,
            operations,
            ..
        } = &mut *self.cloud;
        center
            .as_mut()
            .ok_or(denied)?
            .start(organization, operations, new)
    }

    fn denied(&self, resource: &str) -> Refusal {
        Refusal::denied(format!(
            "User: {} is not authorized to perform: sso:{} on resource: {resource}",
            self.caller.arn, self.operation.name
        ))
    }
}

/// Returns an error if the instance has no permission sets: it is an account instance, or they are not enabled.
///
/// Public tools have recorded the error of an account instance. `UpdateInstance` enables permission sets. The API
/// documentation does not define the error of the permission set operations before that.
fn enabled(center: &Center) -> Result<(), Refusal> {
    if center.is_account_instance() {
        return Err(Refusal::validation(
            "The operation is not supported for this Identity Center instance",
        ));
    }
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
