//! Operations on groups.

use serde_json::{Value, json};

use super::users::reserved;
use super::{
    Call, alternate, check_revision, duplicate, external_ids, filter, group_of, issuer,
    list_response, not_found,
};
use crate::aws::center::Center;
use crate::aws::directory::Group;
use crate::aws::reply::{Refusal, epoch};
use crate::aws::rules::ATTRIBUTE_VALUE;

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let name = filter(call.params, "DisplayName")?;
    call.store()?;
    let center = call.checked_store()?;
    let scope = format!("{name:?}");
    let page = match &name {
        Some(name) => {
            let group = center.directory.group_by("displayName", name);
            call.page(group.map(|group| (group.position, group)), &scope)
        }
        None => call.page_from(&scope, |first| center.directory.groups_from(first)),
    }?;
    Ok(list_response(
        "Groups",
        page.map(|group| group_json(center, group)),
    ))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.group_id();
    let center = call.store()?;
    Ok(group_json(center, group_of(center, &id)?))
}

pub(super) fn find(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let center = call.store()?;
    let (attribute, value) = alternate(params, issuer(center).as_deref(), &["displayName"])?;
    let group = center
        .directory
        .group_by(attribute, &value)
        .ok_or_else(|| not_found("GROUP", ""))?;
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "GroupId": group.id,
        "GroupArn": center.resource_arn("group", &group.id),
    }))
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let name = call.params.text("DisplayName", &ATTRIBUTE_VALUE);
    let description = call.params.text_opt("Description", &ATTRIBUTE_VALUE);
    let now = call.now;
    let center = call.store()?;
    reserved(&name)?;
    let group = center
        .directory
        .create_group(&name, description, None, now)
        .map_err(|conflict| duplicate(&conflict))?;
    let (id, revision) = (group.id.clone(), group.revision);
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "GroupId": id,
        "GroupArn": center.resource_arn("group", &id),
        "Revision": revision.to_string(),
    }))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (id, expected) = (call.group_id(), call.expected_revision());
    let revision = group_of(call.store()?, &id)?.revision;
    check_revision(expected.as_deref(), revision)?;
    call.store()?.directory.delete_group(&id);
    Ok(json!({}))
}

fn group_json(center: &Center, group: &Group) -> Value {
    let mut json = json!({
        "IdentityStoreId": center.identity_store,
        "GroupId": group.id,
        "GroupArn": center.resource_arn("group", &group.id),
        "Revision": group.revision.to_string(),
        "DisplayName": group.display_name,
        "CreatedAt": epoch(group.created),
        "UpdatedAt": epoch(group.updated),
    });
    if let Some(description) = &group.description {
        json["Description"] = description.as_str().into();
    }
    if let Some(ids) = external_ids(center, group.external_id.as_deref()) {
        json["ExternalIds"] = ids;
    }
    json
}
