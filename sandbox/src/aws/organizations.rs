//! The AWS Organizations API.

mod accounts;
mod tree;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::call::{Call, JsonPaging, JsonService, list, list_response, read, write};
use super::params::Params;
use super::reply::{Refusal, epoch};
use super::rules::{
    ACCOUNT_ID, ORGANIZATIONS_TOKEN, PARENT_ID, SERVICE_PRINCIPAL, TAG_KEY, TAG_VALUE, TARGET_ID,
    UNIT_ID,
};

pub(crate) use tree::{Account, AccountIx, Organization, Parent, UnitIx};

/// The service principal of Identity Center.
pub(crate) const SSO: &str = "sso.amazonaws.com";

/// The service.
pub(super) static SERVICE: JsonService = JsonService {
    name: "organizations",
    signing_name: "organizations",
    target: "AWSOrganizationsV20161128",
    operations: &[
        read("DescribeOrganization", |call| {
            Ok(json!({ "Organization": call.cloud.organization.to_json() }))
        }),
        read("DescribeAccount", describe_account),
        write("CreateAccount", accounts::create),
        read("DescribeCreateAccountStatus", accounts::describe_creation),
        write("MoveAccount", accounts::move_account),
        write("CloseAccount", accounts::close),
        list("ListAccounts", list_accounts),
        list("ListAccountsForParent", list_accounts_of),
        list("ListChildren", list_children),
        read("DescribeOrganizationalUnit", describe_unit),
        list("ListOrganizationalUnitsForParent", list_units),
        list("ListRoots", list_roots),
        list("ListParents", list_parents),
        list("ListTagsForResource", list_tags),
        write("TagResource", tag),
        list("ListAWSServiceAccessForOrganization", list_trusted),
        write("EnableAWSServiceAccess", trust),
        list("ListDelegatedAdministrators", list_delegated),
        write("RegisterDelegatedAdministrator", register),
        write("DeregisterDelegatedAdministrator", deregister),
        write("EnableAllFeatures", enable_all_features),
    ],
    admit,
    // Organizations calls this error `InvalidInputException`.
    validation_code: "InvalidInputException",
    paging: JsonPaging {
        // "`MaxResults`: valid range: minimum value of 1, maximum value of 20" (API reference, every list).
        max: 20,
        token: &ORGANIZATIONS_TOKEN,
        bad_token: || {
            Refusal::new(
                "InvalidInputException",
                "You specified an invalid value for NextToken.",
            )
            .with("Reason", "INVALID_NEXT_TOKEN")
        },
        empty_page: true,
    },
};

/// Returns an error if the caller may not use the operation.
///
/// "This operation can be called only from the organization's management account or by a member account
/// that is a delegated administrator" (API reference, most operations).
fn admit(call: &mut Call<'_>) -> Result<(), Refusal> {
    let (caller, operation) = (call.caller, call.operation);
    let organization = &call.cloud.organization;
    let known = organization.account(&caller.account).is_some();
    let allowed = caller.administers
        && (call.is_management()
            || (operation.reads() && organization.is_delegated_for_any(&caller.account))
            || (operation.name == "DescribeOrganization" && known));
    if allowed {
        Ok(())
    } else {
        Err(Refusal::denied(
            "You don't have permissions to access this resource.",
        ))
    }
}

fn describe_account(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.params.text("AccountId", &ACCOUNT_ID);
    call.check()?;
    let account = call
        .cloud
        .organization
        .account(&id)
        .ok_or_else(account_not_found)?;
    Ok(json!({ "Account": call.cloud.organization.account_json(account) }))
}

fn list_accounts(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let organization = &call.cloud.organization;
    let page = call.page_from("accounts", |from| {
        organization
            .accounts(AccountIx(start(from)))
            .map(|(ix, account)| (ix.0.into(), organization.account_json(account)))
    })?;
    Ok(list_response("Accounts", page))
}

