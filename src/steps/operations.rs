//! The operations of a run that AWS carries out in the background.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::plan::Subject;

/// The operations of this run that are in progress, by the subject of their change.
///
/// They live as long as the context and are not saved: AWS treats a repeated creation like the first one, and it lists the
/// accounts with an outdated permission set.
#[derive(Debug)]
pub(super) struct Operations<T>(Mutex<BTreeMap<Subject, T>>);

impl<T: Clone> Operations<T> {
    pub(super) fn get(&self, subject: &Subject) -> Option<T> {
        self.lock().get(subject).cloned()
    }

    pub(super) fn insert(&self, subject: &Subject, operation: T) {
        self.lock().insert(subject.clone(), operation);
    }

    pub(super) fn remove(&self, subject: &Subject) {
        self.lock().remove(subject);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Subject, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Operations<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
