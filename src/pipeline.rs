//! The pipeline: plans, applies and verifies the steps in order. Only this module saves state.

mod run;
mod saver;
mod wait_policy;

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::Stream;
use rest_core::{Clock, LimitWait, Reachability, Secret, SystemClock};
use schemars::JsonSchema;
use serde::Serialize;
use tracing::Instrument as _;

use run::{Record, Run};
use saver::StateSaver;
pub use wait_policy::WaitPolicy;

use crate::{
    access::{AccessQuery, AccessSnapshot},
    blueprint::{Blueprint, Protect},
    context::{Context, Memory},
    drift::Drift,
    error::{Error, ErrorKind, Result},
    event::{Emitter, Event, EventKind, Listeners},
    guard::Guard,
    operator::{NoOperator, Operator},
    outcome::Report,
    plan::{Hazard, Kind, Need, Plan, Problem, StepId, StepPlan, count},
    state::{Facts, Ledger, State, StateLock, StateStore},
    step::{Check, CheckOutcome, Step},
    steps::{self, Steps},
    sync::SyncState,
    utc_day::utc_day,
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
    blueprint_name: String,
    protect: Protect,
    /// The violated rules of the blueprint.
    blueprint_problems: Vec<Problem>,
    store: StateStore,
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    guard: Guard,
    wait_policy: WaitPolicy,
    strict: bool,
    scim_token: Option<Secret>,
    listeners: Arc<Listeners>,
    shared_reads: Arc<Memory>,
    /// Whether the shared reads are those of a run that has just ended.
    has_just_applied: AtomicBool,
}

