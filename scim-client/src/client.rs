use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;
use rest_core::{
    BuildError, Call, Clock, Idempotency, Page, Rate, RateLimiter, Response, RetryPolicy, Secret,
    Service, ServiceBuilder, Transport,
};
use scim_types::{Group, ListResponse, ResourceType, Schema, ServiceProviderConfig, User};
use serde::de::DeserializeOwned;

use crate::{
    Dialect, Endpoint, Error, Probe, Resources,
    paging::{List, Pages},
    probe,
    vendor::Scim,
};

/// A client of one SCIM service; clones share the connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    dialect: Dialect,
    pages: Pages,
    max_in_flight: usize,
    service: Service,
}

impl Client {
    /// Returns a builder for a client of the service at `endpoint`.
    pub fn builder(endpoint: &Endpoint, token: Secret) -> ClientBuilder {
        let dialect = Dialect::of(endpoint);
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
            max_in_flight: None,
            reads: None,
            writes: None,
            service,
        }
    }

    /// Returns where this client sends its requests.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Returns what this client takes the service for.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// Asks the service how its lists are paged, and returns a client that does as it says: by cursor where the service can.
    ///
    /// Without it lists are paged as the dialect has it, which for [`Dialect::Generic`] is by index, as every server can. A
    /// server that says nothing about it, AWS among them, is paged as before.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn negotiated(&self) -> Result<Self, Error> {
        let config = self.service_provider_config().await?;
        let Inner {
            endpoint,
            dialect,
            pages,
            max_in_flight,
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
                service: service.clone(),
            }),
        })
    }

    pub(crate) fn pages(&self) -> Pages {
        self.inner.pages
    }

    /// Returns how many requests are on their way at once at most.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.inner.max_in_flight
    }

    /// Returns the calls on users.
    #[must_use]
    pub fn users(&self) -> Resources<'_, User> {
        Resources::new(self)
    }

    /// Returns the calls on groups.
    #[must_use]
    pub fn groups(&self) -> Resources<'_, Group> {
        Resources::new(self)
    }

    /// Returns what the service says it can do.
    ///
    /// # Errors
    ///
    /// [`Error`]; some services answer this without a token, so success proves the URL and no more.
    pub async fn service_provider_config(&self) -> Result<ServiceProviderConfig, Error> {
        self.read(Call::get(["ServiceProviderConfig"])).await
    }

    /// Returns the attributes the service knows, by schema.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn schemas(&self) -> Result<Vec<Schema>, Error> {
        let list: ListResponse<Schema> = self.read(Call::get(["Schemas"])).await?;
        Ok(list.resources)
    }

    /// Returns the kinds of resources the service keeps.
    ///
    /// # Errors
    ///
    /// [`Error`], as every call.
    pub async fn resource_types(&self) -> Result<Vec<ResourceType>, Error> {
        let list: ListResponse<ResourceType> = self.read(Call::get(["ResourceTypes"])).await?;
        Ok(list.resources)
    }

    /// Proves that the endpoint is a SCIM service and takes the token; nothing is written.
    ///
    /// Two requests: for the configuration, which proves the URL, and for one user, which proves the
    /// token too.
    ///
    /// # Errors
    ///
    /// [`Error`], whose [`help`](Error::help) says what to do; a wrong token, and with AWS the tenant
    /// of another, is [`is_unauthorized`](Error::is_unauthorized).
    pub async fn probe(&self) -> Result<Probe, Error> {
        probe::probe(self).await
    }

    /// Reads the page of a list at a place, and says where the next one is.
    pub(crate) async fn page<R: DeserializeOwned>(
        &self,
        list: &List,
        position: Option<&str>,
    ) -> Result<Page<R>, Error> {
        match self.page_as_is(list, position).await {
            Err(error) => match list.fallback(position, &error) {
                Some(list) => self.page_as_is(&list, position).await,
                None => Err(error),
            },
            page => page,
        }
    }

    /// Says whether the first page of a list has anything on it.
    pub(crate) async fn has_any<R: DeserializeOwned>(&self, list: &List) -> Result<bool, Error> {
        let page: Page<R> = self.page(list, None).await?;
        Ok(!page.items.is_empty())
    }

    async fn page_as_is<R: DeserializeOwned>(
        &self,
        list: &List,
        position: Option<&str>,
    ) -> Result<Page<R>, Error> {
        let call = list.call(position)?;
        let operation = call.operation();
        let answer = self.send(call, Idempotency::Idempotent).await?;
        let page: ListResponse<R> = decode(&answer, operation, Idempotency::Idempotent)?;
        let next = list
            .next(position, &page)
            .map_err(|error| error.answered_by(&answer))?;
        Ok(Page {
            items: page.resources,
            next,
        })
    }

    /// Sends a call that reads, and reads its answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let operation = call.operation();
        let answer = self.send(call, Idempotency::Idempotent).await?;
        decode(&answer, operation, Idempotency::Idempotent)
    }

    /// Sends a call, which a lost answer leaves undecided if it is not_idempotent to repeat.
    pub(crate) async fn send(
        &self,
        call: Call,
        idempotency: Idempotency,
    ) -> Result<Response, Error> {
        let operation = call.operation();
        let call = call.accept(ACCEPT).idempotency(idempotency);
        let sent = self.inner.service.send(call).await;
        sent.map_err(|error| Error::from_rest(error, operation, idempotency, self.inner.dialect))
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

/// Collects what a [`Client`] is made of; only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    endpoint: Endpoint,
    dialect: Dialect,
    max_in_flight: Option<usize>,
    reads: Option<RateLimiter>,
    writes: Option<RateLimiter>,
    service: ServiceBuilder,
}

