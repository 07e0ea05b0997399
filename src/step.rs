//! One thing that should be true of Okta or AWS, and the contract that every such thing keeps.

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

/// One thing that should be true of Okta or AWS.
///
/// # Contract
///
/// - [`plan`](Step::plan) changes nothing outside the context, and two calls in a row return the same.
/// - [`apply`](Step::apply) does what the change says and nothing else, and may be run again after it was
///   interrupted at any point.
/// - After every change was applied, `plan` returns no change.
/// - A step does not sleep, print or save: it returns [`Applied::Waiting`] and is asked again, it asks a person
///   through the context, and it notes what it learnt in the context's facts.
/// - No secret is put into a change, a fact or an error.
pub trait Step: Send + Sync {
    /// The name of the step; unique in a pipeline.
    fn id(&self) -> StepId;

    /// What the step makes true, in a few words.
    fn title(&self) -> String;

    /// What would have to be changed.
    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>>;

    /// Does one change of the plan, or finds that it has not come true yet.
    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>>;

    /// Proves against the services that the step's part is true.
    ///
    /// Unless a step knows better, that is so when nothing would have to be changed.
    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            let failed = planned.changes.iter().map(|change| {
                Check::failed(format!(
                    "{}: would {} {}",
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

    /// How many changes of this step may be underway at once.
    fn parallelism(&self) -> usize {
        1
    }
}

/// What a step would change, and what a reader should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Remarks that change nothing.
    pub notes: Vec<String>,
}

/// How far the application of a change got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is done.
    Done,
    /// It is underway: ask again later.
    Waiting(Waiting),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What is waited for, in a few words.
    pub on: String,
    /// What is missing still, each with the reason where one is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Something that was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, or what is wrong with it.
    pub what: String,
    /// What was found.
    pub outcome: CheckOutcome,
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// It is so, as the services say.
    Verified,
    /// It is not so.
    Failed,
    /// No public API can say.
    Unverifiable,
}

/// What a step sees of the world around it.
///
/// One context lives as long as one `plan`, `apply` or `verify`; what is read into it is read once.
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
    /// A context that begins with these facts.
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

    /// Reads a fact.
    pub fn facts<T>(&self, read: impl FnOnce(&Facts) -> T) -> T {
        read(&self.lock_facts())
    }

    /// Notes a fact.
    pub fn update_facts<T>(&self, write: impl FnOnce(&mut Facts) -> T) -> T {
        write(&mut self.lock_facts())
    }

    /// All facts as they are now.
    #[must_use]
    pub fn all_facts(&self) -> Facts {
        self.lock_facts().clone()
    }

    /// Hands over a file to be kept beside the state.
    pub fn put_file(&self, name: &'static str, bytes: Vec<u8>) {
        lock(&self.files).insert(name, bytes);
    }

    /// A file that was handed over and not yet kept, or is being kept.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        lock(&self.files).get(name).cloned()
    }

