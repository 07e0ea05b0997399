//! Lists the roles of users in accounts, and the group that each role comes from.
//! `cargo run --example access_report` reads a sandbox; `-- --real` reads the organization of your AWS profile.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    okta_aws_sso_cli::access_report::main().await
}
