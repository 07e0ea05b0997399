//! Provisioning of users: finds them by name, then creates, updates, deactivates and reactivates them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    RemoteUser,
    client::{Failure, Scim},
    is_temporary, retry_time,
};
use crate::{
    okta::{App, Org, Subject, SyncStatus},
    scim::ENTERPRISE,
    user_attributes::OPTIONAL,
};

/// Returns the SCIM document or patch that brings AWS up to date; `None` if AWS is up to date.
pub(super) fn pending_change(
    org: &Org,
    app: &App,
    user: &str,
    remote: &RemoteUser,
) -> Option<Value> {
    let features = app.provisioning.features;
    let assigned = app.users.get(user).zip(org.users.get(user));
    let active = assigned.is_some_and(|(_, user)| user.is_provisioned());
    match (active, &remote.id) {
        (true, None) => features.create.then(|| document(org, app, user, remote)),
        (true, Some(_)) => {
            let desired = document(org, app, user, remote);
            let outdated = features.update && remote.sent.as_ref() != Some(&desired);
            let inactive = features.create && !remote.active;
            (outdated || inactive).then_some(desired)
        }
        (false, Some(_)) if remote.active && features.deactivate => {
            Some(json!({ "active": false }))
        }
        (false, _) => None,
    }
}

/// Sends the [`pending_change`] and records the result in Okta's assignment.
pub(super) fn run(
    org: &mut Org,
    app: &str,
    user: &str,
    remote: &mut RemoteUser,
    scim: &mut Scim<'_>,
) {
    remote.job.due = None;
    let Some(instance) = org.apps.get(app) else {
        return;
    };
    let Some(change) = pending_change(org, instance, user, remote) else {
        return;
    };
    let update = instance.provisioning.features.update;
    let name = change["userName"].as_str().unwrap_or(user).to_owned();
    let mut event = match (&remote.id, change.get("userName")) {
        (Some(_), None) => "user.deactivate",
        (Some(_), Some(_)) if !remote.active => "user.reactivate",
        (Some(_), Some(_)) => "user.push_profile",
        (None, _) => "user.push",
    };
    let result = match (&remote.id, change.get("userName")) {
        (Some(id), None) => set_active(scim, id, false, &name).map(|()| remote.active = false),
        (Some(_), Some(_)) => reactivate_or_update(remote, &change, update, &name, scim),
        (None, _) => match scim.find("Users", "userName", &name) {
            Ok(found) => create(remote, &change, found, scim)
                .map_err(|failure| (failure, format!("creating user {name}"))),
            Err(failure) => {
                event = "user.verify_exists";
                Err((failure, format!("verifying if user {name} exists")))
            }
        },
    };
    let now = scim.now;
    let assigned = org
        .apps
        .get_mut(app)
        .and_then(|app| app.users.get_mut(user));
    let (sync, reason) = match result {
        Ok(()) => {
            remote.job.rejected = None;
            (SyncStatus::Synchronized, None)
        }
        Err((Failure::Refused { status, .. }, _)) if is_temporary(status) => {
            remote.job.due = Some(retry_time(now));
            return;
        }
        Err((failure, operation)) => {
            remote.job.rejected = Some(change);
            (
                SyncStatus::Failed(failure.task_error(&operation)),
                Some(failure.to_string()),
            )
        }
    };
    if let Some(assigned) = assigned {
        assigned.sync = sync;
        assigned.external_id.clone_from(&remote.id);
        assigned.last_sync = Some(now);
        assigned.changed = now;
    }
    org.log_provisioning(now, event, app, Subject::User(user), reason);
}

/// The result of a provisioning job; the error contains the failure and the operation that failed.
type JobResult = Result<(), (Failure, String)>;

/// Creates a user, or takes over the user that AWS has under this name.
fn create(
    remote: &mut RemoteUser,
    desired: &Value,
    found: Option<String>,
    scim: &mut Scim<'_>,
) -> Result<(), Failure> {
    let response = match &found {
        Some(id) => {
            let mut document = desired.clone();
            document["id"] = id.as_str().into();
            scim.send(&Method::PUT, &format!("/Users/{id}"), Some(&document))?
        }
        None => scim.send(&Method::POST, "/Users", Some(desired))?,
    };
    remote.id = found.or_else(|| response["id"].as_str().map(str::to_owned));
    remote.sent = Some(desired.clone());
    remote.active = true;
    Ok(())
}

fn reactivate_or_update(
    remote: &mut RemoteUser,
    desired: &Value,
    update: bool,
    name: &str,
    scim: &mut Scim<'_>,
) -> JobResult {
    let Some(id) = remote.id.clone() else {
        return Ok(());
    };
    if !remote.active {
        set_active(scim, &id, true, name)?;
        remote.active = true;
    }
    if update && remote.sent.as_ref() != Some(desired) {
        let operation = || format!("trying to push profile update for {name}");
        if let Err(failure) = scim.get(&format!("/Users/{id}")) {
            let operation = match &failure {
                Failure::Refused {
                    status: StatusCode::NOT_FOUND,
                    ..
                } => {
                    format!("{}: No user returned for user {id}", operation())
                }
                _ => operation(),
            };
            return Err((failure, operation));
        }
        let mut document = desired.clone();
        document["id"] = id.as_str().into();
        scim.send(&Method::PUT, &format!("/Users/{id}"), Some(&document))
            .map_err(|failure| (failure, operation()))?;
        remote.sent = Some(desired.clone());
    }
    Ok(())
}

/// Deactivates or reactivates a user. Okta's catalog applications send a patch without a path.
fn set_active(scim: &mut Scim<'_>, id: &str, active: bool, name: &str) -> JobResult {
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": { "active": active } }],
    });
    let verb = if active {
        "reactivating"
    } else {
        "deactivating"
    };
    scim.send(&Method::PATCH, &format!("/Users/{id}"), Some(&patch))
        .map(|_| ())
        .map_err(|failure| (failure, format!("{verb} user {name}")))
}

/// Returns the desired SCIM document of a user.
fn document(org: &Org, app: &App, id: &str, remote: &RemoteUser) -> Value {
    let Some((assigned, user)) = app.users.get(id).zip(org.users.get(id)) else {
        return Value::Null;
    };
    let mut profile = org.mapped_profile(&app.id, user);
    if remote.id.is_some() {
        // The other attributes are only sent when the user is created.
        profile.retain(|_, (_, pushed)| *pushed);
    }
    let text = |name: &str| {
        let (value, _) = profile.get(name)?;
        value.as_str().filter(|text| !text.is_empty())
    };
    let mut document = json!({
        "schemas": [CORE],
        "externalId": id,
        "userName": assigned.user_name(app, user).unwrap_or_default(),
        "name": {
            "givenName": text("firstName").unwrap_or_default(),
            "familyName": text("lastName").unwrap_or_default(),
        },
        "displayName": text("displayName").unwrap_or_default(),
        "active": true,
    });
    if let Some(email) = text("email") {
        document["emails"] = json!([{ "primary": true, "value": email, "type": "work" }]);
    }
    for attribute in &OPTIONAL {
        if let Some(text) = text(attribute.app) {
            attribute.set(&mut document, text);
        }
    }
    if document.get(ENTERPRISE).is_some() {
        document["schemas"] = json!([CORE, ENTERPRISE]);
    }
    document
}

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
