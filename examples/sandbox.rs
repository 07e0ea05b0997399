//! Serves an Okta org and an AWS organization on this machine, to try the integration without a tenant.
//! `cargo run --example sandbox -- --ready-file ready.json`, then `cargo run --example integrate -- --target ready.json`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program prints its result"
)]

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use sandbox::{Sandbox, ScimProfile};

/// Serves an Okta org, an AWS organization and their consoles on the loopback interface, until it is stopped with Ctrl-C.
#[derive(Parser)]
struct Args {
    /// The file for the addresses and credentials, as JSON. It is written when all services answer.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// The SCIM service to serve: `aws` behaves like AWS's and answers after automatic provisioning is enabled; `generic`
    /// follows the RFCs and answers from the start, at `scim.url` with the token `scim.token`.
    #[arg(long, value_enum, default_value_t = Profile::Aws)]
    scim_profile: Profile,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Profile {
    Aws,
    Generic,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    // The delays are long enough to see a run wait for provisioning and assignments.
    let sandbox = Sandbox::builder()
        .page_size(None)
        .scim_profile(match args.scim_profile {
            Profile::Aws => ScimProfile::Aws,
            Profile::Generic => ScimProfile::Generic,
        })
        .provisioning_delay(Duration::from_millis(1200))
        .operation_delay(Duration::from_millis(400))
        .start()
        .await?;
    let ready = serde_json::to_string_pretty(&sandbox.ready())?;
    println!("{ready}");
    if let Some(path) = args.ready_file {
        // The rename is atomic, so that a program that waits for the file never reads a part of it.
        let temporary = path.with_extension("part");
        std::fs::write(&temporary, &ready)?;
        std::fs::rename(&temporary, &path)?;
    }
    eprintln!("serving; press Ctrl-C to stop");
    tokio::signal::ctrl_c().await?;
    let requests = sandbox.requests();
    let writes = sandbox.writes();
    eprintln!(
        "served {}, including {}",
        count(requests.len(), "request"),
        count(writes.len(), "write")
    );
    Ok(())
}

/// Returns a number with a noun, such as `1 request` or `2 requests`.
fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
