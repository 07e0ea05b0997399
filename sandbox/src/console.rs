//! The actions that need a vendor's console, because no public API offers them.

mod http;

use std::{error, fmt};

use serde::Serialize;

pub(crate) use self::http::handle;
use crate::{
    Sandbox,
    aws::Assertion,
    okta::{self, App, Connection, IDENTITY_CENTER, ProvisioningFeatures},
    provisioning_engine::ProvisioningEngine,
    state::SandboxState,
};

/// The error message of a console that rejected an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleError(String);

/// The values that the AWS console shows after Identity Center is enabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IdentityCenter {
    /// The Region of the instance.
    pub region: String,
    /// The ARN of the instance.
    pub instance_arn: String,
    /// The id of the identity store, such as `d-9067729b3d`.
    pub identity_store_id: String,
}

/// The values of Identity Center as a SAML service provider, as the AWS console shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceProvider {
    /// The service provider metadata that the console offers for download.
    pub sp_metadata: String,
    /// The ACS URL, which receives SAML responses.
    pub acs_url: String,
    /// The entity id, which is also the audience of assertions.
    pub issuer_url: String,
    /// The URL of the access portal.
    pub portal_url: String,
}

/// The values that the AWS console shows once, after automatic provisioning is enabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AutomaticProvisioning {
    /// The SCIM endpoint, with a trailing slash that Okta rejects.
    pub scim_endpoint: String,
    /// The access token.
    pub access_token: String,
}

/// The form on the tab "Provisioning" of the Okta application; a caller that fills in fields ends with
/// [`ProvisioningForm::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisioningForm {
    /// The base URL.
    pub base_url: String,
    /// The API token.
    pub api_token: String,
    /// The checkbox "Create Users".
    pub create: bool,
    /// The checkbox "Update User Attributes".
    pub update: bool,
    /// The checkbox "Deactivate Users".
    pub deactivate: bool,
}

/// One published DNS record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// `TXT` or `CNAME`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The consoles of Okta, AWS and a DNS provider.
///
/// The same actions are available over HTTP at [`Sandbox::console_url`].
#[derive(Debug)]
pub struct Console<'a> {
    sandbox: &'a Sandbox,
}

impl<'a> Console<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox }
    }

    /// Enables the organization instance of Identity Center in the company's Region.
    ///
    /// # Errors
    ///
    /// Returns the console's error message if Identity Center cannot be enabled.
    pub fn enable_identity_center(&self) -> Result<IdentityCenter, ConsoleError> {
        self.sandbox.state().enable_identity_center(None)
    }

    /// Returns the URL of the access portal.
    ///
    /// # Errors
    ///
    /// Returns the console's error message if Identity Center is not enabled.
    pub fn access_portal(&self) -> Result<String, ConsoleError> {
        self.sandbox
            .state()
            .cloud
            .portal_url()
            .map_err(ConsoleError)
    }

    /// Sets the identity source to the identity provider of this metadata file.
    ///
    /// # Errors
    ///
    /// Returns the console's error message if it rejects the metadata file.
    pub fn change_identity_source(
        &self,
        idp_metadata: &[u8],
    ) -> Result<ServiceProvider, ConsoleError> {
        self.sandbox.state().change_identity_source(idp_metadata)
    }

    /// Enables automatic provisioning, or creates another access token if it is already enabled.
    ///
    /// # Errors
    ///
    /// Returns the console's error message, for example if two tokens exist.
    pub fn enable_automatic_provisioning(&self) -> Result<AutomaticProvisioning, ConsoleError> {
        self.sandbox.state().enable_automatic_provisioning()
    }

    /// Deletes all SCIM access tokens and returns the number of deleted tokens.
    #[must_use = "the result is the number of deleted tokens"]
    pub fn delete_scim_tokens(&self) -> usize {
        self.sandbox.state().cloud.delete_scim_tokens()
    }

    /// Adds the Identity Center application from the catalog with this label, and returns its id. Its settings are blank.
    ///
    /// # Errors
    ///
    /// Returns Okta's error message if it rejects the label.
    pub fn add_application(&self, label: &str) -> Result<String, ConsoleError> {
        self.sandbox.state().add_application(label)
    }

    /// Uploads a certificate of the customer for a custom domain.
    ///
    /// # Errors
    ///
    /// Returns Okta's error message if the org has no such domain, or if its DNS records are not verified.
    pub fn upload_certificate(&self, domain: &str) -> Result<(), ConsoleError> {
        self.sandbox.state().upload_certificate(domain)
    }

    /// Fills in the tab "Provisioning" of the Okta application, tests the credentials and saves the form.
    ///
    /// Afterwards it retries the failed provisioning tasks, which Okta does not retry automatically. Returns
    /// the application's enabled features.
    ///
    /// # Errors
    ///
    /// Returns Okta's error message if it rejects the base URL's format or the credentials.
    pub fn configure_provisioning(
        &self,
        form: &ProvisioningForm,
    ) -> Result<Vec<String>, ConsoleError> {
        self.sandbox.state().configure_provisioning(form)
    }

    /// Publishes DNS records. Okta looks them up when it verifies a custom domain.
    pub fn publish_dns(&self, records: &[DnsRecord]) {
        self.sandbox.state().publish_dns(records);
    }

    /// Approves a device authorization: signs the user in to Okta and then to AWS.
    ///
    /// Returns the `NameID` of the SAML assertion.
    ///
    /// # Errors
    ///
    /// Returns the error message that the user sees, with the reason.
    pub fn sign_in(&self, user_code: &str, login: &str) -> Result<String, ConsoleError> {
        self.sandbox.state().sign_in(user_code, login)
    }

    /// Returns the failed provisioning tasks, as Okta's dashboard shows them.
    #[must_use]
    pub fn provisioning_errors(&self) -> Vec<String> {
        ProvisioningEngine::errors(&self.sandbox.state().org)
    }
}

