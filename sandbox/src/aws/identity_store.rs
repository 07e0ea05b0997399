//! The Identity Store API.

mod groups;
mod memberships;
mod update;
mod users;

use serde_json::{Value, json};

use super::call::{Call, JsonPaging, JsonService, list, list_response, read, write};
use super::center::Center;
use super::directory::{Duplicate, Group, User};
use super::params::Params;
use super::reply::Refusal;
use super::rules::{
    ATTRIBUTE_PATH, ATTRIBUTE_VALUE, EXTERNAL_ID, IDENTITY_STORE_ID, IP_RANGE, MAX_NETWORK_ITEMS,
    RESOURCE_ID, REVISION, STORE_TOKEN, VPC,
};

/// The service.
pub(super) static SERVICE: JsonService = JsonService {
    name: "identitystore",
    signing_name: "identitystore",
    target: "AWSIdentityStore",
    operations: &[
        list("ListUsers", users::list),
        read("DescribeUser", users::describe),
        read("GetUserId", users::find),
        write("CreateUser", users::create),
        write("UpdateUser", update::user),
        write("DeleteUser", users::delete),
        list("ListGroups", groups::list),
        read("DescribeGroup", groups::describe),
        read("GetGroupId", groups::find),
        write("CreateGroup", groups::create),
        write("UpdateGroup", update::group),
        write("DeleteGroup", groups::delete),
        list("ListGroupMemberships", memberships::of_group),
        list("ListGroupMembershipsForMember", memberships::of_member),
        read("GetGroupMembershipId", memberships::find),
        read("DescribeGroupMembership", memberships::describe),
        read("IsMemberInGroups", memberships::is_member),
        write("CreateGroupMembership", memberships::create),
        write("DeleteGroupMembership", memberships::delete),
        read("DescribeIdentityStore", describe_store),
        list("ListIdentityStores", list_stores),
        write("UpdateIdentityStore", update_store),
    ],
    admit: |_| Ok(()),
    validation_code: "ValidationException",
    paging: JsonPaging {
        // "`MaxResults`: valid range: minimum value of 1, maximum value of 100" (API reference, every list).
        max: 100,
        token: &STORE_TOKEN,
        bad_token: || Refusal::validation("The provided next token is invalid."),
        empty_page: false,
    },
};

fn describe_store(call: &mut Call<'_>) -> Result<Value, Refusal> {
    call.store()?;
    let center = call.checked_store()?;
    let mut store = store_json(center);
    if let Some(network) = &center.store_network {
        store["NetworkConfiguration"] = network.clone();
    }
    Ok(store)
}

fn list_stores(call: &mut Call<'_>) -> Result<Value, Refusal> {
    if !call.may_administer() {
        return Err(call.store_denied("*"));
    }
    let store = call
        .cloud
        .center
        .as_ref()
        .filter(|center| center.answers_in(&call.caller.region))
        .map(|center| (1, store_json(center)));
    let page = call.page(store, "")?;
    Ok(list_response("IdentityStores", page))
}

/// Updates the identity store; a network configuration replaces the earlier one.
fn update_store(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let network = call.params.structure_opt("NetworkConfiguration");
    let network = network.map(|params| {
        let mut network = json!({
            "VpceAccessRequired": params.boolean("VpceAccessRequired"),
        });
        for (name, rule) in [
            ("ApiRestrictSourceVpcs", &VPC),
            ("ApiAllowSourceIps", &IP_RANGE),
            ("ScimAllowSourceIps", &IP_RANGE),
        ] {
            if params.value(name).is_some() {
                network[name] = params.texts(name, 1, MAX_NETWORK_ITEMS, rule).into();
            }
        }
        network
    });
    let center = call.store()?;
    if let Some(network) = network {
        center.store_network = Some(network);
    }
    Ok(store_json(center))
}

fn store_json(center: &Center) -> Value {
    json!({
        "IdentityStoreId": center.identity_store,
        "IdentityStoreArn": center.identity_store_arn(),
    })
}

impl Call<'_> {
    /// Checks the members read so far, then returns the identity store of the request.
    fn store(&mut self) -> Result<&mut Center, Refusal> {
        let id = self.params.text("IdentityStoreId", &IDENTITY_STORE_ID);
        self.params.check()?;
        let id = short(&id).to_owned();
        if !self.may_administer() {
            let organization = &self.cloud.organization;
            return Err(self.store_denied(&format!(
                "arn:{}:identitystore::{}:identitystore/{id}",
                organization.partition.name(),
                organization.management
            )));
        }
        // "Identity Store reads" work in an additional Region (user guide, API support in additional Regions).
        let (region, reads) = (&self.caller.region, self.operation.reads());
        self.cloud
            .center
            .as_mut()
            .filter(|center| {
                let here = center.region == *region || (reads && center.answers_in(region));
                center.identity_store == id && here
            })
            .ok_or_else(no_store)
    }

    /// Returns the identity store that [`store`](Self::store) has checked, as a shared reference for
    /// pagination.
    fn checked_store(&self) -> Result<&Center, Refusal> {
        self.cloud.center.as_ref().ok_or_else(no_store)
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

    /// Returns the revision that the request expects.
    fn expected_revision(&self) -> Option<String> {
        self.params.text_opt("Revision", &REVISION)
    }

    fn store_denied(&self, resource: &str) -> Refusal {
        Refusal::denied(format!(
            "User: {} is not authorized to perform: identitystore:{} on resource: {resource} because no \
             identity-based policy allows the identitystore:{} action",
            self.caller.arn, self.operation.name, self.operation.name
        ))
    }
}

/// Fails if a request expects another revision than the current one.
fn check_revision(expected: Option<&str>, found: u64) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != found.to_string() => Err(Refusal::conflict(
            "The resource was modified by another request.",
        )
        .with("Reason", "CONCURRENT_MODIFICATION")),
        _ => Ok(()),
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
            let from = external.text("Issuer", &EXTERNAL_ID);
            let id = external.text("Id", &EXTERNAL_ID);
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

/// Returns the last part of an id that may be an ARN.
pub(super) fn short(id: &str) -> &str {
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

/// Returns the error for a missing identity store. Its id does not match the model's pattern of `ResourceId`.
fn no_store() -> Refusal {
    not_found("IDENTITY_STORE", "")
}

fn duplicate(Duplicate(attribute): &Duplicate) -> Refusal {
    Refusal::conflict(format!("Duplicate {attribute}"))
        .with("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION")
}

#[cfg(test)]
mod tests;
