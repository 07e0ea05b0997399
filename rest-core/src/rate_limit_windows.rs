//! Waiting before a rate limit is hit instead of after.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use crate::vendor::RateLimit;

/// What is known of each bucket of a service's rate limits.
///
/// Requests are counted here when they leave, not when their answers come, so that requests sent
/// at the same time do not all believe in the same last free place.
#[derive(Debug, Default)]
pub(crate) struct RateLimitWindows {
    buckets: HashMap<String, Window>,
}

impl RateLimitWindows {
    /// Takes a place in `bucket`, or returns how long to wait before trying again.
    pub(crate) fn take(&mut self, bucket: &str, now: SystemTime) -> Option<Duration> {
        let window = self.buckets.get_mut(bucket)?;
        if let Some(resets_at) = window.resets_at
            && now >= resets_at
        {
            // The next window has begun; when it ends is for the next answer to say.
            window.remaining = window.limit;
            window.resets_at = None;
        }
        if window.remaining > 0 {
            window.remaining -= 1;
            return None;
        }
        window
            .resets_at
            .and_then(|resets_at| resets_at.duration_since(now).ok())
    }

    /// Takes over what an answer says about `bucket`.
    pub(crate) fn record(&mut self, bucket: &str, limit: RateLimit, now: SystemTime) {
        let resets_at = now + limit.resets_in;
        let told = Window {
            limit: limit.limit,
            remaining: limit.remaining,
            resets_at: Some(resets_at),
        };
        let Some(window) = self.buckets.get_mut(bucket) else {
            self.buckets.insert(bucket.to_owned(), told);
            return;
        };
        match window.resets_at {
            // Answers to requests sent together arrive in any order: within one window the
            // smaller number is the later one.
            Some(known) if same_window(known, resets_at) => {
                window.remaining = window.remaining.min(told.remaining);
                window.limit = told.limit;
            }
            // An answer that was on its way when a newer window began.
            Some(known) if resets_at < known => {}
            Some(_) => *window = told,
            None => {
                window.remaining = window.remaining.min(told.remaining);
                window.limit = told.limit;
                window.resets_at = told.resets_at;
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    limit: u64,
    remaining: u64,
    /// Unknown from the end of one window to the first answer in the next.
    resets_at: Option<SystemTime>,
}

fn same_window(one: SystemTime, other: SystemTime) -> bool {
    let apart = one
        .duration_since(other)
        .or_else(|_| other.duration_since(one));
    apart.is_ok_and(|apart| apart <= TOLERANCE)
}

// Reset times come in whole seconds and are turned into our time by way of clocks of whole
// seconds, so the same moment may come out a second or two apart.
const TOLERANCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::RateLimitWindows;
    use crate::vendor::RateLimit;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + secs(seconds)
    }

    fn limit(limit: u64, remaining: u64, resets_in: u64) -> RateLimit {
        RateLimit {
            limit,
            remaining,
            resets_in: secs(resets_in),
        }
    }

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_unknown_bucket_does_not_wait() {
        assert_eq!(RateLimitWindows::default().take("apps", at(0)), None);
    }

    #[test]
    fn the_last_place_is_taken_once() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 1, 60), at(0));
        assert_eq!(windows.take("apps", at(5)), None);
        assert_eq!(windows.take("apps", at(5)), Some(secs(55)));
    }

    #[test]
    fn buckets_do_not_wait_for_each_other() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 0, 60), at(0));
        assert_eq!(windows.take("groups", at(5)), None);
    }

    #[test]
    fn a_new_window_has_as_many_places_as_the_limit() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(2, 0, 60), at(0));
        assert_eq!(windows.take("apps", at(60)), None);
        assert_eq!(windows.take("apps", at(60)), None);
        // Nothing is known about the end of this window, so the server decides.
        assert_eq!(windows.take("apps", at(60)), None);
        windows.record("apps", limit(2, 0, 60), at(61));
        assert_eq!(windows.take("apps", at(61)), Some(secs(60)));
    }

    #[test]
    fn an_answer_that_arrives_late_does_not_free_places() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 1, 60), at(0));
        windows.record("apps", limit(10, 2, 58), at(1));
        assert_eq!(windows.take("apps", at(1)), None);
        assert_eq!(windows.take("apps", at(1)), Some(secs(59)));
    }

    #[test]
    fn an_answer_of_the_window_before_is_too_old() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 9, 60), at(60));
        windows.record("apps", limit(10, 0, 10), at(61));
        assert_eq!(windows.take("apps", at(61)), None);
    }

    #[test]
    fn a_later_window_replaces_the_one_before() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 0, 10), at(0));
        windows.record("apps", limit(10, 9, 65), at(5));
        assert_eq!(windows.take("apps", at(5)), None);
    }
}
