//! Writing what a plan says: many at once, one failure stopping one thing.

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
    error::{Result, ServiceError as _},
    state::StateStore,
    step::Context,
};

mod groups;
mod name_conflicts;
mod users;

use name_conflicts::{Blocked, Change};

/// Where the memory is kept while a run goes on.
#[derive(Clone, Copy)]
pub(crate) enum StateSink<'a> {
    Discard,
    Store(&'a StateStore),
    /// A pipeline keeps it.
    Context(&'a Context),
}

/// One run.
pub(crate) struct Run<'a> {
    scim: &'a Client,
    clock: Arc<dyn Clock>,
    sink: StateSink<'a>,
    /// Managed users whom the source does not know any more.
    lost: Arc<BTreeSet<ResourceId>>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: SyncState,
    /// Who was created in this run.
    made: HashMap<ExternalId, ResourceId>,
    /// Who has lost the sign-in before their turn, because another waited for their name.
    left: HashSet<ResourceId>,
    report: SyncReport,
    /// How many requests in a row the target has not answered with sense.
    consecutive_failures: usize,
    /// Something was tried of which nobody knows whether it was done.
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
            made: HashMap::new(),
            left: HashSet::new(),
            report: SyncReport::default(),
            consecutive_failures: 0,
            uncertain: false,
        };
        Self {
            scim,
            clock,
            sink,
            lost: plan.missing_users.0.clone().unwrap_or_default(),
            inner: Mutex::new(inner),
        }
    }

    /// Writes all of a plan: what makes and changes, users before groups; then what takes away.
    pub(crate) async fn plan(&self, plan: &SyncPlan) -> Result<()> {
        let (removed, written): (Vec<_>, Vec<_>) =
            plan.users.iter().partition(|change| change.removes());
        let (gone, changed): (Vec<_>, Vec<_>) = plan
            .groups
            .iter()
            .partition(|change| matches!(change, GroupChange::Delete(_)));
        self.start().await?;
        self.users(&written, &removed).await?;
        self.groups(&changed).await?;
        let removed: Vec<&UserChange> = {
            let inner = self.lock();
            let left = |change: &&UserChange| matches!(change, UserChange::Update { id, .. } if inner.left.contains(id));
            removed.into_iter().filter(|change| !left(change)).collect()
        };
        self.users(&removed, &[]).await?;
        self.groups(&gone).await?;
        self.finish().await
    }

    /// Remembers that from now on something may be there of which nothing is remembered.
    pub(crate) async fn start(&self) -> Result<()> {
        self.lock().state.dirty = true;
        self.save_state().await
    }

    /// Remembers that the run has come to its end.
    pub(crate) async fn finish(&self) -> Result<()> {
        {
            let mut inner = self.lock();
            inner.state.dirty = inner.uncertain || inner.report.given_up.is_some();
        }
        self.save_state().await
    }

    /// Writes users, many at once; of those who are `leaving` those whose name another may wait for, if one does.
    pub(crate) async fn users(
        &self,
        changes: &[&UserChange],
        leaving: &[&UserChange],
    ) -> Result<()> {
        self.changes(changes, leaving, "users").await
    }

    /// Writes groups, in which users of this run are members by now.
    pub(crate) async fn groups(&self, changes: &[&GroupChange]) -> Result<()> {
        self.changes(changes, &[], "groups").await
    }

    async fn changes<C: Change>(
        &self,
        changes: &[&C],
        leaving: &[&C],
        kind: &'static str,
    ) -> Result<()> {
        let mut blocked = Vec::new();
        for part in changes.chunks(SAVE_AFTER) {
            blocked.extend(self.each(part).await);
            tracing::info!(changes = part.len(), kind, "written");
            self.save_state().await?;
        }
        if !blocked.is_empty() {
            let leaving: Vec<&C> = leaving
                .iter()
                .copied()
                .filter(|change| change.releases_names())
                .collect();
            for change in &leaving {
                change.mark_applied_early(self);
            }
            blocked.extend(self.each(&leaving).await);
            self.resolve_conflicts(blocked).await;
            self.save_state().await?;
        }
        Ok(())
    }

    /// Does each change, many at once, and returns those that a name or an address was in the way of.
    async fn each<'c, C: Change>(&self, changes: &[&'c C]) -> Vec<Blocked<'c, C>> {
        let one = async |change: &'c C| match change.write(self).await {
            Err(error) if error.is_conflict() => Some(Blocked { change, error }),
            result => {
                self.record_result(result, change);
                None
            }
        };
        let mut work: Vec<BoxFuture<'_, Option<Blocked<'c, C>>>> = Vec::new();
        for change in changes {
            work.push(Box::pin(self.unless_given_up(one(change))));
        }
        run_all(work, target::width(self.scim)).await
    }

    /// Does the work when its turn comes, unless the run was given up by then.
    async fn unless_given_up<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        if self.given_up() { None } else { work.await }
    }

    /// Counts what was done, and decides what an error stops: the thing it is about, or the run.
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
            Some(status) => status.is_server_error() || error.is_throttled(),
        };
        inner.consecutive_failures = if is_transient {
            inner.consecutive_failures + 1
        } else {
            0
        };
        inner.uncertain |= is_transient || matches!(error, ScimError::Body { .. });
        let refused = matches!(
            error.status().map(|status| status.as_u16()),
            Some(401 | 403)
        );
        if (refused || inner.consecutive_failures >= TOO_MANY) && inner.report.given_up.is_none() {
            let why = if refused {
                "the target does not take the token any more".to_owned()
            } else {
                format!("{TOO_MANY} changes in a row had no sensible answer")
            };
            inner.report.given_up = Some(why);
        }
        let help = if error.is_conflict() {
            Some(CONFLICT.to_owned())
        } else {
            error.advice()
        };
        inner.report.failed.push(Failed {
            what: change.what(),
            response: error.response(),
            help,
        });
    }

    /// Whether the rest is not tried; counts it if so.
    fn given_up(&self) -> bool {
        let mut inner = self.lock();
        let given_up = inner.report.given_up.is_some();
        if given_up {
            inner.report.not_tried += 1;
        }
        given_up
    }

    /// Keeps what is remembered by now.
    pub(crate) async fn save_state(&self) -> Result<()> {
        if matches!(self.sink, StateSink::Discard) {
            return Ok(());
        }
        let json = self.lock().state.to_json();
        match self.sink {
            StateSink::Discard => Ok(()),
            StateSink::Store(store) => store.put(SyncState::FILE, json).await,
            StateSink::Context(cx) => {
                cx.put_file(SyncState::FILE, json);
                Ok(())
            }
        }
    }

    /// What was done so far, and what is remembered of it.
    pub(crate) fn end(self) -> (SyncReport, SyncState) {
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
            .expect("nobody panics while holding a part of the run")
    }
}

