//! The pipeline: plans, applies and verifies the steps in order. Only this module saves state.

mod run;
mod saver;
mod wait_policy;

use std::{collections::BTreeSet, fmt, sync::Arc};

use futures::Stream;
use rest_core::{Clock, Secret, SystemClock};
use tracing::Instrument as _;

use run::Run;
use saver::StateSaver;
pub use wait_policy::WaitPolicy;

use crate::{
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result},
    event::{Event, Listeners},
    guard::Guard,
    operator::{NoOperator, Operator},
    plan::Plan,
    state::{Facts, State, StateLock, StateStore},
    step::{Check, CheckOutcome, Step},
    steps::{self, Steps},
    sync::SyncState,
};

/// The steps of an integration in order, with state store, operator, clock and guard.
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
    steps: Steps,
    blueprint: String,
    store: StateStore,
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    guard: Guard,
    wait_policy: WaitPolicy,
    scim_token: Option<Secret>,
    listeners: Listeners,
}

/// The result of [`Pipeline::apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Number of changes that were applied.
    pub applied: usize,
    /// Number of planned changes that were already done before this run applied them.
    pub already_done: usize,
    /// The facts at the end of the run.
    pub facts: Facts,
}

/// The result of [`Pipeline::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// The checks, in the order of the steps.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Returns whether no check failed. Checks that no public API can answer count as passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.outcome != CheckOutcome::Failed)
    }
}

impl Pipeline {
    /// Creates a pipeline of these steps with an in-memory state store and without an operator.
    #[must_use]
    pub fn new(steps: impl Into<Steps>) -> Self {
        Self {
            steps: steps.into(),
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

    /// Sets the blueprint. A plan that was made for another blueprint is not applied.
    #[must_use]
    pub fn blueprint(mut self, blueprint: &Blueprint) -> Self {
        self.blueprint = blueprint.digest();
        self
    }

    /// Sets the state store (default: in memory).
    #[must_use]
    pub fn store(mut self, store: StateStore) -> Self {
        self.store = store;
        self
    }

    /// Sets the operator who does the manual steps (default: none, [`NoOperator`]).
    #[must_use]
    pub fn operator(mut self, operator: impl Operator + 'static) -> Self {
        self.operator = Arc::new(operator);
        self
    }

    /// Sets the clock (default: the system clock).
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the guard, which limits removals (default: no removals).
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// Sets the polling intervals and the stall timeout of changes that take time.
    #[must_use]
    pub fn wait_policy(mut self, wait_policy: WaitPolicy) -> Self {
        self.wait_policy = wait_policy;
        self
    }

    /// Sets the access token of AWS's SCIM endpoint, for unattended runs with `provisioning.mode = "direct"`.
    ///
    /// Without a token, a run that has users or groups to write asks the operator. The token is never saved.
    #[must_use]
    pub fn scim_token(mut self, token: Secret) -> Self {
        self.scim_token = Some(token);
        self
    }

    /// Returns a stream of the events from now until the end of the next [`apply`](Self::apply).
    ///
    /// The stream buffers events without a limit until they are read, so a slow reader misses no event.
    pub fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        self.listeners.subscribe()
    }

    /// Returns the state store.
    #[must_use]
    pub fn state_store(&self) -> &StateStore {
        &self.store
    }

    /// Plans the changes that make the services match the blueprint. Planning changes nothing and saves no state. It takes
    /// no lock, so it also works on a store that can only be read, and beside a run.
    ///
    /// # Errors
    ///
    /// Fails if a service refuses a request or cannot be read, if the blueprint names a user, group or account
    /// that does not exist or cannot be used, or if two steps have the same id.
    pub async fn plan(&self) -> Result<Plan> {
        self.check_steps()?;
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
            steps: Vec::new(),
        };
        for step in self.steps.iter() {
            let planned = plan_step(step, &cx).await?;
            plan.steps.push(planned.of(step));
        }
        Ok(plan)
    }

