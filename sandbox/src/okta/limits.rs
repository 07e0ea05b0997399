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

/// The settings of the limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitSettings {
    pub(crate) rates: OktaRateLimits,
    /// The limits that replace those of `rates`.
    pub(crate) custom: HashMap<OktaBucket, u32>,
    /// The number of requests that other clients send at the start of each window.
    pub(crate) foreign: HashMap<OktaBucket, u32>,
}

/// The current windows.
///
/// Each API token and each app may use half of the org's limit of a bucket (Okta's default for principals), and has
/// a window of its own beside the org's.
#[derive(Debug)]
pub(crate) struct Limits {
    settings: LimitSettings,
    windows: HashMap<(Option<String>, OktaBucket), Window>,
}

/// One minute, which starts with its first request.
#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Timestamp,
    limit: u32,
    used: u32,
}

impl Window {
    fn remaining(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
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
    pub(super) fn new(settings: LimitSettings) -> Self {
        Self {
            settings,
            windows: HashMap::new(),
        }
    }

    /// Records one request of a principal, or of a client without valid credentials.
    ///
    /// The status has the principal's limit, and the smaller remainder of the principal and the org.
    pub(super) fn record(
        &mut self,
        bucket: OktaBucket,
        principal: Option<String>,
        now: Timestamp,
    ) -> RateLimitStatus {
        let org = *self.window(None, bucket, now);
        let own = match &principal {
            None => org,
            Some(_) => *self.window(principal.clone(), bucket, now),
        };
        let exceeded = own.remaining() == 0 || org.remaining() == 0;
        if !exceeded {
            self.window(None, bucket, now).used += 1;
            if principal.is_some() {
                self.window(principal, bucket, now).used += 1;
            }
        }
        let least = if org.remaining() < own.remaining() {
            org
        } else {
            own
        };
        RateLimitStatus {
            limit: own.limit,
            remaining: least.remaining().saturating_sub(1),
            reset: least.ends,
            exceeded,
        }
    }

    /// Records requests of other clients in the org's window.
    pub(crate) fn record_foreign(&mut self, bucket: OktaBucket, requests: u32, now: Timestamp) {
        let window = self.window(None, bucket, now);
        window.used = window.used.saturating_add(requests);
    }

    /// Returns the current window of a principal, or of the org.
    fn window(
        &mut self,
        principal: Option<String>,
        bucket: OktaBucket,
        now: Timestamp,
    ) -> &mut Window {
        let custom = self.settings.custom.get(&bucket).copied();
        let limit = custom.unwrap_or_else(|| bucket.limit(self.settings.rates));
        let foreign = self.settings.foreign.get(&bucket).copied();
        let (limit, used) = match principal {
            Some(_) => (limit, 0),
            None if bucket == OktaBucket::Token => (limit, foreign.unwrap_or_default()),
            None => (limit.saturating_mul(2), foreign.unwrap_or_default()),
        };
        let new = Window {
            ends: after(now, WINDOW),
            limit,
            used,
        };
        let window = self.windows.entry((principal, bucket)).or_insert(new);
        if window.ends <= now {
            *window = new;
        }
        window
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

/// A bucket of Okta's rate limits: endpoints that share a limit.
///
/// The map of the endpoints is from Okta's rate-limit documentation until December 2025.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OktaBucket {
    /// `/api/v1/apps`, and everything below an app.
    Apps,
    /// `/api/v1/apps/{id}` without further segments.
    App,
    /// `/api/v1/groups`, everything below a group, and the rules.
    Groups,
    /// `/api/v1/groups/{id}` without further segments.
    Group,
    /// `/api/v1/users`, everything below a user, and writes to a user.
    Users,
    /// `GET /api/v1/users/{id}`.
    User,
    /// `/api/v1/logs`.
    Logs,
    /// `/api/v1/domains`.
    Domains,
    /// `/oauth2/v1/token`.
    Token,
    /// All other endpoints, such as mappings, schemas and policies.
    Other,
}

impl OktaBucket {
    /// Returns the bucket of a request.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        if path == super::oauth::TOKEN_PATH {
            return Self::Token;
        }
        let below = path.strip_prefix("/api/v1/").unwrap_or_default();
        let mut segments = below.split('/');
        let (first, second, third) = (segments.next(), segments.next(), segments.next());
        match (first.unwrap_or_default(), second, third) {
            ("apps", Some(_), None) => Self::App,
            ("apps", ..) => Self::Apps,
            ("groups", Some(_), None) => Self::Group,
            ("groups", ..) => Self::Groups,
            ("users", Some(_), None) if method == Method::GET => Self::User,
            ("users", ..) => Self::Users,
            ("logs", ..) => Self::Logs,
            ("domains", ..) => Self::Domains,
            _ => Self::Other,
        }
    }

