//! Step `scim-endpoint`: automatic provisioning is enabled in AWS, and its SCIM endpoint and token are verified.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sso_glue::{Aws, UserId};
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use rest_core::Secret;
use scim_client::{Client as Scim, Dialect, Endpoint};

use super::{catalog::ProvisioningFeatures, ids, lookup};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    operator::{Answers, AskKind, ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, StepId, Subject, Value},
    step::{Applied, Check, Planned, Step},
    token_age::TokenAge,
    utc_day::utc_day,
};

/// Has the operator enable automatic provisioning in AWS, and verifies the SCIM endpoint and the token.
///
/// Only Okta gets the token. The run keeps the token in memory until Okta has it, and never saves the token. If a run was
/// interrupted before Okta had the token, the next run asks for the token again.
///
/// With [`ScimEndpoint::direct`], the run itself writes to AWS. Okta gets neither endpoint nor token, and the run keeps the
/// token in memory until the run ends. A later run gets the token from its caller. Without one, it asks for the token
/// again if there are changes to write.
#[derive(Clone, Debug)]
pub struct ScimEndpoint {
    okta: Okta,
    aws: Aws,
    writer: ScimWriter,
}

/// The writer of users and groups, which needs the endpoint and the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScimWriter {
    Okta,
    ThisRun,
}

impl ScimEndpoint {
    /// Creates the step for provisioning by Okta. The app of an earlier step shows whether Okta still needs a token.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            writer: ScimWriter::Okta,
        }
    }

    /// Creates the step for `provisioning.mode = "direct"`: this run writes users and groups, and Okta gets no token.
    #[must_use]
    pub fn direct(okta: &Okta, aws: &Aws) -> Self {
        Self {
            writer: ScimWriter::ThisRun,
            ..Self::new(okta, aws)
        }
    }
}

/// The help for every error about the endpoint or the token.
const HELP: &str = "copy the SCIM endpoint and the access token from IAM Identity Center > Settings > Automatic provisioning; AWS shows a token only once, so create a new one if it is lost";

impl ScimEndpoint {
    /// Asks the operator for the endpoint and a token, and verifies both.
    pub(super) async fn ask(&self, cx: &Context) -> Result<()> {
        let mut manual_step = ManualStep::new(
            ManualStepKind::AutomaticProvisioning,
            "Enable automatic provisioning in IAM Identity Center",
            "AWS console > IAM Identity Center > Settings > Automatic provisioning > Enable",
        )
        .instructions([
            "Choose Enable. If it is already enabled, choose Manage provisioning > Generate token. At most two tokens can exist: delete an unused one.",
        ])
        .instructions(match self.writer {
            ScimWriter::Okta => [
                "Copy the SCIM endpoint and the access token. AWS shows the token only once: keep the dialog open until the token is in Okta.",
                "If this run cannot ask for answers, enter both in Okta (Applications > the app > Provisioning > Configure API Integration, the Base URL without a slash at the end) and save. The next run detects it.",
            ],
            ScimWriter::ThisRun => [
                "Copy the SCIM endpoint and the access token. AWS shows the token only once: keep the dialog open until this run has accepted it.",
                "To run without an operator later, save the token in your secret store and pass it to the pipeline (Pipeline::scim_token).",
            ],
        })
        .ask("scim_endpoint", AskKind::Text, "SCIM endpoint")
        .ask("access_token", AskKind::Secret, "Access token");
        if let Some(known) = cx.facts(|facts| facts.scim.clone()) {
            manual_step = manual_step.value("endpoint verified earlier", known.to_string());
        }
        let endpoint = cx
            .manual_step(manual_step, async |answers| {
                self.verify_answers(&answers, cx).await
            })
            .await?;
        cx.update_facts(|facts| facts.scim = Some(endpoint));
        self.token_age(cx);
        Ok(())
    }

