//! The state store, on any `object_store`: memory, a folder, or an object storage service.

use std::{fmt, path::PathBuf, sync::Arc};

use futures::TryStreamExt;
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, PutResult, UpdateVersion,
    local::LocalFileSystem, memory::InMemory, path::Path,
};

use super::State;
use crate::error::{Error, ErrorKind, Result};

/// The store of one integration's state and of the files beside it.
///
/// Every process with the store can read it. Only the holder of its [lock](Self::lock) can write the state. A clone copies no
/// data and uses the same store.
///
/// A read of a large organization that takes more than two minutes keeps its finished parts in the folder `estate-read`, if
/// the store can be written. The next plan goes on with those that are younger than 30 minutes, and the folder is emptied at
/// the end of the read.
#[derive(Clone)]
pub struct StateStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    pub(super) kind: Kind,
}

/// The kind of a store, which decides how it is locked.
#[derive(Clone)]
pub(super) enum Kind {
    /// A local folder, which has locks of the operating system and no conditional writes.
    Folder(PathBuf),
    /// A store with conditional writes.
    Store,
}

impl StateStore {
    /// Creates an in-memory store, which is lost when its last clone is dropped.
    #[must_use]
    pub fn memory() -> Self {
        Self::on(Arc::new(InMemory::new()), Path::default())
    }

    /// Opens a store in a local folder. The folder is created if it does not exist.
    ///
    /// Each file is replaced atomically: a crash leaves the old or the new file.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be created or opened.
    #[expect(
        clippy::disallowed_methods,
        reason = "the function is not async: a program opens the folder once, at its start"
    )]
    pub fn folder(path: impl AsRef<std::path::Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(
                ErrorKind::State,
                format!("the folder {} cannot hold the state", path.display()),
            )
            .with_source(source)
            .with_help("choose a writable folder")
        };
        std::fs::create_dir_all(path).map_err(|error| failed(error.into()))?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(error.into()))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Path::default(),
            kind: Kind::Folder(path.to_owned()),
        })
    }

    /// Creates a store below a prefix of any object store with conditional writes (`PutMode::Create` and
    /// `PutMode::Update`), such as Amazon S3. For a local folder, use [`folder`](Self::folder).
    ///
    /// A run gets, puts, deletes and lists objects below the prefix: the ledgers of all blueprints are listed.
    #[must_use]
    pub fn on(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self {
            store,
            prefix,
            kind: Kind::Store,
        }
    }

    /// Returns the state that was saved last, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be read, is not a state document, or has another format version than [`State::VERSION`].
    pub async fn load(&self) -> Result<Option<State>> {
        Ok(self.load_with_version().await?.0)
    }

    /// Returns a file that was saved beside the state, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the file exists and cannot be read.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.read_with_version(name).await?.map(|(bytes, _)| bytes))
    }

    /// Returns the state and its version in the store.
    pub(super) async fn load_with_version(&self) -> Result<(Option<State>, Option<UpdateVersion>)> {
        let Some((bytes, object_version)) = self.read_with_version(STATE).await? else {
            return Ok((None, None));
        };
        let version = serde_json::from_slice::<Version>(&bytes)
            .map_err(|error| unreadable(&error.to_string()))?
            .version;
        if version != State::VERSION {
            let error = unreadable(&format!(
                "it has format version {version}, and this version of the crate reads version {}",
                State::VERSION
            ));
            return Err(error.with_help(if version > State::VERSION {
                "use the version of the crate that wrote it, or a newer one"
            } else {
                "move the file away and run again: a run without a state reads the facts from Okta and AWS again"
            }));
        }
        let state =
            serde_json::from_slice(&bytes).map_err(|error| unreadable(&error.to_string()))?;
        Ok((Some(state), Some(object_version)))
    }

    /// Returns a file and its version in the store.
    pub(super) async fn read_with_version(
        &self,
        name: &str,
    ) -> Result<Option<(Vec<u8>, UpdateVersion)>> {
        let failed = |error| state_error(format!("{name} could not be read"), error);
        match self.store.get(&self.path(name)).await {
            Ok(file) => {
                let version = UpdateVersion {
                    e_tag: file.meta.e_tag.clone(),
                    version: file.meta.version.clone(),
                };
                Ok(Some((
                    file.bytes().await.map_err(failed)?.to_vec(),
                    version,
                )))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Returns the names of the files in a folder.
    pub(crate) async fn files(&self, folder: &str) -> Result<Vec<String>> {
        let files = self.store.list(Some(&self.path(folder)));
        let name = |file: object_store::ObjectMeta| {
            Some(format!("{folder}/{}", file.location.filename()?))
        };
        let names = files.try_filter_map(async |file| Ok(name(file)));
        let failed =
            |error| state_error(format!("the files of {folder} could not be listed"), error);
        names.try_collect().await.map_err(failed)
    }

    /// Removes a file, if it exists.
    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(state_error(format!("{name} could not be removed"), error)),
        }
    }

    /// Replaces a file. For the state and the files that belong to it, only the holder of the lock calls this function.
    pub(crate) async fn write(&self, name: &str, bytes: impl Into<PutPayload>) -> Result<()> {
        self.write_with_mode(name, bytes, PutMode::Overwrite)
            .await
            .map_err(|error| not_saved(name, error))?;
        Ok(())
    }

    /// Replaces the version of a file that was read; `None`: creates the file.
    pub(super) async fn write_if(
        &self,
        name: &str,
        bytes: impl Into<PutPayload>,
        version: Option<UpdateVersion>,
    ) -> Result<PutResult, object_store::Error> {
        let mode = version.map_or(PutMode::Create, PutMode::Update);
        self.write_with_mode(name, bytes, mode).await
    }

    pub(super) async fn write_with_mode(
        &self,
        name: &str,
        bytes: impl Into<PutPayload>,
        mode: PutMode,
    ) -> Result<PutResult, object_store::Error> {
        self.store
            .put_opts(&self.path(name), bytes.into(), PutOptions::from(mode))
            .await
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), Path::join)
    }
}

impl fmt::Debug for StateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateStore({}/{})", self.store, self.prefix)
    }
}

pub(super) fn not_saved(name: &str, error: object_store::Error) -> Error {
    state_error(format!("{name} could not be saved"), error)
}

/// Returns the error of an access to the store.
fn state_error(summary: String, error: object_store::Error) -> Error {
    let help = match error {
        object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. } => {
            "allow the caller to get, put and delete the objects of the state and to list them (for Amazon S3, \
             docs/SCHEDULED_SYNC.md has the policy), then run again"
        }
        _ => "check that the state store can be read and written, then run again",
    };
    let error = Error::new(ErrorKind::State, summary).with_source(error);
    error.with_help(help)
}

fn unreadable(why: &str) -> Error {
    Error::new(
        ErrorKind::State,
        format!("{STATE} is not a valid state: {why}"),
    )
    .with_help("restore it from a backup, or move it away: a run without a state reads the facts from Okta and AWS again")
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

pub(super) const STATE: &str = "state.json";

#[cfg(test)]
mod tests;