    /// Returns the requests per minute of one principal.
    fn limit(self, rates: OktaRateLimits) -> u32 {
        match (rates, self) {
            (OktaRateLimits::Generous, _) => 10_000,
            (OktaRateLimits::Integrator, Self::Apps | Self::Logs) => 10,
            (OktaRateLimits::Integrator, Self::Domains) => 15,
            // Recorded in 2026.
            (_, Self::Token) => 150,
            (OktaRateLimits::Integrator, _)
            | (OktaRateLimits::Workforce, Self::Apps | Self::Domains) => 50,
            (OktaRateLimits::Workforce, Self::Logs) => 60,
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

    const TOKEN: &str = "token";

    fn limits(settings: LimitSettings) -> Limits {
        Limits::new(LimitSettings {
            rates: OktaRateLimits::Integrator,
            ..settings
        })
    }

    fn record(limits: &mut Limits, principal: &str, seconds: i64) -> RateLimitStatus {
        let now = after(Timestamp::UNIX_EPOCH, SignedDuration::from_secs(seconds));
        limits.record(OktaBucket::Apps, Some(principal.to_owned()), now)
    }

    #[test]
    fn a_bucket_is_full_until_a_minute_after_its_first_request() {
        let mut limits = limits(LimitSettings::default());
        for left in (0..10).rev() {
            let status = record(&mut limits, TOKEN, 7);
            assert!(!status.exceeded);
            assert_eq!((status.limit, status.remaining), (10, left));
            assert_eq!(status.reset.as_second(), 67);
        }
        assert!(record(&mut limits, TOKEN, 66).exceeded);
        let now = Timestamp::UNIX_EPOCH;
        let other = limits.record(OktaBucket::App, Some(TOKEN.to_owned()), now);
        assert!(!other.exceeded, "another bucket");
        assert!(!record(&mut limits, TOKEN, 67).exceeded);
    }

    #[test]
    fn a_token_can_use_half_of_the_limit_of_the_org() {
        let mut limits = limits(LimitSettings::default());
        for principal in ["one", "two"] {
            for _ in 0..10 {
                assert!(!record(&mut limits, principal, 0).exceeded);
            }
            assert!(record(&mut limits, principal, 0).exceeded);
        }
        assert!(record(&mut limits, "three", 0).exceeded, "the org's limit");
    }

    #[test]
    fn the_requests_of_other_clients_count_in_each_window_of_the_org() {
        let mut limits = limits(LimitSettings {
            foreign: HashMap::from([(OktaBucket::Apps, 17)]),
            ..LimitSettings::default()
        });
        for start in [0, 60] {
            for left in (0..3).rev() {
                let status = record(&mut limits, TOKEN, start);
                assert!(!status.exceeded);
                assert_eq!((status.limit, status.remaining), (10, left));
            }
            assert!(record(&mut limits, TOKEN, start).exceeded);
        }
        let now = after(Timestamp::UNIX_EPOCH, SignedDuration::from_secs(120));
        limits.record_foreign(OktaBucket::Apps, 3, now);
        assert!(record(&mut limits, TOKEN, 120).exceeded);
    }

    #[test]
    fn a_custom_limit_replaces_that_of_its_bucket() {
        let mut limits = limits(LimitSettings {
            custom: HashMap::from([(OktaBucket::Apps, 600)]),
            ..LimitSettings::default()
        });
        let status = record(&mut limits, TOKEN, 0);
        assert_eq!((status.limit, status.remaining), (600, 599));
    }

    #[test]
    fn the_reset_is_never_before_the_end_of_the_window() {
        let now = after(Timestamp::UNIX_EPOCH, SignedDuration::from_millis(1500));
        let mut headers = HeaderMap::new();
        let status = limits(LimitSettings::default()).record(OktaBucket::Apps, None, now);
        status.write(&mut headers);
        assert_eq!(headers["x-rate-limit-reset"], "62");
    }

    #[test]
    fn everything_below_an_app_shares_the_bucket_of_the_list() {
        let bucket = |path| OktaBucket::of(&Method::GET, path);
        assert_eq!(bucket("/api/v1/apps/0oa1/users"), OktaBucket::Apps);
        assert_eq!(bucket("/api/v1/apps"), OktaBucket::Apps);
        assert_eq!(bucket("/api/v1/apps/0oa1"), OktaBucket::App);
    }
}
