//! One run of `apply`, change by change.

use std::{collections::HashSet, time::Duration};

use futures::{StreamExt as _, future::BoxFuture};
use tracing::Instrument as _;

use super::{
    Pipeline, plan_step,
    saver::StateSaver,
    wait_policy::{ProgressTimer, stalled_error},
};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    event::Event,
    plan::{Action, Change, Plan},
    step::{Applied, Step},
};

/// One run of `apply`.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) cx: &'a Context,
    pub(super) saver: &'a StateSaver,
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
        self.saver.check_lock().await?;
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
            let Applied::Waiting(waiting) = applied else {
                break;
            };
            self.saver
                .save_if_older(self.cx, MIN_INTERVAL_IN_WAIT)
                .await?;
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
            self.saver.check_lock().await?;
        }
        // An operator is not asked twice for the same answers.
        let max_age = if change.action == Action::ManualStep {
            Duration::ZERO
        } else {
            MAX_INTERVAL
        };
        self.saver.save_if_older(self.cx, max_age).await?;
        self.emit(&Event::ChangeDone {
            step: id,
            change: change.clone(),
        });
        Ok(())
    }

    fn emit(&self, event: &Event) {
        self.pipeline.listeners.emit(event);
    }
}

/// The shortest time between two saves in a wait.
const MIN_INTERVAL_IN_WAIT: Duration = Duration::from_secs(1);

/// The longest time without a save while changes are applied. A killed run repeats the reads of at most this time.
const MAX_INTERVAL: Duration = Duration::from_secs(30);

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
