//! Events of an apply, in the order in which they happen.

use std::{sync::Mutex, time::Duration};

use futures::{Stream, channel::mpsc};
use serde::Serialize;

use crate::{
    batch::Waiting,
    outcome::ChangeResult,
    plan::{Action, Change, StepId, Subject},
};

/// An event of an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A step started.
    StepStarted {
        /// The step.
        step: StepId,
        /// The goal of the step.
        title: String,
        /// Number of changes to apply.
        changes: usize,
    },
    /// A change started.
    ChangeStarted {
        /// The step.
        step: StepId,
        /// The change.
        change: Change,
    },
    /// A change is in progress and will be polled again.
    ChangeWaiting {
        /// The step.
        step: StepId,
        /// The kind of change; `None` if several changes wait together.
        action: Option<Action>,
        /// The subject of the change; `None` if several changes wait together.
        subject: Option<Subject>,
        /// The awaited condition.
        waiting: Waiting,
        /// Pause before the next poll.
        retry_in: Duration,
    },
    /// A change has an outcome: it was made, it has failed, or it was not started.
    ChangeFinished {
        /// The change with its outcome.
        #[serde(flatten)]
        result: ChangeResult,
    },
    /// Every change of a step has an outcome.
    StepDone {
        /// The step.
        step: StepId,
    },
}

/// The open event streams of a pipeline.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<Vec<mpsc::UnboundedSender<Event>>>);

impl Listeners {
    /// Returns a stream of all events from now on. The stream ends when the next apply ends, or when the pipeline is
    /// dropped.
    pub(crate) fn subscribe(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        let (sender, receiver) = mpsc::unbounded();
        self.0
            .lock()
            .expect("no code panics while it holds the listeners")
            .push(sender);
        receiver
    }

    /// Returns a guard that ends all streams when it is dropped, also if the apply fails or is cancelled.
    pub(crate) fn end_on_drop(&self) -> impl Drop + '_ {
        EndOfApply(self)
    }

    pub(crate) fn emit(&self, event: &Event) {
        tracing::debug!(?event);
        // Streams whose reader was dropped are removed.
        self.0
            .lock()
            .expect("no code panics while it holds the listeners")
            .retain(|listener| listener.unbounded_send(event.clone()).is_ok());
    }
}

struct EndOfApply<'a>(&'a Listeners);

impl Drop for EndOfApply<'_> {
    fn drop(&mut self) {
        // A poisoned lock means that sending an event panicked. The panic itself is already reported.
        if let Ok(mut listeners) = self.0.0.lock() {
            listeners.clear();
        }
    }
}
