//! Client-side rate limiter, for services whose responses do not report a limit.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{AttemptResult, Clock};

/// A request rate with a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Number of requests per second in the long run.
    pub per_second: f64,
    /// Number of requests that may be sent at once after a pause; at least 1.
    pub burst: f64,
}

impl Rate {
    /// Returns a rate of `requests` per second, with a burst of `requests / 4` (at least 1).
    ///
    /// The limiter counts a request when it is sent; the service counts it when it arrives. Network
    /// delays can make several requests arrive at once. If the service accepts a burst of one
    /// second's requests, a burst of a quarter of a second leaves most of the service's burst for
    /// such delays. It still lets the client catch up after a pause.
    #[must_use]
    pub fn per_second(requests: f64) -> Self {
        Self {
            per_second: requests,
            burst: (requests / 4.0).max(1.0),
        }
    }
}

/// A token bucket that slows down when the service reports overload.
///
/// Callers send in the order in which they call [`acquire`](Self::acquire). A throttled request or
/// a server error halves the rate, and all callers wait as long as the server asks. Each success
/// raises the rate a little: from zero, the full rate returns after about twenty seconds. Clones
/// share one bucket.
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
#[non_exhaustive]
pub struct RateLimiterStats {
    /// Number of [`acquire`](RateLimiter::acquire) calls.
    pub acquired: u64,
    /// Number of times the rate was lowered.
    pub slowdowns: u64,
}

struct Bucket {
    allowed: Rate,
    /// The current rate, at most `allowed.per_second`.
    per_second: f64,
    // These times are elapsed times of the clock.
    /// Time at which the bucket is full again if no more tokens are taken.
    full_at: Duration,
    /// Earliest time of the next request; later than now if the server asked for a wait.
    paused_until: Duration,
    /// Time of the last slowdown.
    slowed_at: Option<Duration>,
    stats: RateLimiterStats,
}

impl RateLimiter {
    /// Returns a limiter with a full bucket.
    #[must_use]
    pub fn new(allowed: Rate) -> Self {
        let allowed = Rate {
            per_second: allowed.per_second.max(MIN_PER_SECOND),
            burst: allowed.burst.max(1.0),
        };
        let bucket = Bucket {
            allowed,
            per_second: allowed.per_second,
            full_at: Duration::ZERO,
            paused_until: Duration::ZERO,
            slowed_at: None,
            stats: RateLimiterStats::default(),
        };
        Self {
            shared: Arc::new(Mutex::new(bucket)),
        }
    }

    /// Waits until the caller may send a request.
    ///
    /// Dropping the future while it waits does not return its token to the bucket.
    pub async fn acquire(&self, clock: &dyn Clock) {
        let wait = {
            let mut bucket = self.lock();
            // The clock is read under the lock, so that the readings are in order.
            bucket.take(clock.elapsed())
        };
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// Adjusts the rate to the result of a request. `now` is the [elapsed time](Clock::elapsed).
    pub fn record(&self, result: AttemptResult, now: Duration) {
        let mut bucket = self.lock();
        match result {
            AttemptResult::Done => bucket.speed_up(),
            AttemptResult::Throttled { wait } | AttemptResult::ServerFailed { wait } => {
                bucket.slow_down(now, wait);
            }
            // The request may not have reached the server, so its result says nothing about the
            // load.
            AttemptResult::NotSent | AttemptResult::MaybeSent => {}
        }
    }

    /// Returns the current rate in requests per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.lock().per_second
    }

