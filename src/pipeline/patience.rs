//! How long a change is waited for.

use std::time::Duration;

use rest_core::Clock;

use crate::{
    error::{Error, ErrorKind},
    step::Waiting,
};

/// How long a change is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long nothing may move before the run gives up. Progress, such as another user who has arrived, counts anew.
    pub without_progress: Duration,
    /// The first pause before looking again; each next one is twice as long.
    pub first_pause: Duration,
    /// The longest pause before looking again.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Okta provisions in the background "within minutes"; what has not moved for a quarter of an hour needs a person.
            without_progress: Duration::from_mins(15),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
        }
    }
}

/// How long one change has been waited for without progress.
pub(super) struct Impatience<'a> {
    patience: &'a Patience,
    clock: &'a dyn Clock,
    since: std::time::SystemTime,
    least: Option<usize>,
    next: Duration,
}

impl<'a> Impatience<'a> {
    pub(super) fn new(patience: &'a Patience, clock: &'a dyn Clock) -> Self {
        Self {
            patience,
            clock,
            since: clock.now(),
            least: None,
            next: patience.first_pause,
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
        if waited >= self.patience.without_progress {
            return None;
        }
        let pause = self
            .next
            .min(self.patience.without_progress.saturating_sub(waited));
        self.next = (self.next * 2).min(self.patience.longest_pause);
        Some(pause)
    }
}

pub(super) fn late(waiting: &Waiting, patience: &Patience) -> Error {
    let missing = if waiting.missing.is_empty() {
        String::new()
    } else {
        format!(": {}", waiting.missing.join("; "))
    };
    Error::new(
        ErrorKind::Late,
        format!(
            "nothing moved for {} while waiting for {}{missing}",
            seconds(patience.without_progress),
            waiting.on
        ),
    )
    .help("see to what is missing, then run again: the run goes on from here")
}

fn seconds(duration: Duration) -> String {
    if duration.as_secs() >= 120 {
        format!("{} minutes", duration.as_secs() / 60)
    } else {
        format!("{} seconds", duration.as_secs())
    }
}
