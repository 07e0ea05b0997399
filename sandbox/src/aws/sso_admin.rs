//! The API of IAM Identity Center; AWS names it `sso-admin`.

mod assignments;
mod attributes;
mod instances;
mod permission_sets;
mod policies;
mod provisioning;
mod tags;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::center::{Center, PermissionSet};
use super::cloud::Cloud;
use super::organizations::SSO;
use super::page::{BadToken, Page};
use super::params::Params;
use super::reply::Refusal;
use super::rules::{ADMIN_TOKEN, INSTANCE_ARN, PERMISSION_SET_ARN};

/// "`MaxResults`: valid range: minimum value of 1, maximum value of 100" (API reference, every list).
const MAX_PAGE_SIZE: usize = 100;

/// A request to the `sso-admin` API.
#[derive(Debug)]
struct Call<'c> {
    cloud: &'c mut Cloud,
    caller: &'c Caller,
    now: Timestamp,
    operation: &'c str,
    params: &'c Params<'c>,
}

/// Runs an operation.
pub(super) fn call(
    cloud: &mut Cloud,
    caller: &Caller,
    now: Timestamp,
    operation: &str,
    params: &Params<'_>,
) -> Result<Value, Refusal> {
    let mut call = Call {
        cloud,
        caller,
        now,
        operation,
        params,
    };
    let call = &mut call;
    match operation {
        "ListInstances" => instances::list(call),
        "DescribeInstance" => instances::describe(call),
        "UpdateInstance" => instances::update(call),
        "CreateInstance" => instances::create(call),
        "CreatePermissionSet" => permission_sets::create(call),
        "DescribePermissionSet" => permission_sets::describe(call),
        "UpdatePermissionSet" => permission_sets::update(call),
        "DeletePermissionSet" => permission_sets::delete(call),
        "ListPermissionSets" => permission_sets::list(call),
        "AttachManagedPolicyToPermissionSet" => policies::attach_managed(call),
        "DetachManagedPolicyFromPermissionSet" => policies::detach_managed(call),
        "ListManagedPoliciesInPermissionSet" => policies::list_managed(call),
        "AttachCustomerManagedPolicyReferenceToPermissionSet" => policies::attach_customer(call),
        "DetachCustomerManagedPolicyReferenceFromPermissionSet" => policies::detach_customer(call),
        "ListCustomerManagedPolicyReferencesInPermissionSet" => policies::list_customer(call),
        "PutInlinePolicyToPermissionSet" => policies::put_inline(call),
        "GetInlinePolicyForPermissionSet" => policies::get_inline(call),
        "DeleteInlinePolicyFromPermissionSet" => policies::delete_inline(call),
        "PutPermissionsBoundaryToPermissionSet" => policies::put_boundary(call),
        "GetPermissionsBoundaryForPermissionSet" => policies::get_boundary(call),
        "DeletePermissionsBoundaryFromPermissionSet" => policies::delete_boundary(call),
        "TagResource" => tags::tag(call),
        "UntagResource" => tags::untag(call),
        "ListTagsForResource" => tags::list(call),
        "ProvisionPermissionSet" => provisioning::provision(call),
        "DescribePermissionSetProvisioningStatus" => provisioning::describe(call),
        "ListPermissionSetProvisioningStatus" => provisioning::list(call),
        "ListAccountsForProvisionedPermissionSet" => provisioning::accounts(call),
        "ListPermissionSetsProvisionedToAccount" => provisioning::permission_sets(call),
        "CreateAccountAssignment" => assignments::create(call),
        "DeleteAccountAssignment" => assignments::delete(call),
        "DescribeAccountAssignmentCreationStatus" => assignments::describe_creation(call),
        "DescribeAccountAssignmentDeletionStatus" => assignments::describe_deletion(call),
        "ListAccountAssignmentCreationStatus" => assignments::list_creations(call),
        "ListAccountAssignmentDeletionStatus" => assignments::list_deletions(call),
        "ListAccountAssignments" => assignments::list(call),
        "ListAccountAssignmentsForPrincipal" => assignments::list_for_principal(call),
        "CreateInstanceAccessControlAttributeConfiguration" => attributes::create(call),
        "DescribeInstanceAccessControlAttributeConfiguration" => attributes::describe(call),
        "UpdateInstanceAccessControlAttributeConfiguration" => attributes::update(call),
        "DeleteInstanceAccessControlAttributeConfiguration" => attributes::delete(call),
        _ => Err(Refusal::new("UnknownOperationException", "")),
    }
}

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
        let administers = self.caller.administers && (self.is_management() || self.is_delegate());
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

    /// Returns the requested page.
    fn page<T>(
        &self,
        items: impl IntoIterator<Item = (u64, T)>,
        scope: &str,
    ) -> Result<Page<T>, Refusal> {
        let page_request = self.params.page_request(MAX_PAGE_SIZE as u64, &ADMIN_TOKEN);
        self.params.check()?;
        let scope = format!("{}/{scope}", self.operation);
        self.cloud
            .pages
            .paginate(items, &scope, &page_request, MAX_PAGE_SIZE)
            .map_err(|BadToken| Refusal::validation("Invalid NextToken."))
    }

    fn is_management(&self) -> bool {
        self.caller.account == self.cloud.organization.management
    }

    fn is_delegate(&self) -> bool {
        self.cloud
            .organization
            .is_delegated(&self.caller.account, SSO)
    }

    fn denied(&self, resource: &str) -> Refusal {
        Refusal::denied(format!(
            "User: {} is not authorized to perform: sso:{} on resource: {resource}",
            self.caller.arn, self.operation
        ))
    }
}

/// Returns a list response with the items under `name`.
fn list_response<T: Into<Value>>(name: &str, page: Page<T>) -> Value {
    let items: Vec<Value> = page.items.into_iter().map(Into::into).collect();
    let mut response = json!({ name: items });
    if let Some(next) = page.next {
        response["NextToken"] = next.into();
    }
    response
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
