//! One run of `apply`, step by step: a failure ends its chain and skips what depends on it, and nothing else.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture};
use jiff::Timestamp;
use tracing::Instrument as _;

use super::{
    Pipeline, plan_step,
    saver::StateSaver,
    wait_policy::{ProgressTimer, stalled_error},
};
use crate::{
    batch::{Batch, Driver, Waiting},
    context::Context,
    error::{Error, ErrorKind, Result},
    event::{Emitter, EventKind},
    guard::Withheld,
    outcome::{Cause, ChangeResult, Outcome, Report},
    plan::{Action, Change, Hazard, Kind, Need, Note, Plan, Problem, StepId, StepPlan, Subject},
    step::{Applied, Step},
};

/// One run of `apply`.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) cx: &'a Context,
    pub(super) saver: &'a StateSaver,
    pub(super) withheld: &'a Withheld,
    pub(super) events: &'a Emitter,
    pub(super) started: Timestamp,
    pub(super) record: Record,
}

/// The results of the run so far.
#[derive(Default)]
pub(super) struct Record(Mutex<Recorded>);

#[derive(Default)]
struct Recorded {
    results: Vec<ChangeResult>,
    problems: Vec<Problem>,
    unplanned: Vec<(StepId, Change)>,
    broken: Broken,
    stopped: HashSet<StepId>,
    /// Whether the run starts no other change, because it is strict and a change has failed.
    halted: bool,
}

/// The subjects that have a problem, or a change that was not made.
#[derive(Default)]
struct Broken {
    subjects: HashSet<Subject>,
    kinds: HashMap<Kind, Cause>,
    /// The kinds of which no subject is known, because the step that provides them cannot be planned.
    unknown_kinds: HashMap<Kind, Cause>,
}

impl Broken {
    fn add(&mut self, subject: &Subject) {
        self.kinds
            .entry(subject.kind())
            .or_insert_with(|| Cause::Subject(subject.clone()));
        // Without one of its policies, a permission set gives other access than the reviewed one.
        if let Subject::Policy { permission_set, .. } = subject {
            let set = Subject::permission_set(permission_set.clone());
            self.subjects.insert(set);
        }
        self.subjects.insert(subject.clone());
    }

    /// Returns why a change cannot be made, if something that it needs is broken.
    fn blocker(&self, change: &Change, needs: &[Need]) -> Option<Cause> {
        // A user who cannot be provisioned, for example because the user is suspended, can still lose access.
        let is_broken = |subject: &&Subject| {
            let removes_user =
                change.action == Action::Remove && matches!(subject, Subject::User { .. });
            !removes_user && self.subjects.contains(*subject)
        };
        if is_broken(&&change.subject) {
            return Some(Cause::Subject(change.subject.clone()));
        }
        needs.iter().find_map(|need| {
            let (kind, broken) = match need {
                Need::Subject(subject) => {
                    let broken = Some(subject).filter(is_broken);
                    let broken = broken.cloned().map(Cause::Subject);
                    (subject.kind(), broken)
                }
                Need::Kind(kind) => (*kind, self.kinds.get(kind).cloned()),
            };
            self.unknown_kinds.get(&kind).cloned().or(broken)
        })
    }
}

