//! Whether a request is sent again, and after how long: a pure decision.

use std::time::Duration;

/// How often and how patiently requests are repeated.
///
/// [`decide`](Self::decide) is the whole policy; [`Service::send`](crate::Service::send) only
/// carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How often a request is sent at most, the first time included; 0 counts as 1.
    pub max_attempts: u32,
    /// The delay before the second attempt, where the server does not name one; doubles each time.
    pub base_delay: Duration,
    /// The longest delay that doubling arrives at.
    pub max_delay: Duration,
    /// The longest delay accepted from a server; one that asks for more has its refusal reported.
    pub max_wait: Duration,
}

impl Retry {
    /// Returns what to do after `attempt`.
    ///
    /// `jitter` is a number from 0 to 1 that spreads clients which failed together: a delay of our
    /// own choosing lies between half of its nominal length (0) and all of it (1). A delay that
    /// the server names is taken as it is.
    #[must_use]
    pub fn decide(&self, attempt: Attempt, jitter: f64) -> Decision {
        if attempt.number >= self.max_attempts {
            return Decision::Stop;
        }
        let backoff = self.backoff(attempt.number, jitter);
        let delay = match (attempt.outcome, attempt.repeat) {
            (Outcome::Done, _) => return Decision::Stop,
            (Outcome::NotSent, _) | (Outcome::MaybeSent, Repeat::Harmless) => backoff,
            // A throttled request was turned away at the door, so even a harmful one may return.
            (Outcome::Throttled { wait }, _)
            | (Outcome::ServerFailed { wait }, Repeat::Harmless) => wait.unwrap_or(backoff),
            (Outcome::MaybeSent | Outcome::ServerFailed { .. }, Repeat::Harmful) => {
                return Decision::Stop;
            }
        };
        if delay > self.max_wait {
            Decision::Stop
        } else {
            Decision::Again(delay)
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

impl Default for Retry {
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
    pub outcome: Outcome,
    /// What a repetition would do if the server had acted.
    pub repeat: Repeat,
}

/// How an attempt ended: could the server have acted?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
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
pub enum Repeat {
    /// Nothing more than sending it once: reads, replacements, deletions.
    Harmless,
    /// A second thing, such as a second group of the same name.
    Harmful,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait this long, then send the request again.
    Again(Duration),
    /// Report the outcome as it is.
    Stop,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        Attempt,
        Decision::{self, Again, Stop},
        Outcome::{self, Done, MaybeSent, NotSent, ServerFailed, Throttled},
        Repeat::{self, Harmful, Harmless},
        Retry,
    };

    const POLICY: Retry = Retry {
        max_attempts: 4,
        base_delay: Duration::from_secs(2),
        max_delay: Duration::from_secs(6),
        max_wait: Duration::from_mins(1),
    };

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn check(number: u32, outcome: Outcome, repeat: Repeat, expected: Decision) {
        assert_eq!(
            POLICY.decide(
                Attempt {
                    number,
                    outcome,
                    repeat
                },
                1.0
            ),
            expected
        );
    }

    #[test]
    fn the_table_of_outcomes_and_repeats() {
        check(1, Done, Harmless, Stop);
        check(1, Done, Harmful, Stop);
        check(1, NotSent, Harmless, Again(secs(2)));
        check(1, NotSent, Harmful, Again(secs(2)));
        check(1, MaybeSent, Harmless, Again(secs(2)));
        check(1, MaybeSent, Harmful, Stop);
        check(1, Throttled { wait: None }, Harmless, Again(secs(2)));
        check(1, Throttled { wait: None }, Harmful, Again(secs(2)));
        check(
            1,
            Throttled {
                wait: Some(secs(7)),
            },
            Harmless,
            Again(secs(7)),
        );
        check(
            1,
            Throttled {
                wait: Some(secs(7)),
            },
            Harmful,
            Again(secs(7)),
        );
        check(1, ServerFailed { wait: None }, Harmless, Again(secs(2)));
        check(1, ServerFailed { wait: None }, Harmful, Stop);
        check(
            1,
            ServerFailed {
                wait: Some(secs(7)),
            },
            Harmless,
            Again(secs(7)),
        );
        check(
            1,
            ServerFailed {
                wait: Some(secs(7)),
            },
            Harmful,
            Stop,
        );
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        check(3, NotSent, Harmless, Again(secs(6)));
        check(4, NotSent, Harmless, Stop);
        check(
            5,
            Throttled {
                wait: Some(secs(1)),
            },
            Harmless,
            Stop,
        );
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        check(1, NotSent, Harmless, Again(secs(2)));
        check(2, NotSent, Harmless, Again(secs(4)));
        check(3, NotSent, Harmless, Again(secs(6)));
    }

    #[test]
    fn a_very_large_number_of_attempts_does_not_overflow() {
        let patient = Retry {
            max_attempts: u32::MAX,
            ..POLICY
        };
        let attempt = Attempt {
            number: 4_000_000_000,
            outcome: NotSent,
            repeat: Harmless,
        };
        assert_eq!(patient.decide(attempt, 1.0), Again(secs(6)));
    }

    #[test]
    fn a_server_that_asks_for_more_than_the_longest_wait_is_reported() {
        check(
            1,
            Throttled {
                wait: Some(secs(60)),
            },
            Harmless,
            Again(secs(60)),
        );
        check(
            1,
            Throttled {
                wait: Some(secs(61)),
            },
            Harmless,
            Stop,
        );
        check(
            1,
            ServerFailed {
                wait: Some(secs(61)),
            },
            Harmless,
            Stop,
        );
    }

    #[test]
    fn jitter_spreads_our_own_delays_and_no_others() {
        let own = Attempt {
            number: 2,
            outcome: NotSent,
            repeat: Harmless,
        };
        assert_eq!(POLICY.decide(own, 0.0), Again(secs(2)));
        assert_eq!(POLICY.decide(own, 0.5), Again(secs(3)));
        assert_eq!(POLICY.decide(own, 1.0), Again(secs(4)));
        let asked = Attempt {
            outcome: Throttled {
                wait: Some(secs(7)),
            },
            ..own
        };
        assert_eq!(POLICY.decide(asked, 0.0), Again(secs(7)));
    }

    #[test]
    fn no_attempts_at_all_means_one() {
        let none = Retry {
            max_attempts: 0,
            ..POLICY
        };
        let attempt = Attempt {
            number: 1,
            outcome: NotSent,
            repeat: Harmless,
        };
        assert_eq!(none.decide(attempt, 1.0), Stop);
    }
}
