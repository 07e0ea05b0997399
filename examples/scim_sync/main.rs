//! Writes Okta's users and groups to AWS without Okta's provisioning, and counts the requests of each run.
//! `cargo run --example scim_sync` runs on a sandbox; `-- --help` explains how to run on real tenants; `-- --table` compares
//! the number of requests with other tools.
#![expect(clippy::print_stdout, reason = "a program prints its result")]

mod args;
mod environment;
mod measure;
mod table;
mod test_directory;

use std::process::ExitCode;

use clap::Parser as _;
use okta_aws_sso::{
    Error, ErrorKind,
    sync::{DirectorySync, OktaSource, ReadMode, RemovalLimits},
};

use crate::{args::Args, environment::Environment};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let result = if let Some(rate) = args.measure {
        measure::run(&args, rate).await
    } else if args.table {
        table::run(&args).await
    } else {
        run(&args).await
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            args::print_error(&error);
            // An exceeded removal limit needs a review, so it has its own exit code for CI pipelines.
            let exceeded = error.kind() == ErrorKind::GuardRejected;
            ExitCode::from(if exceeded { args::LIMIT_EXCEEDED } else { 1 })
        }
    }
}

async fn run(args: &Args) -> Result<(), Error> {
    let blueprint = args.blueprint()?;
    let environment = Environment::connect(args).await?;
    let source = OktaSource::new(&environment.okta, &blueprint);
    let store = args.store()?;
    let limits = args
        .max_removals
        .map_or_else(RemovalLimits::default, RemovalLimits::at_most);
    let sync = DirectorySync::new(source.clone(), &environment.scim)
        .store(store.clone())
        .removal_limits(limits)
        .mode(args.mode());

    let prepared = sync.prepare().await?;
    print!("{}", prepared.plan());
    environment.print_requests("planned");
    sync.check(prepared.plan()).map_err(Error::from)?;
    if args.dry_run {
        println!("Nothing was written.");
        return Ok(());
    }
    let report = sync.apply(prepared).await?.complete()?;
    println!("Done: {}", past_tense(&report.done.to_string()));
    environment.print_requests("written");
    if args.uses_own_sandbox() {
        for (mode, phase) in [
            (ReadMode::Cached, "again"),
            (ReadMode::Verify, "again, with all users and groups read"),
            (ReadMode::Full, "again, with memberships read too"),
        ] {
            let again = DirectorySync::new(source.clone(), &environment.scim)
                .store(store.clone())
                .mode(mode);
            println!("Sync: {}", again.plan().await?.summary());
            environment.print_requests(phase);
        }
    }
    Ok(())
}

/// Converts the summary of planned changes to a summary of applied changes.
fn past_tense(counts: &str) -> String {
    counts
        .replace(" to create", " created")
        .replace(" to update", " updated")
        .replace(" to deactivate", " deactivated")
        .replace(" to delete", " deleted")
        .replace(" to add", " added")
        .replace(" to remove", " removed")
}
