//! The variables that select and open the tenants, some of which may name a secret of AWS Secrets Manager.

use std::{collections::BTreeMap, env, sync::Arc};

use okta_aws_sso::okta;
use rest_core::Secret;

use crate::Failure;

/// The variables of this process, and the values of the secrets that they name.
#[derive(Clone)]
pub(crate) struct Variables(Arc<BTreeMap<&'static str, Secret>>);

/// The variables that have a secret. `NAME_SECRET_ARN` takes the place of `NAME`.
const SECRETS: [&str; 3] = ["SCIM_TOKEN", "OKTA_API_TOKEN", "OKTA_API_PRIVATE_KEY"];

impl Variables {
    /// Reads the secrets that the variables of this process name.
    pub(crate) async fn read() -> Result<Self, Failure> {
        let mut secrets = BTreeMap::new();
        for name in SECRETS {
            let variable = arn_variable(name);
            let Some(arn) = env::var_os(&variable) else {
                continue;
            };
            if env::var_os(name).is_some() {
                return Err(Failure::input(
                    format!("{name} and {variable} are both set"),
                    "set one of them",
                ));
            }
            let secret = read_secret(&variable, &arn.to_string_lossy()).await?;
            // A file that was stored as a secret often ends with a line break.
            secrets.insert(name, Secret::new(secret.expose().trim_end()));
        }
        Ok(Self(Arc::new(secrets)))
    }

    /// Returns the value of a variable, or of the secret in its place.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let secret = self.0.get(name);
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
            Some(home) => environment.home(home),
            None => environment,
        }
    }
}

/// Returns whether the variables of this process select a real org.
///
/// The configuration file of another program in the home folder must not do it.
pub(crate) fn selects_real_org() -> bool {
    let names_secret = |name: &&str| name.starts_with("OKTA_") && is_set(&arn_variable(name));
    okta::Config::is_in_variables(&okta::Environment::of_process())
        || SECRETS.iter().any(names_secret)
}

/// Returns whether a variable of this process selects a real SCIM endpoint.
pub(crate) fn selects_real_endpoint() -> bool {
    is_set("SCIM_ENDPOINT") || is_set("SCIM_TOKEN") || is_set(&arn_variable("SCIM_TOKEN"))
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
