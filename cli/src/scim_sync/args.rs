//! Command line of the program.

use clap::Args;
use okta_aws_sso::sync::ReadMode;

use crate::Connection;

/// Writes the changed users and groups of an Okta org to AWS's SCIM endpoint.
///
/// By default, the program shows a plan, applies it and syncs again, on a sandbox in this process. With `OKTA_ORG_URL`,
/// `OKTA_API_TOKEN`, `SCIM_ENDPOINT` and `SCIM_TOKEN` in the environment, it writes to a real identity store.
///
/// Exit status: 0 done or nothing to do, 1 failed or refused by the removal limits, 2 changes (`--plan-only`), 64 wrong
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
    /// Show the planned changes, and write nothing.
    #[arg(long, visible_alias = "dry-run")]
    pub(crate) plan_only: bool,
    /// Apply the plan without asking.
    #[arg(long)]
    pub(crate) yes: bool,
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
}

impl Arguments {
    pub(crate) fn mode(&self) -> ReadMode {
        match (self.full, self.verify) {
            (true, _) => ReadMode::Full,
            (false, true) => ReadMode::Verify,
            (false, false) => ReadMode::Cached,
        }
    }

    /// Returns whether the run uses a sandbox in this process.
    pub(crate) fn uses_own_sandbox(&self) -> bool {
        self.connection.target.is_none() && std::env::var_os("SCIM_ENDPOINT").is_none()
    }
}
