//! Checks that a SCIM service supports what the client needs: users, groups, lists, filters and
//! patches, from creation to deletion.
//!
//! ```sh
//! SCIM_TOKEN=… cargo run -p scim-client --example life_cycle -- https://scim.example.com/v2
//! ```
//!
//! The program writes to the service, and deletes what it created, also after a failed check. It prints each check, and
//! exits with status 1 if a check failed, and with status 2 if it could not start.
#![expect(clippy::print_stdout, reason = "a program prints its results")]
#![expect(clippy::print_stderr, reason = "a program prints its errors")]

mod judge;

use std::{
    env,
    hash::{BuildHasher, RandomState},
    process::{self, ExitCode},
};

use scim_client::{Client, Endpoint, Secret};

use self::judge::Judge;

/// More than two pages of 100 users.
const MANY: usize = 205;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let client = match connect().await {
        Ok(client) => client,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    };
    // Names that no other run uses, so that a run does not depend on what another run has left.
    let run = format!("{:08x}", RandomState::new().hash_one(process::id()) >> 32);
    let mut print = |line: &str| println!("{line}");
    let verdict = Judge::new(&client, &run, &mut print).run(MANY).await;
    if verdict.failed.is_empty() {
        println!("{} checks passed", verdict.passed);
        return ExitCode::SUCCESS;
    }
    println!();
    for failed in &verdict.failed {
        println!("FAILED {failed}");
    }
    println!(
        "{} checks passed, {} failed",
        verdict.passed,
        verdict.failed.len()
    );
    ExitCode::FAILURE
}

/// Returns a client for the service of the command line.
async fn connect() -> Result<Client, String> {
    let url = env::args()
        .nth(1)
        .ok_or("missing argument: the service's URL")?;
    let token = env::var("SCIM_TOKEN")
        .map_err(|_unset| "missing environment variable SCIM_TOKEN: the bearer token")?;
    let endpoint = Endpoint::parse(&url).map_err(|error| error.to_string())?;
    let client = Client::builder(&endpoint, Secret::new(token))
        .build()
        .map_err(|error| error.to_string())?;
    client
        .negotiated()
        .await
        .map_err(|error| judge::describe(&error))
}
