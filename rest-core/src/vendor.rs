//! The [`Vendor`] trait: a service's conventions for rate limits, errors and request ids.

use std::{borrow::Cow, fmt, time::Duration, time::SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};

use crate::{headers, retry::AttemptResult};

/// A vendor's conventions for rate limits, errors and request ids.
///
/// Every method has a default for a plain HTTP service. An implementation overrides only the
/// differences.
pub trait Vendor: Send + Sync + fmt::Debug {
    /// Returns the name of the rate-limit bucket that a request counts against, or `None` if the service
    /// reports no limits.
    ///
    /// `path` is relative to the service's base URL and starts with a slash.
    fn bucket(&self, method: &Method, path: &str) -> Option<Cow<'static, str>> {
        let _ = (method, path);
        None
    }

    /// Returns the rate limit that a response reports for the bucket of its request.
    ///
    /// `now` is the client's time; [`headers::date`] returns the server's time.
    fn rate_limit(&self, response: &Response<Bytes>, now: SystemTime) -> Option<RateLimit> {
        let _ = (response, now);
        None
    }

    /// Returns whether a response refuses its request because of too many concurrent requests.
    fn is_too_many_in_flight(&self, response: &Response<Bytes>) -> bool {
        let _ = response;
        false
    }

    /// Returns the result of an attempt that got a response.
    ///
    /// By default, 429 is [`Throttled`](AttemptResult::Throttled), and 500, 502, 503 and 504 are
    /// [`ServerFailed`](AttemptResult::ServerFailed), each with the wait from the `Retry-After`
    /// header. Every other status is [`Done`](AttemptResult::Done).
    fn attempt_result(&self, response: &Response<Bytes>, now: SystemTime) -> AttemptResult {
        let wait = headers::retry_after(response.headers(), now);
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS => AttemptResult::Throttled { wait },
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => AttemptResult::ServerFailed { wait },
            _ => AttemptResult::Done,
        }
    }

    /// Returns the vendor's id of a request, which the vendor's support asks for.
    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let _ = headers;
        None
    }

    /// Returns headers that mark a request as a retry.
    ///
    /// `first` is the request id of the first response that had one. `count` is the number of
    /// earlier attempts.
    fn retry_headers(&self, first: Option<&str>, count: u32) -> HeaderMap {
        let _ = (first, count);
        HeaderMap::new()
    }
}

/// A vendor with the default conventions.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainVendor;

impl Vendor for PlainVendor {}

/// A rate limit, as reported by a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Number of requests per window.
    pub limit: u64,
    /// Number of requests left in the current window.
    pub remaining: u64,
    /// End of the window on the server's clock. Windows with different ends are different windows.
    pub reset: SystemTime,
    /// Longest time from now until the next window begins, with the rounding of all times.
    pub resets_in: Duration,
    /// Longest length of a window, if the service documents that a window begins with its first
    /// request. It tells the end of a window more exactly than a reset in whole seconds.
    pub window: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use http::Response;

    use super::{AttemptResult, PlainVendor, Vendor};

    #[track_caller]
    fn check(status: u16, retry_after: Option<&str>, expected: AttemptResult) {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        let response = response.body(Bytes::new()).expect("a valid response");
        assert_eq!(
            PlainVendor.attempt_result(&response, SystemTime::UNIX_EPOCH),
            expected
        );
    }

    #[test]
    fn the_status_determines_the_result_of_an_attempt() {
        for done in [200, 201, 204, 302, 400, 401, 403, 404, 409, 501] {
            check(done, Some("7"), AttemptResult::Done);
        }
        for failed in [500, 502, 503, 504] {
            check(failed, None, AttemptResult::ServerFailed { wait: None });
        }
        let wait = Some(Duration::from_secs(7));
        check(503, Some("7"), AttemptResult::ServerFailed { wait });
        check(429, Some("7"), AttemptResult::Throttled { wait });
        check(429, None, AttemptResult::Throttled { wait: None });
    }
}
