//! The fetcher: decides between cache and request, and keeps the cache file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    StatusCode,
    header::{ACCEPT, HeaderValue},
};
use rest_core::{Call, Clock, HttpOptions, HttpTransport, RetryPolicy, Service, SystemClock};
use saml_metadata::signature::VerifyingKey;

use super::{
    FetchError, FetchedMetadata, MetadataUrl, Origin, Warning,
    answer::{MetadataServer, Received},
    cache::{Cache, Entry, Validators},
    check::{Checked, Fault, check},
    in_thread,
};

/// Fetches the metadata of one URL.
#[derive(Debug)]
pub struct Fetcher {
    url: MetadataUrl,
    pins: Arc<[VerifyingKey]>,
    max_bytes: usize,
    cache: Option<Cache>,
    service: Service,
}

/// Configures and builds a [`Fetcher`]. Only [`build`](Self::build) can fail.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct FetcherBuilder {
    url: MetadataUrl,
    pins: Vec<VerifyingKey>,
    max_bytes: usize,
    cache_folder: Option<PathBuf>,
    http: Option<reqwest::ClientBuilder>,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
}

impl FetcherBuilder {
    /// Pins a key: the root element must be signed with it, whatever certificate the document names (default: none).
    ///
    /// Several pinned keys, of which one must have signed, allow the publisher to change its key. The key must come from another
    /// source than the document.
    pub fn pin(mut self, key: VerifyingKey) -> Self {
        self.pins.push(key);
        self
    }

    /// Sets the maximum size of the document in bytes (default: 128 MiB). The limit applies while the response is read, and to
    /// the cache file.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets the folder of the cache file (default: no cache). Fetchers of several URLs can share it. The first document creates
    /// it.
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_folder = Some(folder.into());
        self
    }

    /// Sets the HTTP client, for its proxies, certificates, timeouts and name resolution; see
    /// [`HttpTransport::with_client`](crate::okta::HttpTransport::with_client).
    pub fn http(mut self, client: reqwest::ClientBuilder) -> Self {
        self.http = Some(client);
        self
    }

    /// Sets the retry policy (default: 3 attempts, and at most 30 s of waiting that the server asks for).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the clock (default: the operating system's clock).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the fetcher. This sends nothing, and reads no file.
    ///
    /// # Errors
    ///
    /// Fails if the URL has the scheme `http`, no key is pinned, and the host is not this machine. Also fails if the HTTP client
    /// cannot be built, or the path of the folder cannot be used.
    pub fn build(self) -> Result<Fetcher, FetchError> {
        if self.pins.is_empty() && !self.url.is_protected() {
            let problem = format!(
                "{} is not encrypted and no key is pinned, so that the document can be changed on the way",
                self.url
            );
            return Err(FetchError::options(&problem).with_help(
                "use https, or pin the key with which the publisher signs the document",
            ));
        }
        let unusable = |error: &dyn std::error::Error| {
            FetchError::options(&format!("the HTTP client cannot be built: {error}"))
                .with_help("correct the settings of the HTTP client")
        };
        let options = HttpOptions {
            max_body: self.max_bytes,
            ..HttpOptions::default()
        };
        let transport = match self.http {
            Some(client) => HttpTransport::with_client(client, options)
                .map_err(|error| unusable(&error).with_source(error))?,
            None => HttpTransport::new(options),
        };
        let mut base = self.url.url().clone();
        base.set_path("/");
        base.set_query(None);
        let service = Service::builder(base)
            .vendor(Arc::new(MetadataServer))
            .transport(Arc::new(transport))
            .clock(self.clock)
            .retry(self.retry)
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
            .build()
            .map_err(|error| unusable(&error).with_source(error))?;
        let cache = self
            .cache_folder
            .map(|folder| Cache::new(&folder, &self.url));
        Ok(Fetcher {
            cache: cache.transpose()?,
            url: self.url,
            pins: self.pins.into(),
            max_bytes: self.max_bytes,
            service,
        })
    }
}

