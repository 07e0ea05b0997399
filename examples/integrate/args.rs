//! Command line and errors of the example.

use std::path::PathBuf;

use clap::Parser;
use okta_aws_sso::{Blueprint, Error, Plan};

/// Connects Okta to AWS IAM Identity Center.
///
/// By default, the whole integration runs on a sandbox in this process. With `OKTA_ORG_URL` and `OKTA_API_TOKEN` in the
/// environment, it runs on real tenants, with the default AWS profile. The program asks the operator at this terminal to
/// do the manual steps, which no public API can do. With `provisioning.mode = "direct"` in the blueprint, the SCIM token
/// is read from `SCIM_TOKEN`; without this variable, the program asks for the token.
///
/// Exit status: 0 done or nothing to do, 1 failed or done with problems, 2 changes (`--plan-only`), 3 a manual step waits.
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
    /// Show the planned changes, and change nothing. Exit status: 0 no changes, 2 changes, 1 problems.
    #[arg(long)]
    pub(crate) plan_only: bool,
    /// Write the plan to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Apply the plan of this file, which `--out` has written, instead of a new one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan_only", "out"])]
    pub(crate) plan: Option<PathBuf>,
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
    /// Allow a hazard of the plan by its name, such as `emptied-group:NAME`. May be repeated.
    #[arg(long, value_name = "HAZARD")]
    pub(crate) allow: Vec<String>,
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
    #[error("{0}")]
    File(String),
}

/// The blueprint for the sandbox's company.
const EXAMPLE: &str = include_str!("../blueprint.toml");

impl Args {
    /// Returns the plan of the option `--plan`, if there is one.
    pub(crate) fn saved_plan(&self) -> Result<Option<Plan>, Failure> {
        let Some(path) = &self.plan else {
            return Ok(None);
        };
        let failed = |error: String| {
            let what = format!("the plan {} cannot be read: {error}", path.display());
            Failure::input(what, "pass a file that --out of this program has written")
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let plan = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        Ok(Some(plan))
    }

    /// Writes the plan to the file of the option `--out`.
    pub(crate) fn save_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let Some(path) = &self.out else {
            return Ok(());
        };
        let failed = |error: String| {
            Failure::File(format!(
                "the plan cannot be written to {}: {error}",
                path.display()
            ))
        };
        let json = serde_json::to_vec(plan).map_err(|error| failed(error.to_string()))?;
        std::fs::write(path, json).map_err(|error| failed(error.to_string()))
    }

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
