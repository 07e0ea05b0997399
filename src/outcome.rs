//! The result of a run: every change with its outcome.

use std::ops::Deref;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Name, Note, Problem, StepId, Subject, count},
    state::Facts,
};

/// The outcome of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// The run has made the change.
    Done,
    /// The change was already made when the run came to it.
    AlreadyDone,
    /// The check could not be made: the run has no operator, or no API shows the condition.
    Unverified {
        /// The reason.
        note: Note,
    },
    /// The change was not made, or only in part.
    Failed {
        /// The reason.
        problem: Box<Problem>,
    },
    /// The change was started, and made no progress within the stall timeout.
    TimedOut {
        /// The awaited condition.
        problem: Box<Problem>,
    },
    /// A manual step waits for an operator. The next run with an operator goes on here.
    WaitsForOperator {
        /// The manual step.
        problem: Box<Problem>,
    },
    /// The change was not started.
    Skipped {
        /// The reason.
        because: Cause,
    },
}

/// The reason why a change was not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// The change needs this subject, and a change or a problem of it has failed. Or an earlier change of the same chain has
    /// failed.
    Subject(Subject),
    /// The change needs something that this step provides, and the step could not be planned.
    Step(StepId),
    /// The guard has withheld the change.
    Guard,
    /// The step has stopped, because a service refused its credentials. Or the run is strict, and another change has failed.
    Stopped,
}

/// A change of the plan with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ChangeResult {
    /// The step.
    pub step: StepId,
    /// The kind of change.
    pub action: Action,
    /// The subject of the change.
    pub subject: Subject,
    /// The outcome.
    pub outcome: Outcome,
}

/// The result of [`Pipeline::apply`](crate::Pipeline::apply).
#[must_use = "a run can end with failed changes: see `complete`"]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Report {
    /// The format version of this document; see [`Plan::FORMAT`](crate::Plan::FORMAT).
    pub format: u32,
    /// The id of the run, which is also in its events.
    pub run: Name,
    /// The time at which the run started.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// The time at which the run ended.
    #[schemars(with = "String")]
    pub ended: Timestamp,
    /// The changes of the plan, each with its outcome.
    pub results: Vec<ChangeResult>,
    /// The problems that no change has: of subjects without a change, and of steps that could not be planned again.
    pub problems: Vec<Problem>,
    /// Changes that the services need now and that the plan did not have. They were not made.
    pub unplanned: Vec<(StepId, Change)>,
    /// The facts at the end of the run.
    #[serde(skip)]
    pub facts: Facts,
}

/// The report of a run that has made every change of its plan; see [`Report::complete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CompleteReport(Report);

impl Deref for CompleteReport {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl Outcome {
    /// Returns whether the goal of the change is reached.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(
            self,
            Self::Done | Self::AlreadyDone | Self::Unverified { .. }
        )
    }

    /// Returns the problem, if there is one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Failed { problem }
            | Self::TimedOut { problem }
            | Self::WaitsForOperator { problem } => Some(problem),
            _ => None,
        }
    }
}

impl Report {
    /// Returns the number of changes that this run has made.
    #[must_use]
    pub fn done(&self) -> usize {
        self.count(|outcome| *outcome == Outcome::Done)
    }

    /// Returns the number of changes that were already made when the run came to them.
    #[must_use]
    pub fn already_done(&self) -> usize {
        self.count(|outcome| *outcome == Outcome::AlreadyDone)
    }

    /// Returns the number of changes that were not started.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped { .. }))
    }

    /// Returns all problems: first those of steps and of subjects without a change, then those of changes.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        let of_changes = self.results.iter();
        let of_changes = of_changes.filter_map(|result| result.outcome.problem());
        self.problems.iter().chain(of_changes)
    }

    /// Returns whether every change of the plan is made and there is no problem.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let made = |result: &ChangeResult| result.outcome.is_success();
        self.results.iter().all(made) && self.problems.is_empty() && self.unplanned.is_empty()
    }

    /// Returns the report if every change of the plan is made.
    ///
    /// # Errors
    ///
    /// Fails with the first problem, and the number of the other problems and of the skipped changes.
    pub fn complete(self) -> Result<CompleteReport> {
        if self.is_complete() {
            return Ok(CompleteReport(self));
        }
        Err(self.error())
    }

    fn error(&self) -> Error {
        let mut problems = self.all_problems();
        let first = problems.next();
        let error = first.map_or_else(|| self.unplanned_error(), |first| first.clone().into());
        let mut others = Vec::new();
        for (number, text) in [
            (problems.count(), "other problem"),
            (self.skipped(), "skipped change"),
        ] {
            if number > 0 {
                others.push(count(number, text));
            }
        }
        if others.is_empty() {
            return error;
        }
        let others = others.join(" and ");
        error.with_more_help(&format!(
            "the run also had {others}, which its report lists"
        ))
    }

    /// Returns the error of a run that found changes that its plan did not have.
    fn unplanned_error(&self) -> Error {
        let listed: Vec<String> = self
            .unplanned
            .iter()
            .map(|(step, change)| format!("{change} (step {step})"))
            .collect();
        Error::new(
            ErrorKind::StalePlan,
            format!(
                "Okta or AWS has changed since the plan was made, and these changes were not planned: {}",
                listed.join(", ")
            ),
        )
        .with_help("make a new plan, review it, and apply it; the planned changes are done")
    }

    fn count(&self, counts: impl Fn(&Outcome) -> bool) -> usize {
        let results = self.results.iter();
        results.filter(|result| counts(&result.outcome)).count()
    }
}
