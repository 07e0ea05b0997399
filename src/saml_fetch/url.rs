//! The URL of metadata.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use super::FetchError;
use crate::text::hex;

/// The URL of metadata, with `https` or `http`, without a user name and password.
///
/// `Display` and `Debug` leave out the query, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct MetadataUrl(Url);

impl MetadataUrl {
    /// Parses a URL. A fragment is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the text is no URL, has another scheme, or contains a user name or a password. The error does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let mut url = Url::parse(text.trim()).map_err(|error| {
            FetchError::options(&format!("the text is not a URL: {error}"))
                .with_help("write the whole URL, such as https://idp.example.org/metadata.xml")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            let problem = format!("its scheme is {}", url.scheme());
            return Err(FetchError::options(&problem)
                .with_help("write a URL that starts with https://, or pass a file"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                FetchError::options("it contains a user name or a password").with_help(
                    "remove them from the URL; in a program, pass a client with an `Authorization` header to `FetcherBuilder::http`",
                ),
            );
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// Returns whether the connection protects the document from changes: with `https`, or on this machine.
    pub(super) fn is_protected(&self) -> bool {
        let is_loopback = match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        is_loopback || self.0.scheme() == "https"
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// Returns the SHA-256 digest of the URL, which identifies it in a cache file without its query.
    pub(super) fn digest(&self) -> String {
        hex(&Sha256::digest(self.0.as_str()))
    }
}

/// Returns a URL without its user name, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    let query = if url.query().is_some() { "?…" } else { "" };
    format!(
        "{}{}{query}",
        url.origin().ascii_serialization(),
        url.path()
    )
}

impl fmt::Display for MetadataUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for MetadataUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetadataUrl({self})")
    }
}

impl FromStr for MetadataUrl {
    type Err = FetchError;

    fn from_str(text: &str) -> Result<Self, FetchError> {
        Self::parse(text)
    }
}
