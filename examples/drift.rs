//! Compares Okta and AWS with the blueprint, in both directions.
//! `cargo run --example drift` compares a sandbox that it connects first; `-- --target READY --state DIR` compares a running
//! one. Exit status 2: there are differences.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    okta_aws_sso_cli::drift::main().await
}
