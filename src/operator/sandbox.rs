//! The person of a rehearsal: does at a sandbox's console, over HTTP, what a hand-off asks for.

use std::{fmt, sync::Mutex};

use futures::future::BoxFuture;
use rest_core::{Call, Secret, Service};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Answers, ManualStep, ManualStepKind, Operator, OperatorError};

/// A person at the console of a sandbox, for rehearsals, examples and tests.
///
/// It does what a person would do with the hand-off alone: it has the metadata file from the hand-off, and remembers
/// the SCIM token that the console has shown it. It never meets a vendor's console.
pub struct SandboxOperator {
    console: Service,
    token: Mutex<Option<Secret>>,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    portal_url: Option<String>,
    #[serde(default)]
    sp_metadata: Option<String>,
    #[serde(default)]
    scim_endpoint: Option<String>,
    #[serde(default)]
    access_token: Option<Secret>,
}

impl SandboxOperator {
    /// The person at the console at an address, such as the `console_url` of a sandbox.
    ///
    /// # Errors
    ///
    /// If it is not an address that can be asked.
    pub fn new(console: Url) -> Result<Self, OperatorError> {
        let console = Service::builder(console).build().map_err(unreachable)?;
        Ok(Self {
            console,
            token: Mutex::default(),
        })
    }

    async fn click(&self, path: [&str; 2], body: &Value) -> Result<Shown, OperatorError> {
        let path: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
        match self.console.send(Call::post(path).json(body)).await {
            Ok(answer) => serde_json::from_slice(answer.body()).map_err(unreachable),
            Err(rest_core::Error::Refused(answer)) => {
                let said = serde_json::from_slice::<Value>(answer.body()).ok();
                let said = said
                    .as_ref()
                    .and_then(|body| body["error"].as_str())
                    .unwrap_or("the console refused without a word");
                Err(OperatorError::Declined(said.to_owned()))
            }
            Err(error) => Err(unreachable(error)),
        }
    }

    async fn new_token(&self) -> Result<(String, Secret), OperatorError> {
        let shown = match self
            .click(["aws", "automatic-provisioning"], &json!({}))
            .await
        {
            // Two tokens can exist. A person deletes those that nobody uses, and creates another.
            Err(OperatorError::Declined(_)) => {
                self.click(["aws", "delete-scim-tokens"], &json!({}))
                    .await?;
                self.click(["aws", "automatic-provisioning"], &json!({}))
                    .await?
            }
            shown => shown?,
        };
        let (Some(endpoint), Some(token)) = (shown.scim_endpoint, shown.access_token) else {
            return Err(OperatorError::Declined(
                "the console showed no endpoint or no token".to_owned(),
            ));
        };
        *self
            .token
            .lock()
            .expect("nobody panics while holding the token") = Some(token.clone());
        Ok((endpoint, token))
    }

    async fn act(&self, manual_step: &ManualStep) -> Result<Answers, OperatorError> {
        let value = |name: &str| {
            manual_step
                .values
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let answers = Answers::default();
        match manual_step.kind {
            ManualStepKind::DnsRecords => {
                let records: Vec<Value> = manual_step
                    .values
                    .iter()
                    .filter_map(|(name, value)| {
                        name.split_once(' ')
                            .map(|(kind, name)| json!({"type": kind, "name": name, "value": value}))
                    })
                    .collect();
                self.click(["dns", "records"], &json!({"records": records}))
                    .await?;
                Ok(answers)
            }
            ManualStepKind::EnableIdentityCenter => {
                self.click(["aws", "enable-identity-center"], &json!({}))
                    .await?;
                Ok(answers)
            }
            ManualStepKind::AccessPortal => {
                let shown = self.click(["aws", "access-portal"], &json!({})).await?;
                Ok(answers.text("portal_url", shown.portal_url.unwrap_or_default()))
            }
            ManualStepKind::IdentitySource => {
                let file = manual_step
                    .file
                    .as_ref()
                    .map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
                let shown = self
                    .click(["aws", "identity-source"], &json!({"idp_metadata": file}))
                    .await?;
                Ok(answers.file("sp_metadata", shown.sp_metadata.unwrap_or_default()))
            }
            ManualStepKind::AutomaticProvisioning => {
                let (endpoint, token) = self.new_token().await?;
                Ok(answers
                    .text("scim_endpoint", endpoint)
                    .secret("access_token", token))
            }
            ManualStepKind::OktaProvisioning => {
                let mut base_url = value("Base URL").map(ToOwned::to_owned);
                let remembered = self
                    .token
                    .lock()
                    .expect("nobody panics while holding the token")
                    .clone();
                let token = match remembered {
                    Some(token) if base_url.is_some() => token,
                    _ => {
                        let (endpoint, token) = self.new_token().await?;
                        base_url.get_or_insert_with(|| endpoint.trim_end_matches('/').to_owned());
                        token
                    }
                };
                let body = json!({
                    "base_url": base_url, "api_token": token.expose(),
                    "create": true, "update": true, "deactivate": true,
                });
                self.click(["okta", "provisioning"], &body).await?;
                Ok(answers)
            }
            ManualStepKind::SignIn => {
                self.click(
                    ["sign-in", ""],
                    &json!({"user_code": value("code"), "login": value("user")}),
                )
                .await?;
                Ok(answers)
            }
        }
    }
}

impl Operator for SandboxOperator {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        Box::pin(self.act(manual_step))
    }
}

impl fmt::Debug for SandboxOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxOperator")
            .field("console", self.console.base())
            .finish_non_exhaustive()
    }
}

fn unreachable(error: impl std::error::Error + Send + Sync + 'static) -> OperatorError {
    OperatorError::Unreachable(std::io::Error::other(error))
}
