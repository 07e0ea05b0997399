//! Writes Okta's users and groups to AWS without Okta's provisioning, and counts the requests of each run.
//! `cargo run --example scim_sync` runs on a sandbox; `-- --help` explains how to run on real tenants; `-- --table` compares
//! the number of requests with other tools.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program prints its result"
)]

mod measure;
mod table;
mod test_directory;

use std::process::ExitCode;

use clap::Parser;
use okta_aws_sso_cli::{Status, scim_sync::Arguments};

// The help starts with the one of `Arguments`, which a doc comment here would replace.
#[derive(Parser, Debug)]
struct Args {
    #[command(flatten)]
    sync: Arguments,
    /// Count the requests for directories of different sizes on a sandbox, and print the formulas of other tools next to the
    /// counts.
    #[arg(long)]
    table: bool,
    /// With `--table`: include the largest size. Build with `--release`, because a debug build is slow.
    #[arg(long)]
    large: bool,
    /// Write 10,000 users, 1,000 groups and 100,000 memberships to a sandbox that accepts RATE writes per second (0: no
    /// limit), and print the time.
    #[arg(long, value_name = "RATE")]
    measure: Option<u32>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _closed = error.print();
            let is_wrong = error.use_stderr();
            return if is_wrong {
                Status::Usage
            } else {
                Status::Done
            }
            .into();
        }
    };
    let result = if let Some(rate) = args.measure {
        measure::run(rate).await
    } else if args.table {
        table::run(args.large).await
    } else {
        return args.sync.run().await.into();
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.explain());
            ExitCode::FAILURE
        }
    }
}

/// Returns a number with a noun, such as `1 request` or `2 requests`.
fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
