//! Automatic provisioning is enabled in AWS, and its endpoint and token are verified.

use aws_sso_glue::{Aws, UserId};
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use scim_client::{Client as Scim, Dialect, Endpoint};

use super::ProvisioningFeatures;
use crate::{
    error::{Error, ErrorKind, Result},
    operator::{Answers, AskKind, ManualStep, ManualStepKind},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Check, Context, Planned, Step},
};

/// Automatic provisioning is enabled in AWS, and its SCIM endpoint and token work.
///
/// The token goes to Okta and nowhere else: it is held in memory until it was handed on, and never written down. A
/// run that was interrupted in between asks for it again.
///
/// Where this crate writes to AWS itself ([`ScimEndpoint::direct`]), Okta gets neither, and the token is held as long as
/// the run; a later run is given it by its caller or asks for it again, and only if there is something to write.
#[derive(Clone, Debug)]
pub struct ScimEndpoint {
    okta: Okta,
    aws: Aws,
    taker: Taker,
}

/// Who is to have the endpoint and the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taker {
    Okta,
    /// This run.
    Us,
}

impl ScimEndpoint {
    /// The step; the app of an earlier step says whether a token is needed still.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            taker: Taker::Okta,
        }
    }

    /// The step where this crate writes users and groups itself, and Okta has no token.
    #[must_use]
    pub fn direct(okta: &Okta, aws: &Aws) -> Self {
        Self {
            taker: Taker::Us,
            ..Self::new(okta, aws)
        }
    }
}

/// What helps whenever something about the endpoint or the token is wrong.
const HELP: &str = "copy both from IAM Identity Center > Settings > Automatic provisioning; a token is shown once, so create a new one if it is lost";

impl ScimEndpoint {
    /// Has a person hand over the endpoint and a token, and verifies both.
    pub(super) async fn ask(&self, cx: &Context) -> Result<()> {
        let mut manual_step = ManualStep::new(
            ManualStepKind::AutomaticProvisioning,
            "Enable automatic provisioning in IAM Identity Center",
            "AWS console > IAM Identity Center > Settings > Automatic provisioning > Enable",
        )
        .instructions([
            "Choose Enable (if it is enabled already: Manage provisioning > Generate token; two tokens can exist, delete one that nobody uses).",
        ])
        .instructions(match self.taker {
            Taker::Okta => [
                "Copy the SCIM endpoint and the access token. The token is shown once: keep the dialog open until it is in Okta.",
                "If nobody can hand anything back to this run: enter both in Okta (Applications > the app > Provisioning > Configure API Integration, the Base URL without a slash at its end) and save; the next run sees that it is done.",
            ],
            Taker::Us => [
                "Copy the SCIM endpoint and the access token. The token is shown once: keep the dialog open until this run has taken it.",
                "Keep the token where your secrets are, if later runs are to go on without a person: it is given to the pipeline (Pipeline::scim_token).",
            ],
        })
        .ask("scim_endpoint", AskKind::Text, "SCIM endpoint")
        .ask("access_token", AskKind::Secret, "Access token");
        if let Some(known) = cx.facts(|facts| facts.scim.clone()) {
            manual_step = manual_step.value("endpoint verified before", known.to_string());
        }
        let endpoint = cx
            .manual_step(manual_step, async |answers| self.verify_answers(&answers, cx).await)
            .await?;
        cx.update_facts(|facts| facts.scim = Some(endpoint));
        Ok(())
    }

