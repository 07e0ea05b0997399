//! A run that applies a plan: its progress, its report and the cached state.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures::{StreamExt as _, future::BoxFuture};
use jiff::{Timestamp, civil::Date};
use rest_core::Clock;
use scim_client::{Client, Error as ScimError};
use scim_types::{ExternalId, ResourceId, User};

use crate::{
    error::{Result, ServiceError as _},
    plan::Kind,
    state::{StateLock, now},
    sync::{
        name_conflicts::Names,
        plan::{Counts, GroupChange, Member, RemovedMember, SyncPlan, UserChange},
        prepared::PreparedSync,
        report::{ACTIVE, Failed, SyncReport},
        state::SyncState,
        target,
    },
};

/// The place where a run saves the cached state.
pub(crate) enum StateSink<'a> {
    /// The state is not saved.
    Discard,
    /// The run saves the state in a store.
    Store(&'a StateLock),
    /// The pipeline saves the state.
    Pipeline(&'a dyn SaveState),
}

/// Saves the cached state for a run of the pipeline.
pub(crate) trait SaveState: Sync {
    /// Saves the state, as JSON.
    fn save(&self, json: Vec<u8>) -> BoxFuture<'_, Result<()>>;
}

/// The target's ids of a group and of its member.
type Membership = (ResourceId, ResourceId);

/// A change of one user or one group.
pub(super) trait Change: Sync {
    /// Writes the change to the target.
    fn write<'r>(&'r self, run: &'r Run) -> BoxFuture<'r, Result<(), ScimError>>;

    /// Describes the change for messages, such as `create user ada@example.com`.
    fn description(&self) -> String;

    /// Returns why the failed change keeps a user from signing in, if it is a rename of a user.
    fn no_sign_in(&self, state: &SyncState) -> Option<String>;

    /// Counts the change as applied.
    fn count(&self, done: &mut Counts);

    /// Returns the unique names that the resource has after the change.
    fn wanted_names(&self) -> Names;

    /// Reads the resource, if the change updates an existing one and may rename it.
    fn existing<'r>(&'r self, run: &'r Run) -> BoxFuture<'r, Result<Option<Existing>, ScimError>>;

    /// Gives the existing resource other names, and changes nothing else.
    fn rename<'r>(
        &'r self,
        run: &'r Run,
        existing: &'r Existing,
        names: &'r Names,
    ) -> BoxFuture<'r, Result<(), ScimError>>;
}

/// A change that the target rejected because another resource has one of its names.
pub(super) struct Conflict<'c, C> {
    pub(super) change: &'c C,
    pub(super) error: ScimError,
}

/// A user or group of the target before its change.
pub(super) struct Existing {
    /// The unique names.
    pub(super) names: Names,
    /// The SCIM user, if it is a user.
    pub(super) user: Option<User>,
}

/// A run that applies a plan.
pub(crate) struct Run {
    pub(super) scim: Client,
    clock: Arc<dyn Clock>,
    pub(super) prepared: PreparedSync,
    /// The names of the users of the plan, by the source's ids.
    names: HashMap<ExternalId, String>,
    inner: Mutex<Inner>,
}

/// The progress of a run.
pub(super) struct Inner {
    /// The cached state; updated after every write.
    pub(super) state: SyncState,
    /// The target ids of the users that this run has created, or adopted in place of a creation.
    pub(super) created_ids: HashMap<ExternalId, ResourceId>,
    /// The users that the target no longer had, and that this run creates again.
    pub(super) recreated: BTreeMap<ExternalId, Recreated>,
    /// The memberships, by group and user, whose removal was written or refused.
    pub(super) removed_members: HashSet<Membership>,
    /// Whether the target rejects the token.
    pub(super) token_rejected: bool,
    /// The descriptions of the changes that were written.
    written: HashSet<String>,
    pub(super) report: SyncReport,
    /// Number of consecutive changes with a transient failure.
    consecutive_failures: usize,
    /// Whether the result of a write is unknown, or the target could not be read completely.
    pub(super) uncertain: bool,
    /// Number of writes since the last save of the state.
    unsaved_writes: usize,
    /// The elapsed time of the clock at the last save; `None` before the first write.
    saved_at: Option<Duration>,
}

