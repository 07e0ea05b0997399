//! Saves the state of a run. Only this file writes a state.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;
use rest_core::Clock;
use tokio::sync::Mutex;

use crate::{
    context::{Context, Saver},
    error::Result,
    state::{State, StateLock},
};

/// Saves the facts and the side files of one run, under the lock of the store.
#[derive(Clone)]
pub(super) struct StateSaver {
    lock: Arc<StateLock>,
    clock: Arc<dyn Clock>,
    saved: Arc<Mutex<Saved>>,
}

/// The state as it was saved last.
struct Saved {
    state: State,
    at: SystemTime,
}

impl StateSaver {
    pub(super) fn new(lock: Arc<StateLock>, state: State, clock: Arc<dyn Clock>) -> Self {
        let at = clock.now();
        Self {
            lock,
            clock,
            saved: Arc::new(Mutex::new(Saved { state, at })),
        }
    }

    /// Checks that this run still holds the lock.
    pub(super) async fn check_lock(&self) -> Result<()> {
        self.lock.check().await
    }

    /// Saves the state with the next serial, also if nothing has changed.
    ///
    /// The first save of a run comes before its first change. It proves that the state can be written, and makes every
    /// other plan for the old serial stale.
    pub(super) async fn save_first(&self) -> Result<()> {
        let mut saved = self.saved.lock().await;
        self.lock.save(&mut saved.state).await?;
        saved.at = self.clock.now();
        Ok(())
    }

    /// Saves what has changed, if the last save is at least this long ago.
    pub(super) async fn save_if_older(&self, cx: &Context, age: Duration) -> Result<()> {
        let at = self.saved.lock().await.at;
        // A clock that was set back makes a save due.
        let is_recent = self
            .clock
            .now()
            .duration_since(at)
            .is_ok_and(|elapsed| elapsed < age);
        if is_recent {
            return Ok(());
        }
        self.save_changes(cx).await
    }

    /// Saves the side files and the facts that differ from the saved ones.
    async fn save_changes(&self, cx: &Context) -> Result<()> {
        let mut saved = self.saved.lock().await;
        for (name, bytes) in cx.unsaved_files() {
            self.lock.put(name, bytes.to_vec()).await?;
            cx.file_saved(name, &bytes);
        }
        let facts = cx.all_facts();
        if saved.state.facts != facts {
            let mut state = State {
                facts,
                ..saved.state.clone()
            };
            self.lock.save(&mut state).await?;
            saved.state = state;
        }
        saved.at = self.clock.now();
        Ok(())
    }
}

impl Saver for StateSaver {
    fn save<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.save_changes(cx))
    }
}
