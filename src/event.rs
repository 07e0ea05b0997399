//! What happens during an apply, as it happens.

use std::{sync::Mutex, time::Duration};

use futures::{Stream, channel::mpsc};
use serde::Serialize;

use crate::{
    plan::{Change, StepId},
    step::Waiting,
};

/// Something that happened during an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A step begins, with this many changes left to do.
    StepStarted {
        /// The step.
        step: StepId,
        /// What it makes true.
        title: String,
        /// How many changes there are.
        changes: usize,
    },
    /// A change begins.
    ChangeStarted {
        /// The step.
        step: StepId,
        /// The change.
        change: Change,
    },
    /// A change has not come true yet, and will be looked at again.
    ChangeWaiting {
        /// The step.
        step: StepId,
        /// The change's target.
        target: String,
        /// What is waited for.
        waiting: Waiting,
        /// When it is looked at again.
        retry_in: Duration,
    },
    /// A change was done, and the state saved.
    ChangeDone {
        /// The step.
        step: StepId,
        /// The change.
        change: Change,
    },
    /// A planned change was not needed any more.
    AlreadyDone {
        /// The step.
        step: StepId,
        /// The change's target.
        target: String,
    },
    /// A step is done.
    StepDone {
        /// The step.
        step: StepId,
    },
}

/// Those who listen to events.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<mpsc::UnboundedSender<Event>>>);

impl Listeners {
    /// A stream of all events from now on; it ends with the apply that they are of, or with the pipeline.
    pub(crate) fn subscribe(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        let (sender, receiver) = mpsc::unbounded();
        self.0
            .lock()
            .expect("nobody panics while listening")
            .push(sender);
        receiver
    }

    /// Ends everybody's stream when what it returns is dropped, whatever way an apply ends.
    pub(crate) fn until_dropped(&self) -> impl Drop + '_ {
        EndOfApply(self)
    }

    pub(crate) fn tell(&self, event: &Event) {
        tracing::debug!(?event);
        // Who has stopped listening is forgotten.
        self.0
            .lock()
            .expect("nobody panics while listening")
            .retain(|listener| listener.unbounded_send(event.clone()).is_ok());
    }
}

struct EndOfApply<'a>(&'a Listeners);

impl Drop for EndOfApply<'_> {
    fn drop(&mut self) {
        // An apply that panics while it tells something has already said what went wrong.
        if let Ok(mut listeners) = self.0.0.lock() {
            listeners.clear();
        }
    }
}
