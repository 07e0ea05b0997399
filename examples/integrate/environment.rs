//! The Okta org and the AWS organization to connect: real tenants or a sandbox.

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
    output::Output,
    terminal,
};

/// The clients of both services.
pub(crate) struct Environment {
    pub(crate) okta: Okta,
    pub(crate) aws: Aws,
    /// The URL of the sandbox's console; `None` with real tenants.
    console: Option<Url>,
    // The sandbox is kept, because dropping it stops it.
    _sandbox: Option<Sandbox>,
}

/// The addresses and credentials of a sandbox.
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
    /// Connects to the sandbox of `--target`, or to the real tenants of the environment variables, or else to a new
    /// sandbox in this process.
    pub(crate) async fn connect(args: &Args) -> Result<Self, Failure> {
        if let Some(path) = &args.target {
            return Self::on_sandbox(ready_file(path)?, None).await;
        }
        match (
            std::env::var("OKTA_ORG_URL"),
            std::env::var("OKTA_API_TOKEN"),
        ) {
            (Ok(org_url), Ok(token)) => {
                if args.blueprint.is_none() || (args.state.is_none() && !args.plan_only) {
                    return Err(Failure::input(
                        "OKTA_ORG_URL and OKTA_API_TOKEN select a real org, which needs its own blueprint and a state folder",
                        "pass --blueprint FILE and --state DIR (or --plan-only), or unset both variables to use a sandbox",
                    ));
                }
                let okta = okta_client(&org_url, Secret::new(token))?;
                let aws = Aws::connect(aws::ConnectOptions::default())
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
                // The delays are long enough to see the run wait for provisioning and assignments.
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
                    .expect("a ready document of this sandbox");
                Self::on_sandbox(ready, Some(sandbox)).await
            }
            _ => Err(Failure::input(
                "only one of OKTA_ORG_URL and OKTA_API_TOKEN is set",
                "set both for real tenants, or neither to use a sandbox",
            )),
        }
    }

    async fn on_sandbox(ready: Ready, sandbox: Option<Sandbox>) -> Result<Self, Failure> {
        let okta = okta_client(&ready.okta.org_url, ready.okta.api_token)?;
        let connect = aws::ConnectOptions {
            region: Some(ready.aws.region),
            endpoint_url: Some(ready.aws.endpoint_url),
            credentials: Some(
                aws::Credentials {
                    access_key_id: ready.aws.access_key_id,
                    secret_access_key: ready.aws.secret_access_key,
                    session_token: None,
                }
                .into(),
            ),
            ..aws::ConnectOptions::default()
        };
        let aws = Aws::connect(connect).await.map_err(not_connected)?;
        Ok(Self {
            okta,
            aws,
            console: Some(ready.console_url),
            _sandbox: sandbox,
        })
    }

    /// Returns whether this is a sandbox, where a wrong change does no harm.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.console.is_some()
    }

    /// Returns the operator who does the manual steps.
    pub(crate) fn operator(
        &self,
        args: &Args,
        output: &Output,
    ) -> Result<Arc<dyn Operator>, Failure> {
        let operator: Arc<dyn Operator> = match &self.console {
            _ if args.no_input => return Ok(Arc::new(NoOperator)),
            Some(console) => Arc::new(SandboxOperator::new(console.clone()).map_err(|error| {
                Failure::input(error.to_string(), "check the sandbox's console_url")
            })?),
            None => Arc::new(terminal::terminal_operator(args.state.as_deref())),
        };
        Ok(Arc::new(output.operator(operator, self.is_sandbox())))
    }
}

fn ready_file(path: &Path) -> Result<Ready, Failure> {
    let help = "run `cargo run --example sandbox -- --ready-file FILE`, wait until the file exists, and pass it";
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("{} cannot be read: {error}", path.display()), help)
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::input(
            format!("{} is not a sandbox's ready file: {error}", path.display()),
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
                "set OKTA_ORG_URL to the URL of the org, such as https://acme.okta.com",
            )
        })
}

fn not_connected(error: aws::Error) -> Failure {
    Failure::Stopped(okta_aws_sso::Error::service(
        "the connection to AWS failed",
        error,
    ))
}
