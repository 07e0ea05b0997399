//! The retry policy: decides whether and when a request is sent again. It does no I/O.

use std::time::Duration;

/// Policy for retries: number of attempts, backoff and longest wait.
///
/// [`decide`](Self::decide) makes the decision; [`Service::send`](crate::Service::send) carries it
/// out.
///
/// Fields may be added: end with `..RetryPolicy::default()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Maximum number of attempts, including the first; 0 counts as 1.
    pub max_attempts: u32,
    /// Backoff before the second attempt; it doubles with each attempt.
    ///
    /// A delay that the server asks for replaces the backoff.
    pub base_delay: Duration,
    /// Longest backoff.
    pub max_delay: Duration,
    /// Longest time that one call waits because the server asks for it, over all its attempts
    /// (default: 15 min). If the server asks for more, the call fails at once.
    ///
    /// The time for which a call waits behind other calls of this client does not count.
    pub max_wait: Duration,
}

impl RetryPolicy {
    /// Returns the decision after `attempt`: a retry after a delay, or no retry.
    ///
    /// `jitter` is a random number from 0 to 1. It spreads the retries of clients that failed at
    /// the same time: the backoff is between half of its nominal length (jitter 0) and its full
    /// length (jitter 1). A delay that the server asks for is used without jitter.
    #[must_use]
    pub fn decide(&self, attempt: Attempt, jitter: f64) -> RetryDecision {
        if attempt.number >= self.max_attempts {
            return RetryDecision::GiveUp;
        }
        let backoff = self.backoff(attempt.number, jitter);
        let delay = match (attempt.result, attempt.idempotency) {
            (AttemptResult::Done, _) => return RetryDecision::GiveUp,
            (AttemptResult::NotSent, _) | (AttemptResult::MaybeSent, Idempotency::Idempotent) => {
                backoff
            }
            // The server did not process a throttled request, so a retry is always safe.
            (AttemptResult::Throttled { wait }, _)
            | (AttemptResult::ServerFailed { wait }, Idempotency::Idempotent) => match wait {
                // A wait that is over already would use up all attempts at once.
                None | Some(Duration::ZERO) => backoff,
                Some(wait) if wait > self.max_wait.saturating_sub(attempt.waited) => {
                    return RetryDecision::GiveUp;
                }
                Some(wait) => wait,
            },
            (
                AttemptResult::MaybeSent | AttemptResult::ServerFailed { .. },
                Idempotency::NotIdempotent,
            ) => {
                return RetryDecision::GiveUp;
            }
        };
        RetryDecision::Retry { delay }
    }

    fn backoff(&self, number: u32, jitter: f64) -> Duration {
        let doublings = number.saturating_sub(1).min(31);
        let nominal = self
            .base_delay
            .saturating_mul(1 << doublings)
            .min(self.max_delay);
        nominal / 2 + (nominal / 2).mul_f64(jitter.clamp(0.0, 1.0))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
            // The rate-limit windows of all known services last one minute. A call of a service that
            // many programs use may have to wait for several of them. The wait is reported.
            max_wait: Duration::from_mins(15),
        }
    }
}

/// One attempt, as input for a retry decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Number of the attempt, counted from 1.
    pub number: u32,
    /// Result of the attempt.
    pub result: AttemptResult,
    /// Whether sending the request twice is safe.
    pub idempotency: Idempotency,
    /// Time that the call has waited so far because the server asked for it.
    pub waited: Duration,
}

/// Result of an attempt, classified by whether the server may have processed the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    /// The server answered, and a retry would get the same answer. Covers success and errors.
    Done,
    /// The server did not receive the request.
    NotSent,
    /// No response arrived; the server may have processed the request.
    MaybeSent,
    /// The server rejected the request because of too many requests, and did not process it.
    Throttled {
        /// The wait that the server asks for, if any.
        wait: Option<Duration>,
    },
    /// The server or a gateway failed; the server may have processed the request.
    ServerFailed {
        /// The wait that the server asks for, if any.
        wait: Option<Duration>,
    },
}

/// Whether sending a request twice has the same effect as sending it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// A second request changes nothing more, as with reads, replacements and deletions.
    Idempotent,
    /// A second request has a further effect, such as a second group of the same name.
    NotIdempotent,
}