/// Does all of it, so many at once, and returns what was not done.
async fn run_all<T>(work: Vec<BoxFuture<'_, Option<T>>>, width: usize) -> Vec<T> {
    let mut done = futures::stream::iter(work).buffer_unordered(width);
    let mut left = Vec::new();
    while let Some(one) = done.next().await {
        left.extend(one);
    }
    left
}

/// Does again what is harmless to do again, where an answer cannot be read: something in front of the target may have
/// answered for it.
async fn retry_undecodable<T, F>(mut act: impl FnMut() -> F) -> Result<T, ScimError>
where
    F: Future<Output = Result<T, ScimError>>,
{
    let mut left = TRIES;
    loop {
        left -= 1;
        match act().await {
            Err(ScimError::Body { .. }) if left > 0 => {}
            result => return result,
        }
    }
}

/// How often a write is tried whose answer is lost or makes no sense; each try has the client's own repetitions.
const TRIES: u32 = 3;
/// A target that has no sensible answer to so many changes in a row will have none to the others.
const TOO_MANY: usize = 10;
/// A run that is killed writes so many changes again at most, which does no harm.
const SAVE_AFTER: usize = 1000;

const CONFLICT: &str = "somebody or something else in the target has the name, the email address or the id already: \
                        run again and have everything read (ReadMode::Full), which adopts what has the name; one who is gone \
                        from the source keeps name and address until deleted";
