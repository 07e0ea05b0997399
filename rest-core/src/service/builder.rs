//! The builder of [`Service`].

use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use super::{Inner, Service};
use crate::{
    Authorizer, BuildError, Clock, HttpOptions, HttpTransport, PlainVendor, RateLimiter,
    RetryPolicy, Secret, SystemClock, Transport, Vendor,
    authorizer::ConstantHeader,
    rate_limit::{Gate, Lane},
};

/// Configures and builds a [`Service`]. Only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ServiceBuilder {
    base: Url,
    authorization: Option<Authorization>,
    user_agent: String,
    transport: Arc<dyn Transport>,
    http: Option<reqwest::ClientBuilder>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    vendor: Arc<dyn Vendor>,
    max_in_flight: usize,
    rate_limit_share: f64,
    reads: Option<RateLimiter>,
    writes: Option<RateLimiter>,
}

#[derive(Debug)]
enum Authorization {
    Constant(String, Secret),
    Authorizer(Arc<dyn Authorizer>),
}

impl ServiceBuilder {
    pub(super) fn new(base: Url) -> Self {
        Self {
            base,
            authorization: None,
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
            transport: Arc::new(HttpTransport::default()),
            http: None,
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            vendor: Arc::new(PlainVendor),
            max_in_flight: MAX_IN_FLIGHT,
            rate_limit_share: 1.0,
            reads: None,
            writes: None,
        }
    }

    /// Sets the scheme and the secret of the `Authorization` header (default: no such header).
    pub fn authorization(mut self, scheme: impl Into<String>, secret: Secret) -> Self {
        self.authorization = Some(Authorization::Constant(scheme.into(), secret));
        self
    }

    /// Sets the authorizer of the requests. It takes the place of a constant
    /// [`authorization`](Self::authorization).
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.authorization = Some(Authorization::Authorizer(authorizer));
        self
    }

    /// Sets the `User-Agent` header (default: the name and version of this crate).
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets the HTTP client, for its proxies, certificates, timeouts and name resolution; see
    /// [`HttpTransport::with_client`]. It takes the place of a transport.
    pub fn http(mut self, client: reqwest::ClientBuilder) -> Self {
        self.http = Some(client);
        self
    }

    /// Sets the transport (default: [`HttpTransport`]).
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Sets the clock (default: [`SystemClock`]).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the retry policy (default: [`RetryPolicy::default`]).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the vendor's conventions (default: [`PlainVendor`]).
    pub fn vendor(mut self, vendor: Arc<dyn Vendor>) -> Self {
        self.vendor = vendor;
        self
    }

    /// Sets the maximum number of concurrent requests (default: 10, minimum: 1). The service may accept
    /// fewer: a refusal for too many of them lowers the number by a quarter, and it then grows by one in 10 s.
    pub fn max_in_flight(mut self, max_in_flight: usize) -> Self {
        self.max_in_flight = max_in_flight;
        self
    }

    /// Sets the share of each limit that the responses report which this service uses, from 0 to 1
    /// (default: 1). At least one request of each window is used.
    pub fn rate_limit_share(mut self, share: f64) -> Self {
        self.rate_limit_share = share;
        self
    }

    /// Sets the rate limiter of read requests, including retries (default: none).
    pub fn limit_reads(mut self, limiter: impl Into<Option<RateLimiter>>) -> Self {
        self.reads = limiter.into();
        self
    }

    /// Sets the rate limiter of write requests, including retries (default: none).
    pub fn limit_writes(mut self, limiter: impl Into<Option<RateLimiter>>) -> Self {
        self.writes = limiter.into();
        self
    }

    /// Builds the service. This sends nothing.
    ///
    /// # Errors
    ///
    /// Fails if the base URL is not valid, or if the secret or the user agent cannot be sent in a
    /// header.
    pub fn build(self) -> Result<Service, BuildError> {
        check_base(&self.base)?;
        let authorizer: Option<Arc<dyn Authorizer>> = match self.authorization {
            Some(Authorization::Constant(scheme, secret)) => {
                Some(Arc::new(ConstantHeader::new(scheme, secret)?))
            }
            Some(Authorization::Authorizer(authorizer)) => Some(authorizer),
            None => None,
        };
        let user_agent = HeaderValue::try_from(self.user_agent).map_err(BuildError::UserAgent)?;
        let transport = match self.http {
            Some(client) => {
                let transport = HttpTransport::with_client(client, HttpOptions::default());
                Arc::new(transport.map_err(BuildError::Http)?)
            }
            None => self.transport,
        };
        let identity = authorizer.as_ref().and_then(|own| own.identity());
        let gate = identity.map_or_else(Arc::default, |identity| {
            let origin = self.base.origin().ascii_serialization();
            Gate::shared(origin, &identity, &*self.clock)
        });
        let inner = Inner {
            base: self.base,
            authorizer,
            user_agent,
            transport,
            clock: self.clock,
            retry: self.retry,
            vendor: self.vendor,
            gate,
            lane: Lane::new(self.max_in_flight, self.rate_limit_share),
            reads: self.reads,
            writes: self.writes,
        };
        Ok(Service {
            inner: Arc::new(inner),
        })
    }
}

fn check_base(base: &Url) -> Result<(), BuildError> {
    let problem = if !matches!(base.scheme(), "http" | "https") {
        "uses neither http nor https"
    } else if !base.username().is_empty() || base.password().is_some() {
        "contains a user name or a password"
    } else if base.query().is_some() || base.fragment().is_some() {
        "contains a query or a fragment"
    } else {
        return Ok(());
    };
    let mut shown = base.clone();
    // Neither call fails for a URL that contains a user name.
    let _ = (shown.set_username(""), shown.set_password(None));
    shown.set_query(None);
    Err(BuildError::Base {
        base: shown.into(),
        problem,
    })
}

// The smallest known limit is 15 concurrent requests for a whole organization, and other clients
// share it.
const MAX_IN_FLIGHT: usize = 10;
