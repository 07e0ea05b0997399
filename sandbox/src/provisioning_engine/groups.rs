//! Group push: finds or creates groups by name, then adds and removes their members.
//!
//! A push carries the members that are provisioned at its moment. A member that is provisioned later stays missing at
//! the application until its membership changes, or until the mapping is deactivated and activated again (Okta, "Group
//! Push troubleshooting").

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    RemoteGroup,
    client::{Failure, Scim},
    is_temporary, retry_time,
};
use crate::okta::{App, Org, PushStatus, Subject};

/// The members that are waiting to be sent, by their Okta id.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The members to add, with their ids at AWS.
    added: BTreeMap<String, String>,
    removed: BTreeSet<String>,
    /// Whether the whole group is pushed.
    full_push: bool,
}

impl Queue {
    fn is_empty(&self) -> bool {
        !self.full_push && self.added.is_empty() && self.removed.is_empty()
    }
}

/// Puts what has changed in Okta since the last call into the queue of the group. Returns the queue as a value to compare;
/// `None` if there is nothing to send.
pub(super) fn pending_change(
    org: &Org,
    app: &App,
    push: &str,
    remote: &mut RemoteGroup,
) -> Option<Value> {
    let push = app.pushes.get(push)?;
    if push.status != PushStatus::Active {
        // The next activation pushes the whole group.
        remote.is_linked = false;
        remote.queue = Queue::default();
        return None;
    }
    let (in_okta, provisioned) = (
        okta_members(org, &push.source),
        members(org, app, &push.source),
    );
    if !remote.is_linked {
        remote.is_linked = true;
        remote.queue = Queue {
            added: provisioned.clone(),
            full_push: true,
            ..Queue::default()
        };
        remote.members.clear();
    }
    for id in in_okta.difference(&remote.members_in_okta) {
        if let Some(at_aws) = provisioned.get(id) {
            remote.queue.removed.remove(id);
            remote.queue.added.insert(id.clone(), at_aws.clone());
        }
    }
    remote
        .queue
        .added
        .retain(|id, _| provisioned.contains_key(id));
    let gone = remote
        .members
        .keys()
        .filter(|id| !provisioned.contains_key(*id));
    remote.queue.removed.extend(gone.cloned());
    remote.members_in_okta = in_okta;
    (!remote.queue.is_empty()).then(|| {
        json!({ "added": remote.queue.added, "removed": remote.queue.removed, "full_push": remote.queue.full_push })
    })
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
    let source = mapping.source.clone();
    let event = if remote.queue.full_push {
        "group_push.pushed"
    } else {
        "group_push.push_memberships"
    };
    let result = push_group(remote, &name, scim);
    let now = scim.now;
    let mapping = org
        .apps
        .get_mut(app)
        .and_then(|app| app.pushes.get_mut(push));
    let Some(mapping) = mapping else {
        return false;
    };
    mapping.updated = now;
    let mut logged = (event, Subject::Group(&source), None);
    match result {
        Ok(()) => {
            mapping.last_sent = Some(now);
            remote.queue = Queue::default();
        }
        Err(Failure::Refused { status, .. }) if is_temporary(status) => {
            remote.job.due = Some(retry_time(now));
            return true;
        }
        Err(Failure::Refused {
            status: StatusCode::NOT_FOUND,
            ..
        }) => {
            let reason = "Linked group is missing in AWS IAM Identity Center. Change the linked group to resume \
                          pushing group memberships.";
            mapping.status = PushStatus::Error(format!(
                "Failed on {} UTC: Unable to update group push mapping target App group {name}: {reason}",
                now.strftime("%m-%d-%Y %I:%M:%S%p")
            ));
            let subject = Subject::Mapping {
                id: push,
                group: &source,
            };
            logged = (LINKED_GROUP_IS_MISSING, subject, Some(reason.to_owned()));
        }
        Err(failure) => {
            let reason = failure.task_error(&format!("pushing group {name}"));
            mapping.status = PushStatus::Error(reason);
            if remote.id.is_none() {
                logged = ("group.add", Subject::App, None);
            }
            logged.2 = Some(failure.to_string());
        }
    }
    let (event, subject, failure) = logged;
    org.log_provisioning(now, event, app, subject, failure);
    true
}

fn push_group(remote: &mut RemoteGroup, name: &str, scim: &mut Scim<'_>) -> Result<(), Failure> {
    let id = match &remote.id {
        None => {
            let id = find_or_create(name, scim)?;
            remote.id.insert(id).clone()
        }
        Some(id) => {
            if remote.queue.full_push {
                scim.get(&format!("/Groups/{id}"))?;
            }
            id.clone()
        }
    };
    let Queue { added, removed, .. } = &remote.queue;
    let removed = removed.iter().filter_map(|id| remote.members.get(id));
    let removed = removed.map(|id| ("remove", id));
    let changes: Vec<(&str, &String)> = removed
        .chain(added.values().map(|id| ("add", id)))
        .collect();
    for batch in changes.chunks(MAX_CHANGES_PER_PATCH) {
        scim.send(
            &Method::PATCH,
            &format!("/Groups/{id}"),
            Some(&patch(batch)),
        )?;
    }
    for id in &remote.queue.removed {
        remote.members.remove(id);
    }
    let added = remote.queue.added.iter();
    remote
        .members
        .extend(added.map(|(id, at_aws)| (id.clone(), at_aws.clone())));
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

/// Returns the ids of the group's members in Okta. A deactivated user is a member of no group.
fn okta_members(org: &Org, group: &str) -> BTreeSet<String> {
    let is_member = |user: &&String| {
        let user = org.users.get(user);
        user.is_some_and(|user| !user.is_deprovisioned())
    };
    let members = org.groups.get(group).map(|group| &group.members);
    let members = members.into_iter().flatten().filter(is_member);
    members.cloned().collect()
}

/// Returns the members that can be pushed now, with their ids at AWS: they are assigned to the application and exist at
/// AWS.
///
/// A member who is assigned only through the pushed group itself is left out. Okta does not support
/// one group for both assignment and push: members are missing at AWS in that case.
fn members(org: &Org, app: &App, group: &str) -> BTreeMap<String, String> {
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
    okta_members(org, group)
        .into_iter()
        .filter(is_assigned_otherwise)
        .filter_map(|user| {
            let at_aws = app.users.get(&user)?.external_id.clone()?;
            Some((user, at_aws))
        })
        .collect()
}

/// The event of a group that was deleted at the application (AWS, "Configure SAML and SCIM with Okta").
const LINKED_GROUP_IS_MISSING: &str = "group_push.mapping.update.or.delete.failed.with.error";

/// "A maximum of 100 membership changes" (AWS SCIM developer guide, `PatchGroup`).
const MAX_CHANGES_PER_PATCH: usize = 100;
