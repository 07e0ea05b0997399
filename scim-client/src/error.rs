//! The errors of calls, and the error response of a server.

mod help;

use std::fmt;

use http::StatusCode;
use rest_core::{Idempotency, ItemError, ListError, Reached, Response, TransportError};
use scim_types::{ScimType, filter::Filter};

use crate::{Dialect, UnsupportedRequest, Violation};

/// The error of a call to a SCIM service.
///
/// The variants are in the order of a call's progress.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The dialect does not support the request; nothing was sent.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedRequest),
    /// The request could not be built; nothing was sent.
    #[error("{operation} could not be sent")]
    #[non_exhaustive]
    Request {
        /// The operation, such as `POST /Users`.
        operation: String,
        /// The cause.
        source: Box<rest_core::Error>,
    },
    /// No usable response was received.
    #[error("{}", describe_transport(.operation, *.may_have_acted, .source))]
    #[non_exhaustive]
    Transport {
        /// The operation, such as `POST /Users`.
        operation: String,
        /// Whether the server may have processed the request, so that a retry is not safe.
        may_have_acted: bool,
        /// The cause.
        source: TransportError,
    },
    /// The server answered with a status other than 2xx.
    #[error("{} refused {} with {}", .0.dialect.rules().name, .0.operation, .0.status)]
    Api(#[source] Box<ErrorResponse>),
    /// The server answered with success, but the response could not be decoded.
    #[error("the response to {operation} could not be decoded")]
    #[non_exhaustive]
    Body {
        /// The operation, which succeeded according to the status.
        operation: String,
        /// The status.
        status: u16,
        /// The id of the request.
        request_id: Option<String>,
        /// Whether the request is not idempotent, so that a retry is not safe.
        may_have_acted: bool,
        /// The cause.
        source: serde_json::Error,
    },
    /// A list ended before its reported total. If such a list counted as complete, the missing
    /// resources would look deleted.
    #[error("{operation} returned only {found} of {total} resources")]
    #[non_exhaustive]
    ShortList {
        /// The operation, such as `GET /Users`.
        operation: String,
        /// Number of resources that were returned.
        found: u64,
        /// Number of resources that the server reported.
        total: u64,
        /// The id of the last request.
        request_id: Option<String>,
    },
    /// An item of a list cannot be read, or the list repeats a page or has too many pages.
    #[error(transparent)]
    List(#[from] ListError),
    /// A filter that must match at most one resource matches several resources.
    #[error("{operation} found several resources with {filter}")]
    #[non_exhaustive]
    Ambiguous {
        /// The operation, such as `GET /Users`.
        operation: String,
        /// The filter.
        filter: Box<Filter>,
    },
}

impl Error {
    /// Returns the call that failed, such as `POST /Users`.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        Some(match self {
            Self::Unsupported(unsupported) => &unsupported.operation,
            Self::Request { operation, .. }
            | Self::Transport { operation, .. }
            | Self::Body { operation, .. }
            | Self::ShortList { operation, .. }
            | Self::Ambiguous { operation, .. } => operation,
            Self::Api(refusal) => &refusal.operation,
            Self::List(error) => error.operation(),
        })
    }

    /// Returns the HTTP status of the response, if one arrived.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(refusal) => Some(refusal.status()),
            Self::Body { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns the server's error code, `scimType`, such as `uniqueness`.
    /// [`scim_type`](Self::scim_type) returns the same as an enum.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.scim_type().map(ScimType::as_str)
    }

    /// Returns the server's error message, `detail`.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.error_response().and_then(ErrorResponse::detail)
    }

    /// Returns the id of the request, which the service's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(refusal) => refusal.request_id(),
            Self::Body { request_id, .. } | Self::ShortList { request_id, .. } => {
                request_id.as_deref()
            }
            _ => None,
        }
    }

    /// Returns advice for the operator, if known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        help::for_error(self)
    }

    /// Returns the error of an item of a list, if this is one. The list continues after the item.
    #[must_use]
    pub fn item(&self) -> Option<&ItemError> {
        match self {
            Self::List(ListError::Item(item)) => Some(item),
            _ => None,
        }
    }

    /// Returns the server's error response, if the server sent one.
    #[must_use]
    pub fn error_response(&self) -> Option<&ErrorResponse> {
        match self {
            Self::Api(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns the server's error code as an enum.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.error_response().and_then(ErrorResponse::scim_type)
    }

    /// Returns whether the server reported that the resource does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Returns whether another resource already has a value that must be unique.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// Returns whether the server throttled the call. The call was already retried.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(429)
    }

    /// Returns whether the server does not accept the token.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.status() == Some(401)
    }

    /// Returns whether the server knows the token, but does not allow the call.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.status() == Some(403)
    }

    /// Returns whether a write that is not idempotent was sent and its result is not known: the
    /// server may have carried it out. Read the resource to find out.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::Transport { may_have_acted, .. } | Self::Body { may_have_acted, .. } => {
                *may_have_acted
            }
            Self::Api(refusal) => refusal.may_have_acted,
            _ => false,
        }
    }

    pub(crate) fn from_rest(
        error: rest_core::Error,
        operation: String,
        idempotency: Idempotency,
        dialect: Dialect,
    ) -> Self {
        let may_have_acted = error.may_have_acted(idempotency);
        match error {
            rest_core::Error::Transport(source) => Self::Transport {
                operation,
                may_have_acted,
                source,
            },
            rest_core::Error::Refused(response) => Self::Api(Box::new(ErrorResponse::read(
                &response,
                operation,
                dialect,
                may_have_acted,
            ))),
            other => Self::Request {
                operation,
                source: Box::new(other),
            },
        }
    }

    /// Adds the id of the last request to [`ShortList`](Self::ShortList).
    pub(crate) fn with_request_id(mut self, response: &Response) -> Self {
        if let Self::ShortList { request_id, .. } = &mut self {
            *request_id = response.request_id().map(str::to_owned);
        }
        self
    }

    /// Adds the known rule violations of the sent document, if the status is 400.
    pub(crate) fn with_violations(mut self, violations: impl FnOnce() -> Vec<Violation>) -> Self {
        if let Self::Api(refusal) = &mut self
            && refusal.status == StatusCode::BAD_REQUEST
        {
            refusal.violations = violations();
        }
        self
    }
}

