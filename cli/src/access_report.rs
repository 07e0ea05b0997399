//! Lists the roles of users in accounts, and the group that each role comes from.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use okta_aws_sso::{
    Access, AccessQuery, AccessReport, Blueprint, Error, Pipeline,
    access::{AccessRow, AssignmentStatus},
    aws::{Aws, ConnectOptions, Instance, estate::CoverageLevel},
    blueprint::EXAMPLE,
    steps,
};
use rest_core::{Clock as _, SystemClock};

use crate::{
    Connection, Failure, StateLocation, Status, environment::Environment, integrate,
    output::Output, terminal, variables::selects_real_org,
};

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
    target: Option<PathBuf>,
    /// Explain the access of one user, by user name in AWS, or by id for a user that was deleted.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Explain the access to one account, by name or id.
    #[arg(long, value_name = "NAME or ID")]
    account: Option<String>,
    /// Read the assignments of all users, and not of the groups alone. It can take one call for each user.
    #[arg(long)]
    full: bool,
    /// Read every pair of permission set and account, one call for each, which shows each assignment of a deleted user or group.
    #[arg(long)]
    sweep: bool,
    /// Name the entries of this blueprint that give each role.
    #[arg(long, value_name = "FILE", requires = "state")]
    blueprint: Option<PathBuf>,
    /// The place of the state of the runs of that blueprint.
    #[arg(long, value_name = "PLACE", requires = "blueprint")]
    state: Option<StateLocation>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print JSON instead of text; the same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write the report to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table; for one user or account, the path of each role.
    Text,
    /// One JSON document.
    Json,
    /// One JSON document per line: a header, and then the rows.
    JsonLines,
    /// Comma-separated values.
    Csv,
    /// One HTML page with filters, which needs no network.
    Html,
}

/// Runs the program `access_report` with the arguments of this process.
pub async fn main() -> ExitCode {
    crate::run(async |arguments: Arguments| arguments.report.run(arguments.real).await).await
}

impl ReportArguments {
    /// Reads the organization of the AWS profile if `real`, or else a sandbox.
    pub(crate) async fn run(&self, real: bool) -> Status {
        let is_json = matches!(self.format(), Format::Json | Format::JsonLines);
        let output = Output::new(is_json && self.output.is_none(), true);
        output.end(self.report(real).await)
    }

    pub(crate) fn has_target(&self) -> bool {
        self.target.is_some()
    }

    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    async fn report(&self, real: bool) -> Result<Status, Failure> {
        let mut report = Box::pin(self.read(real)).await?;
        if let Some(user) = &self.user {
            report = report.of_user(user)?;
        }
        if let Some(account) = &self.account {
            report = report.of_account(account)?;
        }
        match &self.output {
            None => {
                // A reader that closes the pipe early is not an error.
                let _closed = self.write(&report, io::BufWriter::new(io::stdout().lock()));
            }
            Some(path) => {
                let written = create(path).and_then(|file| self.write(&report, file));
                written.map_err(|error| {
                    let message = format!("{} cannot be written: {error}", path.display());
                    Failure::input(message, "pass the path of a file that can be written")
                })?;
                let coverage = report.coverage().text;
                terminal::note(&format!("wrote {}: {coverage}", path.display()));
            }
        }
        Ok(Status::Done)
    }

    fn write(&self, report: &AccessReport, mut out: impl io::Write) -> io::Result<()> {
        let portal_url = None;
        let access = Access { portal_url, report };
        match self.format() {
            Format::Text if self.user.is_some() || self.account.is_some() => {
                writeln!(out, "{}", report.explain())?;
                out.flush()
            }
            Format::Text => {
                let width = terminal::width().filter(|_| self.output.is_none());
                write_text(report, width, out)
            }
            Format::Json => access.write_json(out),
            Format::JsonLines => access.write_json_lines(out),
            Format::Csv => report.write_csv(out),
            Format::Html => report.write_html(out),
        }
    }

    async fn read(&self, real: bool) -> Result<AccessReport, Failure> {
        let mut query = AccessQuery::default();
        if self.full {
            query.level = CoverageLevel::Full;
        }
        query.sweep = self.sweep;
        query.users.extend(self.user.clone());
        let connection = Connection {
            target: self.target.clone(),
            blueprint: self.blueprint.clone(),
            state: self.state.clone(),
        };
        if self.blueprint.is_some() {
            if real && !selects_real_org() {
                return Err(Failure::input(
                    "the entries of a blueprint name users and groups of Okta, and no variable selects an org",
                    "set OKTA_ORG_URL and OKTA_API_TOKEN, or leave out --blueprint",
                ));
            }
            let blueprint = connection.blueprint()?;
            let environment = Environment::connect(&connection, false).await?;
            let pipeline = integrate::pipeline(&connection, &blueprint, &environment).await?;
            return read_access(&pipeline, &query).await;
        }
        if !real && self.target.is_none() {
            let (pipeline, _environment) = own_sandbox().await?;
            return read_access(&pipeline, &query).await;
        }
        let aws = if real {
            let aws = Aws::connect(ConnectOptions::default()).await;
            let failed = |error| Error::service("the connection to AWS failed", error);
            aws.map_err(failed)?
        } else {
            Environment::connect(&connection, false).await?.aws
        };
        let instance = find_instance(&aws).await?.ok_or_else(|| {
            Failure::input(
                "the organization has no instance of IAM Identity Center",
                "enable it in the management account, or connect Okta first: the run shows the manual step",
            )
        })?;
        let center = aws.identity_center(&instance);
        Ok(AccessReport::read_with(&aws, &center, &query, &SystemClock).await?)
    }
}

