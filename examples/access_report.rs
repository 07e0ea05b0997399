//! Lists the roles of users in accounts, and the group that each role comes from.
//! `cargo run --example access_report` reads a sandbox; `-- --real` reads the organization of your AWS profile.
#![expect(clippy::print_stdout, reason = "a program prints its result")]

use std::sync::Arc;

use clap::Parser;
use okta_aws_sso::{
    AccessReport, Blueprint, Pipeline,
    aws::{Aws, ConnectOptions, Credentials},
    okta,
    operator::SandboxOperator,
    steps,
};
use rest_core::Secret;
use sandbox::Sandbox;

/// Lists the roles of the users in the accounts, and the group that each role comes from.
#[derive(Parser)]
struct Args {
    /// Read the organization of the AWS profile instead of a sandbox. Nothing is changed.
    #[arg(long)]
    real: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (aws, _sandbox) = if Args::parse().real {
        (Aws::connect(ConnectOptions::default()).await?, None)
    } else {
        let (aws, sandbox) = connected_sandbox().await?;
        (aws, Some(sandbox))
    };
    let organization = aws.organizations().describe().await?;
    let instances = aws.instances().try_collect().await?;
    // Only the management account's instance can give access to accounts.
    let instance = instances
        .iter()
        .find(|instance| instance.owner == organization.management_account)
        .ok_or("the organization has no instance of IAM Identity Center")?;
    let report = AccessReport::read(&aws, &aws.identity_center(instance)).await?;
    for row in &report.rows {
        println!(
            "{:34} {:24} {:20} {}",
            row.user, row.account, row.role, row.through
        );
    }
    let roles = report.rows.len();
    let s = if roles == 1 { "" } else { "s" };
    println!("Total: {roles} role{s}");
    Ok(())
}

/// Starts a sandbox and connects its Okta to its AWS with `examples/blueprint.toml`.
async fn connected_sandbox() -> Result<(Aws, Sandbox), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().page_size(None).start().await?;
    let aws = Aws::connect(ConnectOptions {
        region: Some(sandbox.aws_region().to_owned()),
        endpoint_url: Some(sandbox.aws_endpoint_url().parse()?),
        credentials: Some(
            Credentials {
                access_key_id: sandbox.aws_access_key_id().to_owned(),
                secret_access_key: Secret::new(sandbox.aws_secret_access_key()),
                session_token: None,
            }
            .into(),
        ),
        ..ConnectOptions::default()
    })
    .await?;
    let okta =
        okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token())).build()?;
    let blueprint = Blueprint::from_toml(include_str!("blueprint.toml"))?;
    let operator = Arc::new(SandboxOperator::new(sandbox.console_url().parse()?)?);
    let pipeline = Pipeline::new(steps::default_steps(&blueprint, &okta, &aws))
        .blueprint(&blueprint)
        .operator(operator);
    pipeline.apply(&pipeline.plan().await?).await?.complete()?;
    Ok((aws, sandbox))
}