fn list_accounts_of(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let parent = parent(call)?;
    let organization = &call.cloud.organization;
    let page = call.page_from(&format!("accounts {parent:?}"), |from| {
        organization
            .accounts_of(parent, AccountIx(start(from)))
            .map(|(ix, account)| (ix.0.into(), organization.account_json(account)))
    })?;
    Ok(list_response("Accounts", page))
}

fn list_units(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let parent = parent(call)?;
    let organization = &call.cloud.organization;
    let page = call.page_from(&format!("units {parent:?}"), |from| {
        organization
            .units_of(parent, UnitIx(start(from)))
            .map(|(ix, unit)| (ix.0.into(), organization.unit_json(unit)))
    })?;
    Ok(list_response("OrganizationalUnits", page))
}

/// Lists the ids of the accounts or of the organizational units directly below a parent.
fn list_children(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let kind = call
        .params
        .choice("ChildType", &["ACCOUNT", "ORGANIZATIONAL_UNIT"]);
    let parent = parent(call)?;
    let organization = &call.cloud.organization;
    let child = |id: &str| json!({ "Id": id, "Type": kind });
    let scope = format!("children {kind} {parent:?}");
    let page = if kind == "ACCOUNT" {
        call.page_from(&scope, |from| {
            organization
                .accounts_of(parent, AccountIx(start(from)))
                .map(|(ix, account)| (ix.0.into(), child(&account.id)))
        })
    } else {
        call.page_from(&scope, |from| {
            organization
                .units_of(parent, UnitIx(start(from)))
                .map(|(ix, unit)| (ix.0.into(), child(&unit.id)))
        })
    };
    Ok(list_response("Children", page?))
}