/// The result of [`Pipeline::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
            blueprint_name: Blueprint::default().name().to_owned(),
            protect: Protect::default(),
            blueprint_problems: Vec::new(),
            store: StateStore::memory(),
            operator: Arc::new(NoOperator),
            clock: Arc::new(SystemClock),
            guard: Guard::default(),
            wait_policy: WaitPolicy::default(),
            strict: false,
            scim_token: None,
            listeners: Arc::default(),
            shared_reads: Arc::default(),
            has_just_applied: AtomicBool::new(false),
        }
    }

    /// Sets the blueprint. A plan that was made for another blueprint is not applied.
    #[must_use]
    pub fn blueprint(mut self, blueprint: &Blueprint) -> Self {
        self.blueprint = blueprint.digest();
        blueprint.name().clone_into(&mut self.blueprint_name);
        self.protect = blueprint.protect.clone();
        self.blueprint_problems = blueprint.validate();
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

    /// Sets whether a run stops at its first problem (default: no).
    ///
    /// A strict run refuses a plan that has problems or is not complete. After the first change that fails, it starts no other
    /// change.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
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

    /// Adds a function that is called with every event, in order, before the run goes on.
    ///
    /// A program that shows the events and asks the operator on one screen uses this function: each event is shown before
    /// the next question. The function must return fast, and must not call the pipeline.
    #[must_use]
    pub fn on_event(self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners.add(callback);
        self
    }

    /// Returns a stream of the events from now until the end of the next [`apply`](Self::apply), also of a plan or a check.
    ///
    /// The stream keeps 1,024 events. A reader that is slower gets [`EventKind::Lagged`] with the number of missed events.
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
    /// Fails if the state cannot be read, if the blueprint violates a rule, if two steps have the same id, or if a step needs
    /// something that no earlier step provides and that the state does not know. All other errors are [problems](Plan::problems) of the plan: a user that does not exist, or a service that cannot be reached.
    pub async fn plan(&self) -> Result<Plan> {
        self.check_steps()?;
        self.check_blueprint()?;
        self.forget_reads();
        let state = self.store.load().await?;
        let (lineage, serial, facts) = state.map_or_else(
            || (String::new(), 0, Facts::default()),
            |state| (state.lineage, state.serial, state.facts),
        );
        let cx = self.context(facts).await?;
        cx.set_events(self.emitter());
        let mut plan = Plan {
            format: Plan::FORMAT,
            made_at: cx.now(),
            lineage,
            serial,
            blueprint: self.blueprint.clone(),
            complete: true,
            steps: Vec::new(),
        };
        let plan_steps = async {
            for step in self.steps.iter() {
                let planned = plan_step(step, &cx).await;
                plan.complete &= planned.is_ok();
                plan.steps.push(planned.unwrap_or_else(|error| {
                    let mut failed = StepPlan::new(step.id(), step.title());
                    failed.problems.push(Problem::new(None, &error));
                    failed
                }));
            }
            self.add_hazards(&mut plan, &cx).await;
        };
        Reachability::scope(plan_steps).await;
        self.check_prerequisites(&plan, &cx)?;
        self.shared_reads.set_used(self.clock.elapsed());
        Ok(plan)
    }

    /// Fails if a change needs something that no step before it provides and that the state does not know.
    fn check_prerequisites(&self, plan: &Plan, cx: &Context) -> Result<()> {
        let facts = cx.all_facts();
        let ids = self.step_ids();
        let mut given: HashSet<Kind> = HashSet::new();
        let mut missing = Vec::new();
        for (index, (step, planned)) in self.steps.iter().zip(&plan.steps).enumerate() {
            given.extend(step.gives());
            let needs = planned.changes.iter().flat_map(|change| step.needs(change));
            let unknown = needs.into_iter().find_map(|need| match need {
                Need::Kind(kind) if !given.contains(&kind) && !facts.knows(kind) => {
                    steps::ids::provider(kind)
                }
                _ => None,
            });
            let unknown = unknown
                .map(|provider| (provider, String::new()))
                .or_else(|| {
                    let (change, name, provider) = planned.never_known(&ids[..=index])?;
                    Some((provider.clone(), format!(" ({change}: {name})")))
                });
            if let Some((provider, value)) = unknown {
                let id = &planned.step;
                missing.push(format!("step {id} needs step {provider} before it{value}"));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join("; ");
        Err(Error::new(
            ErrorKind::Pipeline,
            format!("the pipeline lacks a step: {missing}"),
        )
        .with_help(
            "add the missing step, as in `steps::default_steps`; or run a pipeline that has it first, with the same state",
        ))
    }

    /// Adds the hazards that the steps see in the whole plan.
    async fn add_hazards(&self, plan: &mut Plan, cx: &Context) {
        for (index, hazards) in self.hazards(plan, cx).await {
            let known = &mut plan.steps[index].hazards;
            known.extend(hazards);
        }
    }

    /// Returns the hazards that the steps see in a whole plan, each with the index of its step.
    async fn hazards(&self, plan: &Plan, cx: &Context) -> Vec<(usize, Vec<Hazard>)> {
        let mut hazards = Vec::new();
        if plan.removals().next().is_none() {
            return hazards;
        }
        for (index, step) in self.steps.iter().enumerate() {
            let found = step.hazards(plan, cx).await;
            // Access that cannot be read must not be removed.
            let found = found.unwrap_or_else(|error| {
                let response = error.response().map(|response| format!(": {response}"));
                let reason = format!("{error}{}", response.unwrap_or_default());
                vec![Hazard::UnknownAccess { reason }]
            });
            hazards.push((index, found));
        }
        hazards
    }

    /// Applies the plan and nothing else.
    ///
    /// The run takes the [lock](StateStore::lock) of the state, and saves the state once before its first change. Each step
    /// is planned again right before it is applied. A change that the reviewed plan does not have, or has with other values,
    /// is not made. A change that fails stops its chain and the changes that need its subject, and no others. The state is
    /// saved after each manual step, at least every 30 seconds, and at the end of each step. It holds only what Okta and AWS
    /// cannot tell again, so an interrupted run resumes where it stopped.
    ///
    /// # Errors
    ///
    /// Fails before the first change if another run holds the lock ([`ErrorKind::Locked`]), if the state cannot be saved, or
    /// if the plan is stale or removes more than the guard allows. Fails if the lock is lost or the state cannot be saved.
    /// All other failures are in the report; [`Report::complete`] turns the first one into an error.
    pub async fn apply(&self, plan: &Plan) -> Result<Report> {
        let _end_of_events = self.listeners.end_on_drop();
        self.check_steps()?;
        if self.strict {
            check_without_problems(plan)?;
        }
        let apply = |lock| Box::pin(self.apply_locked(plan, lock)) as _;
        self.store.with_lock(self.clock.clone(), apply).await
    }

    async fn apply_locked(&self, plan: &Plan, lock: Arc<StateLock>) -> Result<Report> {
        let state = self.store.load().await?;
        self.check_current(plan, state.as_ref())?;
        let mut state = state.unwrap_or_default();
        let cx = self.context(state.facts.clone()).await?;
        let today = utc_day(cx.now());
        let found = self.hazards(plan, &cx).await;
        let found: Vec<Hazard> = found.into_iter().flat_map(|(_, hazards)| hazards).collect();
        let guard = self.guard.clone().protect(&self.protect);
        let withheld = guard.decide(plan, &found, &state.removals, today)?;
        let (planned, totals) = (plan.removal_counts(), plan.totals());
        state.removals.add(today, &planned, &totals);
        let mut removals = state.removals.clone();
        let run = &lock.holder().run;
        let events = Emitter::new(self.listeners.clone(), run, self.clock.clone());
        let (events, started) = (Arc::new(events), cx.now());
        let saver = StateSaver::new(lock, state, self.clock.clone());
        if !plan.is_empty() {
            saver.save_first().await?;
        }
        cx.set_saver(saver.clone());
        cx.set_events(events.clone());
        let changes = plan.changes().count();
        events.emit(EventKind::RunStarted { changes });
        let run = Run {
            pipeline: self,
            cx: &cx,
            saver: &saver,
            withheld: &withheld,
            events: &events,
            started,
            record: Record::default(),
        };
        let apply_steps = async {
            // The plan has the steps of this pipeline.
            for (step, reviewed) in self.steps.iter().zip(&plan.steps) {
                let done = run.step(step, reviewed).await;
                // Facts that were found before a failure are saved too. If both fail, the error of the step is returned.
                let last_save = cx.checkpoint().await;
                done?;
                last_save?;
            }
            Ok::<_, Error>(())
        };
        let (clock, waits) = (self.clock.clone(), events.clone());
        let apply_steps = LimitWait::scope(move |wait| waits.rate_limited(wait), apply_steps);
        Reachability::scope_with_expiry(UNREACHABLE_FOR, clock, apply_steps).await?;
        removals.refund(today, &planned, &run.removals_made(), &totals);
        saver.set_removals(removals).await;
        cx.checkpoint().await?;
        let report = run.into_report();
        self.has_just_applied.store(true, Ordering::Relaxed);
        self.shared_reads.set_used(self.clock.elapsed());
        let complete = report.is_complete();
        events.emit(EventKind::RunFinished { complete });
        Ok(report)
    }

    /// Verifies every step against the services, without changing anything.
    ///
    /// # Errors
    ///
    /// Fails if a service cannot be read.
    pub async fn verify(&self) -> Result<Verification> {
        // The check of a run uses what the run has read and written, once.
        if !self.has_just_applied.load(Ordering::Relaxed) {
            self.forget_reads();
        }
        let verified = self.verify_now().await;
        self.shared_reads.set_used(self.clock.elapsed());
        self.has_just_applied.store(false, Ordering::Relaxed);
        verified
    }

    /// Returns how Okta and AWS differ from the blueprint, in both directions, over the whole instance. Reading changes nothing
    /// and saves no state.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be read, if the blueprint violates a rule, or if two steps have the same id. All other errors
    /// are [problems](Drift::problems): the steps that could be read have their findings.
    pub async fn drift(&self, query: &AccessQuery) -> Result<Drift> {
        self.check_steps()?;
        self.check_blueprint()?;
        self.forget_reads();
        let cx = self.saved_context().await?;
        let read_steps = async {
            let mut drift = Drift::default();
            for step in self.steps.iter() {
                let id = step.id();
                let span = tracing::debug_span!("drift", step = %id);
                match step.drift(query, &cx).instrument(span).await {
                    Ok(found) => drift.merge(found),
                    Err(error) => {
                        let error = error.with_context(format!("comparing step {id}"));
                        drift.problems.push(Problem::new(None, &error));
                    }
                }
            }
            drift
        };
        let mut drift = Reachability::scope(read_steps).await;
        self.forget_reads();
        drift.sort();
        Ok(drift)
    }

    /// Returns the access that AWS gives to users and groups, with the entries of the blueprint that give it. After
    /// [`plan`](Self::plan), [`apply`](Self::apply) or [`verify`](Self::verify), it uses what they have read in the last 15 minutes,
    /// once.
    ///
    /// # Errors
    ///
    /// Fails if a service cannot be read, or if no step of the pipeline knows the access: AWS has no instance of IAM Identity
    /// Center that gives access to accounts.
    pub async fn access(&self, query: &AccessQuery) -> Result<AccessSnapshot> {
        let read = self.access_now(query).await;
        self.forget_reads();
        read
    }

    async fn access_now(&self, query: &AccessQuery) -> Result<AccessSnapshot> {
        let cx = self.saved_context().await?;
        let read_steps = async {
            for step in self.steps.iter() {
                let span = tracing::debug_span!("access", step = %step.id());
                if let Some(access) = step.access(query, &cx).instrument(span).await? {
                    return Ok(access);
                }
            }
            Err(Error::new(
                ErrorKind::UnusableSubject,
                "AWS has no instance of IAM Identity Center that gives access to accounts",
            )
            .with_help("connect Okta first: apply a plan of the blueprint"))
        };
        Reachability::scope(read_steps).await
    }

    fn forget_reads(&self) {
        self.has_just_applied.store(false, Ordering::Relaxed);
        self.shared_reads.clear();
    }

    async fn verify_now(&self) -> Result<Verification> {
        let cx = self.saved_context().await?;
        let verify_steps = async {
            let mut checks = Vec::new();
            for step in self.steps.iter() {
                let span = tracing::debug_span!("verify", step = %step.id());
                let found = step.verify(&cx).instrument(span).await;
                checks.extend(found.map_err(|error| {
                    error.with_context(format!("verifying step {}", step.id()))
                })?);
            }
            Ok(Verification { checks })
        };
        Reachability::scope(verify_steps).await
    }

    /// Returns a context with the facts of the saved state, for a read.
    async fn saved_context(&self) -> Result<Context> {
        let state = self.store.load().await?;
        let facts = state.map(|state| state.facts).unwrap_or_default();
        let cx = self.context(facts).await?;
        cx.set_events(self.emitter());
        Ok(cx)
    }

    /// Returns the events of a plan or a check, which has no lock and therefore an id of its own.
    fn emitter(&self) -> Arc<Emitter> {
        let id = uuid::Uuid::new_v4().to_string();
        let emitter = Emitter::new(self.listeners.clone(), &id, self.clock.clone());
        Arc::new(emitter)
    }

    async fn context(&self, facts: Facts) -> Result<Context> {
        let ledger = Ledger::read(&self.store, &Ledger::file(&self.blueprint_name)).await?;
        let cx = Context::new(facts, self.operator.clone(), self.clock.clone())
            .with_shared_reads(&self.shared_reads, &self.store)
            .with_ledger(ledger, &self.blueprint_name);
        if let Some(sync_state) = self.store.read(SyncState::FILE).await? {
            cx.set_saved_file(SyncState::FILE, sync_state);
        }
        if let Some(token) = &self.scim_token {
            steps::provide_scim_token(&cx, token.clone());
        }
        Ok(cx)
    }

    /// Fails if the blueprint violates rules, which a blueprint that was built in code may.
    fn check_blueprint(&self) -> Result<()> {
        let mut problems = self.blueprint_problems.iter();
        match problems.next() {
            None => Ok(()),
            Some(first) => {
                let others = problems.map(|problem| format!("; {problem}"));
                let others: String = others.collect();
                let error = Error::new(ErrorKind::Blueprint, format!("{first}{others}"));
                Err(error.with_help(first.help.clone()))
            }
        }
    }

    fn step_ids(&self) -> Vec<StepId> {
        self.steps.ids().collect()
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
        } else if plan.format != Plan::FORMAT {
            "another version of this crate made it"
        } else if !plan
            .steps
            .iter()
            .map(|step| &step.step)
            .eq(&self.step_ids())
        {
            "it was made with other steps"
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

/// The time for which a run does not call a service again that was unreachable. A run may take hours.
const UNREACHABLE_FOR: Duration = Duration::from_mins(5);

/// Fails if a plan has problems: a strict run does not apply it.
fn check_without_problems(plan: &Plan) -> Result<()> {
    let mut problems = plan.problems();
    let Some(first) = problems.next() else {
        return Ok(());
    };
    let error = Error::from(first.clone());
    Err(match problems.count() {
        0 => error,
        others => error.with_more_help(&format!(
            "the plan also has {}, and a strict run does not apply it",
            count(others, "other problem")
        )),
    })
}

/// Plans a step.
async fn plan_step(step: &dyn Step, cx: &Context) -> Result<StepPlan> {
    let id = step.id();
    let span = tracing::debug_span!("plan", step = %id);
    let planned = step
        .plan(cx)
        .instrument(span)
        .await
        .map_err(|error| error.with_context(format!("planning step {id}")))?;
    let mut plan = StepPlan {
        changes: planned.changes,
        problems: planned.problems,
        hazards: planned.hazards,
        notes: planned.notes,
        selections: planned.selections,
        totals: planned.totals,
        ..StepPlan::new(id.clone(), step.title())
    };
    plan.check();
    for problem in &mut plan.problems {
        let during = || format!("planning step {id}");
        problem.during.get_or_insert_with(during);
    }
    Ok(plan)
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("steps", &self.steps)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
