//! Tracks the rate limits that a server reports, to wait before a request is throttled.

use std::{collections::HashMap, time::Duration};

use crate::vendor::RateLimit;

/// The current rate-limit window of each bucket of a service.
///
/// Requests are counted when they are sent, before their responses arrive. Otherwise concurrent
/// requests would all use the last remaining request of a window. All times are elapsed times of the
/// clock.
#[derive(Debug, Default)]
pub(crate) struct RateLimitWindows {
    buckets: HashMap<String, Window>,
}

impl RateLimitWindows {
    /// Takes one of the remaining requests of `bucket`, or returns the time to wait before the
    /// next try.
    pub(crate) fn take(&mut self, bucket: &str, now: Duration) -> Option<Duration> {
        let window = self.buckets.get_mut(bucket)?;
        if let Some(resets_at) = window.resets_at
            && now >= resets_at
        {
            // A new window has begun. Its end is unknown until the next response reports it.
            window.remaining = window.limit;
            window.resets_at = None;
        }
        if window.remaining > 0 {
            window.remaining -= 1;
            return None;
        }
        window
            .resets_at
            .and_then(|resets_at| resets_at.checked_sub(now))
    }

    /// Records the limit that a response reported for `bucket`.
    pub(crate) fn record(&mut self, bucket: &str, limit: RateLimit, now: Duration) {
        let resets_at = now + limit.resets_in;
        let reported = Window {
            limit: limit.limit,
            remaining: limit.remaining,
            resets_at: Some(resets_at),
        };
        let Some(window) = self.buckets.get_mut(bucket) else {
            self.buckets.insert(bucket.to_owned(), reported);
            return;
        };
        match window.resets_at {
            // Responses to concurrent requests arrive in any order. Within one window, the smaller
            // number of remaining requests is the newer one.
            Some(known) if same_window(known, resets_at) => {
                window.remaining = window.remaining.min(reported.remaining);
                window.limit = reported.limit;
            }
            // A late response reports an older window: ignore it.
            Some(known) if resets_at < known => {}
            Some(_) => *window = reported,
            None => {
                window.remaining = window.remaining.min(reported.remaining);
                window.limit = reported.limit;
                window.resets_at = reported.resets_at;
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    limit: u64,
    remaining: u64,
    /// `None` from the end of one window until the first response of the next.
    resets_at: Option<Duration>,
}

/// Returns whether two reset times belong to the same window.
fn same_window(first: Duration, second: Duration) -> bool {
    first.abs_diff(second) <= TOLERANCE
}

// Reset times, and the clocks that convert them to local time, count whole seconds. The same reset
// time may therefore differ by one or two seconds between responses.
const TOLERANCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RateLimitWindows;
    use crate::vendor::RateLimit;

    const fn at(seconds: u64) -> Duration {
        secs(seconds)
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
    fn the_last_remaining_request_is_used_only_once() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 1, 60), at(0));
        assert_eq!(windows.take("apps", at(5)), None);
        assert_eq!(windows.take("apps", at(5)), Some(secs(55)));
    }

    #[test]
    fn buckets_are_independent() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 0, 60), at(0));
        assert_eq!(windows.take("groups", at(5)), None);
    }

    #[test]
    fn a_new_window_allows_as_many_requests_as_the_limit() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(2, 0, 60), at(0));
        assert_eq!(windows.take("apps", at(60)), None);
        assert_eq!(windows.take("apps", at(60)), None);
        // The end of this window is unknown, so the request is sent and the server decides.
        assert_eq!(windows.take("apps", at(60)), None);
        windows.record("apps", limit(2, 0, 60), at(61));
        assert_eq!(windows.take("apps", at(61)), Some(secs(60)));
    }

    #[test]
    fn a_late_response_does_not_increase_the_remaining_requests() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 1, 60), at(0));
        windows.record("apps", limit(10, 2, 58), at(1));
        assert_eq!(windows.take("apps", at(1)), None);
        assert_eq!(windows.take("apps", at(1)), Some(secs(59)));
    }

    #[test]
    fn a_response_about_the_previous_window_is_ignored() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 9, 60), at(60));
        windows.record("apps", limit(10, 0, 10), at(61));
        assert_eq!(windows.take("apps", at(61)), None);
    }

    #[test]
    fn a_later_window_replaces_the_previous_window() {
        let mut windows = RateLimitWindows::default();
        windows.record("apps", limit(10, 0, 10), at(0));
        windows.record("apps", limit(10, 9, 65), at(5));
        assert_eq!(windows.take("apps", at(5)), None);
    }
}
