//! The service client: authorizes, rate-limits, sends and retries requests.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request,
    header::{AUTHORIZATION, USER_AGENT},
};
use serde::de::IgnoredAny;
use tokio::sync::Semaphore;
use tracing::debug;
use url::Url;

use crate::{
    Attempt, AttemptResult, Call, Clock, Error, RateLimiter, Reachability, Reached, Response,
    RetryDecision, RetryPolicy, Secret, Transport, TransportError, Vendor,
    rate_limit::RateLimitWindows,
};

mod builder;

pub use builder::ServiceBuilder;

/// A client of one service, with one base URL and one credential.
///
/// Clones share the connections and the known rate limits.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

impl Service {
    /// Returns a builder for a service at the base URL `base`. All paths are relative to it.
    pub fn builder(base: Url) -> ServiceBuilder {
        ServiceBuilder::new(base)
    }

    /// Returns the base URL.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.inner.base
    }

    /// Returns the clock of this service.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Sends `call` and returns the response if its status is 2xx.
    ///
    /// Each attempt first waits for the [`RateLimiter`], if one is set. It then waits for the next
    /// rate-limit window, if the current window is known to be used up. After a failed attempt,
    /// [`RetryPolicy::decide`] decides whether to retry. Dropping the future cancels the call; the
    /// server may have processed the request nevertheless.
    ///
    /// # Errors
    ///
    /// - [`Error::Request`] if the request is invalid; nothing was sent.
    /// - [`Error::Unreachable`] if an earlier call of the same [`Reachability::scope`] found the
    ///   service unreachable; nothing was sent.
    /// - [`Error::Transport`] if the last attempt got no usable response.
    /// - [`Error::Refused`] if the status of the last response is not 2xx. This includes redirects.
    pub async fn send(&self, call: Call) -> Result<Response, Error> {
        let inner = &*self.inner;
        let idempotency = call.idempotency();
        let (url, mut request) = call.prepare(&inner.base)?;
        let origin = inner.base.origin().ascii_serialization();
        Reachability::check(&origin)?;
        inner.authorize(&mut request);
        let path = inner.relative(&url);
        let bucket = inner.vendor.bucket(request.method(), &path);
        let mut first_id = None;
        let mut number = 1;
        let mut answered = false;
        let limiter = inner.limiter_for(request.method());
        loop {
            if let Some(limiter) = limiter {
                limiter.acquire(&*inner.clock).await;
            }
            inner.wait_for_window(&bucket).await;
            let mut copy = request.clone();
            if number > 1 {
                let marks = inner.vendor.retry_headers(first_id.as_deref(), number - 1);
                copy.headers_mut().extend(marks);
            }
            let result = inner.exchange(copy).await;
            answered |= is_answer(&result);
            let attempt_result = inner.attempt_result(&result, &bucket);
            if let Some(limiter) = limiter {
                limiter.record(attempt_result, inner.clock.elapsed());
            }
            let request_id = result
                .as_ref()
                .ok()
                .and_then(|response| inner.vendor.request_id(response.headers()));
            debug!(
                method = %request.method(),
                path,
                status = result.as_ref().ok().map(|response| response.status().as_u16()),
                request_id,
                attempt = number,
                result = ?attempt_result,
                "request"
            );
            let attempt = Attempt {
                number,
                result: attempt_result,
                idempotency,
            };
            match inner.retry.decide(attempt, fastrand::f64()) {
                RetryDecision::Retry { delay } => inner.clock.sleep(delay).await,
                RetryDecision::GiveUp => {
                    let result = finish(result, request_id, number);
                    // A call that may not be sent again has not used all attempts.
                    if let Err(error) = &result
                        && !answered
                        && number >= inner.retry.max_attempts
                    {
                        Reachability::record(&origin, error);
                    }
                    return result;
                }
            }
            first_id = first_id.or(request_id);
            number += 1;
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("base", &self.inner.base.as_str())
            .field("retry", &self.inner.retry)
            .finish_non_exhaustive()
    }
}

struct Inner {
    base: Url,
    authorization: Option<Authorization>,
    user_agent: HeaderValue,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    vendor: Arc<dyn Vendor>,
    windows: Mutex<RateLimitWindows>,
    in_flight: Semaphore,
    reads: Option<RateLimiter>,
    writes: Option<RateLimiter>,
}

