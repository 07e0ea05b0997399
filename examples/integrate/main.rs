//! Connects Okta to AWS IAM Identity Center, from two empty tenants to a user who signs in.
//! `cargo run --example integrate` runs on a sandbox; `-- --help` explains how to run on real tenants.

mod args;
mod environment;
mod output;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;
use okta_aws_sso::{
    AccessReport, ChangeResult, Guard, Outcome, Pipeline, Report, StateStore, steps,
};
use rest_core::Secret;

use crate::{args::Args, environment::Environment, output::Output};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let output = Output::new(args.json);
    match run(&args, &output).await {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, output: &Output) -> Result<ExitCode, args::Failure> {
    let blueprint = args.blueprint()?;
    let environment = Environment::connect(args).await?;
    let store = match &args.state {
        Some(folder) => StateStore::folder(folder)?,
        None => StateStore::memory(),
    };
    let mut pipeline = Pipeline::new(steps::default_steps(
        &blueprint,
        &environment.okta,
        &environment.aws,
    ))
    .blueprint(&blueprint)
    .store(store)
    .guard(Guard {
        max_removals: args.allow_removals,
        allowed: args.allow.iter().cloned().collect(),
    })
    .operator(environment.operator(args, output)?)
    .on_event({
        let output = output.clone();
        move |event| output.event(event)
    });
    if let Ok(token) = std::env::var("SCIM_TOKEN") {
        pipeline = pipeline.scim_token(Secret::new(token));
    }

    let plan = match args.saved_plan()? {
        Some(plan) => plan,
        None => pipeline.plan().await?,
    };
    args.save_plan(&plan)?;
    output.plan(&plan);
    if args.plan_only {
        return Ok(ExitCode::from(if plan.problems().next().is_some() {
            FAILED
        } else if plan.is_empty() {
            0
        } else {
            CHANGES
        }));
    }
    if plan.is_empty() && args.plan.is_none() {
        verify(&environment, &pipeline, output).await?;
        let has_problems = plan.problems().next().is_some();
        return Ok(ExitCode::from(if has_problems { FAILED } else { 0 }));
    }
    if !plan.is_empty() && !Output::confirmed(args.yes || environment.is_sandbox())? {
        return Ok(ExitCode::SUCCESS);
    }
    output.start(plan.changes().count());
    let report = pipeline.apply(&plan).await?;
    output.applied(&report);
    verify(&environment, &pipeline, output).await?;
    Ok(ExitCode::from(status(&report)))
}

/// Returns the exit status of a run.
fn status(report: &Report) -> u8 {
    let waits = |result: &ChangeResult| matches!(result.outcome, Outcome::WaitsForOperator { .. });
    if report.is_complete() {
        0
    } else if report.results.iter().any(waits) {
        WAITS
    } else {
        FAILED
    }
}

/// The exit status of a run with problems.
const FAILED: u8 = 1;
/// The exit status of `--plan-only` with changes.
const CHANGES: u8 = 2;
/// The exit status of a run in which a manual step waits for an operator.
const WAITS: u8 = 3;

/// Verifies the result, and shows the roles of the users in the accounts.
async fn verify(
    environment: &Environment,
    pipeline: &Pipeline,
    output: &Output,
) -> Result<(), args::Failure> {
    let verification = pipeline.verify().await?;
    let Some(state) = pipeline.state_store().load().await? else {
        return Ok(());
    };
    let Some(instance) = &state.facts.instance else {
        return Ok(());
    };
    let center = environment.aws.identity_center(&instance.instance());
    let report = AccessReport::read(&environment.aws, &center).await?;
    output.result(state.facts.portal.as_ref(), &verification, &report);
    if verification.passed() {
        Ok(())
    } else {
        Err(args::Failure::ChecksFailed)
    }
}
