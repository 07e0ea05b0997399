//! Rate limits: a token bucket for limits that the client knows, and windows for limits that the
//! server reports.

mod token_bucket;
mod windows;

pub use token_bucket::{Rate, RateLimiter, RateLimiterStats};
pub(crate) use windows::RateLimitWindows;
