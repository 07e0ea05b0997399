//! What Okta does by itself once provisioning is on: it creates users and pushes groups over SCIM.
//!
//! Nothing here is triggered by events. What should be at AWS is compared with what was sent, every
//! difference gets a due time, and what is due is sent. Requests are real HTTP values that go
//! through the SCIM endpoint's own handler, so its rules bite.

mod client;
mod groups;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::client::{Failure, Scim};
use crate::{
    aws::Cloud,
    clock::after,
    okta::{IDENTITY_CENTER, Org, PushStatus, Sync, credentials_refused},
    record::Recorded,
};

/// The state of Okta's provisioning jobs.
#[derive(Debug)]
pub(crate) struct ProvisioningEngine {
    delay: SignedDuration,
    /// The authority of the SCIM listener: a connection to anywhere else is refused.
    authority: String,
    users: BTreeMap<Pair, RemoteUser>,
    groups: BTreeMap<Pair, RemoteGroup>,
    /// The org's changes that were looked at.
    seen: Option<u64>,
    /// What Okta has sent.
    pub(crate) sent: Vec<Recorded>,
}

/// The id of an application, and of one of its users or mappings.
type Pair = (String, String);

/// What Okta knows about a user at AWS.
#[derive(Debug, Default)]
struct RemoteUser {
    id: Option<String>,
    /// The document AWS took last.
    sent: Option<Value>,
    active: bool,
    job: Job,
}

/// What Okta knows about a group at AWS.
#[derive(Debug, Default)]
struct RemoteGroup {
    id: Option<String>,
    members: BTreeSet<String>,
    /// Whether the mapping was followed when it was last looked at.
    followed: bool,
    job: Job,
}

/// When something is due, and what was refused the last time it was.
#[derive(Debug, Default)]
struct Job {
    due: Option<Timestamp>,
    refused: Option<Value>,
}

impl Job {
    /// Makes the job due unless it is already, there is nothing to do, or it would be refused again.
    fn plan(&mut self, wanted: Option<&Value>, due: Timestamp) {
        match wanted {
            None => self.due = None,
            Some(wanted) if self.refused.as_ref() == Some(wanted) => self.due = None,
            Some(_) => self.due = self.due.or(Some(due)),
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

impl ProvisioningEngine {
    pub(crate) fn new(authority: String, delay: SignedDuration) -> Self {
        Self {
            delay,
            authority,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            seen: None,
            sent: Vec::new(),
        }
    }

    /// Does everything that is due, in the order and at the moments it became due.
    pub(crate) fn settle(&mut self, org: &mut Org, cloud: &mut Cloud, now: Timestamp) {
        let mut moment = now;
        loop {
            if self.seen != Some(org.changes) {
                self.plan(org, moment);
                self.seen = Some(org.changes);
            }
            let Some(due) = self.next_due().filter(|due| *due <= now) else {
                break;
            };
            moment = due;
            cloud.settle(moment);
            self.run(org, cloud, moment);
            org.changes += 1;
        }
        cloud.settle(now);
    }

    /// Okta's button "Test API Credentials".
    pub(crate) fn prove(
        &mut self,
        cloud: &mut Cloud,
        base_url: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut scim = Scim {
            cloud,
            authority: &self.authority,
            sent: &mut self.sent,
            base_url,
            token,
            now,
        };
        match scim.get("/Users?count=1") {
            Ok(_) => Ok(()),
            Err(Failure::Unreachable) => Err("Error authenticating: Connection refused".to_owned()),
            Err(Failure::Refused { status, .. }) => Err(credentials_refused(status)),
        }
    }

    /// Tries again whatever was refused, as a person does from the list of failed tasks.
    pub(crate) fn retry(&mut self, org: &mut Org) {
        for remote in self.users.values_mut() {
            remote.job.refused = None;
        }
        for push in org
            .apps
            .values_mut()
            .flat_map(|app| app.pushes.values_mut())
        {
            if matches!(push.status, PushStatus::Error(_)) {
                push.status = PushStatus::Active;
            }
        }
        org.changes += 1;
    }

    /// What was refused, as the dashboard shows it.
    pub(crate) fn errors(org: &Org) -> Vec<String> {
        let mut errors = Vec::new();
        for app in org.apps.values() {
            for (id, user) in &app.users {
                if let Sync::Failed(reason) = &user.sync {
                    let login = org.users.get(id).map_or(id.as_str(), |user| user.login());
                    errors.push(format!(
                        "Automatic provisioning of user {login} to app {} failed: {reason}",
                        app.name
                    ));
                }
            }
            for push in app.pushes.values() {
                if let PushStatus::Error(reason) = &push.status {
                    errors.push(reason.clone());
                }
            }
        }
        errors
    }

    fn plan(&mut self, org: &Org, moment: Timestamp) {
        let due = after(moment, self.delay);
        let live = |app: &str| {
            org.apps.get(app).is_some_and(|app| {
                app.active && app.name == IDENTITY_CENTER && app.provisioning.live().is_some()
            })
        };
        for app in org.apps.values().filter(|app| live(&app.id)) {
            let pair = |id: &String| (app.id.clone(), id.clone());
            for id in app.users.keys() {
                self.users.entry(pair(id)).or_default();
            }
            for id in app.pushes.keys() {
                self.groups.entry(pair(id)).or_default();
            }
        }
        for ((app, user), remote) in &mut self.users {
            let wanted = org.apps.get(app).filter(|_| live(app));
            let wanted = wanted.and_then(|app| users::wanted(org, app, user, remote));
            remote.job.plan(wanted.as_ref(), due);
        }
        for ((app, push), remote) in &mut self.groups {
            let removed = org
                .removed_pushes
                .iter()
                .any(|removed| removed.push == *push);
            let wanted = match org.apps.get(app).filter(|_| live(app)) {
                None => None,
                Some(_) if removed => Some(Value::Null),
                Some(app) => groups::wanted(org, app, push, remote),
            };
            remote.job.plan(wanted.as_ref(), due);
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        let users = self.users.values().filter_map(|remote| remote.job.due);
        let groups = self.groups.values().filter_map(|remote| remote.job.due);
        users.chain(groups).min()
    }

    fn run(&mut self, org: &mut Org, cloud: &mut Cloud, now: Timestamp) {
        let live: Vec<(String, String, String)> = org
            .apps
            .values()
            .filter_map(|app| {
                let connection = app.provisioning.live()?;
                Some((
                    app.id.clone(),
                    connection.base_url.clone(),
                    connection.token.clone(),
                ))
            })
            .collect();
        for (app, base_url, token) in &live {
            let mut scim = Scim {
                cloud: &mut *cloud,
                authority: &self.authority,
                sent: &mut self.sent,
                base_url,
                token,
                now,
            };
            // Users go first: a group can only have members that are there.
            for ((of, user), remote) in &mut self.users {
                if of == app && remote.job.is_due(now) {
                    users::run(org, app, user, remote, &mut scim);
                }
            }
            self.groups.retain(|(of, push), remote| {
                of != app
                    || !remote.job.is_due(now)
                    || groups::run(org, app, push, remote, &mut scim)
            });
        }
    }
}

/// The moment a throttled job is tried again: never the very same one.
fn again(now: Timestamp) -> Timestamp {
    after(now, SignedDuration::from_secs(1))
}

/// Whether a refusal only means: not now.
fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
