//! How do Okta's users and groups get into AWS without Okta's provisioning, and what does each run cost?
//! `cargo run --example scim_sync` on a sandbox; `-- --help` for real; `-- --table` counts requests beside other tools
#![expect(clippy::print_stdout, reason = "a program says what it found")]

mod args;
mod company;
mod ends;
mod measure;
mod table;

use std::process::ExitCode;

use clap::Parser as _;
use okta_aws_sso::{
    Error, ErrorKind,
    sync::{DirectorySync, OktaSource, ReadMode, RemovalLimits},
};

use crate::{args::Args, ends::Ends};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let done = if let Some(rate) = args.measure {
        measure::run(&args, rate).await
    } else if args.table {
        table::run(&args).await
    } else {
        run(&args).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            args::say_what_to_do(&error);
            // A pipeline tells a refusal of the guard, which a person has to look at, from everything else.
            let refused = error.kind() == ErrorKind::GuardRejected;
            ExitCode::from(if refused { args::GUARDED } else { 1 })
        }
    }
}

async fn run(args: &Args) -> Result<(), Error> {
    let blueprint = args.blueprint()?;
    let ends = Ends::of(args).await?;
    let source = OktaSource::new(&ends.okta, &blueprint);
    let store = args.store()?;
    let guard = args
        .max_removals
        .map_or_else(RemovalLimits::default, RemovalLimits::at_most);
    let sync = DirectorySync::new(source.clone(), &ends.scim)
        .store(store.clone())
        .removal_limits(guard)
        .mode(args.mode());

    let plan = sync.plan().await?;
    print!("{plan}");
    ends.count("planned");
    sync.check(&plan).map_err(Error::from)?;
    if args.dry_run {
        println!("Nothing was written.");
        return Ok(());
    }
    let report = sync.apply(&plan).await?.complete()?;
    println!("Done: {}", words(&report.done.to_string()));
    ends.count("written");
    if args.is_rehearsal() {
        for (mode, words) in [
            (ReadMode::Cached, "again"),
            (ReadMode::Verify, "again, all users and groups read"),
            (ReadMode::Full, "again, memberships read too"),
        ] {
            let again = DirectorySync::new(source.clone(), &ends.scim)
                .store(store.clone())
                .mode(mode);
            println!("Sync: {}", again.plan().await?.summary());
            ends.count(words);
        }
    }
    Ok(())
}

/// What was to be done, as what was done.
fn words(counts: &str) -> String {
    counts
        .replace(" to create", " created")
        .replace(" to update", " updated")
        .replace(" to deactivate", " deactivated")
        .replace(" to delete", " deleted")
        .replace(" to add", " added")
        .replace(" to remove", " removed")
}
