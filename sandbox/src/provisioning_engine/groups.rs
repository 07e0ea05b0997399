//! Group push: finds or creates groups by name, then adds and removes their members.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    RemoteGroup,
    client::{Failure, Scim},
    is_temporary, retry_time,
};
use crate::okta::{App, Org, PushStatus};

/// Returns the change that brings AWS up to date, as a value to compare; `None` if AWS is up to date.
pub(super) fn pending_change(
    org: &Org,
    app: &App,
    push: &str,
    remote: &mut RemoteGroup,
) -> Option<Value> {
    let push = app.pushes.get(push)?;
    if push.status == PushStatus::Inactive {
        remote.initial_push_done = false;
    }
    if push.status != PushStatus::Active {
        return None;
    }
    let members = members(org, app, &push.source);
    let outdated = remote.id.is_none() || !remote.initial_push_done || members != remote.members;
    outdated.then(|| json!({ "members": members, "full_push": !remote.initial_push_done }))
}

/// Pushes the group, or deletes it if its mapping was deleted with the target group.
///
/// Returns whether the mapping still exists.
pub(super) fn run(
    org: &mut Org,
    app: &str,
    push: &str,
    remote: &mut RemoteGroup,
    scim: &mut Scim<'_>,
) -> bool {
    remote.job.due = None;
    if let Some(position) = org
        .removed_pushes
        .iter()
        .position(|removed| removed.push == push)
    {
        let removed = org.removed_pushes.remove(position);
        if let (true, Some(id)) = (removed.delete_target, &remote.id) {
            // The mapping no longer exists, so a failure cannot be reported.
            let _ = scim.delete(&format!("/Groups/{id}"));
        }
        return false;
    }
    let Some(instance) = org.apps.get(app) else {
        return false;
    };
    let Some(mapping) = instance.pushes.get(push) else {
        return false;
    };
    let Some(name) = org
        .groups
        .get(&mapping.source)
        .map(|group| group.name.clone())
    else {
        return true;
    };
    let members = members(org, instance, &mapping.source);
    let result = push_group(remote, &name, &members, scim);
    let now = scim.now;
    let mapping = org
        .apps
        .get_mut(app)
        .and_then(|app| app.pushes.get_mut(push));
    let Some(mapping) = mapping else {
        return false;
    };
    mapping.updated = now;
    match result {
        Ok(()) => mapping.last_sent = Some(now),
        Err(Failure::Refused { status, .. }) if is_temporary(status) => {
            remote.job.due = Some(retry_time(now));
        }
        Err(Failure::Refused {
            status: StatusCode::NOT_FOUND,
            ..
        }) => {
            mapping.status = PushStatus::Error(format!(
                "Failed on {} UTC: Unable to update group push mapping target App group {name}: Linked group is \
                 missing in AWS IAM Identity Center. Change the linked group to resume pushing group memberships.",
                now.strftime("%m-%d-%Y %I:%M:%S%p")
            ));
        }
        Err(failure) => {
            let reason = failure.task_error(&format!("pushing group {name}"));
            mapping.status = PushStatus::Error(reason);
        }
    }
    true
}

fn push_group(
    remote: &mut RemoteGroup,
    name: &str,
    members: &BTreeSet<String>,
    scim: &mut Scim<'_>,
) -> Result<(), Failure> {
    let id = if let Some(id) = &remote.id {
        id.clone()
    } else {
        let id = find_or_create(name, scim)?;
        remote.id = Some(id.clone());
        id
    };
    if !remote.initial_push_done && !remote.members.is_empty() {
        // A reactivated mapping pushes all members of the group again.
        scim.get(&format!("/Groups/{id}"))?;
        remote.members.clear();
    }
    let removed: Vec<&String> = remote.members.difference(members).collect();
    let added: Vec<&String> = members.difference(&remote.members).collect();
    let changes = removed
        .iter()
        .map(|id| ("remove", *id))
        .chain(added.iter().map(|id| ("add", *id)));
    let changes: Vec<(&str, &String)> = changes.collect();
    for batch in changes.chunks(MAX_CHANGES_PER_PATCH) {
        scim.send(
            &Method::PATCH,
            &format!("/Groups/{id}"),
            Some(&patch(batch)),
        )?;
    }
    remote.members.clone_from(members);
    remote.initial_push_done = true;
    Ok(())
}

fn find_or_create(name: &str, scim: &mut Scim<'_>) -> Result<String, Failure> {
    if let Some(id) = scim.find("Groups", "displayName", name)? {
        return Ok(id);
    }
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": [],
    });
    let created = scim.send(&Method::POST, "/Groups", Some(&group))?;
    Ok(created["id"].as_str().unwrap_or_default().to_owned())
}

/// Returns a patch in the form that AWS documents: it adds and removes values and never replaces the list.
fn patch(changes: &[(&str, &String)]) -> Value {
    let operation = |op: &str| -> Option<Value> {
        let changes = changes.iter().filter(|(verb, _)| *verb == op);
        let members: Vec<Value> = changes.map(|(_, id)| json!({ "value": id })).collect();
        (!members.is_empty()).then(|| json!({ "op": op, "path": "members", "value": members }))
    };
    let operations: Vec<Value> = ["remove", "add"]
        .into_iter()
        .filter_map(operation)
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

/// Returns the AWS ids of the members to push.
///
/// These are the active users who are assigned to the application and exist at AWS.
///
/// A member who is assigned only through the pushed group itself is left out. Okta does not support
/// one group for both assignment and push: members are missing at AWS in that case.
fn members(org: &Org, app: &App, group: &str) -> BTreeSet<String> {
    let Some(source) = org.groups.get(group) else {
        return BTreeSet::new();
    };
    let is_assigned_otherwise = |user: &String| {
        app.users.get(user).is_some_and(|assigned| assigned.direct)
            || app.groups.keys().any(|id| {
                id != group
                    && org
                        .groups
                        .get(id)
                        .is_some_and(|group| group.members.contains(user))
            })
    };
    source
        .members
        .iter()
        .filter(|user| {
            org.users
                .get(*user)
                .is_some_and(crate::okta::User::is_active)
        })
        .filter(|user| is_assigned_otherwise(user))
        .filter_map(|user| app.users.get(user)?.external_id.clone())
        .collect()
}

/// "A maximum of 100 membership changes" (AWS SCIM developer guide, `PatchGroup`).
const MAX_CHANGES_PER_PATCH: usize = 100;
