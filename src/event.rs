//! Events of an apply, in the order in which they happen.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, stream};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    batch::Waiting,
    operator::ManualStep,
    outcome::ChangeResult,
    plan::{Action, Change, StepId, Subject},
};

/// An event of an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
        /// Pause before the next poll. As data, an ISO 8601 duration such as `PT15S`.
        #[serde(serialize_with = "serialize_duration")]
        #[schemars(with = "String")]
        retry_in: Duration,
    },
    /// A change has an outcome: it was made, it has failed, or it was not started.
    ChangeFinished {
        /// The change with its outcome.
        #[serde(flatten)]
        result: ChangeResult,
    },
    /// The operator is asked to do a manual step. This event comes before the question.
    OperatorAsked {
        /// The manual step, without secrets and without the content of files.
        manual_step: ManualStep,
    },
    /// The operator has answered, or has failed to.
    OperatorAnswered {
        /// The title of the manual step.
        title: String,
        /// The reason why the answers were not accepted; `None` if they were.
        rejected: Option<String>,
    },
    /// A reader of the [stream](crate::Pipeline::events) was too slow and has missed events.
    Lagged {
        /// The number of missed events.
        missed: u64,
    },
    /// Every change of a step has an outcome.
    StepDone {
        /// The step.
        step: StepId,
    },
}

fn serialize_duration<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let duration = SignedDuration::try_from(*duration).unwrap_or(SignedDuration::MAX);
    duration.serialize(serializer)
}

/// The listeners of a pipeline.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Open>);

type Callback = dyn Fn(&Event) + Send + Sync;

#[derive(Default)]
struct Open {
    callbacks: Vec<Box<Callback>>,
    stream: Option<broadcast::Sender<Event>>,
}

impl Listeners {
    /// Adds a function that is called with every event before the run goes on.
    pub(crate) fn add(&self, callback: impl Fn(&Event) + Send + Sync + 'static) {
        self.lock().callbacks.push(Box::new(callback));
    }

    /// Returns a stream of all events from now on. The stream ends when the next apply ends, or when the pipeline is
    /// dropped.
    pub(crate) fn subscribe(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        let mut open = self.lock();
        let sender = open
            .stream
            .get_or_insert_with(|| broadcast::channel(CAPACITY).0);
        Box::pin(stream::unfold(
            sender.subscribe(),
            async |mut events| match events.recv().await {
                Ok(event) => Some((event, events)),
                Err(RecvError::Lagged(missed)) => Some((Event::Lagged { missed }, events)),
                Err(RecvError::Closed) => None,
            },
        ))
    }

    /// Returns a guard that ends all streams when it is dropped, also if the apply fails or is cancelled.
    pub(crate) fn end_on_drop(&self) -> impl Drop + '_ {
        EndOfApply(self)
    }

    /// Hands an event to the callbacks, in order, and to the streams.
    pub(crate) fn emit(&self, event: &Event) {
        tracing::debug!(?event);
        let open = self.lock();
        for callback in &open.callbacks {
            callback(event);
        }
        if let Some(stream) = &open.stream {
            // Without a reader, the event is not kept.
            let _no_reader = stream.send(event.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").finish_non_exhaustive()
    }
}

struct EndOfApply<'a>(&'a Listeners);

impl Drop for EndOfApply<'_> {
    fn drop(&mut self) {
        self.0.lock().stream = None;
    }
}

/// The number of events that a stream keeps for a slow reader.
const CAPACITY: usize = 1024;

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_stream_that_is_read_late_keeps_the_last_events_and_says_what_it_has_missed() {
        let listeners = Listeners::default();
        let events = listeners.subscribe();
        for _ in 0..2000 {
            let step = StepId::new("step");
            listeners.emit(&Event::StepDone { step });
        }
        drop(listeners.end_on_drop());
        let events: Vec<Event> = events.collect().await;
        assert_eq!(events.len(), 1025);
        assert_eq!(events[0], Event::Lagged { missed: 976 });
    }
}
