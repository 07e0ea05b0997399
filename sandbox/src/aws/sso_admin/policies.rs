//! Policies of permission sets: managed policies, the inline policy and the permissions boundary.

use serde_json::{Value, json};

use super::{Call, PermissionSet, list_response};
use crate::aws::center::{Boundary, MAX_POLICIES, PolicyReference};
use crate::aws::managed_policies;
use crate::aws::params::Params;
use crate::aws::reply::Refusal;
use crate::aws::rules::{INLINE_POLICY, MANAGED_POLICY_ARN, POLICY_NAME, POLICY_PATH};
use crate::identity_center::UnknownPolicies;

/// "Inline policy: 10,240 characters that are not white space" (Identity Center quotas).
const MAX_INLINE_CHARACTERS: usize = 10_240;

pub(super) fn attach_managed(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let policy = call.params.text("ManagedPolicyArn", &MANAGED_POLICY_ARN);
    call.permission_set_to_change()?;
    require_policy(call, &policy)?;
    let set = call.permission_set_to_change()?;
    if set.managed.contains(&policy) {
        return Err(Refusal::conflict(format!(
            "Policy with arn {policy} is already attached to the PermissionSet."
        )));
    }
    check_policy_quota(set)?;
    set.managed.push(policy);
    Ok(mark_changed(set))
}

pub(super) fn detach_managed(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let policy = call.params.text("ManagedPolicyArn", &MANAGED_POLICY_ARN);
    let set = call.permission_set_to_change()?;
    let before = set.managed.len();
    set.managed.retain(|attached| *attached != policy);
    if set.managed.len() == before {
        return Err(Refusal::not_found(format!(
            "Policy with arn {policy} is not attached to the PermissionSet."
        )));
    }
    Ok(mark_changed(set))
}

pub(super) fn list_managed(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let set = call.described_set()?;
    let arn = set.arn.clone();
    let policies: Vec<(u64, Value)> = set
        .managed
        .iter()
        .zip(1..)
        .map(|(policy, position)| {
            let name = policy
                .rsplit_once('/')
                .map_or(policy.as_str(), |(_, name)| name);
            (position, json!({ "Name": name, "Arn": policy }))
        })
        .collect();
    let page = call.page(policies, &arn)?;
    Ok(list_response("AttachedManagedPolicies", page))
}

pub(super) fn attach_customer(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let policy = reference(
        call.params
            .structure("CustomerManagedPolicyReference")
            .as_ref(),
    );
    let set = call.permission_set_to_change()?;
    if set.customer.contains(&policy) {
        return Err(Refusal::conflict(format!(
            "Policy reference {}{} is already attached to the PermissionSet.",
            policy.path, policy.name
        )));
    }
    check_policy_quota(set)?;
    set.customer.push(policy);
    Ok(mark_changed(set))
}

pub(super) fn detach_customer(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let policy = reference(
        call.params
            .structure("CustomerManagedPolicyReference")
            .as_ref(),
    );
    let set = call.permission_set_to_change()?;
    let before = set.customer.len();
    set.customer.retain(|attached| *attached != policy);
    if set.customer.len() == before {
        return Err(Refusal::not_found(format!(
            "Policy reference {}{} is not attached to the PermissionSet.",
            policy.path, policy.name
        )));
    }
    Ok(mark_changed(set))
}

pub(super) fn list_customer(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let set = call.described_set()?;
    let arn = set.arn.clone();
    let policies: Vec<(u64, Value)> = set
        .customer
        .iter()
        .zip(1..)
        .map(|(policy, position)| (position, policy.to_json()))
        .collect();
    let page = call.page(policies, &arn)?;
    Ok(list_response("CustomerManagedPolicyReferences", page))
}

/// Sets the inline policy; an invalid policy is accepted here and fails during provisioning.
pub(super) fn put_inline(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let policy = call.params.text("InlinePolicy", &INLINE_POLICY);
    let set = call.permission_set_to_change()?;
    if policy
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .count()
        > MAX_INLINE_CHARACTERS
    {
        return Err(Refusal::new(
            "ServiceQuotaExceededException",
            "The inline policy exceeds the quota for the size of inline policies.",
        ));
    }
    set.inline = Some(policy);
    Ok(mark_changed(set))
}

/// Returns the inline policy; without one, the text is empty.
pub(super) fn get_inline(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let policy = call.described_set()?.inline.as_deref();
    Ok(json!({ "InlinePolicy": policy.unwrap_or_default() }))
}

pub(super) fn delete_inline(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let set = call.permission_set_to_change()?;
    if set.inline.take().is_none() {
        return Err(Refusal::not_found(
            "The PermissionSet has no inline policy.",
        ));
    }
    Ok(mark_changed(set))
}

pub(super) fn put_boundary(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let boundary = call
        .params
        .structure("PermissionsBoundary")
        .and_then(|boundary| {
            let managed = boundary.text_opt("ManagedPolicyArn", &MANAGED_POLICY_ARN);
            let customer = boundary.structure_opt("CustomerManagedPolicyReference");
            match (managed, customer) {
                (Some(managed), None) => Some(Boundary::Managed(managed)),
                (None, Some(customer)) => Some(Boundary::Customer(reference(Some(&customer)))),
                _ => None,
            }
        });
    call.permission_set_to_change()?;
    match &boundary {
        None => {
            return Err(Refusal::validation(
                "Exactly one of ManagedPolicyArn and CustomerManagedPolicyReference must be specified.",
            ));
        }
        Some(Boundary::Managed(policy)) => require_policy(call, policy)?,
        Some(Boundary::Customer(_)) => {}
    }
    let set = call.permission_set_to_change()?;
    set.boundary = boundary;
    Ok(mark_changed(set))
}

pub(super) fn get_boundary(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let set = call.described_set()?;
    let boundary = set.boundary.as_ref().ok_or_else(no_boundary)?;
    Ok(json!({ "PermissionsBoundary": boundary.to_json() }))
}

pub(super) fn delete_boundary(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let set = call.permission_set_to_change()?;
    if set.boundary.take().is_none() {
        return Err(no_boundary());
    }
    Ok(mark_changed(set))
}

/// Returns an error if an AWS managed policy does not exist, unless the sandbox reports that during provisioning.
fn require_policy(call: &Call<'_>, policy: &str) -> Result<(), Refusal> {
    let center = call.checked_center()?;
    if center.options.unknown_policies == UnknownPolicies::FailAtProvisioning
        || managed_policies::exists(policy, center.partition().name())
    {
        return Ok(());
    }
    Err(Refusal::not_found(format!(
        "Policy {policy} does not exist or is not attachable."
    )))
}

fn reference(params: Option<&Params<'_>>) -> PolicyReference {
    PolicyReference {
        name: params
            .map(|params| params.text("Name", &POLICY_NAME))
            .unwrap_or_default(),
        path: params
            .and_then(|params| params.text_opt("Path", &POLICY_PATH))
            .unwrap_or_else(|| "/".to_owned()),
    }
}

fn check_policy_quota(set: &PermissionSet) -> Result<(), Refusal> {
    if set.managed.len() + set.customer.len() < MAX_POLICIES {
        return Ok(());
    }
    Err(Refusal::new(
        "ServiceQuotaExceededException",
        "You have exceeded the quota for managed policies per permission set.",
    ))
}

/// Increases the version, which marks provisioned roles as outdated; returns an empty response.
fn mark_changed(set: &mut PermissionSet) -> Value {
    set.version += 1;
    json!({})
}

fn no_boundary() -> Refusal {
    Refusal::not_found("The PermissionSet has no permissions boundary.")
}
