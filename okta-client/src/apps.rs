//! Apps.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Map, Value, json};

use crate::{Client, Error, Id, filter, open_enum::open_enum};

mod document;
mod provisioning;
mod saml;

pub use document::{App, AppDocument};
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
    pub fn list(&self, options: ListApps) -> Pager<App, Error> {
        // Okta documents only one condition per app filter, so a second condition is checked here.
        let by_name = options.name.as_deref().map(|name| filter::eq("name", name));
        let by_status = options
            .status
            .as_ref()
            .map(|status| filter::eq("status", status.as_str()));
        let filter = by_name.or(by_status);
        let limit = options.limit.unwrap_or(PAGE);
        let first = move || {
            Call::get(APPS)
                .query("limit", limit.to_string())
                .query_opt("filter", filter.clone())
        };
        let pages = self.client.list(first);
        match options.status {
            Some(status) => pages.filter(move |app: &App| app.status() == status),
            None => pages,
        }
    }

    /// Returns an app. Use [`get_opt`](Self::get_opt) if the app may not exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    pub async fn get(&self, id: &Id<App>) -> Result<App, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Returns an app, or `None` if the app does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn get_opt(&self, id: &Id<App>) -> Result<Option<App>, Error> {
        self.client.read_opt(Call::get(path(id, &[]))).await
    }

    /// Creates an app and activates it.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or Okta rejects the settings. If [`Error::may_have_acted`], Okta may
    /// have created the app: check with [`list`](Self::list).
    pub async fn create(&self, app: &NewApp) -> Result<App, Error> {
        let call = Call::post(APPS).query("activate", "true").json(&app.body());
        self.client.read(call).await
    }

    /// Replaces an app's document with a document from [`App::edit`].
    ///
    /// Okta does not support conditional updates. To detect concurrent changes, compare
    /// [`App::last_updated`] right before the call and check [`App::differences`] after it.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta rejects the document.
    pub async fn replace(&self, id: &Id<App>, document: &AppDocument) -> Result<App, Error> {
        self.client
            .read(Call::put(path(id, &[])).json(document.document()))
            .await
    }

    /// Activates an app. Succeeds if the app is already active.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    pub async fn activate(&self, id: &Id<App>) -> Result<(), Error> {
        self.lifecycle(id, "activate").await
    }

    /// Deactivates an app. Users cannot sign in through it until it is activated again.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    pub async fn deactivate(&self, id: &Id<App>) -> Result<(), Error> {
        self.lifecycle(id, "deactivate").await
    }

    /// Deletes an app, which must be [`Inactive`](AppStatus::Inactive).
    ///
    /// Okta applies a deactivation with a delay, and may reject the deletion until then.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app is active, or if the app does not exist.
    pub async fn delete(&self, id: &Id<App>) -> Result<(), Error> {
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
    APPS.iter()
        .copied()
        .chain([id.as_str()])
        .chain(rest.iter().copied())
        .map(String::from)
        .collect()
}

const APPS: [&str; 3] = ["api", "v1", "apps"];
const PAGE: u32 = 200;

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
