//! The program `okta-aws-sso`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    okta_aws_sso_cli::main().await
}
