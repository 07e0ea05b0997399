//! The error that ends a program.

use okta_aws_sso::{Error, ErrorKind, Problem};

/// The error that ends a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The integration has failed.
    #[error("the integration stopped")]
    Stopped(#[from] Error),
    /// The blueprint is wrong. The text shows the places.
    #[error("{0}")]
    Blueprint(String),
    /// A file or a variable cannot be used.
    #[error("{message}")]
    Input {
        /// The cause.
        message: String,
        /// The action that the operator can take.
        help: String,
    },
    /// A check has failed. The list of checks was printed before.
    #[error("some checks failed; see the list of checks above")]
    ChecksFailed,
}

const LOOK_AGAIN: &str = "make a new plan: it shows what is missing";

impl Failure {
    pub(crate) fn input(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Input {
            message: message.into(),
            help: help.into(),
        }
    }

    /// Returns the whole message for an operator.
    pub(crate) fn explain(&self) -> String {
        match self {
            Self::Stopped(error) => format!("error: {}", error.explain()),
            Self::Blueprint(rendered) => rendered.clone(),
            Self::Input { message, help } => format!("error: {message}\n  to do:  {help}"),
            Self::ChecksFailed => format!("error: {self}\n  to do:  {LOOK_AGAIN}"),
        }
    }

    /// Returns the failure as data.
    pub(crate) fn problem(&self) -> Problem {
        let error = match self {
            Self::Stopped(error) => return Problem::new(None, error),
            Self::Blueprint(rendered) => Error::new(ErrorKind::Blueprint, rendered.clone())
                .with_help("correct the blueprint"),
            Self::Input { message, help } => {
                Error::new(ErrorKind::UnusableSubject, message.clone()).with_help(help.clone())
            }
            Self::ChecksFailed => {
                Error::new(ErrorKind::Service, self.to_string()).with_help(LOOK_AGAIN)
            }
        };
        Problem::new(None, &error)
    }
}
