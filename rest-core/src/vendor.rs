//! What differs from service to service.

use std::{borrow::Cow, fmt, time::Duration, time::SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};

use crate::{headers, retry::AttemptResult};

/// How one vendor's service speaks about rate limits, refusals and requests.
///
/// Every method has a default that fits a plain HTTP service, so that an implementation says only
/// what is special.
pub trait Vendor: Send + Sync + fmt::Debug {
    /// Returns the name of the rate limit that a request counts against.
    ///
    /// `path` is below the service's base address and starts with a slash.
    fn bucket(&self, method: &Method, path: &str) -> Cow<'static, str> {
        let _ = (method, path);
        Cow::Borrowed("")
    }

    /// Returns what an answer says about the rate limit its request counted against.
    ///
    /// `now` is our clock; where the server's clock matters, [`headers::date`] has it.
    fn rate_limit(&self, answer: &Response<Bytes>, now: SystemTime) -> Option<RateLimit> {
        let _ = (answer, now);
        None
    }

    /// Returns how an attempt ended that the server answered.
    ///
    /// By default 429 is throttled and 500, 502, 503 and 504 are failures of the server, both with
    /// the wait of a `Retry-After` header; everything else is done.
    fn attempt_result(&self, answer: &Response<Bytes>, now: SystemTime) -> AttemptResult {
        let wait = headers::retry_after(answer.headers(), now);
        match answer.status() {
            StatusCode::TOO_MANY_REQUESTS => AttemptResult::Throttled { wait },
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => AttemptResult::ServerFailed { wait },
            _ => AttemptResult::Done,
        }
    }

    /// Returns the vendor's own number for a request, which its support staff asks for.
    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let _ = headers;
        None
    }

    /// Returns headers that mark a repetition as one.
    ///
    /// `first` is the request id of the first attempt, if that was answered, and `count` says how
    /// often the request was sent before.
    fn retry_headers(&self, first: Option<&str>, count: u32) -> HeaderMap {
        let _ = (first, count);
        HeaderMap::new()
    }
}

/// A service with nothing special about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainVendor;

impl Vendor for PlainVendor {}

/// A rate limit as an answer describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests fit into a window.
    pub limit: u64,
    /// How many of them are left.
    pub remaining: u64,
    /// How long from now until the next window begins.
    pub resets_in: Duration,
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use http::Response;

    use super::{AttemptResult, PlainVendor, Vendor};

    #[track_caller]
    fn check(status: u16, retry_after: Option<&str>, expected: AttemptResult) {
        let mut answer = Response::builder().status(status);
        if let Some(value) = retry_after {
            answer = answer.header("retry-after", value);
        }
        let answer = answer.body(Bytes::new()).expect("an answer");
        assert_eq!(
            PlainVendor.attempt_result(&answer, SystemTime::UNIX_EPOCH),
            expected
        );
    }

    #[test]
    fn statuses_are_sorted_by_whether_the_server_could_have_acted() {
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