impl Run<'_> {
    /// Plans a step again, compares the result with the reviewed plan change by change, and applies what was approved.
    ///
    /// Only errors of the state and of its lock end the run.
    pub(super) async fn step(&self, step: &dyn Step, reviewed: &StepPlan) -> Result<()> {
        let id = step.id();
        for problem in &reviewed.problems {
            self.add_broken(problem.subject.as_ref());
        }
        let current = match plan_step(step, self.cx).await {
            Ok(current) => current,
            Err(error) if ends_run(&error) => return Err(error),
            Err(error) => {
                self.cannot_plan(step, reviewed, &error);
                self.recorded().halted |= self.pipeline.strict;
                return Ok(());
            }
        };
        let approved = self.approve(step, reviewed, current);
        if approved.is_empty() {
            return Ok(());
        }
        self.emit(EventKind::StepStarted {
            step: id.clone(),
            title: step.title(),
            changes: approved.len(),
        });
        let run = StepRun {
            run: self,
            step,
            id: id.clone(),
            changes: &approved,
            finished: Mutex::default(),
            timer: Mutex::new(self.timer()),
        };
        let batch = Batch::new(&approved, &run);
        let applied = step.apply_all(&batch, self.cx).await;
        run.end(applied)?;
        self.emit(EventKind::StepFinished { step: id });
        Ok(())
    }

    /// Returns the number of removals by kind that were made, or that may have been made.
    pub(super) fn removals_made(&self) -> BTreeMap<Kind, u64> {
        let mut made = BTreeMap::new();
        for result in &self.recorded().results {
            let not_made = matches!(
                result.outcome,
                Outcome::AlreadyDone | Outcome::Skipped { .. } | Outcome::WaitsForOperator { .. }
            );
            if result.action == Action::Remove && !not_made {
                *made.entry(result.subject.kind()).or_default() += 1;
            }
        }
        made
    }

    /// Returns the report.
    pub(super) fn into_report(self) -> Report {
        let facts = self.cx.all_facts();
        let (run, ended) = (self.events.run().clone(), self.cx.now());
        let recorded = self.record.0.into_inner();
        let recorded = recorded.unwrap_or_else(PoisonError::into_inner);
        Report {
            format: Plan::FORMAT,
            run,
            started: self.started,
            ended,
            results: recorded.results,
            problems: recorded.problems,
            unplanned: recorded.unplanned,
            facts,
        }
    }

    /// Records that a step cannot be planned again: none of its changes is made.
    fn cannot_plan(&self, step: &dyn Step, reviewed: &StepPlan, error: &Error) {
        self.recorded().problems.push(Problem::new(None, error));
        self.gives_nothing(step);
        for change in &reviewed.changes {
            let because = Cause::Step(reviewed.step.clone());
            self.finish(&reviewed.step, change, Outcome::Skipped { because });
        }
    }

    /// Records that a step makes nothing for other steps in this run.
    fn gives_nothing(&self, step: &dyn Step) {
        let mut recorded = self.recorded();
        for kind in step.gives() {
            let cause = Cause::Step(step.id());
            recorded.broken.unknown_kinds.entry(*kind).or_insert(cause);
        }
    }

    /// Returns the changes of the current plan that the reviewed plan has, in order. Records the outcome of all others.
    fn approve(&self, step: &dyn Step, reviewed: &StepPlan, current: StepPlan) -> Vec<Change> {
        let id = &reviewed.step;
        for problem in &current.problems {
            self.add_broken(problem.subject.as_ref());
        }
        let planned: HashMap<_, &Change> = reviewed
            .changes
            .iter()
            .map(|change| (change.key(), change))
            .collect();
        let problems: HashMap<Option<&Subject>, &Problem> = current
            .problems
            .iter()
            .map(|problem| (problem.subject.as_ref(), problem))
            .collect();
        let remaining: HashSet<_> = current.changes.iter().map(Change::key).collect();
        for change in &reviewed.changes {
            if remaining.contains(&change.key()) {
                continue;
            }
            // A change that is no longer planned is done, unless a problem of the change or of its needs is the reason, or a note
            // says why the subject of a removal is kept.
            let kept = current.notes.iter().find(|note| {
                change.action == Action::Remove && note.subject.as_ref() == Some(&change.subject)
            });
            let outcome = match (problems.get(&Some(&change.subject)), kept) {
                (Some(problem), _) => Outcome::Failed {
                    problem: Box::new((*problem).clone()),
                },
                (None, Some(note)) => {
                    let error = changed_since_plan(change, &note.text);
                    let subject = Some(change.subject.clone());
                    let problem = Box::new(Problem::new(subject, &error));
                    Outcome::Failed { problem }
                }
                (None, None) => match self.skip_cause(step, id, change) {
                    Some(because) => Outcome::Skipped { because },
                    None => Outcome::AlreadyDone,
                },
            };
            self.finish(id, change, outcome);
        }
        for problem in &current.problems {
            let has_change = |change: &Change| Some(&change.subject) == problem.subject.as_ref();
            if !reviewed.changes.iter().any(has_change) {
                self.recorded().problems.push(problem.clone());
            }
        }
        // Hazards that were found since the plan was made: only the changes that cause them are held back.
        let guard = &self.pipeline.guard;
        let new_hazards: Vec<&Hazard> = current
            .hazards
            .iter()
            .filter(|hazard| !reviewed.hazards.contains(hazard) && !guard.allows(hazard))
            .collect();
        let is_withheld = |change: &Change| {
            self.withheld.contains(id, change)
                || new_hazards.iter().any(|hazard| hazard.concerns(change))
        };
        let mut approved = Vec::new();
        for change in current.changes {
            if planned.contains_key(&change.key()) && is_withheld(&change) {
                let because = Cause::Guard;
                self.finish(id, &change, Outcome::Skipped { because });
                continue;
            }
            match planned.get(&change.key()) {
                Some(reviewed) => match change.deviation_from(reviewed) {
                    None => approved.push(change),
                    Some(deviation) => {
                        let error = changed_since_plan(&change, &deviation);
                        let subject = Some(change.subject.clone());
                        let problem = Box::new(Problem::new(subject, &error));
                        self.finish(id, &change, Outcome::Failed { problem });
                    }
                },
                // A wait and a check change nothing, so they need no review.
                None if !change.action.writes() => approved.push(change),
                None => {
                    self.add_broken(Some(&change.subject));
                    self.recorded().unplanned.push((id.clone(), change));
                    // The step could not be planned, so that its changes were not reviewed.
                    if reviewed
                        .problems
                        .iter()
                        .any(|found| found.subject.is_none())
                    {
                        self.gives_nothing(step);
                    }
                }
            }
        }
        approved
    }

    fn skip_cause(&self, step: &dyn Step, id: &StepId, change: &Change) -> Option<Cause> {
        let recorded = self.recorded();
        if recorded.halted || recorded.stopped.contains(id) {
            return Some(Cause::Stopped);
        }
        recorded.broken.blocker(change, &step.needs(change))
    }

    /// Returns the outcome of a change that has failed.
    fn failure(&self, step: &StepId, change: &Change, error: &Error) -> Outcome {
        // Every other change of the step would be refused for the same reason.
        if error.is_unauthenticated() {
            self.recorded().stopped.insert(step.clone());
        }
        let problem = Box::new(Problem::new(Some(change.subject.clone()), error));
        match error.kind() {
            // The run has no operator for the check. The changes that it would check are made.
            ErrorKind::ManualStep if change.action == Action::Check => Outcome::Unverified {
                note: Note::new("no-operator", error.to_string()),
            },
            ErrorKind::ManualStep => Outcome::WaitsForOperator { problem },
            ErrorKind::TimedOut => Outcome::TimedOut { problem },
            _ => Outcome::Failed { problem },
        }
    }

    /// Records the outcome of a change.
    fn finish(&self, step: &StepId, change: &Change, outcome: Outcome) {
        let result = ChangeResult {
            step: step.clone(),
            action: change.action,
            subject: change.subject.clone(),
            outcome,
        };
        if !result.outcome.is_success() {
            self.add_broken(Some(&result.subject));
            self.recorded().halted |= self.pipeline.strict;
        }
        self.recorded().results.push(result.clone());
        self.emit(EventKind::ChangeFinished { result });
    }

    fn add_broken(&self, subject: Option<&Subject>) {
        if let Some(subject) = subject {
            self.recorded().broken.add(subject);
        }
    }

    fn timer(&self) -> ProgressTimer<'_> {
        ProgressTimer::new(&self.pipeline.wait_policy, self.pipeline.clock.as_ref())
    }

    /// Waits before the next look at what is in progress.
    async fn wait(
        &self,
        step: &StepId,
        change: Option<&Change>,
        waiting: Waiting,
        timer: &Mutex<ProgressTimer<'_>>,
    ) -> Result<()> {
        let pause = self.look(step, change, waiting, timer).await?;
        self.pipeline.clock.sleep(pause).await;
        self.saver.check_lock().await
    }

    /// Saves the state if it is due, and emits what is in progress. Returns the pause before the next look.
    async fn look(
        &self,
        step: &StepId,
        change: Option<&Change>,
        waiting: Waiting,
        timer: &Mutex<ProgressTimer<'_>>,
    ) -> Result<Duration> {
        self.saver
            .save_if_older(self.cx, MIN_INTERVAL_IN_WAIT)
            .await?;
        let pause = lock(timer).pause(&waiting);
        let pause = pause.ok_or_else(|| stalled_error(&waiting, &self.pipeline.wait_policy))?;
        self.emit(EventKind::ChangeWaiting {
            step: step.clone(),
            action: change.map(|change| change.action),
            subject: change.map(|change| change.subject.clone()),
            waiting,
            retry_in: pause,
        });
        Ok(pause)
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        lock(&self.record.0)
    }

    fn emit(&self, event: EventKind) {
        self.events.emit(event);
    }
}

