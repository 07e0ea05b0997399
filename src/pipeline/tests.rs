//! Properties of a run, with random steps, needs, chains and failures.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Mutex,
};

use futures::future::BoxFuture;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::{
    outcome::Outcome,
    plan::{Action, Change, Need, Subject},
    step::{Applied, Planned},
};

/// A random change.
#[derive(Clone, Debug)]
struct Spec {
    chain: u8,
    fails: bool,
    yields: u8,
    needs: Vec<Index>,
}

fn spec() -> impl Strategy<Value = Spec> {
    let fails = prop::bool::weighted(0.2);
    let needs = vec(any::<Index>(), 0..3);
    (0u8..3, fails, 0u8..3, needs).prop_map(|(chain, fails, yields, needs)| Spec {
        chain,
        fails,
        yields,
        needs,
    })
}

/// A change of a random step.
#[derive(Debug)]
struct Work {
    subject: Subject,
    chain: Subject,
    /// Subjects of earlier steps, or of earlier changes of the same chain.
    needs: Vec<Subject>,
    fails: bool,
    yields: u8,
}

/// The calls of `apply`.
#[derive(Debug, Default)]
struct Log {
    started: Vec<Subject>,
    in_flight: usize,
    most_in_flight: usize,
}

#[derive(Clone, Debug)]
struct RandomStep {
    id: StepId,
    parallelism: usize,
    work: Arc<[Work]>,
    log: Arc<Mutex<Log>>,
}

impl RandomStep {
    fn work(&self, change: &Change) -> &Work {
        let mut work = self.work.iter();
        let found = work.find(|work| work.subject == change.subject);
        found.expect("a change of this step")
    }

    fn log(&self, write: impl FnOnce(&mut Log)) {
        write(&mut self.log.lock().expect("a lock"));
    }
}

impl Step for RandomStep {
    fn id(&self) -> StepId {
        self.id.clone()
    }

    fn title(&self) -> String {
        self.id.to_string()
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        let changes = self.work.iter();
        let changes = changes.map(|work| Change::new(Action::Create, work.subject.clone()));
        Box::pin(std::future::ready(Ok(Planned::changes(changes.collect()))))
    }

    fn apply<'a>(&'a self, change: &'a Change, _: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let work = self.work(change);
            self.log(|log| {
                log.started.push(work.subject.clone());
                log.in_flight += 1;
                log.most_in_flight = log.most_in_flight.max(log.in_flight);
            });
            for _ in 0..work.yields {
                tokio::task::yield_now().await;
            }
            self.log(|log| log.in_flight -= 1);
            if work.fails {
                return Err(Error::new(ErrorKind::Service, "a refusal"));
            }
            Ok(Applied::Done)
        })
    }

    fn chain(&self, change: &Change) -> Option<Subject> {
        Some(self.work(change).chain.clone())
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }

    fn needs(&self, change: &Change) -> Vec<Need> {
        let needs = self.work(change).needs.iter().cloned();
        needs.map(Need::Subject).collect()
    }
}

const IDS: [StepId; 3] = [
    StepId::new("first"),
    StepId::new("second"),
    StepId::new("third"),
];

/// Creates the steps of random changes.
fn steps(specs: Vec<(usize, Vec<Spec>)>) -> Vec<RandomStep> {
    let mut earlier: Vec<Subject> = Vec::new();
    let mut steps = Vec::new();
    for (id, (parallelism, specs)) in IDS.into_iter().zip(specs) {
        let mut work: Vec<Work> = Vec::new();
        for (number, spec) in specs.into_iter().enumerate() {
            let chain = Subject::custom(id.clone(), format!("chain {}", spec.chain));
            let before = work.iter().filter(|work| work.chain == chain);
            let mut known = earlier.clone();
            known.extend(before.map(|work| work.subject.clone()));
            let needs = spec.needs.iter().filter(|_| !known.is_empty());
            work.push(Work {
                subject: Subject::custom(id.clone(), number.to_string()),
                needs: needs.map(|need| need.get(&known).clone()).collect(),
                chain,
                fails: spec.fails,
                yields: spec.yields,
            });
        }
        earlier.extend(work.iter().map(|work| work.subject.clone()));
        steps.push(RandomStep {
            id,
            parallelism,
            work: work.into(),
            log: Arc::default(),
        });
    }
    steps
}

/// Returns the closure of the needs over the changes that fail: the changes that must be skipped.
fn expected_skips(steps: &[RandomStep]) -> HashSet<Subject> {
    let (mut broken, mut skipped, mut stopped) = (HashSet::new(), HashSet::new(), HashSet::new());
    for work in steps.iter().flat_map(|step| step.work.iter()) {
        if stopped.contains(&work.chain) || work.needs.iter().any(|need| broken.contains(need)) {
            skipped.insert(work.subject.clone());
        } else if !work.fails {
            continue;
        }
        broken.insert(work.subject.clone());
        stopped.insert(work.chain.clone());
    }
    skipped
}

fn apply(steps: &[RandomStep]) -> Report {
    let mut all = Steps::new();
    for step in steps {
        all.push(step.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let pipeline = Pipeline::new(all);
        let plan = pipeline.plan().await.expect("a plan");
        pipeline.apply(&plan).await.expect("a report")
    })
}

proptest! {
    #[test]
    fn the_skipped_changes_are_the_closure_of_needs_over_the_failed_ones(
        specs in vec((1usize..4, vec(spec(), 0..7)), 1..4),
    ) {
        let steps = steps(specs);
        let report = apply(&steps);
        let skips = expected_skips(&steps);
        let number: usize = steps.iter().map(|step| step.work.len()).sum();
        prop_assert_eq!(report.results.len(), number);
        let outcomes: BTreeMap<&Subject, &Outcome> = report
            .results
            .iter()
            .map(|result| (&result.subject, &result.outcome))
            .collect();
        for work in steps.iter().flat_map(|step| step.work.iter()) {
            let outcome = outcomes[&work.subject];
            let is_right = if skips.contains(&work.subject) {
                matches!(outcome, Outcome::Skipped { .. })
            } else if work.fails {
                matches!(outcome, Outcome::Failed { .. })
            } else {
                *outcome == Outcome::Done
            };
            prop_assert!(is_right, "{}: {:?}", work.subject, outcome);
        }
    }

    #[test]
    fn the_started_changes_of_a_chain_are_its_first_ones_and_the_parallelism_is_the_limit(
        specs in vec((1usize..4, vec(spec(), 0..7)), 1..4),
    ) {
        let steps = steps(specs);
        let _report = apply(&steps);
        for step in &steps {
            let log = step.log.lock().expect("a lock");
            prop_assert!(log.most_in_flight <= step.parallelism);
            let chains: HashSet<&Subject> = step.work.iter().map(|work| &work.chain).collect();
            for chain in chains {
                let of_chain = step.work.iter().filter(|work| work.chain == *chain);
                let planned: Vec<&Subject> = of_chain.map(|work| &work.subject).collect();
                let started = log.started.iter();
                let started: Vec<&Subject> =
                    started.filter(|subject| planned.contains(subject)).collect();
                prop_assert!(planned.starts_with(&started), "{:?} of {:?}", started, planned);
            }
        }
    }
}
