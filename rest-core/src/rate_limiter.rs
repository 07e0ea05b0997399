//! Sending no faster than a service takes, where its answers do not say how fast that is.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{AttemptResult, Clock};

/// How many requests a service takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How many a second, in the long run.
    pub per_second: f64,
    /// How many at once after a pause; at least one.
    pub burst: f64,
}

impl Rate {
    /// Returns a rate of so many a second, with a quarter of that at once.
    ///
    /// A service counts when requests arrive, and we when they leave: what is on its way may bunch together there. A
    /// quarter of a second makes up for a pause of ours, and leaves a service that lets through a second's worth at
    /// once most of its room.
    #[must_use]
    pub fn per_second(requests: f64) -> Self {
        Self {
            per_second: requests,
            burst: (requests / 4.0).max(1.0),
        }
    }
}

/// A token bucket that slows down when the service says that it is too much.
///
/// Whoever asks is given a place in time, in the order of asking. A refusal because of too many requests, or a failure
/// of the server, halves the rate and keeps everybody waiting as long as the server asks for; each success adds a
/// little, so that the full rate is reached again after some twenty seconds. Clones share one bucket.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use rest_core::{Clock, ManualClock, RateLimiter, Rate};
///
/// # futures::executor::block_on(async {
/// let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
/// let limiter = RateLimiter::new(Rate { per_second: 10.0, burst: 1.0 });
/// for _ in 0..21 {
///     limiter.acquire(&clock).await;
/// }
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(2));
/// # });
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    shared: Arc<Mutex<Bucket>>,
}

/// Counters of a [`RateLimiter`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimiterStats {
    /// How many requests were let through.
    pub acquired: u64,
    /// How often the rate was lowered.
    pub slowdowns: u64,
}

struct Bucket {
    allowed: Rate,
    /// What is made use of now, at most what is allowed.
    per_second: f64,
    /// When the bucket would be full, if nobody took anything more.
    full_at: Option<SystemTime>,
    /// Nobody is let through before.
    closed_until: Option<SystemTime>,
    slowed_at: Option<SystemTime>,
    stats: RateLimiterStats,
}

impl RateLimiter {
    /// Returns a full bucket.
    #[must_use]
    pub fn new(allowed: Rate) -> Self {
        let allowed = Rate {
            per_second: allowed.per_second.max(SLOWEST),
            burst: allowed.burst.max(1.0),
        };
        let bucket = Bucket {
            allowed,
            per_second: allowed.per_second,
            full_at: None,
            closed_until: None,
            slowed_at: None,
            stats: RateLimiterStats::default(),
        };
        Self {
            shared: Arc::new(Mutex::new(bucket)),
        }
    }

    /// Returns when it is the caller's turn.
    ///
    /// A future that is dropped while it waits leaves its place empty.
    pub async fn acquire(&self, clock: &dyn Clock) {
        let wait = self.lock().take(clock.now());
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// Takes over how a request ended.
    pub fn record(&self, result: AttemptResult, now: SystemTime) {
        let mut bucket = self.lock();
        match result {
            AttemptResult::Done => bucket.speed_up(),
            AttemptResult::Throttled { wait } | AttemptResult::ServerFailed { wait } => {
                bucket.slow_down(now, wait);
            }
            // Whether the server has seen it nobody knows.
            AttemptResult::NotSent | AttemptResult::MaybeSent => {}
        }
    }

    /// Returns how many requests a second are let through now.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.lock().per_second
    }

