//! The service client: authorizes, rate-limits, sends and retries requests.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header::USER_AGENT};
use serde::de::IgnoredAny;
use tracing::debug;
use url::Url;

use crate::{
    Attempt, AttemptResult, Authorizer, Call, Clock, Error, Inspection, LimitWait, RateLimiter,
    Reachability, Reached, Response, RetryDecision, RetryPolicy, Transport, TransportError, Vendor,
    rate_limit::{Gate, Lane, Outcome, end_of_wait},
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
    /// Each attempt first waits for the [`RateLimiter`], if one is set. It then waits for its turn: for the
    /// maximum number of concurrent requests, and for the next rate-limit window if the requests in
    /// flight may use up the current one. After a failed attempt, [`RetryPolicy::decide`] decides
    /// whether to retry. Waits of 1 s and more for a limit are events of the crate `tracing` (level:
    /// info), with the time at which the wait ends. Dropping the future cancels the call; the server may have
    /// processed the request nevertheless.
    ///
    /// The [`Authorizer`] adds a credential to each attempt, and may ask to send the request again at
    /// once with another credential, at most twice in an attempt.
    ///
    /// # Errors
    ///
    /// - [`Error::Request`] if the request is invalid; nothing was sent.
    /// - [`Error::Authorization`] if the [`Authorizer`] has no credential for an attempt, which is then
    ///   not sent.
    /// - [`Error::Unreachable`] if an earlier call of the same [`Reachability::scope`] found the
    ///   service unreachable; nothing was sent.
    /// - [`Error::RateLimited`] if a rate limit is used up for longer than [`RetryPolicy::max_wait`]; nothing
    ///   was sent.
    /// - [`Error::Transport`] if the last attempt got no usable response.
    /// - [`Error::Refused`] if the status of the last response is not 2xx. This includes redirects.
    pub async fn send(&self, call: Call) -> Result<Response, Error> {
        let inner = &*self.inner;
        let idempotency = call.idempotency();
        let (url, mut request) = call.prepare(&inner.base)?;
        request
            .headers_mut()
            .insert(USER_AGENT, inner.user_agent.clone());
        let origin = inner.base.origin().ascii_serialization();
        Reachability::check(&origin)?;
        let path = inner.relative(&url);
        let bucket = inner.vendor.bucket(request.method(), &path);
        let report = |limit: &str, wait| LimitWait::report(&origin, limit, wait, &*inner.clock);
        let mut first_id = None;
        let mut number = 1;
        // The number of times that the authorizer had this attempt sent again.
        let mut resent = 0;
        let mut answered = false;
        let mut waited = Duration::ZERO;
        let limiter = inner.limiter_for(request.method());
        loop {
            if let Some(authorizer) = &inner.authorizer {
                authorizer.prepare().await.map_err(Error::Authorization)?;
            }
            if let Some(limiter) = limiter {
                limiter.acquire(&*inner.clock).await;
            }
            let max_wait = inner.retry.max_wait.saturating_sub(waited);
            let (lane, clock) = (&inner.lane, &*inner.clock);
            let pass = inner
                .gate
                .pass(lane, bucket.as_deref(), max_wait, clock, &report);
            let permit = pass.await.map_err(|wait| Error::RateLimited {
                until: end_of_wait(inner.clock.now(), wait),
            })?;
            // Another call may have found the service unreachable meanwhile.
            if number == 1 {
                Reachability::check(&origin)?;
            }
            let mut copy = request.clone();
            if number > 1 {
                let marks = inner.vendor.retry_headers(first_id.as_deref(), number - 1);
                copy.headers_mut().extend(marks);
            }
            let (result, inspection) = inner.exchange(copy, resent).await?;
            answered |= is_answer(&result);
            permit.end(inner.outcome(&result), inner.clock.elapsed());
            let attempt_result = inner.attempt_result(&result);
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
                ?inspection,
                "request"
            );
            if inspection == Inspection::SendAgain {
                resent += 1;
                continue;
            }
            resent = 0;
            let attempt = Attempt {
                number,
                result: attempt_result,
                idempotency,
                waited,
            };
            match inner.retry.decide(attempt, fastrand::f64()) {
                RetryDecision::Retry { delay } => {
                    if let AttemptResult::Throttled { wait: Some(_) }
                    | AttemptResult::ServerFailed { wait: Some(_) } = attempt_result
                    {
                        waited += delay;
                        report(&path, delay);
                    }
                    inner.clock.sleep(delay).await;
                }
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
    authorizer: Option<Arc<dyn Authorizer>>,
    user_agent: HeaderValue,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    vendor: Arc<dyn Vendor>,
    gate: Arc<Gate>,
    lane: Arc<Lane>,
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

    /// Authorizes and sends one request. [`Call::prepare`] has already checked its origin.
    async fn exchange(
        &self,
        mut request: Request<Bytes>,
        resent: u32,
    ) -> Result<(Exchanged, Inspection), Error> {
        let secrets = match &self.authorizer {
            Some(authorizer) => authorizer
                .authorize(&mut request)
                .await
                .map_err(Error::Authorization)?,
            None => Vec::new(),
        };
        let result = self.transmit(request).await;
        let inspection = match (&self.authorizer, &result) {
            (Some(authorizer), Ok(response)) => authorizer.inspect(&secrets, resent, response),
            _ => Inspection::Keep,
        };
        // A service or a proxy may repeat a secret, and its text gets into errors.
        let result = result.map(|response| {
            secrets.iter().fold(response, |response, secret| {
                response.map(|body| match secret.redact(&body) {
                    Cow::Borrowed(_) => body,
                    Cow::Owned(redacted) => redacted.into(),
                })
            })
        });
        Ok(match inspection {
            Inspection::SendAgain if resent < MAX_RESENDS => (result, inspection),
            _ => (result, Inspection::Keep),
        })
    }

    async fn transmit(&self, request: Request<Bytes>) -> Exchanged {
        let round_trip = self.clock.round_trip();
        if !round_trip.is_zero() {
            self.clock.sleep(round_trip).await;
        }
        let _hold = self.clock.hold();
        self.transport.send(request).await
    }

    fn attempt_result(&self, result: &Exchanged) -> AttemptResult {
        match result {
            Ok(response) => self.vendor.attempt_result(response, self.clock.now()),
            Err(error) if error.is_body_too_large() => AttemptResult::Done,
            Err(error) => match error.reached() {
                Reached::NotSent => AttemptResult::NotSent,
                Reached::MaybeSent => AttemptResult::MaybeSent,
            },
        }
    }

    /// Returns what the result of a request says about the rate limits.
    fn outcome(&self, result: &Result<http::Response<Bytes>, TransportError>) -> Outcome {
        match result {
            Err(_) => Outcome::Lost,
            Ok(response) if self.vendor.is_too_many_in_flight(response) => Outcome::TooManyInFlight,
            Ok(response) => Outcome::Answered(self.vendor.rate_limit(response, self.clock.now())),
        }
    }
}

/// The response to one request, or the error of its transport.
type Exchanged = Result<http::Response<Bytes>, TransportError>;

/// Returns whether the service itself answered, and not only a proxy or a gateway in front of it.
fn is_answer(result: &Exchanged) -> bool {
    match result {
        // Services explain an error in JSON; gateways send a page or nothing.
        Ok(response) => {
            !response.status().is_server_error()
                || serde_json::from_slice::<IgnoredAny>(response.body()).is_ok()
        }
        Err(error) => error.is_body_too_large(),
    }
}

fn finish(result: Exchanged, request_id: Option<String>, attempts: u32) -> Result<Response, Error> {
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

// An authorizer may have to correct two things, such as the time and the nonce of a proof.
const MAX_RESENDS: u32 = 2;
