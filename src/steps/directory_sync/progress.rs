//! The sync of one context: its progress, and the place of its cached state.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::{
    context::Context,
    error::Result,
    sync::{PreparedSync, Run, SaveState, SyncState},
};

/// The sync of one context. A change takes it and puts it back, so a change that was cancelled leaves none, and the next
/// change plans again.
#[derive(Default)]
pub(super) struct Progress(Mutex<Option<Stage>>);

/// How far the sync of a context is.
pub(super) enum Stage {
    /// The plan is made.
    Prepared(Box<PreparedSync>),
    /// Changes of the plan are applied.
    Running(Box<Run>),
}

impl Progress {
    pub(super) fn set(&self, stage: Option<Stage>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    pub(super) fn take(&self) -> Option<Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Returns the cached state of earlier runs, or of earlier changes of this run.
pub(super) fn cached_state(cx: &Context) -> Result<Option<SyncState>> {
    let json = cx.file(SyncState::FILE);
    json.as_deref().map(SyncState::from_json).transpose()
}

impl SaveState for Context {
    fn save(&self, json: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        self.put_file(SyncState::FILE, json);
        Box::pin(self.checkpoint())
    }
}
