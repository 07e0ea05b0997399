//! The Okta org that is read and the SCIM endpoint that is written: real ones, or a sandbox.

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

/// Both ends.
pub(crate) struct Ends {
    pub(crate) okta: okta::Client,
    pub(crate) scim: Client,
    // Serves until the example ends, and counts.
    sandbox: Option<Sandbox>,
}

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

impl Ends {
    pub(crate) async fn of(args: &Args) -> Result<Self, Error> {
        if let Some(path) = &args.target {
            return Self::served(path).await;
        }
        if !args.is_rehearsal() {
            return Self::real();
        }
        let sandbox = Sandbox::builder()
            .page_size(None)
            .stage(Stage::Federated)
            .start()
            .await
            .map_err(|error| unfit(format!("the sandbox did not start: {error}")))?;
        let shown = sandbox
            .console()
            .enable_automatic_provisioning()
            .map_err(|error| unfit(error.to_string()))?;
        let okta = okta_client(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))?;
        let scim = scim_client(&shown.scim_endpoint, Secret::new(shown.access_token))?;
        Ok(Self {
            okta,
            scim,
            sandbox: Some(sandbox),
        })
    }

    /// A sandbox of another process, at whose console somebody makes a token.
    async fn served(ready: &Path) -> Result<Self, Error> {
        let unreadable = |why: String| {
            unfit(format!("{} cannot be used: {why}", ready.display())).with_help(
                "name what `cargo run --example sandbox -- --ready-file FILE` has written",
            )
        };
        let text = std::fs::read_to_string(ready).map_err(|error| unreadable(error.to_string()))?;
        let ready: Ready =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let person =
            SandboxOperator::new(ready.console_url).map_err(|error| unfit(error.to_string()))?;
        let asked = ManualStep::new(
            ManualStepKind::AutomaticProvisioning,
            "Enable automatic provisioning",
            "the sandbox's console",
        );
        let answers = person.ask(&asked).await.map_err(|error| {
            unfit(format!("the sandbox has given no token: {error}")).with_help(
                "join the two first: cargo run --example integrate -- --target READY.json",
            )
        })?;
        let (Some(endpoint), Some(token)) = (
            answers.get("scim_endpoint"),
            answers.get_secret("access_token"),
        ) else {
            return Err(unfit("the sandbox has given no token".to_owned()));
        };
        Ok(Self {
            okta: okta_client(&ready.okta.org_url, ready.okta.api_token)?,
            scim: scim_client(endpoint, token.clone())?,
            sandbox: None,
        })
    }

    fn real() -> Result<Self, Error> {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_not_set| {
                unfit(format!("{name} is not set")).with_help(
                    "set OKTA_ORG_URL, OKTA_API_TOKEN, SCIM_ENDPOINT and SCIM_TOKEN, or none of them for a rehearsal",
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

    /// Says what the sandbox was asked since the last time.
    pub(crate) fn count(&self, what: &str) {
        let Some(sandbox) = &self.sandbox else {
            return;
        };
        let requests = sandbox.requests();
        sandbox.forget_requests();
        let of = |service, write| {
            let some = requests
                .iter()
                .filter(|request| request.service == service && request.write == write);
            some.count()
        };
        println!(
            "  {what}: {} requests to Okta, {} SCIM reads, {} SCIM writes",
            of(Service::Okta, false),
            of(Service::Scim, false),
            of(Service::Scim, true),
        );
    }
}

fn okta_client(org_url: &str, token: Secret) -> Result<okta::Client, Error> {
    let client = okta::Client::builder(org_url, token).build();
    client.map_err(|error| unfit(error.to_string()))
}

fn scim_client(endpoint: &str, token: Secret) -> Result<Client, Error> {
    let endpoint = Endpoint::parse(endpoint).map_err(|error| unfit(error.to_string()))?;
    let client = Client::builder(&endpoint, token)
        .dialect(Dialect::AwsIdentityCenter)
        .build();
    client.map_err(|error| unfit(error.to_string()))
}

pub(crate) fn unfit(why: String) -> Error {
    Error::new(ErrorKind::UnusableSubject, why)
}
