//! Polling of changes that take time: intervals and the stall timeout.

use std::time::Duration;

use rest_core::Clock;

use crate::{
    batch::Waiting,
    error::{Error, ErrorKind},
};

/// Intervals and timeout for a change that takes time.
///
/// Fields may be added: end with `..WaitPolicy::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// The maximum time without progress (default: 15 min). Progress, such as another provisioned user, restarts the
    /// timeout.
    pub stall_timeout: Duration,
    /// The first polling interval (default: 500 ms). Each next interval is twice as long.
    pub initial_interval: Duration,
    /// The longest polling interval (default: 1 min). Okta's lists of an app have limits as low as 10 requests per minute.
    pub max_interval: Duration,
}

impl Default for WaitPolicy {
    fn default() -> Self {
        Self {
            // Okta provisions in the background "within minutes"; after 15 minutes without progress an operator has to look.
            stall_timeout: Duration::from_mins(15),
            initial_interval: Duration::from_millis(500),
            max_interval: Duration::from_mins(1),
        }
    }
}

/// The time since the last progress of one change.
pub(super) struct ProgressTimer<'a> {
    policy: &'a WaitPolicy,
    clock: &'a dyn Clock,
    /// The elapsed time of the clock at the last progress.
    last_progress: Duration,
    fewest_missing: Option<usize>,
    next_interval: Duration,
}

impl<'a> ProgressTimer<'a> {
    pub(super) fn new(policy: &'a WaitPolicy, clock: &'a dyn Clock) -> Self {
        Self {
            policy,
            clock,
            last_progress: clock.elapsed(),
            fewest_missing: None,
            next_interval: policy.initial_interval,
        }
    }

    /// Records progress that no list of missing parts shows.
    pub(super) fn restart(&mut self) {
        self.fewest_missing = None;
    }

    /// Returns the pause before the next poll, or `None` after the stall timeout.
    ///
    /// Progress means that fewer parts are missing than ever before. A changed status text alone is not progress: a
    /// status that alternates between two texts would restart the timeout forever.
    pub(super) fn pause(&mut self, waiting: &Waiting) -> Option<Duration> {
        let now = self.clock.elapsed();
        let missing = waiting.missing.len();
        if self.fewest_missing.is_none_or(|fewest| missing < fewest) {
            self.fewest_missing = Some(missing);
            self.last_progress = now;
        }
        let waited = now.saturating_sub(self.last_progress);
        if waited >= self.policy.stall_timeout {
            return None;
        }
        let pause = self
            .next_interval
            .min(self.policy.stall_timeout.saturating_sub(waited));
        self.next_interval = (self.next_interval * 2).min(self.policy.max_interval);
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
            "no progress for {} while waiting for {}{missing}",
            seconds(policy.stall_timeout),
            waiting.on
        ),
    )
    .with_help("resolve what is missing, then run again: the run resumes here")
}

fn seconds(duration: Duration) -> String {
    if duration.as_secs() >= 120 {
        format!("{} minutes", duration.as_secs() / 60)
    } else {
        format!("{} seconds", duration.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rest_core::{Clock as _, ManualClock};

    use super::{ProgressTimer, WaitPolicy};
    use crate::batch::Waiting;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_clock_that_is_set_back_or_forward_changes_no_stall_timeout() {
        let start = SystemTime::UNIX_EPOCH + 24 * HOUR;
        for jump in [start - HOUR, start, start + HOUR] {
            let clock = ManualClock::new(start);
            let policy = WaitPolicy::default();
            let mut timer = ProgressTimer::new(&policy, &clock);
            let waiting = Waiting {
                on: "the certificate".to_owned(),
                missing: Vec::new(),
            };
            clock.sleep(timer.pause(&waiting).expect("a pause")).await;
            clock.set(jump);
            while let Some(pause) = timer.pause(&waiting) {
                assert!(pause <= policy.max_interval, "{pause:?}");
                clock.sleep(pause).await;
            }
            assert_eq!(clock.elapsed(), policy.stall_timeout);
        }
    }
}
