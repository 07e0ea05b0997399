//! The number of calls that a read will send, and the time that they take.

use std::time::Duration;

use super::EstateReader;

/// The calls to `sso-admin` that a read will send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forecast {
    /// Number of calls.
    pub calls: usize,
    /// The time of the calls at the present rate limit of the connection. Without a limit, AWS's quota of 20 calls per second counts.
    pub duration: Duration,
}

impl EstateReader {
    /// Returns the calls that read the permission sets, all parts of the [wanted](Self::wanted_sets) ones, and the assignments of
    /// this number of principals.
    ///
    /// The forecast counts one page for each list, and no description of a set that is not wanted: its name is usually
    /// [known](Self::names).
    #[must_use]
    pub fn forecast(&self, principals: usize) -> Forecast {
        let calls = 1 + CALLS_PER_SET * self.wanted() + principals;
        let rate = self.calls_per_second().unwrap_or(QUOTA);
        let seconds = calls.div_ceil(rate);
        Forecast {
            calls,
            duration: Duration::from_secs(seconds.try_into().unwrap_or(u64::MAX)),
        }
    }
}

/// The properties, the two lists of policies, the inline policy, the permissions boundary, and the accounts that are behind.
const CALLS_PER_SET: usize = 6;

/// The calls per second that AWS allows for an instance (IAM Identity Center quotas).
const QUOTA: usize = 20;
