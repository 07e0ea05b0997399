//! Okta's System Log: the reasons why Okta could not provision a user or a group.
//!
//! The log is optional. If it cannot be read, the run goes on, and each problem says what the log needs.
//!
//! Each read is one query for the failures of the app in [`WINDOW`], the newest first. Okta warns that events may be delayed
//! ("System Log query"), so the same window is read again, and events are known by their id.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use okta_client::{
    App, AppUser, Client as Okta, EventType, Id, ListLogs, LogEvent, PushMapping, PushStatus,
    SortOrder, SyncState, User,
};

use crate::{
    context::Context,
    error::{Error, ServiceError as _},
    text::Shown,
};

/// The failures of provisioning that Okta has logged for the app of a context.
pub(super) struct ProvisioningLog<'a> {
    okta: &'a Okta,
    cx: &'a Context,
    /// `None` if the log is not read: Okta does not provision, or there is no app.
    app: Option<Id<App>>,
    /// The elapsed time of the clock at the start of the wait.
    started: Duration,
    memory: Arc<Memory>,
}

/// The failures that one context has read.
#[derive(Default)]
struct Memory(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The elapsed time of the clock at the last read.
    read_at: Option<Duration>,
    failures: BTreeMap<String, Failure>,
    /// The error of the last read.
    unreadable: Option<Unreadable>,
}

/// The reason why the log could not be read.
struct Unreadable {
    text: String,
    /// Whether a scope or a role is missing, so that another read would not help.
    is_denied: bool,
}

/// A failure of provisioning, from an event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    event: String,
    time: Timestamp,
    reason: String,
    /// The ids of the targets that are users.
    users: BTreeSet<String>,
    /// The ids of the targets that are groups or push mappings.
    groups: BTreeSet<String>,
}

/// The targets that an event must have to be the reason why a part is missing, and the earliest time of the event.
#[derive(Clone, Debug)]
pub(super) struct Concern {
    user: Option<String>,
    groups: Vec<String>,
    since: Option<Timestamp>,
}

impl<'a> ProvisioningLog<'a> {
    /// Returns the log of the app that the context knows.
    pub(super) fn new(okta: &'a Okta, cx: &'a Context) -> Self {
        Self {
            okta,
            cx,
            app: cx.facts(|facts| facts.app.clone()),
            started: cx.clock().elapsed(),
            memory: cx.run_memory::<Memory>(),
        }
    }

    /// Returns a log that is never read, for an app that does not provision.
    pub(super) fn unused(okta: &'a Okta, cx: &'a Context) -> Self {
        Self {
            app: None,
            ..Self::new(okta, cx)
        }
    }

    /// Reads the log if the wait, or the time since the last read, is longer than [`INTERVAL`]. An urgent look does not wait
    /// for the first read.
    pub(super) async fn read_if_due(&self, is_urgent: bool) {
        let read_at = self.known().read_at;
        let waited = self.now().saturating_sub(read_at.unwrap_or(self.started));
        if waited >= INTERVAL || is_urgent && read_at.is_none() {
            self.read().await;
        }
    }

    /// Reads the log, unless it was read at this moment or cannot be read in this run.
    pub(super) async fn read(&self) {
        let Some(app) = &self.app else { return };
        let now = self.now();
        {
            let known = self.known();
            if known.is_denied() || known.read_at == Some(now) {
                return;
            }
        }
        let failures = self.failures(app).await;
        let mut known = self.known();
        known.read_at = Some(now);
        known.unreadable = match failures {
            Ok(failures) => {
                let by_event = failures.into_iter();
                known
                    .failures
                    .extend(by_event.map(|failure| (failure.event.clone(), failure)));
                None
            }
            Err(error) => Some(Unreadable::new(&error)),
        };
    }

    /// Returns whether the log has had [`INTERVAL`] to show the event of a failure that was seen at this elapsed time.
    pub(super) fn is_settled(&self, seen: Duration) -> bool {
        let known = self.known();
        let is_late = |read_at: Duration| read_at.saturating_sub(seen) >= INTERVAL;
        self.app.is_none() || known.is_denied() || known.read_at.is_some_and(is_late)
    }

    /// Returns the newest reason that the log has.
    pub(super) fn reason(&self, concern: &Concern) -> Option<String> {
        let known = self.known();
        newest(known.failures.values(), concern).map(|failure| {
            format!(
                "{} (Okta's System Log, {}, event {})",
                failure.reason, failure.time, failure.event
            )
        })
    }

