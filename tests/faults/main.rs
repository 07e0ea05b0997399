//! The fault campaign: a complete run with a fault at each request, and then a run without faults that must end right.
//!
//! `cargo test --test faults` runs a seeded sample, and `cargo test --test faults -- --all` runs all cases.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this is a program that prints its counts, with a thread for each case"
)]

mod campaign;
#[expect(dead_code, reason = "the campaign reports the differences itself")]
#[path = "../it/end_state.rs"]
mod end_state;
#[expect(dead_code, reason = "the campaign uses a part of the fixture")]
#[path = "../it/fixture.rs"]
mod fixture;
mod in_process;
mod kinds;
#[expect(
    dead_code,
    reason = "the campaign reads the output of programs from a file"
)]
#[path = "../it/processes.rs"]
mod processes;
mod programs;
mod proxy;

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::Duration,
};

use clap::Parser;

use self::{
    campaign::Case,
    in_process::Mode,
    kinds::{Effect, KINDS},
    proxy::ProxyFault,
};

/// Runs the fault campaign.
#[derive(Parser)]
struct Arguments {
    /// Run all cases instead of a sample.
    #[arg(long)]
    all: bool,
    /// The seed of the order of the cases and of the random faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run the cases whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Start no case after this time (default: no limit with `--all` or `--only`, else 1; a case can take one more minute).
    #[arg(long)]
    minutes: Option<f64>,
    /// The Python that has the official clients (default: the one of the gate `interop`).
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

impl Arguments {
    fn limit(&self) -> Option<Duration> {
        let is_sample = !self.all && self.only.is_none();
        let minutes = self.minutes.or(is_sample.then_some(1.0));
        minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes))
    }

    /// Returns the Python that has the official clients, if it is there.
    fn python(&self) -> Option<PathBuf> {
        let python = self.python.clone().unwrap_or_else(|| {
            let tools = env::var_os("TOOLS_DIR").map_or_else(
                || processes::profile_folder().join("../tools"),
                PathBuf::from,
            );
            tools.join("interop/bin/python")
        });
        python.exists().then_some(python)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let python = arguments.python();
    if python.is_none() {
        println!("the official clients are missing: run `bash .ci/run interop`, or pass --python");
        if arguments.all {
            return ExitCode::FAILURE;
        }
    }
    build_program();
    let mut rng = fastrand::Rng::with_seed(arguments.seed);
    let mut queues = [
        in_process_cases(),
        program_cases(&mut rng, python.as_deref()),
    ];
    for cases in &mut queues {
        rng.shuffle(cases);
        if let Some(only) = &arguments.only {
            cases.retain(|case| case.name.contains(only.as_str()));
        }
    }
    let [in_process, programs] = queues.each_ref().map(Vec::len);
    println!(
        "{in_process} cases in process, {programs} cases with a program, seed {}",
        arguments.seed
    );
    let repeat = format!("cargo test --test faults -- --seed {}", arguments.seed);
    if campaign::run_all(queues, arguments.limit(), &repeat) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Builds the program that the cases run. Cargo builds only this target for `cargo test --test faults`.
fn build_program() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--example", "integrate"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(
        built.expect("cargo starts").success(),
        "the program is not built"
    );
}

/// Returns one case for each mode, each request of a run and each kind of fault.
///
/// For a request that only reads, a fault after its processing is the same as the fault before it.
fn in_process_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for mode in [Mode::Okta, Mode::Direct] {
        let reference = Arc::new(block_on(in_process::reference(mode)));
        for (index, request) in reference.requests.iter().enumerate() {
            let kinds = KINDS.iter();
            let kinds = kinds.filter(|kind| request.write || !kind.is_after());
            for kind in kinds.filter(|kind| kind.effect != Effect::Stall || request.may_stall()) {
                let name = format!(
                    "{} {} at request {index}: {}",
                    mode.name(),
                    kind.name,
                    request.text
                );
                let (request, reference) = (request.clone(), Arc::clone(&reference));
                cases.push(Case::new(name, kind.name, async move {
                    in_process::run(mode, kind, &request, &reference).await
                }));
            }
        }
    }
    cases
}

/// Returns two cases for each request of the program, with SIGKILL, and the cases with random faults.
///
/// The official clients read the end states of some of them.
fn program_cases(rng: &mut fastrand::Rng, python: Option<&Path>) -> Vec<Case> {
    let reference = Arc::new(block_on(programs::reference()));
    let total = 2 * reference.requests.len() + RANDOM_CASES;
    let mut cases = Vec::new();
    let mut push = |name: String, kind: &str, faults: BTreeMap<usize, ProxyFault>| {
        let reference = Arc::clone(&reference);
        let is_read = cases.len().is_multiple_of(total.div_ceil(OFFICIAL_CASES));
        let python = python.filter(|_| is_read).map(Path::to_owned);
        cases.push(Case::new(name, kind, async move {
            programs::run(faults, &reference, python.as_deref()).await
        }));
    };
    for (index, request) in reference.requests.iter().enumerate() {
        for process in [false, true] {
            let fault = ProxyFault::Kill { process };
            let name = format!("program {} at request {index}: {request}", fault.name());
            push(name, fault.name(), BTreeMap::from([(index, fault)]));
        }
    }
    let kinds = KINDS.iter().filter(|kind| kind.effect != Effect::Stall);
    let kinds = kinds.map(ProxyFault::Response);
    let kills = [false, true].map(|process| ProxyFault::Kill { process });
    let kinds: Vec<ProxyFault> = kinds.chain(kills).collect();
    for number in 0..RANDOM_CASES {
        let faults = (0..rng.usize(1..=3)).map(|_| {
            let index = rng.usize(..reference.requests.len());
            (index, kinds[rng.usize(..kinds.len())])
        });
        let faults: BTreeMap<usize, ProxyFault> = faults.collect();
        let parts = faults
            .iter()
            .map(|(index, fault)| format!("{} at {index}", fault.name()));
        let name = format!("random {number}: {}", parts.collect::<Vec<_>>().join(", "));
        push(name, "random", faults);
    }
    cases
}

/// The number of cases with random faults.
const RANDOM_CASES: usize = 200;

/// The number of cases whose end states the official clients read.
const OFFICIAL_CASES: usize = 20;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}
