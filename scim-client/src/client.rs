//! The client of a SCIM service, and its builder.

use std::{fmt, sync::Arc, time::Duration};

use futures::FutureExt;
use rest_core::{
    BuildError, Call, Clock, Idempotency, ItemError, Page, Pager, Rate, RateLimiter, Response,
    RetryPolicy, Secret, Service, ServiceBuilder, Transport,
};
use scim_types::{ListResponse, ResourceType, Schema, ServiceProviderConfig};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::value::RawValue;

use crate::{
    Dialect, Endpoint, Error,
    paging::{List, Pages},
    text::single_line,
    vendor::Scim,
};

/// A client for one SCIM service.
///
/// Clones share the connections and the rate limiters.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    dialect: Dialect,
    pages: Pages,
    max_in_flight: usize,
    token_fingerprint: String,
    service: Service,
}

impl Client {
    /// Returns a builder for a client of the service at `endpoint`.
    pub fn builder(endpoint: &Endpoint, token: Secret) -> ClientBuilder {
        let dialect = Dialect::of(endpoint);
        let token_fingerprint = token.fingerprint();
        let service = Service::builder(endpoint.url().clone())
            .authorization("Bearer", token)
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
            .vendor(Arc::new(Scim))
            .retry(default_retry());
        ClientBuilder {
            endpoint: endpoint.clone(),
            dialect,
            token_fingerprint,
            max_in_flight: None,
            reads: None,
            writes: None,
            service,
        }
    }

    /// Returns the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Returns the [fingerprint](Secret::fingerprint) of the token, which tells whether the token is another one than an
    /// earlier client had.
    #[must_use]
    pub fn token_fingerprint(&self) -> &str {
        &self.inner.token_fingerprint
    }

