//! How many requests the SCIM endpoint takes in a second.

use http::Method;
use jiff::Timestamp;

use crate::record::method_writes;

/// How many requests a second the SCIM endpoint takes, for each identity store.
///
/// It counts as AWS does for its APIs: a bucket of as many places as the rate, which fills at the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScimRates {
    /// Requests that change something.
    pub writes: u32,
    /// Requests that read.
    pub reads: u32,
}

impl ScimRates {
    /// What the quotas page of IAM Identity Center says: "25 TPS writes, 40 TPS reads per identity store". Earlier
    /// copies of the page say 20 for both together.
    pub const AWS: Self = Self {
        writes: 25,
        reads: 40,
    };
}

/// The buckets of the SCIM endpoint; without rates everything is let through.
#[derive(Debug, Default)]
pub(crate) struct ScimLimits(Option<(Bucket, Bucket)>);

#[derive(Debug)]
struct Bucket {
    rate: f64,
    places: f64,
    filled: Option<Timestamp>,
}

impl ScimLimits {
    pub(crate) fn new(rates: Option<ScimRates>) -> Self {
        Self(rates.map(|rates| (Bucket::new(rates.writes), Bucket::new(rates.reads))))
    }

    /// Takes a place for a request, or says that there is none.
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

impl Bucket {
    fn new(rate: u32) -> Self {
        Self {
            rate: rate.into(),
            places: rate.into(),
            filled: None,
        }
    }

    fn take(&mut self, now: Timestamp) -> bool {
        let since = self.filled.map_or(0.0, |filled| {
            now.duration_since(filled).as_secs_f64().max(0.0)
        });
        self.filled = Some(now);
        self.places = (self.places + since * self.rate).min(self.rate);
        let admitted = self.places >= 1.0;
        if admitted {
            self.places -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn as_many_are_let_through_as_the_rate_says_and_one_more_as_time_goes_by() {
        let mut limits = ScimLimits::new(Some(ScimRates {
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
    fn without_rates_everything_is_let_through() {
        let mut limits = ScimLimits::new(None);
        assert!((0..1000).all(|_| limits.admit(&Method::POST, Timestamp::UNIX_EPOCH)));
    }
}
