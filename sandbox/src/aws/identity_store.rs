//! The Identity Store API.

mod groups;
mod memberships;
mod update;
mod users;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::center::Center;
use super::cloud::Cloud;
use super::directory::{Duplicate, Group, User};
use super::organizations::SSO;
use super::page::{BadToken, Page};
use super::params::Params;
use super::reply::Refusal;
use super::rules::{
    ATTRIBUTE_PATH, ATTRIBUTE_VALUE, IDENTITY_STORE_ID, RESOURCE_ID, REVISION, STORE_TOKEN,
};

/// "`MaxResults`: valid range: minimum value of 1, maximum value of 100" (API reference, every list).
const MAX_PAGE_SIZE: usize = 100;

/// A request to the Identity Store API.
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
        "ListUsers" => users::list(call),
        "DescribeUser" => users::describe(call),
        "GetUserId" => users::find(call),
        "CreateUser" => users::create(call),
        "UpdateUser" => update::user(call),
        "DeleteUser" => users::delete(call),
        "ListGroups" => groups::list(call),
        "DescribeGroup" => groups::describe(call),
        "GetGroupId" => groups::find(call),
        "CreateGroup" => groups::create(call),
        "UpdateGroup" => update::group(call),
        "DeleteGroup" => groups::delete(call),
        "ListGroupMemberships" => memberships::of_group(call),
        "ListGroupMembershipsForMember" => memberships::of_member(call),
        "GetGroupMembershipId" => memberships::find(call),
        "DescribeGroupMembership" => memberships::describe(call),
        "IsMemberInGroups" => memberships::is_member(call),
        "CreateGroupMembership" => memberships::create(call),
        "DeleteGroupMembership" => memberships::delete(call),
        "DescribeIdentityStore" => describe_store(call),
        "ListIdentityStores" => list_stores(call),
        _ => Err(Refusal::new("UnknownOperationException", "")),
    }
}

fn describe_store(call: &mut Call<'_>) -> Result<Value, Refusal> {
    call.center()?;
    Ok(store_json(call.cloud, call.checked_center()?))
}

fn list_stores(call: &mut Call<'_>) -> Result<Value, Refusal> {
    if !call.is_authorized() {
        return Err(call.denied("*"));
    }
    let store = call
        .cloud
        .center
        .as_ref()
        .filter(|center| center.region == call.caller.region)
        .map(|center| (1, store_json(call.cloud, center)));
    let page = call.page(store, "")?;
    Ok(list_response("IdentityStores", page))
}

fn store_json(cloud: &Cloud, center: &Center) -> Value {
    let owner = &cloud.organization.management;
    json!({
        "IdentityStoreId": center.identity_store,
        "IdentityStoreArn": format!("arn:aws:identitystore::{owner}:identitystore/{}", center.identity_store),
    })
}

impl Call<'_> {
    /// Checks the members read so far, then returns the identity store of the request.
    fn center(&mut self) -> Result<&mut Center, Refusal> {
        let id = self.params.text("IdentityStoreId", &IDENTITY_STORE_ID);
        self.params.check()?;
        let id = short(&id).to_owned();
        if !self.is_authorized() {
            let account = &self.cloud.organization.management;
            return Err(self.denied(&format!(
                "arn:aws:identitystore::{account}:identitystore/{id}"
            )));
        }
        let region = &self.caller.region;
        self.cloud
            .center
            .as_mut()
            .filter(|center| center.identity_store == id && center.region == *region)
            .ok_or_else(|| no_store(&id))
    }

    /// Returns the identity store that [`center`](Self::center) has checked, as a shared reference for
    /// pagination.
    fn checked_center(&self) -> Result<&Center, Refusal> {
        self.cloud.center.as_ref().ok_or_else(|| no_store(""))
    }

    /// Returns the id of the user in the request.
    fn user_id(&self) -> String {
        short(&self.params.text("UserId", &RESOURCE_ID)).to_owned()
    }

    /// Returns the id of the group in the request.
    fn group_id(&self) -> String {
        short(&self.params.text("GroupId", &RESOURCE_ID)).to_owned()
    }

    /// Returns the id of the user in the request's `MemberId`.
    fn member_id(&self) -> String {
        let member = self.params.structure("MemberId");
        let id = member
            .map(|member| member.text("UserId", &RESOURCE_ID))
            .unwrap_or_default();
        short(&id).to_owned()
    }

    /// Returns the requested page.
    fn page<T>(
        &self,
        items: impl IntoIterator<Item = (u64, T)>,
        scope: &str,
    ) -> Result<Page<T>, Refusal> {
        let page_request = self.params.page_request(MAX_PAGE_SIZE as u64, &STORE_TOKEN);
        self.params.check()?;
        let scope = format!("{}/{scope}", self.operation);
        self.cloud
            .pages
            .paginate(items, &scope, &page_request, MAX_PAGE_SIZE)
            .map_err(|BadToken| Refusal::validation("The provided next token is invalid."))
    }

    /// Fails if the request contains a `Revision` that differs from the current revision.
    fn expect_revision(&self, found: u64) -> Result<(), Refusal> {
        match self.params.text_opt("Revision", &REVISION) {
            Some(expected) if expected != found.to_string() => Err(Refusal::conflict(
                "The resource was modified by another request.",
            )
            .with("Reason", "CONCURRENT_MODIFICATION")),
            _ => Ok(()),
        }
    }

    fn is_authorized(&self) -> bool {
        let organization = &self.cloud.organization;
        self.caller.administers
            && (self.caller.account == organization.management
                || organization.is_delegated(&self.caller.account, SSO))
    }

    fn denied(&self, resource: &str) -> Refusal {
        Refusal::denied(format!(
            "User: {} is not authorized to perform: identitystore:{} on resource: {resource} because no \
             identity-based policy allows the identitystore:{} action",
            self.caller.arn, self.operation, self.operation
        ))
    }
}

