//! An operator that does the manual steps at the sandbox's consoles, over HTTP.

use std::{fmt, sync::Mutex};

use futures::future::BoxFuture;
use rest_core::{Call, Secret, Service};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Answers, ManualStep, ManualStepKind, Operator, OperatorError};

/// An operator at the consoles of a sandbox, for rehearsals, examples and tests.
///
/// Like a human operator, it uses only the data of the manual step and the SCIM token that the sandbox's console showed
/// earlier. It never connects to a vendor's console.
pub struct SandboxOperator {
    console: Service,
    token: Mutex<Option<Secret>>,
}

#[derive(Deserialize)]
struct ConsoleResponse {
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
    /// Creates an operator for the console at a URL, such as the `console_url` of a sandbox.
    ///
    /// # Errors
    ///
    /// Fails if the URL cannot be used for requests.
    pub fn new(console: Url) -> Result<Self, OperatorError> {
        let console = Service::builder(console).build().map_err(unreachable)?;
        Ok(Self {
            console,
            token: Mutex::default(),
        })
    }

    async fn post(&self, path: [&str; 2], body: &Value) -> Result<ConsoleResponse, OperatorError> {
        let path: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
        match self.console.send(Call::post(path).json(body)).await {
            Ok(response) => serde_json::from_slice(response.body()).map_err(unreachable),
            Err(rest_core::Error::Refused(response)) => {
                let body = serde_json::from_slice::<Value>(response.body()).ok();
                let message = body
                    .as_ref()
                    .and_then(|body| body["error"].as_str())
                    .unwrap_or("the console refused the action without a message");
                Err(OperatorError::Declined(message.to_owned()))
            }
            Err(error) => Err(unreachable(error)),
        }
    }

    async fn new_token(&self) -> Result<(String, Secret), OperatorError> {
        let shown = match self
            .post(["aws", "automatic-provisioning"], &json!({}))
            .await
        {
            // At most two tokens can exist. An operator deletes the unused ones and creates another.
            Err(OperatorError::Declined(_)) => {
                self.post(["aws", "delete-scim-tokens"], &json!({})).await?;
                self.post(["aws", "automatic-provisioning"], &json!({}))
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
            .expect("no code panics while it holds the token") = Some(token.clone());
        Ok((endpoint, token))
    }

    async fn perform(&self, manual_step: &ManualStep) -> Result<Answers, OperatorError> {
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
                self.post(["dns", "records"], &json!({"records": records}))
                    .await?;
                Ok(answers)
            }
            ManualStepKind::DomainCertificate => {
                self.post(
                    ["okta", "domain-certificate"],
                    &json!({"domain": value("domain")}),
                )
                .await?;
                Ok(answers)
            }
            ManualStepKind::CatalogApp => {
                let label = value("Application label");
                self.post(["okta", "application"], &json!({"label": label}))
                    .await?;
                Ok(answers)
            }
            ManualStepKind::EnableIdentityCenter => {
                self.post(["aws", "enable-identity-center"], &json!({}))
                    .await?;
                Ok(answers)
            }
            ManualStepKind::AccessPortal => {
                let shown = self.post(["aws", "access-portal"], &json!({})).await?;
                Ok(answers.text("portal_url", shown.portal_url.unwrap_or_default()))
            }
            ManualStepKind::IdentitySource => {
                let file = manual_step
                    .file
                    .as_ref()
                    .map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
                let shown = self
                    .post(["aws", "identity-source"], &json!({"idp_metadata": file}))
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
                let known = self
                    .token
                    .lock()
                    .expect("no code panics while it holds the token")
                    .clone();
                let token = match known {
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
                self.post(["okta", "provisioning"], &body).await?;
                Ok(answers)
            }
            ManualStepKind::Custom(name) => Err(OperatorError::Declined(format!(
                "the sandbox has no console for the manual step `{name}`"
            ))),
            ManualStepKind::SignIn => {
                self.post(
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
        Box::pin(self.perform(manual_step))
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
