//! The AWS Organizations API.

mod tree;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::caller::Caller;
use super::cloud::Cloud;
use super::page::{BadToken, Page};
use super::params::{PageRequest, Params};
use super::reply::{Refusal, epoch};
use super::rules::{
    ACCOUNT_ID, ORGANIZATIONS_TOKEN, PARENT_ID, SERVICE_PRINCIPAL, TAG_KEY, TAG_VALUE, TARGET_ID,
};

pub(crate) use tree::Organization;

/// "`MaxResults`: valid range: minimum value of 1, maximum value of 20" (API reference, every list).
const MAX_PAGE_SIZE: usize = 20;

/// The service principal of Identity Center.
pub(crate) const SSO: &str = "sso.amazonaws.com";

/// Runs an operation.
pub(super) fn call(
    cloud: &mut Cloud,
    caller: &Caller,
    now: Timestamp,
    operation: &str,
    params: &Params<'_>,
) -> Result<Value, Refusal> {
    admit(cloud, caller, operation)?;
    match operation {
        "DescribeOrganization" => Ok(json!({ "Organization": cloud.organization.to_json() })),
        "DescribeAccount" => describe_account(cloud, params),
        "ListAccounts" => list_accounts(cloud, params, None),
        "ListAccountsForParent" => {
            let parent = parent(cloud, params)?;
            list_accounts(cloud, params, Some(&parent))
        }
        "ListOrganizationalUnitsForParent" => list_units(cloud, params),
        "ListRoots" => list_roots(cloud, params),
        "ListParents" => list_parents(cloud, params),
        "ListTagsForResource" => list_tags(cloud, params),
        "TagResource" => tag(cloud, params),
        "ListAWSServiceAccessForOrganization" => list_trusted(cloud, params),
        "EnableAWSServiceAccess" => trust(cloud, params, now),
        "ListDelegatedAdministrators" => list_delegated(cloud, params),
        "RegisterDelegatedAdministrator" => register(cloud, params, now),
        "DeregisterDelegatedAdministrator" => deregister(cloud, params),
        "EnableAllFeatures" => enable_all_features(cloud, now),
        _ => Err(Refusal::new("UnknownOperationException", "")),
    }
}

/// Returns an error if the caller may not use the operation.
///
/// "This operation can be called only from the organization's management account or by a member account
/// that is a delegated administrator" (API reference, most operations).
fn admit(cloud: &Cloud, caller: &Caller, operation: &str) -> Result<(), Refusal> {
    let reads = operation.starts_with("List") || operation.starts_with("Describe");
    let organization = &cloud.organization;
    let known = organization.account(&caller.account).is_some();
    let allowed = caller.administers
        && (caller.account == organization.management
            || (reads && organization.is_delegated_for_any(&caller.account))
            || (operation == "DescribeOrganization" && known));
    if allowed {
        Ok(())
    } else {
        Err(Refusal::denied(
            "You don't have permissions to access this resource.",
        ))
    }
}

fn describe_account(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let id = params.text("AccountId", &ACCOUNT_ID);
    check(params)?;
    let account = cloud
        .organization
        .account(&id)
        .ok_or_else(account_not_found)?;
    Ok(json!({ "Account": cloud.organization.account_json(account) }))
}

fn list_accounts(
    cloud: &Cloud,
    params: &Params<'_>,
    parent: Option<&str>,
) -> Result<Value, Refusal> {
    let organization = &cloud.organization;
    let items = organization
        .accounts
        .iter()
        .zip(1..)
        .filter(|(account, _)| parent.is_none_or(|parent| account.parent == parent))
        .map(|(account, position)| (position, organization.account_json(account)));
    let page = paged(cloud, params, items, &format!("accounts {parent:?}"))?;
    Ok(list_response("Accounts", page))
}

fn list_units(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let parent = parent(cloud, params)?;
    let organization = &cloud.organization;
    let items = organization
        .units
        .iter()
        .zip(1..)
        .filter(|(unit, _)| unit.parent == parent)
        .map(|(unit, position)| (position, organization.unit_json(unit)));
    let page = paged(cloud, params, items, &format!("units {parent}"))?;
    Ok(list_response("OrganizationalUnits", page))
}

fn list_roots(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let organization = &cloud.organization;
    let root = json!({
        "Id": organization.root,
        "Arn": format!(
            "arn:aws:organizations::{}:root/{}/{}",
            organization.management, organization.id, organization.root
        ),
        "Name": "Root",
        "PolicyTypes": [],
    });
    let page = paged(cloud, params, [(1, root)], "roots")?;
    Ok(list_response("Roots", page))
}

