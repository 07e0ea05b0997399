//! Where state is kept: any `object_store`, in memory or in a folder to begin with.

use std::{fmt, sync::Arc};

use object_store::{
    ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem, memory::InMemory,
    path::Path,
};

use super::State;
use crate::error::{Error, ErrorKind, Result};

/// Where the state of one integration is kept, with the files that belong to it.
///
/// Cloning is cheap and reaches the same place.
#[derive(Clone)]
pub struct StateStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl StateStore {
    /// A store that is gone with the last clone of it.
    #[must_use]
    pub fn memory() -> Self {
        Self::on(Arc::new(InMemory::new()), Path::default())
    }

    /// A store in a local folder, which is made if it does not exist.
    ///
    /// A file is replaced as a whole, so that a crash leaves the one from before or the new one.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or opened.
    pub fn folder(path: impl AsRef<std::path::Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(
                ErrorKind::State,
                format!("the folder {} cannot keep the state", path.display()),
            )
            .with_source(source)
            .with_help("name a folder that can be written to")
        };
        std::fs::create_dir_all(path).map_err(|error| failed(error.into()))?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(error.into()))?;
        Ok(Self::on(Arc::new(store), Path::default()))
    }

    /// A store below a prefix of any object store.
    #[must_use]
    pub fn on(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix }
    }

    /// The state that was saved last, if there is one.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is not a state, or has another format version than [`State::VERSION`].
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
                "move the file away and run again: a run without a state finds again what Okta and AWS report"
            }));
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unreadable(&error.to_string()))
    }

    /// Saves the state, and counts its serial up.
    ///
    /// # Errors
    ///
    /// If somebody else has saved since it was loaded, or it cannot be written.
    pub async fn save(&self, state: &mut State) -> Result<()> {
        if let Some(saved) = self.load().await?
            && (saved.serial != state.serial || saved.lineage != state.lineage)
        {
            return Err(Error::new(
                ErrorKind::State,
                format!(
                    "somebody else has saved this state: it is at serial {} of {}, and we were at {} of {}",
                    saved.serial, saved.lineage, state.serial, state.lineage
                ),
            )
            .with_help("let one run at a time use a state, and run again: what was done is found again"));
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

    /// Keeps a file beside the state, such as `metadata.xml`.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
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

    /// A file that was kept beside the state, if there is one.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let failed = |error| {
            Error::new(ErrorKind::State, format!("{name} could not be read")).with_source(error)
        };
        match self.store.get(&self.prefix.clone().join(name)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(failed)?.to_vec())),
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
        format!("{STATE} is not the state of an integration: {why}"),
    )
    .with_help("restore it, or take it away: everything that can be observed is found again")
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
    async fn what_was_saved_is_loaded_with_the_next_serial() {
        let store = StateStore::memory();
        assert_eq!(store.load().await.expect("a store"), None);
        let mut state = State::new();
        store.save(&mut state).await.expect("a save");
        assert_eq!(state.serial, 1);
        assert_eq!(store.load().await.expect("a state"), Some(state));
    }

    #[tokio::test]
    async fn a_state_that_somebody_else_saved_is_not_overwritten() {
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
                .starts_with("somebody else has saved this state: it is at serial 2"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_state_of_another_format_version_is_refused() {
        for (version, help) in [(1, "move the file away"), (9, "a newer one")] {
            let store = StateStore::memory();
            let json = format!("{{\"version\": {version}}}");
            store.put(STATE, json.into_bytes()).await.expect("a file");
            let error = store.load().await.expect_err("another version");
            let text = error.explain();
            assert!(text.contains(&format!("format version {version}")), "{text}");
            assert!(text.contains(help), "{text}");
        }
    }

    #[tokio::test]
    async fn a_folder_keeps_the_state_over_processes() {
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
