//! Events of a plan, an apply or a check, in the order in which they happen.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{Stream, stream};
use jiff::{SignedDuration, Timestamp};
use rest_core::{Clock, LimitWait};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    batch::Waiting,
    operator::ManualStep,
    outcome::ChangeResult,
    plan::{Action, Change, Name, StepId, Subject},
    state::now,
};

/// An event of an apply, with its place and its time. A plan and a check have the events [`EventKind::ReadForecast`] and
/// [`EventKind::ReadProgress`] only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Event {
    /// The id of the run, which is also in its report and in the lock of the state. A plan and a check have ids of their own.
    pub run: Name,
    /// The number of the event within the run, from 0 on. A reader that misses events sees a gap.
    pub seq: u64,
    /// The time.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The event itself.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kind of an [`Event`], with its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The run started: it has the lock of the state, and the plan was accepted.
    RunStarted {
        /// Number of changes of the plan.
        changes: usize,
    },
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
    /// A call waits, because the service limits the number of calls. The run goes on at `until`.
    RateLimited {
        /// The origin of the service, such as `https://acme.okta.com`.
        origin: String,
        /// The limit, such as `/api/v1/groups`.
        limit: String,
        /// The end of the wait.
        #[schemars(with = "String")]
        until: Timestamp,
    },
    /// The permission sets and assignments will be read from AWS. The calls that AWS limits most are counted.
    ReadForecast {
        /// The service, such as `sso-admin`.
        service: Name,
        /// Number of calls.
        calls: usize,
        /// The time of the calls at the rate limit. As data, an ISO 8601 duration such as `PT12M`.
        #[serde(serialize_with = "serialize_duration")]
        #[schemars(with = "String")]
        duration: Duration,
    },
    /// A part of the access was read from AWS. This event comes at most twice a second for each part.
    ReadProgress {
        /// The part.
        part: ReadPart,
        /// Number of items that were read.
        done: usize,
        /// Number of items to read.
        total: usize,
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
    StepFinished {
        /// The step.
        step: StepId,
    },
    /// Every change of the plan has an outcome. A run that ends with an error has no such event.
    RunFinished {
        /// Whether every change was made and there is no problem.
        complete: bool,
    },
}

/// A part of the access that takes many calls to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReadPart {
    /// The contents of the permission sets.
    PermissionSets,
    /// The assignments, by principal or by pair of permission set and account.
    Assignments,
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

    /// Returns a stream of all events from now on, also those of plans and checks. The stream ends when the next apply ends, or
    /// when the pipeline is dropped.
    pub(crate) fn subscribe(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        let mut open = self.lock();
        let sender = open
            .stream
            .get_or_insert_with(|| broadcast::channel(CAPACITY).0);
        Box::pin(stream::unfold((sender.subscribe(), None), next_event))
    }

    /// Returns a guard that ends all streams when it is dropped, also if the apply fails or is cancelled.
    pub(crate) fn end_on_drop(&self) -> impl Drop + '_ {
        EndOfApply(self)
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

/// Returns the next event of a stream. The event after missed ones follows their [`EventKind::Lagged`].
async fn next_event(
    (mut events, pending): (broadcast::Receiver<Event>, Option<Event>),
) -> Option<(Event, (broadcast::Receiver<Event>, Option<Event>))> {
    if let Some(event) = pending {
        return Some((event, (events, None)));
    }
    let mut missed = 0;
    loop {
        match events.recv().await {
            Err(RecvError::Closed) => return None,
            Err(RecvError::Lagged(more)) => missed += more,
            Ok(event) if missed == 0 => return Some((event, (events, None))),
            Ok(next) => {
                let lagged = Event {
                    seq: next.seq.saturating_sub(1),
                    kind: EventKind::Lagged { missed },
                    ..next.clone()
                };
                return Some((lagged, (events, Some(next))));
            }
        }
    }
}

/// Hands the events of one run to the listeners.
pub(crate) struct Emitter {
    listeners: Arc<Listeners>,
    run: Name,
    clock: Arc<dyn Clock>,
    next: AtomicU64,
    /// The elapsed time of the clock at the last [`EventKind::ReadProgress`].
    last_progress: Mutex<HashMap<ReadPart, Duration>>,
}