fn list_parents(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let child = params.text("ChildId", &TARGET_ID);
    check(params)?;
    let organization = &cloud.organization;
    let parent = organization
        .account(&child)
        .map(|account| &account.parent)
        .or_else(|| {
            organization
                .units
                .iter()
                .find(|unit| unit.id == child)
                .map(|unit| &unit.parent)
        })
        .ok_or_else(|| {
            Refusal::new(
                "ChildNotFoundException",
                "You specified a child that does not exist.",
            )
        })?;
    let kind = if *parent == organization.root {
        "ROOT"
    } else {
        "ORGANIZATIONAL_UNIT"
    };
    let page = paged(
        cloud,
        params,
        [(1, json!({ "Id": parent, "Type": kind }))],
        &format!("parents {child}"),
    )?;
    Ok(list_response("Parents", page))
}

fn list_tags(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let target = params.text("ResourceId", &TARGET_ID);
    check(params)?;
    let tags: Vec<(u64, Value)> = match cloud.organization.account(&target) {
        Some(account) => account
            .tags
            .iter()
            .zip(1..)
            .map(|((key, value), position)| (position, json!({ "Key": key, "Value": value })))
            .collect(),
        None if cloud.organization.has_parent(&target) => Vec::new(),
        None => return Err(target_not_found()),
    };
    let page = paged(cloud, params, tags, &format!("tags {target}"))?;
    Ok(list_response("Tags", page))
}

fn tag(cloud: &mut Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let target = params.text("ResourceId", &TARGET_ID);
    let tags: Vec<(String, String)> = params
        .structures("Tags", 0, 50)
        .iter()
        .map(|tag| (tag.text("Key", &TAG_KEY), tag.text("Value", &TAG_VALUE)))
        .collect();
    check(params)?;
    let account = cloud
        .organization
        .accounts
        .iter_mut()
        .find(|account| account.id == target)
        .ok_or_else(target_not_found)?;
    account.tags.extend(tags);
    Ok(Value::Null)
}

fn list_trusted(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let items = cloud
        .organization
        .trusted
        .iter()
        .zip(1..)
        .map(|((service, since), position)| {
            (
                position,
                json!({ "ServicePrincipal": service, "DateEnabled": epoch(*since) }),
            )
        });
    let page = paged(cloud, params, items, "trusted services")?;
    Ok(list_response("EnabledServicePrincipals", page))
}

fn trust(cloud: &mut Cloud, params: &Params<'_>, now: Timestamp) -> Result<Value, Refusal> {
    let service = service(params)?;
    if !cloud.organization.all_features {
        return Err(Refusal::new(
            "AWSOrganizationsNotInUseException",
            "Your organization does not have all features enabled.",
        ));
    }
    cloud.organization.trusted.entry(service).or_insert(now);
    Ok(Value::Null)
}

fn list_delegated(cloud: &Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let service = params.text_opt("ServicePrincipal", &SERVICE_PRINCIPAL);
    check(params)?;
    let organization = &cloud.organization;
    let items = organization
        .delegated
        .iter()
        .zip(1..)
        .filter(|(((_, principal), _), _)| {
            service.as_ref().is_none_or(|service| service == principal)
        })
        .filter_map(|(((account, _), since), position)| {
            let mut json = organization.account_json(organization.account(account)?);
            json["DelegationEnabledDate"] = epoch(*since);
            json.as_object_mut()?.remove("Paths");
            Some((position, json))
        });
    let page = paged(cloud, params, items, &format!("delegated {service:?}"))?;
    Ok(list_response("DelegatedAdministrators", page))
}

fn register(cloud: &mut Cloud, params: &Params<'_>, now: Timestamp) -> Result<Value, Refusal> {
    let account = params.text("AccountId", &ACCOUNT_ID);
    let service = service(params)?;
    let organization = &mut cloud.organization;
    if organization.account(&account).is_none() {
        return Err(account_not_found());
    }
    if account == organization.management {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You cannot register master account/yourself as delegated administrator for your organization.",
        )
        .with("Reason", "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"));
    }
    if !organization.trusted.contains_key(&service) {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You must enable trusted access for the service before you register a delegated administrator.",
        )
        .with("Reason", "SERVICE_ACCESS_NOT_ENABLED"));
    }
    if organization.is_delegated(&account, &service) {
        return Err(Refusal::new(
            "AccountAlreadyRegisteredException",
            "The provided account is already a delegated administrator for your organization.",
        ));
    }
    organization.delegated.insert((account, service), now);
    Ok(Value::Null)
}