    /// The files that were handed over.
    pub(crate) fn files(&self) -> BTreeMap<&'static str, Vec<u8>> {
        lock(&self.files).clone()
    }

    /// Remembers the SCIM token until the context is gone, and no longer.
    pub fn set_scim_token(&self, token: Secret) {
        *lock(&self.scim_token) = Some(token);
    }

    /// The SCIM token, if a person has handed it over in this run.
    #[must_use]
    pub fn scim_token(&self) -> Option<Secret> {
        lock(&self.scim_token).clone()
    }

    /// Notes what the identity provider's metadata will be once its change is applied; `None` is not known yet.
    pub(crate) fn set_planned_idp(&self, idp: Option<IdpFact>) {
        *lock(&self.planned_idp) =
            idp.map_or(Expected::Later, |idp| Expected::Known(Box::new(idp)));
    }

    /// The identity provider's metadata that later steps are to plan on.
    pub(crate) fn planned_idp(&self) -> Option<IdpFact> {
        match &*lock(&self.planned_idp) {
            Expected::Unchanged => self.facts(|facts| facts.idp.clone()),
            Expected::Later => None,
            Expected::Known(idp) => Some((**idp).clone()),
        }
    }

    /// The calls about an instance; what they learn about names is kept as long as the context.
    pub(crate) fn identity_center(
        &self,
        instance: &InstanceArn,
        connect: impl FnOnce() -> IdentityCenter,
    ) -> IdentityCenter {
        let mut kept = lock(&self.center);
        match &*kept {
            Some((arn, center)) if arn == instance => center.clone(),
            _ => kept.insert((instance.clone(), connect())).1.clone(),
        }
    }

    /// The moment.
    ///
    /// # Panics
    ///
    /// If the clock is off by thousands of years.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::try_from(self.clock.now())
            .expect("the clock is within some thousand years")
    }

    /// Where time comes from, for a client that a step makes.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Has a person do something, and takes the answers once `prove` takes them.
    ///
    /// # Errors
    ///
    /// If nobody is there, or the answers were not taken: after three tries where asking again makes sense.
    pub async fn manual_step<T, P, F>(&self, mut manual_step: ManualStep, prove: P) -> Result<T>
    where
        P: Fn(Answers) -> F,
        F: Future<Output = Result<T>>,
    {
        let mut left = if self.operator.may_ask_again() {
            TRIES
        } else {
            1
        };
        loop {
            let answers = self
                .operator
                .ask(&manual_step)
                .await
                .map_err(|error| not_done(&manual_step, error))?;
            match prove(answers).await {
                Ok(proved) => return Ok(proved),
                Err(error) if left == 1 => return Err(error),
                Err(error) => manual_step.refused = Some(error.explain()),
            }
            left -= 1;
        }
    }

    fn lock_facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }
}

/// What the identity provider's metadata will be.
#[derive(Default)]
enum Expected {
    /// Nobody has looked: as it was.
    #[default]
    Unchanged,
    /// Known once an app is made.
    Later,
    Known(Box<IdpFact>),
}

/// A person at a terminal mistypes; one who is wrong three times needs more than another prompt.
const TRIES: u32 = 3;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("nobody panics while holding a part of the context")
}

fn not_done(manual_step: &ManualStep, error: OperatorError) -> Error {
    match error {
        OperatorError::Absent => Error::new(
            ErrorKind::ManualStep,
            format!("a person is needed: {}", manual_step.title),
        )
        .with_help(format!(
            "do this, then run again; everything before it is done and stays done\n{manual_step}"
        )),
        error => Error::new(
            ErrorKind::ManualStep,
            format!("manual step not done: {}", manual_step.title),
        )
        .with_source(error)
        .with_help("run again when it can be done; everything before it is done and stays done"),
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
    /// Nothing to change.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// These changes, and no remark.
    #[must_use]
    pub fn changes(changes: Vec<Change>) -> Self {
        Self {
            changes,
            notes: Vec::new(),
        }
    }

    /// One change.
    #[must_use]
    pub fn one(change: Change) -> Self {
        Self::changes(vec![change])
    }

    /// Adds a remark.
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
    /// Waiting for something, with nothing to list.
    pub fn waiting(on: impl Into<String>) -> Self {
        Self::Waiting(Waiting {
            on: on.into(),
            missing: Vec::new(),
        })
    }
}

impl Check {
    /// It is so.
    pub fn verified(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: CheckOutcome::Verified,
        }
    }

    /// It is not so.
    pub fn failed(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: CheckOutcome::Failed,
        }
    }

    /// Nobody can say.
    pub fn unverifiable(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            outcome: CheckOutcome::Unverifiable,
        }
    }
}

/// A bug in a step: it was handed a change that it never planned.
pub(crate) fn not_ours(step: &StepId, change: &Change) -> Error {
    let action: Action = change.action;
    Error::new(
        ErrorKind::StalePlan,
        format!(
            "step {step} does not know how to {} {}",
            action.verb(),
            change.target
        ),
    )
    .with_help("make a new plan with this version of the crate")
}
