//! Operations on group memberships.

use serde_json::{Value, json};

use super::{Call, group_of, list_response, not_found, short, user_of};
use crate::aws::center::Center;
use crate::aws::directory::{Group, Membership, User};
use crate::aws::reply::{Refusal, epoch};
use crate::aws::rules::RESOURCE_ID;

pub(super) fn of_group(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.group_id();
    call.store()?;
    let center = call.checked_store()?;
    let group = group_of(center, &id)?;
    let page = call.page_from(&id, |first| center.directory.members_from(group, first))?;
    let page = page.map(|(user, membership)| membership_json(center, group, user, membership));
    Ok(list_response("GroupMemberships", page))
}

pub(super) fn of_member(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.member_id();
    call.store()?;
    let center = call.checked_store()?;
    let user = user_of(center, &id)?;
    let page = call.page_from(&id, |first| center.directory.groups_of_from(user, first))?;
    let page = page.map(|(group, membership)| membership_json(center, group, user, membership));
    Ok(list_response("GroupMemberships", page))
}

pub(super) fn find(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (group, user) = (call.group_id(), call.member_id());
    let center = call.store()?;
    let (group, user) = (group_of(center, &group)?, user_of(center, &user)?);
    let membership = center
        .directory
        .membership(group, user)
        .ok_or_else(|| not_found("GROUP_MEMBERSHIP", ""))?;
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "MembershipId": membership.id,
        "MembershipArn": center.resource_arn("membership", &membership.id),
    }))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = membership_id(call);
    let center = call.store()?;
    let (group, user, membership) = center
        .directory
        .membership_by_id(&id)
        .ok_or_else(|| not_found("GROUP_MEMBERSHIP", &id))?;
    Ok(membership_json(center, group, user, membership))
}

/// Returns for each group whether the user is a member; for a missing group, the value is false.
pub(super) fn is_member(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let user = call.member_id();
    let groups = call.params.texts("GroupIds", 1, 100, &RESOURCE_ID);
    let center = call.store()?;
    let user = user_of(center, &user)?;
    let results: Vec<Value> = groups
        .iter()
        .map(|group| {
            let id = short(group);
            let exists = center
                .directory
                .group(id)
                .is_some_and(|group| center.directory.membership(group, user).is_some());
            json!({ "GroupId": id, "MemberId": { "UserId": user.id }, "MembershipExists": exists })
        })
        .collect();
    Ok(json!({ "Results": results }))
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (group, user) = (call.group_id(), call.member_id());
    let now = call.now;
    let center = call.store()?;
    group_of(center, &group)?;
    user_of(center, &user)?;
    match center.directory.join(&group, &user, now) {
        Some((id, true)) => Ok(json!({
            "IdentityStoreId": center.identity_store,
            "MembershipId": id,
            "MembershipArn": center.resource_arn("membership", &id),
        })),
        _ => Err(
            Refusal::conflict("Member and Group relationship already exists.")
                .with("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION"),
        ),
    }
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = membership_id(call);
    let center = call.store()?;
    let (group, user, _) = center
        .directory
        .membership_by_id(&id)
        .ok_or_else(|| not_found("GROUP_MEMBERSHIP", &id))?;
    let (group, user) = (group.id.clone(), user.id.clone());
    center.directory.leave(&group, &user);
    Ok(json!({}))
}

fn membership_id(call: &Call<'_>) -> String {
    short(&call.params.text("MembershipId", &RESOURCE_ID)).to_owned()
}

fn membership_json(center: &Center, group: &Group, user: &User, membership: &Membership) -> Value {
    json!({
        "IdentityStoreId": center.identity_store,
        "MembershipId": membership.id,
        "MembershipArn": center.resource_arn("membership", &membership.id),
        "GroupId": group.id,
        "MemberId": { "UserId": user.id },
        "CreatedAt": epoch(membership.created),
        "UpdatedAt": epoch(membership.created),
    })
}
