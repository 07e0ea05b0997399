//! Okta provisions into AWS: create, update and deactivate.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use okta_client::{AuthScheme, Client as Okta, ConnectionStatus, ProvisioningSwitches};
use rest_core::Secret;
use scim_client::Endpoint;

use super::ProvisioningFeatures;
use crate::{
    error::Result,
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Context, Planned, Step, Waiting},
};

/// Okta provisions into AWS, with Create, Update and Deactivate on.
///
/// Okta documents its connection API for six other apps. For this one it is tried, and believed only if Okta says
/// afterwards that the connection is enabled with a token: it answers 200 to what it ignores. Otherwise a person does
/// it, and the app's `features` show when it is done.
#[derive(Debug)]
pub struct OktaProvisioning {
    okta: Okta,
    asked: AtomicBool,
}

impl OktaProvisioning {
    /// The step for the app that an earlier step has made or found.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self {
            okta: okta.clone(),
            asked: AtomicBool::new(false),
        }
    }

    /// Tries the API. Returns whether Okta then says that the connection is there.
    async fn try_api(
        &self,
        app: &okta_client::Id<okta_client::App>,
        endpoint: &Endpoint,
        token: &Secret,
    ) -> bool {
        let apps = self.okta.apps();
        let tried = async {
            apps.set_connection(app, &endpoint.without_slash(), token, true)
                .await?;
            let connection = apps.connection(app).await?;
            if connection.status != ConnectionStatus::Enabled
                || connection.auth_scheme != AuthScheme::Token
            {
                return Ok::<_, okta_client::Error>(false);
            }
            apps.set_provisioning(
                app,
                &ProvisioningSwitches {
                    create: true,
                    update: true,
                    deactivate: true,
                },
            )
            .await?;
            Ok(true)
        };
        // A refusal is what is expected of an app that Okta does not document the API for: a person does it then.
        tried.await.unwrap_or_else(|error| {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the connection API was refused"
            );
            false
        })
    }

    /// Asks a person for the whole form, or for the boxes alone where Okta has an endpoint already.
    async fn ask(&self, endpoint: Option<&Endpoint>, cx: &Context) -> Result<()> {
        let mut manual_step = ManualStep::new(
            ManualStepKind::OktaProvisioning,
            "Configure provisioning of the Okta app",
            format!(
                "Okta admin console of {} > Applications > AWS IAM Identity Center > Provisioning",
                self.okta.org_url()
            ),
        );
        if let Some(endpoint) = endpoint {
            manual_step = manual_step
                .instructions([
                    "Configure API Integration > Enable API integration.",
                    "Paste the Base URL below, without a slash at its end, and the access token of AWS.",
                    "Test API Credentials, then Save.",
                ])
                .value("Base URL", endpoint.without_slash())
                .value("API Token", "the access token that AWS has shown");
        }
        manual_step = manual_step.instructions([
            "To App > Edit: tick Create Users, Update User Attributes and Deactivate Users, then Save.",
        ]);
        cx.manual_step(manual_step, async |_| Ok(())).await
    }
}

impl Step for OktaProvisioning {
    fn id(&self) -> StepId {
        StepId::new("okta-provisioning")
    }

    fn title(&self) -> String {
        "Okta provisioning".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let app = super::app(&self.okta, cx).await?;
            let missing = app.as_ref().map_or_else(
                || super::FEATURES.map(|(_, words)| words).to_vec(),
                |app| ProvisioningFeatures::of(app).missing,
            );
            if missing.is_empty() {
                return Ok(Planned::nothing());
            }
            let endpoint = cx.facts(|facts| facts.scim.as_ref().map(Endpoint::without_slash));
            let mut change = Change::new(Action::ManualStep, "provisioning of the app");
            if app.is_none_or(|app| !ProvisioningFeatures::of(&app).integration_on()) {
                let endpoint = Value::known_or_after(endpoint, &StepId::new("scim-endpoint"));
                change = change
                    .with_value("Base URL", endpoint)
                    .with_value("API Token", Value::Secret);
            }
            for words in missing {
                change = change.from_to(words, Some("off".to_owned()), "on");
            }
            Ok(Planned::one(change)
                .note("Okta's API is tried first; a person is asked only where it does nothing"))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let app = super::needed_app(&self.okta, cx).await?;
            if ProvisioningFeatures::of(&app).all_on() {
                return Ok(Applied::Done);
            }
            if !self.asked.load(Ordering::Acquire) {
                if ProvisioningFeatures::of(&app).integration_on() {
                    self.ask(None, cx).await?;
                } else {
                    let endpoint = cx
                        .facts(|facts| facts.scim.clone())
                        .ok_or_else(|| super::missing("the SCIM endpoint", "scim-endpoint"))?;
                    let done = match cx.scim_token() {
                        Some(token) => self.try_api(app.id(), &endpoint, &token).await,
                        None => false,
                    };
                    if !done {
                        self.ask(Some(&endpoint), cx).await?;
                    }
                }
                self.asked.store(true, Ordering::Release);
            }
            let missing =
                ProvisioningFeatures::of(&super::needed_app(&self.okta, cx).await?).missing;
            if missing.is_empty() {
                return Ok(Applied::Done);
            }
            Ok(Applied::Waiting(Waiting {
                on: "Okta to show that provisioning is on".to_owned(),
                missing: missing
                    .into_iter()
                    .map(|words| format!("{words} is off"))
                    .collect(),
            }))
        })
    }
}

impl Clone for OktaProvisioning {
    fn clone(&self) -> Self {
        Self::new(&self.okta)
    }
}
