//! Writing what a plan says: many at once, one failure stopping one thing.

use std::{
    collections::{BTreeSet, HashMap},
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
mod users;

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
    inner: Mutex<Inner>,
}

struct Inner {
    memory: Memory,
    /// Who was created in this run.
    made: HashMap<ExternalId, ResourceId>,
    report: SyncReport,
    /// How many requests in a row the target has not answered with sense.
    streak: usize,
}

/// What happened to one change.
enum Fate {
    Done,
    /// It may work once others have moved out of the way.
    Later,
    Failed,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        scim: &'a Client,
        clock: Arc<dyn Clock>,
        keep: Keep<'a>,
        memory: Memory,
    ) -> Self {
        let inner = Inner {
            memory,
            made: HashMap::new(),
            report: SyncReport::default(),
            streak: 0,
        };
        Self {
            scim,
            clock,
            keep,
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
        self.users(&written).await?;
        self.groups(&changed).await?;
        self.users(&removed).await?;
        self.groups(&gone).await?;
        self.remember().await
    }

    /// Writes users, many at once.
    pub(crate) async fn users(&self, changes: &[&UserChange]) -> Outcome<()> {
        for part in changes.chunks(SAVE_AFTER) {
            let later = self.each_user(part, Pass::First).await;
            // A name that somebody else had when it was asked for may be free by now.
            self.each_user(&later, Pass::Last).await;
            tracing::info!(users = part.len(), "users written");
            self.remember().await?;
        }
        Ok(())
    }

    /// Writes groups, in which users of this run are members by now.
    pub(crate) async fn groups(&self, changes: &[&GroupChange]) -> Outcome<()> {
        for part in changes.chunks(SAVE_AFTER) {
            let later = self.each_group(part, Pass::First).await;
            self.each_group(&later, Pass::Last).await;
            tracing::info!(groups = part.len(), "groups written");
            self.remember().await?;
        }
        Ok(())
    }

    async fn each_user<'c>(&self, changes: &[&'c UserChange], pass: Pass) -> Vec<&'c UserChange> {
        let one = async |change: &'c UserChange| {
            let result = self.user(change).await;
            let what = || format!("{} {}", verb(change), change.name());
            match self.judge(result, what, pass) {
                Fate::Done => self.count_user(change),
                Fate::Later => return Some(change),
                Fate::Failed => {}
            }
            None
        };
        let mut work: Vec<BoxFuture<'_, Option<&'c UserChange>>> = Vec::new();
        for change in changes {
            work.push(Box::pin(self.unless_given_up(one(change))));
        }
        all(work, target::width(self.scim)).await
    }

    async fn each_group<'c>(
        &self,
        changes: &[&'c GroupChange],
        pass: Pass,
    ) -> Vec<&'c GroupChange> {
        let one = async |change: &'c GroupChange| {
            let result = self.group(change).await;
            let what = || format!("{} {}", group_verb(change), change.name());
            match self.judge(result, what, pass) {
                Fate::Done => self.count_group(change),
                Fate::Later => return Some(change),
                Fate::Failed => {}
            }
            None
        };
        let mut work: Vec<BoxFuture<'_, Option<&'c GroupChange>>> = Vec::new();
        for change in changes {
            work.push(Box::pin(self.unless_given_up(one(change))));
        }
        all(work, target::width(self.scim)).await
    }

    /// Does the work when its turn comes, unless the run was given up by then.
    async fn unless_given_up<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        if self.given_up() { None } else { work.await }
    }

    /// Decides what an error stops: the thing it is about, or the run.
    fn judge(
        &self,
        result: Result<(), ScimError>,
        what: impl FnOnce() -> String,
        pass: Pass,
    ) -> Fate {
        let error = match result {
            Ok(()) => {
                self.lock().streak = 0;
                return Fate::Done;
            }
            Err(error) if error.is_conflict() && pass == Pass::First => return Fate::Later,
            Err(error) => error,
        };
        let mut inner = self.lock();
        let senseless = match error.status() {
            None => true,
            Some(status) => status.is_server_error() || error.is_throttled(),
        };
        inner.streak = if senseless { inner.streak + 1 } else { 0 };
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
            what: what(),
            answer: error.answer(),
            help,
        });
        Fate::Failed
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

    fn count_user(&self, change: &UserChange) {
        let done = &mut self.lock().report.done;
        match change {
            UserChange::Create { .. } => done.users_created += 1,
            UserChange::Delete(_) => done.users_deleted += 1,
            _ if change.removes() => done.users_deactivated += 1,
            _ => done.users_updated += 1,
        }
    }

    fn count_group(&self, change: &GroupChange) {
        let done = &mut self.lock().report.done;
        match change {
            GroupChange::Create { .. } => done.groups_created += 1,
            GroupChange::Update { .. } => done.groups_updated += 1,
            GroupChange::Delete(_) => done.groups_deleted += 1,
        }
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

/// The first try, or the one after everybody else has had theirs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Last,
}

fn verb(change: &UserChange) -> &'static str {
    match change {
        UserChange::Create { .. } => "create user",
        UserChange::Delete(_) => "delete user",
        _ if change.removes() => "deactivate user",
        _ => "update user",
    }
}

fn group_verb(change: &GroupChange) -> &'static str {
    match change {
        GroupChange::Create { .. } => "create group",
        GroupChange::Update { .. } => "update group",
        GroupChange::Delete(_) => "delete group",
    }
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
                        run again and have everything read (Mode::Full), which adopts what has the name";
