//! What went wrong with a call, and what to do about it.

use std::{error::Error as StdError, fmt};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use http::StatusCode;
use serde::Deserialize;

use crate::service::Service;

mod help;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A call that did not succeed.
///
/// `Display` names the call and how far it got; the chain of sources says why. What a program
/// needs to decide is behind the questions (`is_…`), what a person needs is [`help`](Self::help).
pub struct Error(Box<Inner>);

impl Error {
    /// Returns the service that was called, such as `sso-admin`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service.name()
    }

    /// Returns the operation that was called, such as `CreateAccountAssignment`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Returns the HTTP status, if an answer arrived.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.kind {
            Kind::Refused(refusal) => Some(refusal.status),
            Kind::Unreadable { status, .. } => *status,
            Kind::Unconfigured { .. } | Kind::Unsent(_) | Kind::Unreached(_) => None,
        }
    }

    /// Returns AWS's name for the refusal, such as `ConflictException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    /// Returns AWS's own words about the refusal.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.refusal()?.message.as_deref()
    }

    /// Returns AWS's finer name for the refusal, such as `KMS_AccessDeniedException`; most have none.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.refusal()?.reason.as_deref()
    }

    /// Returns the id of the request, which AWS support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Refused(Refusal { request_id, .. }) | Kind::Unreadable { request_id, .. } => {
                request_id.as_deref()
            }
            Kind::Unconfigured { .. } | Kind::Unsent(_) | Kind::Unreached(_) => None,
        }
    }

    /// Returns whether the thing asked for does not exist.
    ///
    /// An account that is in no organization counts: there is no organization to be found.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.has_code(NOT_FOUND)
    }

    /// Returns whether something else is in the way: a parallel write, or a thing of that name.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.has_code(CONFLICT)
    }

    /// Returns whether AWS wants fewer calls; the call was already repeated with growing pauses.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.has_code(THROTTLED) || self.refused_with(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns whether the caller is known, but may not do this.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.has_code(ACCESS_DENIED)
    }

    /// Returns whether the credentials are missing, expired or unknown to AWS.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        match &self.0.kind {
            Kind::Unsent(source) => is_about_credentials(source.as_ref()),
            _ => self.has_code(UNAUTHENTICATED),
        }
    }

    /// Returns whether no answer arrived; AWS may have acted all the same.
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        matches!(self.0.kind, Kind::Unreached(_))
    }

    /// Returns what to do about it, for the refusals that are met in practice.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        help::help(self)
    }

    pub(crate) fn from_sdk<E>(
        service: Service,
        operation: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let kind = match error {
            // The SDK takes a good answer that it cannot read for a refusal.
            SdkError::ServiceError(error) if !status(error.raw()).is_success() => {
                let words = Words::of(error.raw());
                Kind::Refused(Refusal {
                    status: status(error.raw()),
                    code: error.err().code().map(str::to_owned),
                    message: error
                        .err()
                        .message()
                        .map(str::to_owned)
                        .or(words.error_description),
                    reason: words.reason,
                    request_id,
                })
            }
            SdkError::ServiceError(error) => Kind::Unreadable {
                status: Some(status(error.raw())),
                request_id,
                source: source(SdkError::ServiceError(error)),
            },
            SdkError::ResponseError(error) => Kind::Unreadable {
                status: Some(status(error.raw())),
                request_id,
                source: source(SdkError::<E, _>::ResponseError(error)),
            },
            SdkError::ConstructionFailure(_) => Kind::Unsent(source(error)),
            SdkError::DispatchFailure(failure) => {
                let user = failure.is_user();
                let source = source(SdkError::<E, HttpResponse>::DispatchFailure(failure));
                if user || is_about_credentials(source.as_ref()) {
                    Kind::Unsent(source)
                } else {
                    Kind::Unreached(source)
                }
            }
            other => Kind::Unreached(source(other)),
        };
        Self::new(service, operation, kind)
    }

    /// AWS answered well, and the answer is not what its service model promises.
    pub(crate) fn unreadable(
        service: Service,
        operation: &'static str,
        source: impl Into<BoxError>,
    ) -> Self {
        let kind = Kind::Unreadable {
            status: None,
            request_id: None,
            source: source.into(),
        };
        Self::new(service, operation, kind)
    }

    /// The connection was described in a way that cannot work.
    pub(crate) fn unconfigured(problem: impl Into<String>, help: &'static str) -> Self {
        let kind = Kind::Unconfigured {
            problem: problem.into(),
            help,
        };
        Self::new(Service::Configuration, "connect", kind)
    }

    /// The instance is encrypted with the customer's own key, and that key is in the way.
    pub(crate) fn is_about_a_key(&self) -> bool {
        self.reason()
            .is_some_and(|reason| reason.starts_with("KMS_"))
    }

    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    fn new(service: Service, operation: &'static str, kind: Kind) -> Self {
        Self(Box::new(Inner {
            service,
            operation,
            kind,
        }))
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code().is_some_and(|code| codes.contains(&code))
    }

    fn refused_with(&self, status: StatusCode) -> bool {
        self.refusal()
            .is_some_and(|refusal| refusal.status == status)
    }

    fn refusal(&self) -> Option<&Refusal> {
        match &self.0.kind {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, operation) = (self.service(), self.operation());
        match &self.0.kind {
            Kind::Unconfigured { problem, .. } => f.write_str(problem),
            Kind::Unsent(_) => write!(f, "{service} {operation} could not be sent to AWS"),
            Kind::Unreached(_) => write!(f, "AWS did not answer {service} {operation}"),
            Kind::Unreadable { .. } => {
                write!(f, "AWS's answer to {service} {operation} could not be read")
            }
            Kind::Refused(_) => write!(f, "AWS refused {service} {operation}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("service", &self.service())
            .field("operation", &self.operation())
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.kind {
            Kind::Unconfigured { .. } => None,
            Kind::Unsent(source) | Kind::Unreached(source) | Kind::Unreadable { source, .. } => {
                Some(source.as_ref())
            }
            Kind::Refused(refusal) => Some(refusal),
        }
    }
}

struct Inner {
    service: Service,
    operation: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Unconfigured {
        problem: String,
        help: &'static str,
    },
    Unsent(BoxError),
    Unreached(BoxError),
    Unreadable {
        status: Option<StatusCode>,
        request_id: Option<String>,
        source: BoxError,
    },
    Refused(Refusal),
}

/// AWS's refusal, without the raw answer: that may hold what must not be printed.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        match (&self.code, &self.request_id) {
            (Some(code), Some(id)) => write!(f, " ({code}, request {id})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl StdError for Refusal {}

fn status(response: &HttpResponse) -> StatusCode {
    StatusCode::from_u16(response.status().as_u16()).expect("the SDK has checked the status")
}

/// What refusals say outside of what the SDK reads from all of them alike.
#[derive(Default, Deserialize)]
struct Words {
    /// The sign-in service speaks OAuth, and keeps its message here.
    error_description: Option<String>,
    #[serde(alias = "Reason")]
    reason: Option<String>,
}

impl Words {
    fn of(response: &HttpResponse) -> Self {
        let body = response.body().bytes().unwrap_or_default();
        serde_json::from_slice(body).unwrap_or_default()
    }
}

fn source<E>(error: SdkError<E, HttpResponse>) -> BoxError
where
    E: StdError + Send + Sync + 'static,
{
    error
        .into_source()
        .unwrap_or_else(|error| error.to_string().into())
}

fn is_about_credentials(error: &(dyn StdError + 'static)) -> bool {
    error.is::<CredentialsError>() || error.source().is_some_and(is_about_credentials)
}

const NOT_FOUND: &[&str] = &[
    "ResourceNotFoundException",
    "AccountNotFoundException",
    "AWSOrganizationsNotInUseException",
];
const CONFLICT: &[&str] = &["ConflictException", "ConcurrentModificationException"];
const THROTTLED: &[&str] = &[
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDownException",
];
const ACCESS_DENIED: &[&str] = &[
    "AccessDeniedException",
    "AccessDenied",
    "AccessDeniedForDependencyException",
    // The access portal's word for a role that is not assigned.
    "ForbiddenException",
];
const UNAUTHENTICATED: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    // The access portal's word for a session that has ended.
    "UnauthorizedException",
];
