//! The errors of calls, and the error response of a server.

mod help;

use std::{error, fmt};

use http::StatusCode;
use rest_core::{
    Idempotency, ItemError, ListError, Reached, Response, TransportError, Unreachable,
};
use scim_types::{ScimType, Text, filter::Filter};

use crate::{Dialect, UnsupportedRequest, Violation, text::single_line};

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
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// An earlier call of the same [`Reachability::scope`](rest_core::Reachability::scope) found the
    /// service unreachable; nothing was sent.
    #[error("{} is unreachable, so {operation} was not sent", .dialect.rules().name)]
    #[non_exhaustive]
    Unreachable {
        /// The operation, such as `POST /Users`.
        operation: String,
        /// The dialect of the service.
        dialect: Dialect,
        /// The cause, with the cause of the earlier call.
        source: Unreachable,
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
    /// The server answered with a status other than 2xx. The message includes the response, so the error has no source.
    #[error("{} refused {} with {}: {}", .0.dialect.rules().name, .0.operation, .0.status, .0)]
    Api(Box<ErrorResponse>),
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
    /// An item of a list could not be read, or the list repeats a page or has too many pages.
    #[error(transparent)]
    List(#[from] ListError),
    /// A filter that must match at most one resource matches several resources.
    #[error("{operation} found several resources with {}", single_line(&.filter.to_string()))]
    #[non_exhaustive]
    Ambiguous {
        /// The operation, such as `GET /Users`.
        operation: String,
        /// The filter.
        filter: Box<Filter>,
    },
}

impl Error {
    /// Returns the call that failed, such as `POST /Users`, without the query.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        Some(match self {
            Self::Unsupported(unsupported) => &unsupported.operation,
            Self::Request { operation, .. }
            | Self::Unreachable { operation, .. }
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

    /// Returns the service's error code, the text of [`scim_type`](Self::scim_type).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.scim_type().map(ScimType::as_str)
    }

    /// Returns the service's own words as one line of limited length, and the known violations of the sent document or
    /// patch, if the status is 400.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let refusal = self.error_response()?;
        refusal.explanation.as_deref().or_else(|| refusal.message())
    }

    /// Returns the id of the request, which AWS support asks for.
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

    /// Returns what the operator can do, if known. For a document or patch that was refused with 400, the text has the known
    /// violations and the service's own words.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        let refusal = self.error_response();
        let advice = refusal.and_then(|refusal| refusal.advice.as_deref());
        advice.or_else(|| help::for_error(self))
    }

    /// Returns the SCIM error type of the error response. AWS never sends one.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.error_response().and_then(ErrorResponse::scim_type)
    }

    /// Returns the server's error response, if there is one.
    #[must_use]
    pub fn error_response(&self) -> Option<&ErrorResponse> {
        match self {
            Self::Api(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns the error of the item of a list that could not be read.
    #[must_use]
    pub fn item(&self) -> Option<&ItemError> {
        match self {
            Self::List(ListError::Item(item)) => Some(item),
            _ => None,
        }
    }

    /// Returns whether the resource does not exist (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Returns whether another resource already has a value that must be unique (409, or the error
    /// type `uniqueness`), or the resource was changed at the same time (412).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.status(), Some(409 | 412)) || self.scim_type() == Some(&ScimType::Uniqueness)
    }

    /// Returns whether the request was throttled (429).
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(429)
    }

    /// Returns whether the service does not accept the token (401).
    ///
    /// AWS also answers so if the endpoint belongs to another tenant.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.status() == Some(401)
    }

    /// Returns whether the service accepts the token, but the token has no permission for the
    /// operation (403).
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.status() == Some(403)
    }

    /// Returns whether a write that is not idempotent was sent and its result is not known.
    ///
    /// The result is `true` for a `POST` whose response was lost, could not be decoded, or has a 5xx
    /// status other than 501. Read the resource to find out whether the write happened.
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
            rest_core::Error::Unreachable(source) => Self::Unreachable {
                operation,
                dialect,
                source,
            },
            rest_core::Error::Refused(response) => Self::Api(Box::new(ErrorResponse::read(
                &response,
                operation,
                dialect,
                may_have_acted,
            ))),
            rest_core::Error::Request(source) => Self::Request {
                operation,
                source: source.into(),
            },
            other => Self::Request {
                operation,
                source: other.into(),
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

    /// Adds the known rule violations of the sent document or patch, if the status is 400.
    pub(crate) fn with_violations(mut self, violations: impl FnOnce() -> Vec<Violation>) -> Self {
        if let Self::Api(refusal) = &mut self
            && refusal.status == StatusCode::BAD_REQUEST
        {
            refusal.set_violations(violations());
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
    scim_type: Option<ScimType>,
    message: Option<String>,
    request_id: Option<String>,
    may_have_acted: bool,
    attempts: u32,
    violations: Vec<Violation>,
    /// The message with the violations, if there are violations.
    explanation: Option<String>,
    /// The advice for a refused document or patch, with the message and the violations.
    advice: Option<String>,
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
        // AWS's gateway has its own error format for requests that it rejects before the SCIM
        // service.
        let of_gateway = || serde_json::from_str(body.other.raw("message")?.get()).ok();
        let message = body.detail.map(String::from).or_else(of_gateway);
        let of_body = |id: Text| single_line(&id);
        let request_id = response.request_id().map(str::to_owned);
        Self {
            operation,
            dialect,
            status: response.status(),
            scim_type: body.scim_type.map(|kind| single_line(kind.as_str()).into()),
            message: message.as_deref().map(single_line),
            request_id: request_id.or_else(|| body.exception_request_id.map(of_body)),
            may_have_acted,
            attempts: response.attempts(),
            violations: Vec::new(),
            explanation: None,
            advice: None,
        }
    }

    fn set_violations(&mut self, violations: Vec<Violation>) {
        let listed: Vec<String> = violations.iter().map(ToString::to_string).collect();
        let listed = listed.join("; ");
        let advice = if listed.is_empty() {
            help::for_response(self).map(ToOwned::to_owned)
        } else {
            let message = self.message.iter().map(String::as_str);
            let explanation: Vec<&str> = message.chain([&*listed]).collect();
            self.explanation = Some(explanation.join("; "));
            Some(format!("correct what was sent: {listed}"))
        };
        self.advice = match (advice, self.message()) {
            (Some(advice), Some(message)) => {
                Some(format!("{advice} (the service answered: {message})"))
            }
            (advice, _) => advice,
        };
        self.violations = violations;
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns the SCIM error type of the response.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.scim_type.as_ref()
    }

    /// Returns the detail text of the response as one line of limited length, if it could be
    /// decoded.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
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

    /// Returns the known rule violations of the sent document or patch, if the status is 400.
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
        formatter.write_str(self.message().unwrap_or("the server gave no reason"))?;
        for violation in &self.violations {
            write!(formatter, "; {violation}")?;
        }
        match self.request_id() {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl error::Error for ErrorResponse {}

fn describe_transport(operation: &str, may_have_acted: bool, source: &TransportError) -> String {
    match source.reached() {
        Reached::NotSent => format!("{operation} did not reach the server"),
        Reached::MaybeSent if may_have_acted => {
            format!("{operation} got no usable response, but the server may have processed it")
        }
        Reached::MaybeSent => format!("{operation} got no usable response"),
    }
}
