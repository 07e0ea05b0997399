//! The operations of a run that AWS carries out in the background.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The operations of this run that are in progress, by the target of their change.
///
/// They live as long as the context and are not saved: AWS treats a repeated creation like the first one, and it lists the
/// accounts with an outdated permission set.
#[derive(Debug)]
pub(super) struct Operations<T>(Mutex<BTreeMap<String, T>>);

impl<T: Clone> Operations<T> {
    pub(super) fn get(&self, target: &str) -> Option<T> {
        self.lock().get(target).cloned()
    }

    pub(super) fn insert(&self, target: &str, operation: T) {
        self.lock().insert(target.to_owned(), operation);
    }

    pub(super) fn remove(&self, target: &str) {
        self.lock().remove(target);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Operations<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
