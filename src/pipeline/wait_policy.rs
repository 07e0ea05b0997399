//! How long a change is waited for.

use std::time::Duration;

use rest_core::Clock;

use crate::{
    error::{Error, ErrorKind},
    step::Waiting,
};

/// How long a change is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// How long nothing may move before the run gives up. Progress, such as another user who has arrived, counts anew.
    pub stall_timeout: Duration,
    /// The first pause before looking again; each next one is twice as long.
    pub initial_interval: Duration,
    /// The longest pause before looking again.
    pub max_interval: Duration,
}

impl Default for WaitPolicy {
    fn default() -> Self {
        Self {
            // Okta provisions in the background "within minutes"; what has not moved for a quarter of an hour needs a person.
            stall_timeout: Duration::from_mins(15),
            initial_interval: Duration::from_millis(500),
            max_interval: Duration::from_secs(15),
        }
    }
}

/// How long one change has been waited for without progress.
pub(super) struct ProgressTimer<'a> {
    policy: &'a WaitPolicy,
    clock: &'a dyn Clock,
    since: std::time::SystemTime,
    least: Option<usize>,
    next: Duration,
}

impl<'a> ProgressTimer<'a> {
    pub(super) fn new(policy: &'a WaitPolicy, clock: &'a dyn Clock) -> Self {
        Self {
            policy,
            clock,
            since: clock.now(),
            least: None,
            next: policy.initial_interval,
        }
    }

    /// How long to pause before looking again, or `None` if nothing has moved for too long.
    ///
    /// Only less that is missing counts as progress: words that change back and forth would wait for ever.
    pub(super) fn pause(&mut self, waiting: &Waiting) -> Option<Duration> {
        let now = self.clock.now();
        if self.least.is_none_or(|least| waiting.missing.len() < least) {
            self.least = Some(waiting.missing.len());
            self.since = now;
        }
        let waited = now.duration_since(self.since).unwrap_or_default();
        if waited >= self.policy.stall_timeout {
            return None;
        }
        let pause = self
            .next
            .min(self.policy.stall_timeout.saturating_sub(waited));
        self.next = (self.next * 2).min(self.policy.max_interval);
        Some(pause)
    }
}

pub(super) fn stalled_error(waiting: &Waiting, policy: &WaitPolicy) -> Error {
    let missing = if waiting.missing.is_empty() {
        String::new()
    } else {
        format!(": {}", waiting.missing.join("; "))
    };
    Error::new(
        ErrorKind::TimedOut,
        format!(
            "nothing moved for {} while waiting for {}{missing}",
            seconds(policy.stall_timeout),
            waiting.on
        ),
    )
    .with_help("see to what is missing, then run again: the run goes on from here")
}

fn seconds(duration: Duration) -> String {
    if duration.as_secs() >= 120 {
        format!("{} minutes", duration.as_secs() / 60)
    } else {
        format!("{} seconds", duration.as_secs())
    }
}