/// A server's error response.
#[derive(Debug)]
pub struct ErrorResponse {
    operation: String,
    dialect: Dialect,
    status: StatusCode,
    body: scim_types::Error,
    request_id: Option<String>,
    may_have_acted: bool,
    attempts: u32,
    violations: Vec<Violation>,
}

impl ErrorResponse {
    fn read(
        response: &Response,
        operation: String,
        dialect: Dialect,
        may_have_acted: bool,
    ) -> Self {
        // The body may be an HTML page, a gateway's own JSON or empty. For such a body, only the
        // status counts.
        let body = response.json::<scim_types::Error>().unwrap_or_default();
        let request_id = response.request_id().map(str::to_owned);
        Self {
            operation,
            dialect,
            status: response.status(),
            request_id: request_id.or_else(|| body.exception_request_id.clone().map(String::from)),
            body,
            may_have_acted,
            attempts: response.attempts(),
            violations: Vec::new(),
        }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns the detail text of the response, if it could be decoded.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        let detail = self.body.detail.as_deref();
        detail.or_else(|| {
            // AWS's gateway has its own error format for requests that it rejects before the SCIM
            // service.
            let raw = self.body.other.raw("message")?;
            serde_json::from_str(raw.get()).ok()
        })
    }

    /// Returns the SCIM error type of the response.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.body.scim_type.as_ref()
    }

    /// Returns the id of the request from the header, or else from the body.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the number of attempts.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the known rule violations of the sent document, if the status is 400.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for ErrorResponse {
    /// Writes `uniqueness: that name is taken; title is not supported (request 81abca44)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.scim_type() {
            write!(formatter, "{kind}: ")?;
        }
        formatter.write_str(self.detail().unwrap_or("the server gave no reason"))?;
        for violation in &self.violations {
            write!(formatter, "; {violation}")?;
        }
        match self.request_id() {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ErrorResponse {}

fn describe_transport(operation: &str, may_have_acted: bool, source: &TransportError) -> String {
    match source.reached() {
        Reached::NotSent => format!("{operation} did not reach the server"),
        Reached::MaybeSent if may_have_acted => {
            format!("{operation} got no usable response, but the server may have processed it")
        }
        Reached::MaybeSent => format!("{operation} got no usable response"),
    }
}
