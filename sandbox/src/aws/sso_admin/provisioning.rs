//! Provisioning of permission sets to accounts, and lists of provisioned permission sets.

use serde_json::{Value, json};

use super::{Call, enabled, list_response};
use crate::aws::center::{Center, Kind, Role};
use crate::aws::reply::Refusal;
use crate::aws::rules::{ACCOUNT_ID, REQUEST_ID};

const LATEST: &str = "LATEST_PERMISSION_SET_PROVISIONED";
const NOT_LATEST: &str = "LATEST_PERMISSION_SET_NOT_PROVISIONED";

pub(super) fn provision(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let target = params.choice("TargetType", &["AWS_ACCOUNT", "ALL_PROVISIONED_ACCOUNTS"]);
    let account = params.text_opt("TargetId", &ACCOUNT_ID);
    call.permission_set_to_change()?;
    let account = match (target, account) {
        ("AWS_ACCOUNT", Some(account)) => {
            super::assignments::in_organization(call.cloud, &account)?;
            Some(account)
        }
        ("AWS_ACCOUNT", None) => {
            return Err(Refusal::validation(
                "TargetId is required when TargetType is AWS_ACCOUNT.",
            ));
        }
        _ => None,
    };
    if account.as_ref() == Some(&call.cloud.organization.management) && !call.is_management() {
        return Err(call.denied("*"));
    }
    let when = (call.now, call.cloud.operation_delay);
    let (center, arn) = call.permission_set()?;
    let operation = center.start(Kind::Provision, account, &arn, None, when)?;
    Ok(json!({ "PermissionSetProvisioningStatus": operation.provisioning_json() }))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call
        .params
        .text("ProvisionPermissionSetRequestId", &REQUEST_ID);
    let center = call.center()?;
    let operation = center
        .operation(Kind::Provision, &id)
        .ok_or_else(|| no_request(&id))?;
    Ok(json!({ "PermissionSetProvisioningStatus": operation.provisioning_json() }))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    list_operations(call, Kind::Provision, "PermissionSetsProvisioningStatus")
}

/// Lists the operations of a kind, optionally filtered by status.
pub(super) fn list_operations(
    call: &mut Call<'_>,
    kind: Kind,
    name: &str,
) -> Result<Value, Refusal> {
    let status = call
        .params
        .structure_opt("Filter")
        .and_then(|filter| filter.choice_opt("Status", &["IN_PROGRESS", "FAILED", "SUCCEEDED"]));
    let center = call.center()?;
    let operations: Vec<(u64, Value)> = center
        .operations(kind)
        .filter(|operation| status.is_none_or(|status| operation.status.name() == status))
        .map(|operation| (operation.position, operation.summary_json()))
        .collect();
    let page = call.page(operations, &format!("{status:?}"))?;
    Ok(list_response(name, page))
}

pub(super) fn accounts(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let status = call
        .params
        .choice_opt("ProvisioningStatus", &[LATEST, NOT_LATEST]);
    let (center, arn) = call.permission_set()?;
    let accounts: Vec<(u64, String)> = center
        .roles
        .iter()
        .filter(|role| role.permission_set == arn && has_status(center, role, status))
        .map(|role| (role.position, role.account.clone()))
        .collect();
    let page = call.page(accounts, &format!("{arn}/{status:?}"))?;
    Ok(list_response("AccountIds", page))
}

pub(super) fn permission_sets(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let status = call
        .params
        .choice_opt("ProvisioningStatus", &[LATEST, NOT_LATEST]);
    let account = call.params.text("AccountId", &ACCOUNT_ID);
    let center = call.center()?;
    enabled(center)?;
    let sets: Vec<(u64, String)> = center
        .roles
        .iter()
        .filter(|role| role.account == account && has_status(center, role, status))
        .map(|role| (role.position, role.permission_set.clone()))
        .collect();
    let page = call.page(sets, &format!("{account}/{status:?}"))?;
    Ok(list_response("PermissionSets", page))
}

/// Returns the error for an unknown request id.
pub(super) fn no_request(id: &str) -> Refusal {
    Refusal::not_found(format!("Request not found for {id}"))
}

fn has_status(center: &Center, role: &Role, status: Option<&str>) -> bool {
    let latest = center
        .permission_set(&role.permission_set)
        .is_some_and(|set| set.version == role.version);
    match status {
        Some(LATEST) => latest,
        Some(_) => !latest,
        None => true,
    }
}