/// The account of a user that no longer exists in the target.
pub(super) struct Recreated {
    /// The id of the deleted account.
    pub(super) deleted: ResourceId,
    /// The source's ids of the groups that the account was a member of.
    pub(super) groups: BTreeSet<ExternalId>,
}

impl Inner {
    /// Returns the target id of a member.
    pub(super) fn id_of(&self, member: &Member) -> Option<ResourceId> {
        // A user that was created again has another id than the plan has.
        let created = self.created_ids.get(&member.external_id);
        let known = created.or(member.id.as_ref());
        // A resumed run finds users that were created before the interruption in the state.
        let cached = || {
            self.state
                .users
                .get(&member.external_id)
                .map(|user| &user.id)
        };
        known.or_else(cached).cloned()
    }

    /// Reports an attribute that the target does not keep, unless an earlier run has reported it.
    pub(super) fn note_not_kept(&mut self, attribute: &str) {
        if !self.state.not_kept.contains(attribute) {
            let number = self.report.not_kept.entry(attribute.to_owned());
            *number.or_default() += 1;
        }
    }

    /// Returns the source's id of a user of the target.
    pub(super) fn external_id_of(&self, id: &ResourceId) -> Option<ExternalId> {
        let mut users = self.state.users.iter();
        let found = users.find(|(_, user)| user.id == *id);
        found.map(|(external_id, _)| external_id.clone())
    }
}

impl Run {
    pub(in crate::sync) fn new(
        scim: Client,
        clock: Arc<dyn Clock>,
        mut prepared: PreparedSync,
    ) -> Self {
        let mut state = std::mem::take(&mut prepared.state);
        state.serial = prepared.plan.serial + 1;
        // The plan may be made without reading the target. Then the next run that can read it must do so.
        let state_is_dirty = state.dirty;
        let inner = Inner {
            state,
            created_ids: HashMap::new(),
            recreated: BTreeMap::new(),
            removed_members: HashSet::new(),
            token_rejected: false,
            written: HashSet::new(),
            report: SyncReport::of(&prepared.plan),
            consecutive_failures: 0,
            uncertain: state_is_dirty,
            unsaved_writes: 0,
            saved_at: None,
        };
        let names = names(&prepared.plan);
        Self {
            scim,
            clock,
            prepared,
            names,
            inner: Mutex::new(inner),
        }
    }

    /// Marks the saved state as dirty before the first write: from now on the target may differ from it.
    pub(super) async fn start(&self, sink: &StateSink<'_>) -> Result<()> {
        {
            let mut inner = self.lock();
            if inner.saved_at.is_some() {
                return Ok(());
            }
            inner.state.dirty = true;
        }
        self.save_state(sink).await
    }

    /// Takes back from the history the removals that were not made. If the result of a write is unknown, all of them count.
    pub(in crate::sync) fn refund(
        &self,
        day: Date,
        planned: &BTreeMap<Kind, u64>,
        totals: &BTreeMap<Kind, u64>,
    ) {
        let mut inner = self.lock();
        if inner.uncertain {
            return;
        }
        let done = inner.report.done;
        let made = [
            (Kind::User, done.users_deactivated + done.users_deleted),
            (Kind::Group, done.groups_deleted),
            (Kind::Membership, done.members_removed),
        ];
        let made = made.map(|(kind, number)| (kind, number as u64)).into();
        inner.state.removals.refund(day, planned, &made, totals);
    }

    /// Saves the state at the end of the run. The state stays dirty if the run stopped early, or if the result of a write is
    /// unknown.
    pub(crate) async fn finish(&self, sink: &StateSink<'_>) -> Result<()> {
        {
            let mut inner = self.lock();
            inner.state.dirty = inner.uncertain || inner.report.stopped_early.is_some();
            let mut reported: BTreeSet<String> = inner.report.not_kept.keys().cloned().collect();
            // A user that stays active against the source is reported by every run.
            reported.remove(ACTIVE);
            inner.state.not_kept.append(&mut reported);
        }
        self.save_state(sink).await
    }

