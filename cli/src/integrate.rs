//! Plans, applies and verifies the integration.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser};
use okta_aws_sso::{AccessQuery, AccessReport, Blueprint, Pipeline, Verification, steps};

use crate::{
    Connection, Failure, GuardOptions, Status, access_report,
    environment::Environment,
    options::{read_plan, save_plan},
    output::Output,
    terminal,
};

/// Connects Okta to AWS IAM Identity Center.
///
/// By default, the whole integration runs on a sandbox in this process. With `OKTA_ORG_URL` and `OKTA_API_TOKEN` in the
/// environment, it runs on real tenants, with the default AWS profile. The program asks the operator at this terminal to
/// do the manual steps, which no public API can do. With `provisioning.mode = "direct"` in the blueprint, the SCIM token
/// is read from `SCIM_TOKEN`; without this variable, the program asks for the token.
///
/// Exit status: 0 done or nothing to do, 1 failed, refused by the guard or done with problems, 2 changes (`--plan-only`),
/// 3 a manual step waits, 64 wrong command line.
#[derive(Parser, Debug)]
#[command(name = "integrate")]
struct Integrate {
    /// Show the planned changes, and change nothing. Exit status: 0 no changes, 2 changes, 1 problems.
    #[arg(long, conflicts_with = "plan")]
    plan_only: bool,
    /// Write the plan to a file, as JSON.
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    out: Option<PathBuf>,
    #[command(flatten)]
    apply: ApplyArguments,
}

/// The arguments of a plan.
#[derive(Args, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    connection: Connection,
    /// Write the plan to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON instead of text, one document per line.
    #[arg(long)]
    json: bool,
    /// List all changes, also of a large plan.
    #[arg(long)]
    full: bool,
}

/// The arguments of a run.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    connection: Connection,
    /// Apply the plan of this file, which `--out` has written, instead of a new one.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Print JSON instead of text, one document per line.
    #[arg(long)]
    json: bool,
    /// List all changes, also of a large plan.
    #[arg(long)]
    full: bool,
    /// Apply the plan without asking.
    #[arg(long)]
    yes: bool,
    /// Run unattended: a manual step waits for a later run with an operator, and the other changes are made.
    #[arg(long)]
    no_input: bool,
    /// Refuse a plan with problems, and stop at the first change that fails.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    guard: GuardOptions,
}

/// The arguments of a verification.
#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    connection: Connection,
    /// Print JSON instead of text, one document per line.
    #[arg(long)]
    json: bool,
}

/// Runs the program `integrate` with the arguments of this process.
pub async fn main() -> ExitCode {
    crate::run(async |arguments: Integrate| {
        let ApplyArguments {
            connection,
            json,
            full,
            ..
        } = arguments.apply;
        if arguments.plan_only {
            let out = arguments.out;
            let plan = PlanArguments {
                connection,
                out,
                json,
                full,
            };
            plan.run().await
        } else {
            let apply = ApplyArguments {
                connection,
                ..arguments.apply
            };
            let output = Output::new(json, full);
            output.end(apply.apply(arguments.out, &output).await)
        }
    })
    .await
}

impl PlanArguments {
    pub(crate) async fn run(&self) -> Status {
        let output = Output::new(self.json, self.full);
        output.end(self.plan(&output).await)
    }

    async fn plan(&self, output: &Output) -> Result<Status, Failure> {
        let blueprint = self.connection.blueprint()?;
        let environment = Environment::connect(&self.connection, false).await?;
        let pipeline = pipeline(&self.connection, &blueprint, &environment).await?;
        let pipeline = pipeline.on_event(output.on_event());
        let plan = pipeline.plan().await?;
        if let Some(path) = &self.out {
            save_plan(&plan, path)?;
        }
        output.scopes(&plan);
        output.plan(&plan);
        Ok(Status::of_plan(&plan))
    }
}

impl ApplyArguments {
    pub(crate) async fn run(self) -> Status {
        let output = Output::new(self.json, self.full);
        output.end(self.apply(None, &output).await)
    }