    /// Returns the age of the token that this run has, or else of the one that an earlier run has given to Okta.
    fn token_age(&self, cx: &Context) -> Option<TokenAge> {
        let known = cx.facts(|facts| facts.scim_token.clone());
        let Some(token) = scim_token(cx) else {
            return known.filter(|_| self.writer == ScimWriter::Okta);
        };
        let age = TokenAge::of(&token.fingerprint(), known.as_ref(), cx.now());
        cx.update_facts(|facts| facts.scim_token = Some(age.clone()));
        Some(age)
    }

    /// Returns the plan with a warning before the end of the token.
    fn with_warning(&self, mut planned: Planned, cx: &Context) -> Planned {
        let Some(age) = self.token_age(cx) else {
            return planned;
        };
        let today = utc_day(cx.now());
        // No API tells which token Okta has. After the end of the one that it got, it has another one.
        if self.writer == ScimWriter::Okta && age.days_left(today) < 0 {
            return planned;
        }
        planned.notes.extend(age.warning(cx.now()));
        planned
    }

    async fn verify_answers(&self, answers: &Answers, cx: &Context) -> Result<Endpoint> {
        let missing = |name: &str| {
            Error::new(
                ErrorKind::InvalidAnswer,
                format!("the {name} was not entered"),
            )
            .with_help(HELP)
        };
        let text = answers
            .get("scim_endpoint")
            .ok_or_else(|| missing("SCIM endpoint"))?;
        let endpoint = Endpoint::parse(text).map_err(|_it_may_be_the_token| {
            // The text may be the token, pasted at the wrong prompt. The error therefore does not repeat it.
            Error::new(
                ErrorKind::InvalidAnswer,
                "the text entered as the SCIM endpoint is not a SCIM endpoint",
            )
            .with_help(format!(
                "a SCIM endpoint looks like {}; {HELP}",
                example(cx)
            ))
        })?;
        let token = answers
            .get_secret("access_token")
            .ok_or_else(|| missing("access token"))?;
        let scim = client(&endpoint, token.clone(), cx)?;
        let failed = |error| {
            Error::service(
                format!("the SCIM endpoint {endpoint} did not accept the token"),
                error,
            )
        };
        scim.probe().await.map_err(failed)?;
        if let Some(user) = scim.users().list(None).try_next().await.map_err(failed)? {
            self.check_identity_store(&endpoint, user.id.as_ref().map(ToString::to_string), cx)
                .await?;
        }
        provide_scim_token(cx, token.clone());
        Ok(endpoint)
    }

    /// Fails if a user of the endpoint is not a user of the instance.
    ///
    /// The endpoint and token of another organization also work, so a successful request is not enough.
    async fn check_identity_store(
        &self,
        endpoint: &Endpoint,
        user: Option<String>,
        cx: &Context,
    ) -> Result<()> {
        let (Some(center), Some(id)) = (
            lookup::identity_center(&self.aws, cx),
            user.and_then(|id| UserId::parse(&id).ok()),
        ) else {
            return Ok(());
        };
        let known = center
            .identity_store()
            .user_opt(&id)
            .await
            .map_err(|error| {
                Error::service(
                    "the identity store of the SCIM endpoint could not be verified",
                    error,
                )
            })?;
        if known.is_some() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidAnswer,
            format!("the SCIM endpoint {endpoint} belongs to another identity store: its user {id} is not in this instance"),
        )
        .with_help(HELP))
    }
}

/// Returns the client of an endpoint. The token is sent to no other host than AWS's endpoint in the Region of the instance, or
/// to this machine.
///
/// The endpoint may come from the operator or from the state file, so every use goes through this function.
pub(super) fn client(endpoint: &Endpoint, token: Secret, cx: &Context) -> Result<Scim> {
    check_host(endpoint, cx)?;
    let client = Scim::builder(endpoint, token)
        .dialect(Dialect::AwsIdentityCenter)
        .clock(cx.clock());
    client.build().map_err(|error| {
        Error::new(
            ErrorKind::InvalidAnswer,
            format!("the SCIM endpoint {endpoint} cannot be used"),
        )
        .with_source(error)
        .with_help(HELP)
    })
}

