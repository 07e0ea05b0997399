//! Command line of the example.
#![expect(clippy::print_stderr, reason = "a program prints its errors")]

use std::path::PathBuf;

use clap::Parser;
use okta_aws_sso::{Blueprint, Error, ErrorKind, StateStore, sync::ReadMode};

/// Writes the changed users and groups of an Okta org to AWS's SCIM endpoint.
///
/// By default, the program shows a plan, applies it and syncs again, on a sandbox in this process. With `OKTA_ORG_URL`,
/// `OKTA_API_TOKEN`, `SCIM_ENDPOINT` and `SCIM_TOKEN` in the environment, it writes to a real identity store.
///
/// Exit codes: 0 if all changes were applied; 3 if the plan exceeds a removal limit; 1 for any other error.
#[derive(Parser, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct Args {
    /// Use a running sandbox that `integrate` has connected. READY.json is the file that `cargo run --example sandbox --
    /// --ready-file` has written.
    #[arg(long, value_name = "READY.json")]
    pub(crate) target: Option<PathBuf>,
    /// The blueprint with the users and groups to write, in TOML (default: a small example for the sandbox's company).
    #[arg(long, value_name = "FILE")]
    pub(crate) blueprint: Option<PathBuf>,
    /// The folder for the cached state, so that the next run does not read the target (default: in memory).
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Show the planned changes, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Read all users and groups from AWS instead of trusting the cached state.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Read all users, groups and memberships from AWS.
    #[arg(long)]
    pub(crate) full: bool,
    /// Maximum number of users and groups that the plan removes, regardless of their share (default: 100, and at most 10 % of
    /// the managed users and groups).
    #[arg(long, value_name = "N")]
    pub(crate) max_removals: Option<usize>,
    /// Count the requests for directories of different sizes on a sandbox, and print the formulas of other tools next to the
    /// counts.
    #[arg(long)]
    pub(crate) table: bool,
    /// With `--table`: include the largest size. Build with `--release`, because a debug build is slow.
    #[arg(long)]
    pub(crate) large: bool,
    /// Write 10,000 users, 1,000 groups and 100,000 memberships to a sandbox that accepts RATE writes per second (0: no
    /// limit), and print the time.
    #[arg(long, value_name = "RATE")]
    pub(crate) measure: Option<u32>,
}

/// The exit code if the plan exceeds a removal limit.
pub(crate) const LIMIT_EXCEEDED: u8 = 3;

/// The blueprint for the sandbox's company.
const EXAMPLE: &str = include_str!("../blueprint.toml");

impl Args {
    pub(crate) fn blueprint(&self) -> Result<Blueprint, Error> {
        let blueprint_error = |message: String| Error::new(ErrorKind::Blueprint, message);
        let (name, text) = match &self.blueprint {
            None => ("blueprint.toml".to_owned(), EXAMPLE.to_owned()),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path)
                    .map_err(|error| blueprint_error(format!("{name} cannot be read: {error}")))?;
                (name, text)
            }
        };
        Blueprint::from_toml(&text).map_err(|error| blueprint_error(error.render(&name, &text)))
    }

    pub(crate) fn store(&self) -> Result<StateStore, Error> {
        self.state
            .as_ref()
            .map_or_else(|| Ok(StateStore::memory()), StateStore::folder)
    }

    pub(crate) fn mode(&self) -> ReadMode {
        match (self.full, self.verify) {
            (true, _) => ReadMode::Full,
            (false, true) => ReadMode::Verify,
            (false, false) => ReadMode::Cached,
        }
    }

    /// Returns whether the run uses a sandbox in this process.
    pub(crate) fn uses_own_sandbox(&self) -> bool {
        self.target.is_none() && std::env::var_os("SCIM_ENDPOINT").is_none()
    }
}

pub(crate) fn print_error(error: &Error) {
    eprintln!("error: {}", error.explain());
}
