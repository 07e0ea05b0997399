//! The HTTP client of all SDK clients: ours or the caller's, with checks and limits around it.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream, config_bag::ConfigBag};
use futures::future::{Either, select};
use rest_core::{Clock, Reachability, Secret, SystemClock};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::{rate_limit::SlidingWindow, throttling::Throttling};

/// An HTTP client with checks and limits around another one.
///
/// - A request goes to an `https` URL or to this machine. This check is the last one: it also sees
///   the endpoints that the environment and the profile set for one service.
/// - A request is not sent if an earlier call of the same [`Reachability::scope`] found its origin
///   unreachable.
/// - A request, retries included, waits for the rate limiter, which learns of refusals.
/// - A response with a status of success is no HTML page and no error document.
/// - A response arrives as a whole within [`Limits::attempt_timeout`], with no pause longer than
///   [`Limits::stall_timeout`], and has at most [`Limits::max_body`] bytes. The wait for the rate
///   limiter does not count. Both timeouts use the operating system's clock. The SDK's own timeouts
///   would use the configured clock, with which a test moves the time.
///
/// The limits hold for every HTTP client, also for one that the caller brings.
#[derive(Debug, Clone)]
pub(crate) struct CheckedClient {
    pub(crate) client: SharedHttpClient,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limiter: Option<SlidingWindow>,
    pub(crate) limits: Limits,
}

/// The limits of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Maximum time from the request to the end of the response.
    pub(crate) attempt_timeout: Duration,
    /// Maximum time without a byte of the response.
    pub(crate) stall_timeout: Duration,
    /// Maximum size of a response in bytes.
    pub(crate) max_body: usize,
    /// The clock of the timeouts.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_mins(1),
            // The slowest calls of this crate take a few seconds, so 30 seconds without data mean a
            // dead connection.
            stall_timeout: Duration::from_secs(30),
            // The pages of this crate's lists have some hundred kilobytes.
            max_body: 16 * 1024 * 1024,
            clock: Arc::new(SystemClock),
        }
    }
}