    /// Writes changes concurrently, records their results, and returns the changes that the target rejected with a name
    /// conflict.
    pub(super) async fn write_changes<'c, C: Change>(
        &self,
        changes: &[&'c C],
        sink: &StateSink<'_>,
    ) -> Result<Vec<Conflict<'c, C>>> {
        let write = async |change: &'c C| {
            if self.skip_if_stopped() {
                return None;
            }
            match change.write(self).await {
                Err(error) if error.is_conflict() => Some(Conflict { change, error }),
                result => {
                    self.record_result(result, change);
                    None
                }
            }
        };
        let mut work: Work<'_, Conflict<'c, C>> = Vec::with_capacity(changes.len());
        for change in changes {
            work.push(Box::pin(write(change)));
        }
        let mut conflicts = Vec::new();
        let mut results =
            futures::stream::iter(work).buffer_unordered(target::concurrency(&self.scim));
        while let Some(conflict) = results.next().await {
            conflicts.extend(conflict);
            self.count_write();
            self.save_if_due(sink).await?;
        }
        Ok(conflicts)
    }

    /// Records the result of a change in the report.
    ///
    /// A failure stops only its own change. The run stops early if the target rejects the token, or after
    /// [`MAX_CONSECUTIVE_FAILURES`] transient failures in a row.
    pub(super) fn record_result<C: Change>(&self, result: Result<(), ScimError>, change: &C) {
        let Err(error) = result else {
            let mut inner = self.lock();
            inner.consecutive_failures = 0;
            change.count(&mut inner.report.done);
            inner.written.insert(change.description());
            return;
        };
        let mut inner = self.lock();
        let is_transient = match error.status() {
            None => true,
            Some(status) => status >= 500 || error.is_throttled(),
        };
        inner.consecutive_failures = if is_transient {
            inner.consecutive_failures + 1
        } else {
            0
        };
        inner.uncertain |= is_transient || matches!(error, ScimError::Body { .. });
        let token_rejected = matches!(error.status(), Some(401 | 403));
        inner.token_rejected |= token_rejected;
        if (token_rejected || inner.consecutive_failures >= MAX_CONSECUTIVE_FAILURES)
            && inner.report.stopped_early.is_none()
        {
            let reason = if token_rejected {
                "the target no longer accepts the SCIM token".to_owned()
            } else {
                format!(
                    "{MAX_CONSECUTIVE_FAILURES} consecutive changes failed with a server error, a rate limit or no response"
                )
            };
            inner.report.stopped_early = Some(reason);
        }
        let help = if error.is_conflict() {
            Some(CONFLICT_HELP.to_owned())
        } else {
            error.advice()
        };
        let no_sign_in = change.no_sign_in(&inner.state);
        let help = match (no_sign_in, help) {
            (Some(reason), Some(help)) => Some(format!("{reason}; {help}")),
            (reason, help) => reason.or(help),
        };
        inner.report.failed.push(Failed {
            change: change.description(),
            response: error.response(),
            help,
        });
    }

    /// Returns whether the run stopped early. If so, counts one more change as not attempted.
    fn skip_if_stopped(&self) -> bool {
        let mut inner = self.lock();
        let stopped_early = inner.report.stopped_early.is_some();
        if stopped_early {
            inner.report.not_attempted += 1;
        }
        stopped_early
    }

    /// Counts a write that the saved state does not contain.
    pub(super) fn count_write(&self) {
        self.lock().unsaved_writes += 1;
    }

    /// Saves the state if it lacks many writes, or if the last save is long ago.
    async fn save_if_due(&self, sink: &StateSink<'_>) -> Result<()> {
        let is_due = {
            let inner = self.lock();
            let is_recent = inner
                .saved_at
                .is_some_and(|at| self.clock.elapsed().saturating_sub(at) < MAX_SAVE_INTERVAL);
            inner.unsaved_writes >= MAX_UNSAVED_WRITES || !is_recent
        };
        if is_due {
            self.save_state(sink).await?;
        }
        Ok(())
    }

    async fn save_state(&self, sink: &StateSink<'_>) -> Result<()> {
        let json = {
            let mut inner = self.lock();
            inner.unsaved_writes = 0;
            inner.saved_at = Some(self.clock.elapsed());
            match sink {
                StateSink::Discard => return Ok(()),
                StateSink::Store(_) | StateSink::Pipeline(_) => inner.state.to_json(),
            }
        };
        match sink {
            StateSink::Discard => Ok(()),
            StateSink::Store(lock) => lock.put(SyncState::FILE, json).await,
            StateSink::Pipeline(pipeline) => pipeline.save(json).await,
        }
    }

    /// Returns the report, the descriptions of the changes that were written, and the memberships, by group and user, whose
    /// removal was written or refused.
    pub(crate) fn into_report(self) -> (SyncReport, HashSet<String>, HashSet<Membership>) {
        let inner = self.inner.into_inner();
        let mut inner = inner.expect("no thread panics while it holds the lock of the run");
        inner.report.note_not_kept();
        (inner.report, inner.written, inner.removed_members)
    }

    /// Returns the name of a user for messages: the id, if the plan has no name.
    pub(super) fn name_of(&self, id: &ExternalId) -> String {
        let name = self.names.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    pub(super) fn now(&self) -> Timestamp {
        now(self.clock.as_ref())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("no thread panics while it holds the lock of the run")
    }
}

