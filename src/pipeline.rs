//! Plan, apply, verify: the steps in order, and the only place that saves state.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _};
use rest_core::{Clock, Secret, SystemClock};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind, Outcome},
    event::{Event, Listeners},
    guard::Guard,
    operator::{NoOperator, Operator},
    plan::{Change, Plan},
    state::{Facts, State, StateStore},
    step::{Applied, Check, CheckOutcome, Context, Step, Waiting},
    sync::Memory,
};

/// The steps of an integration, in order, with what they need around them.
///
/// ```no_run
/// # async fn doc(okta: okta_client::Client, aws: aws_sso_glue::Aws) -> Result<(), okta_aws_sso::Error> {
/// use okta_aws_sso::{Blueprint, Pipeline, StateStore, steps};
///
/// let blueprint = Blueprint::default();
/// let pipeline = Pipeline::new(steps::journey(&blueprint, &okta, &aws))
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
    patience: Patience,
    scim_token: Option<Secret>,
    listeners: Listeners,
}

/// How long a change is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long nothing may move before the run gives up. Progress, such as another user who has arrived, counts anew.
    pub without_progress: Duration,
    /// The first pause before looking again; each next one is twice as long.
    pub first_pause: Duration,
    /// The longest pause before looking again.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Okta provisions in the background "within minutes"; what has not moved for a quarter of an hour needs a person.
            without_progress: Duration::from_mins(15),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
        }
    }
}

/// What an apply has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many changes were done.
    pub applied: usize,
    /// How many planned changes had come true by themselves.
    pub already_true: usize,
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
    pub fn holds(&self) -> bool {
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
            patience: Patience::default(),
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
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
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
    pub async fn plan(&self) -> Outcome<Plan> {
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
    pub async fn apply(&self, plan: &Plan) -> Outcome<Report> {
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
            already_true: 0,
            facts: Facts::default(),
        };
        for step in &self.steps {
            let done = run.step(step.as_ref(), plan).await;
            // What was learnt on the way to a failure is worth keeping too; the failure is what the caller has to know.
            let saved = run.save().await;
            let done = done?;
            saved?;
            report.applied += done.applied;
            report.already_true += done.already_true;
        }
        report.facts = cx.facts();
        Ok(report)
    }

    /// Proves every step's part against the services. Nothing is changed.
    ///
    /// # Errors
    ///
    /// If a service cannot be read.
    pub async fn verify(&self) -> Outcome<Verification> {
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
            checks.extend(
                found.map_err(|error| error.doing(format!("verifying step {}", step.id())))?,
            );
        }
        Ok(Verification { checks })
    }

    async fn context(&self, facts: Facts) -> Outcome<Context> {
        let cx = Context::new(facts, self.operator.clone(), self.clock.clone());
        if let Some(memory) = self.store.read(Memory::FILE).await? {
            cx.keep_file(Memory::FILE, memory);
        }
        if let Some(token) = &self.scim_token {
            cx.remember_scim_token(token.clone());
        }
        Ok(cx)
    }

    fn fits(&self, plan: &Plan, state: Option<&State>) -> Outcome<()> {
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
            Error::new(ErrorKind::Moved, format!("the plan is stale: {why}"))
                .help("make a new plan, read it, and apply that"),
        )
    }
}

async fn plan_step(step: &dyn Step, cx: &Context) -> Outcome<crate::step::Planned> {
    let span = tracing::debug_span!("plan", step = %step.id());
    step.plan(cx)
        .instrument(span)
        .await
        .map_err(|error| error.doing(format!("planning step {}", step.id())))
}

/// One apply.
struct Run<'a> {
    pipeline: &'a Pipeline,
    cx: &'a Context,
    state: Mutex<State>,
}

struct Done {
    applied: usize,
    already_true: usize,
}

