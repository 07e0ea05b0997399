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
    /// Messages about memberships that were not written, because their user could not be written.
    pub members_left_out: Vec<String>,
    /// Number of changes that were not tried, because the run stopped early.
    pub not_tried: usize,
    /// The reason why the run stopped early, if it did.
    pub given_up: Option<String>,
}

/// A change that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// The change, such as `create user ada@example.com`.
    pub what: String,
    /// The target's response, including its request id.
    pub response: ServiceResponse,
    /// Advice for the operator, if there is any.
    pub help: Option<String>,
}

impl SyncReport {
    /// Returns whether every change was applied.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_tried == 0 && self.members_left_out.is_empty()
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
            .map(|failed| format!("{} ({})", failed.what, failed.response))
            .take(MAX_SHOWN)
            .collect();
        if self.failed.len() > MAX_SHOWN {
            failures.push(format!("{} more", self.failed.len() - MAX_SHOWN));
        }
        failures.extend(self.members_left_out.iter().take(MAX_SHOWN).cloned());
        if let Some(why) = &self.given_up {
            failures.push(format!(
                "{} not tried: {why}",
                count(self.not_tried, "change")
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

/// Maximum number of failed changes in an error message; also the maximum number of memberships that were not written.
const MAX_SHOWN: usize = 20;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.response)
    }
}
