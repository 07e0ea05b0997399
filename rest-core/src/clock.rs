//! The [`Clock`] trait and the system clock. No other file reads the system clock or sleeps.

use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, Instant, SystemTime},
};

use futures::future::BoxFuture;

mod manual;

pub use manual::ManualClock;

/// Provides the current time, the elapsed time and a way to sleep.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the current time, for timestamps.
    ///
    /// An operator or a time service may set this time forward or back. Measure with
    /// [`elapsed`](Self::elapsed) how long something takes.
    fn now(&self) -> SystemTime;

    /// Returns the time since an arbitrary start. It is monotonic: it never decreases.
    fn elapsed(&self) -> Duration;

    /// Waits for `duration`, starting at the first poll.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Returns an identity of the time that [`elapsed`](Self::elapsed) measures, for state that several
    /// clients of this process share. Clocks with one identity have one elapsed time.
    ///
    /// The default is `None`: the elapsed time of this clock cannot be compared with that of another.
    fn timeline(&self) -> Option<usize> {
        None
    }

    /// Returns the time that a request takes, on a clock that does not run by itself (default: none).
    ///
    /// A client sleeps this long before it sends a request.
    fn round_trip(&self) -> Duration {
        Duration::ZERO
    }

    /// Marks the start of work that waits for something else than this clock, such as a request.
    ///
    /// A [`ManualClock`] does not move its time until the result is dropped. For all other clocks,
    /// this does nothing.
    #[must_use = "the work ends when the result is dropped"]
    fn hold(&self) -> Hold {
        Hold::default()
    }
}

/// Work that waits for something else than a clock; see [`Clock::hold`].
#[derive(Default)]
pub struct Hold(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Hold {
    /// Returns a hold that calls `release` when it is dropped.
    pub fn new(release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(release)))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").finish_non_exhaustive()
    }
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

    fn elapsed(&self) -> Duration {
        START.elapsed()
    }

    fn timeline(&self) -> Option<usize> {
        // No address is zero, so this is not the timeline of a `ManualClock`.
        Some(0)
    }

    #[expect(clippy::disallowed_methods, reason = "only this file sleeps")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // The async block delays the timer's creation to the first poll. Otherwise this method
        // would start the timer, and would need a tokio runtime.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// The start of the elapsed time: its first reading.
#[expect(
    clippy::disallowed_methods,
    reason = "only this file reads the system clock"
)]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