    /// Returns what the limiter has done since it was made.
    #[must_use]
    pub fn stats(&self) -> RateLimiterStats {
        self.lock().stats
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// Takes the next place, and returns how long to wait for it.
    fn take(&mut self, now: SystemTime) -> Duration {
        self.stats.acquired += 1;
        let each = Duration::from_secs_f64(1.0 / self.per_second);
        let burst = each.mul_f64(self.allowed.burst - 1.0);
        // The bucket does not become fuller than full; nor does a clock that was set back make anybody wait longer.
        let longest = now + burst + each.mul_f64(MOST_WAITING);
        let full_at = self.full_at.unwrap_or(now).max(now).min(longest);
        let mut turn = now.max(full_at.checked_sub(burst).unwrap_or(now));
        if let Some(closed) = self.closed_until.filter(|closed| *closed > turn) {
            turn = closed;
        }
        self.full_at = Some(full_at.max(turn) + each);
        turn.duration_since(now).unwrap_or_default()
    }

    fn speed_up(&mut self) {
        // A twentieth of what is allowed in each second, whatever the rate.
        let more = self.allowed.per_second / (RECOVERY * self.per_second);
        self.per_second = (self.per_second + more).min(self.allowed.per_second);
    }

    fn slow_down(&mut self, now: SystemTime, wait: Option<Duration>) {
        if let Some(wait) = wait {
            let until = now + wait.min(LONGEST_CLOSED);
            self.closed_until = Some(self.closed_until.map_or(until, |closed| closed.max(until)));
        }
        // Requests that were sent together are refused together: that is one sign, not many.
        let recently = self
            .slowed_at
            .and_then(|slowed| now.duration_since(slowed).ok())
            .is_some_and(|since| since < ONE_SIGN);
        if !recently {
            self.stats.slowdowns += 1;
            self.slowed_at = Some(now);
            self.per_second = (self.per_second / 2.0).max(SLOWEST);
        }
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bucket = self.lock();
        f.debug_struct("RateLimiter")
            .field("allowed", &bucket.allowed)
            .field("per_second", &bucket.per_second)
            .finish_non_exhaustive()
    }
}

/// One request in ten seconds is slow enough for anybody.
const SLOWEST: f64 = 0.1;
/// Seconds from nothing to the full rate.
const RECOVERY: f64 = 20.0;
/// How many places may be given away in advance.
const MOST_WAITING: f64 = 100_000.0;
const ONE_SIGN: Duration = Duration::from_secs(1);
// As long as a retry waits at most; a longer wait hides an outage.
const LONGEST_CLOSED: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, future::join_all};

    use super::*;
    use crate::ManualClock;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    fn limiter(per_second: f64, burst: f64) -> RateLimiter {
        RateLimiter::new(Rate { per_second, burst })
    }

    #[track_caller]
    fn waits(limiter: &RateLimiter, now: u64, expected: u64) {
        let wait = limiter.lock().take(at(now));
        let millis = wait.as_secs_f64() * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let expected = expected as f64;
        assert!(
            (millis - expected).abs() < 0.5,
            "{millis} and not {expected}"
        );
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let limiter = limiter(10.0, 3.0);
        for expected in [0, 0, 0, 100, 200, 300] {
            waits(&limiter, 0, expected);
        }
    }

    #[test]
    fn a_pause_saves_up_a_burst_and_no_more() {
        let limiter = limiter(10.0, 3.0);
        waits(&limiter, 0, 0);
        for expected in [0, 0, 0, 100] {
            waits(&limiter, 60_000, expected);
        }
    }

    #[test]
    fn a_late_caller_makes_nobody_else_late() {
        let limiter = limiter(10.0, 1.0);
        waits(&limiter, 0, 0);
        waits(&limiter, 0, 100);
        waits(&limiter, 150, 50);
        waits(&limiter, 150, 150);
    }

    #[test]
    fn all_who_ask_together_get_their_turns() {
        let clock = ManualClock::new(at(0));
        let limiter = limiter(10.0, 1.0);
        block_on(join_all((0..11).map(|_| limiter.acquire(&clock))));
        assert_eq!(clock.now(), at(1000));
        assert_eq!(limiter.stats().acquired, 11);
    }

    #[test]
    fn too_many_halve_the_rate_once_for_all_that_were_sent_together() {
        let limiter = limiter(100.0, 1.0);
        for _ in 0..5 {
            limiter.record(AttemptResult::Throttled { wait: None }, at(10));
        }
        assert!((limiter.per_second() - 50.0).abs() < 0.01);
        limiter.record(AttemptResult::ServerFailed { wait: None }, at(1500));
        assert!((limiter.per_second() - 25.0).abs() < 0.01);
        assert_eq!(limiter.stats().slowdowns, 2);
    }

    #[test]
    fn the_full_rate_comes_back_with_success_and_is_not_exceeded() {
        let limiter = limiter(100.0, 1.0);
        limiter.record(AttemptResult::Throttled { wait: None }, at(0));
        limiter.record(AttemptResult::Done, at(10));
        assert!(limiter.per_second() > 50.0 && limiter.per_second() < 51.0);
        for _ in 0..2000 {
            limiter.record(AttemptResult::Done, at(10));
        }
        assert!((limiter.per_second() - 100.0).abs() < 0.01);
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_everybodys() {
        let limiter = limiter(10.0, 5.0);
        let wait = Some(Duration::from_secs(7));
        limiter.record(AttemptResult::Throttled { wait }, at(0));
        waits(&limiter, 0, 7000);
        waits(&limiter, 6000, 1000);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_anybody_waiting_for_long() {
        let limiter = limiter(100_000.0, 1.0);
        waits(&limiter, 100_000_000, 0);
        let wait = limiter.lock().take(at(0));
        assert!(wait <= Duration::from_secs(2), "{wait:?}");
    }

    #[test]
    fn outcomes_that_say_nothing_change_nothing() {
        let limiter = limiter(100.0, 1.0);
        limiter.record(AttemptResult::MaybeSent, at(0));
        limiter.record(AttemptResult::NotSent, at(0));
        assert!((limiter.per_second() - 100.0).abs() < 0.01);
    }
}
