//! The approved changes of a step in one run, for a step that applies many changes with one request or one wait.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::{Error, Result},
    outcome::Outcome,
    plan::{Change, Subject},
};

/// The approved changes of a step in one run.
///
/// [`Step::apply_all`](crate::Step::apply_all) gives every change an outcome: it calls [`start`](Self::start) before the
/// first request of a change, and [`finish`](Self::finish) at its end. A change without an outcome counts as failed.
pub struct Batch<'a> {
    changes: &'a [Change],
    driver: &'a dyn Driver,
}

/// A change that is in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiting {
    /// The awaited condition, in a few words.
    pub on: String,
    /// The parts that are still missing, each with the reason if it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// The run behind a batch.
pub(crate) trait Driver: Sync {
    fn start(&self, index: usize) -> BoxFuture<'_, Result<bool>>;
    fn finish(&self, index: usize, result: Result<Outcome>) -> BoxFuture<'_, Result<()>>;
    fn problem(&self, subject: Subject, error: &Error);
    fn wait(&self, waiting: Waiting) -> BoxFuture<'_, Result<()>>;
    fn look(&self, waiting: Waiting) -> BoxFuture<'_, Result<()>>;
    fn progressed(&self);
    fn chains(&self) -> BoxFuture<'_, Result<()>>;
}

impl<'a> Batch<'a> {
    pub(crate) fn new(changes: &'a [Change], driver: &'a dyn Driver) -> Self {
        Self { changes, driver }
    }

    /// Returns the changes, in the order of the plan.
    #[must_use]
    pub fn changes(&self) -> &'a [Change] {
        self.changes
    }

    /// Starts a change. Returns `false` if the change must not be made: it needs a subject that has a problem, or the step
    /// has stopped. The change then has its outcome.
    ///
    /// # Errors
    ///
    /// Fails if the lock of the state is lost. The step must start nothing more, and return the error.
    pub async fn start(&self, index: usize) -> Result<bool> {
        self.driver.start(index).await
    }

    /// Ends a change that was started. An error is the outcome of this change.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be saved. The step must start nothing more, and return the error.
    pub async fn finish(&self, index: usize, result: Result<Outcome>) -> Result<()> {
        self.driver.finish(index, result).await
    }

    /// Records a problem of a subject that has no change in this step. The changes of later steps that need the subject are
    /// skipped.
    pub fn problem(&self, subject: Subject, error: &Error) {
        self.driver.problem(subject, error);
    }

    /// Waits before the next look at changes that are in progress.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut) if there was no progress for the stall timeout: not
    /// fewer parts are missing than before. Fails if the state cannot be saved, or if its lock is lost.
    pub async fn wait(&self, waiting: Waiting) -> Result<()> {
        self.driver.wait(waiting).await
    }

    /// Reports how far changes are that wait on their own, without another wait. A step calls this function at least every half
    /// minute.
    ///
    /// # Errors
    ///
    /// Fails as [`wait`](Self::wait) does. A change that has ended is progress, and so is [`progressed`](Self::progressed).
    pub async fn look(&self, waiting: Waiting) -> Result<()> {
        self.driver.look(waiting).await
    }

    /// Records progress that no list of missing parts shows, such as another account that is done. It restarts the stall
    /// timeout of [`look`](Self::look).
    pub fn progressed(&self) {
        self.driver.progressed();
    }

    /// Applies the changes one by one with [`Step::apply`](crate::Step::apply), in the chains of
    /// [`Step::chain`](crate::Step::chain).
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be saved, or if its lock is lost. The error of a change is the outcome of this change.
    pub async fn one_by_one(&self) -> Result<()> {
        self.driver.chains().await
    }
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}
