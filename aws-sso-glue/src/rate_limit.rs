//! The limit of the calls to one service: a sliding window that adapts to refusals.

use std::{
    collections::VecDeque,
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rest_core::Clock;

/// Limits the calls in any second. Clones share one limit.
///
/// The limit starts at nine tenths of the maximum, and grows by one call after each 10 seconds without
/// a refusal. A refusal lowers it to 70 %, at most once a second and not below 2 calls: other tools use
/// the same quota. A window has no burst besides the limit, so that as many writes as AWS carries out
/// at a time can be sent together.
///
/// Callers send in the order in which they call [`acquire`](Self::acquire).
#[derive(Clone)]
pub(crate) struct SlidingWindow(Arc<Shared>);

struct Shared {
    /// The caller that sends next holds it while it waits.
    turn: tokio::sync::Mutex<()>,
    window: Mutex<Window>,
}

/// All times are elapsed times of the clock.
#[derive(Debug)]
struct Window {
    limit: usize,
    max: usize,
    /// The times of the last calls, at most `max`, the latest one at the back.
    calls: VecDeque<Duration>,
    /// The next time at which the limit grows, from the first call on.
    grow_at: Option<Duration>,
    lowered_at: Option<Duration>,
}

impl SlidingWindow {
    /// Returns a limiter that allows at most `max` calls in any second.
    pub(crate) fn new(max: NonZeroU32) -> Self {
        let max = usize::try_from(max.get()).unwrap_or(usize::MAX);
        let window = Window {
            limit: (max - max / START_MARGIN).max(1),
            max,
            calls: VecDeque::new(),
            grow_at: None,
            lowered_at: None,
        };
        Self(Arc::new(Shared {
            turn: tokio::sync::Mutex::default(),
            window: Mutex::new(window),
        }))
    }

    /// Waits until the caller may send a request. Dropping the future uses no call.
    pub(crate) async fn acquire(&self, clock: &dyn Clock) {
        let _turn = self.0.turn.lock().await;
        loop {
            let wait = {
                let now = clock.elapsed();
                self.lock().take(now)
            };
            let Some(wait) = wait else { return };
            clock.sleep(wait).await;
        }
    }

    /// Records that the service refused a call because of its rate. `now` is the elapsed time.
    pub(crate) fn refused(&self, now: Duration) {
        self.lock().lower(now);
    }

    /// Returns the current limit in calls per second.
    pub(crate) fn limit(&self) -> usize {
        self.lock().limit
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.0.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Records a call, or returns the time to wait before the next attempt.
    fn take(&mut self, now: Duration) -> Option<Duration> {
        self.grow(now);
        // The call before the last `limit - 1` ones: between it and this call lies a second.
        let oldest = self.calls.len().checked_sub(self.limit);
        let oldest = oldest.and_then(|index| self.calls.get(index));
        if let Some(free_at) = oldest.map(|oldest| *oldest + SECOND)
            && free_at > now
        {
            return Some(free_at.saturating_sub(now));
        }
        if self.calls.len() >= self.max {
            self.calls.pop_front();
        }
        self.calls.push_back(now);
        None
    }

    fn grow(&mut self, now: Duration) {
        let mut grow_at = *self.grow_at.get_or_insert(now + GROW_INTERVAL);
        while grow_at <= now && self.limit < self.max {
            self.limit += 1;
            grow_at += GROW_INTERVAL;
        }
        self.grow_at = Some(grow_at);
    }

    fn lower(&mut self, now: Duration) {
        self.grow_at = Some(now + GROW_INTERVAL);
        // Calls that were sent together are refused together.
        if self.lowered_at.is_some_and(|at| now < at + SECOND) {
            return;
        }
        self.lowered_at = Some(now);
        self.limit = (self.limit * 7 / 10).max(LEAST.min(self.max));
    }
}

impl fmt::Debug for SlidingWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.lock();
        f.debug_struct("SlidingWindow")
            .field("limit", &window.limit)
            .field("max", &window.max)
            .finish_non_exhaustive()
    }
}

