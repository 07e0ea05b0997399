//! Apps, and who and what is assigned to them.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Map, Value, json};

use crate::{Client, Error, Id, filter, open_enum::open_enum};

mod assignments;
mod document;
mod provisioning;
mod saml;

pub use assignments::{AppGroup, AppUser, AppUserScope, AppUserStatus, SyncState};
pub use document::{App, AppDocument};
pub use provisioning::{
    AuthScheme, Connection, ConnectionStatus, Provisioning, ProvisioningStatus,
    ProvisioningSwitches,
};
pub use saml::SigningKey;

/// The calls about apps.
///
/// Everything below one app counts against the org's scarcest rate limit: 100 calls a minute, or
/// 20 in a free org, of which one token gets half ("Management API rate limits"; "Token rate
/// limits").
#[derive(Debug, Clone, Copy)]
pub struct Apps<'a> {
    client: &'a Client,
}

impl<'a> Apps<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Returns the apps that `options` asks for.
    pub fn list(&self, options: ListApps) -> Pager<App, Error> {
        // Okta documents one condition in a filter of apps, so a second one is not sent.
        let by_name = options.name.as_deref().map(|name| filter::eq("name", name));
        let by_status = options
            .status
            .as_ref()
            .map(|status| filter::eq("status", status.as_str()));
        let filter = by_name.or(by_status);
        let limit = options.limit.unwrap_or(PAGE);
        let pages = self.client.list(move || {
            Call::get(APPS)
                .query("limit", limit.to_string())
                .query_opt("filter", filter.clone())
        });
        match options.status {
            Some(status) => pages.filter(move |app: &App| app.status() == status),
            None => pages,
        }
    }

    /// Returns an app; see [`get_opt`](Self::get_opt) where absence is normal.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn get(&self, id: &Id<App>) -> Result<App, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Returns an app, or `None` if there is no such app.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails.
    pub async fn get_opt(&self, id: &Id<App>) -> Result<Option<App>, Error> {
        self.client.read_opt(Call::get(path(id, &[]))).await
    }

    /// Creates an app and activates it.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or Okta does not accept the settings. After
    /// [`Error::Transport`] the app may exist nevertheless: [`list`](Self::list) tells.
    pub async fn create(&self, app: &NewApp) -> Result<App, Error> {
        let call = Call::post(APPS).query("activate", "true").json(&app.body());
        self.client.read(call).await
    }

    /// Replaces an app's document by one that was made with [`App::edit`].
    ///
    /// Okta has no way to say "only if nobody else changed it": compare
    /// [`App::last_updated`] right before, and look at [`App::differences`] after.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if there is no such app, or if Okta does not accept the
    /// document.
    pub async fn replace(&self, id: &Id<App>, document: &AppDocument) -> Result<App, Error> {
        self.client
            .read(Call::put(path(id, &[])).json(document.document()))
            .await
    }

    /// Activates an app; one that is active stays so.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn activate(&self, id: &Id<App>) -> Result<(), Error> {
        self.lifecycle(id, "activate").await
    }

    /// Deactivates an app: nobody can sign in through it until it is activated again.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn deactivate(&self, id: &Id<App>) -> Result<(), Error> {
        self.lifecycle(id, "deactivate").await
    }

    /// Deletes an app, which has to be [`Inactive`](AppStatus::Inactive).
    ///
    /// Okta takes a while to notice that an app is inactive, and may refuse in the meantime.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if the app is active, or if there is no such app.
    pub async fn delete(&self, id: &Id<App>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }

    async fn lifecycle(&self, id: &Id<App>, what: &str) -> Result<(), Error> {
        let call = Call::post(path(id, &["lifecycle", what])).idempotency(Idempotency::Idempotent);
        self.client.send_discard(call).await
    }
}

/// Which apps [`Apps::list`] returns.
#[derive(Debug, Clone, Default)]
pub struct ListApps {
    /// The key of the app in Okta's catalog, such as `amazon_aws_sso`; an org may have several
    /// apps of one key.
    pub name: Option<String>,
    /// The status.
    pub status: Option<AppStatus>,
    /// How many apps a page has; 200, the most that Okta allows, unless told otherwise.
    pub limit: Option<u32>,
}

/// An app to be created.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewApp {
    /// The key of the app in Okta's catalog, such as `amazon_aws_sso`.
    pub name: String,
    /// What people see; two apps may have the same.
    pub label: String,
    /// How people are signed in, such as `SAML_2_0`.
    pub sign_on_mode: String,
    /// What a user is called at the app, such as `${source.login}`; Okta's default for the app if
    /// there is none.
    pub user_name_template: Option<String>,
    /// The app's own settings, `settings.app` in the document; the keys differ from app to app,
    /// also in their spelling.
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
    /// Whether an app can be used.
    AppStatus {
        /// It can.
        Active = "ACTIVE",
        /// It was deactivated.
        Inactive = "INACTIVE",
        /// It is on its way out.
        Deleted = "DELETED",
    }
}

/// Returns whether `template` is one that Okta's Admin Console offers in its list.
fn is_built_in(template: &str) -> bool {
    BUILT_IN.contains(&template)
}

/// Returns the path of an app, and of something below it.
fn path(id: &Id<App>, rest: &[&str]) -> Vec<String> {
    APPS.iter()
        .copied()
        .chain([id.as_str()])
        .chain(rest.iter().copied())
        .map(String::from)
        .collect()
}

const APPS: [&str; 3] = ["api", "v1", "apps"];
const PAGE: u32 = 200;

/// The expressions of the type `BUILT_IN` (`ApplicationCredentialsUsernameTemplate`
/// in the description that Okta publishes of its API).
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
    fn a_new_app_says_only_what_is_known() {
        let mut app = NewApp {
            name: "amazon_aws_sso".to_owned(),
            label: "AWS".to_owned(),
            sign_on_mode: "SAML_2_0".to_owned(),
            ..NewApp::default()
        };
        let least = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
        assert_eq!(app.body(), least);

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
    fn a_template_of_ones_own_is_called_custom() {
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
