//! Rate limits: a token bucket for limits that the client knows, and windows for limits that the
//! server reports.

mod token_bucket;
mod windows;

use std::time::{Duration, SystemTime};

pub use token_bucket::{Rate, RateLimiter, RateLimiterStats};
pub(crate) use windows::RateLimitWindows;

/// Notices that the clock was set back.
///
/// The limits keep times in the future. If the clock is set back, all of them move back with it.
/// Otherwise a clock that is set back by an hour would cause a wait of an hour.
#[derive(Debug, Default)]
struct LastReading(Option<SystemTime>);

impl LastReading {
    /// Returns by how much the clock was set back since the last reading; usually zero.
    fn set_back(&mut self, now: SystemTime) -> Duration {
        let set_back = self
            .0
            .and_then(|last| last.duration_since(now).ok())
            .unwrap_or_default();
        self.0 = Some(now);
        set_back
    }
}
