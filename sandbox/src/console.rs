//! What a person does at a vendor's console, because no public API can.

mod http;

use std::{error, fmt};

use serde::Serialize;

pub(crate) use self::http::handle;
use crate::{
    Sandbox,
    aws::Assertion,
    okta::{self, App, Connection, IDENTITY_CENTER, Switches},
    provisioning_engine::ProvisioningEngine,
    state::SandboxState,
};

/// Why a console did not do what it was asked to, in the words it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

/// What the AWS console shows after Identity Center was enabled.
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

/// What the AWS console shows of Identity Center as a SAML service provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceProvider {
    /// The metadata file it offers for download.
    pub sp_metadata: String,
    /// Where SAML responses are sent to.
    pub acs_url: String,
    /// The entity id, which is also the audience of assertions.
    pub issuer_url: String,
    /// The address of the access portal.
    pub portal_url: String,
}

/// What the AWS console shows, once, after automatic provisioning was enabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AutomaticProvisioning {
    /// The SCIM endpoint, with the slash at the end that Okta does not take.
    pub scim_endpoint: String,
    /// The access token.
    pub access_token: String,
}

/// What a person fills in on the tab "Provisioning" of the Okta application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisioningForm {
    /// The base URL.
    pub base_url: String,
    /// The API token.
    pub api_token: String,
    /// The box "Create Users".
    pub create: bool,
    /// The box "Update User Attributes".
    pub update: bool,
    /// The box "Deactivate Users".
    pub deactivate: bool,
}

