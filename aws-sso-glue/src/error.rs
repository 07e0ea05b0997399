//! Errors of calls, with help texts.

use std::{error::Error as StdError, fmt};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use http::StatusCode;
use rest_core::{ItemError, ListError, Unreachable, to_single_line};
use serde::Deserialize;

use crate::{service::Service, transport::ForeignResponse};

mod help;

type BoxError = Box<dyn StdError + Send + Sync>;

/// The error of a call to AWS.
///
/// `Display` names the call and its result; the chain of sources contains the cause. A program
/// decides with the `is_…` methods. [`help`](Self::help) is for the operator.
pub struct Error(Box<Inner>);

impl Error {
    /// Returns the service that was called, such as `sso-admin`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service.name()
    }

    /// Returns the call that failed, with its service, such as `sso-admin CreateAccountAssignment`;
    /// `None` if the connection could not be configured.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Configuration { .. } => None,
            Kind::List(error) => Some(error.operation()),
            _ => Some(&self.0.call),
        }
    }

    /// Returns the HTTP status of the response, if one arrived.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let status = match &self.0.kind {
            Kind::Refused(refusal) => Some(refusal.status),
            Kind::InvalidResponse { status, .. } => Some(*status),
            Kind::Configuration { .. }
            | Kind::NotSent(_)
            | Kind::Unreachable(_)
            | Kind::NoResponse(_)
            | Kind::List(_) => None,
        };
        status.map(|status| status.as_u16())
    }

    /// Returns AWS's error code, such as `ConflictException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    /// Returns AWS's error message as one line of at most 500 characters.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.refusal()?.message.as_deref()
    }

    /// Returns AWS's detailed reason, such as `KMS_AccessDeniedException`. Most errors have no
    /// reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.refusal()?.reason.as_deref()
    }

    /// Returns AWS's request id, which AWS support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Refused(Refusal { request_id, .. })
            | Kind::InvalidResponse { request_id, .. } => request_id.as_deref(),
            Kind::Configuration { .. }
            | Kind::NotSent(_)
            | Kind::Unreachable(_)
            | Kind::NoResponse(_)
            | Kind::List(_) => None,
        }
    }

    /// Returns the error of an item of a list, if this is one. The list continues after the item.
    #[must_use]
    pub fn item(&self) -> Option<&ItemError> {
        match &self.0.kind {
            Kind::List(ListError::Item(item)) => Some(item),
            _ => None,
        }
    }

    /// Returns whether AWS reported that the requested resource does not exist.
    ///
    /// The result is also `true` for a request for the organization of an account that is in no
    /// organization.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.has_code(NOT_FOUND)
    }

    /// Returns whether the write conflicts with a concurrent write, or with a resource that has the
    /// same name.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.has_code(CONFLICT)
    }

    /// Returns whether AWS throttled the call. The call was already retried with backoff.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.has_code(THROTTLED) || self.refused_with(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns whether AWS knows the caller, but does not allow the call.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.has_code(ACCESS_DENIED)
            || self.refused_with(StatusCode::FORBIDDEN) && !self.is_unauthenticated()
    }

    /// Returns whether the credentials are missing, expired or unknown to AWS.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        match &self.0.kind {
            Kind::NotSent(source) => is_credentials_error(source.as_ref()),
            _ => {
                self.has_code(UNAUTHENTICATED)
                    || self.refused_with(StatusCode::UNAUTHORIZED) && !self.has_code(ACCESS_DENIED)
            }
        }
    }

    /// Returns whether a write that is not idempotent was sent and its result is not known: AWS may
    /// have carried it out, and another call would start it again.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        let is_unknown = match &self.0.kind {
            Kind::NoResponse(_) | Kind::InvalidResponse { .. } => true,
            Kind::Refused(refusal) => refusal.status.is_server_error(),
            Kind::Configuration { .. }
            | Kind::NotSent(_)
            | Kind::Unreachable(_)
            | Kind::List(_) => false,
        };
        is_unknown && NOT_IDEMPOTENT.contains(&self.0.operation)
    }

    /// Returns whether the request may have reached AWS.
    pub(crate) fn may_be_sent(&self) -> bool {
        !matches!(
            self.0.kind,
            Kind::Configuration { .. } | Kind::NotSent(_) | Kind::Unreachable(_)
        )
    }

    /// Returns whether the request could not be sent now.
    pub(crate) fn is_not_sent(&self) -> bool {
        matches!(self.0.kind, Kind::NotSent(_))
    }

    /// Returns advice for the operator, for errors that are common in practice.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    pub(crate) fn from_sdk<E>(
        service: Service,
        operation: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(to_single_line);
        let kind = match error {
            // The SDK also reports a successful response that it cannot decode as a `ServiceError`.
            SdkError::ServiceError(error) if !status(error.raw()).is_success() => {
                let body = ErrorBody::read(error.raw());
                Kind::Refused(Refusal {
                    status: status(error.raw()),
                    code: error.err().code().map(to_single_line),
                    message: error
                        .err()
                        .message()
                        .or(body.error_description.as_deref())
                        .map(to_single_line),
                    reason: body.reason.as_deref().map(to_single_line),
                    request_id,
                })
            }
            SdkError::ServiceError(error) => Kind::InvalidResponse {
                status: status(error.raw()),
                request_id,
                source: source(SdkError::ServiceError(error)),
            },
            SdkError::ResponseError(error) => Kind::InvalidResponse {
                status: status(error.raw()),
                request_id,
                source: source(SdkError::<E, _>::ResponseError(error)),
            },
            SdkError::ConstructionFailure(_) => Kind::NotSent(source(error)),
            SdkError::DispatchFailure(failure) => {
                let user = failure.is_user();
                let source = source(SdkError::<E, HttpResponse>::DispatchFailure(failure));
                if let Some(unreachable) = find::<Unreachable>(source.as_ref()) {
                    Kind::Unreachable(unreachable)
                } else if let Some(foreign) = find::<ForeignResponse>(source.as_ref()) {
                    Kind::InvalidResponse {
                        status: StatusCode::from_u16(foreign.0).expect("a status of success"),
                        request_id,
                        source,
                    }
                } else if user || is_credentials_error(source.as_ref()) {
                    Kind::NotSent(source)
                } else {
                    Kind::NoResponse(source)
                }
            }
            other => Kind::NoResponse(source(other)),
        };
        Self::new(service, operation, kind)
    }

    /// Returns the error for a successful response that violates AWS's service model.
    pub(crate) fn invalid_response(
        service: Service,
        operation: &'static str,
        source: impl Into<BoxError>,
    ) -> Self {
        let kind = Kind::InvalidResponse {
            // The SDK has read the response, so its status is the only status of success that AWS's
            // protocols for these services have.
            status: StatusCode::OK,
            request_id: None,
            source: source.into(),
        };
        Self::new(service, operation, kind)
    }

    /// Adds the id of the request to an error of a response that the SDK has read.
    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        if let Kind::InvalidResponse { request_id, .. } = &mut self.0.kind {
            *request_id = id;
        }
        self
    }

    /// Returns the error for options with which no connection is possible.
    pub(crate) fn configuration(problem: impl Into<String>, help: &'static str) -> Self {
        let kind = Kind::Configuration {
            problem: problem.into(),
            help,
        };
        Self::new(Service::Configuration, "connect", kind)
    }

    /// Returns whether the call failed because of the customer-managed key that encrypts the
    /// instance.
    pub(crate) fn is_kms_error(&self) -> bool {
        self.reason()
            .is_some_and(|reason| reason.starts_with("KMS_"))
    }

    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Returns the cause of this error, for an error that names the call itself.
    pub(crate) fn into_cause(self) -> BoxError {
        match self.0.kind {
            Kind::InvalidResponse { source, .. } => source,
            kind => Box::new(Self::new(self.0.service, self.0.operation, kind)),
        }
    }

    fn new(service: Service, operation: &'static str, kind: Kind) -> Self {
        let mut error = Self(Box::new(Inner {
            service,
            operation,
            call: service.operation(operation),
            help: None,
            kind,
        }));
        error.0.help = help::for_error(&error);
        error
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
        let call = &self.0.call;
        match &self.0.kind {
            Kind::Configuration { problem, .. } => f.write_str(problem),
            Kind::NotSent(_) => write!(f, "{call} could not be sent to AWS"),
            Kind::Unreachable(_) => write!(f, "AWS is unreachable, so {call} was not sent"),
            Kind::NoResponse(_) => write!(f, "AWS did not answer {call}"),
            Kind::InvalidResponse { .. } => {
                write!(f, "AWS's response to {call} could not be decoded")
            }
            Kind::Refused(_) => write!(f, "AWS refused {call}"),
            Kind::List(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("service", &self.service())
            .field("operation", &self.0.operation)
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.kind {
            Kind::Configuration { .. } => None,
            Kind::Unreachable(source) => Some(source),
            Kind::NotSent(source)
            | Kind::NoResponse(source)
            | Kind::InvalidResponse { source, .. } => Some(source.as_ref()),
            Kind::Refused(refusal) => Some(refusal),
            Kind::List(error) => error.source(),
        }
    }
}

impl From<ListError> for Error {
    fn from(error: ListError) -> Self {
        Self::new(Service::Configuration, "list", Kind::List(error))
    }
}

struct Inner {
    service: Service,
    operation: &'static str,
    /// The operation with its service.
    call: String,
    help: Option<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Configuration {
        problem: String,
        help: &'static str,
    },
    NotSent(BoxError),
    Unreachable(Unreachable),
    NoResponse(BoxError),
    InvalidResponse {
        status: StatusCode,
        request_id: Option<String>,
        source: BoxError,
    },
    Refused(Refusal),
    /// A list repeats a page, has too many pages, or has an item that cannot be read.
    List(ListError),
}

/// An error response of AWS.
///
/// The raw response is not kept, because it may contain secrets that must not be printed.
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

/// Fields of an error response that the SDK does not read.
#[derive(Default, Deserialize)]
struct ErrorBody {
    /// The message of the sign-in service, which uses OAuth.
    error_description: Option<String>,
    #[serde(alias = "Reason")]
    reason: Option<String>,
}

impl ErrorBody {
    fn read(response: &HttpResponse) -> Self {
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

fn is_credentials_error(error: &(dyn StdError + 'static)) -> bool {
    error.is::<CredentialsError>() || error.source().is_some_and(is_credentials_error)
}

/// Returns the cause of this type, which [`CheckedClient`](crate::transport::CheckedClient) made, if there is one.
fn find<E: StdError + Clone + 'static>(error: &(dyn StdError + 'static)) -> Option<E> {
    match error.downcast_ref::<E>() {
        Some(found) => Some(found.clone()),
        None => error.source().and_then(find),
    }
}

/// The writes that do something else when they are repeated: they start another asynchronous write,
/// or redeem a code.
const NOT_IDEMPOTENT: &[&str] = &[
    "CreateAccountAssignment",
    "CreateToken",
    "DeleteAccountAssignment",
    "ProvisionPermissionSet",
];
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
    // The access portal returns this for a role that is not assigned.
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
    // The access portal returns this for a session that has ended.
    "UnauthorizedException",
];
