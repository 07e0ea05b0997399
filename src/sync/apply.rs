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
    Memory, SyncReport,
    memory::RememberedUser,
    plan::{Gone, GroupChange, SyncPlan, UserChange},
    report::Failed,
    target,
};
use crate::{
    error::{Outcome, ServiceError as _},
    state::StateStore,
    step::Context,
};

mod groups;
mod turns;
mod users;

use turns::{Blocked, Change};

/// Where the memory is kept while a run goes on.
#[derive(Clone, Copy)]
pub(crate) enum Keep<'a> {
    Nowhere,
    Store(&'a StateStore),
    /// A pipeline keeps it.
    Context(&'a Context),
}

/// One run.
pub(crate) struct Run<'a> {
    scim: &'a Client,
    clock: Arc<dyn Clock>,
    keep: Keep<'a>,
    /// Managed users whom the source does not know any more.
    lost: Arc<BTreeSet<ResourceId>>,
    inner: Mutex<Inner>,
}

struct Inner {
    memory: Memory,
    /// Who was created in this run.
    made: HashMap<ExternalId, ResourceId>,
    /// Who has lost the sign-in before their turn, because another waited for their name.
    left: HashSet<ResourceId>,
    report: SyncReport,
    /// How many requests in a row the target has not answered with sense.
    streak: usize,
    /// Something was tried of which nobody knows whether it was done.
    undecided: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        scim: &'a Client,
        clock: Arc<dyn Clock>,
        keep: Keep<'a>,
        memory: Memory,
        plan: &SyncPlan,
    ) -> Self {
        let inner = Inner {
            memory,
            made: HashMap::new(),
            left: HashSet::new(),
            report: SyncReport::default(),
            streak: 0,
            undecided: false,
        };
        Self {
            scim,
            clock,
            keep,
            lost: plan.lost.0.clone().unwrap_or_default(),
            inner: Mutex::new(inner),
        }
    }

    /// Writes all of a plan: what makes and changes, users before groups; then what takes away.
    pub(crate) async fn plan(&self, plan: &SyncPlan) -> Outcome<()> {
        let (removed, written): (Vec<_>, Vec<_>) =
            plan.users.iter().partition(|change| change.removes());
        let (gone, changed): (Vec<_>, Vec<_>) = plan
            .groups
            .iter()
            .partition(|change| matches!(change, GroupChange::Delete(_)));
        self.begin().await?;
        self.users(&written, &removed).await?;
        self.groups(&changed).await?;
        let removed: Vec<&UserChange> = {
            let inner = self.lock();
            let left = |change: &&UserChange| matches!(change, UserChange::Update { id, .. } if inner.left.contains(id));
            removed.into_iter().filter(|change| !left(change)).collect()
        };
        self.users(&removed, &[]).await?;
        self.groups(&gone).await?;
        self.settle().await
    }

    /// Remembers that from now on something may be there of which nothing is remembered.
    pub(crate) async fn begin(&self) -> Outcome<()> {
        self.lock().memory.unsettled = true;
        self.remember().await
    }

    /// Remembers that the run has come to its end.
    pub(crate) async fn settle(&self) -> Outcome<()> {
        {
            let mut inner = self.lock();
            inner.memory.unsettled = inner.undecided || inner.report.given_up.is_some();
        }
        self.remember().await
    }

    /// Writes users, many at once; of those who are `leaving` those whose name another may wait for, if one does.
    pub(crate) async fn users(
        &self,
        changes: &[&UserChange],
        leaving: &[&UserChange],
    ) -> Outcome<()> {
        self.changes(changes, leaving, "users").await
    }

    /// Writes groups, in which users of this run are members by now.
    pub(crate) async fn groups(&self, changes: &[&GroupChange]) -> Outcome<()> {
        self.changes(changes, &[], "groups").await
    }

    async fn changes<C: Change>(
        &self,
        changes: &[&C],
        leaving: &[&C],
        kind: &'static str,
    ) -> Outcome<()> {
        let mut blocked = Vec::new();
        for part in changes.chunks(SAVE_AFTER) {
            blocked.extend(self.each(part).await);
            tracing::info!(changes = part.len(), kind, "written");
            self.remember().await?;
        }
        if !blocked.is_empty() {
            let leaving: Vec<&C> = leaving
                .iter()
                .copied()
                .filter(|change| change.gives_up_names())
                .collect();
            for change in &leaving {
                change.goes_before_its_turn(self);
            }
            blocked.extend(self.each(&leaving).await);
            self.in_turns(blocked).await;
            self.remember().await?;
        }
        Ok(())
    }

    /// Does each change, many at once, and returns those that a name or an address was in the way of.
    async fn each<'c, C: Change>(&self, changes: &[&'c C]) -> Vec<Blocked<'c, C>> {
        let one = async |change: &'c C| match change.write(self).await {
            Err(error) if error.is_conflict() => Some(Blocked { change, error }),
            result => {
                self.judge(result, change);
                None
            }
        };
        let mut work: Vec<BoxFuture<'_, Option<Blocked<'c, C>>>> = Vec::new();
        for change in changes {
            work.push(Box::pin(self.unless_given_up(one(change))));
        }
        all(work, target::width(self.scim)).await
    }

    /// Does the work when its turn comes, unless the run was given up by then.
    async fn unless_given_up<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        if self.given_up() { None } else { work.await }
    }

    /// Counts what was done, and decides what an error stops: the thing it is about, or the run.
    fn judge<C: Change>(&self, result: Result<(), ScimError>, change: &C) {
        let Err(error) = result else {
            let mut inner = self.lock();
            inner.streak = 0;
            change.count(&mut inner.report.done);
            return;
        };
        let mut inner = self.lock();
        let senseless = match error.status() {
            None => true,
            Some(status) => status.is_server_error() || error.is_throttled(),
        };
        inner.streak = if senseless { inner.streak + 1 } else { 0 };
        inner.undecided |= senseless || matches!(error, ScimError::Body { .. });
        let refused = matches!(
            error.status().map(|status| status.as_u16()),
            Some(401 | 403)
        );
        if (refused || inner.streak >= TOO_MANY) && inner.report.given_up.is_none() {
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
            answer: error.answer(),
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
    pub(crate) async fn remember(&self) -> Outcome<()> {
        if matches!(self.keep, Keep::Nowhere) {
            return Ok(());
        }
        let json = self.lock().memory.to_json();
        match self.keep {
            Keep::Nowhere => Ok(()),
            Keep::Store(store) => store.keep(Memory::FILE, json).await,
            Keep::Context(cx) => {
                cx.keep_file(Memory::FILE, json);
                Ok(())
            }
        }
    }

    /// What was done so far, and what is remembered of it.
    pub(crate) fn end(self) -> (SyncReport, Memory) {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        (inner.report, inner.memory)
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
async fn all<T>(work: Vec<BoxFuture<'_, Option<T>>>, width: usize) -> Vec<T> {
    let mut done = futures::stream::iter(work).buffer_unordered(width);
    let mut left = Vec::new();
    while let Some(one) = done.next().await {
        left.extend(one);
    }
    left
}

/// Does again what is harmless to do again, where an answer cannot be read: something in front of the target may have
/// answered for it.
async fn again<T, F>(mut act: impl FnMut() -> F) -> Result<T, ScimError>
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
                        run again and have everything read (Mode::Full), which adopts what has the name; one who is gone \
                        from the source keeps name and address until deleted";