fn deregister(cloud: &mut Cloud, params: &Params<'_>) -> Result<Value, Refusal> {
    let account = params.text("AccountId", &ACCOUNT_ID);
    let service = service(params)?;
    match cloud.organization.delegated.remove(&(account, service)) {
        Some(_) => Ok(Value::Null),
        None => Err(Refusal::new(
            "AccountNotRegisteredException",
            "The provided account is not a registered delegated administrator for your organization.",
        )),
    }
}

/// Enables all features; the sandbox does not wait for an approval by the member accounts.
fn enable_all_features(cloud: &mut Cloud, now: Timestamp) -> Result<Value, Refusal> {
    let organization = &mut cloud.organization;
    if organization.all_features {
        return Err(Refusal::new(
            "HandshakeConstraintViolationException",
            "The organization already has all features enabled.",
        )
        .with("Reason", "ORGANIZATION_ALREADY_HAS_ALL_FEATURES"));
    }
    organization.all_features = true;
    let id = format!("h-{}", cloud.ids.hex("handshake", &organization.id, 32));
    Ok(json!({ "Handshake": {
        "Id": id,
        "Arn": format!(
            "arn:aws:organizations::{}:handshake/{}/enable_all_features/{id}",
            organization.management, organization.id
        ),
        "Parties": [{ "Id": organization.id.trim_start_matches("o-"), "Type": "ORGANIZATION" }],
        "State": "REQUESTED",
        "RequestedTimestamp": epoch(now),
        "ExpirationTimestamp": epoch(crate::aws::later(now, SignedDuration::from_hours(90 * 24))),
        "Action": "ENABLE_ALL_FEATURES",
        "Resources": [{ "Value": organization.id, "Type": "ORGANIZATION" }],
    } }))
}

fn parent(cloud: &Cloud, params: &Params<'_>) -> Result<String, Refusal> {
    let parent = params.text("ParentId", &PARENT_ID);
    check(params)?;
    if cloud.organization.has_parent(&parent) {
        Ok(parent)
    } else {
        Err(Refusal::new(
            "ParentNotFoundException",
            "You specified parent that doesn't exist.",
        ))
    }
}

fn service(params: &Params<'_>) -> Result<String, Refusal> {
    let service = params.text("ServicePrincipal", &SERVICE_PRINCIPAL);
    check(params)?;
    if service.ends_with(".amazonaws.com") {
        return Ok(service);
    }
    Err(Refusal::new(
        "InvalidInputException",
        "You specified an unrecognized service principal.",
    )
    .with("Reason", "UNRECOGNIZED_SERVICE_PRINCIPAL"))
}

fn paged<T>(
    cloud: &Cloud,
    params: &Params<'_>,
    items: impl IntoIterator<Item = (u64, T)>,
    scope: &str,
) -> Result<Page<T>, Refusal> {
    let page_request: PageRequest = params.page_request(MAX_PAGE_SIZE as u64, &ORGANIZATIONS_TOKEN);
    check(params)?;
    cloud
        .pages
        .paginate_with_empty_page(items, scope, &page_request, MAX_PAGE_SIZE)
        .map_err(|BadToken| {
            Refusal::new(
                "InvalidInputException",
                "You specified an invalid value for NextToken.",
            )
            .with("Reason", "INVALID_NEXT_TOKEN")
        })
}

fn list_response(name: &str, page: Page<Value>) -> Value {
    let mut response = json!({ name: page.items });
    if let Some(next) = page.next {
        response["NextToken"] = next.into();
    }
    response
}

/// Renames `ValidationException`: Organizations calls this error `InvalidInputException`.
fn check(params: &Params<'_>) -> Result<(), Refusal> {
    params
        .check()
        .map_err(|refusal| refusal.renamed("ValidationException", "InvalidInputException"))
}

fn account_not_found() -> Refusal {
    Refusal::new(
        "AccountNotFoundException",
        "You specified an account that doesn't exist.",
    )
}

fn target_not_found() -> Refusal {
    Refusal::new(
        "TargetNotFoundException",
        "You specified a target that doesn't exist.",
    )
}

#[cfg(test)]
mod tests;
