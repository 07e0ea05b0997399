//! The [`Step`] trait: one part of the integration that can be planned, applied and verified.

use futures::future::BoxFuture;
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId, StepPlan},
};

/// One part of the integration that can be planned, applied and verified.
///
/// # Contract
///
/// - [`plan`](Step::plan) changes nothing outside the context. Two calls in a row return the same plan.
/// - [`apply`](Step::apply) does what the change says and nothing else. It is idempotent: it can run again after
///   an interruption at any point.
/// - After every change was applied, `plan` returns no change.
/// - A step does not sleep, print or write the state. It returns [`Applied::Waiting`] and is called again later, asks the
///   operator through the context, and stores what it found in the context's facts or in its
///   [memory](Context#memory-of-a-step).
/// - A step object holds configuration only. One object may be planned and applied several times, also at the same time.
/// - A step puts no secret into a change, a fact or an error.
pub trait Step: Send + Sync {
    /// Returns the id of the step, which is unique in a pipeline.
    fn id(&self) -> StepId;

    /// Returns the goal of the step in a few words.
    fn title(&self) -> String;

    /// Returns the changes that the services need to match the blueprint.
    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>>;

    /// Applies one change of the plan. Returns [`Applied::Waiting`] if the change is still in progress.
    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>>;

    /// Verifies against the services that the step's goal is reached.
    ///
    /// Default: the check passes if `plan` returns no change.
    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            let failed = planned.changes.iter().map(|change| {
                Check::failed(format!(
                    "{}: not done: {} {}",
                    self.title(),
                    change.action.verb(),
                    change.target
                ))
            });
            let checks: Vec<Check> = failed.collect();
            Ok(if checks.is_empty() {
                vec![Check::verified(self.title())]
            } else {
                checks
            })
        })
    }

    /// Returns the maximum number of changes that are applied side by side (default: 1).
    ///
    /// With 1, the changes are applied in order, and the first failure stops the rest. With a higher number, the changes
    /// must not depend on each other, because a failure does not stop the other changes.
    fn parallelism(&self) -> usize {
        1
    }
}

/// The changes that a step plans, and notes for the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Notes for the reader of the plan. They cause no change.
    pub notes: Vec<String>,
}

/// The result of applying a change once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The change is done.
    Done,
    /// The change is in progress; the step must be called again later.
    Waiting(Waiting),
}

/// A change that is in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The awaited condition, in a few words.
    pub on: String,
    /// The parts that are still missing, each with the reason if it is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// The result of one verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The verified condition, or the problem that was found.
    pub what: String,
    /// The result.
    pub outcome: CheckOutcome,
}

/// The result of a [`Check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// The services report that the condition is true.
    Verified,
    /// The condition is not true.
    Failed,
    /// No public API reports the condition.
    Unverifiable,
}

impl Planned {
    /// Returns a plan without changes.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Returns a plan with these changes and no notes.
    #[must_use]
    pub fn changes(changes: Vec<Change>) -> Self {
        Self {
            changes,
            notes: Vec::new(),
        }
    }

    /// Returns a plan with one change.
    #[must_use]
    pub fn one(change: Change) -> Self {
        Self::changes(vec![change])
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn of(self, step: &dyn Step) -> StepPlan {
        StepPlan {
            step: step.id(),
            title: step.title(),
            changes: self.changes,
            notes: self.notes,
        }
    }
}

impl Applied {
    /// Returns a result that waits for `on`, without a list of missing parts.
    pub fn waiting(on: impl Into<String>) -> Self {
        Self::Waiting(Waiting {
            on: on.into(),
            missing: Vec::new(),
        })
    }
}

impl Check {
    /// Returns a check that passed.
    pub fn verified(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: CheckOutcome::Verified,
        }
    }

    /// Returns a check that failed.
    pub fn failed(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: CheckOutcome::Failed,
        }
    }

    /// Returns a check that no public API can answer.
    pub fn unverifiable(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: CheckOutcome::Unverifiable,
        }
    }
}

/// Returns the error for a change that the step never plans.
pub(crate) fn unknown_change(step: &StepId, change: &Change) -> Error {
    let action: Action = change.action;
    Error::new(
        ErrorKind::StalePlan,
        format!(
            "step {step} has no change \"{} {}\"",
            action.verb(),
            change.target
        ),
    )
    .with_help("make a new plan with this version of the crate")
}