    async fn apply(&self, out: Option<PathBuf>, output: &Output) -> Result<Status, Failure> {
        let blueprint = self.connection.blueprint()?;
        let environment = Environment::connect(&self.connection, true).await?;
        let operator = environment.operator(&self.connection, self.no_input, output)?;
        let pipeline = pipeline(&self.connection, &blueprint, &environment)
            .await?
            .guard(self.guard.guard())
            .operator(operator)
            .strict(self.strict)
            .on_event(output.on_event());
        let plan = match &self.plan {
            Some(path) => read_plan(path)?,
            None => pipeline.plan().await?,
        };
        if let Some(path) = out {
            save_plan(&plan, &path)?;
        }
        output.plan(&plan);
        if plan.is_empty() && self.plan.is_none() {
            let verified = verify(&environment, &pipeline, output).await?;
            return Ok(
                if Status::of_plan(&plan) == Status::Done && verified.passed() {
                    Status::Done
                } else {
                    Status::Failed
                },
            );
        }
        if !plan.is_empty() && !self.is_confirmed(&environment).await? {
            return Ok(Status::Changes);
        }
        output.start(&plan);
        let report = pipeline.apply(&plan).await?;
        output.applied(&report);
        let status = Status::of_report(&report);
        if status != Status::Done {
            return Ok(status);
        }
        if verify(&environment, &pipeline, output).await?.passed() {
            Ok(Status::Done)
        } else {
            Err(Failure::ChecksFailed)
        }
    }

    /// Returns whether the plan may be applied: asks the operator, unless an option or the sandbox says so.
    async fn is_confirmed(&self, environment: &Environment) -> Result<bool, Failure> {
        if self.yes || environment.is_sandbox() {
            return Ok(true);
        }
        if self.no_input {
            return Err(Failure::input(
                "the plan needs a confirmation, and --no-input forbids to ask",
                "pass --yes as well to apply the plan",
            ));
        }
        terminal::confirm().await
    }
}

impl VerifyArguments {
    pub(crate) async fn run(&self) -> Status {
        let output = Output::new(self.json, true);
        output.end(self.verify(&output).await)
    }

    async fn verify(&self, output: &Output) -> Result<Status, Failure> {
        let blueprint = self.connection.blueprint()?;
        let environment = Environment::connect(&self.connection, false).await?;
        let pipeline = pipeline(&self.connection, &blueprint, &environment).await?;
        let pipeline = pipeline.on_event(output.on_event());
        Ok(if verify(&environment, &pipeline, output).await?.passed() {
            Status::Done
        } else {
            Status::Failed
        })
    }
}

/// Returns the pipeline of a blueprint, without an operator.
pub(crate) async fn pipeline(
    connection: &Connection,
    blueprint: &Blueprint,
    environment: &Environment,
) -> Result<Pipeline, Failure> {
    let steps = steps::default_steps(blueprint, &environment.okta, &environment.aws);
    let pipeline = Pipeline::new(steps)
        .blueprint(blueprint)
        .store(connection.store().await?);
    Ok(match &environment.scim_token {
        Some(token) => pipeline.scim_token(token.clone()),
        None => pipeline,
    })
}

/// Verifies the result, and shows the roles of the users in the accounts.
async fn verify(
    environment: &Environment,
    pipeline: &Pipeline,
    output: &Output,
) -> Result<Verification, Failure> {
    let verification = pipeline.verify().await?;
    output.verification(&verification);
    let state = pipeline.state_store().load().await?;
    // The instance is read again, because the state may name one that was deleted.
    if let Some(instance) = access_report::find_instance(&environment.aws).await? {
        let facts = state.as_ref().map(|state| &state.facts);
        let known = facts.and_then(|facts| facts.instance.as_ref());
        let report = if known.is_some_and(|known| known.arn == instance.arn) {
            Box::pin(access_report::read_access(
                pipeline,
                &AccessQuery::default(),
            ))
            .await?
        } else {
            let center = environment.aws.identity_center(&instance);
            Box::pin(AccessReport::read(&environment.aws, &center)).await?
        };
        output.access(&report, facts.and_then(|facts| facts.portal.as_ref()));
    }
    Ok(verification)
}
