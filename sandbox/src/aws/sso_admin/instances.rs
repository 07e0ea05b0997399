//! Operations on Identity Center instances.

use serde_json::{Value, json};

use super::{Call, list_response};
use crate::aws::center::Center;
use crate::aws::cloud::Cloud;
use crate::aws::reply::{Refusal, epoch};
use crate::aws::rules::INSTANCE_NAME;

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
        .filter(|center| member && (scope == "ALL_REGIONS" || center.region == call.caller.region))
        .map(|center| (1, instance_json(call.cloud, center)));
    let page = call.page(instance, scope)?;
    Ok(list_response("Instances", page))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    call.center()?;
    let Some(center) = &call.cloud.center else {
        return Err(call.denied("*"));
    };
    let mut described = instance_json(call.cloud, center);
    described["EncryptionConfigurationDetails"] = json!({
        "KeyType": "AWS_OWNED_KMS_KEY",
        "EncryptionStatus": "ENABLED",
    });
    described["PermissionSetsEnabled"] = center.permission_sets_enabled.into();
    Ok(described)
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
    if let Some(name) = name {
        center.name = Some(name);
    }
    center.permission_sets_enabled |= permission_sets == Some(true);
    Ok(json!({}))
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

fn instance_json(cloud: &Cloud, center: &Center) -> Value {
    let owner = &cloud.organization.management;
    let mut json = json!({
        "InstanceArn": center.arn,
        "IdentityStoreId": center.identity_store,
        "IdentityStoreArn": format!("arn:aws:identitystore::{owner}:identitystore/{}", center.identity_store),
        "OwnerAccountId": owner,
        "CreatedDate": epoch(center.created),
        "Status": "ACTIVE",
        "PrimaryRegion": center.region,
        "Regions": [{
            "RegionName": center.region,
            "Status": "ACTIVE",
            "AddedDate": epoch(center.created),
            "IsPrimaryRegion": true,
        }],
    });
    if let Some(name) = &center.name {
        json["Name"] = name.as_str().into();
    }
    json
}
