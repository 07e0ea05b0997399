//! Where the time comes from. No other file reads a clock or waits.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;

mod manual;

pub use manual::ManualClock;

/// The time, and a way to wait.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the present moment.
    fn now(&self) -> SystemTime;

    /// Waits for `duration`; the wait starts at the first poll.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clock, and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one file that reads the clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one file that waits")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Made inside the block: tokio's timer would otherwise start now, and need a runtime now.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}
