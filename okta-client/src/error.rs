//! Errors of calls, with help texts.

use std::{error, fmt, sync::Arc, time::SystemTime};

use http::StatusCode;
use rest_core::{
    Idempotency, ItemError, LinkError, ListError, Reached, RequestError, Response, Secret,
    TransportError, Unreachable,
};

use crate::json::Missing;

mod api;
mod token;

pub use api::ApiError;
use api::{NOT_OKTA, THROTTLED};
pub use token::TokenError;

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
    /// An earlier call of the same [`Reachability::scope`](rest_core::Reachability::scope) found Okta
    /// unreachable; nothing was sent.
    #[error("Okta is unreachable, so {operation} was not sent")]
    #[non_exhaustive]
    Unreachable {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The cause, with the cause of the earlier call.
        source: Unreachable,
    },
    /// There is no access token for the call; this attempt of it was not sent.
    #[error("{operation} could not be authorized")]
    #[non_exhaustive]
    Token {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The cause. Calls that waited for the same token share it.
        source: Arc<TokenError>,
    },
    /// Okta's rate limit for the call is used up for longer than the client waits
    /// ([`RetryPolicy::max_wait`](rest_core::RetryPolicy::max_wait)); nothing was sent.
    #[error("Okta's rate limit for {operation} is used up until {}, so it was not sent", httpdate::fmt_http_date(*.until))]
    #[non_exhaustive]
    RateLimited {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// The time at which the limit ends, on this client's clock.
        until: SystemTime,
    },
    /// No usable response was received.
    #[error("Okta did not answer {operation}")]
    #[non_exhaustive]
    Transport {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// Whether Okta may have carried out the call.
        may_have_acted: bool,
        /// The cause.
        source: TransportError,
    },
    /// Okta answered with a status other than 2xx.
    #[error("Okta refused {operation}")]
    #[non_exhaustive]
    Api {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// Whether Okta may have carried out the call.
        may_have_acted: bool,
        /// Okta's error response.
        source: Box<ApiError>,
    },
    /// Okta answered with success, but the response could not be decoded.
    #[error("Okta's response to {operation} could not be decoded")]
    #[non_exhaustive]
    Body {
        /// The call, such as `POST /api/v1/apps`.
        operation: String,
        /// Whether Okta may have carried out the call.
        may_have_acted: bool,
        /// The cause.
        source: Box<BodyError>,
    },
    /// Several resources have the name that was looked up; nothing was changed.
    #[error("{operation} found several resources with the name {name:?}: {}", ids.join(", "))]
    #[non_exhaustive]
    Ambiguous {
        /// The call that found them, such as `GET /api/v1/apps`.
        operation: String,
        /// The name or label.
        name: String,
        /// The ids of the resources.
        ids: Vec<String>,
    },
    /// An item of a list cannot be read, or the list repeats a page or has too many pages.
    #[error(transparent)]
    List(#[from] ListError),
}

