//! Operations on account assignments.

use serde_json::{Value, json};

use super::provisioning::{list_operations, no_request};
use super::{Call, enabled, list_response};
use crate::aws::center::{Assignment, Center, Kind, Principal, PrincipalIx};
use crate::aws::cloud::Cloud;
use crate::aws::organizations::{AccountIx, Organization};
use crate::aws::reply::Refusal;
use crate::aws::rules::{ACCOUNT_ID, PERMISSION_SET_ARN, PRINCIPAL_ID, REQUEST_ID};

const KINDS: [&str; 2] = ["USER", "GROUP"];

/// Starts the creation of an assignment.
///
/// Creating an existing assignment succeeds too: the operation takes the usual time and changes nothing.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (account, principal) = target(call)?;
    start(
        call,
        Kind::Assign,
        account,
        principal,
        "AccountAssignmentCreationStatus",
    )
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (account, principal) = target(call)?;
    let account_ix = call.cloud.organization.account_ix(&account);
    let (center, set) = call.permission_set()?;
    let exists = account_ix
        .zip(center.access.principal_ix(&principal))
        .is_some_and(|(account, principal)| {
            center.access.contains(Assignment {
                account,
                set,
                principal,
            })
        });
    if !exists {
        return Err(Refusal::not_found(format!(
            "AccountAssignment not found for {} {} in {account}",
            principal.kind, principal.id
        )));
    }
    start(
        call,
        Kind::Unassign,
        account,
        principal,
        "AccountAssignmentDeletionStatus",
    )
}

fn start(
    call: &mut Call<'_>,
    kind: Kind,
    account: String,
    principal: Principal,
    name: &str,
) -> Result<Value, Refusal> {
    let operation = call.start(kind, Some(account), Some(principal))?;
    Ok(json!({ name: operation.assignment_json() }))
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
    let id = call.params.text("AccountId", &ACCOUNT_ID);
    let (_, set) = call.permission_set()?;
    let center = call.checked_center()?;
    let organization = &call.cloud.organization;
    let account = organization.account_ix(&id);
    let page = call.page_from(&format!("{id}/{set:?}"), |first| {
        account
            .into_iter()
            .flat_map(move |account| center.access.of_pair(account, set, first))
    })?;
    Ok(list_response(
        "AccountAssignments",
        page.map(|row| row_json(center, organization, row)),
    ))
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
    let center = call.checked_center()?;
    let organization = &call.cloud.organization;
    let principals = match center.directory.user(&id) {
        Some(user) if kind == "USER" => center.principals_of(user),
        _ => {
            let id = id.as_str().into();
            let principal = center.access.principal_ix(&Principal { kind, id });
            principal.into_iter().collect()
        }
    };
    // No account has the maximum index.
    let account = account.map(|id| organization.account_ix(&id).unwrap_or(AccountIx(u32::MAX)));
    let page = call.page_from(&format!("{kind}/{id}/{account:?}"), |first| {
        oldest_first(center, &principals, account, first)
    })?;
    Ok(list_response(
        "AccountAssignments",
        page.map(|row| row_json(center, organization, row)),
    ))
}

/// Returns the assignments of several principals from a position on, oldest first.
///
/// The positions of one principal ascend, so the next assignment is the first one of one of the principals.
fn oldest_first<'c>(
    center: &'c Center,
    principals: &[PrincipalIx],
    account: Option<AccountIx>,
    first: u64,
) -> impl Iterator<Item = (u64, Assignment)> + use<'c> {
    let rows = |principal: &PrincipalIx| -> Box<dyn Iterator<Item = (u64, Assignment)> + 'c> {
        match account {
            Some(account) => Box::new(center.access.of_principal_in(*principal, account, first)),
            None => Box::new(center.access.of_principal(*principal, first)),
        }
    };
    let mut rows: Vec<_> = principals
        .iter()
        .map(|principal| rows(principal).peekable())
        .collect();
    std::iter::from_fn(move || {
        rows.iter_mut()
            .filter_map(|rows| Some((rows.peek()?.0, rows)))
            .min_by_key(|(position, _)| *position)?
            .1
            .next()
    })
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
        id: params.text("PrincipalId", &PRINCIPAL_ID).into(),
    };
    call.permission_set_to_change()?;
    in_organization(call.cloud, &account)?;
    if account == call.cloud.organization.management && !call.is_management() {
        let partition = call.cloud.organization.partition.name();
        return Err(call.denied(&format!("arn:{partition}:sso:::account/{account}")));
    }
    Ok((account, principal))
}

fn row_json(center: &Center, organization: &Organization, row: Assignment) -> Value {
    let principal = center.access.principal(row.principal);
    json!({
        "AccountId": organization.account_at(row.account).id,
        "PermissionSetArn": center.sets.at(row.set).arn,
        "PrincipalType": principal.kind,
        "PrincipalId": &*principal.id,
    })
}
