//! Counts the calls to AWS that a plan, its run, the check and the access report send when there is nothing to do, for
//! organizations of five sizes on a sandbox. Measures how long the creation of 5,000 assignments takes within AWS's quotas, on a
//! manual clock, and the CPU time of creating assignments. `cargo run --example estate`; `-- --json` prints one JSON document.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program prints its result"
)]

mod apply;
mod creation;
mod least;
mod measure;
mod organization;
mod tables;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use serde::Serialize;
use tokio::runtime::{Builder, Handle, Runtime};

use self::{apply::Apply, creation::Creations, measure::Measured, organization::Size};

/// Counts the calls to AWS for organizations of different sizes on a sandbox.
#[derive(Parser, Debug)]
struct Args {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Run on the real clock, with the waits for AWS's rate limits, and read the access of all users also at the largest
    /// size. This takes hours.
    #[arg(long)]
    long: bool,
    /// Read the access of all users also at the largest size, on the manual clock. This takes half an hour.
    #[arg(long)]
    full: bool,
    /// Measure only one of the three.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Leave out the sizes with fewer accounts.
    #[arg(long, value_name = "ACCOUNTS", default_value_t = 0)]
    from: usize,
    /// Leave out the sizes with more accounts.
    #[arg(long, value_name = "ACCOUNTS", default_value_t = usize::MAX)]
    up_to: usize,
    /// The largest number of assignments whose CPU time is measured: 1000, 10000 or 100000.
    #[arg(long, default_value_t = 10_000)]
    assignments: usize,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The calls for each size.
    Sizes,
    /// The creation of 5,000 assignments.
    Creation,
    /// The CPU time of creating up to 100,000 assignments. In a release build, this takes minutes.
    Apply,
}

/// The output of the program.
#[derive(Serialize)]
struct Output {
    sizes: Vec<Measured>,
    #[serde(flatten)]
    creation: Option<Creations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply: Option<Apply>,
}

impl Args {
    fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = runtimes().and_then(|(clients, server)| {
        let server = server.handle().clone();
        clients.block_on(run(&args, &server))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the runtime of the clients, and the one of the sandbox. The manual clock moves only when all tasks of the clients'
/// thread sleep, so the clients have one thread. The sandbox has another one.
fn runtimes() -> Result<(Runtime, Runtime), measure::Failure> {
    let clients = Builder::new_current_thread().enable_all().build()?;
    let server = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    Ok((clients, server))
}

async fn run(args: &Args, server: &Handle) -> Result<(), measure::Failure> {
    let mut sizes = Vec::new();
    for size in Size::ALL {
        let is_asked = (args.from..=args.up_to).contains(&size.accounts);
        if !is_asked || !args.has(Part::Sizes) {
            continue;
        }
        let is_largest = size.accounts == Size::ALL[Size::ALL.len() - 1].accounts;
        let with_full = args.long || args.full || !is_largest;
        sizes.push(measure::measure(size, with_full, args.long, server).await?);
    }
    let creation = if args.has(Part::Creation) {
        Some(creation::measure(server).await?)
    } else {
        None
    };
    let apply = if args.has(Part::Apply) {
        Some(apply::measure(args.assignments, server).await?)
    } else {
        None
    };
    if args.json {
        let output = Output {
            sizes,
            creation,
            apply,
        };
        println!("{}", serde_json::to_string_pretty(&output)?);
    } else {
        if !sizes.is_empty() {
            println!("{}", tables::text(&sizes));
        }
        if let Some(creation) = &creation {
            println!("{}", tables::creations(creation));
        }
        if let Some(apply) = &apply {
            println!("{}", tables::apply(apply));
        }
    }
    Ok(())
}
