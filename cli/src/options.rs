//! Options that several programs have.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, ValueEnum};
use okta_aws_sso::{
    Blueprint, Error, Guard, Plan, StateStore,
    blueprint::EXAMPLE,
    guard::{Excess, KindLimit},
    plan::Kind,
};

use crate::Failure;
#[cfg(feature = "s3")]
use {crate::environment::aws_of_environment, url::Url};

/// The tenants, the blueprint and the state.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Use a running sandbox. READY.json is the file that the sandbox has written (`--ready-file`).
    #[arg(long, value_name = "READY.json")]
    pub target: Option<PathBuf>,
    /// The blueprint, in TOML or JSON (default: a small example for the sandbox's company).
    #[arg(long, value_name = "FILE")]
    pub blueprint: Option<PathBuf>,
    /// The place of the state, so that an interrupted run can be resumed (default: in memory): a folder, or in Amazon S3
    /// `s3://BUCKET/PREFIX`, with `?region=REGION` if the bucket is in another Region than `AWS_REGION` or the profile.
    #[arg(long, value_name = "PLACE")]
    pub state: Option<StateLocation>,
}

/// The place of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateLocation {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A prefix in Amazon S3: `s3://BUCKET/PREFIX`.
    S3(String),
}

impl FromStr for StateLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            None => Ok(Self::Folder(text.into())),
            Some(("s3", _)) => Ok(Self::S3(text.to_owned())),
            Some((scheme, _)) => Err(format!(
                "a state can be in a folder or at s3://BUCKET/PREFIX, and not at {scheme}://"
            )),
        }
    }
}

/// The limits of the guard.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Guard")]
#[non_exhaustive]
pub struct GuardOptions {
    /// Approve exactly the removals of the reviewed plan, by the id at its end. May be repeated.
    #[arg(long, value_name = "ID")]
    pub approve: Vec<String>,
    /// Allow this number of removals, of all kinds or of one kind (such as `membership=3`). May be repeated.
    #[arg(long, value_name = "N or KIND=N")]
    pub allow_removals: Vec<Allowance>,
    /// Allow a hazard of the plan by its name, such as `emptied-group:NAME`. May be repeated.
    #[arg(long, value_name = "HAZARD")]
    pub allow: Vec<String>,
    /// The limits: `default` allows no removal; `daily`, for scheduled runs, allows a few users and memberships to leave.
    #[arg(
        long,
        value_name = "LIMITS",
        default_value = "default",
        hide_default_value = true
    )]
    pub guard: Limits,
    /// Make the other changes of a plan that removes too much, and report its removals as skipped.
    #[arg(long)]
    pub withhold_removals: bool,
}

/// The limits of the guard by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Limits {
    /// No removal.
    #[default]
    Default,
    /// A few users and memberships, at most a small share of all.
    Daily,
}

/// A number of removals that a run may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    kind: Option<Kind>,
    removals: u32,
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, removals) = match text.split_once('=') {
            Some((kind, removals)) => {
                let kind: Kind = kind.parse().map_err(|error: Error| error.to_string())?;
                (Some(kind), removals)
            }
            None => (None, text),
        };
        let removals = removals.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { kind, removals })
    }
}

impl GuardOptions {
    /// Returns the guard of the options.
    #[must_use]
    pub fn guard(&self) -> Guard {
        let mut guard = match self.guard {
            Limits::Default => Guard::default(),
            Limits::Daily => Guard::daily(),
        };
        for Allowance { kind, removals } in &self.allow_removals {
            match kind {
                Some(kind) => {
                    guard.limits.insert(*kind, KindLimit::per_run(*removals));
                }
                None => guard.max_removals = *removals as usize,
            }
        }
        guard.approved.extend(self.approve.iter().cloned());
        guard.allowed.extend(self.allow.iter().cloned());
        if self.withhold_removals {
            guard.excess = Excess::WithholdRemovals;
        }
        guard
    }
}

impl Connection {
    /// Returns the blueprint of the option, or else the example.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is not a valid blueprint.
    pub fn blueprint(&self) -> Result<Blueprint, Failure> {
        let read = match &self.blueprint {
            None => Blueprint::from_toml(EXAMPLE),
            Some(path) => Blueprint::load(path),
        };
        read.map_err(|error| Failure::Blueprint(error.explain()))
    }

    /// Returns the state store of the option, or else one in memory.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be used, or if there are no credentials for Amazon S3.
    pub async fn store(&self) -> Result<StateStore, Failure> {
        match &self.state {
            Some(StateLocation::Folder(folder)) => Ok(StateStore::folder(folder)?),
            Some(StateLocation::S3(location)) => in_s3(location).await,
            None => Ok(StateStore::memory()),
        }
    }

    /// Returns the folder of the state, if it is in one.
    pub(crate) fn state_folder(&self) -> Option<&Path> {
        match &self.state {
            Some(StateLocation::Folder(folder)) => Some(folder),
            Some(StateLocation::S3(_)) | None => None,
        }
    }
}

#[cfg(feature = "s3")]
async fn in_s3(location: &str) -> Result<StateStore, Failure> {
    // A job that names the Region of its bucket needs no other Region.
    let region = Url::parse(location).ok().and_then(|url| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| (name == "region").then(|| value.into_owned()))
    });
    let aws = aws_of_environment(region).await?;
    Ok(StateStore::s3(location, &aws).await?)
}

#[cfg(not(feature = "s3"))]
#[expect(clippy::unused_async, reason = "the other build needs it")]
async fn in_s3(_location: &str) -> Result<StateStore, Failure> {
    Err(Failure::input(
        "this build of the program has no state in Amazon S3, so `--state s3://…` cannot be used",
        "build the program with the feature `s3`, or pass a folder",
    ))
}

/// Reads a plan that `--out` has written.
#[expect(
    clippy::disallowed_methods,
    reason = "the program reads its files before the run"
)]
pub(crate) fn read_plan(path: &std::path::Path) -> Result<Plan, Failure> {
    let failed = |error: String| {
        let message = format!("the plan {} cannot be read: {error}", path.display());
        Failure::input(
            message,
            "pass a file that --out of this program has written",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

/// Writes a plan to a file.
#[expect(
    clippy::disallowed_methods,
    reason = "the program saves the plan before the run"
)]
pub(crate) fn save_plan(plan: &Plan, path: &std::path::Path) -> Result<(), Failure> {
    let failed = |error: String| {
        let message = format!("the plan cannot be written to {}: {error}", path.display());
        Failure::input(message, "pass the path of a file that can be written")
    };
    let json = serde_json::to_vec(plan).map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, json).map_err(|error| failed(error.to_string()))
}
