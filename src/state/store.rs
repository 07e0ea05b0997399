//! The state store, on any `object_store`: memory, a folder, or an object storage service.

use std::{fmt, sync::Arc};

use object_store::{
    ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem, memory::InMemory,
    path::Path,
};

use super::State;
use crate::error::{Error, ErrorKind, Result};

/// The store of one integration's state and side files.
///
/// Clones are cheap and share the store.
#[derive(Clone)]
pub struct StateStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
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
        Ok(Self::on(Arc::new(store), Path::default()))
    }

    /// Creates a store below a prefix of any object store.
    #[must_use]
    pub fn on(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix }
    }

    /// Returns the state that was saved last, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be read, is not a state document, or has another format version than [`State::VERSION`].
    pub async fn load(&self) -> Result<Option<State>> {
        let Some(bytes) = self.read(STATE).await? else {
            return Ok(None);
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
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unreadable(&error.to_string()))
    }

    /// Saves the state with the next serial.
    ///
    /// # Errors
    ///
    /// Fails if another run has saved the state since it was loaded, or if it cannot be written.
    pub async fn save(&self, state: &mut State) -> Result<()> {
        if let Some(saved) = self.load().await?
            && (saved.serial != state.serial || saved.lineage != state.lineage)
        {
            return Err(Error::new(
                ErrorKind::State,
                format!(
                    "another run has saved this state: the store has serial {} of lineage {}, and this run has serial {} of lineage {}",
                    saved.serial, saved.lineage, state.serial, state.lineage
                ),
            )
            .with_help("make sure that only one run uses this state, then run again: the next plan detects the changes that this run has made"));
        }
        let next = State {
            serial: state.serial + 1,
            ..state.clone()
        };
        let json = serde_json::to_vec_pretty(&next).map_err(|error| {
            Error::new(ErrorKind::State, "the state could not be written").with_source(error)
        })?;
        self.put(STATE, json).await?;
        *state = next;
        Ok(())
    }

    /// Saves a file beside the state, such as `metadata.xml`.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub async fn put(&self, name: &str, bytes: impl Into<PutPayload>) -> Result<()> {
        self.store
            .put(&self.prefix.clone().join(name), bytes.into())
            .await
            .map_err(|error| {
                Error::new(ErrorKind::State, format!("{name} could not be saved"))
                    .with_source(error)
            })?;
        Ok(())
    }

    /// Returns a file that was saved beside the state, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the file exists and cannot be read.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let failed = |error| {
            Error::new(ErrorKind::State, format!("{name} could not be read")).with_source(error)
        };
        match self.store.get(&self.prefix.clone().join(name)).await {
            Ok(file) => Ok(Some(file.bytes().await.map_err(failed)?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

impl fmt::Debug for StateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateStore({}/{})", self.store, self.prefix)
    }
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

const STATE: &str = "state.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_saved_state_is_loaded_with_the_next_serial() {
        let store = StateStore::memory();
        assert_eq!(store.load().await.expect("a store"), None);
        let mut state = State::new();
        store.save(&mut state).await.expect("a save");
        assert_eq!(state.serial, 1);
        assert_eq!(store.load().await.expect("a state"), Some(state));
    }

    #[tokio::test]
    async fn a_state_that_another_run_saved_is_not_overwritten() {
        let store = StateStore::memory();
        let mut ours = State::new();
        store.save(&mut ours).await.expect("a save");
        let mut theirs = ours.clone();
        store.save(&mut theirs).await.expect("their save");
        let error = store.save(&mut ours).await.expect_err("a conflict");
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(
            error
                .to_string()
                .starts_with("another run has saved this state: the store has serial 2"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_state_of_another_format_version_is_rejected() {
        for (version, help) in [(1, "move the file away"), (9, "a newer one")] {
            let store = StateStore::memory();
            let json = format!("{{\"version\": {version}}}");
            store.put(STATE, json.into_bytes()).await.expect("a file");
            let error = store.load().await.expect_err("another version");
            let text = error.explain();
            assert!(
                text.contains(&format!("format version {version}")),
                "{text}"
            );
            assert!(text.contains(help), "{text}");
        }
    }

    #[tokio::test]
    async fn a_folder_keeps_the_state_between_processes() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut state = State::new();
        let below = folder.path().join("a/b");
        StateStore::folder(&below)
            .expect("a store")
            .save(&mut state)
            .await
            .expect("a save");
        let again = StateStore::folder(&below).expect("a store");
        assert_eq!(again.load().await.expect("a state"), Some(state));
        again
            .put("metadata.xml", b"<x/>".to_vec())
            .await
            .expect("a file");
        assert_eq!(
            std::fs::read(below.join("metadata.xml")).expect("the file"),
            b"<x/>"
        );
    }
}
