//! The lock of a state in a store that is not a folder: an object with a lease.

use std::{sync::Arc, time::Duration};

use object_store::{Error as StoreError, PutMode, PutResult, UpdateVersion};
use rest_core::{Clock, SystemClock};
use tokio::sync::Mutex;

use super::{
    holder::{LockHolder, held, now, taken_over},
    store::{StateStore, not_saved},
};
use crate::error::{Error, ErrorKind, Result};

/// A lease on the object `lock.json` of a store.
///
/// Every write has a condition: the object does not exist yet, or it is still the one that was read. Two runs can
/// therefore never both believe that they have written it last.
pub(super) struct Lease {
    store: StateStore,
    clock: Arc<dyn Clock>,
    current: Mutex<Current>,
}

struct Current {
    holder: LockHolder,
    version: UpdateVersion,
    /// The elapsed time of the clock at which the lease ends. The time in `holder` is for other hosts.
    ends: Duration,
    /// Whether another run has taken over the lock, and which one if it is known.
    ownership: Ownership,
}

enum Ownership {
    Held,
    Lost { to: Option<LockHolder> },
}

impl Lease {
    /// Takes the lease if no other run holds it.
    pub(super) async fn take(
        store: StateStore,
        holder: LockHolder,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        // Another run can write the object between the read and the write of this run. One of the runs then wins, and the
        // next attempt of the others sees it.
        for _ in 0..MAX_ATTEMPTS {
            let ends = clock.elapsed() + LEASE;
            let mine = LockHolder {
                expires: Some(now(clock.as_ref()) + LEASE),
                ..holder.clone()
            };
            let (other, mode) = match read(&store).await? {
                None => (None, PutMode::Create),
                Some((other, version)) => (Some(other), PutMode::Update(version)),
            };
            if let Some(other) = &other
                && other.expires > Some(now(clock.as_ref()))
                && !other.was_dropped()
            {
                return Err(held(Some(other)));
            }
            match write(&store, &mine, mode).await {
                Ok(result) => {
                    let lease = Self {
                        store,
                        clock,
                        current: Mutex::new(Current {
                            holder: mine,
                            version: result.into(),
                            ends,
                            ownership: Ownership::Held,
                        }),
                    };
                    // This write shows that the store has conditional updates, before anything depends on them.
                    lease.renew(&mut *lease.current.lock().await).await?;
                    return Ok(lease);
                }
                Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {}
                Err(error) => return Err(not_locked(&store, error)),
            }
        }
        let other = read(&store).await?.map(|(other, _)| other);
        Err(held(other.as_ref()))
    }

    /// Fails if the lease was lost, and renews it if it ends soon.
    pub(super) async fn check(&self) -> Result<()> {
        let mut current = self.current.lock().await;
        if let Ownership::Lost { to } = &current.ownership {
            return Err(taken_over(to.as_ref()));
        }
        if current.ends < self.clock.elapsed() + MIN_LEFT {
            self.renew(&mut current).await?;
        }
        Ok(())
    }

    /// Renews the lease every 30 seconds, until it is lost. The future never ends.
    pub(super) async fn keep(&self) {
        loop {
            // The time between renewals is real time, also in a test with a manual clock: a sleep of that clock would move
            // the time of the whole test.
            SystemClock.sleep(INTERVAL).await;
            let mut current = self.current.lock().await;
            if matches!(current.ownership, Ownership::Held)
                && let Err(error) = self.renew(&mut current).await
            {
                // The next change or save checks the lease, and reports its error.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the lease of the state could not be renewed"
                );
            }
        }
    }

    /// Ends the lease, so that the next run need not wait for its end.
    pub(super) async fn release(&self) -> Result<()> {
        let current = self.current.lock().await;
        if matches!(current.ownership, Ownership::Lost { .. }) {
            return Ok(());
        }
        let ended = LockHolder {
            expires: Some(now(self.clock.as_ref())),
            ..current.holder.clone()
        };
        match write(
            &self.store,
            &ended,
            PutMode::Update(current.version.clone()),
        )
        .await
        {
            // Without the condition, another run has taken over the lease, and this run must not end it.
            Ok(_) | Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(not_locked(&self.store, error)),
        }
    }

    async fn renew(&self, current: &mut Current) -> Result<()> {
        let ends = self.clock.elapsed() + LEASE;
        let renewed = LockHolder {
            expires: Some(now(self.clock.as_ref()) + LEASE),
            ..current.holder.clone()
        };
        match write(
            &self.store,
            &renewed,
            PutMode::Update(current.version.clone()),
        )
        .await
        {
            Ok(result) => {
                current.holder = renewed;
                current.version = result.into();
                current.ends = ends;
                Ok(())
            }
            Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => {
                // A write whose response was lost has changed the version, too.
                let found = read(&self.store).await?;
                if let Some((holder, version)) = found.clone()
                    && holder.run == current.holder.run
                {
                    current.holder = holder;
                    current.version = version;
                    current.ends = ends;
                    return Ok(());
                }
                let to = found.map(|(holder, _)| holder);
                let error = taken_over(to.as_ref());
                current.ownership = Ownership::Lost { to };
                Err(error)
            }
            Err(error) => Err(not_locked(&self.store, error)),
        }
    }
}

async fn read(store: &StateStore) -> Result<Option<(LockHolder, UpdateVersion)>> {
    let Some((bytes, version)) = store.read_with_version(LOCK).await? else {
        return Ok(None);
    };
    let holder = serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::State, format!("{LOCK} is not a lock"))
            .with_source(error)
            .with_help("if no other run is active, remove the object and run again")
    })?;
    Ok(Some((holder, version)))
}

async fn write(
    store: &StateStore,
    holder: &LockHolder,
    mode: PutMode,
) -> Result<PutResult, StoreError> {
    let json = serde_json::to_vec_pretty(holder).expect("a lock holder is JSON");
    store.write_with_mode(LOCK, json, mode).await
}

/// Returns the error of a lock that cannot be written.
fn not_locked(store: &StateStore, error: StoreError) -> Error {
    if matches!(
        error,
        StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }
    ) {
        return Error::new(
            ErrorKind::State,
            format!("{store:?} has no conditional writes, so it cannot hold a lock"),
        )
        .with_source(error)
        .with_help(
            "use a store with conditional writes, or `StateStore::folder` for a local folder",
        );
    }
    not_saved(LOCK, error)
}

const LOCK: &str = "lock.json";

/// How often the lease is renewed. Three renewals may fail before the lease ends.
const INTERVAL: Duration = Duration::from_secs(30);

/// No change is started with less time left. A request and its retries take less.
const MIN_LEFT: Duration = Duration::from_secs(30);

/// How often a run tries to take a lock that other runs take at the same time.
const MAX_ATTEMPTS: usize = 5;
/// How long the lease is valid after it was taken or renewed.
const LEASE: Duration = Duration::from_mins(2);