impl Inner {
    /// Returns the rate limiter for requests with this method, if one is set.
    fn limiter_for(&self, method: &Method) -> Option<&RateLimiter> {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            self.reads.as_ref()
        } else {
            self.writes.as_ref()
        }
    }

    /// Returns the path of `url` relative to the base URL, with a leading slash.
    fn relative(&self, url: &Url) -> String {
        let base = self.base.path().trim_end_matches('/');
        url.path()
            .strip_prefix(base)
            .unwrap_or(url.path())
            .to_owned()
    }

    /// Waits while the rate limit of `bucket` is known to be used up.
    async fn wait_for_window(&self, bucket: &str) {
        // Another task may use the new window first, so one wait may not be enough. The number of
        // waits is limited, because a clock that does not advance must not cause an endless loop.
        // The server enforces its limit anyway.
        for _ in 0..MAX_WINDOW_WAITS {
            let wait = {
                let mut windows = self.lock_windows();
                // The clock is read under the lock, so that the readings are in order.
                windows.take(bucket, self.clock.elapsed())
            };
            match wait {
                Some(wait) if wait <= self.retry.max_wait => {
                    debug!(bucket, ?wait, "waiting for the rate limit");
                    self.clock.sleep(wait).await;
                }
                _ => return,
            }
        }
    }

    /// Adds the user agent and the authorization. [`Call::prepare`] has already checked the origin.
    fn authorize(&self, request: &mut Request<Bytes>) {
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.header());
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        // The permit is held only during the exchange, not while a call waits. The semaphore is
        // never closed; if it were, sending without a permit would do no harm.
        let _permit = self.in_flight.acquire().await;
        let _hold = self.clock.hold();
        let response = self.transport.send(request).await?;
        let Some(authorization) = &self.authorization else {
            return Ok(response);
        };
        // A service or a proxy may repeat the token, and its text gets into errors.
        Ok(
            response.map(|body| match authorization.secret.redact(&body) {
                Cow::Borrowed(_) => body,
                Cow::Owned(redacted) => redacted.into(),
            }),
        )
    }

    fn attempt_result(
        &self,
        result: &Result<http::Response<Bytes>, TransportError>,
        bucket: &str,
    ) -> AttemptResult {
        match result {
            Ok(response) => {
                let now = self.clock.now();
                if let Some(limit) = self.vendor.rate_limit(response, now) {
                    let elapsed = self.clock.elapsed();
                    self.lock_windows().record(bucket, limit, elapsed);
                }
                self.vendor.attempt_result(response, now)
            }
            Err(error) if error.is_body_too_large() => AttemptResult::Done,
            Err(error) => match error.reached() {
                Reached::NotSent => AttemptResult::NotSent,
                Reached::MaybeSent => AttemptResult::MaybeSent,
            },
        }
    }

    fn lock_windows(&self) -> std::sync::MutexGuard<'_, RateLimitWindows> {
        // A panic in another thread does no harm here: the numbers are only estimates.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An authorization scheme with its secret. Each request gets a new header.
struct Authorization {
    scheme: String,
    secret: Secret,
}

impl Authorization {
    fn try_header(&self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let mut header =
            HeaderValue::try_from(format!("{} {}", self.scheme, self.secret.expose()))?;
        // `Debug` output of the request shows `Sensitive`, and HTTP/2 does not index the header.
        header.set_sensitive(true);
        Ok(header)
    }

    fn header(&self) -> HeaderValue {
        self.try_header()
            .expect("the builder already checked this header")
    }
}

/// Returns whether the service itself answered, and not only a proxy or a gateway in front of it.
fn is_answer(result: &Result<http::Response<Bytes>, TransportError>) -> bool {
    match result {
        // Services explain an error in JSON; gateways send a page or nothing.
        Ok(response) => {
            !response.status().is_server_error()
                || serde_json::from_slice::<IgnoredAny>(response.body()).is_ok()
        }
        Err(error) => error.is_body_too_large(),
    }
}

fn finish(
    result: Result<http::Response<Bytes>, TransportError>,
    request_id: Option<String>,
    attempts: u32,
) -> Result<Response, Error> {
    let (parts, body) = result?.into_parts();
    let (status, headers) = (parts.status, parts.headers);
    let response = Response {
        status,
        headers,
        body,
        request_id,
        attempts,
    };
    if status.is_success() {
        Ok(response)
    } else {
        Err(Error::Refused(Box::new(response)))
    }
}

const MAX_WINDOW_WAITS: u32 = 10;