/// Decision after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Send the request again after a delay.
    Retry {
        /// Time to wait before the retry.
        delay: Duration,
    },
    /// Return the result of this attempt.
    GiveUp,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        Attempt,
        AttemptResult::{self, Done, MaybeSent, NotSent, ServerFailed, Throttled},
        Idempotency::{self, Idempotent, NotIdempotent},
        RetryDecision::{self, GiveUp},
        RetryPolicy,
    };

    const POLICY: RetryPolicy = RetryPolicy {
        max_attempts: 4,
        base_delay: Duration::from_secs(2),
        max_delay: Duration::from_secs(6),
        max_wait: Duration::from_mins(1),
    };

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn retry_in(seconds: u64) -> RetryDecision {
        RetryDecision::Retry {
            delay: secs(seconds),
        }
    }

    #[track_caller]
    fn check(
        number: u32,
        result: AttemptResult,
        idempotency: Idempotency,
        expected: RetryDecision,
    ) {
        assert_eq!(
            POLICY.decide(
                Attempt {
                    number,
                    result,
                    idempotency,
                    waited: Duration::ZERO,
                },
                1.0
            ),
            expected
        );
    }

    #[test]
    fn the_result_and_the_idempotency_decide_whether_to_retry() {
        check(1, Done, Idempotent, GiveUp);
        check(1, Done, NotIdempotent, GiveUp);
        check(1, NotSent, Idempotent, retry_in(2));
        check(1, NotSent, NotIdempotent, retry_in(2));
        check(1, MaybeSent, Idempotent, retry_in(2));
        check(1, MaybeSent, NotIdempotent, GiveUp);
        check(1, Throttled { wait: None }, Idempotent, retry_in(2));
        check(1, Throttled { wait: None }, NotIdempotent, retry_in(2));
        check(
            1,
            Throttled {
                wait: Some(secs(7)),
            },
            Idempotent,
            retry_in(7),
        );
        check(
            1,
            Throttled {
                wait: Some(secs(7)),
            },
            NotIdempotent,
            retry_in(7),
        );
        check(1, ServerFailed { wait: None }, Idempotent, retry_in(2));
        check(1, ServerFailed { wait: None }, NotIdempotent, GiveUp);
        check(
            1,
            ServerFailed {
                wait: Some(secs(7)),
            },
            Idempotent,
            retry_in(7),
        );
        check(
            1,
            ServerFailed {
                wait: Some(secs(7)),
            },
            NotIdempotent,
            GiveUp,
        );
    }

    #[test]
    fn nothing_is_retried_after_the_last_attempt() {
        check(3, NotSent, Idempotent, retry_in(6));
        check(4, NotSent, Idempotent, GiveUp);
        check(
            5,
            Throttled {
                wait: Some(secs(1)),
            },
            Idempotent,
            GiveUp,
        );
    }

    #[test]
    fn the_backoff_doubles_up_to_max_delay() {
        check(1, NotSent, Idempotent, retry_in(2));
        check(2, NotSent, Idempotent, retry_in(4));
        check(3, NotSent, Idempotent, retry_in(6));
    }

    #[test]
    fn a_very_large_number_of_attempts_does_not_overflow() {
        let policy = RetryPolicy {
            max_attempts: u32::MAX,
            ..POLICY
        };
        let attempt = Attempt {
            number: 4_000_000_000,
            result: NotSent,
            idempotency: Idempotent,
            waited: Duration::ZERO,
        };
        assert_eq!(policy.decide(attempt, 1.0), retry_in(6));
    }

    #[test]
    fn a_request_is_not_retried_if_the_server_asks_for_more_than_max_wait() {
        check(
            1,
            Throttled {
                wait: Some(secs(60)),
            },
            Idempotent,
            retry_in(60),
        );
        check(
            1,
            Throttled {
                wait: Some(secs(61)),
            },
            Idempotent,
            GiveUp,
        );
        check(
            1,
            ServerFailed {
                wait: Some(secs(61)),
            },
            Idempotent,
            GiveUp,
        );
    }

    #[test]
    fn jitter_applies_to_the_backoff_but_not_to_the_servers_delay() {
        let own = Attempt {
            number: 2,
            result: NotSent,
            idempotency: Idempotent,
            waited: Duration::ZERO,
        };
        assert_eq!(POLICY.decide(own, 0.0), retry_in(2));
        assert_eq!(POLICY.decide(own, 0.5), retry_in(3));
        assert_eq!(POLICY.decide(own, 1.0), retry_in(4));
        let asked = Attempt {
            result: Throttled {
                wait: Some(secs(7)),
            },
            ..own
        };
        assert_eq!(POLICY.decide(asked, 0.0), retry_in(7));
    }

    #[test]
    fn zero_attempts_count_as_one() {
        let none = RetryPolicy {
            max_attempts: 0,
            ..POLICY
        };
        let attempt = Attempt {
            number: 1,
            result: NotSent,
            idempotency: Idempotent,
            waited: Duration::ZERO,
        };
        assert_eq!(none.decide(attempt, 1.0), GiveUp);
    }
}
