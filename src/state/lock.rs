//! The lock of a state: one run at a time may change what the state describes.

use std::{
    fmt,
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
    pin::pin,
    sync::Arc,
};

use futures::future::{self, BoxFuture, Either};
use object_store::PutPayload;
use rest_core::Clock;

use super::{
    State,
    holder::{LockHolder, held, live_runs},
    lease::Lease,
    store::{Kind, STATE, StateStore, not_saved},
};
use crate::error::{Error, ErrorKind, Result};

/// The exclusive right to save a state and the files beside it, and to change the services that it describes.
///
/// In a folder, the right is a lock of the operating system on the file `lock`. The kernel frees it when the process ends,
/// also after SIGKILL. In any other store, it is the object `lock.json`, which is written with a condition and has a lease
/// of 2 minutes. A run renews its lease. The lock of a run that was killed is free when its lease ends.
///
/// Dropping the lock frees it. In a store, [`release`](Self::release) frees it for other processes as well, without the
/// wait for the end of the lease.
#[must_use = "dropping the lock frees it"]
pub struct StateLock {
    store: StateStore,
    holder: LockHolder,
    kind: LockKind,
}

enum LockKind {
    /// The open file has the lock of the operating system.
    Folder {
        _file: File,
    },
    Store(Box<Lease>),
}

impl StateStore {
    /// Takes the lock of the store for one run. The clock measures the lease.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Locked`] if another run holds the lock; the error says which one and since when. Fails if
    /// the store cannot be written.
    pub async fn lock(&self, clock: Arc<dyn Clock>) -> Result<StateLock> {
        StateLock::take(self, clock).await
    }

    /// Takes the lock, calls `run` with it while the lease is renewed, and releases it.
    ///
    /// If both fail, the error of `run` is returned.
    pub(crate) async fn with_lock<'a, T>(
        &self,
        clock: Arc<dyn Clock>,
        run: impl FnOnce(Arc<StateLock>) -> BoxFuture<'a, Result<T>>,
    ) -> Result<T> {
        let lock = Arc::new(self.lock(clock).await?);
        let result = {
            let keep = pin!(lock.keep());
            match future::select(run(Arc::clone(&lock)), keep).await {
                Either::Left((result, _)) => result,
                Either::Right(((), _)) => unreachable!("the lease is renewed until the run ends"),
            }
        };
        let released = match Arc::into_inner(lock) {
            Some(lock) => lock.release().await,
            None => Ok(()),
        };
        let value = result?;
        released?;
        Ok(value)
    }
}

impl StateLock {
    /// Takes the lock of a store.
    pub(super) async fn take(store: &StateStore, clock: Arc<dyn Clock>) -> Result<Self> {
        let holder = LockHolder::new(clock.as_ref());
        live_runs().insert(holder.run.clone());
        let kind = match &store.kind {
            Kind::Folder(folder) => {
                lock_folder(folder, &holder).map(|file| LockKind::Folder { _file: file })
            }
            Kind::Store => Lease::take(store.clone(), holder.clone(), clock)
                .await
                .map(|lease| LockKind::Store(Box::new(lease))),
        };
        match kind {
            Ok(kind) => Ok(Self {
                store: store.clone(),
                holder,
                kind,
            }),
            Err(error) => {
                live_runs().remove(&holder.run);
                Err(error)
            }
        }
    }

    /// Returns who holds the lock: this run.
    #[must_use]
    pub fn holder(&self) -> &LockHolder {
        &self.holder
    }

    /// Checks that this run still holds the lock, and renews a lease that ends within 30 seconds.
    ///
    /// # Errors
    ///
    /// Fails if another run has taken over the lock, or if the lease has ended and cannot be renewed.
    pub async fn check(&self) -> Result<()> {
        match &self.kind {
            LockKind::Folder { .. } => Ok(()),
            LockKind::Store(lease) => lease.check().await,
        }
    }

    /// Renews the lease for as long as the future is polled. The future never ends.
    async fn keep(&self) {
        match &self.kind {
            LockKind::Folder { .. } => std::future::pending().await,
            LockKind::Store(lease) => lease.keep().await,
        }
    }

    /// Saves the state with the next serial.
    ///
    /// # Errors
    ///
    /// Fails if the store has another serial or lineage than `state`, if the lock is lost, or if the state cannot be
    /// written. A state that another run has saved is never overwritten.
    pub async fn save(&self, state: &mut State) -> Result<()> {
        self.check().await?;
        let (saved, version) = self.store.load_with_version().await?;
        let expected = saved.as_ref().map_or((0, state.lineage.as_str()), |saved| {
            (saved.serial, saved.lineage.as_str())
        });
        if expected != (state.serial, state.lineage.as_str()) {
            return Err(conflict(&format!(
                "the store has serial {} of lineage {}, and this run has serial {} of lineage {}",
                expected.0, expected.1, state.serial, state.lineage
            )));
        }
        let next = State {
            serial: state.serial + 1,
            ..state.clone()
        };
        let json = serde_json::to_vec_pretty(&next).map_err(|error| {
            Error::new(ErrorKind::State, "the state could not be written").with_source(error)
        })?;
        match &self.kind {
            LockKind::Folder { .. } => self.store.write(STATE, json).await?,
            LockKind::Store(_) => match self.store.write_if(STATE, json, version).await {
                Err(error) if is_conflict(&error) => {
                    return Err(
                        conflict("it changed between reading and writing").with_source(error)
                    );
                }
                result => {
                    result.map_err(|error| not_saved(STATE, error))?;
                }
            },
        }
        *state = next;
        Ok(())
    }

    /// Saves a file beside the state, such as `metadata.xml`.
    ///
    /// # Errors
    ///
    /// Fails if the lock is lost or the file cannot be written.
    pub async fn put(&self, name: &str, bytes: impl Into<PutPayload>) -> Result<()> {
        self.check().await?;
        self.store.write(name, bytes).await
    }

    /// Frees the lock.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be written. The lock is then free when its lease ends.
    pub async fn release(self) -> Result<()> {
        match &self.kind {
            LockKind::Folder { .. } => Ok(()),
            LockKind::Store(lease) => lease.release().await,
        }
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        live_runs().remove(&self.holder.run);
    }
}

impl fmt::Debug for StateLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateLock")
            .field("store", &self.store)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// Takes the lock of the operating system on the file `lock` of a folder.
#[expect(
    clippy::disallowed_methods,
    reason = "a lock of the operating system has no async form, and an open file of some bytes is fast"
)]
fn lock_folder(folder: &Path, holder: &LockHolder) -> Result<File> {
    let path = folder.join("lock");
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::State,
            format!("{} could not be locked", path.display()),
        )
        .with_source(error)
        .with_help("make the folder writable, or choose another one; nothing was changed")
    };
    let mut file = File::options()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let other = file
                .read_to_string(&mut text)
                .ok()
                .and_then(|_| serde_json::from_str::<LockHolder>(&text).ok());
            return Err(held(other.as_ref()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let json = serde_json::to_vec_pretty(holder).map_err(|error| failed(error.into()))?;
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    file.write_all(&json).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(file)
}

fn conflict(why: &str) -> Error {
    Error::new(
        ErrorKind::State,
        format!("another run has saved this state: {why}"),
    )
    .with_help("make a new plan: it detects the changes that this run and the other run have made")
}

fn is_conflict(error: &object_store::Error) -> bool {
    matches!(
        error,
        object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. }
    )
}