    async fn verify_answers(&self, answers: &Answers, cx: &Context) -> Result<Endpoint> {
        let missing = |what: &str| {
            Error::new(
                ErrorKind::InvalidAnswer,
                format!("the {what} was not handed back"),
            )
            .with_help(HELP)
        };
        let text = answers
            .get("scim_endpoint")
            .ok_or_else(|| missing("SCIM endpoint"))?;
        let endpoint = Endpoint::parse(text).map_err(|_it_may_be_the_token| {
            // What was pasted at the wrong prompt may be the token, so it is not repeated.
            Error::new(
                ErrorKind::InvalidAnswer,
                "what was handed back as the SCIM endpoint is not one",
            )
            .with_help(format!(
                "it looks like https://scim.us-east-1.amazonaws.com/…/scim/v2/; {HELP}"
            ))
        })?;
        let instance = cx.facts(|facts| facts.instance.clone());
        if let (Some(region), Some(instance)) = (endpoint.aws_region(), &instance)
            && region != instance.region
        {
            return Err(Error::new(
                ErrorKind::InvalidAnswer,
                format!(
                    "the SCIM endpoint {endpoint} is in {region}, and the instance in {}",
                    instance.region
                ),
            )
            .with_help(HELP));
        }
        if endpoint.aws_region().is_none() && !is_this_machine(&endpoint) {
            return Err(Error::new(
                ErrorKind::InvalidAnswer,
                format!("the SCIM endpoint {endpoint} is not at AWS, and was not sent the token"),
            )
            .with_help(HELP));
        }
        let token = answers
            .get_secret("access_token")
            .ok_or_else(|| missing("access token"))?;
        let scim = Scim::builder(&endpoint, token.clone())
            .dialect(Dialect::AwsIdentityCenter)
            .clock(cx.clock())
            .build()
            .map_err(|error| {
                Error::new(
                    ErrorKind::InvalidAnswer,
                    format!("the SCIM endpoint {endpoint} cannot be used"),
                )
                .with_source(error)
            })?;
        let failed = |error| {
            Error::service(
                format!("the SCIM endpoint {endpoint} does not take the token"),
                error,
            )
        };
        scim.probe().await.map_err(failed)?;
        if let Some(user) = scim.users().list(None).try_next().await.map_err(failed)? {
            self.check_store(&endpoint, user.id.as_ref().map(ToString::to_string), cx)
                .await?;
        }
        cx.set_scim_token(token.clone());
        Ok(endpoint)
    }

    /// Whether a user of the endpoint is a user of the instance: another organization's endpoint works just as well.
    async fn check_store(
        &self,
        endpoint: &Endpoint,
        user: Option<String>,
        cx: &Context,
    ) -> Result<()> {
        let (Some(center), Some(id)) = (
            super::identity_center(&self.aws, cx),
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
                    "whether the SCIM endpoint belongs to the instance could not be read",
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

fn is_this_machine(endpoint: &Endpoint) -> bool {
    match endpoint.url().host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn manual_step() -> Change {
    Change::new(Action::ManualStep, "automatic provisioning")
        .with("hands back", "SCIM endpoint and access token")
        .with_value("token", Value::Secret)
}

impl Step for ScimEndpoint {
    fn id(&self) -> StepId {
        StepId::new("scim-endpoint")
    }

    fn title(&self) -> String {
        "SCIM endpoint of AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            if self.taker == Taker::Us {
                let known = cx.facts(|facts| facts.scim.is_some());
                return Ok(if known {
                    Planned::nothing()
                } else {
                    Planned::one(manual_step())
                });
            }
            let app = super::app(&self.okta, cx).await?;
            let connected = app.is_some_and(|app| ProvisioningFeatures::of(&app).integration_on());
            let known = cx.facts(|facts| facts.scim.clone());
            if connected && known.is_none() {
                return Ok(Planned::nothing().note(
                    "Okta has an endpoint and a token already, which nobody can read: if users do not arrive, it provisions somewhere else",
                ));
            }
            if connected || (known.is_some() && cx.scim_token().is_some()) {
                return Ok(Planned::nothing());
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
                if self.taker == Taker::Us && planned.changes.is_empty() {
                    Check::verified(self.title())
                } else if planned.changes.is_empty() {
                    Check::unverifiable(
                        "SCIM token: Okta alone has it; what has arrived in AWS shows that it works",
                    )
                } else {
                    Check::failed("SCIM endpoint: Okta has no token for it yet")
                },
            ])
        })
    }
}
