//! Setting up a service.

use std::sync::{Arc, Mutex};

use http::HeaderValue;
use tokio::sync::Semaphore;
use url::Url;

use super::{Authorization, Inner, Service};
use crate::{
    BuildError, Clock, HttpTransport, PlainVendor, RateLimiter, RetryPolicy, Secret, SystemClock,
    Transport, Vendor,
};

/// Collects what a [`Service`] is made of; only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ServiceBuilder {
    base: Url,
    authorization: Option<(String, Secret)>,
    user_agent: String,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    vendor: Arc<dyn Vendor>,
    max_in_flight: usize,
    reads: Option<RateLimiter>,
    writes: Option<RateLimiter>,
}

impl ServiceBuilder {
    pub(super) fn new(base: Url) -> Self {
        Self {
            base,
            authorization: None,
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
            transport: Arc::new(HttpTransport::default()),
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            vendor: Arc::new(PlainVendor),
            max_in_flight: MAX_IN_FLIGHT,
            reads: None,
            writes: None,
        }
    }

    /// Sets the scheme and the secret of the `Authorization` header; without, there is none.
    pub fn authorization(mut self, scheme: impl Into<String>, secret: Secret) -> Self {
        self.authorization = Some((scheme.into(), secret));
        self
    }

    /// Sets the `User-Agent` header.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets what carries the requests; an [`HttpTransport`] unless told otherwise.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Sets where the time comes from; the [`SystemClock`] unless told otherwise.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how often and how patiently requests are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how the service speaks about limits and refusals.
    pub fn vendor(mut self, vendor: Arc<dyn Vendor>) -> Self {
        self.vendor = vendor;
        self
    }

    /// Limits how many requests are on their way at once; 10 unless told otherwise, at least 1.
    pub fn max_in_flight(mut self, max_in_flight: usize) -> Self {
        self.max_in_flight = max_in_flight;
        self
    }

    /// Sets what keeps requests that only read in step, repetitions included; nothing unless told otherwise.
    pub fn limit_reads(mut self, limiter: impl Into<Option<RateLimiter>>) -> Self {
        self.reads = limiter.into();
        self
    }

    /// Sets what keeps requests that change something in step, repetitions included; nothing unless told otherwise.
    pub fn limit_writes(mut self, limiter: impl Into<Option<RateLimiter>>) -> Self {
        self.writes = limiter.into();
        self
    }

    /// Returns the service; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the base address is not one, or if the secret or the user agent cannot be
    /// sent in a header.
    pub fn build(self) -> Result<Service, BuildError> {
        check_base(&self.base)?;
        let authorization = self.authorization.map(check_authorization).transpose()?;
        let user_agent = HeaderValue::try_from(self.user_agent).map_err(BuildError::UserAgent)?;
        let inner = Inner {
            base: self.base,
            authorization,
            user_agent,
            transport: self.transport,
            clock: self.clock,
            retry: self.retry,
            vendor: self.vendor,
            windows: Mutex::default(),
            reads: self.reads,
            writes: self.writes,
            in_flight: Semaphore::new(self.max_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
        };
        Ok(Service {
            inner: Arc::new(inner),
        })
    }
}

fn check_base(base: &Url) -> Result<(), BuildError> {
    let problem = if !matches!(base.scheme(), "http" | "https") {
        "is neither http nor https"
    } else if !base.username().is_empty() || base.password().is_some() {
        "has a user name or a password in it"
    } else if base.query().is_some() || base.fragment().is_some() {
        "has a query or a fragment"
    } else {
        return Ok(());
    };
    let mut shown = base.clone();
    // Neither can fail where there is a user name to be removed.
    let _ = (shown.set_username(""), shown.set_password(None));
    shown.set_query(None);
    Err(BuildError::Base {
        base: shown.into(),
        problem,
    })
}

fn check_authorization((scheme, secret): (String, Secret)) -> Result<Authorization, BuildError> {
    if secret.expose().is_empty() {
        return Err(BuildError::Secret {
            problem: "is empty",
        });
    }
    let authorization = Authorization { scheme, secret };
    let whitespace = authorization.secret.expose().contains(char::is_whitespace);
    // The header's own error is left out: it could show what it could not read.
    if whitespace || authorization.try_header().is_err() {
        return Err(BuildError::Secret {
            problem: "has a space, a line break or another character that a header cannot carry",
        });
    }
    Ok(authorization)
}

// The smallest limit on parallel requests met so far is 15 for a whole organization, which others
// want to use as well.
const MAX_IN_FLIGHT: usize = 10;