impl ClientBuilder {
    /// Sets what the service is taken for; its host decides unless told otherwise.
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Sets where the time comes from; the system unless told otherwise.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            service: self.service.clock(clock),
            ..self
        }
    }

    /// Sets what carries the requests; HTTP unless told otherwise.
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self {
            service: self.service.transport(transport),
            ..self
        }
    }

    /// Sets how often and how patiently requests are repeated.
    ///
    /// Unless told otherwise it is ten times, half a second to ten seconds apart.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self {
            service: self.service.retry(retry),
            ..self
        }
    }

    /// Sets the `User-Agent` header.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        Self {
            service: self.service.user_agent(user_agent),
            ..self
        }
    }

    /// Sets how many requests are on their way at once; the dialect decides unless told otherwise.
    pub fn max_in_flight(self, max_in_flight: usize) -> Self {
        Self {
            max_in_flight: Some(max_in_flight),
            ..self
        }
    }

    /// Sets how fast requests that only read are sent, repetitions included.
    ///
    /// Unless told otherwise it is what the dialect knows of the server; clients of one server may share a limiter.
    pub fn limit_reads(self, limiter: RateLimiter) -> Self {
        Self {
            reads: Some(limiter),
            ..self
        }
    }

    /// Sets how fast requests that change something are sent, as [`limit_reads`](Self::limit_reads) does for the others.
    pub fn limit_writes(self, limiter: RateLimiter) -> Self {
        Self {
            writes: Some(limiter),
            ..self
        }
    }

    /// Returns the client; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the token or the user agent cannot be sent in a header, or HTTP cannot be set
    /// up on this machine.
    pub fn build(self) -> Result<Client, BuildError> {
        let Self {
            endpoint,
            dialect,
            max_in_flight,
            reads,
            writes,
            service,
        } = self;
        let rules = dialect.rules();
        let known =
            |rate: Option<u32>| rate.map(|rate| RateLimiter::new(Rate::per_second(rate.into())));
        let max_in_flight = max_in_flight.unwrap_or(rules.max_in_flight).max(1);
        let service = service
            .max_in_flight(max_in_flight)
            .limit_reads(reads.or_else(|| known(rules.reads_per_second)))
            .limit_writes(writes.or_else(|| known(rules.writes_per_second)))
            .build()?;
        Ok(Client {
            inner: Arc::new(Inner {
                endpoint,
                pages: Pages::of(dialect),
                dialect,
                max_in_flight,
                service,
            }),
        })
    }
}

/// Reads the body of an answer.
pub(crate) fn decode<T: DeserializeOwned>(
    answer: &Response,
    operation: String,
    idempotency: Idempotency,
) -> Result<T, Error> {
    answer.json().map_err(|source| Error::Body {
        operation,
        status: answer.status(),
        request_id: answer.request_id().map(str::to_owned),
        may_have_acted: idempotency == Idempotency::NotIdempotent,
        source,
    })
}

/// Returns whether an answer has a body to read.
pub(crate) fn has_body(answer: &Response) -> bool {
    answer.status() != StatusCode::NO_CONTENT && !answer.body().trim_ascii().is_empty()
}

// AWS publishes no wait for a throttled request; these are the numbers idp-scim-sync, a program for
// the same job, has lived with.
fn default_retry() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 10,
        base_delay: Duration::from_millis(500),
        max_delay: Duration::from_secs(10),
        ..RetryPolicy::default()
    }
}

/// AWS answers `application/json`, others what RFC 7644 section 3.1 says.
const ACCEPT: &str = "application/scim+json, application/json";

pub(crate) const SCIM_JSON: &str = "application/scim+json";
