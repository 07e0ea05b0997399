//! The Okta org and the AWS organization to connect: real tenants or a sandbox.

use std::{error::Error as _, io, path::Path, sync::Arc, time::Duration};

use okta_aws_sso::{
    Operator,
    aws::{self, Aws},
    okta::{self, Client as Okta},
    operator::{NoOperator, SandboxOperator, TerminalOperator},
};
use rest_core::Secret;
use sandbox::Sandbox;
use serde::Deserialize;
use url::Url;

use crate::{
    Connection, Failure,
    output::Output,
    terminal,
    variables::{ConfigFiles, Variables, selects_real_org},
};

/// The clients of both services.
pub(crate) struct Environment {
    pub(crate) okta: Okta,
    pub(crate) aws: Aws,
    /// The token of AWS's SCIM endpoint from the variables; `None` on a sandbox, whose operator makes one.
    pub(crate) scim_token: Option<Secret>,
    /// The URL of the sandbox's console; `None` with real tenants.
    console: Option<Url>,
    // The sandbox is kept, because dropping it stops it.
    sandbox: Option<Sandbox>,
}

/// The addresses and credentials of a sandbox.
#[derive(Deserialize)]
pub(crate) struct Ready {
    pub(crate) okta: ReadyOkta,
    aws: ReadyAws,
    pub(crate) console_url: Url,
}

#[derive(Deserialize)]
pub(crate) struct ReadyOkta {
    pub(crate) org_url: String,
    pub(crate) api_token: Secret,
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
    ///
    /// A run on real tenants that `applies` a plan needs a place for the state.
    pub(crate) async fn connect(connection: &Connection, applies: bool) -> Result<Self, Failure> {
        if let Some(path) = &connection.target {
            return Self::on_sandbox(ready_file(path)?, None).await;
        }
        if !selects_real_org() {
            return Self::own_sandbox().await;
        }
        let variables = Variables::read(ConfigFiles::Read).await?;
        let okta = real_okta(&variables)?;
        if connection.blueprint.is_none() || (connection.state.is_none() && applies) {
            return Err(Failure::input(
                "the OKTA_ variables select a real org, which needs its own blueprint and, to apply a plan, a place for the state",
                "pass --blueprint FILE and --state DIR or s3://BUCKET/PREFIX, or unset the variables to use a sandbox",
            ));
        }
        let aws = aws_of_environment(None).await?;
        Ok(Self {
            okta,
            aws,
            scim_token: variables.get("SCIM_TOKEN").map(Secret::new),
            console: None,
            sandbox: None,
        })
    }

    /// Starts a sandbox in this process, and connects to it.
    pub(crate) async fn own_sandbox() -> Result<Self, Failure> {
        terminal::note(
            "on a sandbox in this process: no real org and no real AWS organization is read or written",
        );
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
        let ready =
            serde_json::from_value(sandbox.ready()).expect("a ready document of this sandbox");
        Self::on_sandbox(ready, Some(sandbox)).await
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
            scim_token: None,
            console: Some(ready.console_url),
            sandbox,
        })
    }

    /// Returns whether this is a sandbox, where a wrong change does no harm.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.console.is_some()
    }

    /// Returns whether this is a sandbox in this process, which is empty at first.
    pub(crate) fn is_own_sandbox(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Returns the operator who does the manual steps.
    pub(crate) fn operator(
        &self,
        connection: &Connection,
        no_input: bool,
        output: &Output,
    ) -> Result<Arc<dyn Operator>, Failure> {
        let operator: Arc<dyn Operator> = match &self.console {
            _ if no_input => return Ok(Arc::new(NoOperator)),
            Some(console) => Arc::new(SandboxOperator::new(console.clone()).map_err(|error| {
                Failure::input(error.to_string(), "check the sandbox's console_url")
            })?),
            None => Arc::new(terminal_operator(connection.state_folder())),
        };
        Ok(Arc::new(output.operator(operator, self.is_sandbox())))
    }
}

/// Returns the operator at this terminal. Files to upload are written to `folder` (default: the current folder).
#[expect(
    clippy::disallowed_methods,
    reason = "the operator reads in a thread of its own"
)]
fn terminal_operator(folder: Option<&Path>) -> TerminalOperator {
    TerminalOperator::new(
        io::BufReader::new(io::stdin()),
        io::stderr(),
        folder.unwrap_or_else(|| Path::new(".")),
    )
    .secrets(|prompt| rpassword::prompt_password(format!("{prompt} (not shown): ")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program reads its files before the run"
)]
pub(crate) fn ready_file(path: &Path) -> Result<Ready, Failure> {
    let help = "run `okta-aws-sso rehearse --ready-file FILE` (or `cargo run --example sandbox -- --ready-file FILE`), wait until the file exists, and pass it";
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

/// Returns the client of the org in the variables, and in the configuration files that Okta's SDKs read.
pub(crate) fn real_okta(variables: &Variables) -> Result<Okta, Failure> {
    let config = okta::Config::read(&variables.okta()).map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}"));
        Failure::input(
            format!("{error}{}", cause.unwrap_or_default()),
            "set the org URL with an API token, or with the client id, the scopes and the private key of a service app; the \
             token and the key may be a secret: OKTA_API_TOKEN_SECRET_ARN, OKTA_API_PRIVATE_KEY_SECRET_ARN",
        )
    })?;
    built(config.into_builder())
}

/// Returns the client of a sandbox.
pub(crate) fn okta_client(org_url: &str, token: Secret) -> Result<Okta, Failure> {
    built(Okta::builder(org_url, token))
}

fn built(builder: okta::ClientBuilder) -> Result<Okta, Failure> {
    builder.build().map_err(|error| match &error {
        // The org URL is valid.
        okta::BuildError::Service(cause) => Failure::input(
            format!("the Okta token cannot be used: {cause}"),
            "set OKTA_API_TOKEN to the token as Okta has shown it, without spaces and line breaks",
        ),
        error => Failure::input(
            format!("the configuration for Okta cannot be used: {error}"),
            "set OKTA_ORG_URL to the URL of the org, such as https://acme.okta.com, and check the other OKTA_ variables",
        ),
    })
}

/// Connects to AWS with the credentials of the environment or the profile, and with this Region (default: theirs).
pub(crate) async fn aws_of_environment(region: Option<String>) -> Result<Aws, Failure> {
    let options = aws::ConnectOptions {
        region,
        ..aws::ConnectOptions::default()
    };
    Aws::connect(options).await.map_err(not_connected)
}

fn not_connected(error: aws::Error) -> Failure {
    Failure::Stopped(okta_aws_sso::Error::service(
        "the connection to AWS failed",
        error,
    ))
}