/// The approved changes of one step in a run.
struct StepRun<'a> {
    run: &'a Run<'a>,
    step: &'a dyn Step,
    id: StepId,
    changes: &'a [Change],
    /// The indexes of the changes that have an outcome.
    finished: Mutex<HashSet<usize>>,
    timer: Mutex<ProgressTimer<'a>>,
}

impl StepRun<'_> {
    /// Gives the changes without an outcome one: the error that has ended the step, or that the step has none.
    fn end(&self, applied: Result<()>) -> Result<()> {
        let error = match applied {
            Err(error) if ends_run(&error) => return Err(error),
            Err(error) => error,
            Ok(()) => Error::new(
                ErrorKind::Pipeline,
                format!(
                    "step {} has ended without an outcome of this change",
                    self.id
                ),
            )
            .with_help("run again; if it persists, report it to the author of the step"),
        };
        for (index, change) in self.changes.iter().enumerate() {
            if !self.is_finished(index) {
                let outcome = self.run.failure(&self.id, change, &error);
                self.record(index, outcome);
            }
        }
        Ok(())
    }

    fn is_finished(&self, index: usize) -> bool {
        lock(&self.finished).contains(&index)
    }

    fn record(&self, index: usize, outcome: Outcome) {
        if lock(&self.finished).insert(index) {
            lock(&self.timer).restart();
            self.run.finish(&self.id, &self.changes[index], outcome);
        }
    }

    /// Applies the changes of one chain in order, up to the first failure.
    async fn chain(&self, changes: Vec<usize>) -> Result<()> {
        let mut failed: Option<Subject> = None;
        for index in changes {
            let change = &self.changes[index];
            if let Some(subject) = &failed {
                let because = Cause::Subject(subject.clone());
                self.record(index, Outcome::Skipped { because });
            } else if !self.start(index).await? {
                failed = Some(change.subject.clone());
            } else {
                let applied = self.apply(change).await;
                if applied.is_err() {
                    failed = Some(change.subject.clone());
                }
                self.finish(index, applied.map(|()| Outcome::Done)).await?;
            }
        }
        Ok(())
    }

    /// Applies one change until it is done.
    async fn apply(&self, change: &Change) -> Result<()> {
        let span = tracing::debug_span!("apply", step = %self.id, change = %change);
        let timer = Mutex::new(self.run.timer());
        loop {
            let applied = self.step.apply(change, self.run.cx);
            match applied.instrument(span.clone()).await? {
                Applied::Done => return Ok(()),
                Applied::Waiting(waiting) => {
                    let wait = self.run.wait(&self.id, Some(change), waiting, &timer);
                    wait.await?;
                }
            }
        }
    }
}

