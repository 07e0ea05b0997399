//! Apps.

use std::time::Duration;

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Map, Value, json};

use crate::{Client, Edit, Error, Id, client::join, filter, open_enum::open_enum};

mod csrs;
mod differences;
mod document;
mod features;
mod provisioning;
mod saml;

pub use csrs::{Csr, CsrSubject};
pub use document::{AcsSettings, App};
pub use features::{AppFeature, FeatureName};
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
    /// # use okta_client::{Client, NewApp};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = sandbox::Sandbox::start().await;
    /// # let token = okta_client::Secret::new(sandbox.okta_token());
    /// # let okta = Client::builder(&sandbox.okta_url(), token).build()?;
    /// let new = NewApp {
    ///     name: "amazon_aws_sso".to_owned(),
    ///     label: "AWS".to_owned(),
    ///     sign_on_mode: "SAML_2_0".to_owned(),
    ///     ..NewApp::default()
    /// };
    /// let created = okta.apps().create(&new).await?;
    /// let found = okta.apps().only_by_label("AWS").await?.expect("the app");
    /// assert_eq!(found.id(), created.id());
    /// # Ok(()) }
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

/// A new app.
///
/// Fields may be added: end with `..NewApp::default()`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewApp {
    /// The app's key in Okta's catalog, such as `amazon_aws_sso`.
    pub name: String,
    /// The label that users see; it need not be unique.
    pub label: String,
    /// The sign-on mode, such as `SAML_2_0`.
    pub sign_on_mode: String,
    /// The template for user names at the app, such as `${source.login}` (default: Okta's default
    /// for the app).
    pub user_name_template: Option<String>,
    /// The app-specific settings, `settings.app` in the document. Their keys, and the spelling of
    /// similar keys, differ between apps.
    pub settings: Map<String, Value>,
}

impl NewApp {
    fn body(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "label": self.label,
            "signOnMode": self.sign_on_mode,
        });
        if let Some(template) = &self.user_name_template {
            let kind = if is_built_in(template) {
                "BUILT_IN"
            } else {
                "CUSTOM"
            };
            body["credentials"] =
                json!({ "userNameTemplate": { "template": template, "type": kind } });
        }
        if !self.settings.is_empty() {
            body["settings"] = json!({ "app": self.settings });
        }
        body
    }
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

/// Returns whether `template` is in the list that Okta's Admin Console offers.
fn is_built_in(template: &str) -> bool {
    BUILT_IN.contains(&template)
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

/// The templates of type `BUILT_IN` (`ApplicationCredentialsUsernameTemplate` in Okta's published
/// API specification).
const BUILT_IN: [&str; 11] = [
    "${source.employeeID}",
    "${source.samAccountName}",
    "${fn:toLowerCase(source.samAccountName)}",
    "${source.userName}",
    "${fn:substringBefore(source.userName, \"@\")}",
    "${source.email}",
    "${fn:toLowerCase(source.email)}",
    "${fn:substringBefore(source.email, \"@\")}",
    "${source.userName}${instance.userSuffix}",
    "${source.login}",
    "${fn:substringBefore(source.login, \"@\")}",
];

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::NewApp;

    #[test]
    fn the_body_of_a_new_app_contains_only_set_fields() {
        let mut app = NewApp {
            name: "amazon_aws_sso".to_owned(),
            label: "AWS".to_owned(),
            sign_on_mode: "SAML_2_0".to_owned(),
            ..NewApp::default()
        };
        let minimal = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
        assert_eq!(app.body(), minimal);

        app.user_name_template = Some("${source.login}".to_owned());
        app.settings = Map::from_iter([("entityID".to_owned(), json!("https://x"))]);
        let body = app.body();
        let template = json!({ "template": "${source.login}", "type": "BUILT_IN" });
        assert_eq!(body["credentials"]["userNameTemplate"], template);
        assert_eq!(
            body["settings"],
            json!({ "app": { "entityID": "https://x" } })
        );
    }

    #[test]
    fn a_template_outside_the_list_has_type_custom() {
        let app = NewApp {
            user_name_template: Some("${user.login}-x".to_owned()),
            ..NewApp::default()
        };
        assert_eq!(
            app.body()["credentials"]["userNameTemplate"]["type"],
            "CUSTOM"
        );
    }
}