/// A document and the result of its check.
struct CheckedEntry {
    entry: Entry,
    checked: Checked,
}

/// The answer to a request.
enum Answer {
    Document(CheckedEntry),
    NotModified(Validators),
}

impl Fetcher {
    /// Returns a builder for the metadata at a URL.
    pub fn builder(url: MetadataUrl) -> FetcherBuilder {
        FetcherBuilder {
            url,
            pins: Vec::new(),
            max_bytes: MAX_BYTES,
            cache_folder: None,
            http: None,
            retry: RetryPolicy {
                max_attempts: 3,
                max_wait: Duration::from_secs(30),
                ..RetryPolicy::default()
            },
            clock: Arc::new(SystemClock),
        }
    }

    /// Returns the URL.
    #[must_use]
    pub fn url(&self) -> &MetadataUrl {
        &self.url
    }

    /// Returns the path of the cache file, if there is a cache folder. The file may not exist.
    #[must_use]
    pub fn cache_file(&self) -> Option<&Path> {
        self.cache.as_ref().map(Cache::path)
    }

    /// Returns the metadata: from the cache if its copy is fresh, or else from the server.
    ///
    /// Dropping the future leaves the old or the new cache file.
    ///
    /// # Errors
    ///
    /// Fails if the server sends no metadata that can be used, and there is no cached copy that has not expired.
    pub async fn fetch(&self) -> Result<FetchedMetadata, FetchError> {
        self.get(false).await
    }

    /// Asks the server for the metadata, also if the cached copy is fresh.
    ///
    /// # Errors
    ///
    /// Fails as [`fetch`](Self::fetch) does.
    pub async fn refresh(&self) -> Result<FetchedMetadata, FetchError> {
        self.get(true).await
    }

    async fn get(&self, is_forced: bool) -> Result<FetchedMetadata, FetchError> {
        let mut warnings = Vec::new();
        let copy = self.cached(&mut warnings).await;
        let now = self.now();
        let copy = match copy {
            Some(copy) if !is_forced && copy.is_fresh(now) => {
                return Ok(copy.into_result(Origin::Cached, warnings));
            }
            copy => copy,
        };
        let error = match self.ask(copy.as_ref(), now).await {
            Ok(Answer::Document(new)) => {
                return Ok(self.keep(new, Origin::Fetched, warnings).await);
            }
            Ok(Answer::NotModified(validators)) => {
                let mut copy = copy.expect("only a request about a copy is conditional");
                copy.entry.fetched_at = now;
                copy.entry.validators = validators.or(copy.entry.validators);
                return Ok(self.keep(copy, Origin::NotModified, warnings).await);
            }
            Err(error) => error,
        };
        match copy {
            // It may have expired during the request.
            Some(copy) if !copy.has_expired(self.now()) => {
                Ok(copy.into_result(Origin::Stale(error), warnings))
            }
            _ => Err(warnings.iter().fold(error, |error, warning| {
                error.map(|error| error.with_more_help(&warning.to_string()))
            })),
        }
    }

    /// Returns the cached copy, if it can be used.
    async fn cached(&self, warnings: &mut Vec<Warning>) -> Option<CheckedEntry> {
        let cache = self.cache.as_ref()?;
        let copy = match cache.read(&self.url, self.max_bytes).await {
            Ok(None) => return None,
            Ok(Some(entry)) => self.checked(entry).await,
            Err(reason) => {
                warnings.push(cache.ignored(reason));
                return None;
            }
        };
        match copy {
            Ok(copy) if copy.has_expired(self.now()) => {
                let at = copy.checked.valid_until.unwrap_or(Timestamp::MAX);
                warnings.push(cache.ignored(format!("its document expired at {at}")));
                None
            }
            Ok(copy) => Some(copy),
            Err(fault) => {
                warnings.push(cache.ignored(format!("its document cannot be used: {fault}")));
                None
            }
        }
    }

