//! Who has which role in which account, and why?
//! `cargo run --example access_report` joins a sandbox first; `-- --real` asks the organization of your AWS profile
#![expect(clippy::print_stdout, reason = "a program says what it found")]

use std::sync::Arc;

use clap::Parser;
use okta_aws_sso::{
    AccessReport, Blueprint, Pipeline,
    aws::{Aws, Connect, Credentials},
    okta,
    operator::SandboxOperator,
    steps,
};
use rest_core::Secret;
use sandbox::Sandbox;

/// Lists who has which role in which account, and why.
#[derive(Parser)]
struct Args {
    /// Ask the organization of the AWS profile instead of a sandbox. Nothing is changed.
    #[arg(long)]
    real: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (aws, _sandbox) = if Args::parse().real {
        (Aws::connect(Connect::default()).await?, None)
    } else {
        let (aws, sandbox) = joined_sandbox().await?;
        (aws, Some(sandbox))
    };
    let organization = aws.organizations().describe().await?;
    let instances = aws.instances().await?;
    // An account's own instance gives access to no account.
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
    println!("{} roles of users in accounts", report.rows.len());
    Ok(())
}

/// A sandbox whose Okta and AWS have been joined as `examples/blueprint.toml` says.
async fn joined_sandbox() -> Result<(Aws, Sandbox), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().page_size(None).start().await?;
    let aws = Aws::connect(Connect {
        region: Some(sandbox.aws_region().to_owned()),
        endpoint_url: Some(sandbox.aws_endpoint_url().parse()?),
        credentials: Some(Credentials {
            access_key_id: sandbox.aws_access_key_id().to_owned(),
            secret_access_key: Secret::new(sandbox.aws_secret_access_key()),
            session_token: None,
        }),
        ..Connect::default()
    })
    .await?;
    let okta =
        okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token())).build()?;
    let blueprint = Blueprint::from_toml(include_str!("blueprint.toml"))?;
    let person = Arc::new(SandboxOperator::new(sandbox.console_url().parse()?)?);
    let pipeline = Pipeline::new(steps::default_steps(&blueprint, &okta, &aws))
        .blueprint(&blueprint)
        .operator(person);
    pipeline.apply(&pipeline.plan().await?).await?;
    Ok((aws, sandbox))
}
