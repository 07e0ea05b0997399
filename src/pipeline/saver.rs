//! Saves the state of a run. Only this file writes a state.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rest_core::Clock;
use tokio::sync::Mutex;

use crate::{
    context::{Context, Saver},
    error::Result,
    guard::RemovalHistory,
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
    removals_changed: bool,
    /// The elapsed time of the clock at the save.
    at: Duration,
}

impl StateSaver {
    pub(super) fn new(lock: Arc<StateLock>, state: State, clock: Arc<dyn Clock>) -> Self {
        let at = clock.elapsed();
        Self {
            lock,
            clock,
            saved: Arc::new(Mutex::new(Saved {
                state,
                removals_changed: false,
                at,
            })),
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
        saved.at = self.clock.elapsed();
        Ok(())
    }

    /// Replaces the history of removals, which the next save writes.
    pub(super) async fn set_removals(&self, removals: RemovalHistory) {
        let mut saved = self.saved.lock().await;
        saved.removals_changed |= saved.state.removals != removals;
        saved.state.removals = removals;
    }

    /// Saves what has changed, if the last save is at least this long ago.
    pub(super) async fn save_if_older(&self, cx: &Context, age: Duration) -> Result<()> {
        let at = self.saved.lock().await.at;
        if self.clock.elapsed().saturating_sub(at) < age {
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
        if let Some((file, ledger)) = cx.take_unsaved_ledger() {
            self.lock.put(&file, ledger).await?;
        }
        let facts = cx.all_facts();
        if saved.removals_changed || saved.state.facts != facts {
            let mut state = State {
                facts,
                ..saved.state.clone()
            };
            self.lock.save(&mut state).await?;
            saved.state = state;
            saved.removals_changed = false;
        }
        saved.at = self.clock.elapsed();
        Ok(())
    }
}

impl Saver for StateSaver {
    fn save<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.save_changes(cx))
    }
}
