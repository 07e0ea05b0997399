//! Connects Okta to AWS IAM Identity Center, from two empty tenants to a user who signs in.
//! `cargo run --example integrate` runs on a sandbox; `-- --help` explains how to run on real tenants.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    okta_aws_sso_cli::integrate::main().await
}
