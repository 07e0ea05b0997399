//! How are Okta and AWS IAM Identity Center joined, from nothing to a user who signs in?
//! `cargo run --example integrate` rehearses it on a sandbox; `-- --help` shows how it is done for real.

mod args;
mod console;
mod environment;
mod show;

use std::process::ExitCode;

use clap::Parser as _;
use futures::StreamExt as _;
use okta_aws_sso::{AccessReport, Guard, Pipeline, StateStore, steps};
use rest_core::Secret;

use crate::{args::Args, environment::Environment, show::Screen};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let screen = Screen::new(args.json);
    match run(&args, &screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args, screen: &Screen) -> Result<(), args::Failure> {
    let blueprint = args.blueprint()?;
    let environment = Environment::of(args).await?;
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
    })
    .operator(environment.operator(args, screen)?);
    if let Ok(token) = std::env::var("SCIM_TOKEN") {
        pipeline = pipeline.scim_token(Secret::new(token));
    }

    let plan = pipeline.plan().await?;
    screen.plan(&plan);
    if plan.is_empty() {
        return access(&environment, &pipeline, screen).await;
    }
    if args.plan_only || !Screen::confirmed(args.yes || environment.is_rehearsal())? {
        return Ok(());
    }
    // The stream of events ends with the apply, and not before everything in it is shown.
    let events = screen
        .clone()
        .events(pipeline.events().boxed(), plan.changes().count());
    let (applied, ()) = tokio::join!(pipeline.apply(&plan), events);
    let report = applied?;
    screen.applied(&report);
    access(&environment, &pipeline, screen).await
}

/// Proves the result, and shows who has which role in which account.
async fn access(
    environment: &Environment,
    pipeline: &Pipeline,
    screen: &Screen,
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
    screen.access(state.facts.portal.as_ref(), &verification, &report);
    if verification.passed() {
        Ok(())
    } else {
        Err(args::Failure::Unproved)
    }
}