const SECOND: Duration = Duration::from_secs(1);
/// The limit starts at the maximum without this part: 18 of 20.
const START_MARGIN: usize = 10;
const GROW_INTERVAL: Duration = Duration::from_secs(10);
/// The smallest limit. A lower one would make slow what other tools already slow down.
const LEAST: usize = 2;

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use futures::{FutureExt as _, future::join_all};
    use rest_core::ManualClock;

    use super::*;
    use crate::replay::block_on;

    fn clock() -> ManualClock {
        ManualClock::new(SystemTime::UNIX_EPOCH)
    }

    fn limiter(max: u32) -> SlidingWindow {
        SlidingWindow::new(NonZeroU32::new(max).expect("not zero"))
    }

    /// Sends calls and returns their times in milliseconds.
    fn send(limiter: &SlidingWindow, clock: &ManualClock, calls: usize) -> Vec<u128> {
        let calls = (0..calls).map(|_| async {
            limiter.acquire(clock).await;
            clock.elapsed().as_millis()
        });
        block_on(join_all(calls))
    }

    /// Returns the largest number of calls in any second.
    fn most(times: &[u128]) -> usize {
        let in_second = |from: u128| {
            let second = from..from + 1000;
            times.iter().filter(|at| second.contains(at)).count()
        };
        times.iter().copied().map(in_second).max().unwrap_or(0)
    }

    #[test]
    fn a_second_has_18_calls_at_the_start_and_20_after_20_seconds() {
        let (limiter, clock) = (limiter(20), clock());
        let times = send(&limiter, &clock, 1_000);
        let in_second = |second: u128| {
            let second = second * 1000..(second + 1) * 1000;
            times.iter().filter(|at| second.contains(at)).count()
        };
        assert_eq!(
            [0, 9, 10, 19, 20, 40].map(in_second),
            [18, 18, 19, 19, 20, 20]
        );
        assert_eq!(most(&times), 20);
    }

    #[test]
    fn no_second_has_more_calls_than_the_limit() {
        let (limiter, clock) = (limiter(20), clock());
        let mut times = send(&limiter, &clock, 10);
        block_on(clock.sleep(Duration::from_millis(950)));
        times.extend(send(&limiter, &clock, 60));
        assert_eq!(most(&times), 18);
    }

    #[test]
    fn a_refusal_lowers_the_limit_to_70_percent_once_a_second_and_not_below_2() {
        let limiter = limiter(20);
        let mut limits = Vec::new();
        for millis in [0, 999, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000] {
            limiter.refused(Duration::from_millis(millis));
            limits.push(limiter.limit());
        }
        assert_eq!(limits, [12, 12, 8, 5, 3, 2, 2, 2, 2]);
    }

    #[test]
    fn the_limit_grows_by_one_call_for_10_seconds_without_a_refusal() {
        let (limiter, clock) = (limiter(20), clock());
        limiter.refused(Duration::ZERO);
        let mut limits = Vec::new();
        for _ in 0..3 {
            send(&limiter, &clock, 1);
            limits.push(limiter.limit());
            block_on(clock.sleep(Duration::from_secs(10)));
        }
        limiter.refused(Duration::from_secs(30));
        limits.push(limiter.limit());
        block_on(clock.sleep(Duration::from_millis(9_999)));
        send(&limiter, &clock, 1);
        limits.push(limiter.limit());
        assert_eq!(limits, [12, 13, 14, 9, 9]);
    }

    #[test]
    fn a_refusal_delays_the_callers_that_wait() {
        let (limiter, clock) = (limiter(20), clock());
        send(&limiter, &clock, 18);
        limiter.refused(clock.elapsed());
        let times = send(&limiter, &clock, 24);
        assert_eq!((times[0], times[12]), (1_000, 2_000));
    }

    #[test]
    fn a_dropped_wait_uses_no_call() {
        let (limiter, clock) = (limiter(1), clock());
        send(&limiter, &clock, 1);
        for _ in 0..50 {
            assert_eq!(limiter.acquire(&clock).now_or_never(), None);
        }
        assert_eq!(send(&limiter, &clock, 1), [1_000]);
    }

    #[test]
    fn a_later_caller_does_not_overtake_one_that_waits() {
        let (limiter, clock) = (limiter(1), clock());
        send(&limiter, &clock, 1);
        let mut first = Box::pin(limiter.acquire(&clock));
        assert_eq!(first.as_mut().now_or_never(), None);
        clock.advance(Duration::from_secs(1));
        assert_eq!(limiter.acquire(&clock).now_or_never(), None);
        assert_eq!(first.now_or_never(), Some(()));
    }

    #[test]
    fn clones_share_the_limit() {
        let (limiter, clock) = (limiter(4), clock());
        let mut times = send(&limiter, &clock, 4);
        times.extend(send(&limiter.clone(), &clock, 4));
        assert_eq!(most(&times), 4);
    }

    #[test]
    fn a_maximum_of_one_stays_one() {
        let limiter = limiter(1);
        limiter.refused(Duration::ZERO);
        assert_eq!(limiter.limit(), 1);
    }
}