impl HttpClient for CheckedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(CheckedConnector {
            connector: self.client.http_connector(settings, components),
            clock: Arc::clone(&self.clock),
            limiter: self.limiter.clone(),
            limits: self.limits.clone(),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.client, components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.client, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct CheckedConnector {
    connector: SharedHttpConnector,
    clock: Arc<dyn Clock>,
    limiter: Option<SlidingWindow>,
    limits: Limits,
}

impl HttpConnector for CheckedConnector {
    /// Requests are signed before they wait. AWS refuses signatures that are older than five
    /// minutes. At 2 calls per second, the lowest limit, a request waits five minutes behind 600 other
    /// requests, so keep fewer calls in flight.
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Err(error) = check_url(request.uri()) {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        }
        let (connector, clock) = (self.connector.clone(), Arc::clone(&self.clock));
        let (limiter, limits) = (self.limiter.clone(), self.limits.clone());
        HttpConnectorFuture::new(async move {
            let origin = origin(request.uri());
            Reachability::check(&origin).map_err(|error| ConnectorError::user(error.into()))?;
            if let Some(limiter) = &limiter {
                limiter.acquire(clock.as_ref()).await;
            }
            let round_trip = clock.round_trip();
            if !round_trip.is_zero() {
                clock.sleep(round_trip).await;
            }
            let _hold = clock.hold();
            let secrets = secrets(&request);
            let attempt = async {
                let response = limits.without_stall(connector.call(request)).await?;
                let mut response = read_body(response, &limits).await?;
                check_success(&response)?;
                redact(&mut response, &secrets);
                Ok(response)
            };
            let result = limits.within(attempt).await;
            if let (Some(limiter), Ok(response)) = (&limiter, &result)
                && Throttling::of(response) == Some(Throttling::Rate)
            {
                limiter.refused(clock.elapsed());
            }
            Attempts::add(origin, &result);
            result
        })
    }
}

/// Reads the whole body of a response.
async fn read_body(
    mut response: HttpResponse,
    limits: &Limits,
) -> Result<HttpResponse, ConnectorError> {
    if response.body().bytes().is_some() {
        return Ok(response);
    }
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    let max_body = limits.max_body;
    loop {
        let chunk = async {
            let chunk = stream.try_next().await;
            chunk.map_err(|error| ConnectorError::io(error.into()))
        };
        let Some(chunk) = limits.without_stall(chunk).await? else {
            break;
        };
        if body.len() + chunk.len() > max_body {
            let error = LimitExceeded::Size { max_body };
            return Err(ConnectorError::other(error.into(), None));
        }
        body.extend_from_slice(&chunk);
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

/// Returns the secrets of a request, except those that only its signature contains.
fn secrets(request: &HttpRequest) -> Vec<Secret> {
    let headers = SECRET_HEADERS.iter();
    let headers = headers.filter_map(|name| request.headers().get(*name));
    let body = request.body().bytes().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let fields = SECRET_FIELDS.iter();
    let fields = fields.filter_map(|name| body.get(*name)?.as_str());
    headers.chain(fields).map(Secret::new).collect()
}

/// Removes secrets from the response of a refused request. The texts of such a response get into errors.
fn redact(response: &mut HttpResponse, secrets: &[Secret]) {
    if response.status().is_success() {
        return;
    }
    for secret in secrets {
        let body = response.body().bytes().unwrap_or_default();
        if let Cow::Owned(redacted) = secret.redact(body) {
            *response.body_mut() = SdkBody::from(redacted);
        }
    }
}

const SECRET_HEADERS: [&str; 2] = ["x-amz-security-token", "x-amz-sso_bearer_token"];
/// The fields of requests to `sso-oidc` that are secrets.
const SECRET_FIELDS: [&str; 3] = ["clientSecret", "deviceCode", "refreshToken"];

/// Fails if a response with a status of success is the page of a proxy or an error.
///
/// The SDK ignores the body of an operation without output, and fields that it does not know. It would take such a response
/// for a write that was carried out, or for an empty list. A JSON object is no page, also if its content type says so: moto sends
/// all its answers as `text/html`.
fn check_success(response: &HttpResponse) -> Result<(), ConnectorError> {
    #[derive(Deserialize)]
    struct ErrorType {
        #[serde(rename = "__type")]
        _type: IgnoredAny,
    }
    let status = response.status();
    if !status.is_success() {
        return Ok(());
    }
    let content_type = response.headers().get("content-type").unwrap_or_default();
    let body = response.body().bytes().unwrap_or_default();
    let is_page = content_type.starts_with("text/html")
        && serde_json::from_slice::<Map<String, Value>>(body).is_err();
    if is_page || serde_json::from_slice::<ErrorType>(body).is_ok() {
        return Err(ConnectorError::other(
            ForeignResponse(status.as_u16()).into(),
            None,
        ));
    }
    Ok(())
}

impl Limits {
    /// Fails if `attempt` takes too long.
    async fn within<T>(
        &self,
        attempt: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        let timeout = self.attempt_timeout;
        self.or_after(timeout, attempt, LimitExceeded::Time { timeout })
            .await
    }

    /// Fails if the next part of a response takes too long.
    async fn without_stall<T>(
        &self,
        part: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        let timeout = self.stall_timeout;
        self.or_after(timeout, part, LimitExceeded::Stall { timeout })
            .await
    }

    async fn or_after<T>(
        &self,
        timeout: Duration,
        work: impl Future<Output = Result<T, ConnectorError>>,
        error: LimitExceeded,
    ) -> Result<T, ConnectorError> {
        match select(pin!(work), self.clock.sleep(timeout)).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(ConnectorError::timeout(error.into())),
        }
    }
}

/// The attempts of one call.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// The origin of the last attempt; `None` before the first one.
    origin: Option<String>,
    /// Whether an attempt got a response with another status than 5xx, or a response over a limit.
    answered: bool,
    number: u32,
}

tokio::task_local! {
    static ATTEMPTS: Arc<Mutex<Attempts>>;
}

impl Attempts {
    /// Runs a call and returns its attempts besides its result.
    pub(crate) async fn observe<F: Future>(call: F) -> (F::Output, Self) {
        let attempts = Arc::new(Mutex::new(Self::default()));
        let result = ATTEMPTS.scope(Arc::clone(&attempts), call).await;
        let attempts = std::mem::take(&mut *lock(&attempts));
        (result, attempts)
    }

    fn add(origin: String, result: &Result<HttpResponse, ConnectorError>) {
        let answered = match result {
            Ok(response) => response.status().as_u16() < 500,
            Err(error) => !error.is_io() && !error.is_timeout(),
        };
        // A call through `Aws::sdk` is not observed.
        let _ = ATTEMPTS.try_with(|attempts| {
            let mut attempts = lock(attempts);
            attempts.origin = Some(origin);
            attempts.answered |= answered;
            attempts.number += 1;
        });
    }

    /// Returns the origin of the call, if several attempts were sent and none of them was answered.
    ///
    /// One attempt is no sign that the service is down: the write of an assignment has only one, and its
    /// lost response is then looked up.
    pub(crate) fn without_answer(&self) -> Option<&str> {
        let is_unanswered = !self.answered && self.number > 1;
        self.origin.as_deref().filter(|_| is_unanswered)
    }
}

fn lock(attempts: &Mutex<Attempts>) -> MutexGuard<'_, Attempts> {
    attempts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the origin of a URL that was already checked.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// The error of a response with this status of success that is not an answer of AWS to the call.
#[derive(Debug, Clone)]
pub(crate) struct ForeignResponse(pub(crate) u16);

impl fmt::Display for ForeignResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the response is the page of a proxy or an error, although its status means success",
        )
    }
}

impl std::error::Error for ForeignResponse {}

#[derive(Debug)]
enum LimitExceeded {
    Time { timeout: Duration },
    Stall { timeout: Duration },
    Size { max_body: usize },
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { timeout } => write!(
                f,
                "the response did not arrive completely within {} s",
                timeout.as_secs_f64()
            ),
            Self::Stall { timeout } => {
                write!(f, "no data arrived for {} s", timeout.as_secs_f64())
            }
            Self::Size { max_body } => {
                write!(f, "the response has more than {max_body} bytes")
            }
        }
    }
}

impl std::error::Error for LimitExceeded {}

/// Fails if responses from this URL, which contain credentials, could be read on the way.
///
/// The message contains the host only: a URL may contain a user name and a password.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| format!("an endpoint is not a URL: {error}"))?;
    if url.scheme() == "https" || is_loopback(&url) {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default();
    Err(format!(
        "the endpoint override for `{host}` is neither https nor on this machine"
    ))
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