impl fmt::Display for ConsoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for ConsoleError {}

impl ProvisioningForm {
    /// Creates the form with all three checkboxes selected.
    #[must_use]
    pub fn new(base_url: impl Into<String>, api_token: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_token: api_token.into(),
            create: true,
            update: true,
            deactivate: true,
        }
    }
}

impl DnsRecord {
    /// Creates a record from a type (`TXT`, `CNAME`), a name and a value.
    #[must_use]
    pub fn new(kind: impl Into<String>, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
            value: value.into(),
        }
    }
}

impl SandboxState {
    pub(crate) fn enable_identity_center(
        &mut self,
        region: Option<&str>,
    ) -> Result<IdentityCenter, ConsoleError> {
        let now = self.now();
        let region = region.unwrap_or(&self.region);
        let enabled = self
            .cloud
            .enable_identity_center(region, now)
            .map_err(ConsoleError)?;
        Ok(IdentityCenter {
            region: enabled.region,
            instance_arn: enabled.instance_arn,
            identity_store_id: enabled.identity_store_id,
        })
    }

    pub(crate) fn change_identity_source(
        &mut self,
        idp_metadata: &[u8],
    ) -> Result<ServiceProvider, ConsoleError> {
        let now = self.now();
        let provider = self
            .cloud
            .change_identity_source(idp_metadata, now)
            .map_err(ConsoleError)?;
        Ok(ServiceProvider {
            sp_metadata: provider.xml,
            acs_url: provider.acs_url,
            issuer_url: provider.issuer,
            portal_url: provider.portal_url,
        })
    }

    pub(crate) fn enable_automatic_provisioning(
        &mut self,
    ) -> Result<AutomaticProvisioning, ConsoleError> {
        let now = self.now();
        let provisioning = self.cloud.enable_provisioning(now).map_err(ConsoleError)?;
        Ok(AutomaticProvisioning {
            scim_endpoint: provisioning.endpoint,
            access_token: provisioning.token,
        })
    }

    pub(crate) fn configure_provisioning(
        &mut self,
        form: &ProvisioningForm,
    ) -> Result<Vec<String>, ConsoleError> {
        okta::check_base_url(&form.base_url).map_err(|message| ConsoleError(message.to_owned()))?;
        let app = self.identity_center_app()?.id.clone();
        let now = self.now();
        self.provisioning_engine
            .test_credentials(&mut self.cloud, &form.base_url, &form.api_token, now)
            .map_err(ConsoleError)?;
        let app = self.org.apps.get_mut(&app);
        let provisioning = &mut app.ok_or_else(no_app)?.provisioning;
        provisioning.connection = Some(Connection {
            base_url: form.base_url.clone(),
            token: form.api_token.clone(),
            enabled: true,
        });
        provisioning.features = ProvisioningFeatures {
            create: form.create,
            update: form.update,
            deactivate: form.deactivate,
        };
        let features = provisioning
            .feature_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.provisioning_engine.retry_failed(&mut self.org);
        self.run_due_work();
        Ok(features)
    }

