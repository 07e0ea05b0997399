//! Pushed groups: found by name or created, then their members added and removed.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    RemoteGroup, again,
    client::{Failure, Scim},
    is_temporary,
};
use crate::okta::{App, Org, PushStatus};

/// What should be at AWS, as a value to compare; nothing if it is.
pub(super) fn wanted(org: &Org, app: &App, push: &str, remote: &mut RemoteGroup) -> Option<Value> {
    let push = app.pushes.get(push)?;
    if push.status == PushStatus::Inactive {
        remote.followed = false;
    }
    if push.status != PushStatus::Active {
        return None;
    }
    let members = members(org, app, &push.source);
    let missing = remote.id.is_none() || !remote.followed || members != remote.members;
    missing.then(|| json!({ "members": members, "again": !remote.followed }))
}

/// Does what [`wanted`] says, and returns whether the group is still to be remembered.
pub(super) fn run(
    org: &mut Org,
    app: &str,
    push: &str,
    remote: &mut RemoteGroup,
    scim: &mut Scim<'_>,
) -> bool {
    remote.job.due = None;
    if let Some(place) = org
        .removed_pushes
        .iter()
        .position(|removed| removed.push == push)
    {
        let removed = org.removed_pushes.remove(place);
        if let (true, Some(id)) = (removed.delete_target, &remote.id) {
            // There is nobody left to tell if this fails.
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
    let outcome = deliver(remote, &name, &members, scim);
    let now = scim.now;
    let mapping = org
        .apps
        .get_mut(app)
        .and_then(|app| app.pushes.get_mut(push));
    let Some(mapping) = mapping else {
        return false;
    };
    mapping.updated = now;
    match outcome {
        Ok(()) => mapping.delivered = Some(now),
        Err(Failure::Refused { status, .. }) if is_temporary(status) => {
            remote.job.due = Some(again(now));
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
            let reason = failure.told(&format!("pushing group {name}"));
            mapping.status = PushStatus::Error(reason);
        }
    }
    true
}

fn deliver(
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
    if !remote.followed && !remote.members.is_empty() {
        // A mapping that is switched on again pushes the group once more from the start.
        scim.get(&format!("/Groups/{id}"))?;
        remote.members.clear();
    }
    let gone: Vec<&String> = remote.members.difference(members).collect();
    let new: Vec<&String> = members.difference(&remote.members).collect();
    let changes = gone
        .iter()
        .map(|id| ("remove", *id))
        .chain(new.iter().map(|id| ("add", *id)));
    let changes: Vec<(&str, &String)> = changes.collect();
    for batch in changes.chunks(MOST_CHANGES) {
        scim.send(
            &Method::PATCH,
            &format!("/Groups/{id}"),
            Some(&patch(batch)),
        )?;
    }
    remote.members.clone_from(members);
    remote.followed = true;
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

/// The members in the form AWS documents: lists of values, and never a replacement.
fn patch(changes: &[(&str, &String)]) -> Value {
    let of = |op: &str| -> Option<Value> {
        let changes = changes.iter().filter(|(verb, _)| *verb == op);
        let members: Vec<Value> = changes.map(|(_, id)| json!({ "value": id })).collect();
        (!members.is_empty()).then(|| json!({ "op": op, "path": "members", "value": members }))
    };
    let operations: Vec<Value> = ["remove", "add"].into_iter().filter_map(of).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

/// The ids at AWS of the members that are pushed: those the application is assigned to.
///
/// Who is assigned through the pushed group itself is left out: using one group for both is not
/// supported, and members go missing when it is done.
fn members(org: &Org, app: &App, group: &str) -> BTreeSet<String> {
    let Some(source) = org.groups.get(group) else {
        return BTreeSet::new();
    };
    let assigned_otherwise = |user: &String| {
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
        .filter(|user| assigned_otherwise(user))
        .filter_map(|user| app.users.get(user)?.external_id.clone())
        .collect()
}

/// "A maximum of 100 membership changes" (AWS SCIM developer guide, `PatchGroup`).
const MOST_CHANGES: usize = 100;
