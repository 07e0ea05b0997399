//! Users: looked for by name, then created, updated, switched off and on again.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    RemoteUser, again,
    client::{Failure, Scim},
    is_temporary,
};
use crate::okta::{App, Org, Sync, User};

/// What should be done about a user, as a value to compare; nothing if AWS has what it should.
pub(super) fn wanted(org: &Org, app: &App, user: &str, remote: &RemoteUser) -> Option<Value> {
    let switches = app.provisioning.switches;
    let assigned = app.users.get(user).zip(org.users.get(user));
    let active = assigned.is_some_and(|(_, user)| user.is_active());
    match (active, &remote.id) {
        (true, None) => switches.create.then(|| document(org, app, user)),
        (true, Some(_)) => {
            let wanted = document(org, app, user);
            let outdated = switches.update && remote.sent.as_ref() != Some(&wanted);
            let asleep = switches.create && !remote.active;
            (outdated || asleep).then_some(wanted)
        }
        (false, Some(_)) if remote.active && switches.deactivate => {
            Some(json!({ "active": false }))
        }
        (false, _) => None,
    }
}

/// Does what [`wanted`] says.
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
    let Some(wanted) = wanted(org, instance, user, remote) else {
        return;
    };
    let update = instance.provisioning.switches.update;
    let name = wanted["userName"].as_str().unwrap_or(user).to_owned();
    let outcome = match (&remote.id, wanted.get("userName")) {
        (Some(id), None) => set_active(scim, id, false, &name).map(|()| remote.active = false),
        (Some(_), Some(_)) => refresh(remote, &wanted, update, &name, scim),
        (None, _) => create(remote, &wanted, &name, scim),
    };
    let now = scim.now;
    let assigned = org
        .apps
        .get_mut(app)
        .and_then(|app| app.users.get_mut(user));
    let (sync, external_id) = match outcome {
        Ok(()) => {
            remote.job.refused = None;
            (Sync::Done, remote.id.clone())
        }
        Err((Failure::Refused { status, .. }, _)) if is_temporary(status) => {
            remote.job.due = Some(again(now));
            return;
        }
        Err((failure, doing)) => {
            remote.job.refused = Some(wanted);
            (Sync::Failed(failure.told(&doing)), remote.id.clone())
        }
    };
    if let Some(assigned) = assigned {
        assigned.sync = sync;
        assigned.external_id = external_id;
        assigned.last_sync = Some(now);
        assigned.changed = now;
    }
}

type Outcome = Result<(), (Failure, String)>;

fn create(remote: &mut RemoteUser, wanted: &Value, name: &str, scim: &mut Scim<'_>) -> Outcome {
    let doing = || format!("verifying if user {name} exists");
    let found = scim
        .find("Users", "userName", name)
        .map_err(|failure| (failure, doing()))?;
    let answer = match &found {
        // Somebody of that name is there: from now on it is this user.
        Some(id) => {
            let mut document = wanted.clone();
            document["id"] = id.as_str().into();
            scim.send(&Method::PUT, &format!("/Users/{id}"), Some(&document))
        }
        None => scim.send(&Method::POST, "/Users", Some(wanted)),
    };
    let answer = answer.map_err(|failure| (failure, format!("creating user {name}")))?;
    remote.id = found.or_else(|| answer["id"].as_str().map(str::to_owned));
    remote.sent = Some(wanted.clone());
    remote.active = true;
    Ok(())
}

fn refresh(
    remote: &mut RemoteUser,
    wanted: &Value,
    update: bool,
    name: &str,
    scim: &mut Scim<'_>,
) -> Outcome {
    let Some(id) = remote.id.clone() else {
        return Ok(());
    };
    if !remote.active {
        set_active(scim, &id, true, name)?;
        remote.active = true;
    }
    if update && remote.sent.as_ref() != Some(wanted) {
        let doing = || format!("trying to push profile update for {name}");
        if let Err(failure) = scim.get(&format!("/Users/{id}")) {
            let doing = match &failure {
                Failure::Refused {
                    status: StatusCode::NOT_FOUND,
                    ..
                } => {
                    format!("{}: No user returned for user {id}", doing())
                }
                _ => doing(),
            };
            return Err((failure, doing));
        }
        let mut document = wanted.clone();
        document["id"] = id.as_str().into();
        scim.send(&Method::PUT, &format!("/Users/{id}"), Some(&document))
            .map_err(|failure| (failure, doing()))?;
        remote.sent = Some(wanted.clone());
    }
    Ok(())
}

/// Applications of the catalog are switched off and on by a patch without a path.
fn set_active(scim: &mut Scim<'_>, id: &str, active: bool, name: &str) -> Outcome {
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

/// The user as it should be at AWS.
fn document(org: &Org, app: &App, id: &str) -> Value {
    let Some((assigned, user)) = app.users.get(id).zip(org.users.get(id)) else {
        return Value::Null;
    };
    let first = user.attribute("firstName").unwrap_or_default();
    let last = user.attribute("lastName").unwrap_or_default();
    let mut schemas = vec![CORE];
    let department = user.attribute("department");
    if department.is_some() {
        schemas.push(ENTERPRISE);
    }
    let mut document = json!({
        "schemas": schemas,
        "externalId": id,
        "userName": assigned.user_name(app, user).unwrap_or_default(),
        "name": { "givenName": first, "familyName": last },
        "displayName": display_name(user, first, last),
        "active": true,
    });
    if let Some(email) = user.attribute("email") {
        document["emails"] = json!([{ "primary": true, "value": email, "type": "work" }]);
    }
    if let Some(title) = user.attribute("title") {
        document["title"] = title.into();
    }
    if let Some(department) = department {
        document[ENTERPRISE] = json!({ "department": department });
    }
    document
}

/// The display name, which Okta makes of the names if there is none.
fn display_name(user: &User, first: &str, last: &str) -> String {
    let made = || format!("{first} {last}").trim().to_owned();
    user.attribute("displayName")
        .map_or_else(made, str::to_owned)
}

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
