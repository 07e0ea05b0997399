//! The Okta org to read and the SCIM endpoint to write: real tenants or a sandbox.

use std::path::Path;

use okta_aws_sso::{
    Error, ErrorKind, Operator as _, okta,
    operator::{ManualStep, ManualStepKind, SandboxOperator},
    scim::{Client, Dialect, Endpoint},
};
use rest_core::Secret;
use sandbox::{Sandbox, Service, Stage};
use serde::Deserialize;
use url::Url;

use crate::args::Args;

/// The clients of both services.
pub(crate) struct Environment {
    pub(crate) okta: okta::Client,
    pub(crate) scim: Client,
    /// The sandbox in this process, which counts the requests. Dropping this field stops the sandbox.
    sandbox: Option<Sandbox>,
}

/// The addresses and credentials of a sandbox.
#[derive(Deserialize)]
struct Ready {
    okta: ReadyOkta,
    console_url: Url,
}

#[derive(Deserialize)]
struct ReadyOkta {
    org_url: String,
    api_token: Secret,
}

impl Environment {
    /// Connects to the sandbox of `--target`, or to the real tenants of the environment variables, or else to a new
    /// sandbox in this process.
    pub(crate) async fn connect(args: &Args) -> Result<Self, Error> {
        if let Some(path) = &args.target {
            return Self::running_sandbox(path).await;
        }
        if !args.uses_own_sandbox() {
            return Self::real_tenants();
        }
        let sandbox = Sandbox::builder()
            .page_size(None)
            .stage(Stage::Federated)
            .start()
            .await
            .map_err(|error| unusable(format!("the sandbox did not start: {error}")))?;
        let provisioning = sandbox
            .console()
            .enable_automatic_provisioning()
            .map_err(|error| unusable(error.to_string()))?;
        let okta = okta_client(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))?;
        let scim = scim_client(
            &provisioning.scim_endpoint,
            Secret::new(provisioning.access_token),
        )?;
        Ok(Self {
            okta,
            scim,
            sandbox: Some(sandbox),
        })
    }

    /// Connects to a sandbox in another process, and creates a SCIM token in its console.
    async fn running_sandbox(ready: &Path) -> Result<Self, Error> {
        let unreadable = |cause: String| {
            unusable(format!("{} cannot be used: {cause}", ready.display())).with_help(
                "pass the file that `cargo run --example sandbox -- --ready-file FILE` has written",
            )
        };
        let text = std::fs::read_to_string(ready).map_err(|error| unreadable(error.to_string()))?;
        let ready: Ready =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let operator =
            SandboxOperator::new(ready.console_url).map_err(|error| unusable(error.to_string()))?;
        let manual_step = ManualStep::new(
            ManualStepKind::AutomaticProvisioning,
            "Enable automatic provisioning",
            "the sandbox's console",
        );
        let answers = operator.ask(&manual_step).await.map_err(|error| {
            unusable(format!("the sandbox returned no SCIM token: {error}")).with_help(
                "connect the sandbox first: cargo run --example integrate -- --target READY.json",
            )
        })?;
        let (Some(endpoint), Some(token)) = (
            answers.get("scim_endpoint"),
            answers.get_secret("access_token"),
        ) else {
            return Err(unusable("the sandbox returned no SCIM token".to_owned()));
        };
        Ok(Self {
            okta: okta_client(&ready.okta.org_url, ready.okta.api_token)?,
            scim: scim_client(endpoint, token.clone())?,
            sandbox: None,
        })
    }

    fn real_tenants() -> Result<Self, Error> {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_not_set| {
                unusable(format!("{name} is not set")).with_help(
                    "set OKTA_ORG_URL, OKTA_API_TOKEN, SCIM_ENDPOINT and SCIM_TOKEN, or none of them to use a sandbox",
                )
            })
        };
        let okta = okta_client(
            &variable("OKTA_ORG_URL")?,
            Secret::new(variable("OKTA_API_TOKEN")?),
        )?;
        let scim = scim_client(
            &variable("SCIM_ENDPOINT")?,
            Secret::new(variable("SCIM_TOKEN")?),
        )?;
        Ok(Self {
            okta,
            scim,
            sandbox: None,
        })
    }

    /// Prints the number of requests that the sandbox in this process received since the last call. Prints nothing for
    /// other environments.
    pub(crate) fn print_requests(&self, phase: &str) {
        let Some(sandbox) = &self.sandbox else {
            return;
        };
        let requests = sandbox.requests();
        sandbox.clear_requests();
        let number_of = |service, write| {
            let matching = requests
                .iter()
                .filter(|request| request.service == service && request.write == write);
            matching.count()
        };
        println!(
            "  {phase}: {} to Okta, {}, {}",
            count(number_of(Service::Okta, false), "request"),
            count(number_of(Service::Scim, false), "SCIM read"),
            count(number_of(Service::Scim, true), "SCIM write"),
        );
    }
}

fn okta_client(org_url: &str, token: Secret) -> Result<okta::Client, Error> {
    let client = okta::Client::builder(org_url, token).build();
    client.map_err(|error| unusable(error.to_string()))
}

fn scim_client(endpoint: &str, token: Secret) -> Result<Client, Error> {
    let endpoint = Endpoint::parse(endpoint).map_err(|error| unusable(error.to_string()))?;
    let client = Client::builder(&endpoint, token)
        .dialect(Dialect::AwsIdentityCenter)
        .build();
    client.map_err(|error| unusable(error.to_string()))
}

pub(crate) fn unusable(message: String) -> Error {
    Error::new(ErrorKind::UnusableSubject, message)
}

/// Returns a number with a noun, such as `1 request` or `2 requests`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
