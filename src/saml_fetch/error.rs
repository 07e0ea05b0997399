//! The error of a fetch.

use std::{error::Error as StdError, fmt};

use crate::error::{Error, ErrorKind, ServiceResponse};

/// The reason why a fetch has no current metadata.
///
/// [`error`](Self::error) has the service's response, the request id and the help, as every error of this crate.
pub struct FetchError {
    kind: FetchErrorKind,
    error: Error,
}

/// The kind of a [`FetchError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The URL or an option of the fetcher cannot be used; nothing was sent.
    Options,
    /// No response was received, or a rate limit of the server is used up.
    Unreachable,
    /// The server refused the request, or failed.
    Refused,
    /// The server redirects to another address, which was not asked.
    Redirected,
    /// The document is larger than the limit.
    TooLarge,
    /// The answer is not SAML metadata, or only a part of it.
    NotMetadata,
    /// The document is not signed, or not with a pinned key.
    NotVerified,
    /// The document has expired.
    Expired,
}

impl FetchError {
    pub(super) fn new(kind: FetchErrorKind, summary: impl Into<String>) -> Self {
        Self {
            kind,
            error: Error::new(ErrorKind::Service, summary),
        }
    }

    /// Returns the error for a URL or an option that cannot be used.
    pub(super) fn options(problem: &str) -> Self {
        Self {
            kind: FetchErrorKind::Options,
            error: Error::new(
                ErrorKind::UnusableSubject,
                format!("the URL of the SAML metadata cannot be used: {problem}"),
            ),
        }
    }

    pub(super) fn map(self, map: impl FnOnce(Error) -> Error) -> Self {
        Self {
            kind: self.kind,
            error: map(self.error),
        }
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        self.map(|error| error.with_help(help))
    }

    pub(super) fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.map(|error| error.with_source(source))
    }

    pub(super) fn with_response(self, response: ServiceResponse) -> Self {
        self.map(|error| error.with_response(response))
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    /// Returns the error with the service's response and the help.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the whole message for an operator, on several lines; see [`Error::explain`].
    #[must_use]
    pub fn explain(&self) -> String {
        self.error.explain()
    }
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        error.error
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for FetchError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}
