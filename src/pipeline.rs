//! Plan, apply, verify: the steps in order, and the only place that saves state.

mod run;
mod wait_policy;

use std::{fmt, sync::Arc};

use futures::Stream;
use rest_core::{Clock, Secret, SystemClock};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use run::Run;
pub use wait_policy::WaitPolicy;

use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind, Result},
    event::{Event, Listeners},
    guard::Guard,
    operator::{NoOperator, Operator},
    plan::Plan,
    state::{Facts, State, StateStore},
    step::{Check, CheckOutcome, Context, Step},
    sync::SyncState,
};

/// The steps of an integration, in order, with what they need around them.
///
/// ```no_run
/// # async fn doc(okta: okta_client::Client, aws: aws_sso_glue::Aws) -> Result<(), okta_aws_sso::Error> {
/// use okta_aws_sso::{Blueprint, Pipeline, StateStore, steps};
///
/// let blueprint = Blueprint::default();
/// let pipeline = Pipeline::new(steps::default_steps(&blueprint, &okta, &aws))
///     .blueprint(&blueprint)
///     .store(StateStore::folder("state")?);
/// let plan = pipeline.plan().await?;
/// println!("{plan}");
/// let report = pipeline.apply(&plan).await?;
/// # drop(report); Ok(())
/// # }
/// ```
pub struct Pipeline {
    steps: Vec<Box<dyn Step>>,
    blueprint: String,
    store: StateStore,
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    guard: Guard,
    wait_policy: WaitPolicy,
    scim_token: Option<Secret>,
    listeners: Listeners,
}

/// What an apply has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many changes were done.
    pub applied: usize,
    /// How many planned changes had come true by themselves.
    pub already_done: usize,
    /// What is known now.
    pub facts: Facts,
}

/// What a verification has found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// The checks, in the order of the steps.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Returns whether no check has failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.outcome != CheckOutcome::Failed)
    }
}

impl Pipeline {
    /// A pipeline of these steps, with a store in memory and nobody to hand anything off to.
    #[must_use]
    pub fn new(steps: Vec<Box<dyn Step>>) -> Self {
        Self {
            steps,
            blueprint: String::new(),
            store: StateStore::memory(),
            operator: Arc::new(NoOperator),
            clock: Arc::new(SystemClock),
            guard: Guard::default(),
            wait_policy: WaitPolicy::default(),
            scim_token: None,
            listeners: Listeners::default(),
        }
    }

    /// Names the blueprint, so that a plan made for another one is not applied.
    #[must_use]
    pub fn blueprint(mut self, blueprint: &Blueprint) -> Self {
        self.blueprint = blueprint.digest();
        self
    }

    /// Where the state is kept.
    #[must_use]
    pub fn store(mut self, store: StateStore) -> Self {
        self.store = store;
        self
    }

    /// Who does what no public API can.
    #[must_use]
    pub fn operator(mut self, operator: impl Operator + 'static) -> Self {
        self.operator = Arc::new(operator);
        self
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What a plan may take away.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// How long a change is waited for.
    #[must_use]
    pub fn wait_policy(mut self, wait_policy: WaitPolicy) -> Self {
        self.wait_policy = wait_policy;
        self
    }

    /// The access token of AWS's SCIM endpoint, for runs that write users and groups themselves without a person.
    ///
    /// It is only asked for where it is missing and something is to be written; it is never saved.
    #[must_use]
    pub fn scim_token(mut self, token: Secret) -> Self {
        self.scim_token = Some(token);
        self
    }

    /// What happens from now on, as a stream that ends when the next [`apply`](Self::apply) does.
    ///
    /// Events wait in the stream until they are taken, so that nothing is missed by who looks later.
    pub fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        self.listeners.subscribe()
    }

    /// The store that the state is kept in.
    #[must_use]
    pub fn state_store(&self) -> &StateStore {
        &self.store
    }

