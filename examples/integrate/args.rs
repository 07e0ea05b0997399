//! Command line and errors of the example.

use std::path::PathBuf;

use clap::Parser;
use okta_aws_sso::{Blueprint, Error};

/// Connects Okta to AWS IAM Identity Center.
///
/// By default, the whole integration runs on a sandbox in this process. With `OKTA_ORG_URL` and `OKTA_API_TOKEN` in the
/// environment, it runs on real tenants, with the default AWS profile. The program asks the operator at this terminal to
/// do the manual steps, which no public API can do. With `provisioning.mode = "direct"` in the blueprint, the SCIM token
/// is read from `SCIM_TOKEN`; without this variable, the program asks for the token.
#[derive(Parser, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct Args {
    /// Use a running sandbox. READY.json is the file that `cargo run --example sandbox -- --ready-file` has written.
    #[arg(long, value_name = "READY.json")]
    pub(crate) target: Option<PathBuf>,
    /// The blueprint, in TOML or JSON (default: a small example for the sandbox's company).
    #[arg(long, value_name = "FILE")]
    pub(crate) blueprint: Option<PathBuf>,
    /// The folder for the state, so that an interrupted run can be resumed (default: in memory).
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Show the planned changes, and change nothing.
    #[arg(long)]
    pub(crate) plan_only: bool,
    /// Print JSON instead of text, one document per line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Apply the plan without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Run unattended: stop at the first manual step, with an error that says what to do.
    #[arg(long)]
    pub(crate) no_input: bool,
    /// Maximum number of removals in the plan.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) allow_removals: usize,
}

/// The error that ends the example.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the integration stopped")]
    Stopped(#[from] Error),
    #[error("{0}")]
    Blueprint(String),
    #[error("{what}")]
    Input { what: String, help: String },
    #[error("some checks failed; see the list of checks above")]
    ChecksFailed,
}

/// The blueprint for the sandbox's company.
const EXAMPLE: &str = include_str!("../blueprint.toml");

impl Args {
    /// Returns the blueprint of the option, or else the example.
    pub(crate) fn blueprint(&self) -> Result<Blueprint, Failure> {
        let (name, text) = match &self.blueprint {
            None => ("blueprint.toml".to_owned(), EXAMPLE.to_owned()),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Failure::input(
                        format!("the blueprint {} cannot be read: {error}", path.display()),
                        "pass the path of a TOML or JSON file",
                    )
                })?;
                (path.display().to_string(), text)
            }
        };
        let json = self.blueprint.as_ref().is_some_and(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        });
        let parsed = if json {
            Blueprint::from_json(&text)
        } else {
            Blueprint::from_toml(&text)
        };
        parsed.map_err(|error| Failure::Blueprint(error.render(&name, &text)))
    }
}

impl Failure {
    pub(crate) fn input(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Input {
            what: what.into(),
            help: help.into(),
        }
    }
}