    pub(crate) fn add_application(&mut self, label: &str) -> Result<String, ConsoleError> {
        let now = self.now();
        let id = self
            .org
            .install(IDENTITY_CENTER, label, &serde_json::json!({}), now);
        self.org.changes += 1;
        id.ok_or_else(|| ConsoleError(format!("the application cannot have the label {label}")))
    }

    pub(crate) fn upload_certificate(&mut self, domain: &str) -> Result<(), ConsoleError> {
        let now = self.now();
        let mut domains = self.org.domains.values_mut();
        let found = domains.find(|found| found.name == domain);
        found
            .is_some_and(|domain| domain.install_certificate(now))
            .then_some(())
            .ok_or_else(|| ConsoleError(format!("the domain {domain} is not verified")))
    }

    pub(crate) fn publish_dns(&mut self, records: &[DnsRecord]) {
        let records = records.iter();
        let records =
            records.map(|record| okta::DnsRecord::new(&record.kind, &record.name, &record.value));
        self.org.dns.extend(records);
    }

    pub(crate) fn sign_in(&mut self, user_code: &str, login: &str) -> Result<String, ConsoleError> {
        let now = self.now();
        let assertion = self.assertion(login)?;
        self.cloud
            .approve_device(user_code, &assertion, now)
            .map_err(ConsoleError)?;
        Ok(assertion.name_id)
    }

    /// Adds the application to Okta and makes Okta the identity source.
    pub(crate) fn federate(&mut self) -> Result<(), ConsoleError> {
        let now = self.now();
        let no_settings = serde_json::json!({});
        let added = self.org.install(
            IDENTITY_CENTER,
            "AWS IAM Identity Center",
            &no_settings,
            now,
        );
        let app = added.and_then(|id| self.org.apps.get(&id));
        let metadata = app.and_then(|app| self.org.metadata_file(app));
        let metadata = metadata
            .ok_or_else(|| ConsoleError("cannot add the application to Okta".to_owned()))?;
        let provider = self.change_identity_source(metadata.as_bytes())?;
        let app = self.identity_center_app()?.id.clone();
        let app = self.org.apps.get_mut(&app).ok_or_else(no_app)?;
        app.set_setting("acsURL", &provider.acs_url);
        app.set_setting("entityID", &provider.issuer_url);
        Ok(())
    }

    /// Returns the SAML assertion that Okta sends to AWS for a user.
    fn assertion(&self, login: &str) -> Result<Assertion, ConsoleError> {
        let user = self.org.users.by_login(login);
        let user =
            user.ok_or_else(|| ConsoleError("Unable to sign in: no such user".to_owned()))?;
        if !user.is_active() {
            return Err(ConsoleError(
                "Unable to sign in: the user is not active".to_owned(),
            ));
        }
        let app = self.identity_center_app()?;
        let Some(assigned) = app.users.get(&user.id) else {
            return Err(ConsoleError(format!(
                "{login} is not assigned to {}",
                app.name
            )));
        };
        let key = app.active_key();
        let key =
            key.ok_or_else(|| ConsoleError("the application has no signing key".to_owned()))?;
        // Okta sends this value if the application's field is blank. AWS rejects it.
        let setting = |key| {
            app.setting(key)
                .unwrap_or("https://signin.aws.amazon.com/saml")
                .to_owned()
        };
        Ok(Assertion {
            issuer: okta::entity_id(&app.exk),
            audience: setting("entityID"),
            recipient: setting("acsURL"),
            name_id: assigned.user_name(app, user).unwrap_or_default(),
            certificate_der: key.certificate.clone(),
        })
    }

    /// Returns the active Identity Center application.
    fn identity_center_app(&self) -> Result<&App, ConsoleError> {
        let mut apps = self.org.apps.values();
        apps.find(|app| app.name == IDENTITY_CENTER && app.active)
            .ok_or_else(no_app)
    }
}

fn no_app() -> ConsoleError {
    ConsoleError("Okta has no active application AWS IAM Identity Center".to_owned())
}