    /// What would have to be changed. Nothing is changed, and no state is saved.
    ///
    /// # Errors
    ///
    /// If a service refuses or cannot be read, or the blueprint names what does not exist or cannot be used.
    pub async fn plan(&self) -> Result<Plan> {
        let state = self.store.load().await?;
        let (lineage, serial, facts) = state.map_or_else(
            || (String::new(), 0, Facts::default()),
            |state| (state.lineage, state.serial, state.facts),
        );
        let cx = self.context(facts).await?;
        let mut plan = Plan {
            version: Plan::VERSION,
            made_at: cx.now(),
            lineage,
            serial,
            blueprint: self.blueprint.clone(),
            steps: Vec::with_capacity(self.steps.len()),
        };
        for step in &self.steps {
            let planned = plan_step(step.as_ref(), &cx).await?;
            plan.steps.push(planned.of(step.as_ref()));
        }
        Ok(plan)
    }

    /// Does what the plan says, and nothing else.
    ///
    /// Each step is planned again right before it is applied; on any difference that the plan did not leave open, the
    /// run stops. The state is saved after every change, so that a run that was interrupted at any point goes on where
    /// it was.
    ///
    /// # Errors
    ///
    /// If the plan is stale, removes more than the guard allows, or does not fit what is observed any more; if a
    /// service or a person refuses; or if something does not come true in time. What was done stays done.
    pub async fn apply(&self, plan: &Plan) -> Result<Report> {
        let _listening = self.listeners.until_dropped();
        self.guard.check(plan)?;
        let state = self.store.load().await?;
        self.fits(plan, state.as_ref())?;
        let state = state.unwrap_or_default();
        let cx = self.context(state.facts.clone()).await?;
        let run = Run {
            pipeline: self,
            cx: &cx,
            state: Mutex::new(state),
        };
        let mut report = Report {
            applied: 0,
            already_done: 0,
            facts: Facts::default(),
        };
        for step in &self.steps {
            let done = run.step(step.as_ref(), plan).await;
            // What was learnt on the way to a failure is worth keeping too; the failure is what the caller has to know.
            let saved = run.save().await;
            let done = done?;
            saved?;
            report.applied += done.applied;
            report.already_done += done.already_done;
        }
        report.facts = cx.all_facts();
        Ok(report)
    }

    /// Proves every step's part against the services. Nothing is changed.
    ///
    /// # Errors
    ///
    /// If a service cannot be read.
    pub async fn verify(&self) -> Result<Verification> {
        let facts = self
            .store
            .load()
            .await?
            .map(|state| state.facts)
            .unwrap_or_default();
        let cx = self.context(facts).await?;
        let mut checks = Vec::new();
        for step in &self.steps {
            let span = tracing::debug_span!("verify", step = %step.id());
            let found = step.verify(&cx).instrument(span).await;
            checks
                .extend(found.map_err(|error| {
                    error.with_context(format!("verifying step {}", step.id()))
                })?);
        }
        Ok(Verification { checks })
    }

    async fn context(&self, facts: Facts) -> Result<Context> {
        let cx = Context::new(facts, self.operator.clone(), self.clock.clone());
        if let Some(memory) = self.store.read(SyncState::FILE).await? {
            cx.put_file(SyncState::FILE, memory);
        }
        if let Some(token) = &self.scim_token {
            cx.set_scim_token(token.clone());
        }
        Ok(cx)
    }

    fn fits(&self, plan: &Plan, state: Option<&State>) -> Result<()> {
        let (lineage, serial) =
            state.map_or(("", 0), |state| (state.lineage.as_str(), state.serial));
        let why = if plan.blueprint != self.blueprint {
            "it was made for another blueprint"
        } else if plan.version != Plan::VERSION {
            "it was made by another version of this crate"
        } else if (plan.lineage.as_str(), plan.serial) != (lineage, serial) {
            "the state has moved on since it was made"
        } else {
            return Ok(());
        };
        Err(
            Error::new(ErrorKind::StalePlan, format!("the plan is stale: {why}"))
                .with_help("make a new plan, read it, and apply that"),
        )
    }
}

async fn plan_step(step: &dyn Step, cx: &Context) -> Result<crate::step::Planned> {
    let span = tracing::debug_span!("plan", step = %step.id());
    step.plan(cx)
        .instrument(span)
        .await
        .map_err(|error| error.with_context(format!("planning step {}", step.id())))
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| step.id().to_string())
            .collect();
        f.debug_struct("Pipeline")
            .field("steps", &steps)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
