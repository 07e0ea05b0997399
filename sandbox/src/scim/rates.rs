//! Rate limits of the SCIM endpoint.

use http::Method;
use jiff::Timestamp;

use crate::{record::method_writes, token_bucket::TokenBucket};

/// The rate limits of the SCIM endpoint, for each identity store.
///
/// The limits work like AWS's API limits: a token bucket holds as many tokens as the rate and is refilled
/// at that rate. A caller that fills in fields ends with `..ScimRateLimits::AWS`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScimRateLimits {
    /// Number of write requests per second.
    pub writes: u32,
    /// Number of read requests per second.
    pub reads: u32,
}

impl ScimRateLimits {
    /// The limits on the quotas page of IAM Identity Center: "25 TPS writes, 40 TPS reads per identity
    /// store". Earlier copies of the page say 20 for both together.
    pub const AWS: Self = Self {
        writes: 25,
        reads: 40,
    };
}

/// The token buckets of the SCIM endpoint; without rates, every request is admitted.
#[derive(Debug, Default)]
pub(crate) struct ScimLimits(Option<(TokenBucket, TokenBucket)>);

impl ScimLimits {
    pub(crate) fn new(rates: Option<ScimRateLimits>) -> Self {
        Self(rates.map(|rates| {
            (
                TokenBucket::new(rates.writes),
                TokenBucket::new(rates.reads),
            )
        }))
    }

    /// Takes a token for a request; returns whether the request is admitted.
    pub(crate) fn admit(&mut self, method: &Method, now: Timestamp) -> bool {
        let Some((writes, reads)) = &mut self.0 else {
            return true;
        };
        if method_writes(method) {
            writes.take(now)
        } else {
            reads.take(now)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_bucket_admits_a_burst_and_refills_at_the_rate() {
        let mut limits = ScimLimits::new(Some(ScimRateLimits {
            writes: 2,
            reads: 1,
        }));
        let start = Timestamp::UNIX_EPOCH;
        let mut admit = |method: &Method, millis| {
            limits.admit(method, start + SignedDuration::from_millis(millis))
        };
        assert!(admit(&Method::POST, 0));
        assert!(admit(&Method::DELETE, 0));
        assert!(!admit(&Method::PATCH, 0));
        assert!(admit(&Method::GET, 0));
        assert!(!admit(&Method::GET, 0));
        assert!(!admit(&Method::POST, 400));
        assert!(admit(&Method::POST, 600));
        assert!(!admit(&Method::POST, 600));
    }

    #[test]
    fn without_rates_every_request_is_admitted() {
        let mut limits = ScimLimits::new(None);
        assert!((0..1000).all(|_| limits.admit(&Method::POST, Timestamp::UNIX_EPOCH)));
    }
}
