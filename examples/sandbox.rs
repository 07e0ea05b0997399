//! What can be tried without a tenant? An Okta org and an AWS organization on this machine, until you stop it.
//! `cargo run --example sandbox -- --ready-file ready.json`, then `cargo run --example integrate -- --target ready.json`
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program says what it found"
)]

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use sandbox::{Sandbox, ScimProfile};

/// Serves an Okta org, an AWS organization and their consoles on the loopback interface.
#[derive(Parser)]
struct Args {
    /// Where to write the addresses and credentials, as JSON, once everything answers.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Whose SCIM service to serve: AWS's, once automatic provisioning is enabled, or one as in the RFCs, which answers
    /// from the start at `scim.url` for `scim.token`.
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
    // As fast as real services are patient: a rehearsal shows what there is to wait for.
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
        // Written beside and moved into place: who waits for the file must not read half of it.
        let beside = path.with_extension("part");
        std::fs::write(&beside, &ready)?;
        std::fs::rename(&beside, &path)?;
    }
    eprintln!("serving until stopped with Ctrl-C");
    tokio::signal::ctrl_c().await?;
    let requests = sandbox.requests();
    let writes = sandbox.writes();
    eprintln!(
        "{} requests, {} of them writes",
        requests.len(),
        writes.len()
    );
    Ok(())
}
