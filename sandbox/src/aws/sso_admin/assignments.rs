//! Operations on account assignments.

use serde_json::{Value, json};

use super::provisioning::{list_operations, no_request};
use super::{Call, enabled, list_response};
use crate::aws::center::{Assignment, Kind, Principal};
use crate::aws::cloud::Cloud;
use crate::aws::reply::Refusal;
use crate::aws::rules::{ACCOUNT_ID, PERMISSION_SET_ARN, PRINCIPAL_ID, REQUEST_ID};

const KINDS: [&str; 2] = ["USER", "GROUP"];

/// Starts the creation of an assignment.
///
/// Creating an existing assignment succeeds too: the operation takes the usual time and changes nothing.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (account, principal) = target(call)?;
    let when = (call.now, call.cloud.operation_delay);
    let (center, arn) = call.permission_set()?;
    let operation = center.start(Kind::Assign, Some(account), &arn, Some(principal), when)?;
    Ok(json!({ "AccountAssignmentCreationStatus": operation.assignment_json() }))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (account, principal) = target(call)?;
    let when = (call.now, call.cloud.operation_delay);
    let (center, arn) = call.permission_set()?;
    if !center.is_assigned(&account, &arn, &principal) {
        return Err(Refusal::not_found(format!(
            "AccountAssignment not found for {} {} in {account}",
            principal.kind, principal.id
        )));
    }
    let operation = center.start(Kind::Unassign, Some(account), &arn, Some(principal), when)?;
    Ok(json!({ "AccountAssignmentDeletionStatus": operation.assignment_json() }))
}

pub(super) fn describe_creation(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call
        .params
        .text("AccountAssignmentCreationRequestId", &REQUEST_ID);
    let center = call.center()?;
    let operation = center
        .operation(Kind::Assign, &id)
        .ok_or_else(|| no_request(&id))?;
    Ok(json!({ "AccountAssignmentCreationStatus": operation.assignment_json() }))
}

pub(super) fn describe_deletion(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call
        .params
        .text("AccountAssignmentDeletionRequestId", &REQUEST_ID);
    let center = call.center()?;
    let operation = center
        .operation(Kind::Unassign, &id)
        .ok_or_else(|| no_request(&id))?;
    Ok(json!({ "AccountAssignmentDeletionStatus": operation.assignment_json() }))
}

pub(super) fn list_creations(call: &mut Call<'_>) -> Result<Value, Refusal> {
    list_operations(call, Kind::Assign, "AccountAssignmentsCreationStatus")
}

pub(super) fn list_deletions(call: &mut Call<'_>) -> Result<Value, Refusal> {
    list_operations(call, Kind::Unassign, "AccountAssignmentsDeletionStatus")
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let account = call.params.text("AccountId", &ACCOUNT_ID);
    let (center, arn) = call.permission_set()?;
    let found: Vec<(u64, Value)> = center
        .assignments
        .iter()
        .filter(|assignment| assignment.account == account && assignment.permission_set == arn)
        .map(|assignment| (assignment.position, assignment_json(assignment)))
        .collect();
    let page = call.page(found, &format!("{account}/{arn}"))?;
    Ok(list_response("AccountAssignments", page))
}

/// Lists the assignments of a user or group.
///
/// "This action must be called from the management account" (API reference). For a user, the list also
/// contains the assignments of the user's groups, with the group as principal: the reference says "the
/// accounts that the principal has access to".
pub(super) fn list_for_principal(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.params.text("PrincipalId", &PRINCIPAL_ID);
    let kind = call.params.choice("PrincipalType", &KINDS);
    let account = call
        .params
        .structure_opt("Filter")
        .and_then(|filter| filter.text_opt("AccountId", &ACCOUNT_ID));
    let management = call.is_management();
    let denied = call.denied("*");
    let center = call.center()?;
    if !management {
        return Err(denied);
    }
    enabled(center)?;
    let groups: Vec<&str> = match center.directory.user(&id) {
        Some(user) if kind == "USER" => center
            .directory
            .groups_of(user)
            .map(|(_, (group, _))| group.id.as_str())
            .collect(),
        _ => Vec::new(),
    };
    let found: Vec<(u64, Value)> = center
        .assignments
        .iter()
        .filter(|assignment| {
            let principal = &assignment.principal;
            (principal.id == id && principal.kind == kind)
                || groups.contains(&principal.id.as_str())
        })
        .filter(|assignment| {
            account
                .as_ref()
                .is_none_or(|account| assignment.account == *account)
        })
        .map(|assignment| (assignment.position, assignment_json(assignment)))
        .collect();
    let page = call.page(found, &format!("{kind}/{id}/{account:?}"))?;
    Ok(list_response("AccountAssignments", page))
}

/// Checks that an account can get assignments.
///
/// # Errors
///
/// Returns an error if the account is not in the organization or is closed.
pub(super) fn in_organization(cloud: &Cloud, account: &str) -> Result<(), Refusal> {
    let Some(known) = cloud.organization.account(account) else {
        return Err(Refusal::not_found(format!(
            "AWS account {account} is not part of the organization."
        )));
    };
    if known.state == "CLOSED" {
        return Err(Refusal::validation(format!(
            "AWS account {account} is closed."
        )));
    }
    Ok(())
}

/// Checks the account and the principal of a request, then returns both.
fn target(call: &mut Call<'_>) -> Result<(String, Principal), Refusal> {
    let params = call.params;
    params.choice("TargetType", &["AWS_ACCOUNT"]);
    params.text("PermissionSetArn", &PERMISSION_SET_ARN);
    let account = params.text("TargetId", &ACCOUNT_ID);
    let principal = Principal {
        kind: params.choice("PrincipalType", &KINDS),
        id: params.text("PrincipalId", &PRINCIPAL_ID),
    };
    call.permission_set_to_change()?;
    in_organization(call.cloud, &account)?;
    if account == call.cloud.organization.management && !call.is_management() {
        return Err(call.denied(&format!("arn:aws:sso:::account/{account}")));
    }
    Ok((account, principal))
}

fn assignment_json(assignment: &Assignment) -> Value {
    json!({
        "AccountId": assignment.account,
        "PermissionSetArn": assignment.permission_set,
        "PrincipalType": assignment.principal.kind,
        "PrincipalId": assignment.principal.id,
    })
}
