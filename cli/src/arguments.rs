//! The command line of the program.

use std::{env, ffi::OsString, io::Write as _};

use clap::{Args, Parser, Subcommand};
use okta_aws_sso::{Blueprint, Document};

use crate::{
    Connection, Failure, Status,
    access_report::ReportArguments,
    drift::DriftArguments,
    integrate::{ApplyArguments, PlanArguments, VerifyArguments},
    output::Output,
    saml_metadata, sandbox, scim_sync, terminal, until_stopped,
};

/// Connects Okta to AWS IAM Identity Center: SAML sign-in, SCIM provisioning, permission sets and account assignments.
///
/// Without an Okta org in the environment, such as `OKTA_ORG_URL` and `OKTA_API_TOKEN`, the commands run on a sandbox in
/// this process.
///
/// Exit status: 0 done or nothing to do, 1 failed, refused by the guard or done with problems, 2 changes, 3 a manual step
/// waits, 64 wrong command line.
#[derive(Parser, Debug)]
#[command(name = "okta-aws-sso", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show the changes that make Okta and AWS match the blueprint. Exit status 2: there are changes.
    Plan(PlanArguments),
    /// Make the changes of a plan, and verify the result.
    Apply(Box<ApplyArguments>),
    /// Verify the integration, without changing anything. Exit status 1: something is missing.
    Verify(VerifyArguments),
    /// Compare Okta and AWS with the blueprint, in both directions. Exit status 2: there are differences.
    Drift(DriftArguments),
    /// List the roles of the users in the accounts.
    Report(Report),
    // The comment of the type is the help.
    #[command(args_override_self = true)]
    Sync(scim_sync::Arguments),
    /// Read, explain, validate, compare, edit, sign and verify SAML metadata, and plan the rotation of a key. Exit status 2:
    /// a file is not metadata.
    Saml(saml_metadata::Arguments),
    /// Print the JSON Schema of blueprints, or of the documents that the commands print with --json.
    Schema(Schema),
    /// Validate a blueprint, without any service.
    Validate(Connection),
    /// Serve a sandbox: an Okta org, an AWS organization and their consoles on this machine, until Ctrl-C.
    Rehearse(sandbox::Arguments),
}

#[derive(Args, Debug)]
struct Report {
    /// Read a sandbox in this process, which is connected first, instead of the organization of the AWS profile.
    #[arg(long)]
    rehearse: bool,
    #[command(flatten)]
    report: ReportArguments,
}

#[derive(Args, Debug)]
struct Schema {
    /// The kind of document.
    #[arg(value_enum)]
    of: SchemaOf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SchemaOf {
    /// A blueprint.
    Blueprint,
    /// A line of `--json`: a plan, an event, a report, a verification or a problem.
    Document,
}

/// Returns the command line of this process, with the options of `SYNC_OPTIONS` behind the command `sync`.
pub(crate) fn command_line() -> Result<Vec<OsString>, Failure> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    if command().is_some_and(|command| command == "sync") {
        // An option of the command line is the last of its name, which counts.
        arguments.splice(2..2, options_of_sync()?);
    }
    Ok(arguments)
}

/// Returns the command of this process, such as `sync`.
pub(crate) fn command() -> Option<OsString> {
    env::args_os().nth(1)
}

/// Returns the options of `SYNC_OPTIONS`, which are written as in a shell.
fn options_of_sync() -> Result<Vec<OsString>, Failure> {
    let Some(text) = env::var_os("SYNC_OPTIONS") else {
        return Ok(Vec::new());
    };
    let options = text.to_str().and_then(shlex::split).ok_or_else(|| {
        Failure::input(
            "SYNC_OPTIONS is not a list of options",
            "write the options of `okta-aws-sso sync` as in a shell, with an end for each quotation mark",
        )
    })?;
    Ok(options.into_iter().map(Into::into).collect())
}

impl Arguments {
    /// Returns the arguments of the command `sync --yes` with the options of this process and those of `SYNC_OPTIONS`.
    #[cfg(feature = "lambda")]
    pub(crate) fn of_job() -> Result<scim_sync::Arguments, Failure> {
        let command = ["okta-aws-sso", "sync", "--yes"].map(OsString::from);
        let arguments = command.into_iter().chain(options_of_sync()?);
        let arguments = arguments.chain(env::args_os().skip(2));
        let wrong = |problem: String| {
            Failure::input(
                format!(
                    "the options of the function, or SYNC_OPTIONS, cannot be used: {}",
                    problem.trim_end()
                ),
                "correct the options; `okta-aws-sso sync --help` lists them",
            )
        };
        match Self::try_parse_from(arguments) {
            Ok(Self {
                command: Command::Sync(sync),
            }) => Ok(sync),
            Ok(_) => Err(wrong("it has another command".to_owned())),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    pub(crate) async fn run(self) -> Status {
        match self.command {
            // The sandbox serves until Ctrl-C.
            Command::Rehearse(arguments) => arguments.run().await,
            // A box, because the future is large.
            command => until_stopped(Box::pin(command.run())).await,
        }
    }
}

impl Command {
    async fn run(self) -> Status {
        match self {
            Self::Plan(arguments) => arguments.run().await,
            Self::Apply(arguments) => arguments.run().await,
            Self::Verify(arguments) => arguments.run().await,
            Self::Drift(arguments) => arguments.run().await,
            Self::Report(Report { rehearse, report }) => {
                let real = !rehearse && !report.has_target();
                report.run(real).await
            }
            Self::Sync(arguments) => arguments.run().await,
            Self::Saml(arguments) => arguments.run().await,
            Self::Schema(schema) => schema.run(),
            Self::Validate(connection) => {
                let output = Output::new(false, true);
                output.end(connection.blueprint().map(|blueprint| {
                    let number = blueprint.access.len();
                    let entries = if number == 1 { "entry" } else { "entries" };
                    terminal::print(&format!("valid: {number} access {entries}"));
                    Status::Done
                }))
            }
            Self::Rehearse(arguments) => arguments.run().await,
        }
    }
}

impl Schema {
    fn run(&self) -> Status {
        let schema = match self.of {
            SchemaOf::Blueprint => Blueprint::json_schema(),
            SchemaOf::Document => Document::json_schema(),
        };
        let _closed = writeln!(std::io::stdout(), "{:#}", schema.as_value());
        Status::Done
    }
}