/// Returns the pipeline of a sandbox in this process, whose Okta is connected to its AWS.
async fn own_sandbox() -> Result<(Pipeline, Environment), Failure> {
    let environment = Environment::own_sandbox().await?;
    let blueprint = Blueprint::from_toml(EXAMPLE)
        .map_err(|error| Failure::Blueprint(error.render("blueprint.toml", EXAMPLE)))?;
    let quiet = Output::new(true, true);
    let steps = steps::default_steps(&blueprint, &environment.okta, &environment.aws);
    let operator = environment.operator(&Connection::default(), false, &quiet)?;
    let pipeline = Pipeline::new(steps)
        .blueprint(&blueprint)
        .operator(operator);
    let plan = pipeline.plan().await?;
    pipeline.apply(&plan).await?.complete()?;
    Ok((pipeline, environment))
}

/// Reads the access with the entries of the pipeline's blueprint.
pub(crate) async fn read_access(
    pipeline: &Pipeline,
    query: &AccessQuery,
) -> Result<AccessReport, Failure> {
    let read_at = Timestamp::try_from(SystemClock.now()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(AccessReport::new(pipeline.access(query).await?, read_at))
}

/// Returns the instance that gives access to accounts: the one of the management account. `None` if there is none.
pub(crate) async fn find_instance(aws: &Aws) -> Result<Option<Instance>, Failure> {
    let failed = |error| Error::service("the organization could not be read from AWS", error);
    let organization = aws.organizations().describe().await.map_err(failed)?;
    let failed = |error| {
        Error::service(
            "the instances of IAM Identity Center could not be listed",
            error,
        )
    };
    let instances = aws.instances().try_collect().await.map_err(failed)?;
    let mut instances = instances.into_iter();
    Ok(instances.find(|instance| instance.owner == organization.management_account))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program writes its file after the run"
)]
fn create(path: &Path) -> io::Result<io::BufWriter<std::fs::File>> {
    std::fs::File::create(path).map(io::BufWriter::new)
}

/// Writes a report as text: a table, or a list if the table is wider than the terminal or has many rows. The last lines are
/// the number of rows and the coverage.
pub(crate) fn write_text(
    report: &AccessReport,
    width: Option<usize>,
    mut out: impl Write,
) -> io::Result<()> {
    let is_large = report.rows().nth(MAX_TABLE_ROWS).is_some();
    let table = (!is_large).then(|| table(report));
    let is_too_wide = |table: &String| {
        width.is_some_and(|width| table.lines().any(|line| line.chars().count() > width))
    };
    let mut total = 0_usize;
    match table.filter(|table| !is_too_wide(table)) {
        Some(table) => {
            writeln!(out, "{table}")?;
            total = report.rows().count();
        }
        None => {
            for row in report.rows() {
                writeln!(
                    out,
                    "{}\n    {} in {}\n    through {}",
                    user(&row),
                    row.role,
                    account(&row),
                    through(&row)
                )?;
                if row.status != AssignmentStatus::Active {
                    writeln!(out, "    ! {}", row.status)?;
                }
                total += 1;
            }
        }
    }
    let s = if total == 1 { "" } else { "s" };
    let (read_at, coverage) = (report.read_at(), report.coverage());
    writeln!(
        out,
        "Total: {total} row{s}, read on {read_at:.0}: {}",
        coverage.text
    )?;
    out.flush()
}

/// A larger report is written row by row.
const MAX_TABLE_ROWS: usize = 2_000;

fn table(report: &AccessReport) -> String {
    let mut rows: Vec<AccessRow<'_>> = report.rows().collect();
    rows.sort_by_key(|row| {
        (
            row.user.is_none(),
            row.user,
            row.account,
            row.role,
            row.group,
        )
    });
    let has_status = rows
        .iter()
        .any(|row| row.status != AssignmentStatus::Active);
    let status = has_status.then_some("Status");
    let header = ["User", "Account", "Role", "Through"];
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.into_iter().chain(status));
    for row in rows {
        let cells = [
            user(&row).to_owned(),
            account(&row),
            row.role.to_owned(),
            through(&row),
        ];
        let status = has_status.then(|| row.status.to_string());
        table.add_row(cells.into_iter().chain(status));
    }
    table.to_string()
}

fn user<'a>(row: &AccessRow<'a>) -> &'a str {
    row.user.unwrap_or("(no person)")
}

fn account(row: &AccessRow<'_>) -> String {
    format!("{} ({})", row.account, row.account_id)
}

fn through(row: &AccessRow<'_>) -> String {
    row.through().to_string()
}
