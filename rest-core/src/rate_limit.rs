//! Rate limits: a token bucket for limits that the client knows, and a gate for limits that the
//! responses report.

mod bucket;
mod gate;
mod limit_wait;
mod token_bucket;

pub(crate) use gate::{Gate, Lane, Outcome};
pub use limit_wait::LimitWait;
pub use token_bucket::{Rate, RateLimiter, RateLimiterStats};

use std::time::{Duration, SystemTime};

/// Returns the end of a wait for messages. It is at most a year away, whatever a server asks for.
pub(crate) fn end_of_wait(now: SystemTime, wait: Duration) -> SystemTime {
    now.checked_add(wait.min(YEAR)).unwrap_or(now)
}

const YEAR: Duration = Duration::from_hours(365 * 24);