impl Run<'_> {
    async fn step(&self, step: &dyn Step, plan: &Plan) -> Outcome<Done> {
        let now = plan_step(step, self.cx).await?.of(step);
        let id = step.id();
        let planned = plan.step(&id).ok_or_else(|| {
            Error::new(ErrorKind::Moved, format!("the plan has no step {id}"))
                .help("make a new plan with the same steps")
        })?;
        if let Some(why) = now.departs_from(planned) {
            return Err(Error::new(
                ErrorKind::Moved,
                format!("the world has moved since the plan was made: {why}"),
            )
            .doing(format!("planning step {id} again right before applying it"))
            .help("make a new plan, read it, and apply that; what was done before stays done"));
        }
        let left: HashSet<_> = now.changes.iter().map(Change::key).collect();
        let gone = planned
            .changes
            .iter()
            .filter(|change| !left.contains(&change.key()));
        let mut already_true = 0;
        for change in gone {
            already_true += 1;
            self.tell(&Event::AlreadyTrue {
                step: id.clone(),
                target: change.target.clone(),
            });
        }
        if !now.changes.is_empty() {
            self.tell(&Event::StepStarted {
                step: id.clone(),
                title: step.title(),
                changes: now.changes.len(),
            });
            let results: Vec<Outcome<()>> = futures::stream::iter(&now.changes)
                .map(|change| self.change(step, change))
                .buffer_unordered(step.parallelism().max(1))
                .scan(false, |stopped, result| {
                    // Changes that may be underway at once do not build on each other: one that fails starves none.
                    let next = (!*stopped).then_some(result);
                    *stopped |=
                        step.parallelism() <= 1 && next.as_ref().is_some_and(Result::is_err);
                    std::future::ready(next)
                })
                .collect()
                .await;
            all_or_first(results)?;
            self.tell(&Event::StepDone { step: id });
        }
        Ok(Done {
            applied: now.changes.len(),
            already_true,
        })
    }

    async fn change(&self, step: &dyn Step, change: &Change) -> Outcome<()> {
        let id = step.id();
        let span = tracing::debug_span!("apply", step = %id, action = change.action.verb(), target = %change.target);
        let doing = || format!("step {id}: {} {}", change.action.verb(), change.target);
        self.tell(&Event::ChangeStarted {
            step: id.clone(),
            change: change.clone(),
        });
        let mut patience = Impatience::new(&self.pipeline.patience, self.pipeline.clock.as_ref());
        loop {
            let applied = step
                .apply(change, self.cx)
                .instrument(span.clone())
                .await
                .map_err(|error| error.doing(doing()))?;
            self.save().await?;
            let Applied::Waiting(waiting) = applied else {
                break;
            };
            let pause = patience
                .pause(&waiting)
                .ok_or_else(|| late(&waiting, &self.pipeline.patience).doing(doing()))?;
            self.tell(&Event::ChangeWaits {
                step: id.clone(),
                target: change.target.clone(),
                waiting,
                again_in: pause,
            });
            self.pipeline.clock.sleep(pause).await;
        }
        self.tell(&Event::ChangeDone {
            step: id,
            change: change.clone(),
        });
        Ok(())
    }

    /// Saves what is known, if it is more than what was saved.
    async fn save(&self) -> Outcome<()> {
        let mut state = self.state.lock().await;
        for (name, bytes) in self.cx.files() {
            if self.pipeline.store.read(name).await?.as_deref() != Some(&bytes) {
                self.pipeline.store.keep(name, bytes).await?;
            }
        }
        let facts = self.cx.facts();
        if state.serial == 0 || state.facts != facts {
            let before = std::mem::replace(&mut state.facts, facts);
            if let Err(error) = self.pipeline.store.save(&mut state).await {
                state.facts = before;
                return Err(error);
            }
        }
        Ok(())
    }

    fn tell(&self, event: &Event) {
        self.pipeline.listeners.tell(event);
    }
}

/// The first failure of several, with how many more there are.
fn all_or_first(results: Vec<Outcome<()>>) -> Outcome<()> {
    let mut errors: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
    if errors.len() <= 1 {
        return errors.pop().map_or(Ok(()), Err);
    }
    let others: Vec<String> = errors.drain(1..).map(|error| error.to_string()).collect();
    let first = errors.remove(0);
    Err(first.and(&others))
}

/// How long one change has been waited for without progress.
struct Impatience<'a> {
    patience: &'a Patience,
    clock: &'a dyn Clock,
    since: std::time::SystemTime,
    least: Option<usize>,
    next: Duration,
}

impl<'a> Impatience<'a> {
    fn new(patience: &'a Patience, clock: &'a dyn Clock) -> Self {
        Self {
            patience,
            clock,
            since: clock.now(),
            least: None,
            next: patience.first_pause,
        }
    }

    /// How long to pause before looking again, or `None` if nothing has moved for too long.
    ///
    /// Only less that is missing counts as progress: words that change back and forth would wait for ever.
    fn pause(&mut self, waiting: &Waiting) -> Option<Duration> {
        let now = self.clock.now();
        if self.least.is_none_or(|least| waiting.missing.len() < least) {
            self.least = Some(waiting.missing.len());
            self.since = now;
        }
        let waited = now.duration_since(self.since).unwrap_or_default();
        if waited >= self.patience.without_progress {
            return None;
        }
        let pause = self
            .next
            .min(self.patience.without_progress.saturating_sub(waited));
        self.next = (self.next * 2).min(self.patience.longest_pause);
        Some(pause)
    }
}

fn late(waiting: &Waiting, patience: &Patience) -> Error {
    let missing = if waiting.missing.is_empty() {
        String::new()
    } else {
        format!(": {}", waiting.missing.join("; "))
    };
    Error::new(
        ErrorKind::Late,
        format!(
            "nothing moved for {} while waiting for {}{missing}",
            seconds(patience.without_progress),
            waiting.on
        ),
    )
    .help("see to what is missing, then run again: the run goes on from here")
}

fn seconds(duration: Duration) -> String {
    if duration.as_secs() >= 120 {
        format!("{} minutes", duration.as_secs() / 60)
    } else {
        format!("{} seconds", duration.as_secs())
    }
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
