//! Okta's conventions for rate limits and request ids.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use rest_core::{AttemptResult, PlainVendor, RateLimit, Vendor, headers};

/// The [`Vendor`] implementation for Okta.
#[derive(Debug)]
pub(crate) struct Okta;

impl Vendor for Okta {
    fn bucket(&self, method: &Method, path: &str) -> Option<Cow<'static, str>> {
        Some(bucket(method, path))
    }

    fn rate_limit(&self, response: &Response<Bytes>, now: SystemTime) -> Option<RateLimit> {
        let number = |name| headers::smallest_number(response.headers(), name);
        let limit = number(LIMIT)?;
        // A limit of zero means too many concurrent requests. This condition may end at once, so
        // waiting for the reset would waste time.
        if limit == 0 {
            return None;
        }
        let resets_in = until_reset(response.headers(), now)?;
        let reset = headers::smallest_number(response.headers(), RESET)?;
        Some(RateLimit {
            limit,
            remaining: number(REMAINING)?,
            reset: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset))?,
            resets_in,
            window: Some(WINDOW),
        })
    }

    fn is_too_many_in_flight(&self, response: &Response<Bytes>) -> bool {
        let limit = headers::smallest_number(response.headers(), LIMIT);
        response.status() == StatusCode::TOO_MANY_REQUESTS && limit == Some(0)
    }

    fn attempt_result(&self, response: &Response<Bytes>, now: SystemTime) -> AttemptResult {
        let result = PlainVendor.attempt_result(response, now);
        match result {
            // Okta sends no `Retry-After`, but a gateway in front of it may.
            AttemptResult::Throttled { wait: None } => {
                let wait = self.rate_limit(response, now).map(|limit| limit.resets_in);
                AttemptResult::Throttled { wait }
            }
            AttemptResult::Done if response.status() == StatusCode::LOCKED => {
                // E0000239, "Policy priorities are being reconciled. Please try again later."
                AttemptResult::Throttled { wait: None }
            }
            other => other,
        }
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        headers::text(headers, "x-okta-request-id").map(str::to_owned)
    }

    fn retry_headers(&self, first: Option<&str>, count: u32) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-okta-retry-count", HeaderValue::from(count));
        if let Some(first) = first.and_then(|first| HeaderValue::try_from(first).ok()) {
            headers.insert("x-okta-retry-for", first);
        }
        headers
    }
}

/// Returns the rate-limit bucket that a call counts against.
///
/// The buckets follow Okta's published table of org-wide limits ("Management API rate limits",
/// until December 2025). An app's users, groups, keys, features and push mappings share the bucket
/// of the app list, which has the lowest limit. Two buckets of Okta must not be one here, because
/// the reports of one would be taken for those of the other. In doubt there is one more: its requests
/// are then seen as those of another program.
pub(crate) fn bucket(method: &Method, path: &str) -> Cow<'static, str> {
    let mut segments = path.trim_matches('/').split('/');
    let mut next = || segments.next();
    let name = match (next(), next()) {
        (Some("api"), Some("v1")) => match (next(), next(), next()) {
            (Some("apps"), Some(_), None) => "/api/v1/apps/{id}",
            (Some("apps"), _, _) => "/api/v1/apps",
            (Some("groups"), Some(id), None) if id != "rules" => "/api/v1/groups/{id}",
            (Some("groups"), _, _) => "/api/v1/groups",
            (Some("users"), Some(_), None) if method == Method::GET => "GET /api/v1/users/{id}",
            (Some("users"), Some(_), _) => "/api/v1/users/{id}",
            (Some("users"), None, _) => "/api/v1/users",
            (Some("domains"), _, _) => "/api/v1/domains",
            (Some("logs"), _, _) => "/api/v1/logs",
            _ => "/api/v1",
        },
        (Some("oauth2"), Some("v1")) => match next() {
            Some("token") => "/oauth2/v1/token",
            Some("clients") => "/oauth2/v1/clients",
            _ => "/oauth2/v1",
        },
        // The other APIs of an org, such as `/governance/api/v1`, have limits of their own.
        (first, _) => return Cow::Owned(format!("/{}", first.unwrap_or_default())),
    };
    Cow::Borrowed(name)
}

