//! The variables that select and open the tenants, some of which may name a secret of AWS Secrets Manager.

use std::{collections::BTreeMap, env, sync::Arc};

use okta_aws_sso::okta;
use rest_core::Secret;

use crate::Failure;

/// The variables of this process, and the values of the secrets that they name.
#[derive(Clone)]
pub(crate) struct Variables {
    secrets: Arc<BTreeMap<&'static str, Secret>>,
    files: ConfigFiles,
}

/// Whether the configuration files of Okta's SDKs complete the variables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfigFiles {
    Read,
    Ignore,
}

/// The variables that have a secret: `NAME_SECRET_ARN` takes the place of `NAME`. With each, the other variables that would
/// be used before it.
const SECRETS: [(&str, &[&str]); 4] = [
    ("SCIM_TOKEN", &[]),
    ("SOURCE_SCIM_TOKEN", &[]),
    (
        "OKTA_API_TOKEN",
        &["OKTA_CLIENT_TOKEN", "OKTA_ACCESS_TOKEN"],
    ),
    (
        "OKTA_API_PRIVATE_KEY",
        &[
            "OKTA_CLIENT_PRIVATEKEY",
            "OKTA_CLIENT_TOKEN",
            "OKTA_API_TOKEN",
            "OKTA_API_TOKEN_SECRET_ARN",
            "OKTA_ACCESS_TOKEN",
        ],
    ),
];

impl Variables {
    /// Reads the secrets that the variables of this process name.
    ///
    /// With a secret for Okta, no configuration file is read, because its credential could be used before the secret.
    pub(crate) async fn read(files: ConfigFiles) -> Result<Self, Failure> {
        let mut secrets = BTreeMap::new();
        for (name, others) in SECRETS {
            let variable = arn_variable(name);
            let Some(arn) = env::var_os(&variable) else {
                continue;
            };
            if let Some(other) = [name].iter().chain(others).find(|other| is_set(other)) {
                return Err(Failure::input(
                    format!("{other} and {variable} are both set"),
                    "set one of them",
                ));
            }
            let secret = read_secret(&variable, &arn.to_string_lossy()).await?;
            // A file that was stored as a secret often ends with a line break.
            secrets.insert(name, Secret::new(secret.expose().trim_end()));
        }
        let has_okta = secrets.keys().any(|name| name.starts_with("OKTA_"));
        Ok(Self {
            secrets: Arc::new(secrets),
            files: if has_okta { ConfigFiles::Ignore } else { files },
        })
    }

    /// Returns the value of a variable or of the secret in its place, or an error that names both.
    pub(crate) fn require(&self, name: &str, help: &str) -> Result<String, Failure> {
        self.get(name).ok_or_else(|| {
            let has_secret = SECRETS.iter().any(|(secret, _)| *secret == name);
            let or_arn = if has_secret {
                format!(", and {} is not set either", arn_variable(name))
            } else {
                String::new()
            };
            Failure::input(format!("{name} is not set{or_arn}"), help)
        })
    }

    /// Returns the value of a variable, or of the secret in its place.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let secret = self.secrets.get(name);
        secret.map_or_else(
            || env::var(name).ok(),
            |secret| Some(secret.expose().to_owned()),
        )
    }

    /// Returns the environment of the clients of Okta.
    pub(crate) fn okta(&self) -> okta::Environment {
        let variables = self.clone();
        let environment = okta::Environment::new(move |name| variables.get(name)).folder(".");
        match env::home_dir() {
            _ if self.files == ConfigFiles::Ignore => environment.without_files(),
            Some(home) => environment.home(home),
            None => environment,
        }
    }
}

/// Returns whether the variables of this process select a real org.
///
/// The configuration file of another program in the home folder must not do it.
pub(crate) fn selects_real_org() -> bool {
    okta::Config::is_in_variables(&okta::Environment::of_process())
        || ["OKTA_API_TOKEN", "OKTA_API_PRIVATE_KEY"]
            .iter()
            .any(|name| is_set(&arn_variable(name)))
}

/// Returns whether a variable of this process selects a real SCIM endpoint as the target.
pub(crate) fn selects_real_endpoint() -> bool {
    selects_endpoint("SCIM")
}

/// Returns whether a variable of this process selects a SCIM server as the source.
pub(crate) fn selects_scim_source() -> bool {
    selects_endpoint("SOURCE_SCIM")
}

fn selects_endpoint(prefix: &str) -> bool {
    let names = ["ENDPOINT", "TOKEN", "TOKEN_SECRET_ARN"];
    names.iter().any(|name| is_set(&format!("{prefix}_{name}")))
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some()
}

fn arn_variable(name: &str) -> String {
    format!("{name}_SECRET_ARN")
}

#[cfg(feature = "secrets-manager")]
async fn read_secret(variable: &str, arn: &str) -> Result<Secret, Failure> {
    use okta_aws_sso::{
        Error,
        aws::{Aws, ConnectOptions, SecretArn},
    };

    let arn = SecretArn::parse(arn).map_err(|error| {
        Failure::input(
            format!("{variable} cannot be used: {error}"),
            "copy the whole ARN of the secret from Secrets Manager",
        )
    })?;
    let failed = |error| {
        Error::service(
            format!("the secret {arn} of {variable} cannot be read"),
            error,
        )
    };
    let options = ConnectOptions {
        region: Some(arn.region().to_owned()),
        ..ConnectOptions::default()
    };
    let aws = Aws::connect(options).await.map_err(failed)?;
    Ok(aws.secret(&arn).await.map_err(failed)?)
}

#[cfg(not(feature = "secrets-manager"))]
#[expect(clippy::unused_async, reason = "the other build needs it")]
async fn read_secret(variable: &str, _arn: &str) -> Result<Secret, Failure> {
    Err(Failure::input(
        format!(
            "this build of the program does not read secrets from AWS Secrets Manager, so {variable} cannot be used"
        ),
        "build the program with the feature `secrets-manager`, or set the variable with the value itself",
    ))
}
