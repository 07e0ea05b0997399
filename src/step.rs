//! The [`Step`] trait: one part of the integration that can be planned, applied and verified.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use aws_sso_glue::{Account, IdentityCenter, InstanceArn};
use futures::future::BoxFuture;
use rest_core::{Clock, Secret};
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::{
    error::{Error, ErrorKind, Result},
    operator::{Answers, ManualStep, Operator, OperatorError},
    plan::{Action, Change, StepId, StepPlan},
    resolved_scope::ResolvedScope,
    state::{Facts, IdpFact},
};

/// One part of the integration that can be planned, applied and verified.
///
/// # Contract
///
/// - [`plan`](Step::plan) changes nothing outside the context. Two calls in a row return the same plan.
/// - [`apply`](Step::apply) does what the change says and nothing else. It is idempotent: it can run again after
///   an interruption at any point.
/// - After every change was applied, `plan` returns no change.
/// - A step does not sleep, print or save. It returns [`Applied::Waiting`] and is called again later, asks the
///   operator through the context, and stores what it found in the context's facts.
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

/// The input of a step in addition to its own configuration: facts, operator, clock, and cached reads.
///
/// One context lives as long as one `plan`, `apply` or `verify`. Data that several steps need is read once.
pub struct Context {
    facts: Mutex<Facts>,
    files: Mutex<BTreeMap<&'static str, Vec<u8>>>,
    scim_token: Mutex<Option<Secret>>,
    planned_idp: Mutex<Expected>,
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    pub(crate) scope: OnceCell<ResolvedScope>,
    pub(crate) accounts: OnceCell<Vec<Account>>,
    center: Mutex<Option<(InstanceArn, IdentityCenter)>>,
}

impl Context {
    /// Creates a context that starts with these facts.
    #[must_use]
    pub fn new(facts: Facts, operator: Arc<dyn Operator>, clock: Arc<dyn Clock>) -> Self {
        Self {
            facts: Mutex::new(facts),
            files: Mutex::default(),
            scim_token: Mutex::default(),
            planned_idp: Mutex::default(),
            operator,
            clock,
            scope: OnceCell::new(),
            accounts: OnceCell::new(),
            center: Mutex::default(),
        }
    }

    /// Calls `read` with the facts, and returns its result.
    pub fn facts<T>(&self, read: impl FnOnce(&Facts) -> T) -> T {
        read(&self.lock_facts())
    }

    /// Calls `write` with the facts to change them, and returns its result.
    pub fn update_facts<T>(&self, write: impl FnOnce(&mut Facts) -> T) -> T {
        write(&mut self.lock_facts())
    }

    /// Returns a copy of all facts.
    #[must_use]
    pub fn all_facts(&self) -> Facts {
        self.lock_facts().clone()
    }

    /// Stores a file that the pipeline saves beside the state.
    pub fn put_file(&self, name: &'static str, bytes: Vec<u8>) {
        lock(&self.files).insert(name, bytes);
    }

    /// Returns a file that was stored in this context.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        lock(&self.files).get(name).cloned()
    }

    /// Returns all files that were stored in this context.
    pub(crate) fn files(&self) -> BTreeMap<&'static str, Vec<u8>> {
        lock(&self.files).clone()
    }

    /// Keeps the SCIM token in memory until the context is dropped. It is never saved.
    pub fn set_scim_token(&self, token: Secret) {
        *lock(&self.scim_token) = Some(token);
    }

    /// Returns the SCIM token if the operator supplied one in this run.
    #[must_use]
    pub fn scim_token(&self) -> Option<Secret> {
        lock(&self.scim_token).clone()
    }

    /// Sets the identity provider metadata that the planned changes will produce; `None` if it is not known yet.
    pub(crate) fn set_planned_idp(&self, idp: Option<IdpFact>) {
        *lock(&self.planned_idp) =
            idp.map_or(Expected::Later, |idp| Expected::Known(Box::new(idp)));
    }

    /// Returns the identity provider metadata that later steps plan with.
    pub(crate) fn planned_idp(&self) -> Option<IdpFact> {
        match &*lock(&self.planned_idp) {
            Expected::Unchanged => self.facts(|facts| facts.idp.clone()),
            Expected::Later => None,
            Expected::Known(idp) => Some((**idp).clone()),
        }
    }

    /// Returns the client of an Identity Center instance. Its name cache lives as long as the context.
    pub(crate) fn identity_center(
        &self,
        instance: &InstanceArn,
        connect: impl FnOnce() -> IdentityCenter,
    ) -> IdentityCenter {
        let mut cached = lock(&self.center);
        match &*cached {
            Some((arn, center)) if arn == instance => center.clone(),
            _ => cached.insert((instance.clone(), connect())).1.clone(),
        }
    }

    /// Returns the current time of the context's clock.
    ///
    /// # Panics
    ///
    /// Panics if the clock is off by thousands of years.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::try_from(self.clock.now())
            .expect("the clock is within some thousand years")
    }

    /// Returns the clock, for a client that a step creates.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Asks the operator to do a manual step and returns the answers once `verify` accepts them.
    ///
    /// # Errors
    ///
    /// Fails if no operator is present, or if `verify` rejects the answers: three times with an operator that can
    /// be asked again, otherwise once.
    pub async fn manual_step<T, P, F>(&self, mut manual_step: ManualStep, verify: P) -> Result<T>
    where
        P: Fn(Answers) -> F,
        F: Future<Output = Result<T>>,
    {
        let mut attempts_left = if self.operator.may_ask_again() {
            MAX_ATTEMPTS
        } else {
            1
        };
        loop {
            let answers = self
                .operator
                .ask(&manual_step)
                .await
                .map_err(|error| not_done(&manual_step, error))?;
            match verify(answers).await {
                Ok(verified) => return Ok(verified),
                Err(error) if attempts_left == 1 => return Err(error),
                Err(error) => manual_step.rejected = Some(error.explain()),
            }
            attempts_left -= 1;
        }
    }

    fn lock_facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }
}

/// The identity provider metadata that later steps plan with.
#[derive(Default)]
enum Expected {
    /// No step has planned a change: the saved fact applies.
    #[default]
    Unchanged,
    /// The metadata is known after the app is created.
    Later,
    /// The metadata is known.
    Known(Box<IdpFact>),
}

/// Maximum number of prompts for one manual step, to allow for typing mistakes. After three wrong answers, another prompt
/// does not help.
const MAX_ATTEMPTS: u32 = 3;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds a lock of the context")
}

fn not_done(manual_step: &ManualStep, error: OperatorError) -> Error {
    match error {
        OperatorError::Absent => Error::new(
            ErrorKind::ManualStep,
            format!("an operator is needed: {}", manual_step.title),
        )
        .with_help(format!(
            "do this manual step, then run again; the changes before it are done and saved\n{manual_step}"
        )),
        error => Error::new(
            ErrorKind::ManualStep,
            format!("manual step not done: {}", manual_step.title),
        )
        .with_source(error)
        .with_help("run again when the manual step can be done; the changes before it are done and saved"),
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("facts", &self.all_facts())
            .finish_non_exhaustive()
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
