//! The sandbox's own time: every service asks this clock, and nothing in here ever sleeps.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// Where a sandbox takes the time from.
///
/// What takes time at a vendor (provisioning, domain verification, asynchronous operations) has a
/// due time that is compared with this clock whenever a request arrives or the clock is advanced.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The machine's clock. [`Sandbox::advance`](crate::Sandbox::advance) adds to it.
    #[default]
    Real,
    /// Stands still at this moment until [`Sandbox::advance`](crate::Sandbox::advance) is called.
    Manual(Timestamp),
}

impl From<Timestamp> for Clock {
    fn from(start: Timestamp) -> Self {
        Self::Manual(start)
    }
}

impl From<SystemTime> for Clock {
    /// A manual clock that starts at a moment of the standard library, to the nearest one there is.
    fn from(start: SystemTime) -> Self {
        let nearest = if start < SystemTime::UNIX_EPOCH {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self::Manual(Timestamp::try_from(start).unwrap_or(nearest))
    }
}

/// A clock together with what it was advanced by.
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

/// The moment `by` later than `start`, or the last one there is.
pub(crate) fn after(start: Timestamp, by: SignedDuration) -> Timestamp {
    start.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A duration as jiff counts it; what does not fit is as long as possible.
pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place in the sandbox that reads the machine's clock"
)]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}
