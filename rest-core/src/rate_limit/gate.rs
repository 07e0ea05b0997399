//! The gate of a service: each request passes it right before it is sent.
//!
//! Services with one origin, one credential and one time share one gate, because the server counts
//! their requests together. [`Gate::shared`] finds it in a table of this process, so clients that are
//! built independently of each other send no request too many. The table holds a hash of the credential with a
//! random key, and forgets a gate after its last service. A service without a credential of its own, and
//! programs in other processes, are not in the table: the gate sees them as other programs.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    pin::pin,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::select;
use tokio::sync::Notify;

use super::bucket::{Bucket, Decision, Sent};
use crate::{Clock, Secret, vendor::RateLimit};

/// The known rate limits, and the requests in flight.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    /// Notified when a request ends.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<String, Bucket>,
    in_flight: usize,
    parallelism: Parallelism,
}

/// The part of one service in its gate.
#[derive(Debug)]
pub(crate) struct Lane {
    max_in_flight: usize,
    /// Share of each limit, from 0 to 1.
    share: f64,
    in_flight: AtomicUsize,
    /// The first caller of each bucket waits for the gate, and the others wait for their turn.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// The result of a request, for [`Permit::end`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// No response arrived.
    Lost,
    /// A response arrived, with the limit that it reports.
    Answered(Option<RateLimit>),
    /// The service refused the request because of too many concurrent requests.
    TooManyInFlight,
}

impl Gate {
    /// Returns the gate of a credential at an origin.
    pub(crate) fn shared(origin: String, secret: &Secret, clock: &dyn Clock) -> Arc<Self> {
        let Some(timeline) = clock.timeline() else {
            return Arc::default();
        };
        let key = (origin, HASHER.hash_one(secret.expose()), timeline);
        let mut gates = lock(&GATES);
        gates.retain(|_, gate| gate.strong_count() > 0);
        let known = gates.get(&key).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let gate = Arc::default();
            gates.insert(key, Arc::downgrade(&gate));
            gate
        })
    }

    /// Waits until a request of `bucket` may be sent. A request without a bucket waits only for the
    /// number of concurrent requests.
    ///
    /// Calls `report` with the bucket and the time before each wait that ends later than the last one for which it returned
    /// true. Fails with the time to wait if it is longer than `max_wait`.
    pub(crate) async fn pass<'a>(
        self: &'a Arc<Self>,
        lane: &'a Arc<Lane>,
        bucket: Option<&str>,
        max_wait: Duration,
        clock: &dyn Clock,
        report: &(dyn Fn(&str, Duration) -> bool + Sync),
    ) -> Result<Permit, Duration> {
        let turn = lane.turn(bucket.unwrap_or_default());
        let _turn = turn.lock().await;
        let mut reported = None;
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let (decision, now) = {
                let mut state = lock(&self.state);
                // The clock is read under the lock, so that the readings are in order.
                let now = clock.elapsed();
                let decision = state.decide(lane, bucket, now);
                if decision == Decision::Send {
                    return Ok(self.permit(&mut state, lane, bucket, now));
                }
                (decision, now)
            };
            let Decision::WaitUntil(until) = decision else {
                changed.await;
                continue;
            };
            let wait = until.saturating_sub(now);
            if wait > max_wait {
                return Err(wait);
            }
            // Meanwhile, other calls may use up the next window too.
            if reported.is_none_or(|end| until > end) && report(bucket.unwrap_or_default(), wait) {
                reported = Some(until);
            }
            select(clock.sleep(wait), changed).await;
        }
    }

    fn permit(
        self: &Arc<Self>,
        state: &mut State,
        lane: &Arc<Lane>,
        bucket: Option<&str>,
        now: Duration,
    ) -> Permit {
        lane.in_flight.fetch_add(1, Ordering::Relaxed);
        state.in_flight += 1;
        Permit {
            sent: bucket.map(|name| (name.to_owned(), state.bucket(name).send(now))),
            sent_at: now,
            in_flight: state.in_flight,
            gate: Arc::clone(self),
            lane: Arc::clone(lane),
        }
    }
}

impl State {
    fn decide(&mut self, lane: &Lane, bucket: Option<&str>, now: Duration) -> Decision {
        let is_full = lane.in_flight.load(Ordering::Relaxed) >= lane.max_in_flight
            || !self.parallelism.allows(self.in_flight);
        let decision = bucket.map_or(Decision::Send, |name| {
            self.bucket(name).decide(lane.share, now)
        });
        match decision {
            Decision::Send if is_full => Decision::WaitForResult,
            decision => decision,
        }
    }

