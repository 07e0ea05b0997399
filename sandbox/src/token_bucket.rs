//! A token bucket, in which AWS counts the calls of an API.

use jiff::Timestamp;

/// A bucket that holds as many tokens as its rate, and is refilled at that rate.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    rate: f64,
    tokens: f64,
    refilled: Option<Timestamp>,
}

impl TokenBucket {
    /// Returns a full bucket for this number of calls per second.
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate: rate.into(),
            tokens: rate.into(),
            refilled: None,
        }
    }

    /// Takes a token; returns whether there was one.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let since = self.refilled.map_or(0.0, |refilled| {
            now.duration_since(refilled).as_secs_f64().max(0.0)
        });
        self.refilled = Some(now);
        self.tokens = (self.tokens + since * self.rate).min(self.rate);
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }
}
