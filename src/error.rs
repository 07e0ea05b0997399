//! The error type of this crate: a summary, the failed operation, the service's response, and help.

use std::{error::Error as StdError, fmt, fmt::Write as _};

use rest_core::Unreachable;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Shown;

/// The result of a step, the pipeline or the sync; its error is [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

use sealed::{Category, Meaning};

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// An error of the integration.
///
/// [`Display`](fmt::Display) writes the summary: one line that names the subject. [`Error::explain`] returns the whole
/// message for an operator: the summary, the operation, the service's response, and help. [`Debug`](fmt::Debug) writes the
/// same, so that `fn main() -> Result<(), okta_aws_sso::Error>` prints it.
///
/// [`operation`](Self::operation), [`status`](Self::status), [`code`](Self::code), [`message`](Self::message),
/// [`request_id`](Self::request_id), [`help`](Self::help) and the predicates have the same meaning as in the errors of the
/// service clients.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    summary: String,
    context: Option<String>,
    response: Option<ServiceResponse>,
    meaning: Meaning,
    help: Option<String>,
    source: Option<Source>,
}

/// The kind of an error, for callers that react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The blueprint is contradictory or invalid, independent of the services.
    Blueprint,
    /// A service could not be reached, refused the request, or sent a response that could not be decoded.
    Service,
    /// A user, group, account or other subject of the blueprint does not exist or cannot be used in its current state.
    UnusableSubject,
    /// A manual step is due, and no operator has done it. The next run with an operator resumes at this step.
    ManualStep,
    /// The operator's answer to a manual step is not valid.
    InvalidAnswer,
    /// The services or the state differ from the plan; no further change was made.
    StalePlan,
    /// The plan removes more than the guard allows.
    GuardRejected,
    /// A change made no progress within the stall timeout.
    TimedOut,
    /// The state could not be read or saved.
    State,
    /// Another run holds the lock of the state, or has taken it over.
    Locked,
    /// The list of steps is not valid.
    Pipeline,
}

/// The response of a service to the failed call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ServiceResponse {
    /// The call, such as `POST /api/v1/apps` or `sso-admin CreateAccountAssignment`.
    pub call: String,
    /// The HTTP status, if a response arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The service's error code, such as `E0000011` or `AccountNotFoundException`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The service's error message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The request id, which the service's support asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl ErrorKind {
    /// Returns the action that the operator can take if the cause is not known better.
    fn help(self) -> &'static str {
        match self {
            Self::Blueprint => "correct the blueprint, then make a new plan",
            Self::Service => {
                "correct the cause that the service names, then run again; with the request id, its support finds the call"
            }
            Self::UnusableSubject => {
                "correct the subject in the service or in the blueprint, then make a new plan"
            }
            Self::ManualStep => "run again with an operator who can do the manual step",
            Self::InvalidAnswer => {
                "run again, and copy the value from the place that the manual step names"
            }
            Self::StalePlan => "make a new plan, review it, and apply it",
            Self::GuardRejected => {
                "review the removals of the plan; docs/GUARD.md lists the options that allow them"
            }
            Self::TimedOut => {
                "run again to continue; the console of the service shows why it takes longer"
            }
            Self::State => "check that the state can be read and written, then run again",
            Self::Locked => "wait until the other run has ended, then run again",
            Self::Pipeline => "correct the steps of the pipeline in the program",
        }
    }
}

