//! What a run has done, and what it could not do.

use std::fmt;

use super::plan::Counts;
use crate::error::{Error, ErrorKind, Result, ServiceResponse};

/// What a run has done, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// How much was done.
    pub done: Counts,
    /// What the target did not take, each with its reason; everything else was done.
    pub failed: Vec<Failed>,
    /// Memberships that were left out because their user could not be written.
    pub members_left_out: Vec<String>,
    /// How many changes were not tried, because the target takes nothing any more.
    pub not_tried: usize,
    /// Why the run was given up, if it was.
    pub given_up: Option<String>,
}

/// One thing that the target did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// What was to be done, such as `create user ada@example.com`.
    pub what: String,
    /// What the target answered, its request id included.
    pub response: ServiceResponse,
    /// What to do about it, if anything is known to help.
    pub help: Option<String>,
}

impl SyncReport {
    /// Returns whether everything was done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_tried == 0 && self.members_left_out.is_empty()
    }

    /// The report if everything was done.
    ///
    /// # Errors
    ///
    /// An error that names everything that was not; what was done stays done.
    pub fn complete(self) -> Result<Self> {
        if self.is_complete() {
            return Ok(self);
        }
        let mut names: Vec<String> = self
            .failed
            .iter()
            .map(|failed| format!("{} ({})", failed.what, failed.response))
            .take(SHOWN)
            .collect();
        if self.failed.len() > SHOWN {
            names.push(format!("{} more", self.failed.len() - SHOWN));
        }
        names.extend(self.members_left_out.iter().take(SHOWN).cloned());
        if let Some(why) = &self.given_up {
            names.push(format!("{} changes not tried: {why}", self.not_tried));
        }
        let help = self.failed.iter().find_map(|failed| failed.help.clone());
        let mut error = Error::new(
            ErrorKind::Service,
            format!("the target has not taken everything: {}", names.join("; ")),
        )
        .with_help(help.unwrap_or_else(|| {
            "see to the reasons, then run again: what is done stays done".to_owned()
        }));
        if let Some(failed) = self.failed.into_iter().next() {
            error = error.with_response(failed.response);
        }
        Err(error)
    }
}

const SHOWN: usize = 20;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.response)
    }
}