/// Returns the time until the end of the window that a response reports.
///
/// The reset time is on Okta's clock, so it is compared with Okta's `Date`. Both times are rounded
/// to whole seconds, so one second is added.
fn until_reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let reset = Duration::from_secs(headers::smallest_number(headers, RESET)?);
    let reset = SystemTime::UNIX_EPOCH.checked_add(reset)?;
    let date = headers::date(headers).unwrap_or(now);
    Some(match reset.duration_since(date) {
        Ok(left) => left + Duration::from_secs(1),
        Err(_) => Duration::ZERO,
    })
}

/// Okta counts requests by the minute, from the first request of a window ("Rate limits"). The servers of an
/// org may differ a little.
const WINDOW: Duration = Duration::from_millis(60_250);

pub(crate) const LIMIT: &str = "x-rate-limit-limit";
const REMAINING: &str = "x-rate-limit-remaining";
pub(crate) const RESET: &str = "x-rate-limit-reset";

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use http::{Method, Response};
    use rest_core::{AttemptResult, RateLimit, Vendor};

    use super::{Okta, bucket};

    #[test]
    fn each_call_counts_against_its_bucket() {
        let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
        for (method, path, expected) in [
            (&get, "/api/v1/apps", "/api/v1/apps"),
            (&post, "/api/v1/apps", "/api/v1/apps"),
            (&get, "/api/v1/apps/0oa1", "/api/v1/apps/{id}"),
            (&put, "/api/v1/apps/0oa1", "/api/v1/apps/{id}"),
            (&get, "/api/v1/apps/0oa1/users", "/api/v1/apps"),
            (&put, "/api/v1/apps/0oa1/groups/00g1", "/api/v1/apps"),
            (&get, "/api/v1/apps/0oa1/sso/saml/metadata", "/api/v1/apps"),
            (
                &post,
                "/api/v1/apps/0oa1/group-push/mappings",
                "/api/v1/apps",
            ),
            (&get, "/api/v1/groups", "/api/v1/groups"),
            (&get, "/api/v1/groups/00g1", "/api/v1/groups/{id}"),
            (&get, "/api/v1/groups/00g1/users", "/api/v1/groups"),
            (&put, "/api/v1/groups/00g1/users/00u1", "/api/v1/groups"),
            (&get, "/api/v1/groups/rules", "/api/v1/groups"),
            (&get, "/api/v1/users", "/api/v1/users"),
            (&post, "/api/v1/users", "/api/v1/users"),
            (&get, "/api/v1/users/me", "GET /api/v1/users/{id}"),
            (&post, "/api/v1/users/00u1", "/api/v1/users/{id}"),
            (&get, "/api/v1/domains/OcD1", "/api/v1/domains"),
            (&get, "/api/v1/logs", "/api/v1/logs"),
            (&get, "/api/v1/mappings", "/api/v1"),
            (&post, "/oauth2/v1/token", "/oauth2/v1/token"),
            (&get, "/oauth2/v1/clients/0oa1", "/oauth2/v1/clients"),
            (&post, "/oauth2/v1/introspect", "/oauth2/v1"),
            (&get, "/oauth2/aus1/v1/keys", "/oauth2"),
            (
                &get,
                "/api/v1/apps/0oa1/connections/default",
                "/api/v1/apps",
            ),
            (
                &post,
                "/api/v1/apps/0oa1/lifecycle/activate",
                "/api/v1/apps",
            ),
            (&get, "/api/v1/apps/0oa1/credentials/keys", "/api/v1/apps"),
            (&get, "/api/v1/apps/0oa1/features", "/api/v1/apps"),
            (&put, "/api/v1/groups/00g1", "/api/v1/groups/{id}"),
            (&get, "/api/v1/groups/rules/0pr1", "/api/v1/groups"),
            (
                &post,
                "/api/v1/users/00u1/lifecycle/suspend",
                "/api/v1/users/{id}",
            ),
            (&get, "/api/v1/meta/schemas/user/default", "/api/v1"),
            (&get, "/api/v1/policies", "/api/v1"),
            (&get, "/governance/api/v1/campaigns", "/governance"),
        ] {
            assert_eq!(bucket(method, path), expected, "{method} {path}");
        }
    }

    fn response(status: u16, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Bytes::new()).expect("a valid response")
    }

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    // 784,111,777 seconds after the epoch.
    const DATE: (&str, &str) = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT");

    #[test]
    fn the_reset_is_measured_on_oktas_clock_and_rounded_up() {
        let response = response(
            200,
            &[
                DATE,
                ("X-Rate-Limit-Limit", "50"),
                ("X-Rate-Limit-Remaining", "49"),
                ("X-Rate-Limit-Reset", "784111787"),
            ],
        );
        let expected = RateLimit {
            limit: 50,
            remaining: 49,
            reset: NOW + Duration::from_secs(784_111_787),
            window: Some(super::WINDOW),
            resets_in: Duration::from_secs(11),
        };
        assert_eq!(Okta.rate_limit(&response, NOW), Some(expected));
        assert_eq!(Okta.attempt_result(&response, NOW), AttemptResult::Done);
    }

    #[test]
    fn without_a_date_header_the_local_clock_is_used() {
        let response = response(
            200,
            &[
                ("x-rate-limit-limit", "50"),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "30"),
            ],
        );
        let expected = RateLimit {
            limit: 50,
            remaining: 0,
            reset: NOW + Duration::from_secs(30),
            window: Some(super::WINDOW),
            resets_in: Duration::from_secs(31),
        };
        assert_eq!(Okta.rate_limit(&response, NOW), Some(expected));
    }

    #[test]
    fn a_reset_in_the_past_or_out_of_range_means_no_wait() {
        let limits = [
            ("x-rate-limit-limit", "50"),
            ("x-rate-limit-remaining", "0"),
        ];
        let past = response(
            429,
            &[
                limits[0],
                limits[1],
                DATE,
                ("x-rate-limit-reset", "784111700"),
            ],
        );
        assert_eq!(
            Okta.attempt_result(&past, NOW),
            AttemptResult::Throttled {
                wait: Some(Duration::ZERO)
            }
        );
        let never = ("x-rate-limit-reset", "18446744073709551615");
        let never = response(429, &[limits[0], limits[1], DATE, never]);
        assert_eq!(
            Okta.attempt_result(&never, NOW),
            AttemptResult::Throttled { wait: None }
        );
    }

    #[test]
    fn a_throttled_call_waits_for_the_reset() {
        let response = response(
            429,
            &[
                DATE,
                ("x-rate-limit-limit", "50"),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "784111807"),
            ],
        );
        let wait = Some(Duration::from_secs(31));
        assert_eq!(
            Okta.attempt_result(&response, NOW),
            AttemptResult::Throttled { wait }
        );
    }

    #[test]
    fn too_many_concurrent_calls_do_not_wait_for_the_reset() {
        let response = response(
            429,
            &[
                DATE,
                ("x-rate-limit-limit", "0"),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "784111837"),
            ],
        );
        assert_eq!(
            Okta.attempt_result(&response, NOW),
            AttemptResult::Throttled { wait: None }
        );
        assert_eq!(Okta.rate_limit(&response, NOW), None);
        assert!(Okta.is_too_many_in_flight(&response));
    }

    #[test]
    fn a_retry_after_from_a_gateway_takes_precedence() {
        let response = response(429, &[("retry-after", "3"), ("x-rate-limit-limit", "50")]);
        let wait = Some(Duration::from_secs(3));
        assert_eq!(
            Okta.attempt_result(&response, NOW),
            AttemptResult::Throttled { wait }
        );
    }

    #[test]
    fn a_retry_names_the_request_that_it_repeats() {
        let headers = Okta.retry_headers(Some("abc"), 2);
        assert_eq!(headers["X-Okta-Retry-For"], "abc");
        assert_eq!(headers["X-Okta-Retry-Count"], "2");
        assert_eq!(Okta.retry_headers(None, 1).len(), 1);
    }
}