impl Error {
    /// Returns the call that failed, such as `POST /api/v1/apps`.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        Some(match self {
            Self::Request { operation, .. }
            | Self::Unreachable { operation, .. }
            | Self::Token { operation, .. }
            | Self::RateLimited { operation, .. }
            | Self::Transport { operation, .. }
            | Self::Api { operation, .. }
            | Self::Body { operation, .. }
            | Self::Ambiguous { operation, .. } => operation,
            Self::List(error) => error.operation(),
        })
    }

    /// Returns the HTTP status of the response, if one arrived.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { source, .. } => Some(source.status()),
            Self::Body { source, .. } => Some(source.status.as_u16()),
            Self::Token { source, .. } => source.endpoint()?.status(),
            Self::Request { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::Transport { .. }
            | Self::Ambiguous { .. }
            | Self::List(_) => None,
        }
    }

    /// Returns Okta's error code, such as `E0000011`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.api()?.code()
    }

    /// Returns Okta's error summary, with the causes that Okta lists.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.api()?.summary()
    }

    /// Returns Okta's request id, which Okta support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { source, .. } => source.request_id(),
            Self::Body { source, .. } => source.request_id.as_deref(),
            Self::Token { source, .. } => source.endpoint()?.request_id(),
            Self::Request { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::Transport { .. }
            | Self::Ambiguous { .. }
            | Self::List(_) => None,
        }
    }

    /// Returns advice for the operator as a sentence, if known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Api { source, .. } => source.help(),
            Self::Token { source, .. } => source.endpoint()?.help(),
            Self::Transport { source, .. } if source.reached() == Reached::NotSent => {
                Some("Check the org URL, the network, and whether a proxy is required.")
            }
            Self::RateLimited { .. } => Some(THROTTLED),
            Self::Unreachable { .. } => Some(
                "Check the org URL, the network, the proxies and Okta's status page, then run again.",
            ),
            Self::Request {
                source: RequestError::ForeignOrigin { .. },
                ..
            } => Some(
                "Use the org URL that Okta uses in its links, and check whether a proxy rewrites links.",
            ),
            Self::Transport { .. } => Some(
                "Check the network, the proxies and Okta's status page, then run again: Okta may have carried out the call.",
            ),
            Self::Body { .. } => Some(NOT_OKTA),
            Self::List(ListError::Item(_)) => Some(
                "Okta sent an item that this version cannot read: report it with its raw text. The other items can be read.",
            ),
            Self::List(_) => {
                Some("Okta's pages do not end: try again later, and report it if it persists.")
            }
            Self::Ambiguous { .. } => Some("Use the id of one of them, or rename the others."),
            Self::Request { .. } => None,
        }
    }

    /// Returns the error of an item of a list, if this is one. The list continues after the item.
    #[must_use]
    pub fn item(&self) -> Option<&ItemError> {
        match self {
            Self::List(ListError::Item(item)) => Some(item),
            _ => None,
        }
    }

    /// Returns whether Okta reported that the requested resource does not exist.
    ///
    /// Returns `false` for a 404 about an unknown path and for a 404 that is not from Okta, such as
    /// the page of a proxy. Such a response does not mean that the resource is absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        // A token endpoint that is not found says nothing about the resource.
        let Self::Api { source, .. } = self else {
            return false;
        };
        let code = source.code();
        self.status() == Some(404) && code.is_some() && code != Some("E0000008")
    }

    /// Returns whether the call conflicts with an existing resource or with another change.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Api { .. }) && self.status() == Some(409)
    }

    /// Returns whether Okta throttled the call, or would have. The client has already waited and tried again, as
    /// far as its retry policy allows; [`throttled_until`](Self::throttled_until) tells when the limit ends.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(429) || matches!(self, Self::RateLimited { .. })
    }

    /// Returns the time at which the rate limit of the call ends, if it is used up.
    #[must_use]
    pub fn throttled_until(&self) -> Option<SystemTime> {
        match self {
            Self::RateLimited { until, .. } => Some(*until),
            other => other.api()?.throttled_until(),
        }
    }

    /// Returns whether Okta does not accept the token.
    ///
    /// Okta also answers 401 if the org lacks a feature (`E0000015`), which is no such error.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        match self.code() {
            Some("E0000015") => false,
            Some("E0000005" | "invalid_client") => true,
            _ => self.status() == Some(401),
        }
    }

    /// Returns whether Okta knows the token, but its administrator has no permission for the call.
    ///
    /// Okta also answers 403 if a resource does not allow the call in its state (`E0000038`, `E0000056`), to
    /// attributes with a mapping (`E0000075`) and to domains (`E0000165`), which are no such errors.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        let other = ["E0000005", "E0000038", "E0000056", "E0000075", "E0000165"];
        // A 403 without a code is the page of a proxy, unless it names a scope.
        let by_code = self.code().is_some_and(|code| !other.contains(&code));
        let by_scope = self.api().is_some_and(|api| api.missing_scope().is_some());
        let by_token = matches!(
            self.code(),
            Some("access_denied" | "invalid_scope" | "unauthorized_client")
        );
        self.status() == Some(403) && (by_code || by_scope) || by_token
    }

    /// Returns whether a write that is not idempotent was sent and its result is not known: Okta may
    /// have carried it out. Read the resource to find out.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        match self {
            // An org in read-only mode carries out no write.
            Self::Api { source, .. } if source.code() == Some("E0000010") => false,
            Self::Transport { may_have_acted, .. }
            | Self::Api { may_have_acted, .. }
            | Self::Body { may_have_acted, .. } => *may_have_acted,
            Self::Request { .. }
            | Self::Unreachable { .. }
            | Self::Ambiguous { .. }
            | Self::Token { .. }
            | Self::RateLimited { .. }
            | Self::List(_) => false,
        }
    }

    /// Returns whether Okta reported that the app does not support provisioning, or that
    /// provisioning is not enabled.
    #[must_use]
    pub fn is_provisioning_unsupported(&self) -> bool {
        self.api().is_some_and(|api| {
            api.code() == Some("E0000001")
                && api
                    .causes()
                    .iter()
                    .any(|cause| cause.starts_with("Provisioning is not "))
        })
    }

    /// Returns Okta's error response, if Okta sent one: to the call, or to the request for its access
    /// token.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api { source, .. } => Some(source),
            Self::Token { source, .. } => source.endpoint()?.api(),
            _ => None,
        }
    }

    /// Removes a secret of the request from Okta's texts: Okta does not document whether its errors repeat the request.
    pub(crate) fn redact(&mut self, secret: &Secret) {
        if let Self::Api { source, .. } = self {
            source.redact(secret);
        }
    }

    pub(crate) fn from_rest(
        operation: String,
        idempotency: Idempotency,
        error: rest_core::Error,
    ) -> Self {
        let may_have_acted = error.may_have_acted(idempotency);
        match error {
            rest_core::Error::Request(source) => Self::Request { operation, source },
            rest_core::Error::Unreachable(source) => Self::Unreachable { operation, source },
            rest_core::Error::Authorization(source) => Self::Token {
                operation,
                source: match source.downcast::<Arc<TokenError>>() {
                    Ok(source) => *source,
                    Err(source) => Arc::new(TokenError::Source { source }),
                },
            },
            rest_core::Error::RateLimited { until, .. } => Self::RateLimited { operation, until },
            rest_core::Error::Refused(response) => {
                Self::refused(operation, &response, may_have_acted)
            }
            rest_core::Error::Transport(source) => Self::Transport {
                operation,
                may_have_acted,
                source,
            },
            // `rest_core::Error` may get variants that are newer than this crate.
            other => Self::Transport {
                operation,
                may_have_acted,
                source: TransportError::maybe_sent(other),
            },
        }
    }

    pub(crate) fn refused(operation: String, response: &Response, may_have_acted: bool) -> Self {
        let source = Box::new(ApiError::read(&operation, response));
        Self::Api {
            operation,
            may_have_acted,
            source,
        }
    }

    pub(crate) fn body(
        operation: String,
        response: &Response,
        may_have_acted: bool,
        reason: impl Into<Reason>,
    ) -> Self {
        let source = BodyError {
            status: response.status(),
            request_id: response.request_id().map(str::to_owned),
            reason: reason.into(),
        };
        Self::Body {
            operation,
            may_have_acted,
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
    #[error("the response is not SAML metadata")]
    NotMetadata,
    #[error("the link to the next page could not be parsed")]
    Link(#[from] LinkError),
}

impl From<Missing> for Reason {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}