/// Returns the names of the users in a plan, by the source's ids.
fn names(plan: &SyncPlan) -> HashMap<ExternalId, String> {
    let mut names = HashMap::new();
    for change in &plan.users {
        if let UserChange::Update {
            external_id,
            profile,
            ..
        } = change
        {
            names.insert(external_id.clone(), profile.user_name.clone());
        }
    }
    for change in &plan.groups {
        let (add, remove): (&[Member], &[RemovedMember]) = match change {
            GroupChange::Create { members, .. } => (members, &[]),
            GroupChange::Update { add, remove, .. } => (add, remove),
            GroupChange::Delete(_) => continue,
        };
        let added = add.iter().map(|member| (&member.external_id, &member.name));
        let removed = remove
            .iter()
            .filter_map(|member| Some((member.external_id.as_ref()?, member.name.as_ref()?)));
        names.extend(
            added
                .chain(removed)
                .map(|(id, name)| (id.clone(), name.clone())),
        );
    }
    names
}

/// Futures that run concurrently.
pub(super) type Work<'a, T> = Vec<BoxFuture<'a, Option<T>>>;

/// Runs all futures, at most `concurrency` at a time, and collects the values that are not `None`.
pub(super) async fn run_all<T>(work: Work<'_, T>, concurrency: usize) -> Vec<T> {
    let mut results = futures::stream::iter(work).buffer_unordered(concurrency);
    let mut values = Vec::new();
    while let Some(value) = results.next().await {
        values.extend(value);
    }
    values
}

/// Retries an idempotent write whose response could not be decoded: a proxy in front of the target may have sent it.
pub(super) async fn retry_undecodable<T, F>(mut write: impl FnMut() -> F) -> Result<T, ScimError>
where
    F: Future<Output = Result<T, ScimError>>,
{
    let mut attempts_left = MAX_WRITE_ATTEMPTS;
    loop {
        attempts_left -= 1;
        match write().await {
            Err(ScimError::Body { .. }) if attempts_left > 0 => {}
            result => return result,
        }
    }
}

/// Maximum number of attempts of a write whose response is lost or cannot be decoded. Each attempt includes the client's
/// own retries.
pub(super) const MAX_WRITE_ATTEMPTS: u32 = 3;
/// After this number of consecutive transient failures, further changes are unlikely to succeed.
pub(super) const MAX_CONSECUTIVE_FAILURES: usize = 10;
/// Maximum number of writes between two saves of the state. After a kill, the next run repeats at most this number of writes,
/// which is safe because they are idempotent.
const MAX_UNSAVED_WRITES: usize = 1000;
/// Maximum time between two saves of the state while changes are written.
const MAX_SAVE_INTERVAL: Duration = Duration::from_secs(30);

const CONFLICT_HELP: &str = "another user or group in the target already has this name, email address or id: \
                             run again with ReadMode::Full, which reads the whole target and adopts the resource with the name; \
                             a user removed from the source keeps its name and email address until it is deleted";