fn describe_unit(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.params.text("OrganizationalUnitId", &UNIT_ID);
    call.check()?;
    let organization = &call.cloud.organization;
    let unit = organization.unit(&id).ok_or_else(|| {
        Refusal::new(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    })?;
    Ok(json!({ "OrganizationalUnit": organization.unit_json(unit) }))
}

fn list_roots(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let organization = &call.cloud.organization;
    let root = json!({
        "Id": organization.root,
        "Arn": organization.arn(&format!("root/{}/{}", organization.id, organization.root)),
        "Name": "Root",
        "PolicyTypes": [],
    });
    let page = call.page([(1, root)], "roots")?;
    Ok(list_response("Roots", page))
}

fn list_parents(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let child = call.params.text("ChildId", &TARGET_ID);
    call.check()?;
    let organization = &call.cloud.organization;
    let account = organization.account(&child).map(|account| account.parent);
    let parent = account
        .or_else(|| organization.unit(&child).map(|unit| unit.parent))
        .ok_or_else(|| {
            Refusal::new(
                "ChildNotFoundException",
                "You specified a child that does not exist.",
            )
        })?;
    let kind = match parent {
        None => "ROOT",
        Some(_) => "ORGANIZATIONAL_UNIT",
    };
    let parent = organization.parent_id(parent);
    let page = call.page(
        [(1, json!({ "Id": parent, "Type": kind }))],
        &format!("parents {child}"),
    )?;
    Ok(list_response("Parents", page))
}

fn list_tags(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let target = call.params.text("ResourceId", &TARGET_ID);
    call.check()?;
    let tags: Vec<(u64, Value)> = match call.cloud.organization.account(&target) {
        Some(account) => account
            .tags
            .iter()
            .zip(1..)
            .map(|((key, value), position)| (position, json!({ "Key": key, "Value": value })))
            .collect(),
        None if call.cloud.organization.parent(&target).is_some() => Vec::new(),
        None => return Err(target_not_found()),
    };
    let page = call.page(tags, &format!("tags {target}"))?;
    Ok(list_response("Tags", page))
}

fn tag(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let target = call.params.text("ResourceId", &TARGET_ID);
    let tags = tags(&call.params.structures("Tags", 0, 50));
    call.check()?;
    let organization = &mut call.cloud.organization;
    let account = organization
        .account_ix(&target)
        .ok_or_else(target_not_found)?;
    organization.account_at_mut(account).tags.extend(tags);
    Ok(Value::Null)
}

fn list_trusted(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let items =
        call.cloud
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
    let page = call.page(items, "trusted services")?;
    Ok(list_response("EnabledServicePrincipals", page))
}

fn trust(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let service = service(call)?;
    if !call.cloud.organization.all_features {
        return Err(Refusal::new(
            "AWSOrganizationsNotInUseException",
            "Your organization does not have all features enabled.",
        ));
    }
    call.cloud
        .organization
        .trusted
        .entry(service)
        .or_insert(call.now);
    Ok(Value::Null)
}

fn list_delegated(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let service = call.params.text_opt("ServicePrincipal", &SERVICE_PRINCIPAL);
    call.check()?;
    let organization = &call.cloud.organization;
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
    let page = call.page(items, &format!("delegated {service:?}"))?;
    Ok(list_response("DelegatedAdministrators", page))
}

fn register(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let account = call.params.text("AccountId", &ACCOUNT_ID);
    let service = service(call)?;
    let organization = &mut call.cloud.organization;
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
    organization.delegated.insert((account, service), call.now);
    Ok(Value::Null)
}

fn deregister(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let account = call.params.text("AccountId", &ACCOUNT_ID);
    let service = service(call)?;
    match call
        .cloud
        .organization
        .delegated
        .remove(&(account, service))
    {
        Some(_) => Ok(Value::Null),
        None => Err(Refusal::new(
            "AccountNotRegisteredException",
            "The provided account is not a registered delegated administrator for your organization.",
        )),
    }
}

/// Enables all features; the sandbox does not wait for an approval by the member accounts.
fn enable_all_features(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let organization = &mut call.cloud.organization;
    if organization.all_features {
        return Err(Refusal::new(
            "HandshakeConstraintViolationException",
            "The organization already has all features enabled.",
        )
        .with("Reason", "ORGANIZATION_ALREADY_HAS_ALL_FEATURES"));
    }
    organization.all_features = true;
    let id = format!(
        "h-{}",
        call.cloud.ids.hex("handshake", &organization.id, 32)
    );
    Ok(json!({ "Handshake": {
        "Id": id,
        "Arn": organization.arn(&format!("handshake/{}/enable_all_features/{id}", organization.id)),
        "Parties": [{ "Id": organization.id.trim_start_matches("o-"), "Type": "ORGANIZATION" }],
        "State": "REQUESTED",
        "RequestedTimestamp": epoch(call.now),
        "ExpirationTimestamp": epoch(crate::aws::later(call.now, SignedDuration::from_hours(90 * 24))),
        "Action": "ENABLE_ALL_FEATURES",
        "Resources": [{ "Value": organization.id, "Type": "ORGANIZATION" }],
    } }))
}

fn parent(call: &mut Call<'_>) -> Result<Parent, Refusal> {
    let parent = call.params.text("ParentId", &PARENT_ID);
    call.check()?;
    call.cloud.organization.parent(&parent).ok_or_else(|| {
        Refusal::new(
            "ParentNotFoundException",
            "You specified parent that doesn't exist.",
        )
    })
}

fn tags(tags: &[Params<'_>]) -> Vec<(String, String)> {
    tags.iter()
        .map(|tag| (tag.text("Key", &TAG_KEY), tag.text("Value", &TAG_VALUE)))
        .collect()
}

/// Returns the index at which a page starts.
pub(super) fn start(position: u64) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn service(call: &Call<'_>) -> Result<String, Refusal> {
    let service = call.params.text("ServicePrincipal", &SERVICE_PRINCIPAL);
    call.check()?;
    if service.ends_with(".amazonaws.com") {
        return Ok(service);
    }
    Err(Refusal::new(
        "InvalidInputException",
        "You specified an unrecognized service principal.",
    )
    .with("Reason", "UNRECOGNIZED_SERVICE_PRINCIPAL"))
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
