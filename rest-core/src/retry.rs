//! Whether a request is sent again, and after how long: a pure decision.

use std::time::Duration;

/// How often and how patiently requests are repeated.
///
/// [`decide`](Self::decide) is the whole policy; [`Service::send`](crate::Service::send) only
/// carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included; 0 counts as 1.
    pub max_attempts: u32,
    /// The delay before the second attempt, where the server does not name one; doubles each time.
    pub base_delay: Duration,
    /// The longest delay that doubling arrives at.
    pub max_delay: Duration,
    /// The longest delay accepted from a server; one that asks for more has its refusal reported.
    pub max_wait: Duration,
}

impl RetryPolicy {
    /// Returns what to do after `attempt`.
    ///
    /// `jitter` is a number from 0 to 1 that spreads clients which failed together: a delay of our
    /// own choosing lies between half of its nominal length (0) and all of it (1). A delay that
    /// the server names is taken as it is.
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
            // A throttled request was turned away at the door, so even a harmful one may return.
            (AttemptResult::Throttled { wait }, _)
            | (AttemptResult::ServerFailed { wait }, Idempotency::Idempotent) => {
                wait.unwrap_or(backoff)
            }
            (
                AttemptResult::MaybeSent | AttemptResult::ServerFailed { .. },
                Idempotency::NotIdempotent,
            ) => {
                return RetryDecision::GiveUp;
            }
        };
        if delay > self.max_wait {
            RetryDecision::GiveUp
        } else {
            RetryDecision::Retry { delay }
        }
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
            // Rate-limit windows of the services met so far last a minute, and a second is added
            // for clocks; a longer wait only hides an outage.
            max_wait: Duration::from_secs(90),
        }
    }
}

/// One attempt, as far as the decision about the next one is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Which attempt it was; the first is 1.
    pub number: u32,
    /// How it ended.
    pub result: AttemptResult,
    /// What a repetition would do if the server had acted.
    pub idempotency: Idempotency,
}

/// How an attempt ended: could the server have acted?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    /// There is an answer, good or bad, that would not change.
    Done,
    /// The server never saw the request.
    NotSent,
    /// No answer came, and the server may have acted.
    MaybeSent,
    /// The server turned the request away unread because there were too many.
    Throttled {
        /// How long the server asks to wait, if it says.
        wait: Option<Duration>,
    },
    /// The server, or something in front of it, failed; it may have acted before that.
    ServerFailed {
        /// How long the server asks to wait, if it says.
        wait: Option<Duration>,
    },
}

/// What sending a request twice does if the server acts on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing more than sending it once: reads, replacements, deletions.
    Idempotent,
    /// A second thing, such as a second group of the same name.
    NotIdempotent,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Send the request again after a delay.
    Retry {
        /// How long to wait first.
        delay: Duration,
    },
    /// Report the outcome as it is.
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
                    idempotency
                },
                1.0
            ),
            expected
        );
    }

    #[test]
    fn the_table_of_outcomes_and_repeats() {
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
    fn the_last_attempt_is_the_last() {
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
    fn delays_double_up_to_the_longest() {
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
        };
        assert_eq!(policy.decide(attempt, 1.0), retry_in(6));
    }

    #[test]
    fn a_server_that_asks_for_more_than_the_longest_wait_is_reported() {
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
    fn jitter_spreads_our_own_delays_and_no_others() {
        let own = Attempt {
            number: 2,
            result: NotSent,
            idempotency: Idempotent,
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
    fn no_attempts_at_all_means_one() {
        let none = RetryPolicy {
            max_attempts: 0,
            ..POLICY
        };
        let attempt = Attempt {
            number: 1,
            result: NotSent,
            idempotency: Idempotent,
        };
        assert_eq!(none.decide(attempt, 1.0), GiveUp);
    }
}
