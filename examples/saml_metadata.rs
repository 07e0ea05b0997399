//! Checks whether AWS accepts SAML metadata. The program also explains, compares, signs and verifies metadata.
//! `cargo run --example saml_metadata -- validate --profile okta FILE`; `-- --help` lists the other commands.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    okta_aws_sso_cli::saml_metadata::main().await
}
