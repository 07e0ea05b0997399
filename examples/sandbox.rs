//! Serves an Okta org and an AWS organization on this machine, to try the integration without a tenant.
//! `cargo run --example sandbox -- --ready-file ready.json`, then `cargo run --example integrate -- --target ready.json`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    okta_aws_sso_cli::sandbox::main().await
}