    /// Adds the newest reason to the error of a missing part, or why there is none.
    pub(super) fn explain(&self, error: Error, concern: Option<&Concern>) -> Error {
        let Some(concern) = concern else {
            return error;
        };
        if let Some(reason) = self.reason(concern) {
            return error.with_source(reason);
        }
        match &self.known().unreadable {
            None => error,
            Some(unreadable) => {
                let error = error.with_source(unreadable.text.clone());
                if unreadable.is_denied {
                    error.with_more_help(GRANT)
                } else {
                    error
                }
            }
        }
    }

    /// Returns the elapsed time of the clock.
    pub(super) fn now(&self) -> Duration {
        self.cx.clock().elapsed()
    }

    async fn failures(&self, app: &Id<App>) -> Result<Vec<Failure>, okta_client::Error> {
        let since = self.cx.now() - WINDOW;
        let mut events = self.okta.logs().list(ListLogs {
            since: Some(since.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()),
            filter: Some(format!(
                "eventType sw \"application.provision.\" and outcome.result eq \"FAILURE\" and target.id eq \"{app}\""
            )),
            sort_order: Some(SortOrder::Descending),
            ..ListLogs::default()
        });
        let mut failures = Vec::new();
        for _ in 0..MAX_EVENTS {
            match events.try_next().await {
                Ok(Some(event)) => failures.extend(Failure::read(&event, app)),
                Ok(None) => break,
                // The list goes on after an event that cannot be read.
                Err(error) if error.item().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(failures)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.memory.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_denied(&self) -> bool {
        let unreadable = self.unreadable.as_ref();
        unreadable.is_some_and(|unreadable| unreadable.is_denied)
    }
}

impl Unreadable {
    fn new(error: &okta_client::Error) -> Self {
        let is_denied = error.status() == Some(403) || error.is_permission_denied();
        let without = if is_denied {
            " without the scope okta.logs.read or a role that includes it"
        } else {
            ""
        };
        Self {
            text: format!(
                "Okta's System Log, which can have the reason, could not be read{without}: {}",
                error.response()
            ),
            is_denied,
        }
    }
}

impl Failure {
    /// Returns the failure of an event, or `None` if the event is about something else.
    fn read(event: &LogEvent, app: &Id<App>) -> Option<Self> {
        let is_of_app = event.targets.iter().any(|target| {
            target.kind == "AppInstance" && target.id.as_deref() == Some(app.as_str())
        });
        if !is_of_app || !brings_to_the_app(&event.event_type) {
            return None;
        }
        let ids = |kinds: &[&str]| {
            let targets = event.targets.iter();
            let of_kind = targets.filter(|target| kinds.contains(&target.kind.as_str()));
            of_kind.filter_map(|target| target.id.clone()).collect()
        };
        let reason = event.reason.as_ref().or(event.message.as_ref());
        let reason = reason.map_or("no reason given", String::as_str);
        let shortened: String = reason.chars().take(MAX_REASON).collect();
        let ellipsis = if shortened.len() < reason.len() {
            "…"
        } else {
            ""
        };
        Some(Self {
            event: event.id.to_string(),
            time: event.published.parse().ok()?,
            reason: format!("{}{ellipsis}", Shown(&shortened)),
            users: ids(&["User", "AppUser"]),
            groups: ids(&["UserGroup", "AppGroup", "GroupPushMapping"]),
        })
    }

    fn fits(&self, concern: &Concern) -> bool {
        let is_of_group = concern.groups.iter().any(|id| self.groups.contains(id));
        let is_of_user = concern
            .user
            .as_ref()
            .is_some_and(|user| self.users.contains(user));
        let fits = match (&concern.user, concern.groups.is_empty()) {
            // The event of a membership does not say that its user or its group is missing.
            (Some(_), true) => is_of_user && self.groups.is_empty(),
            (None, _) => is_of_group && self.users.is_empty(),
            (Some(_), false) => is_of_group && (is_of_user || self.users.is_empty()),
        };
        fits && concern.since.is_none_or(|since| self.time >= since)
    }
}

impl Concern {
    /// Returns the concern of a user that is missing. Returns `None` if the user is not assigned, or if Okta reports that the
    /// account is up to date: an earlier failure is not the reason then.
    pub(super) fn user(assigned: Option<&AppUser>) -> Option<Self> {
        let assigned = assigned?;
        (assigned.sync_state != Some(SyncState::Synchronized)).then(|| Self {
            user: Some(assigned.id.to_string()),
            groups: Vec::new(),
            since: time(assigned.created.as_ref()),
        })
    }

    /// Returns the concern of a group that is missing. Only failures since the last push of an active mapping count.
    pub(super) fn group(mapping: &PushMapping) -> Self {
        let pushed = match mapping.status {
            PushStatus::Active => time(mapping.last_push.as_ref()),
            _ => None,
        };
        let target = mapping.target_group.iter().map(ToString::to_string);
        let own = [mapping.source_group.to_string(), mapping.id.to_string()];
        Self {
            user: None,
            groups: own.into_iter().chain(target).collect(),
            since: pushed.or_else(|| time(mapping.created.as_ref())),
        }
    }

    /// Returns the concern of a member that is missing in a group.
    pub(super) fn membership(mapping: &PushMapping, user: &Id<User>) -> Self {
        Self {
            user: Some(user.to_string()),
            ..Self::group(mapping)
        }
    }
}

/// Returns the newest failure that fits.
fn newest<'f>(
    failures: impl Iterator<Item = &'f Failure>,
    concern: &Concern,
) -> Option<&'f Failure> {
    failures
        .filter(|failure| failure.fits(concern))
        .max_by_key(|failure| (failure.time, &failure.event))
}

/// Returns whether an event is about creating or updating a user or a group at the app.
fn brings_to_the_app(event: &EventType) -> bool {
    !matches!(
        event,
        EventType::UserDeactivate
            | EventType::UserDeprovision
            | EventType::UserImport
            | EventType::UserImportProfile
            | EventType::UserPassword
            | EventType::UserPushPassword
            | EventType::UserPushOktaPassword
            | EventType::GroupImport
            | EventType::GroupRemove
            | EventType::GroupMembershipImport
            | EventType::GroupMembershipRemove
            | EventType::GroupPushRemoved
            | EventType::GroupPushMappingDeactivated
    )
}

fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// The shortest time between two reads of one context. The log has one of Okta's lowest rate limits, which other programs,
/// such as a SIEM, use too.
const INTERVAL: Duration = Duration::from_secs(90);

/// The age up to which failures are read: an assignment can be older than the run. This is also Okta's default for a query.
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Maximum number of events of a read: one page of Okta.
const MAX_EVENTS: usize = 1000;

/// Maximum length of a reason, in characters. Some apps answer with a whole HTML page.
const MAX_REASON: usize = 500;

const GRANT: &str = "grant the optional scope okta.logs.read and a role that can read the System Log (docs/OKTA_RIGHTS.md), and the \
                     next run shows Okta's reason";

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Concern, Failure, newest};

    fn failure(event: &str, time: &str, users: &[&str], groups: &[&str]) -> Failure {
        let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        Failure {
            event: event.to_owned(),
            time: time.parse().expect("a time"),
            reason: "Bad Request".to_owned(),
            users: ids(users),
            groups: ids(groups),
        }
    }

    fn concern(user: Option<&str>, groups: &[&str], since: Option<&str>) -> Concern {
        Concern {
            user: user.map(str::to_owned),
            groups: groups.iter().map(ToString::to_string).collect(),
            since: since.map(|since| since.parse().expect("a time")),
        }
    }

    const T1: &str = "2026-11-24T09:00:00Z";
    const T2: &str = "2026-11-24T09:01:00Z";
    const T3: &str = "2026-11-24T09:02:00Z";

    #[test]
    fn only_an_event_with_the_targets_of_the_part_is_its_reason() {
        let (user, group) = (&["00u1"][..], &["00g1"][..]);
        let of_user = concern(Some("00u1"), &[], None);
        let of_group = concern(None, &["00g1", "gPm1"], None);
        let of_membership = concern(Some("00u1"), &["00g1", "gPm1"], None);
        // Whether an event with these users and groups is the reason of the user, the group, and the membership.
        for (users, groups, expected) in [
            (user, &[][..], [true, false, false]),
            (&["00u2"], &[], [false, false, false]),
            (&["0ua1", "00u1"], &[], [true, false, false]),
            (&[], group, [false, true, true]),
            (&[], &["00g2"], [false, false, false]),
            (&[], &["gPm1"], [false, true, true]),
            (user, group, [false, false, true]),
            (&["00u2"], group, [false, false, false]),
            (user, &["00g2"], [false, false, false]),
            (&[], &[], [false, false, false]),
        ] {
            let failure = failure("e", T1, users, groups);
            let fits = [&of_user, &of_group, &of_membership].map(|concern| failure.fits(concern));
            assert_eq!(fits, expected, "{users:?} {groups:?}");
        }
    }

    #[test]
    fn the_newest_event_counts_in_any_order_and_none_is_older_than_the_assignment() {
        let events = [
            failure("b", T2, &["00u1"], &[]),
            failure("a", T1, &["00u1"], &[]),
            failure("c", T3, &["00u2"], &[]),
        ];
        for (since, expected) in [(None, Some("b")), (Some(T2), Some("b")), (Some(T3), None)] {
            let concern = concern(Some("00u1"), &[], since);
            let found = [
                newest(events.iter(), &concern),
                newest(events.iter().rev(), &concern),
            ];
            assert_eq!(
                found.map(|found| found.map(|found| &*found.event)),
                [expected; 2]
            );
        }
    }
}