    /// Returns the dialect.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// Reads the service's pagination settings, and returns a client that uses them.
    ///
    /// The returned client paginates by cursor if the service supports it. Without this call, the
    /// dialect defines the pagination; [`Dialect::Generic`] paginates by index, which every server
    /// supports. If the service reports no pagination settings, as AWS does, nothing changes.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn negotiated(&self) -> Result<Self, Error> {
        let config = self.service_provider_config().await?;
        let Inner {
            endpoint,
            dialect,
            pages,
            max_in_flight,
            token_fingerprint,
            service,
        } = &*self.inner;
        Ok(Self {
            inner: Arc::new(Inner {
                endpoint: endpoint.clone(),
                dialect: *dialect,
                pages: config
                    .pagination
                    .map_or(*pages, |pagination| pages.with_server_limits(&pagination)),
                max_in_flight: *max_in_flight,
                token_fingerprint: token_fingerprint.clone(),
                service: service.clone(),
            }),
        })
    }

    pub(crate) fn pages(&self) -> Pages {
        self.inner.pages
    }

    /// Returns the maximum number of concurrent requests.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.inner.max_in_flight
    }

    /// Returns the capabilities that the service reports.
    ///
    /// Some services answer this call without a token, so success verifies only the URL.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn service_provider_config(&self) -> Result<ServiceProviderConfig, Error> {
        self.read(Call::get(["ServiceProviderConfig"])).await
    }

    /// Lists the schemas that the service supports, with their attributes.
    pub fn schemas(&self) -> Pager<Schema, Error> {
        self.unpaginated("Schemas")
    }

    /// Lists the resource types that the service supports.
    pub fn resource_types(&self) -> Pager<ResourceType, Error> {
        self.unpaginated("ResourceTypes")
    }

    /// Sends any call, and returns the response if its status is 2xx.
    ///
    /// Use it for a call that this crate has no function for. The call is authorized, rate-limited
    /// and retried like the calls of this crate, and a link to another origin is not followed. The
    /// dialect's rules are not checked. The `Accept` header is always the one that SCIM needs.
    ///
    /// ```
    /// # use sandbox::{Sandbox, Stage};
    /// use scim_client::{Call, Client, Endpoint, Secret};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let aws = Sandbox::builder().stage(Stage::Federated).start().await?;
    /// # let shown = aws.console().enable_automatic_provisioning()?;
    /// # let (url, token) = (shown.scim_endpoint, shown.access_token);
    /// let scim = Client::builder(&Endpoint::parse(&url)?, Secret::new(token)).build()?;
    /// let response = scim.send(Call::get(["ServiceProviderConfig"])).await?;
    /// let config: serde_json::Value = response.json()?;
    /// assert_eq!(config["patch"]["supported"], true);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the call is invalid, if no response arrives, or if the status is not 2xx. If the
    /// response to any method except `GET` or `HEAD` is lost, [`Error::may_have_acted`] is true.
    pub async fn send(&self, call: Call) -> Result<Response, Error> {
        let (operation, idempotency) = (single_line(&call.operation()), call.idempotency());
        let sent = self.inner.service.send(call.accept(ACCEPT)).await;
        sent.map_err(|error| Error::from_rest(error, operation, idempotency, self.inner.dialect))
    }

    /// Returns the pager of a list that servers return whole, without pagination (RFC 7644 section 4).
    fn unpaginated<T: DeserializeOwned>(&self, endpoint: &'static str) -> Pager<T, Error> {
        let client = self.clone();
        Pager::new(format!("GET /{endpoint}"), move |_| {
            let client = client.clone();
            async move {
                let call = Call::get([endpoint]);
                let operation = call.operation();
                let response = client.exchange(call, Idempotency::Idempotent).await?;
                let page: ListResponse<&RawValue> =
                    decode(&response, operation.clone(), Idempotency::Idempotent)?;
                let found = page.resources.len() as u64;
                match page.total_results {
                    Some(total) if total > found => Err(Error::ShortList {
                        operation,
                        found,
                        total,
                        request_id: response.request_id().map(str::to_owned),
                    }),
                    _ => Ok(Page {
                        items: read_items(page.resources),
                        next: None,
                    }),
                }
            }
            .boxed()
        })
    }

    /// Reads the page of a list at a position. The returned page contains the next position.
    pub(crate) async fn page<R: DeserializeOwned>(
        &self,
        list: &List,
        position: Option<&str>,
    ) -> Result<Page<R>, Error> {
        match self.request_page(list, position).await {
            Err(error) => match list.fallback(position, &error) {
                Some(list) => self.request_page(&list, position).await,
                None => Err(error),
            },
            page => page,
        }
    }

    /// Returns whether the first page of a list has any item.
    pub(crate) async fn has_any(&self, list: &List) -> Result<bool, Error> {
        let page: Page<IgnoredAny> = self.page(list, None).await?;
        Ok(!page.items.is_empty())
    }

    /// Reads a page without the fallback to pagination by index.
    async fn request_page<R: DeserializeOwned>(
        &self,
        list: &List,
        position: Option<&str>,
    ) -> Result<Page<R>, Error> {
        let call = list.call(position)?;
        let operation = call.operation();
        let response = self.exchange(call, Idempotency::Idempotent).await?;
        // The items stay raw at first, so that one item that cannot be read does not break the page.
        let page: ListResponse<&RawValue> = decode(&response, operation, Idempotency::Idempotent)?;
        let next = list
            .next(position, &page)
            .map_err(|error| error.with_request_id(&response))?;
        Ok(Page {
            items: read_items(page.resources),
            next,
        })
    }

    /// Sends a call that only reads, and decodes the response.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let operation = single_line(&call.operation());
        let response = self.exchange(call, Idempotency::Idempotent).await?;
        decode(&response, operation, Idempotency::Idempotent)
    }

    /// Sends a call of this crate.
    ///
    /// If the call is not idempotent and its response is lost, [`Error::may_have_acted`] is true.
    pub(crate) async fn exchange(
        &self,
        call: Call,
        idempotency: Idempotency,
    ) -> Result<Response, Error> {
        self.send(call.with_idempotency(idempotency)).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            endpoint, dialect, ..
        } = &*self.inner;
        let mut debug = formatter.debug_struct("Client");
        debug
            .field("endpoint", endpoint)
            .field("dialect", dialect)
            .finish_non_exhaustive()
    }
}

/// Configures and builds a [`Client`]. Only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    endpoint: Endpoint,
    dialect: Dialect,
    token_fingerprint: String,
    max_in_flight: Option<usize>,
    reads: Option<RateLimiter>,
    writes: Option<RateLimiter>,
    service: ServiceBuilder,
}

