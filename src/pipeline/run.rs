//! One run of `apply`, change by change.

use std::collections::HashSet;

use futures::{StreamExt as _, future::BoxFuture};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::{
    Pipeline, plan_step,
    wait_policy::{ProgressTimer, stalled_error},
};
use crate::{
    error::{Error, ErrorKind, Result},
    event::Event,
    plan::{Change, Plan},
    state::State,
    step::{Applied, Context, Step},
};

/// One run of `apply`.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) cx: &'a Context,
    pub(super) state: Mutex<State>,
}

/// The result of one step.
pub(super) struct StepResult {
    pub(super) applied: usize,
    pub(super) already_done: usize,
}

impl Run<'_> {
    /// Plans a step again, checks the result against the reviewed plan, and applies its changes.
    pub(super) async fn step(&self, step: &dyn Step, plan: &Plan) -> Result<StepResult> {
        let current = plan_step(step, self.cx).await?.of(step);
        let id = step.id();
        let planned = plan.step(&id).ok_or_else(|| {
            Error::new(ErrorKind::StalePlan, format!("the plan has no step {id}"))
                .with_help("make a new plan with the same steps")
        })?;
        if let Some(deviation) = current.deviation_from(planned) {
            return Err(Error::new(
                ErrorKind::StalePlan,
                format!("Okta or AWS has changed since the plan was made: {deviation}"),
            )
            .with_context(format!("planning step {id} again right before applying it"))
            .with_help(
                "make a new plan, review it, and apply it; the changes before this step are done",
            ));
        }
        let remaining: HashSet<_> = current.changes.iter().map(Change::key).collect();
        let done_before = planned
            .changes
            .iter()
            .filter(|change| !remaining.contains(&change.key()));
        let mut already_done = 0;
        for change in done_before {
            already_done += 1;
            self.emit(&Event::AlreadyDone {
                step: id.clone(),
                target: change.target.clone(),
            });
        }
        if !current.changes.is_empty() {
            self.emit(&Event::StepStarted {
                step: id.clone(),
                title: step.title(),
                changes: current.changes.len(),
            });
            self.apply_changes(step, &current.changes).await?;
            self.emit(&Event::StepDone { step: id });
        }
        Ok(StepResult {
            applied: current.changes.len(),
            already_done,
        })
    }

    /// Applies the changes of a step: one after the other up to the first failure, or side by side if the step allows it.
    async fn apply_changes(&self, step: &dyn Step, changes: &[Change]) -> Result<()> {
        let parallelism = step.parallelism();
        if parallelism <= 1 {
            for change in changes {
                self.change(step, change).await?;
            }
            return Ok(());
        }
        // Changes that may run side by side do not depend on each other, so a failure does not stop the other changes.
        // Boxed, because a closure that borrows makes the future of the stream not `Send` (rust-lang/rust#89976).
        let work: Vec<BoxFuture<'_, Result<()>>> = changes
            .iter()
            .map(|change| Box::pin(self.change(step, change)) as _)
            .collect();
        let results: Vec<Result<()>> = futures::stream::iter(work)
            .buffer_unordered(parallelism)
            .collect()
            .await;
        all_or_first(results)
    }

    async fn change(&self, step: &dyn Step, change: &Change) -> Result<()> {
        let id = step.id();
        let span = tracing::debug_span!("apply", step = %id, action = change.action.verb(), target = %change.target);
        let context = || format!("step {id}: {} {}", change.action.verb(), change.target);
        self.emit(&Event::ChangeStarted {
            step: id.clone(),
            change: change.clone(),
        });
        let mut timer =
            ProgressTimer::new(&self.pipeline.wait_policy, self.pipeline.clock.as_ref());
        loop {
            let applied = step
                .apply(change, self.cx)
                .instrument(span.clone())
                .await
                .map_err(|error| error.with_context(context()))?;
            self.save().await?;
            let Applied::Waiting(waiting) = applied else {
                break;
            };
            let pause = timer.pause(&waiting).ok_or_else(|| {
                stalled_error(&waiting, &self.pipeline.wait_policy).with_context(context())
            })?;
            self.emit(&Event::ChangeWaiting {
                step: id.clone(),
                target: change.target.clone(),
                waiting,
                retry_in: pause,
            });
            self.pipeline.clock.sleep(pause).await;
        }
        self.emit(&Event::ChangeDone {
            step: id,
            change: change.clone(),
        });
        Ok(())
    }

    /// Saves the files and facts of the context that differ from the saved files and facts.
    pub(super) async fn save(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        for (name, bytes) in self.cx.files() {
            if self.pipeline.store.read(name).await?.as_deref() != Some(&bytes) {
                self.pipeline.store.put(name, bytes).await?;
            }
        }
        let facts = self.cx.all_facts();
        if state.serial == 0 || state.facts != facts {
            let before = std::mem::replace(&mut state.facts, facts);
            if let Err(error) = self.pipeline.store.save(&mut state).await {
                state.facts = before;
                return Err(error);
            }
        }
        Ok(())
    }

    fn emit(&self, event: &Event) {
        self.pipeline.listeners.emit(event);
    }
}

/// Returns the first error, with the messages of the other errors appended.
fn all_or_first(results: Vec<Result<()>>) -> Result<()> {
    let mut errors: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
    if errors.len() <= 1 {
        return errors.pop().map_or(Ok(()), Err);
    }
    let others: Vec<String> = errors.drain(1..).map(|error| error.to_string()).collect();
    let first = errors.remove(0);
    Err(first.and(&others))
}