    /// Returns the counters since the limiter was created.
    #[must_use]
    pub fn stats(&self) -> RateLimiterStats {
        self.lock().stats
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// Takes the next token, and returns the time to wait for it.
    fn take(&mut self, now: Duration) -> Duration {
        self.stats.acquired += 1;
        let interval = Duration::from_secs_f64(1.0 / self.per_second);
        let burst = interval.mul_f64(self.allowed.burst - 1.0);
        // The bucket never holds more than its capacity.
        let full_at = self.full_at.max(now);
        let send_at = full_at
            .saturating_sub(burst)
            .max(now)
            .max(self.paused_until);
        self.full_at = full_at.max(send_at) + interval;
        send_at.saturating_sub(now)
    }

    fn speed_up(&mut self) {
        // Adds one twentieth of the allowed rate per second, independent of the current rate.
        let increase = self.allowed.per_second / (RECOVERY_SECONDS * self.per_second);
        self.per_second = (self.per_second + increase).min(self.allowed.per_second);
    }

    fn slow_down(&mut self, now: Duration, wait: Option<Duration>) {
        if let Some(wait) = wait {
            self.paused_until = self.paused_until.max(now + wait.min(MAX_SERVER_WAIT));
        }
        // Concurrent requests fail together, so they lower the rate only once.
        let already_slowed = self
            .slowed_at
            .is_some_and(|slowed| now.saturating_sub(slowed) < SLOWDOWN_INTERVAL);
        if !already_slowed {
            self.stats.slowdowns += 1;
            self.slowed_at = Some(now);
            self.per_second = (self.per_second / 2.0).max(MIN_PER_SECOND);
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

/// Minimum rate. One request every ten seconds is slow enough for every service.
const MIN_PER_SECOND: f64 = 0.1;
/// Time from zero to the full rate, in seconds.
const RECOVERY_SECONDS: f64 = 20.0;
/// Minimum time between two slowdowns.
const SLOWDOWN_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum wait of all callers that the server can ask for with one response. The throttled call itself
/// waits as long as its retry policy allows.
const MAX_SERVER_WAIT: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use futures::{executor::block_on, future::join_all};

    use super::*;
    use crate::ManualClock;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn limiter(per_second: f64, burst: f64) -> RateLimiter {
        RateLimiter::new(Rate { per_second, burst })
    }

    #[track_caller]
    fn check_wait(limiter: &RateLimiter, now: u64, expected: u64) {
        let wait = limiter.lock().take(at(now));
        let millis = wait.as_secs_f64() * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let expected = expected as f64;
        assert!(
            (millis - expected).abs() < 0.5,
            "waits {millis} ms instead of {expected} ms"
        );
    }

    #[test]
    fn a_burst_is_sent_at_once_and_the_rest_at_the_rate() {
        let limiter = limiter(10.0, 3.0);
        for expected in [0, 0, 0, 100, 200, 300] {
            check_wait(&limiter, 0, expected);
        }
    }

    #[test]
    fn a_pause_refills_at_most_one_burst() {
        let limiter = limiter(10.0, 3.0);
        check_wait(&limiter, 0, 0);
        for expected in [0, 0, 0, 100] {
            check_wait(&limiter, 60_000, expected);
        }
    }

    #[test]
    fn a_late_caller_does_not_delay_other_callers() {
        let limiter = limiter(10.0, 1.0);
        check_wait(&limiter, 0, 0);
        check_wait(&limiter, 0, 100);
        check_wait(&limiter, 150, 50);
        check_wait(&limiter, 150, 150);
    }

    #[test]
    fn concurrent_callers_send_at_the_rate() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let limiter = limiter(10.0, 1.0);
        block_on(join_all((0..11).map(|_| limiter.acquire(&clock))));
        assert_eq!(clock.elapsed(), at(1000));
        assert_eq!(limiter.stats().acquired, 11);
    }

    #[test]
    fn concurrent_failures_halve_the_rate_once() {
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
    fn successes_restore_the_full_rate_and_never_exceed_it() {
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
    fn a_wait_that_the_server_asks_for_applies_to_all_callers() {
        let limiter = limiter(10.0, 5.0);
        let wait = Some(Duration::from_secs(7));
        limiter.record(AttemptResult::Throttled { wait }, at(0));
        check_wait(&limiter, 0, 7000);
        check_wait(&limiter, 6000, 1000);
    }

    #[test]
    fn a_clock_that_is_set_back_or_forward_changes_no_wait() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let limiter = limiter(10.0, 1.0);
        for hours in [500, 0, 1000] {
            clock.set(SystemTime::UNIX_EPOCH + Duration::from_hours(hours));
            block_on(limiter.acquire(&clock));
        }
        assert_eq!(clock.slept(), [at(100); 2]);
        let wait = Some(Duration::from_secs(7));
        limiter.record(AttemptResult::Throttled { wait }, clock.elapsed());
        clock.set(SystemTime::UNIX_EPOCH);
        block_on(limiter.acquire(&clock));
        assert_eq!(clock.slept()[2], Duration::from_secs(7));
    }

    #[test]
    fn requests_without_a_response_do_not_change_the_rate() {
        let limiter = limiter(100.0, 1.0);
        limiter.record(AttemptResult::MaybeSent, at(0));
        limiter.record(AttemptResult::NotSent, at(0));
        assert!((limiter.per_second() - 100.0).abs() < 0.01);
    }
}
