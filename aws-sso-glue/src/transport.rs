//! The HTTP client of all SDK clients: ours or the caller's, with checks and limits around it.

use std::{fmt, future::Future, pin::pin, sync::Arc, time::Duration};

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
use rest_core::{Clock, RateLimiter, SystemClock};
use url::{Host, Url};

/// An HTTP client with checks and limits around another one.
///
/// - A request goes to an `https` URL or to this machine. This check is the last one: it also sees
///   the endpoints that the environment and the profile set for one service.
/// - A request, retries included, waits for the rate limiter.
/// - A response arrives as a whole within [`Limits::attempt_timeout`] of operating-system time, and
///   has at most [`Limits::max_body`] bytes. The SDK's own timeouts would use the configured clock,
///   with which a test moves the time.
#[derive(Debug, Clone)]
pub(crate) struct CheckedClient {
    pub(crate) client: SharedHttpClient,
    pub(crate) limiter: Option<Limiter>,
    pub(crate) limits: Limits,
}

/// A rate limiter with the clock that it waits with.
#[derive(Debug, Clone)]
pub(crate) struct Limiter {
    pub(crate) bucket: RateLimiter,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The limits of one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_mins(1),
            // The pages of this crate's lists have some hundred kilobytes.
            max_body: 16 * 1024 * 1024,
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
            limiter: self.limiter.clone(),
            limits: self.limits,
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
    limiter: Option<Limiter>,
    limits: Limits,
}

impl HttpConnector for CheckedConnector {
    /// Requests are signed before they wait. AWS refuses signatures that are older than five
    /// minutes. At 15 calls per second, a request waits five minutes behind 4,500 other requests, so
    /// keep fewer calls in flight.
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Err(error) = check_url(request.uri()) {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        }
        let (connector, limiter, limits) =
            (self.connector.clone(), self.limiter.clone(), self.limits);
        HttpConnectorFuture::new(async move {
            if let Some(limiter) = limiter {
                limiter.bucket.acquire(limiter.clock.as_ref()).await;
            }
            let attempt = async {
                let response = connector.call(request).await?;
                read_body(response, limits.max_body).await
            };
            within(limits.attempt_timeout, attempt).await
        })
    }
}

/// Reads the whole body of a response.
async fn read_body(
    mut response: HttpResponse,
    max_body: usize,
) -> Result<HttpResponse, ConnectorError> {
    if response.body().bytes().is_some() {
        return Ok(response);
    }
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    while let Some(chunk) = stream
        .try_next()
        .await
        .map_err(|error| ConnectorError::io(error.into()))?
    {
        if body.len() + chunk.len() > max_body {
            let error = LimitExceeded::Size { max_body };
            return Err(ConnectorError::other(error.into(), None));
        }
        body.extend_from_slice(&chunk);
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

async fn within<T>(
    timeout: Duration,
    attempt: impl Future<Output = Result<T, ConnectorError>>,
) -> Result<T, ConnectorError> {
    match select(pin!(attempt), SystemClock.sleep(timeout)).await {
        Either::Left((result, _)) => result,
        Either::Right(((), _)) => Err(ConnectorError::timeout(
            LimitExceeded::Time { timeout }.into(),
        )),
    }
}

#[derive(Debug)]
enum LimitExceeded {
    Time { timeout: Duration },
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
