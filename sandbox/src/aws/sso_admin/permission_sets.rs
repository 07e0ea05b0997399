//! Operations on permission sets.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Call, enabled, list_response};
use crate::aws::center::SetIx;
use crate::aws::organizations::{AccountIx, start};
use crate::aws::params::Params;
use crate::aws::reply::Refusal;
use crate::aws::rules::{DESCRIPTION, PERMISSION_SET_NAME, RELAY_STATE, SESSION_DURATION};
use crate::aws::sso_admin::tags;

/// "Permission sets per IAM Identity Center instance: 3500" (Identity Center quotas).
const MAX_PERMISSION_SETS: usize = 3500;

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let name = params.text("Name", &PERMISSION_SET_NAME);
    let description = params.text_opt("Description", &DESCRIPTION);
    let duration = session_duration(params);
    let relay_state = params.text_opt("RelayState", &RELAY_STATE);
    let tags = tags::read_opt(params);
    let now = call.now;
    let center = call.center()?;
    enabled(center)?;
    if center.sets.ix_by_name(&name).is_some() {
        return Err(Refusal::conflict(format!(
            "PermissionSet with name {name} already exists."
        )));
    }
    if center.sets.len() >= MAX_PERMISSION_SETS {
        return Err(Refusal::new(
            "ServiceQuotaExceededException",
            "You have exceeded the quota for permission sets.",
        ));
    }
    let set = center.add_permission_set(&name, now);
    let set = center.sets.at_mut(set);
    set.description = description;
    if let Some(duration) = duration {
        set.session_duration = duration;
    }
    set.relay_state = relay_state;
    set.tags = tags;
    Ok(json!({ "PermissionSet": set.to_json() }))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    Ok(json!({ "PermissionSet": call.described_set()?.to_json() }))
}

/// Updates a permission set.
///
/// Omitted members keep their values, except the relay state, which an update without it clears (for that
/// reason, the public Terraform provider always sends it).
pub(super) fn update(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let description = params.text_opt("Description", &DESCRIPTION);
    let duration = session_duration(params);
    let relay_state = params.text_opt("RelayState", &RELAY_STATE);
    let set = call.permission_set_to_change()?;
    if let Some(description) = description {
        set.description = Some(description);
    }
    if let Some(duration) = duration {
        set.session_duration = duration;
    }
    set.relay_state = relay_state;
    set.version += 1;
    Ok(json!({}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    call.permission_set_to_change()?;
    let (center, set) = call.permission_set()?;
    // Every assignment has a role.
    let provisioned = center.access.accounts_of(set, AccountIx::default()).next();
    if provisioned.is_some() {
        // Users of the public Terraform provider have reported this message.
        return Err(Refusal::conflict(
            "Could not delete because PermissionSet has ApplicationProfile associated with it",
        ));
    }
    center.sets.remove(set);
    Ok(json!({}))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    enabled(call.center()?)?;
    let center = call.checked_center()?;
    let page = call.page_from("", |first| {
        center
            .sets
            .from(SetIx(start(first)))
            .map(|(ix, set)| (ix.0.into(), set.arn.clone()))
    })?;
    Ok(list_response("PermissionSets", page))
}

/// Reads the session duration.
///
/// "The session duration can be set from one to twelve hours" (user guide, session duration).
fn session_duration(params: &Params<'_>) -> Option<String> {
    let text = params.text_opt("SessionDuration", &SESSION_DURATION)?;
    let bounds = SignedDuration::from_hours(1)..=SignedDuration::from_hours(12);
    let duration = text.parse::<SignedDuration>();
    if !duration.is_ok_and(|duration| bounds.contains(&duration)) {
        params.violate(
            "SessionDuration",
            Some(&text),
            "Member must be between 1 hour and 12 hours",
        );
    }
    Some(text)
}
