//! Apps.

use std::time::Duration;

use rest_core::{Call, Idempotency, Pager};

use crate::{Client, Edit, Error, Id, client::join, filter, open_enum::open_enum};

mod csrs;
mod differences;
mod document;
mod features;
mod new_app;
mod provisioning;
mod saml;

pub use csrs::{Csr, CsrSubject};
pub use document::{AcsSettings, App};
pub use features::{AppFeature, FeatureName};
pub use new_app::NewApp;
pub use provisioning::{
    AuthScheme, Connection, ConnectionStatus, Provisioning, ProvisioningOptions, ProvisioningStatus,
};
pub use saml::SigningKey;

/// Calls for apps.
///
/// Calls for an app's users, groups, keys and features count against the org's lowest rate limit:
/// 100 calls per minute, or 20 in a free org. A single token gets half of this ("Management API rate
/// limits"; "Token rate limits").
#[derive(Debug, Clone, Copy)]
pub struct Apps<'a> {
    pub(crate) client: &'a Client,
}

impl Client {
    /// Returns the calls for apps and their assignments.
    #[must_use]
    pub fn apps(&self) -> Apps<'_> {
        Apps { client: self }
    }
}

impl Apps<'_> {
    /// Lists the apps that match `options`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut apps = okta.apps().list(ListApps {
    ///     name: Some("amazon_aws_sso".to_owned()),
    ///     status: Some(AppStatus::Active),
    ///     ..ListApps::default()
    /// });
    /// let app = apps.try_next().await?.expect("the app");
    /// assert_eq!(app.label(), "AWS IAM Identity Center");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails.
    ///
    /// Scope: `okta.apps.read`.
    pub fn list(&self, options: ListApps) -> Pager<App, Error> {
        // Okta documents only one condition per app filter, so a second condition is checked here.
        let by_name = options.name.as_deref().map(|name| filter::eq("name", name));
        let by_status = options
            .status
            .as_ref()
            .map(|status| filter::eq("status", status.as_str()));
        let filter = by_name.or(by_status);
        let ListApps {
            name,
            status,
            query,
            limit,
        } = options;
        let first = move || {
            Call::get(APPS)
                .query("limit", limit.unwrap_or(PAGE).to_string())
                .query_opt("filter", filter.clone())
                .query_opt("q", query.clone())
        };
        // Okta may ignore a filter: the result would be another app.
        self.client.list(first).filter(move |app: &App| {
            name.as_deref().is_none_or(|name| app.name() == name)
                && status.as_ref().is_none_or(|status| app.status() == *status)
        })
    }

    /// Returns all apps with exactly this label. Okta accepts several apps with one label.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let apps = okta.apps().by_label("Intranet").await?;
    /// assert_eq!(apps[0].name(), "bookmark");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn by_label(&self, label: &str) -> Result<Vec<App>, Error> {
        let options = ListApps {
            query: Some(label.to_owned()),
            ..ListApps::default()
        };
        let mut apps = self.list(options).try_collect().await?;
        apps.retain(|app| app.label() == label);
        Ok(apps)
    }

    /// Returns the only app with exactly this label, or `None` if there is none.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let app = okta.apps().only_by_label("Intranet").await?.expect("the app");
    /// assert_eq!(app.name(), "bookmark");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if several apps have this label ([`Error::Ambiguous`], with their ids).
    ///
    /// Scope: `okta.apps.read`.
    pub async fn only_by_label(&self, label: &str) -> Result<Option<App>, Error> {
        let mut apps = self.by_label(label).await?;
        if apps.len() > 1 {
            return Err(Error::Ambiguous {
                operation: Call::get(APPS).operation(),
                name: label.to_owned(),
                ids: apps.iter().map(|app| app.id().to_string()).collect(),
            });
        }
        Ok(apps.pop())
    }

    /// Returns an app. Use [`get_opt`](Self::get_opt) if the app may not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = aws(&okta).await?;
    /// let app = okta.apps().get(&id).await?;
    /// assert_eq!(app.name(), "amazon_aws_sso");
    /// assert_eq!(app.sign_on_mode(), Some("SAML_2_0"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn get(&self, id: &Id<App>) -> Result<App, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Returns an app, or `None` if the app does not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = bookmark(&okta).await?;
    /// # okta.apps().deactivate(&id).await?;
    /// okta.apps().delete(&id).await?;
    /// assert_eq!(okta.apps().get_opt(&id).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn get_opt(&self, id: &Id<App>) -> Result<Option<App>, Error> {
        self.client.read_opt(Call::get(path(id, &[]))).await
    }

    /// Creates an app of Okta's catalog and activates it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let new = NewApp {
    ///     name: "amazon_aws_sso".to_owned(),
    ///     label: "AWS (test)".to_owned(),
    ///     sign_on_mode: "SAML_2_0".to_owned(),
    ///     ..NewApp::default()
    /// };
    /// let app = okta.apps().create(&new).await?;
    /// assert_eq!(app.status(), AppStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or Okta rejects the settings. If [`Error::may_have_acted`], Okta may
    /// have created the app: check with [`by_label`](Self::by_label).
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn create(&self, app: &NewApp) -> Result<App, Error> {
        let call = Call::post(APPS).query("activate", "true").json(&app.body());
        self.client.read(call).await
    }

    /// Creates an app from its whole document, such as a custom SAML app or an OAuth 2.0 service app, and activates it.
    ///
    /// Start with [`Edit::new`](crate::Edit::new). Okta requires `/label` and `/signOnMode`, and other fields by sign-on mode.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut edit = Edit::new();
    /// edit.set("/name", "bookmark")?.set("/label", "Wiki")?.set("/signOnMode", "BOOKMARK")?;
    /// edit.set_setting("url", "https://wiki.example.com");
    /// let app = okta.apps().create_with(&edit).await?;
    /// assert_eq!(app.setting("url"), Some("https://wiki.example.com"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or Okta rejects the document. If [`Error::may_have_acted`], Okta may
    /// have created the app: check with [`by_label`](Self::by_label).
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn create_with(&self, edit: &Edit<App>) -> Result<App, Error> {
        let call = Call::post(APPS).query("activate", "true").json(edit);
        self.client.read(call).await
    }

    /// Replaces an app's document with an edit from [`App::edit`].
    ///
    /// Okta does not support conditional updates. To detect concurrent changes, compare
    /// [`App::last_updated`] right before the call and check [`App::differences`] after it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = aws(&okta).await?;
    /// let before = okta.apps().get(&id).await?;
    /// let mut edit = before.edit();
    /// edit.set_label("AWS (production)");
    /// let after = okta.apps().replace(&id, &edit).await?;
    /// assert_eq!(before.differences(&after), ["label"]);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta rejects the document.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn replace(&self, id: &Id<App>, edit: &Edit<App>) -> Result<App, Error> {
        self.client.read(Call::put(path(id, &[])).json(edit)).await
    }

    /// Activates an app. Succeeds if the app is already active.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = aws(&okta).await?;
    /// # okta.apps().deactivate(&id).await?;
    /// okta.apps().activate(&id).await?;
    /// assert_eq!(okta.apps().get(&id).await?.status(), AppStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn activate(&self, id: &Id<App>) -> Result<(), Error> {
        self.lifecycle(id, "activate").await
    }

    /// Deactivates an app. Users cannot sign in through it until it is activated again.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = aws(&okta).await?;
    /// okta.apps().deactivate(&id).await?;
    /// assert_eq!(okta.apps().get(&id).await?.status(), AppStatus::Inactive);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn deactivate(&self, id: &Id<App>) -> Result<(), Error> {
        self.lifecycle(id, "deactivate").await
    }

    /// Deletes an app, which must be [`Inactive`](AppStatus::Inactive).
    ///
    /// Okta applies a deactivation with a delay, and rejects the deletion until then (`E0000056`, `E0000038`). If the app
    /// is inactive already, the deletion is tried again for up to about 30 s: after 1 s, 2 s, 4 s, 8 s and 15 s.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = aws(&okta).await?;
    /// okta.apps().deactivate(&id).await?;
    /// okta.apps().delete(&id).await?;
    /// assert_eq!(okta.apps().get_opt(&id).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app is active, or if the app does not exist.
    ///
    /// Scopes: `okta.apps.manage`, `okta.apps.read`.
    pub async fn delete(&self, id: &Id<App>) -> Result<(), Error> {
        for pause in DELETE_PAUSES {
            let result = self.try_delete(id).await;
            let Err(error) = &result else { return result };
            let is_refused = matches!(error.code(), Some("E0000056" | "E0000038"));
            if !is_refused || self.get(id).await?.status() != AppStatus::Inactive {
                return result;
            }
            self.client.sleep(pause).await;
        }
        self.try_delete(id).await
    }

    async fn try_delete(&self, id: &Id<App>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }

    async fn lifecycle(&self, id: &Id<App>, action: &str) -> Result<(), Error> {
        let call =
            Call::post(path(id, &["lifecycle", action])).with_idempotency(Idempotency::Idempotent);
        self.client.send_discard(call).await
    }
}

/// Options of [`Apps::list`].
///
/// Fields may be added: end with `..ListApps::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListApps {
    /// The app's key in Okta's catalog, such as `amazon_aws_sso`. An org may have several apps with
    /// the same key.
    pub name: Option<String>,
    /// The status.
    pub status: Option<AppStatus>,
    /// The start of the label or of the catalog key. Okta ignores case.
    pub query: Option<String>,
    /// Number of apps per page (default: 200, Okta's maximum).
    pub limit: Option<u32>,
}

open_enum! {
    /// Lifecycle status of an app.
    AppStatus {
        /// The app can be used.
        Active = "ACTIVE",
        /// The app was deactivated.
        Inactive = "INACTIVE",
        /// The app is being deleted.
        Deleted = "DELETED",
    }
}

/// Returns the path of an app, with the segments `rest` appended.
pub(crate) fn path(id: &Id<App>, rest: &[&str]) -> Vec<String> {
    join(&[&APPS, &[id.as_str()], rest])
}

const APPS: [&str; 3] = ["api", "v1", "apps"];
const PAGE: u32 = 200;

/// The pauses between the attempts to delete an app. Okta's own Terraform provider gives up after 30 s.
const DELETE_PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];
