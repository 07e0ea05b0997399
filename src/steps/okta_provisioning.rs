//! Step `okta-provisioning`: Okta provisions users to AWS.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use okta_client::{AuthScheme, Client as Okta, ConnectionStatus, ProvisioningOptions};
use rest_core::Secret;
use scim_client::Endpoint;

use super::{
    catalog::{self, ProvisioningFeatures},
    ids, lookup, scim_endpoint,
};
use crate::{
    batch::Waiting,
    context::Context,
    error::Result,
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, StepId, Subject, Value},
    step::{Applied, Planned, Step},
};

/// Enables Okta's provisioning to AWS, with Create Users, Update User Attributes and Deactivate Users on.
///
/// Okta documents its connection API for six other apps. The step tries it for this app too. Okta answers 200 to requests
/// that it ignores, so the step trusts the result only if Okta then reports an enabled connection with a token. Otherwise
/// the operator configures provisioning in the console, and the app's `features` show when provisioning is on.
#[derive(Clone, Debug)]
pub struct OktaProvisioning {
    okta: Okta,
}

/// Whether this run has configured provisioning, by the API or by the operator.
#[derive(Default)]
struct Configured(AtomicBool);

impl OktaProvisioning {
    /// Creates the step. It uses the app of an earlier step.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }

    /// Tries the connection API. Returns whether Okta then reports an enabled connection.
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
                &ProvisioningOptions {
                    create: true,
                    update: true,
                    deactivate: true,
                },
            )
            .await?;
            Ok(true)
        };
        // Okta does not document the API for this app, so a refusal is expected. The operator then configures provisioning.
        tried.await.unwrap_or_else(|error| {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "Okta refused the connection API"
            );
            false
        })
    }

    /// Asks the operator to configure provisioning. Without an `endpoint`, Okta already has one, and the operator only ticks
    /// the boxes.
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
                    "Paste the Base URL below, without a slash at the end, and the access token of AWS.",
                    "Test API Credentials, then Save.",
                ])
                .value("Base URL", endpoint.without_slash())
                .value("API Token", "the access token that AWS showed");
        }
        manual_step = manual_step.instructions([
            "To App > Edit: tick Create Users, Update User Attributes and Deactivate Users, then Save.",
        ]);
        cx.manual_step(manual_step, async |_| Ok(())).await
    }
}

impl Step for OktaProvisioning {
    fn id(&self) -> StepId {
        ids::OKTA_PROVISIONING
    }

    fn title(&self) -> String {
        "Okta provisioning to AWS".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::OktaProvisioning]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let app = lookup::app(&self.okta, cx).await?;
            let missing = app.as_ref().map_or_else(
                || catalog::FEATURES.map(|(_, label)| label).to_vec(),
                |app| ProvisioningFeatures::of(app).missing,
            );
            if missing.is_empty() {
                return Ok(Planned::nothing());
            }
            let endpoint = cx.facts(|facts| facts.scim.as_ref().map(Endpoint::without_slash));
            let mut change = Change::new(Action::ManualStep, Subject::OktaProvisioning {});
            if app.is_none_or(|app| !ProvisioningFeatures::of(&app).integration_on()) {
                let endpoint = Value::known_or_after(endpoint, &ids::SCIM_ENDPOINT);
                change = change
                    .with_value("Base URL", endpoint)
                    .with_value("API Token", Value::Secret);
            }
            for label in missing {
                change = change.from_to(label, Some("off".to_owned()), "on");
            }
            Ok(Planned::one(change).note(
                "api-first",
                "Okta's API is tried first; the operator is asked only if the API has no effect",
            ))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let app = lookup::require_app(&self.okta, cx).await?;
            if ProvisioningFeatures::of(&app).all_on() {
                return Ok(Applied::Done);
            }
            let configured = cx.run_memory::<Configured>();
            if !configured.0.load(Ordering::Acquire) {
                if ProvisioningFeatures::of(&app).integration_on() {
                    self.ask(None, cx).await?;
                } else {
                    let endpoint = cx.facts(|facts| facts.scim.clone()).ok_or_else(|| {
                        lookup::missing_prerequisite("the SCIM endpoint", &ids::SCIM_ENDPOINT)
                    })?;
                    // Okta would send the token to this host.
                    scim_endpoint::check_host(&endpoint, cx)?;
                    let done = match scim_endpoint::scim_token(cx) {
                        Some(token) => self.try_api(app.id(), &endpoint, &token).await,
                        None => false,
                    };
                    if !done {
                        self.ask(Some(&endpoint), cx).await?;
                    }
                }
                configured.0.store(true, Ordering::Release);
            }
            let missing =
                ProvisioningFeatures::of(&lookup::require_app(&self.okta, cx).await?).missing;
            if missing.is_empty() {
                return Ok(Applied::Done);
            }
            Ok(Applied::Waiting(Waiting {
                on: "Okta to report that provisioning is on".to_owned(),
                missing: missing
                    .into_iter()
                    .map(|label| format!("{label} is off"))
                    .collect(),
            }))
        })
    }
}