/// Returns the filter of a list, which can only test one attribute (deprecated in favour of the `Get…Id`
/// operations).
fn filter(params: &Params<'_>, attribute: &str) -> Result<Option<String>, Refusal> {
    let filters = params.structures_opt("Filters", 0, 1).unwrap_or_default();
    let Some(filter) = filters.first() else {
        return Ok(None);
    };
    let path = filter.text("AttributePath", &ATTRIBUTE_PATH);
    let value = filter.text("AttributeValue", &ATTRIBUTE_VALUE);
    params.check()?;
    if path == attribute {
        Ok(Some(value))
    } else {
        Err(Refusal::validation(format!(
            "Filtering by {path} is not supported."
        )))
    }
}

/// Returns the SCIM name of the attribute and the value of an alternate identifier.
///
/// # Errors
///
/// Returns an error unless the request has exactly one identifier: an attribute of `attributes` or an
/// external id.
fn alternate(
    params: &Params<'_>,
    issuer: Option<&str>,
    attributes: &[&'static str],
) -> Result<(&'static str, String), Refusal> {
    let identifier = params.structure("AlternateIdentifier");
    params.check()?;
    let (external, unique) = identifier.as_ref().map_or((None, None), |identifier| {
        (
            identifier.structure_opt("ExternalId"),
            identifier.structure_opt("UniqueAttribute"),
        )
    });
    match (external, unique) {
        (Some(external), None) => {
            let from = external.text("Issuer", &ATTRIBUTE_VALUE);
            let id = external.text("Id", &ATTRIBUTE_VALUE);
            params.check()?;
            // No user or group has an external id of another issuer, so the search uses the empty id, which
            // matches no user and no group.
            let known = Some(from.as_str()) == issuer;
            Ok(("externalId", if known { id } else { String::new() }))
        }
        (None, Some(unique)) => {
            let path = unique.text("AttributePath", &ATTRIBUTE_PATH);
            params.check()?;
            let Some(Value::String(value)) = unique.value("AttributeValue") else {
                return Err(Refusal::validation("AttributeValue must be a string."));
            };
            let known = attributes.iter().find(|known| **known == path);
            match known {
                Some(&attribute) => Ok((attribute, value.clone())),
                None => Err(Refusal::validation(format!(
                    "{path} is not a unique attribute."
                ))),
            }
        }
        _ => Err(Refusal::validation(
            "Exactly one of ExternalId and UniqueAttribute must be specified.",
        )),
    }
}

/// Returns external ids in the format of the API; their issuer is the SCIM tenant.
fn external_ids(center: &Center, id: Option<&str>) -> Option<Value> {
    let issuer = issuer(center)?;
    id.map(|id| json!([{ "Issuer": issuer, "Id": id }]))
}

/// Returns the issuer of external ids.
fn issuer(center: &Center) -> Option<String> {
    let provisioning = center.provisioning.as_ref()?;
    Some(format!("https://scim.aws.com/{}", provisioning.tenant))
}

/// Returns a list response with the items under `name`.
fn list_response(name: &str, page: Page<Value>) -> Value {
    let mut response = json!({ name: page.items });
    if let Some(next) = page.next {
        response["NextToken"] = next.into();
    }
    response
}

/// Returns the last part of an id that may be an ARN.
fn short(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_, id)| id)
}

fn user_of<'c>(center: &'c Center, id: &str) -> Result<&'c User, Refusal> {
    center
        .directory
        .user(id)
        .ok_or_else(|| not_found("USER", id))
}

fn group_of<'c>(center: &'c Center, id: &str) -> Result<&'c Group, Refusal> {
    center
        .directory
        .group(id)
        .ok_or_else(|| not_found("GROUP", id))
}

fn not_found(kind: &str, id: &str) -> Refusal {
    let refusal = Refusal::not_found(format!("{kind} not found.")).with("ResourceType", kind);
    if id.is_empty() {
        refusal
    } else {
        refusal.with("ResourceId", id)
    }
}

fn no_store(id: &str) -> Refusal {
    not_found("IDENTITY_STORE", id)
}

fn duplicate(Duplicate(attribute): &Duplicate) -> Refusal {
    Refusal::conflict(format!("Duplicate {attribute}"))
        .with("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION")
}

#[cfg(test)]
mod tests;
