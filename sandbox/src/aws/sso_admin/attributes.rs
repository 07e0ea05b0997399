//! Attributes for access control.

use serde_json::{Value, json};

use super::Call;
use crate::aws::params::Params;
use crate::aws::reply::Refusal;
use crate::aws::rules::{ATTRIBUTE_KEY, ATTRIBUTE_SOURCE};

/// The maximum number of attributes (botocore model, `AccessControlAttributeList`).
const MAX_ATTRIBUTES: usize = 50;

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let attributes = read(call.params);
    let center = call.center()?;
    if center.attributes.is_some() {
        return Err(Refusal::conflict(
            "InstanceAccessControlAttributeConfiguration already exists.",
        ));
    }
    center.attributes = Some(attributes);
    Ok(json!({}))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let center = call.center()?;
    let attributes = center.attributes.as_ref().ok_or_else(absent)?;
    Ok(json!({
        "Status": "ENABLED",
        "InstanceAccessControlAttributeConfiguration": { "AccessControlAttributes": attributes },
    }))
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let attributes = read(call.params);
    let center = call.center()?;
    if center.attributes.is_none() {
        return Err(absent());
    }
    center.attributes = Some(attributes);
    Ok(json!({}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let center = call.center()?;
    center
        .attributes
        .take()
        .map(|_| json!({}))
        .ok_or_else(absent)
}

fn read(params: &Params<'_>) -> Value {
    let Some(configuration) = params.structure("InstanceAccessControlAttributeConfiguration")
    else {
        return Value::Null;
    };
    configuration
        .structures("AccessControlAttributes", 0, MAX_ATTRIBUTES)
        .iter()
        .map(|attribute| {
            let key = attribute.text("Key", &ATTRIBUTE_KEY);
            let source = attribute
                .structure("Value")
                .map(|value| value.texts("Source", 1, 1, &ATTRIBUTE_SOURCE));
            json!({ "Key": key, "Value": { "Source": source } })
        })
        .collect()
}

fn absent() -> Refusal {
    Refusal::not_found("InstanceAccessControlAttributeConfiguration does not exist.")
}
