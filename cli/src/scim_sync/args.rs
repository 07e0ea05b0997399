//! Command line of the program.

use std::{num::NonZeroU32, path::PathBuf};

use clap::Args;
use okta_aws_sso::sync::ReadMode;

use crate::{
    Connection, GuardOptions,
    variables::{selects_real_endpoint, selects_real_org, selects_scim_source},
};

/// Write the changed users and groups of Okta, of files or of a SCIM server to AWS's SCIM endpoint.
///
/// The target is the SCIM endpoint of `SCIM_ENDPOINT` and `SCIM_TOKEN`. The source is the Okta org of `OKTA_ORG_URL` with its
/// credential, the file or folder of `--source`, or the SCIM server of `SOURCE_SCIM_ENDPOINT` and `SOURCE_SCIM_TOKEN`. Without
/// any of these variables, and without options other than `--plan-only` and `--json`, the program shows a plan, applies it and
/// syncs again, on a sandbox in this process.
///
/// For `SCIM_TOKEN`, `SOURCE_SCIM_TOKEN`, `OKTA_API_TOKEN` and `OKTA_API_PRIVATE_KEY`, a variable with the ending
/// `_SECRET_ARN` names a secret in AWS Secrets Manager whose text is the value. `okta-aws-sso sync` reads more options from
/// `SYNC_OPTIONS`, written as in a shell; those of the command line come after them. With `--yes` or a secret of Secrets
/// Manager for Okta, the configuration files of Okta's SDKs (`okta.yaml`) are not read.
///
/// Exit status: 0 done or nothing to do, 1 failed or incomplete, or refused or withheld by the guard, 2 changes
/// (`--plan-only`), 64 wrong command line, 130 interrupted by Ctrl-C or SIGTERM.
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
    #[arg(long, conflicts_with = "target")]
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
    /// Read all users, groups and memberships from AWS in every RUNS-th run (`--full`).
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

    /// Returns whether the run uses a sandbox in this process: no variable selects a real org or endpoint, and no option
    /// belongs to a real run, whose variables may be misspelled.
    pub(crate) fn uses_own_sandbox(&self) -> bool {
        let Self {
            connection,
            source: None,
            generic: false,
            plan_only: _,
            yes: false,
            verify: false,
            full: false,
            verify_every: None,
            json: _,
            guard,
        } = self
        else {
            return false;
        };
        *connection == Connection::default()
            && *guard == GuardOptions::default()
            && !selects_real_endpoint()
            && !selects_scim_source()
            && !selects_real_org()
    }
}
