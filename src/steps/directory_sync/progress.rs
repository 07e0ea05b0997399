//! The sync of one context: its plan, and the place of its cached state.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::{
    context::Context,
    error::Result,
    sync::{PreparedSync, SaveState, SyncState},
};

/// The plan of the sync that the step has made last. The apply takes it, so an apply that was cancelled leaves none, and the
/// next one plans again.
#[derive(Default)]
pub(super) struct Prepared(Mutex<Option<Box<PreparedSync>>>);

impl Prepared {
    pub(super) fn set(&self, prepared: Option<PreparedSync>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = prepared.map(Box::new);
    }

    pub(super) fn take(&self) -> Option<PreparedSync> {
        let mut prepared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.take().map(|prepared| *prepared)
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