/// One DNS record as a name server publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// `TXT` or `CNAME`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The consoles of Okta, AWS and a DNS provider, and the person in front of them.
///
/// The same can be done over HTTP at [`Sandbox::console_url`].
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
    /// The console's words if it cannot be.
    pub fn enable_identity_center(&self) -> Result<IdentityCenter, Refused> {
        self.sandbox.state().enable_identity_center(None)
    }

    /// Reads the address of the access portal.
    ///
    /// # Errors
    ///
    /// The console's words if Identity Center is not enabled.
    pub fn access_portal(&self) -> Result<String, Refused> {
        self.sandbox.state().cloud.portal_url().map_err(Refused)
    }

    /// Makes the identity provider of this metadata file the identity source.
    ///
    /// # Errors
    ///
    /// The console's words if the file is not what it should be.
    pub fn change_identity_source(&self, idp_metadata: &[u8]) -> Result<ServiceProvider, Refused> {
        self.sandbox.state().change_identity_source(idp_metadata)
    }

    /// Enables automatic provisioning, or makes another access token if it is enabled already.
    ///
    /// # Errors
    ///
    /// The console's words, for example if two tokens exist.
    pub fn enable_automatic_provisioning(&self) -> Result<AutomaticProvisioning, Refused> {
        self.sandbox.state().enable_automatic_provisioning()
    }

    /// Deletes all SCIM access tokens and returns how many there were.
    #[must_use = "the number says whether there was anything to delete"]
    pub fn delete_scim_tokens(&self) -> usize {
        self.sandbox.state().cloud.delete_scim_tokens()
    }

    /// Fills in the tab "Provisioning" of the Okta application, tests the credentials and saves.
    ///
    /// The person then retries the tasks that have failed before, as Okta does not by itself.
    ///
    /// Returns the features the application has from then on.
    ///
    /// # Errors
    ///
    /// Okta's words if the base URL does not fit its pattern or the credentials do not work.
    pub fn configure_provisioning(&self, form: &ProvisioningForm) -> Result<Vec<String>, Refused> {
        self.sandbox.state().configure_provisioning(form)
    }

    /// Publishes DNS records, which Okta looks at when a custom domain is verified.
    pub fn publish_dns(&self, records: &[DnsRecord]) {
        self.sandbox.state().publish_dns(records);
    }

    /// Approves a device: signs in to Okta as a user, and from there to AWS.
    ///
    /// # Errors
    ///
    /// What the person gets to see, and the reason.
    pub fn sign_in(&self, user_code: &str, login: &str) -> Result<String, Refused> {
        self.sandbox.state().sign_in(user_code, login)
    }

    /// The provisioning tasks Okta's dashboard shows as failed.
    #[must_use]
    pub fn provisioning_errors(&self) -> Vec<String> {
        ProvisioningEngine::errors(&self.sandbox.state().org)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Refused {}

impl ProvisioningForm {
    /// The form with all three boxes ticked.
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
    /// A record of a kind (`TXT`, `CNAME`), a name and a value.
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
    ) -> Result<IdentityCenter, Refused> {
        let now = self.now();
        let region = region.unwrap_or(&self.region);
        let enabled = self
            .cloud
            .enable_identity_center(region, now)
            .map_err(Refused)?;
        Ok(IdentityCenter {
            region: enabled.region,
            instance_arn: enabled.instance_arn,
            identity_store_id: enabled.identity_store_id,
        })
    }

    pub(crate) fn change_identity_source(
        &mut self,
        idp_metadata: &[u8],
    ) -> Result<ServiceProvider, Refused> {
        let now = self.now();
        let shown = self
            .cloud
            .change_identity_source(idp_metadata, now)
            .map_err(Refused)?;
        Ok(ServiceProvider {
            sp_metadata: shown.xml,
            acs_url: shown.acs_url,
            issuer_url: shown.issuer,
            portal_url: shown.portal_url,
        })
    }

    pub(crate) fn enable_automatic_provisioning(
        &mut self,
    ) -> Result<AutomaticProvisioning, Refused> {
        let now = self.now();
        let shown = self.cloud.enable_provisioning(now).map_err(Refused)?;
        Ok(AutomaticProvisioning {
            scim_endpoint: shown.endpoint,
            access_token: shown.token,
        })
    }

    pub(crate) fn configure_provisioning(
        &mut self,
        form: &ProvisioningForm,
    ) -> Result<Vec<String>, Refused> {
        okta::check_base_url(&form.base_url).map_err(|words| Refused(words.to_owned()))?;
        let app = self.identity_center_app()?.id.clone();
        let now = self.now();
        self.provisioning_engine
            .prove(&mut self.cloud, &form.base_url, &form.api_token, now)
            .map_err(Refused)?;
        let app = self.org.apps.get_mut(&app);
        let provisioning = &mut app.ok_or_else(no_app)?.provisioning;
        provisioning.connection = Some(Connection {
            base_url: form.base_url.clone(),
            token: form.api_token.clone(),
            enabled: true,
        });
        provisioning.switches = Switches {
            create: form.create,
            update: form.update,
            deactivate: form.deactivate,
        };
        let features = provisioning
            .features()
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.provisioning_engine.retry(&mut self.org);
        self.settle();
        Ok(features)
    }

    pub(crate) fn publish_dns(&mut self, records: &[DnsRecord]) {
        let records = records.iter();
        let records =
            records.map(|record| okta::DnsRecord::new(&record.kind, &record.name, &record.value));
        self.org.dns.extend(records);
    }

    pub(crate) fn sign_in(&mut self, user_code: &str, login: &str) -> Result<String, Refused> {
        let now = self.now();
        let assertion = self.assertion(login)?;
        self.cloud
            .approve_device(user_code, &assertion, now)
            .map_err(Refused)?;
        Ok(assertion.name_id)
    }

    /// Adds the application to Okta and makes Okta the identity source.
    pub(crate) fn federate(&mut self) -> Result<(), Refused> {
        let now = self.now();
        let none = serde_json::json!({});
        let added = self
            .org
            .install(IDENTITY_CENTER, "AWS IAM Identity Center", &none, now);
        let app = added.and_then(|id| self.org.apps.get(&id));
        let metadata = app.and_then(|app| self.org.metadata_file(app));
        let metadata =
            metadata.ok_or_else(|| Refused("the application cannot be added".to_owned()))?;
        let shown = self.change_identity_source(metadata.as_bytes())?;
        let app = self.identity_center_app()?.id.clone();
        let app = self.org.apps.get_mut(&app).ok_or_else(no_app)?;
        app.set_setting("acsURL", &shown.acs_url);
        app.set_setting("entityID", &shown.issuer_url);
        Ok(())
    }

    /// What Okta tells AWS of a user who is signed in.
    fn assertion(&self, login: &str) -> Result<Assertion, Refused> {
        let user = self.org.users.values().find(|user| user.login() == login);
        let user = user.ok_or_else(|| Refused("Unable to sign in: no such user".to_owned()))?;
        if !user.is_active() {
            return Err(Refused(
                "Unable to sign in: the user is not active".to_owned(),
            ));
        }
        let app = self.identity_center_app()?;
        let Some(assigned) = app.users.get(&user.id) else {
            return Err(Refused(format!("{login} is not assigned to {}", app.name)));
        };
        let key = app.active_key();
        let key = key.ok_or_else(|| Refused("the application has no signing key".to_owned()))?;
        // What Okta sends an application to whose fields were left blank, and which AWS does not take.
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

    /// The one application a person at the console means.
    fn identity_center_app(&self) -> Result<&App, Refused> {
        let mut apps = self.org.apps.values();
        apps.find(|app| app.name == IDENTITY_CENTER && app.active)
            .ok_or_else(no_app)
    }
}

fn no_app() -> Refused {
    Refused("there is no active application AWS IAM Identity Center in Okta".to_owned())
}