impl ClientBuilder {
    /// Sets the dialect (default: the result of [`Dialect::of`]).
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Sets the clock (default: the operating system's clock).
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            service: self.service.clock(clock),
            ..self
        }
    }

    /// Sets the HTTP client, for its proxies, certificates, timeouts and name resolution; see
    /// [`HttpTransport::with_client`](rest_core::HttpTransport::with_client). It takes the place of a
    /// transport.
    pub fn http(self, client: reqwest::ClientBuilder) -> Self {
        Self {
            service: self.service.http(client),
            ..self
        }
    }

    /// Sets the transport (default: HTTP).
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self {
            service: self.service.transport(transport),
            ..self
        }
    }

    /// Sets the retry policy (default: 10 attempts, with a backoff from 0.5 s up to 10 s).
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self {
            service: self.service.retry(retry),
            ..self
        }
    }

    /// Sets the `User-Agent` header (default: the name and version of this crate).
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        Self {
            service: self.service.user_agent(user_agent),
            ..self
        }
    }

    /// Sets the maximum number of concurrent requests (default: from the dialect).
    pub fn max_in_flight(self, max_in_flight: usize) -> Self {
        Self {
            max_in_flight: Some(max_in_flight),
            ..self
        }
    }

    /// Sets the rate limiter of read requests, including retries (default: the dialect's rate).
    ///
    /// Several clients of one server may share a limiter.
    pub fn limit_reads(self, limiter: RateLimiter) -> Self {
        Self {
            reads: Some(limiter),
            ..self
        }
    }

    /// Sets the rate limiter of write requests, including retries (default: the dialect's rate).
    ///
    /// Several clients of one server may share a limiter.
    pub fn limit_writes(self, limiter: RateLimiter) -> Self {
        Self {
            writes: Some(limiter),
            ..self
        }
    }

    /// Builds the client. This sends nothing.
    ///
    /// # Errors
    ///
    /// Fails if the token or the user agent cannot be sent in a header.
    pub fn build(self) -> Result<Client, BuildError> {
        let Self {
            endpoint,
            dialect,
            token_fingerprint,
            max_in_flight,
            reads,
            writes,
            service,
        } = self;
        let rules = dialect.rules();
        let limiter =
            |rate: Option<u32>| rate.map(|rate| RateLimiter::new(Rate::per_second(rate.into())));
        let max_in_flight = max_in_flight.unwrap_or(rules.max_in_flight).max(1);
        let service = service
            .max_in_flight(max_in_flight)
            .limit_reads(reads.or_else(|| limiter(rules.reads_per_second)))
            .limit_writes(writes.or_else(|| limiter(rules.writes_per_second)))
            .build()?;
        Ok(Client {
            inner: Arc::new(Inner {
                endpoint,
                pages: Pages::for_dialect(dialect),
                dialect,
                max_in_flight,
                token_fingerprint,
                service,
            }),
        })
    }
}

/// Decodes the body of a response.
pub(crate) fn decode<'r, T: Deserialize<'r>>(
    response: &'r Response,
    operation: String,
    idempotency: Idempotency,
) -> Result<T, Error> {
    serde_json::from_slice(response.body()).map_err(|source| Error::Body {
        operation,
        status: response.status().as_u16(),
        request_id: response.request_id().map(str::to_owned),
        may_have_acted: idempotency == Idempotency::NotIdempotent,
        source,
    })
}

/// Decodes each item of a page.
fn read_items<T: DeserializeOwned>(items: Vec<&RawValue>) -> Vec<Result<T, ItemError>> {
    let read = |raw: &RawValue| {
        serde_json::from_str(raw.get()).map_err(|source| ItemError::new(raw.get(), source))
    };
    items.into_iter().map(read).collect()
}

/// Returns whether a response has a body to decode.
pub(crate) fn has_body(response: &Response) -> bool {
    response.status().as_u16() != 204 && !response.body().trim_ascii().is_empty()
}

// AWS does not document the wait after a throttled request. These values are from
// idp-scim-sync, a program with the same purpose, where they have worked in practice.
fn default_retry() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 10,
        base_delay: Duration::from_millis(500),
        max_delay: Duration::from_secs(10),
        ..RetryPolicy::default()
    }
}

/// AWS answers with `application/json`; other servers use the type of RFC 7644 section 3.1.
const ACCEPT: &str = "application/scim+json, application/json";

pub(crate) const SCIM_JSON: &str = "application/scim+json";
