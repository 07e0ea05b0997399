//! Errors of calls and of building a service.

use std::time::SystemTime;

use crate::{
    reachability::Unreachable,
    response::Response,
    retry::Idempotency,
    transport::{Reached, TransportError},
};

/// The cause of a failure of [`Authorizer::authorize`](crate::Authorizer::authorize).
pub type AuthorizeError = Box<dyn std::error::Error + Send + Sync>;

/// The error of [`Service::send`](crate::Service::send).
///
/// The variants are in the order of a call's progress.
///
/// A vendor's client converts this into its own error. [`Error::Refused`] contains the complete
/// response, so that the client can decode it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be built; nothing was sent.
    #[error("the request could not be built")]
    Request(#[from] RequestError),
    /// An earlier call found the service unreachable; nothing was sent. Only calls within a
    /// [`Reachability::scope`](crate::Reachability::scope) have this error.
    #[error("the request was not sent")]
    Unreachable(#[from] Unreachable),
    /// The [`Authorizer`](crate::Authorizer) had no credential for an attempt, which was not sent.
    #[error("the request could not be authorized")]
    Authorization(#[source] AuthorizeError),
    /// The rate limit is used up for longer than [`RetryPolicy::max_wait`](crate::RetryPolicy::max_wait);
    /// nothing was sent.
    #[error("the request was not sent, because its rate limit is used up until {}", httpdate::fmt_http_date(*.until))]
    #[non_exhaustive]
    RateLimited {
        /// The time at which the limit ends, on this client's clock.
        until: SystemTime,
    },
    /// No usable response was received.
    #[error("no response was received")]
    Transport(#[from] TransportError),
    /// The server answered with a status other than 2xx.
    #[error("the server refused the request with {}", .0.status())]
    Refused(Box<Response>),
}

impl Error {
    /// Returns whether the server may have carried out a call of this idempotency although the
    /// client does not know it: the request was sent, and the server failed or did not answer.
    #[must_use]
    pub fn may_have_acted(&self, idempotency: Idempotency) -> bool {
        let is_unknown = match self {
            Self::Request(_)
            | Self::Unreachable(_)
            | Self::Authorization(_)
            | Self::RateLimited { .. } => false,
            Self::Transport(error) => error.reached() == Reached::MaybeSent,
            // 501 means that the server does not have the operation.
            Self::Refused(response) => {
                response.status().is_server_error() && response.status().as_u16() != 501
            }
        };
        is_unknown && idempotency == Idempotency::NotIdempotent
    }
}

/// The error of a request that cannot be built; nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A path segment is empty, is `.` or `..`, or contains a control character. Such a segment
    /// would send the request to another URL.
    #[error("{segment:?} cannot be used as a path segment")]
    #[non_exhaustive]
    Segment {
        /// The segment.
        segment: String,
    },
    /// A link is not a valid URL.
    #[error("the server's link is not a valid URL")]
    Link(#[from] url::ParseError),
    /// A link leads to another origin. Following it would send the secret to another server.
    #[error("the link leads from {own} to another origin, {other}, and was not followed")]
    #[non_exhaustive]
    ForeignOrigin {
        /// The origin of the service.
        own: String,
        /// The origin of the link.
        other: String,
    },
    /// The URL is not valid as the URI of an HTTP request.
    #[error("the URL cannot be used in an HTTP request")]
    Uri(#[from] http::uri::InvalidUri),
    /// The request body could not be serialized as JSON.
    #[error("the request body could not be serialized as JSON")]
    Body(#[from] serde_json::Error),
}

/// The error of [`ServiceBuilder::build`](crate::ServiceBuilder::build).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is not an `http` or `https` URL, or has a user name, a password, a query or a
    /// fragment.
    #[error("{base} is not a valid base URL: it {problem}")]
    #[non_exhaustive]
    Base {
        /// The URL, without its user name, password and query.
        base: String,
        /// The problem, as the end of a sentence that starts with "it".
        problem: &'static str,
    },
    /// The secret is empty, or contains a character that a header cannot contain, such as a line
    /// break.
    #[error("the secret {problem}")]
    #[non_exhaustive]
    Secret {
        /// The problem, as the end of a sentence that starts with "the secret".
        problem: &'static str,
    },
    /// The value for the `User-Agent` header contains a character that a header cannot contain.
    #[error("the user agent cannot be sent in a header")]
    UserAgent(#[source] http::header::InvalidHeaderValue),
    /// The caller's HTTP client cannot be built.
    #[error("the HTTP client could not be built")]
    Http(#[source] TransportError),
}
