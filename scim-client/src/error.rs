mod help;

use std::fmt;

use http::StatusCode;
use rest_core::{Idempotency, PagerError, Reached, Response, TransportError};
use scim_types::{ScimType, filter::Filter};

use crate::{Dialect, RefusedRequest, Violation};

/// Why a call has no good answer, in the order of how far it got.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server is known not to take the request; nothing was sent.
    #[error(transparent)]
    Refused(#[from] RefusedRequest),
    /// The request could not be made; nothing was sent.
    #[error("{operation} could not be sent")]
    #[non_exhaustive]
    Request {
        /// What was to be done.
        operation: String,
        /// Why it was not.
        source: Box<rest_core::Error>,
    },
    /// No answer arrived.
    #[error("{}", describe_transport(.operation, *.may_have_acted, .source))]
    #[non_exhaustive]
    Transport {
        /// What was being done.
        operation: String,
        /// Whether the server may have done it all the same, once or more.
        may_have_acted: bool,
        /// What happened on the way.
        source: TransportError,
    },
    /// The server answered, and the answer is a refusal.
    #[error("{} refused {} with {}", .0.dialect.rules().name, .0.operation, .0.status)]
    Api(#[source] Box<Refusal>),
    /// The server answered, and the answer could not be read.
    #[error("the answer to {operation} could not be read")]
    #[non_exhaustive]
    Body {
        /// What was being done; the status says that it was.
        operation: String,
        /// The status.
        status: StatusCode,
        /// The id of the request.
        request_id: Option<String>,
        /// Whether operation it again would do it twice.
        may_have_acted: bool,
        /// What is wrong with the body.
        source: serde_json::Error,
    },
    /// A list stopped before its own total; taking it for whole would make the rest look deleted.
    #[error("the answers to {operation} hold {found} of {total} resources, and say no more")]
    #[non_exhaustive]
    ShortList {
        /// What was being done.
        operation: String,
        /// How many resources came.
        found: u64,
        /// How many there should be.
        total: u64,
        /// The id of the request that the last of them came with.
        request_id: Option<String>,
    },
    /// A list that the server keeps answering for was given up.
    #[error("a list was given up")]
    List(#[from] PagerError),
    /// A filter that should find one resource found several.
    #[error("{operation} finds several resources with {filter}")]
    #[non_exhaustive]
    Ambiguous {
        /// What was being done.
        operation: String,
        /// The filter.
        filter: Box<Filter>,
    },
}

impl Error {
    /// Returns what was being done, such as `POST /Users`; never a query.
    #[must_use]
    pub fn operation(&self) -> &str {
        match self {
            Self::Refused(refused) => &refused.operation,
            Self::Request { operation, .. }
            | Self::Transport { operation, .. }
            | Self::Body { operation, .. }
            | Self::ShortList { operation, .. }
            | Self::Ambiguous { operation, .. } => operation,
            Self::Api(refusal) => &refusal.operation,
            Self::List(_) => "reading a list",
        }
    }

    /// Returns the status of the answer, if one came.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(refusal) => Some(refusal.status),
            Self::Body { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns the refusal, if the server answered with one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Api(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns what the server said about its refusal.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.refusal().and_then(Refusal::detail)
    }

    /// Returns what kind of mistake the server said it was; AWS never says.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.refusal().and_then(Refusal::scim_type)
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

    /// Returns whether the token was not taken.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Returns whether the resource does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Returns whether another resource already has what must be unique.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Returns whether there were too many requests.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns whether the server may have done what was asked, so that asking again would do it twice.
    ///
    /// It is so for a `POST` whose answer was lost, could not be read, or says that the server failed.
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

    /// Returns what a person can do about it, if that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        help::of(self)
    }

    pub(crate) fn from_rest(
        error: rest_core::Error,
        operation: String,
        idempotency: Idempotency,
        dialect: Dialect,
    ) -> Self {
        let not_idempotent = idempotency == Idempotency::NotIdempotent;
        match error {
            rest_core::Error::Transport(source) => {
                let may_have_acted = not_idempotent && source.reached() == Reached::MaybeSent;
                Self::Transport {
                    operation,
                    may_have_acted,
                    source,
                }
            }
            rest_core::Error::Refused(answer) => {
                let may_have_acted = not_idempotent && answer.status().is_server_error();
                Self::Api(Box::new(Refusal::read(
                    &answer,
                    operation,
                    dialect,
                    may_have_acted,
                )))
            }
            other => Self::Request {
                operation,
                source: Box::new(other),
            },
        }
    }

    /// Adds the id of the request whose answer ended a list too early.
    pub(crate) fn answered_by(mut self, answer: &Response) -> Self {
        if let Self::ShortList { request_id, .. } = &mut self {
            *request_id = answer.request_id().map(str::to_owned);
        }
        self
    }

    /// Adds what is known to be wrong with the document that was sent, if the server says 400.
    pub(crate) fn explain(mut self, violations: impl FnOnce() -> Vec<Violation>) -> Self {
        if let Self::Api(refusal) = &mut self
            && refusal.status == StatusCode::BAD_REQUEST
        {
            refusal.violations = violations();
        }
        self
    }
}

/// What a server answered to a request it refused.
#[derive(Debug)]
pub struct Refusal {
    operation: String,
    dialect: Dialect,
    status: StatusCode,
    body: scim_types::Error,
    request_id: Option<String>,
    may_have_acted: bool,
    attempts: u32,
    violations: Vec<Violation>,
}

impl Refusal {
    fn read(answer: &Response, operation: String, dialect: Dialect, may_have_acted: bool) -> Self {
        // A page of HTML, a gateway's own JSON or nothing at all: the status is what remains.
        let body = answer.json::<scim_types::Error>().unwrap_or_default();
        let request_id = answer.request_id().map(str::to_owned);
        Self {
            operation,
            dialect,
            status: answer.status(),
            request_id: request_id.or_else(|| body.exception_request_id.clone().map(String::from)),
            body,
            may_have_acted,
            attempts: answer.attempts(),
            violations: Vec::new(),
        }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns what the server said, if it said it in a form that can be read.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        let detail = self.body.detail.as_deref();
        detail.or_else(|| {
            // AWS's gateway refuses in its own words before the SCIM service is asked.
            let raw = self.body.other.raw("message")?;
            serde_json::from_str(raw.get()).ok()
        })
    }

    /// Returns what kind of mistake the server said it was.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.body.scim_type.as_ref()
    }

    /// Returns the id of the request: of the header, or else of the body.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns how often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns what is known to be wrong with the document that was refused with status 400.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for Refusal {
    /// Writes `uniqueness: that name is taken; title is not supported (request 81abca44)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.scim_type() {
            write!(formatter, "{kind}: ")?;
        }
        formatter.write_str(self.detail().unwrap_or("it gave no reason"))?;
        for violation in &self.violations {
            write!(formatter, "; {violation}")?;
        }
        match self.request_id() {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

fn describe_transport(operation: &str, may_have_acted: bool, source: &TransportError) -> String {
    match source.reached() {
        Reached::NotSent => format!("{operation} did not reach the server"),
        Reached::MaybeSent if may_have_acted => {
            format!("{operation} got no usable answer, and may have been done all the same")
        }
        Reached::MaybeSent => format!("{operation} got no usable answer"),
    }
}