impl Emitter {
    pub(crate) fn new(listeners: Arc<Listeners>, run: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            listeners,
            run: run.into(),
            clock,
            next: AtomicU64::new(0),
            last_progress: Mutex::default(),
        }
    }

    /// Returns the id of the run.
    pub(crate) fn run(&self) -> &Name {
        &self.run
    }

    /// Hands on that a call waits for a rate limit.
    pub(crate) fn rate_limited(&self, wait: &LimitWait) {
        self.emit(EventKind::RateLimited {
            origin: wait.origin.clone(),
            limit: wait.limit.clone(),
            until: Timestamp::try_from(wait.until).unwrap_or(Timestamp::MAX),
        });
    }

    /// Hands on how much of a part was read, unless another such event of the part was handed on less than half a second ago.
    pub(crate) fn read_progress(&self, part: ReadPart, done: usize, total: usize) {
        let now = self.clock.elapsed();
        let mut last = self
            .last_progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let of_part = last.get(&part);
        if of_part.is_some_and(|last| now.saturating_sub(*last) < PROGRESS_INTERVAL) {
            return;
        }
        last.insert(part, now);
        drop(last);
        self.emit(EventKind::ReadProgress { part, done, total });
    }

    /// Hands an event to the callbacks, in order, and to the streams.
    pub(crate) fn emit(&self, kind: EventKind) {
        // The events of a run have the order of their numbers, so the number is taken with the lock.
        let open = self.listeners.lock();
        let event = Event {
            run: self.run.clone(),
            seq: self.next.fetch_add(1, Ordering::Relaxed),
            at: now(self.clock.as_ref()),
            kind,
        };
        tracing::debug!(?event);
        for callback in &open.callbacks {
            callback(&event);
        }
        if let Some(stream) = &open.stream {
            // Without a reader, the event is not kept.
            let _no_reader = stream.send(event);
        }
    }
}

struct EndOfApply<'a>(&'a Listeners);

impl Drop for EndOfApply<'_> {
    fn drop(&mut self) {
        self.0.lock().stream = None;
    }
}

/// The shortest time between two events about the progress of a read.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// The number of events that a stream keeps for a slow reader.
const CAPACITY: usize = 1024;

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_stream_that_is_read_late_keeps_the_last_events_and_says_what_it_has_missed() {
        let listeners = Arc::new(Listeners::default());
        let clock = Arc::new(rest_core::ManualClock::new(std::time::UNIX_EPOCH));
        let emitter = Emitter::new(listeners.clone(), "run-1", clock);
        let events = listeners.subscribe();
        for changes in 0..2000 {
            emitter.emit(EventKind::RunStarted { changes });
        }
        drop(listeners.end_on_drop());
        let events: Vec<Event> = events.collect().await;
        assert_eq!(events.len(), 1025);
        assert_eq!(events[0].kind, EventKind::Lagged { missed: 976 });
        let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (975..2000).collect::<Vec<_>>());
        assert_eq!(events[1].kind, EventKind::RunStarted { changes: 976 });
    }

    #[test]
    fn the_progress_of_a_read_is_an_event_at_most_twice_a_second() {
        let listeners = Arc::new(Listeners::default());
        let clock = rest_core::ManualClock::new(std::time::UNIX_EPOCH);
        let seen = Arc::<Mutex<Vec<usize>>>::default();
        let done = seen.clone();
        listeners.add(move |event| {
            if let EventKind::ReadProgress { done: number, .. } = event.kind {
                done.lock().expect("a lock").push(number);
            }
        });
        let emitter = Emitter::new(listeners, "run-1", Arc::new(clock.clone()));
        for number in 1..=11 {
            emitter.read_progress(ReadPart::Assignments, number, 11);
            clock.advance(Duration::from_millis(100));
        }
        assert_eq!(*seen.lock().expect("a lock"), [1, 6, 11]);
    }
}
