//! Provisioning of permission sets to accounts, and lists of provisioned permission sets.

use serde_json::{Value, json};

use super::{Call, enabled, list_response};
use crate::aws::center::{Center, Kind, Provisioned, SetIx};
use crate::aws::organizations::{AccountIx, start};
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
    let operation = call.start(Kind::Provision, account, None)?;
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
    enabled(call.center()?)?;
    let center = call.checked_center()?;
    let now = call.now;
    let page = call.page_from(&format!("{status:?}"), |first| {
        center
            .operations(kind, status, first, now)
            .map(|(position, operation)| (position, operation.summary_json()))
    })?;
    Ok(list_response(name, page))
}

pub(super) fn accounts(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let status = call
        .params
        .choice_opt("ProvisioningStatus", &[LATEST, NOT_LATEST]);
    let (_, set) = call.permission_set()?;
    let center = call.checked_center()?;
    let organization = &call.cloud.organization;
    let page = call.page_from(&format!("{set:?}/{status:?}"), |first| {
        center
            .access
            .accounts_of(set, AccountIx(start(first)))
            .filter(|(_, role)| has_status(center, set, *role, status))
            .map(|(account, _)| {
                (
                    account.0.into(),
                    organization.account_at(account).id.clone(),
                )
            })
    })?;
    Ok(list_response("AccountIds", page))
}

pub(super) fn permission_sets(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let status = call
        .params
        .choice_opt("ProvisioningStatus", &[LATEST, NOT_LATEST]);
    let id = call.params.text("AccountId", &ACCOUNT_ID);
    enabled(call.center()?)?;
    let center = call.checked_center()?;
    let account = call.cloud.organization.account_ix(&id);
    let page = call.page_from(&format!("{id}/{status:?}"), |first| {
        account
            .into_iter()
            .flat_map(move |account| center.access.sets_of(account, SetIx(start(first))))
            .filter(|(set, role)| has_status(center, *set, *role, status))
            .map(|(set, _)| (set.0.into(), center.sets.at(set).arn.clone()))
    })?;
    Ok(list_response("PermissionSets", page))
}

/// Returns the error for an unknown request id.
pub(super) fn no_request(id: &str) -> Refusal {
    Refusal::not_found(format!("Request not found for {id}"))
}

fn has_status(center: &Center, set: SetIx, role: Provisioned, status: Option<&str>) -> bool {
    let latest = center.sets.at(set).version == role.version;
    match status {
        Some(LATEST) => latest,
        Some(_) => !latest,
        None => true,
    }
}
