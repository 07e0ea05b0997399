//! The [`Clock`] trait and the system clock. No other file reads the system clock or sleeps.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;

mod manual;

pub use manual::ManualClock;

/// Provides the current time and a way to sleep.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the current time.
    fn now(&self) -> SystemTime;

    /// Waits for `duration`, starting at the first poll.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The operating system's clock and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this file reads the system clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "only this file sleeps")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // The async block delays the timer's creation to the first poll. Otherwise this method
        // would start the timer, and would need a tokio runtime.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}
