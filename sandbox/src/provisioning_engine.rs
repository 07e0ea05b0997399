//! Okta's provisioning engine, which creates users and pushes groups over SCIM.
//!
//! The engine is not triggered by events. It compares the desired state of AWS with the state that it sent,
//! gives every difference a due time, and sends the changes that are due. The engine passes each request as
//! an `http::Request` to the handler of the SCIM endpoint, so all rules of the endpoint apply.

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
    okta::{IDENTITY_CENTER, Org, PushStatus, SyncStatus, credentials_refused},
    record::RecordedRequest,
};

/// The state of Okta's provisioning jobs.
#[derive(Debug)]
pub(crate) struct ProvisioningEngine {
    delay: SignedDuration,
    /// The authority of the SCIM listener. A connection to any other authority fails.
    authority: String,
    users: BTreeMap<JobId, RemoteUser>,
    groups: BTreeMap<JobId, RemoteGroup>,
    /// The value of [`Org::changes`] when the engine last planned its jobs.
    planned_changes: Option<u64>,
    /// The earliest due time of all jobs.
    next_due: Option<Timestamp>,
    /// The requests that Okta sent.
    pub(crate) sent: Vec<RecordedRequest>,
}

/// The id of an application, and the id of one of its users or of its group push mappings.
type JobId = (String, String);

/// Okta's record of a user at AWS.
#[derive(Debug, Default)]
struct RemoteUser {
    /// The SCIM id, if the user exists at AWS.
    id: Option<String>,
    /// The last document that AWS accepted.
    sent: Option<Value>,
    active: bool,
    job: Job,
}

/// Okta's record of a group at AWS.
#[derive(Debug, Default)]
struct RemoteGroup {
    id: Option<String>,
    /// The members that were sent, by their Okta id, with their ids at AWS.
    members: BTreeMap<String, String>,
    /// The members in Okta when the engine last looked.
    members_in_okta: BTreeSet<String>,
    /// Whether the push of the whole group was queued since the push mapping was last activated.
    is_linked: bool,
    queue: groups::Queue,
    job: Job,
}

/// A provisioning job: its due time, and the last change that AWS rejected.
#[derive(Debug, Default)]
struct Job {
    due: Option<Timestamp>,
    rejected: Option<Value>,
}

impl Job {
    /// Sets the due time of the job, if there is a change. A job that already has a due time keeps that
    /// time.
    ///
    /// Clears the due time if there is no change or AWS already rejected the same change.
    fn plan(&mut self, change: Option<&Value>, due: Timestamp) {
        match change {
            None => self.due = None,
            Some(change) if self.rejected.as_ref() == Some(change) => self.due = None,
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
            planned_changes: None,
            next_due: None,
            sent: Vec::new(),
        }
    }

    /// Runs all jobs that are due, ordered by due time. Each job runs as if the current time were its due
    /// time.
    pub(crate) fn run_due_jobs(&mut self, org: &mut Org, cloud: &mut Cloud, now: Timestamp) {
        let mut time = now;
        loop {
            if self.planned_changes != Some(org.changes) {
                self.plan(org, time);
                self.planned_changes = Some(org.changes);
                self.next_due = self.earliest_due();
            }
            let Some(due) = self.next_due.filter(|due| *due <= now) else {
                break;
            };
            time = due;
            cloud.complete_due_operations(time);
            self.run(org, cloud, time);
            org.changes += 1;
        }
        cloud.complete_due_operations(now);
    }

    /// Tests the credentials, like the button "Test API Credentials" in Okta's Admin Console.
    pub(crate) fn test_credentials(
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

    /// Marks the failed jobs for a retry, like an administrator who retries the failed tasks in Okta's task
    /// list.
    pub(crate) fn retry_failed(&mut self, org: &mut Org) {
        for remote in self.users.values_mut() {
            remote.job.rejected = None;
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

    /// Returns the error messages of the failed jobs, in the format of Okta's dashboard.
    pub(crate) fn errors(org: &Org) -> Vec<String> {
        let mut errors = Vec::new();
        for app in org.apps.values() {
            for (id, user) in &app.users {
                if let SyncStatus::Failed(reason) = &user.sync {
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

    fn plan(&mut self, org: &Org, time: Timestamp) {
        let due = after(time, self.delay);
        let is_provisioned = |app: &str| {
            org.apps.get(app).is_some_and(|app| {
                app.active
                    && app.name == IDENTITY_CENTER
                    && app.provisioning.enabled_connection().is_some()
            })
        };
        for app in org.apps.values().filter(|app| is_provisioned(&app.id)) {
            let job_id = |id: &String| (app.id.clone(), id.clone());
            for id in app.users.keys() {
                self.users.entry(job_id(id)).or_default();
            }
            for id in app.pushes.keys() {
                self.groups.entry(job_id(id)).or_default();
            }
        }
        for ((app, user), remote) in &mut self.users {
            let provisioned = org.apps.get(app).filter(|_| is_provisioned(app));
            let change = provisioned.and_then(|app| users::pending_change(org, app, user, remote));
            remote.job.plan(change.as_ref(), due);
        }
        for ((app, push), remote) in &mut self.groups {
            let removed = org
                .removed_pushes
                .iter()
                .any(|removed| removed.push == *push);
            let change = match org.apps.get(app).filter(|_| is_provisioned(app)) {
                None => None,
                Some(_) if removed => Some(Value::Null),
                Some(app) => groups::pending_change(org, app, push, remote),
            };
            remote.job.plan(change.as_ref(), due);
        }
    }

    fn earliest_due(&self) -> Option<Timestamp> {
        let users = self.users.values().filter_map(|remote| remote.job.due);
        let groups = self.groups.values().filter_map(|remote| remote.job.due);
        users.chain(groups).min()
    }

    fn run(&mut self, org: &mut Org, cloud: &mut Cloud, now: Timestamp) {
        let connections: Vec<(String, String, String)> = org
            .apps
            .values()
            .filter_map(|app| {
                let connection = app.provisioning.enabled_connection()?;
                Some((
                    app.id.clone(),
                    connection.base_url.clone(),
                    connection.token.clone(),
                ))
            })
            .collect();
        for (app, base_url, token) in &connections {
            let mut scim = Scim {
                cloud: &mut *cloud,
                authority: &self.authority,
                sent: &mut self.sent,
                base_url,
                token,
                now,
            };
            // Users come first, because a group can only have members that exist at AWS.
            for ((job_app, user), remote) in &mut self.users {
                if job_app == app && remote.job.is_due(now) {
                    users::run(org, app, user, remote, &mut scim);
                }
            }
            self.groups.retain(|(job_app, push), remote| {
                job_app != app
                    || !remote.job.is_due(now)
                    || groups::run(org, app, push, remote, &mut scim)
            });
        }
    }
}

/// Returns the time at which to retry a job after a temporary error. It is always later than `now`.
fn retry_time(now: Timestamp) -> Timestamp {
    after(now, SignedDuration::from_secs(1))
}

/// Returns whether a request with this error status can succeed later.
fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
