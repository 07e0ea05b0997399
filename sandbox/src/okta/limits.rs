//! Rate limits: a number of requests a minute for each bucket, and the headers that tell of it.

use std::collections::HashMap;

use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};

use crate::clock::after;

/// How many requests the Okta org takes in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateLimits {
    /// Ten thousand in every bucket: the headers are there and nobody meets a limit.
    #[default]
    Generous,
    /// What one API token may use of a Workforce Identity org: half of the org's limits.
    ///
    /// The numbers are those Okta's documentation gave until December 2025.
    Workforce,
    /// What one API token may use of a free Integrator org; ten a minute for everything below apps.
    Integrator,
}

/// The window of each bucket and what was used in it.
#[derive(Debug)]
pub(super) struct Limits {
    rates: RateLimits,
    windows: HashMap<&'static str, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// The place one request took in its bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset: Timestamp,
    pub(super) exceeded: bool,
}

impl Limits {
    pub(super) fn new(rates: RateLimits) -> Self {
        Self {
            rates,
            windows: HashMap::new(),
        }
    }

    /// Counts one request.
    pub(super) fn count(&mut self, bucket: Bucket, now: Timestamp) -> Standing {
        let limit = bucket.limit(self.rates);
        let fresh = || Window {
            ends: after(now, WINDOW),
            used: 0,
        };
        let window = self.windows.entry(bucket.name()).or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        let exceeded = window.used >= limit;
        window.used += u32::from(!exceeded);
        Standing {
            limit,
            remaining: limit - window.used,
            reset: window.ends,
            exceeded,
        }
    }
}

impl Standing {
    /// The headers Okta puts on every answer.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert("x-rate-limit-limit", self.limit.into());
        headers.insert("x-rate-limit-remaining", self.remaining.into());
        // The reset is a whole second, and never before the window has really ended.
        let nanos = self.reset.subsec_nanosecond();
        let reset = self.reset.as_second() + i64::from(nanos > 0);
        headers.insert("x-rate-limit-reset", HeaderValue::from(reset));
    }
}

/// The requests that share a limit, after the bucket map of Okta's rate-limit documentation.
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
    /// The bucket of a request, by the parts of its path after `/api/v1/`.
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

    fn limit(self, rates: RateLimits) -> u32 {
        match (rates, self) {
            (RateLimits::Generous, _) => 10_000,
            (RateLimits::Integrator, Self::Apps) => 10,
            (RateLimits::Integrator, Self::Domains) => 15,
            (RateLimits::Integrator, _) | (RateLimits::Workforce, Self::Apps | Self::Domains) => 50,
            (RateLimits::Workforce, Self::App | Self::Groups) => 250,
            (RateLimits::Workforce, Self::Users) => 300,
            (RateLimits::Workforce, Self::Group) => 500,
            (RateLimits::Workforce, Self::Other) => 600,
            (RateLimits::Workforce, Self::User) => 1000,
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
        let mut limits = Limits::new(RateLimits::Integrator);
        for left in (0..10).rev() {
            let standing = limits.count(Bucket::Apps, start);
            assert!(!standing.exceeded);
            assert_eq!(standing.remaining, left);
        }
        assert!(
            limits
                .count(Bucket::Apps, after(start, SignedDuration::from_secs(59)))
                .exceeded
        );
        assert!(!limits.count(Bucket::App, start).exceeded, "another bucket");
        assert!(!limits.count(Bucket::Apps, after(start, WINDOW)).exceeded);
    }

    #[test]
    fn everything_below_an_app_shares_the_bucket_of_the_list() {
        let of = |path: &str| {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            Bucket::of(&Method::GET, &segments)
        };
        assert_eq!(of("apps/0oa1/users"), Bucket::Apps);
        assert_eq!(of("apps"), Bucket::Apps);
        assert_eq!(of("apps/0oa1"), Bucket::App);
    }
}
