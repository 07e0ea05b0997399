//! The run that holds the lock of a state, and the errors that name it.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use rest_core::Clock;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, ErrorKind};

/// The run that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockHolder {
    /// The id of the run.
    pub run: String,
    /// The host name.
    pub host: String,
    /// The process id on the host.
    pub process: u32,
    /// The time at which the run took the lock.
    pub since: Timestamp,
    /// The time at which the lease ends, for a lock in a store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The id of the process, which is unique over all hosts.
    pub(super) instance: String,
}

impl LockHolder {
    pub(super) fn new(clock: &dyn Clock) -> Self {
        Self {
            run: Uuid::new_v4().to_string(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            process: std::process::id(),
            since: now(clock),
            expires: None,
            instance: INSTANCE.clone(),
        }
    }

    /// Returns whether the holder was a run of this process that was dropped without releasing its lock.
    pub(super) fn was_dropped(&self) -> bool {
        self.instance == *INSTANCE && !live_runs().contains(&self.run)
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "run {} of process {} on host {} since {}",
            self.run,
            self.process,
            self.host,
            self.since.round(jiff::Unit::Second).unwrap_or(self.since)
        )
    }
}

/// Returns the error of a lock that another run holds.
pub(super) fn held(holder: Option<&LockHolder>) -> Error {
    let (who, help) = match holder {
        None => (
            "another run".to_owned(),
            "wait until that run has ended, then run again; nothing was changed".to_owned(),
        ),
        Some(holder) => (
            holder.to_string(),
            match holder.expires {
                None => {
                    "wait until that run has ended, then run again; nothing was changed".to_owned()
                }
                Some(expires) => format!(
                    "wait until that run has ended, then run again; if it was killed, its lock is free after {}; nothing was changed",
                    expires.round(jiff::Unit::Second).unwrap_or(expires)
                ),
            },
        ),
    };
    Error::new(ErrorKind::Locked, format!("the state is locked by {who}")).with_help(help)
}

/// Returns the error of a lock that another run has taken over.
pub(super) fn taken_over(holder: Option<&LockHolder>) -> Error {
    let who = holder.map_or_else(|| "another run".to_owned(), ToString::to_string);
    Error::new(
        ErrorKind::Locked,
        format!("the lease of this run has ended, and the state is now locked by {who}"),
    )
    .with_help("this run starts no further change; after the other run has ended, make a new plan")
}

/// Returns the time of a clock.
pub(crate) fn now(clock: &dyn Clock) -> Timestamp {
    Timestamp::try_from(clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The id of this process, which tells a run of this process that was dropped from a run of another process.
static INSTANCE: LazyLock<String> = LazyLock::new(|| Uuid::new_v4().to_string());

/// The runs of this process that hold a lock.
pub(super) fn live_runs() -> MutexGuard<'static, BTreeSet<String>> {
    static LIVE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
