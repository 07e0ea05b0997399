//! The types between the driver and the engine.

use std::time::Duration;

#[cfg(doc)]
use super::Engine;

/// The place of an item in the list that [`Engine::new`] receives.
pub(crate) type ItemIx = u32;

/// An assignment to create or delete. The numbers are places in lists of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    /// Whether to create or to delete the assignment.
    pub(crate) action: Action,
    /// The account. Accounts are counted from 0 without gaps: the engine has a queue for each.
    pub(crate) account: u32,
    /// The permission set.
    pub(crate) permission_set: u32,
    /// The user or group.
    pub(crate) principal: u32,
}

/// The kind of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// `CreateAccountAssignment`.
    Create,
    /// `DeleteAccountAssignment`.
    Delete,
}

/// Settings of an [`Engine`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The number of outstanding operations to start with (default: 10).
    pub(crate) start_limit: u32,
    /// The largest number of outstanding operations (default: 15).
    pub(crate) max_limit: u32,
    /// The time after which an operation times out that is still in progress (default: 30 min).
    pub(crate) item_timeout: Duration,
    /// The seed of the jitter of all pauses.
    pub(crate) seed: u64,
}

/// The next thing that the driver does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next<Id> {
    /// Send the create or delete of this item. Report [`Engine::on_started`],
    /// [`Engine::on_refused`], [`Engine::on_lost`] or [`Engine::skip`].
    Send(ItemIx),
    /// List the operations in progress. Report [`Engine::on_in_progress`].
    ListInProgress(Action),
    /// List the failed operations. Report [`Engine::on_failed_list`].
    ListFailed(Action),
    /// Read the status of the item's operation. Report [`Engine::on_status`].
    Describe(ItemIx, Id),
    /// Read whether AWS carries out an operation for the item, and then whether the assignment exists.
    /// Report [`Engine::on_found`] or [`Engine::on_pair`].
    ReadPair(ItemIx),
    /// Wait for a response, but not longer than until this time. `None` if only a response can
    /// change something.
    Wait(Option<Duration>),
    /// All items have ended.
    Done,
}

/// Why AWS did not start an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `ConflictException`: another operation changes the account.
    Conflict,
    /// "Too many requests processing": the limit of outstanding operations.
    TooManyOutstanding,
    /// "Rate exceeded": the limit of calls per second.
    Throttled,
    /// A server error, or a request that did not reach AWS.
    Transient,
    /// The assignment, or something that it needs, does not exist.
    NotFound,
    /// Every other refusal: another attempt gives the same result.
    Permanent,
}

/// The status of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status<R> {
    /// AWS has not finished.
    InProgress,
    /// AWS has made the change.
    Succeeded,
    /// AWS could not make the change.
    Failed(R),
    /// AWS could not make the change now: the operation "takes longer than usual".
    FailedForNow(R),
    /// The assignment, or something that it needs, does not exist.
    NotFound(R),
}

/// Why a read gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadError<R> {
    /// Too many calls per second.
    Throttled,
    /// Any other error.
    Failed(R),
}

/// The failed operations of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedList<Id> {
    /// The request ids.
    pub(crate) ids: Vec<Id>,
    /// Whether these are all. If not, the engine reads each status from now on.
    pub(crate) complete: bool,
}

/// How an item ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End<R> {
    /// AWS made the change.
    Succeeded,
    /// The assignment to delete did not exist.
    AlreadyDone,
    /// AWS refused the request or could not make the change.
    Failed(R),
    /// The item was not sent.
    Skipped(Skip),
    /// AWS did not finish in time. The operation may still succeed later.
    TimedOut,
}

/// Why an item was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    /// The caller called [`Engine::skip`].
    ByCaller,
    /// This create, which replaces the assignment to delete, did not succeed.
    ReplacementFailed(ItemIx),
}

/// How far the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// All items.
    pub(crate) total: u32,
    /// Items that succeeded or were already done.
    pub(crate) done: u32,
    /// Items that failed or timed out.
    pub(crate) failed: u32,
    /// Items that were not sent.
    pub(crate) skipped: u32,
    /// Outstanding operations of the engine.
    pub(crate) in_flight: u32,
    /// The number of outstanding operations that AWS accepts, as far as the engine knows.
    pub(crate) limit: u32,
    /// The expected time until all items have ended.
    pub(crate) remaining: Duration,
    /// Whether `remaining` is a guess, because no operation has ended yet.
    pub(crate) is_guess: bool,
}

impl Action {
    /// Both kinds.
    pub(crate) const ALL: [Self; 2] = [Self::Create, Self::Delete];
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start_limit: 10,
            max_limit: 15,
            item_timeout: Duration::from_mins(30),
            seed: 0,
        }
    }
}
