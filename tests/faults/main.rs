//! The fault campaign: a complete run with a fault at each request, and then a run without faults that must end right.
//!
//! The small story sets up two empty tenants, and has every kind of fault at every request. The estate is a finished
//! integration whose access changes, and has the faults of AWS's operations, singly and in mixes, and SIGKILL at every request.
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
mod estate;
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
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::Duration,
};

use clap::Parser;

use self::{
    campaign::Case,
    estate::Ownership,
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
    /// Run only this part of the campaign.
    #[arg(long)]
    part: Option<Part>,
    /// The number of mixes of several faults of the estate.
    #[arg(long, default_value_t = 200)]
    mixes: u64,
    /// Start no case of a part after this time (default: no limit with `--all` or `--only`, else 1 for the small story and 0.5
    /// for the estate; a case can take one more minute).
    #[arg(long)]
    minutes: Option<f64>,
    /// The Python that has the official clients (default: the one of the gate `interop`).
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
}

/// A part of the campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The whole integration of two empty tenants, with a fault at each request.
    Small,
    /// The change of many assignments, with faults of AWS's operations.
    Estate,
}

impl Arguments {
    fn is_sample(&self) -> bool {
        !self.all && self.only.is_none()
    }

    fn has(&self, part: Part) -> bool {
        self.part.is_none_or(|only| only == part)
    }

    /// Returns the seeds of the mixes. The first one is that of the campaign.
    fn mixes(&self) -> Range<u64> {
        self.seed..self.seed + self.mixes
    }

    /// Runs two queues of cases in a random order. Returns whether all are right.
    fn run(&self, mut queues: [Vec<Case>; 2], rng: &mut fastrand::Rng, minutes: f64) -> bool {
        for cases in &mut queues {
            rng.shuffle(cases);
            if let Some(only) = &self.only {
                cases.retain(|case| case.name.contains(only.as_str()));
            }
        }
        let [in_process, programs] = queues.each_ref().map(Vec::len);
        println!(
            "{in_process} cases in process, {programs} cases with a program, seed {}",
            self.seed
        );
        let minutes = self.minutes.or(self.is_sample().then_some(minutes));
        let limit = minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
        let repeat = format!("cargo test --test faults -- --seed {}", self.seed);
        campaign::run_all(queues, limit, &repeat)
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
        if arguments.all && arguments.has(Part::Small) {
            return ExitCode::FAILURE;
        }
    }
    build_program();
    let mut rng = fastrand::Rng::with_seed(arguments.seed);
    let mut is_right = true;
    if arguments.has(Part::Small) {
        let queues = [
            in_process_cases(),
            program_cases(&mut rng, python.as_deref()),
        ];
        is_right &= arguments.run(queues, &mut rng, 1.0);
    }
    if arguments.has(Part::Estate) {
        let mixes = arguments.mixes();
        let queues = [estate_cases(mixes), kill_cases(arguments.is_sample())];
        is_right &= arguments.run(queues, &mut rng, 0.5);
    }
    if is_right {
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

/// Returns one case for each fault of the estate, and the mixes of faults. The modes differ in what they remove, so that the
/// faults of single responses come in one of them only.
fn estate_cases(mixes: Range<u64>) -> Vec<Case> {
    let references = Ownership::ALL.map(|ownership| {
        let reference = block_on(estate::faults::reference(ownership));
        (ownership, Arc::new(reference))
    });
    let mut cases = Vec::new();
    for (ownership, reference) in &references {
        for fault in estate::faults::single_faults() {
            if *ownership == Ownership::Exclusive && fault.is_of_response() {
                continue;
            }
            let name = format!("estate {} {fault:?}", ownership.name());
            let run = estate::faults::run(*ownership, vec![fault], Arc::clone(reference));
            cases.push(Case::new(name, fault.kind(), run));
        }
    }
    for seed in mixes {
        let (ownership, reference) = &references[usize::from(seed.is_multiple_of(2))];
        let faults = estate::faults::mix(seed);
        let name = format!("estate {} mix {seed}: {faults:?}", ownership.name());
        let run = estate::faults::run(*ownership, faults, Arc::clone(reference));
        cases.push(Case::new(name, "mix", run));
    }
    cases
}

/// Returns a case for each request of the program on the estate, with SIGKILL before the service has processed it, and
/// another one for each write, with SIGKILL after it. A sample has every tenth request.
fn kill_cases(is_sample: bool) -> Vec<Case> {
    let reference = Arc::new(block_on(estate::kills::reference()));
    let mut cases = Vec::new();
    let step = if is_sample { 10 } else { 1 };
    for (index, request) in reference.requests.iter().enumerate().step_by(step) {
        let operation = request.split(' ').next_back().unwrap_or_default();
        let reads = ["List", "Describe", "Get"];
        let is_read =
            request.starts_with("GET ") || reads.iter().any(|read| operation.starts_with(read));
        for process in [false, true] {
            if is_read && process {
                continue;
            }
            let kind = ProxyFault::Kill { process }.name();
            let name = format!("estate program {kind} at request {index}: {request}");
            let run = estate::kills::run(index, process, Arc::clone(&reference));
            cases.push(Case::new(name, kind, run));
        }
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