    fn bucket(&mut self, name: &str) -> &mut Bucket {
        if !self.buckets.contains_key(name) {
            self.buckets.insert(name.to_owned(), Bucket::default());
        }
        self.buckets.get_mut(name).expect("just inserted")
    }
}

impl Lane {
    pub(crate) fn new(max_in_flight: usize, share: f64) -> Arc<Self> {
        Arc::new(Self {
            max_in_flight: max_in_flight.max(1),
            share,
            in_flight: AtomicUsize::default(),
            turns: Mutex::default(),
        })
    }

    fn turn(&self, bucket: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.turns).entry(bucket.to_owned()).or_default())
    }
}

/// The permission to send one request. It ends with the result of the request, or when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    lane: Arc<Lane>,
    /// The bucket; `None` without one, and after the end.
    sent: Option<(String, Sent)>,
    sent_at: Duration,
    /// The number of requests in flight with this one, when it was sent.
    in_flight: usize,
}

impl Permit {
    /// Records the result of the request.
    pub(crate) fn end(mut self, outcome: Outcome, now: Duration) {
        let mut state = lock(&self.gate.state);
        match outcome {
            Outcome::TooManyInFlight => {
                state.parallelism.shrink(self.in_flight, self.sent_at, now);
            }
            Outcome::Answered(_) => state.parallelism.grow(now),
            Outcome::Lost => {}
        }
        let Outcome::Answered(report) = outcome else {
            return;
        };
        if let Some((name, sent)) = self.sent.take() {
            state.bucket(&name).answered(sent, report, now);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = lock(&self.gate.state);
        if let Some((name, sent)) = self.sent.take() {
            state.bucket(&name).lost(sent);
        }
        state.in_flight -= 1;
        self.lane.in_flight.fetch_sub(1, Ordering::Relaxed);
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

/// The number of concurrent requests that the service accepts, as far as it has refused more.
///
/// A refusal takes a quarter away, and each [`GROWTH_INTERVAL`] with a response adds one.
#[derive(Debug, Default)]
struct Parallelism {
    /// `None` before the first refusal.
    most: Option<usize>,
    shrunk_at: Duration,
    changed_at: Duration,
}

impl Parallelism {
    fn allows(&self, in_flight: usize) -> bool {
        self.most.is_none_or(|most| in_flight < most)
    }

    /// `in_flight` includes the refused request.
    fn shrink(&mut self, in_flight: usize, sent_at: Duration, now: Duration) {
        // Concurrent requests are refused together, so they shrink it only once.
        if self.most.is_some() && sent_at <= self.shrunk_at {
            return;
        }
        self.most = Some((in_flight * 3 / 4).max(1));
        self.shrunk_at = now;
        self.changed_at = now;
    }

    fn grow(&mut self, now: Duration) {
        if let Some(most) = &mut self.most
            && now.saturating_sub(self.changed_at) >= GROWTH_INTERVAL
        {
            *most += 1;
            self.changed_at = now;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in another thread does no harm here: the numbers are only estimates.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Key = (String, u64, usize);

static GATES: LazyLock<Mutex<HashMap<Key, Weak<Gate>>>> = LazyLock::new(Mutex::default);
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Time after which one more concurrent request is tried.
const GROWTH_INTERVAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Parallelism;

    #[test]
    fn requests_that_are_refused_together_shrink_the_number_once() {
        let at = Duration::from_secs;
        let mut parallelism = Parallelism::default();
        parallelism.shrink(8, at(1), at(2));
        parallelism.shrink(4, at(1), at(3));
        assert!(parallelism.allows(5) && !parallelism.allows(6));
        parallelism.shrink(6, at(4), at(5));
        assert!(parallelism.allows(3) && !parallelism.allows(4));
    }

    #[test]
    fn ten_seconds_with_a_response_add_one_concurrent_request() {
        let at = Duration::from_secs;
        let mut parallelism = Parallelism::default();
        parallelism.shrink(8, at(1), at(2));
        parallelism.grow(at(11));
        assert!(!parallelism.allows(6));
        parallelism.grow(at(12));
        assert!(parallelism.allows(6) && !parallelism.allows(7));
    }
}