    /// Applies the plan and nothing else.
    ///
    /// The run takes the [lock](StateStore::lock) of the state, and saves the state once before its first change. Each step
    /// is planned again right before it is applied. The run stops if the new plan contains a change that the reviewed plan
    /// does not. The state is saved after each manual step, at least every 30 seconds, and at the end of each step. It holds
    /// only what Okta and AWS cannot tell again, so an interrupted run resumes where it stopped.
    ///
    /// # Errors
    ///
    /// Fails before the first change if another run holds the lock ([`ErrorKind::Locked`]), if the state cannot be saved, or
    /// if the plan is stale or removes more than the guard allows. Fails if a service or the operator refuses a change, if
    /// the services no longer match the plan, or if a change makes no progress for [`WaitPolicy::stall_timeout`].
    /// Changes that were applied before the failure stay applied.
    pub async fn apply(&self, plan: &Plan) -> Result<Report> {
        let _end_of_events = self.listeners.end_on_drop();
        self.check_steps()?;
        self.guard.check(plan)?;
        let apply = |lock| Box::pin(self.apply_locked(plan, lock)) as _;
        self.store.with_lock(self.clock.clone(), apply).await
    }

    async fn apply_locked(&self, plan: &Plan, lock: Arc<StateLock>) -> Result<Report> {
        let state = self.store.load().await?;
        self.check_current(plan, state.as_ref())?;
        let state = state.unwrap_or_default();
        let cx = self.context(state.facts.clone()).await?;
        let saver = StateSaver::new(lock, state, self.clock.clone());
        if !plan.is_empty() {
            saver.save_first().await?;
        }
        cx.set_saver(saver.clone());
        let run = Run {
            pipeline: self,
            cx: &cx,
            saver: &saver,
        };
        let mut report = Report {
            applied: 0,
            already_done: 0,
            facts: Facts::default(),
        };
        for step in self.steps.iter() {
            let done = run.step(step, plan).await;
            // Facts that were found before a failure are saved too. If both fail, the error of the step is returned.
            let last_save = cx.checkpoint().await;
            let done = done?;
            last_save?;
            report.applied += done.applied;
            report.already_done += done.already_done;
        }
        report.facts = cx.all_facts();
        Ok(report)
    }

    /// Verifies every step against the services, without changing anything.
    ///
    /// # Errors
    ///
    /// Fails if a service cannot be read.
    pub async fn verify(&self) -> Result<Verification> {
        let facts = self
            .store
            .load()
            .await?
            .map(|state| state.facts)
            .unwrap_or_default();
        let cx = self.context(facts).await?;
        let mut checks = Vec::new();
        for step in self.steps.iter() {
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
        if let Some(sync_state) = self.store.read(SyncState::FILE).await? {
            cx.set_saved_file(SyncState::FILE, sync_state);
        }
        if let Some(token) = &self.scim_token {
            steps::provide_scim_token(&cx, token.clone());
        }
        Ok(cx)
    }

    /// Fails if two steps have the same id: a plan could not tell them apart.
    fn check_steps(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        match self.steps.ids().find(|id| !seen.insert(id.clone())) {
            None => Ok(()),
            Some(id) => Err(Error::new(
                ErrorKind::Pipeline,
                format!("the pipeline has two steps with the id {id}"),
            )
            .with_help("give each step its own id")),
        }
    }

    /// Fails if the plan was made for another blueprint, format or state.
    fn check_current(&self, plan: &Plan, state: Option<&State>) -> Result<()> {
        let (lineage, serial) =
            state.map_or(("", 0), |state| (state.lineage.as_str(), state.serial));
        let why = if plan.blueprint != self.blueprint {
            "it was made for another blueprint"
        } else if plan.version != Plan::VERSION {
            "another version of this crate made it"
        } else if (plan.lineage.as_str(), plan.serial) != (lineage, serial) {
            "the state has changed since it was made"
        } else {
            return Ok(());
        };
        Err(
            Error::new(ErrorKind::StalePlan, format!("the plan is stale: {why}"))
                .with_help("make a new plan, review it, and apply it"),
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
        f.debug_struct("Pipeline")
            .field("steps", &self.steps)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
