//! Lists the roles of users in accounts, and the group that each role comes from.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Parser};
use comfy_table::{ContentArrangement, Table, presets};
use okta_aws_sso::{
    AccessReport, Blueprint, Error, Pipeline,
    aws::{Aws, ConnectOptions, IdentityCenter},
    blueprint::EXAMPLE,
    steps,
};

use crate::{Connection, Failure, Status, environment::Environment, output::Output};

/// Lists the roles of the users in the accounts, and the group that each role comes from.
///
/// Without an option, a sandbox in this process is connected first, with a small example.
#[derive(Parser, Debug)]
#[command(name = "access_report")]
struct Arguments {
    /// Read the organization of the AWS profile instead of a sandbox. Nothing is changed.
    #[arg(long, conflicts_with = "target")]
    real: bool,
    #[command(flatten)]
    report: ReportArguments,
}

/// The arguments of a report.
#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// Read a running sandbox. READY.json is the file that the sandbox has written (`--ready-file`).
    #[arg(long, value_name = "READY.json")]
    target: Option<std::path::PathBuf>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the program `access_report` with the arguments of this process.
pub async fn main() -> ExitCode {
    crate::run(async |arguments: Arguments| arguments.report.run(arguments.real).await).await
}

impl ReportArguments {
    /// Reads the organization of the AWS profile if `real`, or else a sandbox.
    pub(crate) async fn run(&self, real: bool) -> Status {
        let output = Output::new(self.json, true);
        output.end(self.report(real, &output).await)
    }

    pub(crate) fn has_target(&self) -> bool {
        self.target.is_some()
    }

    async fn report(&self, real: bool, output: &Output) -> Result<Status, Failure> {
        let (aws, _environment) = if real {
            let aws = Aws::connect(ConnectOptions::default()).await;
            let failed = |error| Error::service("the connection to AWS failed", error);
            (aws.map_err(failed)?, None)
        } else {
            let environment = self.sandbox().await?;
            (environment.aws.clone(), Some(environment))
        };
        let center = find_center(&aws).await?.ok_or_else(|| {
            Failure::input(
                "the organization has no instance of IAM Identity Center",
                "enable it in the management account, or connect Okta first: the run shows the manual step",
            )
        })?;
        let report = AccessReport::read(&aws, &center).await?;
        output.access(&report, None);
        if !self.json {
            let roles = report.rows.len();
            let s = if roles == 1 { "" } else { "s" };
            crate::terminal::print(&format!("Total: {roles} role{s}"));
        }
        Ok(Status::Done)
    }

    /// Returns the running sandbox of the options, or else a sandbox whose Okta is connected to its AWS.
    async fn sandbox(&self) -> Result<Environment, Failure> {
        let connection = Connection {
            target: self.target.clone(),
            ..Connection::default()
        };
        if self.target.is_some() {
            return Environment::connect(&connection, false).await;
        }
        let environment = Environment::own_sandbox().await?;
        let blueprint = Blueprint::from_toml(EXAMPLE)
            .map_err(|error| Failure::Blueprint(error.render("blueprint.toml", EXAMPLE)))?;
        let quiet = Output::new(true, true);
        let steps = steps::default_steps(&blueprint, &environment.okta, &environment.aws);
        let pipeline = Pipeline::new(steps)
            .blueprint(&blueprint)
            .operator(environment.operator(&connection, false, &quiet)?);
        let plan = pipeline.plan().await?;
        pipeline.apply(&plan).await?.complete()?;
        Ok(environment)
    }
}

/// Returns the instance that gives access to accounts: the one of the management account. `None` if there is none.
pub(crate) async fn find_center(aws: &Aws) -> Result<Option<IdentityCenter>, Failure> {
    let failed = |error| Error::service("the organization could not be read from AWS", error);
    let organization = aws.organizations().describe().await.map_err(failed)?;
    let failed = |error| {
        Error::service(
            "the instances of IAM Identity Center could not be listed",
            error,
        )
    };
    let instances = aws.instances().try_collect().await.map_err(failed)?;
    let instance = instances
        .iter()
        .find(|instance| instance.owner == organization.management_account);
    Ok(instance.map(|instance| aws.identity_center(instance)))
}

/// Returns the text of a report: a table, or a list if the table is wider than the terminal.
pub(crate) fn text(report: &AccessReport, width: Option<usize>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["User", "Account", "Role", "Through"]);
    let mut list = String::new();
    for row in &report.rows {
        let account = format!("{} ({})", row.account, row.account_id);
        let _infallible = writeln!(
            list,
            "{}\n    {} in {account}\n    through {}",
            row.user, row.role, row.through
        );
        table.add_row([&row.user, &account, &row.role, &row.through]);
    }
    let table = table.to_string();
    let is_too_wide = |width: usize| table.lines().any(|line| line.chars().count() > width);
    let mut text = if width.is_some_and(is_too_wide) {
        list.trim_end().to_owned()
    } else {
        table
    };
    for orphan in &report.orphans {
        let _infallible = write!(
            text,
            "\n  ! assignment to a deleted user or group: {orphan}"
        );
    }
    text
}
