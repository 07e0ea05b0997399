//! The Okta org and the AWS organization that are to be joined: real ones, or a sandbox.

use std::{path::Path, sync::Arc, time::Duration};

use okta_aws_sso::{
    Operator,
    aws::{self, Aws},
    okta::{self, Client as Okta},
    operator::{NoOperator, SandboxOperator},
};
use rest_core::Secret;
use sandbox::Sandbox;
use serde::Deserialize;
use url::Url;

use crate::{
    args::{Args, Failure},
    console,
    show::Screen,
};

/// Both sides, and where a rehearsal's person stands.
pub(crate) struct Environment {
    pub(crate) okta: Okta,
    pub(crate) aws: Aws,
    console: Option<Url>,
    // Serves until the example ends.
    _sandbox: Option<Sandbox>,
}

/// What a sandbox says about itself.
#[derive(Deserialize)]
struct Ready {
    okta: ReadyOkta,
    aws: ReadyAws,
    console_url: Url,
}

#[derive(Deserialize)]
struct ReadyOkta {
    org_url: String,
    api_token: Secret,
}

#[derive(Deserialize)]
struct ReadyAws {
    endpoint_url: Url,
    region: String,
    access_key_id: String,
    secret_access_key: Secret,
}

impl Environment {
    /// Real tenants if the environment names them, else a sandbox: the one that was named, or one of our own.
    pub(crate) async fn of(args: &Args) -> Result<Self, Failure> {
        if let Some(path) = &args.target {
            return Self::rehearsal(ready_file(path)?, None).await;
        }
        match (
            std::env::var("OKTA_ORG_URL"),
            std::env::var("OKTA_API_TOKEN"),
        ) {
            (Ok(org_url), Ok(token)) => {
                if args.blueprint.is_none() || (args.state.is_none() && !args.plan_only) {
                    return Err(Failure::input(
                        "OKTA_ORG_URL and OKTA_API_TOKEN name a real org, and the example's own blueprint is not meant for it",
                        "say --blueprint FILE and --state DIR (or --plan-only), or unset both variables for a rehearsal",
                    ));
                }
                let okta = okta_client(&org_url, Secret::new(token))?;
                let aws = Aws::connect(aws::Connect::default())
                    .await
                    .map_err(not_connected)?;
                Ok(Self {
                    okta,
                    aws,
                    console: None,
                    _sandbox: None,
                })
            }
            (Err(_), Err(_)) => {
                // Slow enough to see what there is to wait for.
                let sandbox = Sandbox::builder()
                    .page_size(None)
                    .provisioning_delay(Duration::from_millis(1200))
                    .operation_delay(Duration::from_millis(400))
                    .start()
                    .await
                    .map_err(|error| {
                        Failure::input(
                            format!("the sandbox did not start: {error}"),
                            "run it again",
                        )
                    })?;
                let ready = serde_json::from_value(sandbox.ready())
                    .expect("a sandbox says what a sandbox says");
                Self::rehearsal(ready, Some(sandbox)).await
            }
            _ => Err(Failure::input(
                "OKTA_ORG_URL and OKTA_API_TOKEN belong together, and one is missing",
                "set both for real tenants, or neither for a rehearsal",
            )),
        }
    }

    async fn rehearsal(ready: Ready, sandbox: Option<Sandbox>) -> Result<Self, Failure> {
        let okta = okta_client(&ready.okta.org_url, ready.okta.api_token)?;
        let connect = aws::Connect {
            region: Some(ready.aws.region),
            endpoint_url: Some(ready.aws.endpoint_url),
            credentials: Some(aws::Credentials {
                access_key_id: ready.aws.access_key_id,
                secret_access_key: ready.aws.secret_access_key,
                session_token: None,
            }),
            ..aws::Connect::default()
        };
        let aws = Aws::connect(connect).await.map_err(not_connected)?;
        Ok(Self {
            okta,
            aws,
            console: Some(ready.console_url),
            _sandbox: sandbox,
        })
    }

    /// Whether this is a sandbox, where nothing can be broken.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.console.is_some()
    }

    /// Who does what no public API can.
    pub(crate) fn operator(
        &self,
        args: &Args,
        screen: &Screen,
    ) -> Result<Arc<dyn Operator>, Failure> {
        let person: Arc<dyn Operator> = match &self.console {
            _ if args.no_person => return Ok(Arc::new(NoOperator)),
            Some(console) => Arc::new(SandboxOperator::new(console.clone()).map_err(|error| {
                Failure::input(error.to_string(), "look at the sandbox's console_url")
            })?),
            None => Arc::new(console::person(args.state.as_deref())),
        };
        Ok(Arc::new(screen.watched(person, self.is_rehearsal())))
    }
}

fn ready_file(path: &Path) -> Result<Ready, Failure> {
    let help =
        "run `cargo run --example sandbox -- --ready-file FILE`, wait for the file, and name it";
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("{} cannot be read: {error}", path.display()), help)
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::input(
            format!("{} is not what a sandbox writes: {error}", path.display()),
            help,
        )
    })
}

fn okta_client(org_url: &str, token: Secret) -> Result<Okta, Failure> {
    okta::Client::builder(org_url, token)
        .build()
        .map_err(|error| {
            Failure::input(
                error.to_string(),
                "OKTA_ORG_URL is the org's own address, such as https://acme.okta.com",
            )
        })
}

fn not_connected(error: aws::Error) -> Failure {
    Failure::Stopped(okta_aws_sso::Error::service(
        "AWS could not be connected to",
        error,
    ))
}
