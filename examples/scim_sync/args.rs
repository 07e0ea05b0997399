//! What the user of the example says.
#![expect(clippy::print_stderr, reason = "a program says what went wrong")]

use std::path::PathBuf;

use clap::Parser;
use okta_aws_sso::{Blueprint, Error, ErrorKind, StateStore, sync::ReadMode};

/// Writes the users and groups of an Okta org to AWS's SCIM endpoint, and nothing that did not change.
///
/// Without options it shows a plan, applies it and runs again on a sandbox in this process. With `OKTA_ORG_URL`,
/// `OKTA_API_TOKEN`, `SCIM_ENDPOINT` and `SCIM_TOKEN` in the environment it writes to a real identity store.
///
/// It ends with 3 if the guard refuses a plan, and with 1 if something else went wrong.
#[derive(Parser, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Args {
    /// A sandbox: the file that `cargo run --example sandbox -- --ready-file` has written, joined by `integrate`.
    #[arg(long, value_name = "READY.json")]
    pub(crate) target: Option<PathBuf>,
    /// Whose users and groups are written, in TOML; without it, a small example for the sandbox's company.
    #[arg(long, value_name = "FILE")]
    pub(crate) blueprint: Option<PathBuf>,
    /// A folder to remember in what was written, so that the next run asks for nothing.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Read all users and groups of AWS instead of believing what is remembered.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Read all users, groups and memberships of AWS.
    #[arg(long)]
    pub(crate) full: bool,
    /// How many users and groups the plan may take away, whatever their share.
    #[arg(long, value_name = "N")]
    pub(crate) max_removals: Option<usize>,
    /// Count the requests of directories of three sizes on a sandbox, beside the formulas of other tools.
    #[arg(long)]
    pub(crate) table: bool,
    /// With `--table`: the largest size too, which takes a while unless it is built with `--release`.
    #[arg(long)]
    pub(crate) large: bool,
    /// Write 10,000 users, 1,000 groups and 100,000 memberships to a sandbox that takes so many writes a second.
    #[arg(long, value_name = "RATE")]
    pub(crate) measure: Option<u32>,
}

/// How the program ends when the guard refuses.
pub(crate) const GUARDED: u8 = 3;

/// The blueprint for the company of the sandbox.
const EXAMPLE: &str = include_str!("../blueprint.toml");

impl Args {
    pub(crate) fn blueprint(&self) -> Result<Blueprint, Error> {
        let unreadable = |why: String| Error::new(ErrorKind::Blueprint, why);
        let (name, text) = match &self.blueprint {
            None => ("blueprint.toml".to_owned(), EXAMPLE.to_owned()),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path)
                    .map_err(|error| unreadable(format!("{name} cannot be read: {error}")))?;
                (name, text)
            }
        };
        Blueprint::from_toml(&text).map_err(|error| unreadable(error.render(&name, &text)))
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

    /// Whether everything is on a sandbox of this process.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.target.is_none() && std::env::var_os("SCIM_ENDPOINT").is_none()
    }
}

pub(crate) fn say_what_to_do(error: &Error) {
    eprintln!("error: {}", error.explain());
}
