//! What can go wrong with a call, and what to do about it.

use std::{error, fmt};

use http::StatusCode;
use rest_core::{LinkError, PagerError, Reached, RequestError, Response, TransportError};

use crate::json::Missing;

mod api;

pub use api::ApiError;

/// Why a call to Okta failed, in the order of how far it got.
///
/// The text is one clause without the reason; the reason is the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be made; nothing was sent.
    #[error("{operation} could not be sent")]
    #[non_exhaustive]
    Request {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The reason.
        source: RequestError,
    },
    /// No answer arrived.
    #[error("Okta did not answer {operation}")]
    #[non_exhaustive]
    Transport {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The reason.
        source: TransportError,
    },
    /// Okta answered, and the answer is a refusal.
    #[error("Okta refused {operation}")]
    #[non_exhaustive]
    Api {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// What Okta said.
        source: Box<ApiError>,
    },
    /// Okta answered with success, and the answer could not be read.
    #[error("Okta's answer to {operation} could not be read")]
    #[non_exhaustive]
    Body {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The reason.
        source: Box<BodyError>,
    },
    /// A list went on without end.
    #[error("a list of Okta's was given up")]
    List(#[from] PagerError),
}

impl Error {
    /// Returns whether Okta says that the thing asked for does not exist.
    ///
    /// A 404 that is not Okta's, such as the page of a proxy, and one about an unknown path do not
    /// count: nothing follows from them about the thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let code = self.code();
        self.status() == Some(StatusCode::NOT_FOUND) && code.is_some() && code != Some("E0000008")
    }

    /// Returns whether Okta says that the app has no provisioning, or none switched on.
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

    /// Returns the status of Okta's answer, if there is one.
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

    /// Returns Okta's number for the request, which its support staff asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { source, .. } => source.request_id(),
            Self::Body { source, .. } => source.request_id.as_deref(),
            Self::Request { .. } | Self::Transport { .. } | Self::List(_) => None,
        }
    }

    /// Returns what Okta says is wrong, with the causes it names.
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

    /// Returns what can be done about it, as a sentence for a person, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Api { source, .. } => source.help(),
            Self::Transport { source, .. } if source.reached() == Reached::NotSent => {
                Some("Check the org URL, the network, and whether a proxy has to be used.")
            }
            Self::Request {
                source: RequestError::ForeignOrigin { .. },
                ..
            } => Some(
                "Use the address that the org itself uses; something on the way may rewrite links.",
            ),
            _ => None,
        }
    }

    pub(crate) fn from_rest(operation: String, error: rest_core::Error) -> Self {
        match error {
            rest_core::Error::Request(source) => Self::Request { operation, source },
            rest_core::Error::Transport(source) => Self::Transport { operation, source },
            rest_core::Error::Refused(answer) => Self::refused(operation, &answer),
            // A kind that is newer than this crate.
            other => Self::Transport {
                operation,
                source: TransportError::maybe_sent(other),
            },
        }
    }

    pub(crate) fn refused(operation: String, answer: &Response) -> Self {
        Self::Api {
            operation,
            source: Box::new(ApiError::read(answer)),
        }
    }

    pub(crate) fn body(operation: String, answer: &Response, reason: impl Into<Reason>) -> Self {
        let source = BodyError {
            status: answer.status(),
            request_id: answer.request_id().map(str::to_owned),
            reason: reason.into(),
        };
        Self::Body {
            operation,
            source: Box::new(source),
        }
    }
}

/// Why an answer could not be read.
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
    #[error("it is not the JSON that was expected")]
    Json(#[from] serde_json::Error),
    #[error("it has no usable `{}`", .0.0.trim_start_matches('/').replace('/', "."))]
    Missing(Missing),
    #[error("it is not a list")]
    NotAList,
    #[error("it does not say clearly whether there is a next page")]
    Link(#[from] LinkError),
}

impl From<Missing> for Reason {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}
