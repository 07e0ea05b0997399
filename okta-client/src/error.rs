//! Errors of calls, with help texts.

use std::{error, fmt};

use http::StatusCode;
use rest_core::{LinkError, PagerError, Reached, RequestError, Response, TransportError};

use crate::json::Missing;

mod api;

pub use api::ApiError;

/// The error of a call to Okta.
///
/// The variants are in the order of a call's progress. The message does not include the cause,
/// which is the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be built; nothing was sent.
    #[error("{operation} could not be sent")]
    #[non_exhaustive]
    Request {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The cause.
        source: RequestError,
    },
    /// No usable response was received.
    #[error("Okta did not answer {operation}")]
    #[non_exhaustive]
    Transport {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The cause.
        source: TransportError,
    },
    /// Okta answered with a status other than 2xx.
    #[error("Okta refused {operation}")]
    #[non_exhaustive]
    Api {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// Okta's error response.
        source: Box<ApiError>,
    },
    /// Okta answered with success, but the response could not be decoded.
    #[error("Okta's response to {operation} could not be decoded")]
    #[non_exhaustive]
    Body {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The cause.
        source: Box<BodyError>,
    },
    /// A list repeats a page or has too many pages.
    #[error("a list from Okta could not be read to its end")]
    List(#[from] PagerError),
}

impl Error {
    /// Returns whether Okta reported that the requested resource does not exist.
    ///
    /// Returns `false` for a 404 about an unknown path and for a 404 that is not from Okta, such as
    /// the page of a proxy. Such a response does not mean that the resource is absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let code = self.code();
        self.status() == Some(StatusCode::NOT_FOUND) && code.is_some() && code != Some("E0000008")
    }

    /// Returns whether Okta reported that the app does not support provisioning, or that
    /// provisioning is not enabled.
    #[must_use]
    pub fn is_provisioning_unsupported(&self) -> bool {
        let Self::Api { source, .. } = self else {
            return false;
        };
        source.code() == Some("E0000001")
            && source
                .causes()
                .iter()
                .any(|cause| cause.starts_with("Provisioning is not "))
    }

    /// Returns the status of the response, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api { source, .. } => Some(source.status()),
            Self::Body { source, .. } => Some(source.status),
            Self::Request { .. } | Self::Transport { .. } | Self::List(_) => None,
        }
    }

    /// Returns Okta's error code, such as `E0000011`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { source, .. } => source.code(),
            _ => None,
        }
    }

    /// Returns Okta's request id, which Okta support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { source, .. } => source.request_id(),
            Self::Body { source, .. } => source.request_id.as_deref(),
            Self::Request { .. } | Self::Transport { .. } | Self::List(_) => None,
        }
    }

    /// Returns Okta's error summary, with the causes that Okta lists.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        match self {
            Self::Api { source, .. } => source.summary(),
            _ => None,
        }
    }

    /// Returns the call that failed, such as `POST /api/v1/apps`.
    #[must_use]
    pub fn operation(&self) -> &str {
        match self {
            Self::Request { operation, .. }
            | Self::Transport { operation, .. }
            | Self::Api { operation, .. }
            | Self::Body { operation, .. } => operation,
            Self::List(_) => "GET a list",
        }
    }

    /// Returns advice for the operator as a sentence, if known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Api { source, .. } => source.help(),
            Self::Transport { source, .. } if source.reached() == Reached::NotSent => {
                Some("Check the org URL, the network, and whether a proxy is required.")
            }
            Self::Request {
                source: RequestError::ForeignOrigin { .. },
                ..
            } => Some(
                "Use the org URL that Okta uses in its links, and check whether a proxy rewrites links.",
            ),
            _ => None,
        }
    }

    pub(crate) fn from_rest(operation: String, error: rest_core::Error) -> Self {
        match error {
            rest_core::Error::Request(source) => Self::Request { operation, source },
            rest_core::Error::Transport(source) => Self::Transport { operation, source },
            rest_core::Error::Refused(response) => Self::refused(operation, &response),
            // `rest_core::Error` may get variants that are newer than this crate.
            other => Self::Transport {
                operation,
                source: TransportError::maybe_sent(other),
            },
        }
    }

    pub(crate) fn refused(operation: String, response: &Response) -> Self {
        Self::Api {
            operation,
            source: Box::new(ApiError::read(response)),
        }
    }

    pub(crate) fn body(operation: String, response: &Response, reason: impl Into<Reason>) -> Self {
        let source = BodyError {
            status: response.status(),
            request_id: response.request_id().map(str::to_owned),
            reason: reason.into(),
        };
        Self::Body {
            operation,
            source: Box::new(source),
        }
    }
}

/// The error of a response that cannot be decoded.
#[derive(Debug)]
pub struct BodyError {
    status: StatusCode,
    request_id: Option<String>,
    reason: Reason,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl error::Error for BodyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        error::Error::source(&self.reason)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("the response is not the expected JSON")]
    Json(#[from] serde_json::Error),
    #[error("the response has no valid `{}`", .0.0.trim_start_matches('/').replace('/', "."))]
    Missing(Missing),
    #[error("the response is not a list")]
    NotAList,
    #[error("the link to the next page could not be parsed")]
    Link(#[from] LinkError),
}

impl From<Missing> for Reason {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}
