//! Problems and notes: what a reader must know, as data.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Subject;
use crate::{
    error::{Error, ErrorKind, ServiceResponse},
    text::Shown,
};

/// The stable code of a note, such as `adopted`. Codes stay the same when texts change.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// Creates a code from a constant, in kebab case.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// Returns the code as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A note for the reader of a plan. It causes no change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Note {
    /// The stable code.
    pub code: Code,
    /// The subject, if the note has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The text.
    pub text: String,
}

impl Note {
    /// Creates a note without a subject.
    #[must_use]
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code: Code::new(code),
            subject: None,
            text: text.into(),
        }
    }

    /// Sets the subject.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.text).fmt(f)
    }
}

/// A problem: an [`Error`] as data, with the subject that it concerns.
///
/// Changes of this subject, and changes that need it, are not made; all other changes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Problem {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The subject; `None` if the problem concerns a whole step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The summary: one line that names the subject.
    pub message: String,
    /// The operation that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
    /// The service's response, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ServiceResponse>,
    /// The causes, from the outermost to the innermost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The action that the operator can take.
    pub help: String,
}

impl Problem {
    /// Creates a problem from an error.
    #[must_use]
    pub fn new(subject: Option<Subject>, error: &Error) -> Self {
        Self {
            kind: error.kind(),
            subject,
            message: error.to_string(),
            during: error.during().map(str::to_owned),
            response: error.response().cloned(),
            causes: error.causes(),
            help: error.to_do().to_owned(),
        }
    }

    /// Returns the whole message for an operator, on several lines, without a trailing newline.
    #[must_use]
    pub fn explain(&self) -> String {
        Error::from(self.clone()).explain()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.message).fmt(f)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let mut error = Self::new(problem.kind, problem.message)
            .with_causes(problem.causes)
            .with_help(problem.help);
        if let Some(during) = problem.during {
            error = error.with_context(during);
        }
        if let Some(response) = problem.response {
            error = error.with_response(response);
        }
        error
    }
}
