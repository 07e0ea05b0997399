//! Rate limits: the requests per minute of each bucket, and the response headers that report them.

use std::collections::HashMap;

use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};

use crate::clock::after;

/// The number of requests per minute that the Okta org accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OktaRateLimits {
    /// 10,000 requests per minute in every bucket: the headers are present and no test reaches a limit.
    #[default]
    Generous,
    /// The limits of one API token in a Workforce Identity org, which are half of the org's limits.
    ///
    /// The numbers are from Okta's documentation until December 2025.
    Workforce,
    /// The limits of one API token in a free Integrator org: 10 per minute for all requests below `apps`.
    Integrator,
}

/// The current window of each bucket.
#[derive(Debug)]
pub(super) struct Limits {
    rates: OktaRateLimits,
    windows: HashMap<&'static str, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// The status of a bucket after one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateLimitStatus {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset: Timestamp,
    pub(super) exceeded: bool,
}

impl Limits {
    pub(super) fn new(rates: OktaRateLimits) -> Self {
        Self {
            rates,
            windows: HashMap::new(),
        }
    }

    /// Records one request.
    pub(super) fn record(&mut self, bucket: Bucket, now: Timestamp) -> RateLimitStatus {
        let limit = bucket.limit(self.rates);
        let new_window = || Window {
            ends: after(now, WINDOW),
            used: 0,
        };
        let window = self.windows.entry(bucket.name()).or_insert_with(new_window);
        if window.ends <= now {
            *window = new_window();
        }
        let exceeded = window.used >= limit;
        window.used += u32::from(!exceeded);
        RateLimitStatus {
            limit,
            remaining: limit - window.used,
            reset: window.ends,
            exceeded,
        }
    }
}

impl RateLimitStatus {
    /// Writes the headers that every response of Okta has.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert("x-rate-limit-limit", self.limit.into());
        headers.insert("x-rate-limit-remaining", self.remaining.into());
        // The reset is in whole seconds, rounded up so that it is never before the end of the window.
        let nanos = self.reset.subsec_nanosecond();
        let reset = self.reset.as_second() + i64::from(nanos > 0);
        headers.insert("x-rate-limit-reset", HeaderValue::from(reset));
    }
}

/// A group of endpoints that share a limit, from the bucket map of Okta's rate-limit documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    Apps,
    App,
    Groups,
    Group,
    Users,
    User,
    Domains,
    Other,
}

impl Bucket {
    /// Returns the bucket of a request from the path segments after `/api/v1/`.
    pub(super) fn of(method: &Method, segments: &[String]) -> Self {
        let mut segments = segments.iter().map(String::as_str);
        let (first, second, third) = (segments.next(), segments.next(), segments.next());
        match (first.unwrap_or_default(), second, third) {
            ("apps", Some(_), None) => Self::App,
            ("apps", ..) => Self::Apps,
            ("groups", Some(_), None) => Self::Group,
            ("groups", ..) => Self::Groups,
            ("users", Some(_), None) if method == Method::GET => Self::User,
            ("users", ..) => Self::Users,
            ("domains", ..) => Self::Domains,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Apps => "/api/v1/apps",
            Self::App => "/api/v1/apps/ID",
            Self::Groups => "/api/v1/groups",
            Self::Group => "/api/v1/groups/ID",
            Self::Users => "/api/v1/users",
            Self::User => "/api/v1/users/ID",
            Self::Domains => "/api/v1/domains",
            Self::Other => "/api/v1",
        }
    }

    fn limit(self, rates: OktaRateLimits) -> u32 {
        match (rates, self) {
            (OktaRateLimits::Generous, _) => 10_000,
            (OktaRateLimits::Integrator, Self::Apps) => 10,
            (OktaRateLimits::Integrator, Self::Domains) => 15,
            (OktaRateLimits::Integrator, _)
            | (OktaRateLimits::Workforce, Self::Apps | Self::Domains) => 50,
            (OktaRateLimits::Workforce, Self::App | Self::Groups) => 250,
            (OktaRateLimits::Workforce, Self::Users) => 300,
            (OktaRateLimits::Workforce, Self::Group) => 500,
            (OktaRateLimits::Workforce, Self::Other) => 600,
            (OktaRateLimits::Workforce, Self::User) => 1000,
        }
    }
}

const WINDOW: SignedDuration = SignedDuration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_full_until_its_minute_is_over() {
        let start = Timestamp::UNIX_EPOCH;
        let mut limits = Limits::new(OktaRateLimits::Integrator);
        for left in (0..10).rev() {
            let status = limits.record(Bucket::Apps, start);
            assert!(!status.exceeded);
            assert_eq!(status.remaining, left);
        }
        assert!(
            limits
                .record(Bucket::Apps, after(start, SignedDuration::from_secs(59)))
                .exceeded
        );
        assert!(
            !limits.record(Bucket::App, start).exceeded,
            "another bucket"
        );
        assert!(!limits.record(Bucket::Apps, after(start, WINDOW)).exceeded);
    }

    #[test]
    fn everything_below_an_app_shares_the_bucket_of_the_list() {
        let bucket = |path: &str| {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            Bucket::of(&Method::GET, &segments)
        };
        assert_eq!(bucket("apps/0oa1/users"), Bucket::Apps);
        assert_eq!(bucket("apps"), Bucket::Apps);
        assert_eq!(bucket("apps/0oa1"), Bucket::App);
    }
}
