//! The one error of the facade: what was being done, to what, what the service answered, what to do.

use std::{error::Error as StdError, fmt};

/// What a step or the pipeline returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// Why the integration stopped.
///
/// [`Display`](fmt::Display) is one clause that names the thing. [`Error::explain`] is the whole message for a
/// person: the clause, what was being done, what the service answered and the way out.
pub struct Error(Box<Facts>);

struct Facts {
    kind: ErrorKind,
    what: String,
    context: Option<String>,
    response: Option<ServiceResponse>,
    help: Option<String>,
    source: Option<Source>,
}

/// What kind of thing went wrong, for callers that act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The blueprint asks for something that cannot be, whatever the services say.
    Blueprint,
    /// A service could not be reached, refused, or with_response something unreadable.
    Service,
    /// What the blueprint names does not exist, or is not in a state to be used.
    UnusableSubject,
    /// A person is needed and none is there; run again with one to go on from here.
    ManualStep,
    /// What a person handed over is not what was asked for.
    InvalidAnswer,
    /// What is observed differs from the plan; nothing more was changed.
    StalePlan,
    /// The plan removes more than the guard allows.
    GuardRejected,
    /// Something did not come true in time.
    TimedOut,
    /// The state could not be read or saved.
    State,
}

/// What a service with_response, as far as it said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceResponse {
    /// The call, such as `POST /api/v1/apps` or `sso-admin CreateAccountAssignment`.
    pub call: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The service's own error code, such as `E0000011` or `AccountNotFoundException`.
    pub code: Option<String>,
    /// The service's own words.
    pub message: Option<String>,
    /// The id the service's support asks for.
    pub request_id: Option<String>,
}

impl Error {
    /// An error of a kind, with a clause that names the thing.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            kind,
            what: what.into(),
            context: None,
            response: None,
            help: None,
            source: None,
        }))
    }

    /// Says what was being done. The innermost caller's words stay.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.0.context.get_or_insert_with(|| context.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Keeps what the service answered.
    #[must_use]
    pub fn with_response(mut self, response: ServiceResponse) -> Self {
        self.0.response = Some(response);
        self
    }

    /// Keeps the cause in the chain.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// An error from one of the clients: its answer, its advice and itself as the source are kept.
    pub fn service<E: ServiceError>(what: impl Into<String>, error: E) -> Self {
        let help = error.advice();
        let mut this = Self::new(ErrorKind::Service, what).with_response(error.response());
        this.0.help = help;
        this.with_source(error)
    }

    /// Adds what else has failed at the same time.
    pub(crate) fn and(mut self, others: &[String]) -> Self {
        for other in others {
            self.0.what.push_str("; and ");
            self.0.what.push_str(other);
        }
        self
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the service answered, if one did.
    #[must_use]
    pub fn response(&self) -> Option<&ServiceResponse> {
        self.0.response.as_ref()
    }

    /// What to do about it, if anything is known to help.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The whole message for a person, over several lines, without a trailing newline.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = self.0.what.clone();
        let mut line = |label: &str, value: &str| {
            text.push_str("\n  ");
            text.push_str(label);
            text.push_str(&value.trim_end().replace('\n', "\n          "));
        };
        if let Some(context) = &self.0.context {
            line("while:  ", context);
        }
        if let Some(response) = &self.0.response {
            line("answer: ", &response.to_string());
        } else {
            let mut source = self.source();
            while let Some(cause) = source {
                let said = cause.to_string();
                if !self.0.what.contains(&said) {
                    line("cause:  ", &said);
                }
                source = cause.source();
            }
        }
        if let Some(help) = &self.0.help {
            line("to do:  ", help);
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("what", &self.0.what)
            .field("context", &self.0.context)
            .field("answer", &self.0.response)
            .field("help", &self.0.help)
            .field("source", &self.0.source)
            .finish()
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

/// An error of one of the clients, seen from the facade.
pub trait ServiceError: StdError + Send + Sync + Sized + 'static {
    /// What the service answered.
    fn response(&self) -> ServiceResponse;
    /// What to do about it.
    fn advice(&self) -> Option<String>;
}

/// What went wrong below, when no service with_response: the innermost cause in words.
pub(crate) fn root_cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_has_the_clause_the_context_the_response_and_the_help() {
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
    fn without_an_answer_the_chain_of_causes_is_shown() {
        let error = Error::new(ErrorKind::State, "the state could not be read")
            .with_source(std::io::Error::other("disk on fire"));
        assert_eq!(
            error.explain(),
            "the state could not be read\n  cause:  disk on fire"
        );
        assert_eq!(error.to_string(), "the state could not be read");
    }
}
