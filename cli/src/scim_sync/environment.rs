//! The Okta org to read and the SCIM endpoint to write: real tenants or a sandbox.

use std::{path::Path, sync::Arc};

use okta_aws_sso::{
    Error, ErrorKind, Operator as _, okta,
    operator::{ManualStep, ManualStepKind, SandboxOperator},
    scim::{Client, Dialect, Endpoint},
    sync::{Directory, OktaSource, ScimSource, Source},
};
use rest_core::Secret;
use sandbox::{Sandbox, Service, Stage};

use super::Arguments;
use crate::{
    Failure,
    environment::{okta_client, ready_file, real_okta},
    terminal,
    variables::{ConfigFiles, Variables, selects_real_org, selects_scim_source},
};

/// The source and the target.
pub(crate) struct Environment {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) scim: Client,
    /// The sandbox in this process, which counts the requests. Dropping this field stops the sandbox.
    sandbox: Option<Sandbox>,
}

impl Environment {
    /// Connects to the sandbox of `--target`, or to the real tenants of the environment variables, or else to a new
    /// sandbox in this process.
    pub(crate) async fn connect(args: &Arguments) -> Result<Self, Failure> {
        if let Some(path) = &args.connection.target {
            return Self::running_sandbox(path, args).await;
        }
        if !args.uses_own_sandbox() {
            let files = if args.yes {
                ConfigFiles::Ignore
            } else {
                ConfigFiles::Read
            };
            return Self::real_tenants(args, &Variables::read(files).await?);
        }
        terminal::note(
            "on a sandbox in this process: no real org and no real identity store is read or written",
        );
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
            "SCIM",
            &provisioning.scim_endpoint,
            Secret::new(provisioning.access_token),
            Dialect::AwsIdentityCenter,
        )?;
        Ok(Self {
            source: source(args, || Ok::<_, Failure>(okta))?,
            scim,
            sandbox: Some(sandbox),
        })
    }

    /// Connects to a sandbox in another process, and creates a SCIM token in its console.
    async fn running_sandbox(path: &Path, args: &Arguments) -> Result<Self, Failure> {
        let ready = ready_file(path)?;
        let operator =
            SandboxOperator::new(ready.console_url).map_err(|error| unusable(error.to_string()))?;
        let manual_step = ManualStep::new(
            ManualStepKind::AutomaticProvisioning,
            "Enable automatic provisioning",
            "the sandbox's console",
        );
        let answers = operator.ask(&manual_step).await.map_err(|error| {
            unusable(format!("the sandbox returned no SCIM token: {error}"))
                .with_help("connect the sandbox first: okta-aws-sso apply --target READY.json")
        })?;
        let (Some(endpoint), Some(token)) = (
            answers.get("scim_endpoint"),
            answers.get_secret("access_token"),
        ) else {
            return Err(unusable("the sandbox returned no SCIM token".to_owned()).into());
        };
        Ok(Self {
            source: source(args, || {
                okta_client(&ready.okta.org_url, ready.okta.api_token)
            })?,
            scim: scim_client("SCIM", endpoint, token.clone(), Dialect::AwsIdentityCenter)?,
            sandbox: None,
        })
    }

    fn real_tenants(args: &Arguments, variables: &Variables) -> Result<Self, Failure> {
        let variable = |name: &str| {
            variables.require(
                name,
                "set SCIM_ENDPOINT and SCIM_TOKEN, and the org with its credential or --source; for a sandbox, set none of \
                 them, and pass no other options than --plan-only and --json",
            )
        };
        let scim = scim_client(
            "SCIM",
            &variable("SCIM_ENDPOINT")?,
            Secret::new(variable("SCIM_TOKEN")?),
            if args.generic {
                Dialect::Generic
            } else {
                Dialect::AwsIdentityCenter
            },
        )?;
        let from_scim = selects_scim_source();
        if from_scim && (args.source.is_some() || selects_real_org()) {
            return Err(Failure::input(
                "the variables with SOURCE_SCIM_ select one source, and --source or the OKTA_ variables another one",
                "set the variables of one source, or pass --source PATH",
            ));
        }
        if args.source.is_none() && !from_scim && args.connection.blueprint.is_none() {
            return Err(Failure::input(
                "a sync from a real org needs its own blueprint, which names the users and groups",
                "pass --blueprint FILE; or --source PATH, or set SOURCE_SCIM_ENDPOINT and SOURCE_SCIM_TOKEN, for another source",
            ));
        }
        if args.connection.state.is_none() && !args.plan_only {
            return Err(Failure::input(
                "a sync to a real identity store needs a place for its state",
                "pass --state DIR, or --state s3://BUCKET/PREFIX for several machines",
            ));
        }
        let source: Arc<dyn Source> = if from_scim {
            let help = "set SOURCE_SCIM_ENDPOINT and SOURCE_SCIM_TOKEN, or neither of them for another source";
            let endpoint = variables.require("SOURCE_SCIM_ENDPOINT", help)?;
            let token = Secret::new(variables.require("SOURCE_SCIM_TOKEN", help)?);
            let client = scim_client("SOURCE_SCIM", &endpoint, token, Dialect::Generic)?;
            Arc::new(ScimSource::new(&client))
        } else {
            source(args, || real_okta(variables))?
        };
        Ok(Self {
            source,
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
        terminal::print(&format!(
            "  {phase}: {} to Okta, {}, {}",
            count(number_of(Service::Okta, false), "request"),
            count(number_of(Service::Scim, false), "SCIM read"),
            count(number_of(Service::Scim, true), "SCIM write"),
        ));
    }
}

/// Returns the source: the files of `--source`, or the org.
fn source<E: Into<Failure>>(
    args: &Arguments,
    okta: impl FnOnce() -> Result<okta::Client, E>,
) -> Result<Arc<dyn Source>, Failure> {
    Ok(match &args.source {
        Some(path) => Arc::new(Directory::load(path)?),
        None => Arc::new(OktaSource::new(
            &okta().map_err(Into::into)?,
            &args.connection.blueprint()?,
        )),
    })
}

/// Returns the client of the endpoint and the token of the variables `{prefix}_ENDPOINT` and `{prefix}_TOKEN`.
fn scim_client(
    prefix: &str,
    endpoint: &str,
    token: Secret,
    dialect: Dialect,
) -> Result<Client, Error> {
    let help = "copy the SCIM endpoint and its access token, each on one line";
    let unusable = |name: &str, error: &dyn std::error::Error| {
        unusable(format!("{prefix}_{name} cannot be used: {error}")).with_help(help)
    };
    let endpoint = Endpoint::parse(endpoint).map_err(|error| unusable("ENDPOINT", &error))?;
    let client = Client::builder(&endpoint, token).dialect(dialect).build();
    client.map_err(|error| unusable("TOKEN", &error))
}

fn unusable(message: String) -> Error {
    Error::new(ErrorKind::UnusableSubject, message)
}

/// Returns a number with a noun, such as `1 request` or `2 requests`.
fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
