//! Automatic provisioning is enabled in AWS, and its endpoint and token are proved.

use futures::future::BoxFuture;
use okta_client::Client as Okta;
use scim_client::{Client as Scim, Dialect, Endpoint};

use super::Switches;
use crate::{
    error::{Error, ErrorKind, Outcome},
    operator::{Answers, AskKind, HandOff, HandOffKind},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Check, Context, Planned, Step},
};

/// Automatic provisioning is enabled in AWS, and its SCIM endpoint and token work.
///
/// The token goes to Okta and nowhere else: it is held in memory until it was handed on, and never written down. A
/// run that was interrupted in between asks for it again.
#[derive(Clone, Debug)]
pub struct ScimEndpoint {
    okta: Okta,
}

impl ScimEndpoint {
    /// The step; the app of an earlier step says whether a token is needed still.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }
}

async fn prove(answers: &Answers, cx: &Context) -> Outcome<Endpoint> {
    let help = "copy both from IAM Identity Center > Settings > Automatic provisioning; a token is shown once, so create a new one if it is lost";
    let missing = |what: &str| {
        Error::new(ErrorKind::Proof, format!("the {what} was not handed back")).help(help)
    };
    let text = answers
        .get("scim_endpoint")
        .ok_or_else(|| missing("SCIM endpoint"))?;
    let endpoint = Endpoint::parse(text).map_err(|error| {
        Error::new(ErrorKind::Proof, format!("`{text}` is not a SCIM endpoint"))
            .because(error)
            .help(help)
    })?;
    let token = answers
        .get_secret("access_token")
        .ok_or_else(|| missing("access token"))?;
    let scim = Scim::builder(&endpoint, token.clone())
        .dialect(Dialect::AwsIdentityCenter)
        .clock(cx.clock())
        .build()
        .map_err(|error| {
            Error::new(
                ErrorKind::Proof,
                format!("the SCIM endpoint {endpoint} cannot be used"),
            )
            .because(error)
        })?;
    scim.probe().await.map_err(|error| {
        Error::service(
            format!("the SCIM endpoint {endpoint} does not take the token"),
            error,
        )
    })?;
    cx.remember_scim_token(token.clone());
    Ok(endpoint)
}

impl Step for ScimEndpoint {
    fn id(&self) -> StepId {
        StepId::new("scim-endpoint")
    }

    fn title(&self) -> String {
        "SCIM endpoint of AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Planned>> {
        Box::pin(async move {
            let provisioning_on = super::app(&self.okta, cx)
                .await?
                .is_some_and(|app| Switches::of(&app).all_on());
            let known = cx.know(|facts| facts.scim.clone());
            if provisioning_on || (known.is_some() && cx.scim_token().is_some()) {
                return Ok(Planned::nothing());
            }
            Ok(Planned::one(
                Change::new(Action::HandOff, "automatic provisioning")
                    .with("hands back", "SCIM endpoint and access token")
                    .with_value("token", Value::Secret),
            ))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Outcome<Applied>> {
        Box::pin(async move {
            let mut handoff = HandOff::new(
                HandOffKind::AutomaticProvisioning,
                "Enable automatic provisioning in IAM Identity Center",
                "AWS console > IAM Identity Center > Settings > Automatic provisioning > Enable",
            )
            .instructions([
                "Choose Enable (if it is enabled already: Manage provisioning > Generate token; two tokens can exist, delete one that nobody uses).",
                "Copy the SCIM endpoint and the access token. The token is shown once: keep the dialog open until it is in Okta.",
            ])
            .ask("scim_endpoint", AskKind::Text, "SCIM endpoint")
            .ask("access_token", AskKind::Secret, "Access token");
            if let Some(known) = cx.know(|facts| facts.scim.clone()) {
                handoff = handoff.value("endpoint proved before", known.to_string());
            }
            let endpoint = cx
                .hand_off(handoff, async |answers| prove(&answers, cx).await)
                .await?;
            cx.learn(|facts| facts.scim = Some(endpoint));
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Vec<Check>>> {
        Box::pin(async move {
            let planned = self.plan(cx).await?;
            Ok(vec![if planned.changes.is_empty() {
                Check::cannot_be_proved(
                    "SCIM token: Okta alone has it; what has arrived in AWS shows that it works",
                )
            } else {
                Check::failed("SCIM endpoint: Okta has no token for it yet")
            }])
        })
    }
}
