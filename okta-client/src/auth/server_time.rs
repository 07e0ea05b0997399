//! The time on Okta's clock, for the claims of assertions and proofs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use http::HeaderMap;
use rest_core::{Clock, headers};

/// The local clock, corrected by the `Date` headers of Okta's responses.
#[derive(Debug)]
pub(crate) struct ServerTime {
    clock: Arc<dyn Clock>,
    /// Seconds to add to the local time.
    offset: AtomicI64,
}

impl ServerTime {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            offset: AtomicI64::new(0),
        }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Returns Okta's time in seconds since 1970 (`NumericDate` of RFC 7519).
    pub(super) fn now(&self) -> i64 {
        seconds(self.clock.now()) + self.offset.load(Ordering::Relaxed)
    }

    /// Learns Okta's time from a response. Returns whether earlier claims may have been wrong.
    pub(super) fn learn(&self, headers: &HeaderMap) -> bool {
        let Some(date) = headers::date(headers) else {
            return false;
        };
        let offset = seconds(date) - seconds(self.clock.now());
        // The response needed some time, and `Date` has no fractions.
        let offset = if offset.abs() < NEGLIGIBLE { 0 } else { offset };
        let old = self.offset.swap(offset, Ordering::Relaxed);
        (offset - old).abs() >= NEGLIGIBLE
    }
}

fn seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(seconds.as_secs()).unwrap_or(i64::MAX)
}

/// A difference of clocks that does no harm, in seconds. Okta tolerates more.
const NEGLIGIBLE: i64 = 5;