impl Driver for StepRun<'_> {
    fn start(&self, index: usize) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let change = &self.changes[index];
            if let Some(because) = self.run.skip_cause(self.step, &self.id, change) {
                self.record(index, Outcome::Skipped { because });
                return Ok(false);
            }
            self.run.saver.check_lock().await?;
            self.run.emit(EventKind::ChangeStarted {
                step: self.id.clone(),
                change: change.clone(),
            });
            Ok(true)
        })
    }

    fn finish(&self, index: usize, result: Result<Outcome>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let change = &self.changes[index];
            let outcome = match result {
                Ok(outcome) => outcome,
                Err(error) if ends_run(&error) => return Err(error),
                Err(error) => {
                    let error = error.with_context(format!("step {}: {change}", self.id));
                    self.run.failure(&self.id, change, &error)
                }
            };
            self.record(index, outcome);
            // An operator is not asked twice for the same answers.
            let max_age = if change.action == Action::ManualStep {
                Duration::ZERO
            } else {
                MAX_INTERVAL
            };
            self.run.saver.save_if_older(self.run.cx, max_age).await
        })
    }

    fn problem(&self, subject: Subject, error: &Error) {
        let mut problem = Problem::new(Some(subject.clone()), error);
        problem.during = Some(format!("step {}", self.id));
        self.run.add_broken(Some(&subject));
        let mut recorded = self.run.recorded();
        recorded.halted |= self.run.pipeline.strict;
        recorded.problems.push(problem);
    }

    fn wait(&self, waiting: Waiting) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run.wait(&self.id, None, waiting, &self.timer))
    }

    fn look(&self, waiting: Waiting) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.run.look(&self.id, None, waiting, &self.timer).await?;
            self.run.saver.check_lock().await
        })
    }

    fn progressed(&self) {
        lock(&self.timer).restart();
    }

    /// Applies the chains side by side, and the changes of a chain in order.
    fn chains(&self) -> BoxFuture<'_, Result<()>> {
        let mut order: Vec<Vec<usize>> = Vec::new();
        let mut index_of: HashMap<Option<Subject>, usize> = HashMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            let chain = *index_of.entry(self.step.chain(change)).or_insert_with(|| {
                order.push(Vec::new());
                order.len() - 1
            });
            order[chain].push(index);
        }
        // Boxed, because a closure that borrows makes the future of the stream not `Send` (rust-lang/rust#89976).
        let work: Vec<BoxFuture<'_, Result<()>>> = order
            .into_iter()
            .map(|chain| Box::pin(self.chain(chain)) as _)
            .collect();
        let results = futures::stream::iter(work).buffer_unordered(self.step.parallelism().max(1));
        Box::pin(results.try_collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether an error ends the whole run: its state or its lock is lost.
fn ends_run(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::State | ErrorKind::Locked)
}

fn changed_since_plan(change: &Change, deviation: &str) -> Error {
    Error::new(
        ErrorKind::StalePlan,
        format!("Okta or AWS has changed since the plan was made: {change}: {deviation}"),
    )
    .with_help("make a new plan, review it, and apply it")
}

/// The shortest time between two saves in a wait.
const MIN_INTERVAL_IN_WAIT: Duration = Duration::from_secs(1);

/// The longest time without a save while changes are applied. A killed run repeats the reads of at most this time.
const MAX_INTERVAL: Duration = Duration::from_secs(30);
