//! The error of a refused patch, and the reasons for a refusal.

use std::{
    error,
    fmt::{self, Write},
};

use super::ParsePathError;
use crate::{Error, Op, ScimType, filter::EvaluateFilterError};

/// The error of [`PatchOp::apply`](crate::PatchOp::apply): the patch is refused. No operation was applied.
#[derive(Debug)]
pub struct PatchError {
    operation: Option<(usize, Op)>,
    path: Option<String>,
    refusal: Box<Refusal>,
}

impl PatchError {
    pub(super) fn whole(refusal: Refusal) -> Self {
        Self {
            operation: None,
            path: None,
            refusal: Box::new(refusal),
        }
    }

    pub(super) fn at(index: usize, op: Op, path: Option<String>, refusal: Refusal) -> Self {
        Self {
            operation: Some((index, op)),
            path,
            refusal: Box::new(refusal),
        }
    }

    /// Returns the index of the refused operation, counted from 0; `None` if the error concerns the whole patch.
    #[must_use]
    pub fn operation(&self) -> Option<usize> {
        self.operation.map(|(index, _)| index)
    }

    /// Returns the path of the refused operation as it was sent, if the operation has one.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Returns the kind of the error (`scimType`).
    #[must_use]
    pub fn scim_type(&self) -> &ScimType {
        &self.refusal.scim_type
    }

    /// Returns the reason, without the operation and its path.
    #[must_use]
    pub fn problem(&self) -> String {
        self.refusal.to_string()
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refusal = &self.refusal;
        match (self.operation, self.path()) {
            (None, _) => write!(formatter, "the patch was refused: {refusal}"),
            (Some((index, op)), None) => {
                write!(
                    formatter,
                    "Operations[{index}] ({op}) was refused: {refusal}"
                )
            }
            (Some((index, op)), Some(path)) => {
                let path = Short(path);
                write!(
                    formatter,
                    "Operations[{index}] ({op} {path}) was refused: {refusal}"
                )
            }
        }
    }
}

impl error::Error for PatchError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.refusal.problem {
            Problem::Text(_) => None,
            Problem::Path(error) => Some(error),
            Problem::Filter(error) => Some(error),
        }
    }
}

/// Returns the body of a server's response: status 400, the `scimType`, and the reason.
impl From<&PatchError> for Error {
    fn from(error: &PatchError) -> Self {
        let mut detail = error.to_string();
        if let Some(source) = error::Error::source(error) {
            detail = format!("{detail}: {source}");
        }
        Self::bad_request(error.scim_type().clone(), detail)
    }
}

/// Returns the body of a server's response: status 400, the `scimType`, and the reason.
impl From<PatchError> for Error {
    fn from(error: PatchError) -> Self {
        Self::from(&error)
    }
}

/// Returns the body of a server's response: status 400, `invalidPath` or `invalidFilter`, and the reason.
impl From<ParsePathError> for Error {
    fn from(error: ParsePathError) -> Self {
        Self::bad_request(scim_type_of(&error), error.to_string())
    }
}

/// Returns the kind of the error for a path that cannot be parsed.
fn scim_type_of(error: &ParsePathError) -> ScimType {
    if error.is_in_filter() {
        ScimType::InvalidFilter
    } else {
        ScimType::InvalidPath
    }
}

/// The reason for refusing an operation, without its position.
#[derive(Debug)]
pub(super) struct Refusal {
    scim_type: ScimType,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Text(String),
    Path(ParsePathError),
    Filter(EvaluateFilterError),
}

impl Refusal {
    pub(super) fn invalid_syntax(problem: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidSyntax, problem)
    }

    pub(super) fn invalid_path(problem: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidPath, problem)
    }

    pub(super) fn invalid_value(problem: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidValue, problem)
    }

    pub(super) fn no_target(problem: impl Into<String>) -> Self {
        Self::new(ScimType::NoTarget, problem)
    }

    pub(super) fn mutability(problem: impl Into<String>) -> Self {
        Self::new(ScimType::Mutability, problem)
    }

    pub(super) fn too_many(problem: impl Into<String>) -> Self {
        Self::new(ScimType::TooMany, problem)
    }

    fn new(scim_type: ScimType, problem: impl Into<String>) -> Self {
        Self {
            scim_type,
            problem: Problem::Text(problem.into()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Text(text) => formatter.write_str(text),
            Problem::Path(_) => formatter.write_str("its path cannot be parsed"),
            Problem::Filter(_) => formatter.write_str("its filter cannot be evaluated"),
        }
    }
}

impl From<ParsePathError> for Refusal {
    fn from(error: ParsePathError) -> Self {
        Self {
            scim_type: scim_type_of(&error),
            problem: Problem::Path(error),
        }
    }
}

impl From<EvaluateFilterError> for Refusal {
    fn from(error: EvaluateFilterError) -> Self {
        Self {
            scim_type: ScimType::InvalidFilter,
            problem: Problem::Filter(error),
        }
    }
}

/// Displays an untrusted text on one line, and truncates a long text.
pub(super) struct Short<'a>(pub(super) &'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, character) in self.0.chars().enumerate() {
            match character {
                _ if number == MAX_SHOWN => return formatter.write_char('…'),
                character if character.is_control() => formatter.write_char('\u{fffd}')?,
                character => formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Maximum number of characters that are displayed.
const MAX_SHOWN: usize = 120;
