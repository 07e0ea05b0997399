//! The sandbox's clock: every service uses it, and nothing in the sandbox sleeps.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// The source of a sandbox's time.
///
/// Work that takes time at a vendor (provisioning, domain verification, asynchronous operations) has
/// a due time. The sandbox compares the due time with this clock whenever a request arrives or the
/// clock is advanced.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The machine's clock. [`Sandbox::advance`](crate::Sandbox::advance) adds to its time.
    #[default]
    Real,
    /// A clock that moves only when [`Sandbox::advance`](crate::Sandbox::advance) is called.
    Manual(Timestamp),
}

impl From<Timestamp> for Clock {
    fn from(start: Timestamp) -> Self {
        Self::Manual(start)
    }
}

impl From<SystemTime> for Clock {
    /// Creates a manual clock that starts at `start`, or at the nearest time that [`Timestamp`] can hold.
    fn from(start: SystemTime) -> Self {
        let nearest = if start < SystemTime::UNIX_EPOCH {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self::Manual(Timestamp::try_from(start).unwrap_or(nearest))
    }
}

/// A source of time and the duration by which it was advanced.
#[derive(Debug)]
pub(crate) struct SandboxClock {
    source: Clock,
    advanced: SignedDuration,
}

impl SandboxClock {
    pub(crate) fn new(source: Clock) -> Self {
        Self {
            source,
            advanced: SignedDuration::ZERO,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let start = match self.source {
            Clock::Real => wall_clock(),
            Clock::Manual(start) => start,
        };
        after(start, self.advanced)
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.advanced = self.advanced.saturating_add(signed(by));
    }
}

/// Returns the time `by` later than `start`, or [`Timestamp::MAX`] on overflow.
pub(crate) fn after(start: Timestamp, by: SignedDuration) -> Timestamp {
    start.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Converts a duration to jiff's type, at most [`SignedDuration::MAX`].
pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only place in the sandbox that reads the machine's clock"
)]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}
