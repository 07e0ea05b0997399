//! Applies a plan: writes changes concurrently; a failure affects only its own change.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{StreamExt as _, future::BoxFuture};
use jiff::Timestamp;
use rest_core::Clock;
use scim_client::{Client, Error as ScimError};
use scim_types::{ExternalId, PatchOp, PatchOperation, ResourceId};

use super::{
    SyncReport, SyncState,
    plan::{GroupChange, RemovedPrincipal, SyncPlan, UserChange},
    report::Failed,
    state::CachedUser,
    target,
};
use crate::{
    context::Context,
    error::{Result, ServiceError as _},
    state::StateLock,
};

mod groups;
mod name_conflicts;
mod users;

use name_conflicts::{Change, ConflictingChange};

/// The destination of the cached state during a run.
#[derive(Clone, Copy)]
pub(crate) enum StateSink<'a> {
    /// The state is not saved.
    Discard,
    /// The run saves the state in a store.
    Store(&'a StateLock),
    /// The run puts the state file into a step's context, and the pipeline saves it.
    Context(&'a Context),
}

/// A run that applies a plan.
pub(crate) struct Run<'a> {
    scim: &'a Client,
    clock: Arc<dyn Clock>,
    sink: StateSink<'a>,
    /// Target ids of managed users that no source user matches.
    missing_users: Arc<BTreeSet<ResourceId>>,
    inner: Mutex<Inner>,
}

