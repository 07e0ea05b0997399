//! The settings of the org.

use rest_core::{Call, Idempotency};

use crate::{Client, Edit, Error, json::resource};

/// Calls for the settings of the org.
#[derive(Debug, Clone, Copy)]
pub struct Org<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for the settings of the org.
    #[must_use]
    pub fn org(&self) -> Org<'_> {
        Org { client: self }
    }
}

impl Org<'_> {
    /// Returns the settings.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let org = okta.org().get().await?;
    /// assert_eq!(org.status.as_deref(), Some("ACTIVE"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.orgs.read`.
    pub async fn get(&self) -> Result<OrgSettings, Error> {
        self.client.read(Call::get(ORG)).await
    }

    /// Changes the settings that `edit` contains, and no others. Start with [`Edit::new`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut edit = Edit::new();
    /// edit.set("/website", "https://www.example.com")?;
    /// let org = okta.org().update(&edit).await?;
    /// assert_eq!(org.website.as_deref(), Some("https://www.example.com"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or Okta rejects a value.
    ///
    /// Scope: `okta.orgs.manage`.
    pub async fn update(&self, edit: &Edit<OrgSettings>) -> Result<OrgSettings, Error> {
        let call = Call::post(ORG)
            .json(edit)
            .with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }
}

resource! {
    /// The settings of the org.
    resource OrgSettings {
        /// The id of the org.
        pub id: Option<String> = "/id",
        /// The name of the company.
        pub company_name: Option<String> = "/companyName",
        /// The first label of the org's own domain.
        pub subdomain: Option<String> = "/subdomain",
        /// Whether the org is in use: `ACTIVE`, `INACTIVE`.
        pub status: Option<String> = "/status",
        /// The website of the company.
        pub website: Option<String> = "/website",
        /// The phone number of the company's support.
        pub support_phone_number: Option<String> = "/supportPhoneNumber",
        /// Time of the creation, in Okta's format.
        pub created: Option<String> = "/created",
        /// Time of the last change, in Okta's format.
        pub last_updated: Option<String> = "/lastUpdated",
    }
}

const ORG: [&str; 3] = ["api", "v1", "org"];