impl Error {
    /// Creates an error with a summary: one line that names the subject.
    pub fn new(kind: ErrorKind, summary: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            summary: summary.into(),
            context: None,
            response: None,
            meaning: Meaning::default(),
            help: None,
            source: None,
        }))
    }

    /// Sets the operation that failed, unless an inner caller has set it already.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.0.context.get_or_insert_with(|| context.into());
        self
    }

    /// Sets the help: the action that the operator can take.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Sets the service's response.
    #[must_use]
    pub fn with_response(mut self, response: ServiceResponse) -> Self {
        self.0.response = Some(response);
        self
    }

    /// Sets the source of the error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Creates an error from an error of a service client. The client's error provides the response and the help, and
    /// becomes the source.
    pub fn service<E: ServiceError>(summary: impl Into<String>, error: E) -> Self {
        let help = error.advice();
        let mut this = Self::new(ErrorKind::Service, summary).with_response(error.response());
        this.0.help = help;
        this.0.meaning = error.meaning();
        this.with_source(error)
    }

    /// Appends a clause to the help.
    pub(crate) fn with_more_help(mut self, clause: &str) -> Self {
        let help = self.to_do().trim_end_matches('.');
        self.0.help = Some(format!("{help}; {clause}"));
        self
    }

    /// Sets the causes, for an error that was saved as data.
    pub(crate) fn with_causes(mut self, causes: Vec<String>) -> Self {
        let saved = causes.into_iter().rev().fold(None, |source, message| {
            Some(Box::new(SavedCause { message, source }))
        });
        self.0.source = saved.map(|saved| saved as Source);
        self
    }

    /// Returns the activity that failed, such as `planning step arrival`.
    pub(crate) fn during(&self) -> Option<&str> {
        self.0.context.as_deref()
    }

    /// Returns the messages of the sources, from the outermost to the innermost.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut source = self.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        causes
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the call that failed, such as `Okta POST /api/v1/apps` or `sso-admin CreateAccountAssignment`.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.response().map(|response| response.call.as_str())
    }

    /// Returns the HTTP status of the response, if one arrived.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response()?.status
    }

    /// Returns the service's error code, such as `E0000011` or `AccountNotFoundException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.response()?.code.as_deref()
    }

    /// Returns the service's error message.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.response()?.message.as_deref()
    }

    /// Returns the request id, which the service's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.response()?.request_id.as_deref()
    }

    /// Returns whether the service reported that the requested resource does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.meaning.category == Category::NotFound
    }

    /// Returns whether the service reported a conflict with an existing resource or with another write.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.meaning.category == Category::Conflict
    }

    /// Returns whether a rate limit of the service was used up.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.meaning.category == Category::Throttled
    }

    /// Returns whether the service did not accept the credential.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.0.meaning.category == Category::Unauthenticated
    }

    /// Returns whether the credential has no permission for the call.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.0.meaning.category == Category::PermissionDenied
    }

    /// Returns whether the service may have carried out a write whose response is missing. A new plan shows whether it has.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        self.0.meaning.may_have_acted
    }

    /// Returns the service's response, if there is one.
    #[must_use]
    pub fn response(&self) -> Option<&ServiceResponse> {
        self.0.response.as_ref()
    }

    /// Returns the action that the operator can take. Every error of this crate has one.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        Some(self.to_do())
    }

    /// Returns the action that the operator can take.
    pub(crate) fn to_do(&self) -> &str {
        self.0.help.as_deref().unwrap_or_else(|| {
            let kind = self.kind();
            if kind == ErrorKind::Service && self.status().is_none() {
                "check the connection to the service and its status page, then run again"
            } else {
                kind.help()
            }
        })
    }

    /// Returns the whole message for an operator, on several lines, without a trailing newline.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        let mut line = |label: &str, value: &str| {
            let mut separator = format!("\n  {label}");
            for line in value.trim_end().lines() {
                let _infallible = write!(text, "{separator}{}", Shown(line));
                "\n          ".clone_into(&mut separator);
            }
        };
        if let Some(context) = &self.0.context {
            line("while:  ", context);
        }
        if let Some(response) = &self.0.response {
            line("answer: ", &response.to_string());
        } else {
            for message in self.causes() {
                if !self.0.summary.contains(&message) {
                    line("cause:  ", &message);
                }
            }
        }
        line("to do:  ", self.to_do());
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0.summary).fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for ServiceResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.call)?;
        let mut before = ": ";
        if let Some(status) = self.status {
            write!(f, "{before}{status}")?;
            before = " ";
        }
        if let Some(code) = &self.code {
            write!(f, "{before}{code}")?;
            before = ": ";
        }
        if let Some(message) = &self.message {
            write!(f, "{before}{message}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// An error of a service client that [`Error::service`] can convert: the errors of [`okta`](crate::okta),
/// [`scim`](crate::scim) and [`aws`](crate::aws).
///
/// The trait is sealed. The error of another client becomes a [`source`](Error::with_source), and its response a
/// [`ServiceResponse`].
pub trait ServiceError: sealed::Sealed + StdError + Send + Sync + Sized + 'static {
    /// Returns the service's response.
    fn response(&self) -> ServiceResponse;

    /// Returns the action that the operator can take, if it is known.
    fn advice(&self) -> Option<String>;
}

pub(crate) mod sealed {
    /// The meaning of a service response, as its client reads it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Meaning {
        /// The category.
        pub category: Category,
        /// Whether the service may have carried out a write whose response is missing.
        pub may_have_acted: bool,
    }

    /// The category of a service's response.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Category {
        /// The resource does not exist.
        NotFound,
        /// Another resource or write is in conflict.
        Conflict,
        /// A rate limit is used up.
        Throttled,
        /// The credential was not accepted.
        Unauthenticated,
        /// The credential has no permission.
        PermissionDenied,
        /// None of the above.
        #[default]
        Other,
    }

    /// Keeps other crates from implementing [`ServiceError`](super::ServiceError).
    pub trait Sealed {
        /// Returns what the response means.
        #[doc(hidden)]
        fn meaning(&self) -> Meaning;
    }
}

/// A source of an error that was saved as data.
#[derive(Debug)]
struct SavedCause {
    message: String,
    source: Option<Box<Self>>,
}

impl fmt::Display for SavedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SavedCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Returns the message of the innermost source. If it is the cause of an earlier call, the message says so.
pub(crate) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    let mut unreachable = None;
    while let Some(next) = cause.source() {
        unreachable = unreachable.or_else(|| cause.downcast_ref::<Unreachable>());
        cause = next;
    }
    match unreachable {
        Some(unreachable) => format!("{unreachable}: {cause}"),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_has_summary_context_response_and_help() {
        let error = Error::new(
            ErrorKind::UnusableSubject,
            "account 999999999999 does not exist",
        )
        .with_context("planning account assignments")
        .with_response(ServiceResponse {
            call: "organizations DescribeAccount".into(),
            status: Some(400),
            code: Some("AccountNotFoundException".into()),
            message: Some("no such account".into()),
            request_id: Some("r-1".into()),
        })
        .with_help("correct `account` in the blueprint");
        insta::assert_snapshot!(error.explain(), @r"
        account 999999999999 does not exist
          while:  planning account assignments
          answer: organizations DescribeAccount: 400 AccountNotFoundException: no such account (request r-1)
          to do:  correct `account` in the blueprint
        ");
    }

    #[test]
    fn a_main_function_that_returns_the_error_prints_the_explanation() {
        let error = Error::new(ErrorKind::Locked, "the state is locked")
            .with_help("wait until the other run has ended");
        assert_eq!(
            format!("{error:?}"),
            "the state is locked\n  to do:  wait until the other run has ended"
        );
    }

    #[test]
    fn an_error_without_a_response_explains_its_sources() {
        let error = Error::new(ErrorKind::State, "the state could not be read")
            .with_source(std::io::Error::other("disk on fire"));
        assert_eq!(
            error.explain(),
            "the state could not be read\n  cause:  disk on fire\n  to do:  check that the state can be read and written, then run again"
        );
        assert_eq!(error.to_string(), "the state could not be read");
    }
}