/// The progress of a run.
struct Inner {
    /// The cached state; updated after every write.
    state: SyncState,
    /// The target ids of the users that this run has created, or adopted in place of a creation.
    created_ids: HashMap<ExternalId, ResourceId>,
    /// The users whose deactivation was applied early to release their names.
    applied_early: HashSet<ResourceId>,
    report: SyncReport,
    /// Number of consecutive changes with a transient failure.
    consecutive_failures: usize,
    /// Whether the result of a write is unknown.
    uncertain: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        scim: &'a Client,
        clock: Arc<dyn Clock>,
        sink: StateSink<'a>,
        state: SyncState,
        plan: &SyncPlan,
    ) -> Self {
        let inner = Inner {
            state,
            created_ids: HashMap::new(),
            applied_early: HashSet::new(),
            report: SyncReport::default(),
            consecutive_failures: 0,
            uncertain: false,
        };
        Self {
            scim,
            clock,
            sink,
            missing_users: plan.missing_users.0.clone().unwrap_or_default(),
            inner: Mutex::new(inner),
        }
    }

    /// Applies a whole plan: first the creations and updates, then the removals. Users are written before groups.
    pub(crate) async fn apply(&self, plan: &SyncPlan) -> Result<()> {
        let (user_removals, user_writes): (Vec<_>, Vec<_>) =
            plan.users.iter().partition(|change| change.removes());
        let (group_removals, group_writes): (Vec<_>, Vec<_>) = plan
            .groups
            .iter()
            .partition(|change| matches!(change, GroupChange::Delete(_)));
        self.start().await?;
        self.write_users(&user_writes, &user_removals).await?;
        self.write_groups(&group_writes).await?;
        let user_removals: Vec<&UserChange> = {
            let inner = self.lock();
            let applied_early = |change: &&UserChange| matches!(change, UserChange::Update { id, .. } if inner.applied_early.contains(id));
            user_removals
                .into_iter()
                .filter(|change| !applied_early(change))
                .collect()
        };
        self.write_users(&user_removals, &[]).await?;
        self.write_groups(&group_removals).await?;
        self.finish().await
    }

    /// Marks the saved state as dirty before the first write: from now on the target may differ from it.
    pub(crate) async fn start(&self) -> Result<()> {
        self.lock().state.dirty = true;
        self.save_state().await
    }

    /// Saves the state at the end of the run. The state stays dirty if the run stopped early, or if the result of a write is
    /// unknown.
    pub(crate) async fn finish(&self) -> Result<()> {
        {
            let mut inner = self.lock();
            inner.state.dirty = inner.uncertain || inner.report.stopped_early.is_some();
        }
        self.save_state().await
    }

    /// Writes users concurrently.
    ///
    /// If there are name conflicts, the `removals` that release names are applied early.
    pub(crate) async fn write_users(
        &self,
        changes: &[&UserChange],
        removals: &[&UserChange],
    ) -> Result<()> {
        self.write_changes(changes, removals, "users").await
    }

    /// Writes groups concurrently. The users that this run creates must be written before, because they may be members.
    pub(crate) async fn write_groups(&self, changes: &[&GroupChange]) -> Result<()> {
        self.write_changes(changes, &[], "groups").await
    }

    /// Writes changes in batches, saves the state after each batch, and resolves name conflicts at the end.
    async fn write_changes<C: Change>(
        &self,
        changes: &[&C],
        removals: &[&C],
        kind: &'static str,
    ) -> Result<()> {
        let mut conflicting = Vec::new();
        for batch in changes.chunks(BATCH_SIZE) {
            conflicting.extend(self.write_batch(batch).await);
            tracing::info!(changes = batch.len(), kind, "batch written");
            self.save_state().await?;
        }
        if !conflicting.is_empty() {
            let releasing: Vec<&C> = removals
                .iter()
                .copied()
                .filter(|change| change.releases_names())
                .collect();
            for change in &releasing {
                change.mark_applied_early(self);
            }
            conflicting.extend(self.write_batch(&releasing).await);
            self.resolve_conflicts(conflicting).await;
            self.save_state().await?;
        }
        Ok(())
    }

    /// Writes changes concurrently, records their results, and returns the changes that the target rejected with a name
    /// conflict.
    async fn write_batch<'c, C: Change>(&self, changes: &[&'c C]) -> Vec<ConflictingChange<'c, C>> {
        let write = async |change: &'c C| match change.write(self).await {
            Err(error) if error.is_conflict() => Some(ConflictingChange { change, error }),
            result => {
                self.record_result(result, change);
                None
            }
        };
        let mut work: Vec<BoxFuture<'_, Option<ConflictingChange<'c, C>>>> = Vec::new();
        for change in changes {
            work.push(Box::pin(self.unless_stopped(write(change))));
        }
        run_all(work, target::concurrency(self.scim)).await
    }

    /// Runs the work, unless the run stopped early before the work starts.
    async fn unless_stopped<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        if self.skip_if_stopped() {
            None
        } else {
            work.await
        }
    }

    /// Records the result of a change in the report.
    ///
    /// A failure stops only its own change. The run stops early if the target rejects the token, or after
    /// [`MAX_CONSECUTIVE_FAILURES`] transient failures in a row.
    fn record_result<C: Change>(&self, result: Result<(), ScimError>, change: &C) {
        let Err(error) = result else {
            let mut inner = self.lock();
            inner.consecutive_failures = 0;
            change.count(&mut inner.report.done);
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

    /// Saves the current state.
    pub(crate) async fn save_state(&self) -> Result<()> {
        if matches!(self.sink, StateSink::Discard) {
            return Ok(());
        }
        let json = self.lock().state.to_json();
        match self.sink {
            StateSink::Discard => Ok(()),
            StateSink::Store(lock) => lock.put(SyncState::FILE, json).await,
            StateSink::Context(cx) => {
                cx.put_file(SyncState::FILE, json);
                cx.checkpoint().await
            }
        }
    }

    /// Returns the report and the state.
    pub(crate) fn into_parts(self) -> (SyncReport, SyncState) {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        (inner.report, inner.state)
    }

    fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("no thread panics while it holds the lock of the run")
    }
}

/// Runs all futures, at most `concurrency` at a time, and collects the values that are not `None`.
async fn run_all<T>(work: Vec<BoxFuture<'_, Option<T>>>, concurrency: usize) -> Vec<T> {
    let mut results = futures::stream::iter(work).buffer_unordered(concurrency);
    let mut values = Vec::new();
    while let Some(value) = results.next().await {
        values.extend(value);
    }
    values
}

/// Retries an idempotent write whose response could not be decoded: a proxy in front of the target may have sent it.
async fn retry_undecodable<T, F>(mut write: impl FnMut() -> F) -> Result<T, ScimError>
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
const MAX_WRITE_ATTEMPTS: u32 = 3;
/// After this number of consecutive transient failures, further changes are unlikely to succeed.
const MAX_CONSECUTIVE_FAILURES: usize = 10;
/// Number of changes between two saves of the state. After a kill, the next run repeats at most this number of changes,
/// which is safe because they are idempotent.
const BATCH_SIZE: usize = 1000;

const CONFLICT_HELP: &str = "another user or group in the target already has this name, email address or id: \
                             run again with ReadMode::Full, which reads the whole target and adopts the resource with the name; \
                             a user removed from the source keeps its name and email address until it is deleted";
