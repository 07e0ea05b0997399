//! Operations on Identity Center instances.

use serde_json::{Value, json};

use super::{Call, list_response};
use crate::aws::center::Center;
use crate::aws::params::Params;
use crate::aws::reply::{Refusal, epoch};
use crate::aws::rules::{
    APPLICATION_ARN, INSTANCE_NAME, IP_RANGE, MAX_NETWORK_ITEMS, REGION_NAME, VPC_ARN,
};

/// Lists the organization instance in its own Region, or in every Region if the request says `ALL_REGIONS`.
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let scope = call
        .params
        .choice_opt("RegionScope", &["CURRENT_REGION", "ALL_REGIONS"])
        .unwrap_or("CURRENT_REGION");
    call.params.check()?;
    if !call.caller.administers {
        return Err(call.denied("*"));
    }
    let member = call
        .cloud
        .organization
        .account(&call.caller.account)
        .is_some();
    let instance = call
        .cloud
        .center
        .as_ref()
        .filter(|center| {
            let visible = !center.is_account_instance() || center.owner == call.caller.account;
            let here = scope == "ALL_REGIONS" || center.answers_in(&call.caller.region);
            member && visible && here
        })
        .map(|center| (1, instance_json(center)));
    let page = call.page(instance, scope)?;
    Ok(list_response("Instances", page))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let center = call.readable_center()?;
    let mut described = instance_json(center);
    described["EncryptionConfigurationDetails"] = json!({
        "KeyType": "AWS_OWNED_KMS_KEY",
        "EncryptionStatus": "ENABLED",
    });
    described["PermissionSetsEnabled"] = center.permission_sets_enabled.into();
    if let Some(network) = &center.network {
        described["NetworkConfigurationDetails"] = network.clone();
    }
    Ok(described)
}

pub(super) fn list_regions(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let regions: Vec<Value> = regions_json(call.readable_center()?);
    let page = call.page((1..).zip(regions), "regions")?;
    Ok(list_response("Regions", page))
}

pub(super) fn describe_region(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let name = call.params.text("RegionName", &REGION_NAME);
    regions_json(call.readable_center()?)
        .into_iter()
        .find(|region| region["RegionName"] == name)
        .ok_or_else(|| Refusal::not_found(format!("Region {name} not found.")))
}

/// Updates the instance.
///
/// "In a single request, you can perform only one of the following operations" (API reference).
pub(super) fn update(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let name = params.text_opt("Name", &INSTANCE_NAME);
    let permission_sets = params.boolean_opt("PermissionSetsEnabled");
    let encryption = params.structure_opt("EncryptionConfiguration");
    let network = params.structure_opt("NetworkConfiguration");
    let operations = [
        permission_sets.is_some(),
        encryption.is_some(),
        network.is_some(),
    ];
    let network = network.map(|network| network_configuration(&network));
    let center = call.center()?;
    if operations.iter().filter(|present| **present).count() > 1 {
        return Err(Refusal::validation(
            "Only one of EncryptionConfiguration, PermissionSetsEnabled, and NetworkConfiguration can be specified.",
        ));
    }
    if permission_sets == Some(false) {
        return Err(Refusal::validation(
            "The only accepted value of PermissionSetsEnabled is true.",
        ));
    }
    if permission_sets.is_some() && center.is_account_instance() {
        return Err(Refusal::validation(
            "The operation is not supported for this Identity Center instance",
        ));
    }
    if let Some(name) = name {
        center.name = Some(name);
    }
    center.permission_sets_enabled |= permission_sets == Some(true);
    if let Some(network) = network {
        center.network = Some(network);
    }
    Ok(json!({}))
}

/// Returns the network configuration of a request, which replaces the earlier one.
fn network_configuration(params: &Params<'_>) -> Value {
    let mut network = json!({
        "VpceAccessRequired": params.boolean("VpceAccessRequired"),
    });
    for (name, rule) in [
        ("RestrictSourceVpcs", &VPC_ARN),
        ("AllowSourceIps", &IP_RANGE),
        ("ExcludeApplicationArns", &APPLICATION_ARN),
    ] {
        if params.value(name).is_some() {
            network[name] = params.texts(name, 0, MAX_NETWORK_ITEMS, rule).into();
        }
    }
    network
}

/// Rejects the creation of an instance.
///
/// "The request is rejected if the instance is created within the organization management account" (API
/// reference). Only the console can enable the organization instance.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    call.params.text_opt("Name", &INSTANCE_NAME);
    call.params.check()?;
    if call.is_management() {
        return Err(Refusal::validation(
            "The operation is not supported in the management account of an organization.",
        ));
    }
    Err(call.denied("*"))
}

fn instance_json(center: &Center) -> Value {
    let owner = &center.owner;
    let mut json = json!({
        "InstanceArn": center.arn,
        "IdentityStoreId": center.identity_store,
        "IdentityStoreArn": center.identity_store_arn(),
        "OwnerAccountId": owner,
        "CreatedDate": epoch(center.created),
        "Status": "ACTIVE",
        "PrimaryRegion": center.region,
        "Regions": regions_json(center),
    });
    if let Some(name) = &center.name {
        json["Name"] = name.as_str().into();
    }
    json
}

fn regions_json(center: &Center) -> Vec<Value> {
    center
        .regions()
        .map(|region| {
            json!({
                "RegionName": region,
                "Status": "ACTIVE",
                "AddedDate": epoch(center.created),
                "IsPrimaryRegion": region == center.region,
            })
        })
        .collect()
}
