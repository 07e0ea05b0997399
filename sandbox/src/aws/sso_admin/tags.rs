//! Tags of permission sets and of the instance.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, list_response, no_permission_set};
use crate::aws::params::Params;
use crate::aws::reply::Refusal;
use crate::aws::rules::{INSTANCE_ARN, TAG_KEY, TAG_VALUE, TAGGABLE_ARN};

/// The maximum number of tags in a request (botocore model, `TagList`).
const MAX_TAGS: usize = 75;

pub(super) fn tag(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let tags = pairs(&call.params.structures("Tags", 0, MAX_TAGS));
    resource(call)?.extend(tags);
    Ok(json!({}))
}

pub(super) fn untag(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let keys = call.params.texts("TagKeys", 1, MAX_TAGS, &TAG_KEY);
    let tags = resource(call)?;
    for key in keys {
        tags.remove(&key);
    }
    Ok(json!({}))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let arn = call.params.text("ResourceArn", &TAGGABLE_ARN);
    let tags: Vec<(u64, Value)> = resource(call)?
        .iter()
        .zip(1..)
        .map(|((key, value), position)| (position, json!({ "Key": key, "Value": value })))
        .collect();
    let page = call.page(tags, &arn)?;
    Ok(list_response("Tags", page))
}

/// Returns the tags of a request in which `Tags` is optional.
pub(super) fn read_opt(params: &Params<'_>) -> BTreeMap<String, String> {
    pairs(
        &params
            .structures_opt("Tags", 0, MAX_TAGS)
            .unwrap_or_default(),
    )
}

fn pairs(tags: &[Params<'_>]) -> BTreeMap<String, String> {
    tags.iter()
        .map(|tag| (tag.text("Key", &TAG_KEY), tag.text("Value", &TAG_VALUE)))
        .collect()
}

/// Returns the tags of the resource; the request may omit the instance.
fn resource<'c>(call: &'c mut Call<'_>) -> Result<&'c mut BTreeMap<String, String>, Refusal> {
    let resource = call.params.text("ResourceArn", &TAGGABLE_ARN);
    let instance = call.params.text_opt("InstanceArn", &INSTANCE_ARN);
    call.params.check()?;
    let id = resource
        .rsplit('/')
        .find(|part| part.contains("ins-"))
        .unwrap_or_default();
    let partition = resource.split(':').nth(1).unwrap_or_default();
    let instance = instance.unwrap_or_else(|| format!("arn:{partition}:sso:::instance/{id}"));
    let center = call.authorized_center(&instance)?;
    if resource == center.arn {
        return Ok(&mut center.tags);
    }
    let set = center
        .sets
        .ix(&resource)
        .ok_or_else(|| no_permission_set(&resource))?;
    Ok(&mut center.sets.at_mut(set).tags)
}
