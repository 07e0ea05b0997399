//! The features of an app that provisions users.

use rest_core::{Call, Pager};

use super::{App, Apps, ProvisioningStatus, path};
use crate::{Edit, Error, Id, json::resource, open_enum::open_enum};

impl Apps<'_> {
    /// Lists the features of an app that provisions users. Okta returns them on one page.
    ///
    /// Okta supports this for a few apps only (`google`, `office365`, `okta_org2org`, `slack`, `zoomus`, `zscalerbyz`;
    /// "Application Features"). For all apps, [`App::features`] shows which options are enabled.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// for feature in okta.apps().features(&app).try_collect().await? {
    ///     println!("{}: {}", feature.name, feature.status);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading the page fails if the request fails, if the app does not exist, or if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]).
    ///
    /// Scope: `okta.apps.read`.
    pub fn features(&self, id: &Id<App>) -> Pager<AppFeature, Error> {
        let path = path(id, &["features"]);
        self.client.list(move || Call::get(path.clone()))
    }

    /// Returns a feature. [`provisioning`](Self::provisioning) returns the feature `USER_PROVISIONING` as a type.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let feature = okta.apps().feature(&app, &FeatureName::InboundProvisioning).await?;
    /// assert_eq!(feature.status, ProvisioningStatus::Disabled);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]).
    ///
    /// Scope: `okta.apps.read`.
    pub async fn feature(&self, id: &Id<App>, name: &FeatureName) -> Result<AppFeature, Error> {
        self.client
            .read(Call::get(path(id, &["features", name.as_str()])))
            .await
    }

    /// Changes the capabilities that `edit` contains, such as `/create/lifecycleCreate/status`. Start with
    /// [`Edit::new`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let mut edit = Edit::new();
    /// edit.set("/update/profile/status", "DISABLED")?;
    /// okta.apps().update_feature(&app, &FeatureName::UserProvisioning, &edit).await?;
    /// assert!(!okta.apps().provisioning(&app).await?.options.update);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]), or if Okta rejects a value.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn update_feature(
        &self,
        id: &Id<App>,
        name: &FeatureName,
        edit: &Edit<AppFeature>,
    ) -> Result<AppFeature, Error> {
        let call = Call::put(path(id, &["features", name.as_str()])).json(edit);
        self.client.read(call).await
    }
}

resource! {
    /// A feature of an app. Its capabilities are in [`raw`](Self::raw).
    resource AppFeature {
        /// The name.
        pub name: FeatureName = "/name",
        /// Whether the feature is enabled.
        pub status: ProvisioningStatus = "/status",
        /// The description.
        pub description: Option<String> = "/description",
    }
}

open_enum! {
    /// Name of a feature of an app.
    FeatureName {
        /// Okta provisions users in the app.
        UserProvisioning = "USER_PROVISIONING",
        /// Okta imports users from the app.
        InboundProvisioning = "INBOUND_PROVISIONING",
    }
}
