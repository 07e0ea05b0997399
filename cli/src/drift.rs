//! Compares Okta and AWS with the blueprint, in both directions.

use std::process::ExitCode;

use clap::{Args, Parser};
use okta_aws_sso::{AccessQuery, Drift, Severity};

use crate::{
    Connection, Failure, Status, environment::Environment, integrate::pipeline, output::Output,
    terminal,
};

/// Compares Okta and AWS with the blueprint, and lists what is missing and what the blueprint does not have.
///
/// Without `--target` and without an Okta org in the environment, a sandbox in this process is connected first, with a small
/// example.
///
/// Exit status: 0 no difference, 2 differences of the severity or a higher one, 1 something could not be compared, 64 wrong
/// command line.
#[derive(Parser, Debug)]
#[command(name = "drift")]
struct Program {
    #[command(flatten)]
    arguments: DriftArguments,
}

/// The arguments of a comparison.
#[derive(Args, Debug)]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    connection: Connection,
    /// End with status 2 only for differences of this severity or a higher one: info, warning, error or critical.
    #[arg(long, value_name = "SEVERITY", default_value = "warning", value_parser = severity)]
    severity: Severity,
    /// Do not read the assignments of each user, which takes one call per user in a large organization. The assignments of groups
    /// and of the users of the blueprint are compared.
    #[arg(long)]
    groups_only: bool,
    /// Read every pair of permission set and account, one call for each, which shows each assignment of a deleted user or group.
    #[arg(long, conflicts_with = "groups_only")]
    sweep: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the program `drift` with the arguments of this process.
pub async fn main() -> ExitCode {
    crate::run(async |program: Program| program.arguments.run().await).await
}

impl DriftArguments {
    pub(crate) async fn run(&self) -> Status {
        let output = Output::new(self.json, true);
        output.end(self.compare(&output).await)
    }

    async fn compare(&self, output: &Output) -> Result<Status, Failure> {
        let blueprint = self.connection.blueprint()?;
        let environment = Environment::connect(&self.connection, false).await?;
        let mut pipeline = pipeline(&self.connection, &blueprint, &environment).await?;
        if environment.is_own_sandbox() {
            let quiet = Output::new(true, true);
            pipeline = pipeline.operator(environment.operator(&self.connection, false, &quiet)?);
            let plan = pipeline.plan().await?;
            pipeline.apply(&plan).await?.complete()?;
        }
        let mut query = if self.groups_only {
            AccessQuery::default()
        } else {
            AccessQuery::full()
        };
        query.sweep = self.sweep;
        let drift = pipeline.drift(&query).await?;
        output.drift(&drift, self.severity);
        Ok(if !drift.problems.is_empty() {
            Status::Failed
        } else if drift.at_least(self.severity).next().is_some() {
            Status::Changes
        } else {
            Status::Done
        })
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    let known = [
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];
    let mut known = known.into_iter();
    known
        .find(|severity| severity.to_string() == text)
        .ok_or_else(|| "use info, warning, error or critical".to_owned())
}

/// Prints the findings as text.
pub(crate) fn print(drift: &Drift, severity: Severity) {
    for finding in &drift.findings {
        terminal::print(&format!("{finding}\n    fix: {}", finding.fix));
    }
    for problem in &drift.problems {
        terminal::print(&problem.explain());
    }
    let number = drift.at_least(severity).count();
    let s = if number == 1 { "" } else { "s" };
    let below = match drift.findings.len() - number {
        0 => String::new(),
        below => format!(", {below} below severity {severity}"),
    };
    terminal::print(&format!("Total: {number} difference{s}{below}"));
    if let Some(coverage) = &drift.coverage {
        terminal::print(&format!("Coverage: {coverage}"));
    }
}