    /// Sends a request, which is conditional if there is a copy with a validator.
    async fn ask(
        &self,
        copy: Option<&CheckedEntry>,
        fetched_at: Timestamp,
    ) -> Result<Answer, FetchError> {
        let mut call = Call::get_link(self.url.url().as_str())
            .header(ACCEPT, HeaderValue::from_static(MEDIA_TYPES));
        let condition = copy.and_then(|copy| copy.entry.validators.condition());
        let is_conditional = condition.is_some();
        if let Some((name, value)) = condition {
            call = call.header(name, value);
        }
        let response = match self.service.send(call).await {
            Err(rest_core::Error::Refused(response))
                if is_conditional && response.status() == StatusCode::NOT_MODIFIED =>
            {
                let at = copy.and_then(|copy| copy.checked.valid_until);
                return match at.filter(|at| *at <= self.now()) {
                    Some(at) => Err(FetchError::expired(
                        &self.url,
                        &Received::new(&response),
                        at,
                    )),
                    None => Ok(Answer::NotModified(Validators::of(response.headers()))),
                };
            }
            response => {
                response.map_err(|error| FetchError::of_call(&self.url, self.max_bytes, error))?
            }
        };
        let received = Received::new(&response);
        let validators = Validators::of(response.headers());
        let entry = Entry {
            fetched_at,
            validators,
            document: response.into_body(),
        };
        let copy = self
            .checked(entry)
            .await
            .map_err(|fault| FetchError::of_document(&self.url, &received, fault))?;
        match copy.checked.valid_until.filter(|at| *at <= self.now()) {
            Some(at) => Err(FetchError::expired(&self.url, &received, at)),
            None => Ok(Answer::Document(copy)),
        }
    }

    async fn checked(&self, entry: Entry) -> Result<CheckedEntry, Fault> {
        let pins = Arc::clone(&self.pins);
        in_thread(move || {
            let checked = check(&entry.document, &pins)?;
            Ok(CheckedEntry { entry, checked })
        })
        .await
    }

    /// Writes the cache file, and returns the result.
    async fn keep(
        &self,
        copy: CheckedEntry,
        origin: Origin,
        mut warnings: Vec<Warning>,
    ) -> FetchedMetadata {
        if let Some(cache) = &self.cache {
            let written = cache.write(&self.url, &copy.entry).await;
            warnings.extend(written.err());
        }
        copy.into_result(origin, warnings)
    }

    fn now(&self) -> Timestamp {
        let now = self.service.clock().now();
        now.try_into()
            .expect("the clock's time fits into a timestamp")
    }
}

impl CheckedEntry {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.checked.valid_until.is_some_and(|until| until <= now)
    }

    /// Returns the time at which the copy is older than its `cacheDuration`, or expires.
    fn refresh_at(&self) -> Option<Timestamp> {
        let duration = *self.checked.cache_duration.as_ref().ok()?;
        let at = self.entry.fetched_at.checked_add(duration?);
        let at = at.unwrap_or(Timestamp::MAX);
        Some(self.checked.valid_until.map_or(at, |until| until.min(at)))
    }

    /// Returns whether no request is due. A copy from the future is not fresh: the clock was set back since.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.entry.fetched_at <= now && self.refresh_at().is_some_and(|at| now < at)
    }

    fn into_result(self, origin: Origin, mut warnings: Vec<Warning>) -> FetchedMetadata {
        let refresh_at = self.refresh_at();
        let duration = self.checked.cache_duration;
        warnings.extend(duration.err().map(|error| Warning::CacheDuration {
            reason: error.to_string(),
        }));
        FetchedMetadata {
            bytes: self.entry.document,
            origin,
            signature: self.checked.signature,
            fetched_at: self.entry.fetched_at,
            refresh_at,
            expires_at: self.checked.valid_until,
            warnings,
        }
    }
}

const MEDIA_TYPES: &str =
    "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1";

// All of eduGAIN is the largest known aggregate, with about 100 MB.
const MAX_BYTES: usize = 128 << 20;
