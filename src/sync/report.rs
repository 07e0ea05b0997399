//! The result of a run: applied changes and failures.

use std::fmt;

use super::plan::Counts;
use crate::{
    error::{Error, ErrorKind, Result, ServiceResponse},
    plan::count,
};

/// The result of a run: applied changes and failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// Counts of the applied changes.
    pub done: Counts,
    /// The failed changes, each with the target's response.
    pub failed: Vec<Failed>,
    /// Messages about memberships that were not written, because the user could not be written.
    pub omitted_memberships: Vec<String>,
    /// Number of changes that were not attempted, because the run stopped early.
    pub not_attempted: usize,
    /// The reason why the run stopped early, if it did.
    pub stopped_early: Option<String>,
}

/// A change that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// The change, such as `create user ada@example.com`.
    pub change: String,
    /// The target's response, including its request id.
    pub response: ServiceResponse,
    /// Advice for the operator, if there is any.
    pub help: Option<String>,
}

impl SyncReport {
    /// Returns whether every change was applied.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_attempted == 0 && self.omitted_memberships.is_empty()
    }

    /// Returns the report if every change was applied.
    ///
    /// # Errors
    ///
    /// Fails if a change was not applied. The error lists the first changes that failed. Changes that were applied stay
    /// applied.
    pub fn complete(self) -> Result<Self> {
        if self.is_complete() {
            return Ok(self);
        }
        let mut failures: Vec<String> = self
            .failed
            .iter()
            .map(|failed| format!("{} ({})", failed.change, failed.response))
            .take(MAX_SHOWN)
            .collect();
        if self.failed.len() > MAX_SHOWN {
            failures.push(format!("{} more", self.failed.len() - MAX_SHOWN));
        }
        failures.extend(self.omitted_memberships.iter().take(MAX_SHOWN).cloned());
        if let Some(reason) = &self.stopped_early {
            failures.push(format!(
                "{} not attempted: {reason}",
                count(self.not_attempted, "change")
            ));
        }
        let help = self.failed.iter().find_map(|failed| failed.help.clone());
        let mut error = Error::new(
            ErrorKind::Service,
            format!(
                "not all changes were applied to the target: {}",
                failures.join("; ")
            ),
        )
        .with_help(help.unwrap_or_else(|| {
            "fix the causes, then run again: applied changes are kept".to_owned()
        }));
        if let Some(failed) = self.failed.into_iter().next() {
            error = error.with_response(failed.response);
        }
        Err(error)
    }
}

/// Maximum number of failed changes in an error message, and maximum number of omitted memberships in it.
const MAX_SHOWN: usize = 20;

impl Failed {
    /// Returns the failure as the error of a change of the pipeline.
    pub(crate) fn to_error(&self) -> Error {
        let error = Error::new(
            ErrorKind::Service,
            format!("AWS refused to {}", self.change),
        )
        .with_response(self.response.clone());
        match &self.help {
            Some(help) => error.with_help(help),
            None => error.with_help("fix the cause, then run again: applied changes are kept"),
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.change, self.response)
    }
}
