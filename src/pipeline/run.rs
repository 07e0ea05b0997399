//! One apply, change by change.

use std::collections::HashSet;

use futures::StreamExt as _;
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::{
    Pipeline,
    patience::{Impatience, late},
    plan_step,
};
use crate::{
    error::{Error, ErrorKind, Outcome},
    event::Event,
    plan::{Change, Plan},
    state::State,
    step::{Applied, Context, Step},
};

/// One apply.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) cx: &'a Context,
    pub(super) state: Mutex<State>,
}

pub(super) struct Done {
    pub(super) applied: usize,
    pub(super) already_true: usize,
}

impl Run<'_> {
    pub(super) async fn step(&self, step: &dyn Step, plan: &Plan) -> Outcome<Done> {
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
    pub(super) async fn save(&self) -> Outcome<()> {
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
