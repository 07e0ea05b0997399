//! The [`Step`] trait: one part of the integration that can be planned, applied and verified.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    access::{AccessQuery, AccessSnapshot},
    batch::{Batch, Waiting},
    context::Context,
    drift::Drift,
    error::{Error, ErrorKind, Result},
    plan::{Change, Hazard, Kind, Need, Note, Plan, Problem, Selection, StepId, Subject},
};

/// One part of the integration that can be planned, applied and verified.
///
/// # Contract
///
/// - [`plan`](Step::plan) changes nothing outside the context. Two calls in a row return the same plan.
/// - [`apply`](Step::apply) does what the change says and nothing else. It is idempotent: it can run again after
///   an interruption at any point.
/// - After every change was applied, `plan` returns no change.
/// - Only [writing actions](crate::plan::Action::writes) send requests that write.
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
    ///
    /// An error that concerns a single subject, such as an account that is closed, is a problem of the plan, so that the other
    /// changes go on. An error means that the step cannot be planned at all.
    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>>;

    /// Applies one change of the plan. Returns [`Applied::Waiting`] if the change is still in progress.
    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>>;

    /// Applies all approved changes of a run (default: one by one with [`apply`](Step::apply)).
    ///
    /// A step overrides this function if one request or one wait serves many changes.
    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        let _ = cx;
        Box::pin(batch.one_by_one())
    }

    /// Returns the hazards of a whole plan, which the step knows best (default: none).
    ///
    /// This is called after all steps are planned, and again before the plan is applied, if the plan has
    /// [removals](Plan::removals). It reads only.
    fn hazards<'a>(
        &'a self,
        plan: &'a Plan,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<Hazard>>> {
        let _ = (plan, cx);
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Verifies against the services that the step's goal is reached.
    ///
    /// Default: the check passes if `plan` returns no change.
    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            let failed = planned
                .changes
                .iter()
                .map(|change| Check::failed(format!("{}: not done: {change}", self.title())));
            let problems = planned.problems.iter();
            let problems = problems.map(|problem| Check::failed(problem.message.clone()));
            let checks: Vec<Check> = failed.chain(problems).collect();
            Ok(if checks.is_empty() {
                vec![Check::verified(self.title())]
            } else {
                checks
            })
        })
    }

    /// Returns the access that AWS gives, if the step knows it (default: it does not). It reads only.
    fn access<'a>(
        &'a self,
        query: &'a AccessQuery,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Option<AccessSnapshot>>> {
        let _ = (query, cx);
        Box::pin(async { Ok(None) })
    }

    /// Returns how AWS and Okta differ from the step's goal, in both directions (default: the changes that
    /// [`plan`](Step::plan) returns). It reads only.
    fn drift<'a>(
        &'a self,
        query: &'a AccessQuery,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Drift>> {
        let _ = query;
        Box::pin(async move { Ok(Drift::from(self.plan(cx).await?)) })
    }

    /// Returns the chain that a change belongs to (default: one chain for the whole step).
    ///
    /// The changes of a chain are applied in the order of the plan, and the first failure stops the rest of the chain. The
    /// chains of a step are independent of each other.
    fn chain(&self, change: &Change) -> Option<Subject> {
        let _ = change;
        None
    }

    /// Returns the maximum number of chains that are applied side by side (default: 1).
    fn parallelism(&self) -> usize {
        1
    }

    /// Returns the kinds of the subjects that this step makes or finds for other steps (default: none).
    ///
    /// If the step cannot be planned, the changes that [need](Self::needs) such a kind are skipped.
    fn gives(&self) -> &'static [Kind] {
        &[]
    }

    /// Returns what must exist before a change can be made (default: [`Subject::needs`]).
    ///
    /// If it has a problem, or a change of it fails, the change is skipped.
    fn needs(&self, change: &Change) -> Vec<Need> {
        change.subject.needs()
    }
}

/// The changes that a step plans, and notes for the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The problems. They stop the changes that they concern, and no others.
    pub problems: Vec<Problem>,
    /// The hazards, which the guard refuses unless they are allowed by name.
    pub hazards: Vec<Hazard>,
    /// Notes for the reader of the plan. They cause no change.
    pub notes: Vec<Note>,
    /// The accounts that the filters and patterns of the blueprint match.
    pub selections: Vec<Selection>,
    /// The number of existing objects by kind, as far as the step has read them.
    pub totals: BTreeMap<Kind, u64>,
}

/// The result of applying a change once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The change is done.
    Done,
    /// The change is in progress; the step must be called again later.
    Waiting(Waiting),
}

/// The result of one verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// The verified condition, or the problem that was found.
    pub what: String,
    /// The result.
    pub outcome: CheckOutcome,
}

/// The result of a [`Check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// The services report that the condition is true.
    Verified,
    /// The condition is not true.
    Failed,
    /// No public API reports the condition.
    Unverifiable,
}

/// The differences that the changes of a plan remove.
impl From<Planned> for Drift {
    fn from(planned: Planned) -> Self {
        Self::of_changes(&planned.changes, planned.problems)
    }
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
            ..Self::default()
        }
    }

    /// Returns a plan with one change.
    #[must_use]
    pub fn one(change: Change) -> Self {
        Self::changes(vec![change])
    }

    /// Adds a note with a stable code in kebab case.
    #[must_use]
    pub fn note(mut self, code: &'static str, note: impl Into<String>) -> Self {
        self.notes.push(Note::new(code, note));
        self
    }

    /// Adds a problem of a subject.
    pub fn problem(&mut self, subject: Subject, error: &Error) {
        self.problems.push(Problem::new(Some(subject), error));
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
    Error::new(
        ErrorKind::StalePlan,
        format!("step {step} has no change \"{change}\""),
    )
    .with_help("make a new plan with this version of the crate")
}
