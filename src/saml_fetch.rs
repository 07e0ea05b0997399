//! SAML metadata by URL: conditional requests, a cache file, a pinned key.
//!
//! A [`Fetcher`] gets the metadata of one [`MetadataUrl`]. The result says where the document comes from, whether its signature
//! was verified, and when to ask again.
//!
//! ```no_run
//! use okta_aws_sso::{
//!     saml::signature::VerifyingKey,
//!     saml_fetch::{Fetcher, MetadataUrl, Origin},
//! };
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let url = MetadataUrl::parse("https://federation.example.org/metadata.xml")?;
//! let fetcher = Fetcher::builder(url)
//!     .pin(VerifyingKey::from_pem(&std::fs::read_to_string("federation.pem")?)?)
//!     .cache_folder("cache")
//!     .build()?;
//! let metadata = fetcher.fetch().await?;
//! if let Origin::Stale(reason) = metadata.origin() {
//!     eprintln!("using the copy of {}: {reason}", metadata.fetched_at());
//! }
//! for entity in metadata.document()?.entities() {
//!     println!("{}", entity.entity_id());
//! }
//! # Ok(()) }
//! ```
//!
//! # When a request is sent
//!
//! A cached copy that is younger than the `cacheDuration` of the document's root element is returned without a request; months
//! count as 30 days and years as 365. Without `cacheDuration`, each fetch sends a request. The request is conditional: with the
//! `ETag` of the cached copy, or else with its `Last-Modified`. After 304, the copy is as fresh as a new document.
//! [`Fetcher::refresh`] always sends a request. HTTP's own `Cache-Control` and `Expires` are ignored.
//!
//! # Validity
//!
//! `validUntil` and `cacheDuration` of the **root element** count, for an `EntityDescriptor` and for an `EntitiesDescriptor`. The
//! groups, entities and roles inside can have shorter ones: the caller reads them with `effective_valid_until`. A document
//! whose root element has expired is never returned. A `validUntil` that cannot be read is an error, because the document may
//! have expired.
//!
//! # Failures
//!
//! If the request fails, for any reason, and there is a cached copy that has not expired, the copy is returned with the error
//! ([`Origin::Stale`]). An answer that is no metadata, has expired or has another signature never replaces the copy. Redirects are
//! not followed: the error names the new address.
//!
//! # Trust
//!
//! With a pinned key, the root element must be signed with exactly this public key, also in the cache file each time it is
//! read. Without one, nothing is verified but the certificate of the server ([`FetchedMetadata::signature`]), so plain `http` needs
//! a pinned key, or a server on this machine.
//!
//! # The cache file
//!
//! The cache of a URL is one file: a line of JSON (the digest of the URL, the time, `ETag` and `Last-Modified`, the digest of
//! the document), and then the document. One file, because a rename replaces it as a whole: validators and document always
//! belong together, also for two processes at once or after a crash. In return, a 304 writes the document again. A file that is
//! damaged, or belongs to another URL, is ignored with a [`Warning`] and replaced.

mod answer;
mod cache;
mod check;
mod error;
mod fetcher;
mod okta_app;
mod url;

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use saml_metadata::{Document, Limits, ReadError};

pub use self::{
    error::{FetchError, FetchErrorKind},
    fetcher::{Fetcher, FetcherBuilder},
    okta_app::okta_app,
    url::MetadataUrl,
};

/// Metadata that has not expired, with its origin.
pub struct FetchedMetadata {
    bytes: Bytes,
    origin: Origin,
    signature: Signature,
    fetched_at: Timestamp,
    refresh_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    warnings: Vec<Warning>,
}

impl FetchedMetadata {
    /// Returns the document's bytes, as the server sent them.
    ///
    /// They are well-formed metadata. Large aggregates can be read as a stream
    /// ([`EntityStream`](saml_metadata::EntityStream)), as the fetcher did.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the whole document into memory.
    ///
    /// # Errors
    ///
    /// Fails if the document exceeds the default [`Limits`].
    pub fn document(&self) -> Result<Document, ReadError> {
        saml_metadata::read_with(self.bytes.to_vec(), &Limits::default())
    }

    /// Returns where the document comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns whether the signature was verified.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Returns the time of the request to which the server answered with this document, or with 304.
    #[must_use]
    pub fn fetched_at(&self) -> Timestamp {
        self.fetched_at
    }

    /// Returns the time from which on [`Fetcher::fetch`] sends a request: after the `cacheDuration`, and at the expiry at the latest.
    ///
    /// It is `None` if the document has no `cacheDuration`, so that each fetch sends a request.
    #[must_use]
    pub fn refresh_at(&self) -> Option<Timestamp> {
        self.refresh_at
    }

    /// Returns the time from which on the document must not be used: `validUntil` of the root element.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Returns what was wrong with the cache or with an attribute, and did not prevent the result.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl fmt::Debug for FetchedMetadata {
    /// Omits the document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedMetadata")
            .field("bytes", &self.bytes.len())
            .field("origin", &self.origin)
            .field("signature", &self.signature)
            .field("fetched_at", &self.fetched_at)
            .field("refresh_at", &self.refresh_at)
            .field("expires_at", &self.expires_at)
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// Where metadata comes from.
#[derive(Debug)]
#[non_exhaustive]
pub enum Origin {
    /// The server sent the document.
    Fetched,
    /// The server answered that the cached copy is current (304).
    NotModified,
    /// The cached copy is younger than its `cacheDuration`; no request was sent.
    Cached,
    /// The request failed; the cached copy has not expired.
    Stale(FetchError),
}

/// Whether the signature of metadata was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// No key is pinned, so that nothing was verified, signed or not.
    NotChecked,
    /// The root element is signed with a pinned key.
    Verified {
        /// The number of the key among the pinned keys, from 0.
        key: usize,
    },
}

/// A fault that did not prevent the result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The cache file was ignored.
    #[error("the cache file {file} was ignored: {reason}")]
    #[non_exhaustive]
    CacheIgnored {
        /// The path of the file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// The cache file could not be written, so that the next fetch sends a whole request.
    #[error("the cache file {file} could not be written: {reason}")]
    #[non_exhaustive]
    CacheNotWritten {
        /// The path of the file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// The `cacheDuration` is no duration, so that each fetch sends a request.
    #[error("the `cacheDuration` of the root element is ignored: {reason}")]
    #[non_exhaustive]
    CacheDuration {
        /// The reason.
        reason: String,
    },
}

/// Runs a computation outside of the runtime's threads: the digest and the check of a large aggregate take seconds.
async fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
