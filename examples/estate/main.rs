//! Counts the calls to AWS that a plan, its run, the check and the access report send when there is nothing to do, for
//! organizations of five sizes on a sandbox. Measures how long the creation of 5,000 assignments takes within AWS's quotas, on a
//! manual clock. `cargo run --example estate`; `-- --json` prints one JSON document.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program prints its result"
)]

mod least;
mod makespan;
mod measure;
mod organization;
mod tables;

use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;
use tokio::runtime::{Builder, Handle, Runtime};

use self::{makespan::Makespans, measure::Measured, organization::Size};

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
    /// Leave out the creation of 5,000 assignments.
    #[arg(long)]
    without_creation: bool,
    /// Leave out the sizes with fewer accounts.
    #[arg(long, value_name = "ACCOUNTS", default_value_t = 0)]
    from: usize,
    /// Leave out the sizes with more accounts.
    #[arg(long, value_name = "ACCOUNTS", default_value_t = usize::MAX)]
    up_to: usize,
}

/// The output of the program.
#[derive(Serialize)]
struct Output {
    sizes: Vec<Measured>,
    #[serde(flatten)]
    makespan: Option<Makespans>,
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
        if !(args.from..=args.up_to).contains(&size.accounts) {
            continue;
        }
        let is_largest = size.accounts == Size::ALL[Size::ALL.len() - 1].accounts;
        let with_full = args.long || args.full || !is_largest;
        sizes.push(measure::measure(size, with_full, args.long, server).await?);
    }
    let makespan = if args.without_creation {
        None
    } else {
        Some(makespan::measure(server).await?)
    };
    if args.json {
        let output = Output { sizes, makespan };
        println!("{}", serde_json::to_string_pretty(&output)?);
    } else {
        println!("{}", tables::text(&sizes));
        if let Some(makespan) = &makespan {
            println!("\n{}", tables::makespans(makespan));
        }
    }
    Ok(())
}
