//! Runs of the program `integrate` on the estate, killed at a request.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use okta_aws_sso::{Blueprint, StateStore, okta, operator::SandboxOperator};
use rest_core::{Clock as _, ManualClock, Secret, SystemClock};
use sandbox::{OperationDurations, Sandbox};

use super::{AFTER, BEFORE, Ownership, Start, by_hand, checks, company, faults::ledger};
use crate::{
    campaign::{End, RERUNS, Verdict},
    end_state::end_state,
    fixture::{self, Fixture},
    programs::Program,
    proxy::ProxyFault,
};

/// A complete run without faults.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The first lines of the requests.
    pub(crate) requests: Vec<String>,
    end_state: String,
}

pub(crate) async fn reference() -> Reference {
    let world = KillWorld::new().await;
    let (end, shown) = world.run(&mut Verdict::default()).await;
    assert_eq!(end, End::Complete, "{shown}");
    let sandbox = &world.fixture.sandbox;
    let wrong = checks::end(sandbox, &world.start, false, &[]);
    assert_eq!(wrong, Vec::<String>::new());
    let requests = world.program.proxy.requests();
    Reference {
        requests: requests[world.sent..].to_vec(),
        end_state: end_state(sandbox),
    }
}

/// Runs the program once and kills it at a request, then without faults until the end state is that of the reference.
pub(crate) async fn run(index: usize, process: bool, reference: Arc<Reference>) -> Verdict {
    let world = KillWorld::new().await;
    let fault = ProxyFault::Kill { process };
    let faults = BTreeMap::from([(world.sent + index, fault)]);
    world.program.proxy.set_faults(faults);
    let mut verdict = Verdict::default();
    let mut starts = Vec::new();
    verdict.first = Some(world.run(&mut verdict).await);
    // Some requests depend on the time, so that another run may have fewer.
    world.program.proxy.clear_faults();
    let sandbox = &world.fixture.sandbox;
    for rerun in 1..=RERUNS {
        starts.push(sandbox.now());
        let end = world.run(&mut verdict).await;
        if verdict.end_rerun(rerun, end, sandbox, &reference.end_state) {
            break;
        }
    }
    let wrong = [
        checks::end(sandbox, &world.start, false, &[]),
        checks::operations(sandbox, &world.start, &starts, None),
        ledger(&world.fixture, Ownership::Managed).await,
    ];
    verdict.wrong.extend(wrong.concat());
    verdict
}

/// A world whose run is a program.
struct KillWorld {
    program: Program,
    /// The library on the sandbox and on the state of the program, with a clock that does not wait.
    fixture: Fixture,
    start: Start,
    /// The number of requests that the run before has sent.
    sent: usize,
}

impl KillWorld {
    async fn new() -> Self {
        let before = Ownership::Managed.blueprint(BEFORE);
        let (program, sandbox) = Program::with_sandbox(company(), &before).await;
        let (end, shown) = program.run(&[], &mut Verdict::default()).await;
        assert_eq!(end, End::Complete, "{shown}");
        let fixture = library(&program, sandbox).await;
        let start = by_hand(&fixture, Ownership::Managed).await;
        let durations = OperationDurations::constant(OPERATION);
        fixture.sandbox.set_operation_durations(durations);
        program.set_blueprint(&Ownership::Managed.blueprint(AFTER));
        let sent = program.proxy.requests().len();
        Self {
            program,
            fixture,
            start,
            sent,
        }
    }

    async fn run(&self, verdict: &mut Verdict) -> (End, String) {
        // The plan removes 5 assignments.
        let options = ["--allow-removals", "5"];
        self.program.run(&options, verdict).await
    }
}

async fn library(program: &Program, sandbox: Sandbox) -> Fixture {
    let clock = ManualClock::new(SystemClock.now());
    let shared: Arc<dyn rest_core::Clock> = Arc::new(clock.clone());
    let token = Secret::new(sandbox.okta_token());
    let okta = okta::Client::builder(&sandbox.okta_url(), token).clock(shared.clone());
    let url = sandbox.console_url().parse().expect("a URL");
    Fixture {
        okta: okta.build().expect("an Okta client"),
        aws: fixture::aws(&sandbox, sandbox.aws_secret_access_key(), shared).await,
        clock,
        store: StateStore::folder(program.state()).expect("a folder"),
        operator: Arc::new(SandboxOperator::new(url).expect("an operator")),
        blueprint: Blueprint::default(),
        sandbox,
    }
}

/// The duration of an operation, in real time. A program that was killed often starts again before its end.
const OPERATION: Duration = Duration::from_millis(700);
