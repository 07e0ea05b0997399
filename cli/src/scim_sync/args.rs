//! Command line of the program.

use std::{num::NonZeroU32, path::PathBuf};

use clap::Args;
use okta_aws_sso::sync::ReadMode;

use crate::{
    Connection, GuardOptions,
    variables::{selects_real_endpoint, selects_real_org},
};

/// Writes the changed users and groups of an Okta org, or of files, to AWS's SCIM endpoint.
///
/// With `SCIM_ENDPOINT`, `SCIM_TOKEN`, and `OKTA_ORG_URL` with its credential or `--source`, the program writes to a real
/// identity store. Without all of them, and without `--yes` and `--state`, it shows a plan, applies it and syncs again, on a
/// sandbox in this process.
///
/// `SCIM_TOKEN_SECRET_ARN`, `OKTA_API_TOKEN_SECRET_ARN` and `OKTA_API_PRIVATE_KEY_SECRET_ARN` take the place of the variable
/// without the ending: the ARN of a secret in AWS Secrets Manager whose text is the value. `SYNC_OPTIONS` has more options,
/// written as in a shell.
///
/// Exit status: 0 done or nothing to do, 1 failed, or refused or withheld by the guard, 2 changes (`--plan-only`), 64 wrong
/// command line.
#[derive(Args, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[non_exhaustive]
pub struct Arguments {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Read the users and groups from a JSON file, or from the folder of `users.csv`, `groups.csv` and `members.csv`, and not
    /// from Okta.
    #[arg(long, value_name = "PATH")]
    pub(crate) source: Option<PathBuf>,
    /// The SCIM endpoint is a server without the rules of AWS.
    #[arg(long)]
    pub(crate) generic: bool,
    /// Show the planned changes, and write nothing.
    #[arg(long, visible_alias = "dry-run")]
    pub(crate) plan_only: bool,
    /// Apply the plan without asking. What the guard refuses is withheld, and the rest is written.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Read all users and groups from AWS instead of trusting the cached state.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Read all users, groups and memberships from AWS.
    #[arg(long)]
    pub(crate) full: bool,
    /// Of this number of runs, let one read all users and groups from AWS (`--verify`).
    #[arg(long, value_name = "RUNS")]
    pub(crate) verify_every: Option<NonZeroU32>,
    /// Print JSON lines: the plan and the report.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) guard: GuardOptions,
}

impl Arguments {
    pub(crate) fn mode(&self) -> ReadMode {
        match (self.full, self.verify) {
            (true, _) => ReadMode::Full,
            (false, true) => ReadMode::Verify,
            (false, false) => ReadMode::Cached,
        }
    }

    /// Returns whether the run uses a sandbox in this process: nothing selects a real org, file or endpoint, and no option
    /// is one of a scheduled run, whose variables may be misspelled.
    pub(crate) fn uses_own_sandbox(&self) -> bool {
        let connection = &self.connection;
        connection.target.is_none()
            && connection.state.is_none()
            && self.source.is_none()
            && !self.yes
            && !selects_real_endpoint()
            && !selects_real_org()
    }
}
