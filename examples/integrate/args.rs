//! What the user of the example says.

use std::path::PathBuf;

use clap::Parser;
use okta_aws_sso::{Blueprint, Error};

/// Joins Okta and AWS IAM Identity Center.
///
/// Without options it rehearses the whole journey on a sandbox in this process. With `OKTA_ORG_URL` and `OKTA_API_TOKEN` in
/// the environment and the usual AWS profile, it joins real tenants: a person at this terminal is asked to do what no
/// public API can. Where the blueprint has runs write users themselves, `SCIM_TOKEN` saves the question for the token.
#[derive(Parser, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Args {
    /// A sandbox to rehearse on: the file that `cargo run --example sandbox -- --ready-file` has written.
    #[arg(long, value_name = "READY.json")]
    pub(crate) target: Option<PathBuf>,
    /// What is wanted, in TOML or JSON; without it, a small example for the sandbox's company.
    #[arg(long, value_name = "FILE")]
    pub(crate) blueprint: Option<PathBuf>,
    /// A folder to keep the state in, so that a run can be interrupted and run again.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Show what would be changed, and change nothing.
    #[arg(long)]
    pub(crate) plan_only: bool,
    /// Print JSON, one document a line, instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    /// Do not ask before the plan is applied.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Nobody is there to be asked: stop at the first thing that needs a person, and say what to do.
    #[arg(long)]
    pub(crate) no_person: bool,
    /// How many things the plan may take away.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) allow_removals: usize,
}

/// Why the example ends with a failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the integration stopped")]
    Stopped(#[from] Error),
    #[error("{0}")]
    Blueprint(String),
    #[error("{what}")]
    Input { what: String, help: String },
    #[error("not everything could be verified; see the checks above")]
    Unproved,
}

/// The blueprint for the company of the sandbox.
const EXAMPLE: &str = include_str!("../blueprint.toml");

impl Args {
    /// The blueprint that was named, or the example.
    pub(crate) fn blueprint(&self) -> Result<Blueprint, Failure> {
        let (name, text) = match &self.blueprint {
            None => ("blueprint.toml".to_owned(), EXAMPLE.to_owned()),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Failure::input(
                        format!("the blueprint {} cannot be read: {error}", path.display()),
                        "name a file in TOML or JSON",
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