/// Returns the form of the SCIM endpoint of the instance.
fn example(cx: &Context) -> String {
    let instance = cx.facts(|facts| facts.instance.clone());
    let place = instance.and_then(|instance| {
        let suffix = instance.arn.partition().dns_suffix()?;
        Some(format!("{}.{suffix}", instance.region))
    });
    let place = place.unwrap_or_else(|| "us-east-1.amazonaws.com".to_owned());
    format!("https://scim.{place}/…/scim/v2/")
}

/// Fails if an endpoint is neither AWS's endpoint in the Region of the instance nor on this machine.
pub(super) fn check_host(endpoint: &Endpoint, cx: &Context) -> Result<()> {
    let refused = |why: String| {
        Error::new(
            ErrorKind::InvalidAnswer,
            format!("the SCIM endpoint {endpoint} {why}"),
        )
        .with_help(HELP)
    };
    match endpoint.aws_region() {
        None if is_loopback(endpoint) => Ok(()),
        None => Err(refused(
            "is not an AWS endpoint, so the token was not sent to it".to_owned(),
        )),
        Some(region) => match cx.facts(|facts| facts.instance.clone()) {
            Some(instance) if region != instance.region => Err(refused(format!(
                "is in {region}, but the instance is in {}",
                instance.region
            ))),
            _ => Ok(()),
        },
    }
}

/// Gives the steps of this context the access token of AWS's SCIM endpoint.
///
/// A pipeline gets the token from [`Pipeline::scim_token`](crate::Pipeline::scim_token). This function is for steps that
/// are used without a pipeline. The token lives as long as the context, and is never saved.
pub fn provide_scim_token(cx: &Context, token: Secret) {
    *cx.run_memory::<Token>().lock() = Some(token);
}

/// Returns the SCIM token, if the caller or the operator has supplied one in this run.
pub(super) fn scim_token(cx: &Context) -> Option<Secret> {
    cx.run_memory::<Token>().lock().clone()
}

/// The SCIM token of a run.
#[derive(Default)]
struct Token(Mutex<Option<Secret>>);

impl Token {
    fn lock(&self) -> MutexGuard<'_, Option<Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_loopback(endpoint: &Endpoint) -> bool {
    match endpoint.url().host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn manual_step() -> Change {
    Change::new(Action::ManualStep, Subject::ScimEndpoint {})
        .with("asks for", "SCIM endpoint and access token")
        .with_value("token", Value::Secret)
}

impl Step for ScimEndpoint {
    fn id(&self) -> StepId {
        ids::SCIM_ENDPOINT
    }

    fn title(&self) -> String {
        "SCIM endpoint of AWS".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::ScimEndpoint]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            if self.writer == ScimWriter::ThisRun {
                let known = cx.facts(|facts| facts.scim.is_some());
                return Ok(if known {
                    self.with_warning(Planned::nothing(), cx)
                } else {
                    Planned::one(manual_step())
                });
            }
            let app = lookup::app(&self.okta, cx).await?;
            let connected = app.is_some_and(|app| ProvisioningFeatures::of(&app).integration_on());
            let known = cx.facts(|facts| facts.scim.clone());
            if connected && known.is_none() {
                return Ok(Planned::nothing().note(
                    "scim-endpoint-unknown",
                    "Okta already has a SCIM endpoint and a token, which no API can read: if users do not arrive in AWS, Okta provisions to another endpoint",
                ));
            }
            if connected || (known.is_some() && scim_token(cx).is_some()) {
                return Ok(self.with_warning(Planned::nothing(), cx));
            }
            Ok(Planned::one(manual_step()))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            self.ask(cx).await?;
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            Ok(vec![
                if self.writer == ScimWriter::ThisRun && planned.changes.is_empty() {
                    Check::verified(self.title())
                } else if planned.changes.is_empty() {
                    Check::unverifiable(
                        "SCIM token: only Okta has it; users and groups that arrive in AWS show that it works",
                    )
                } else {
                    Check::failed("SCIM endpoint and token: not set up yet")
                },
            ])
        })
    }
}
