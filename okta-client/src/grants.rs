//! Grants: the OAuth 2.0 scopes that a service app may request.

use rest_core::{Call, Pager};
use serde_json::json;

use crate::{App, Apps, Error, Id, apps::path, json::resource};

impl Apps<'_> {
    /// Lists the scopes of Okta that are granted to an app. Okta returns them on one page.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = oauth_app(&okta).await?;
    /// # okta.apps().grant_scope(&app, "okta.users.read").await?;
    /// for grant in okta.apps().grants(&app).try_collect().await? {
    ///     println!("{} {:?}", grant.scope, grant.status);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading the page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.appGrants.read`.
    pub fn grants(&self, id: &Id<App>) -> Pager<Grant, Error> {
        let path = path(id, &["grants"]);
        self.client.list(move || Call::get(path.clone()))
    }

    /// Grants a scope to an app, such as `okta.users.read`. Needs a super admin.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = oauth_app(&okta).await?;
    /// let grant = okta.apps().grant_scope(&app, "okta.users.read").await?;
    /// assert_eq!(grant.status.as_deref(), Some("ACTIVE"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta does not know the scope.
    ///
    /// Scope: `okta.appGrants.manage`.
    pub async fn grant_scope(&self, id: &Id<App>, scope: &str) -> Result<Grant, Error> {
        // The issuer is the org authorization server, whose identifier is the org URL without a slash at the end.
        let issuer = self.client.org_url().as_str().trim_end_matches('/');
        let call =
            Call::post(path(id, &["grants"])).json(&json!({ "scopeId": scope, "issuer": issuer }));
        self.client.read(call).await
    }

    /// Returns a grant.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = oauth_app(&okta).await?;
    /// # let id = okta.apps().grant_scope(&app, "okta.users.read").await?.id;
    /// let grant = okta.apps().grant(&app, &id).await?;
    /// assert_eq!(grant.scope, "okta.users.read");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the grant does not exist.
    ///
    /// Scope: `okta.appGrants.read`.
    pub async fn grant(&self, id: &Id<App>, grant: &Id<Grant>) -> Result<Grant, Error> {
        self.client
            .read(Call::get(path(id, &["grants", grant.as_str()])))
            .await
    }

    /// Revokes a grant. The app can no longer request its scope.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = oauth_app(&okta).await?;
    /// # let grant = okta.apps().grant_scope(&app, "okta.users.read").await?;
    /// okta.apps().revoke_grant(&app, &grant.id).await?;
    /// assert!(okta.apps().grants(&app).try_collect().await?.is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the grant does not exist.
    ///
    /// Scope: `okta.appGrants.manage`.
    pub async fn revoke_grant(&self, id: &Id<App>, grant: &Id<Grant>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["grants", grant.as_str()])))
            .await
    }
}

resource! {
    /// A scope that is granted to an app.
    resource Grant {
        /// The id.
        pub id: Id<Grant> = "/id",
        /// The scope, such as `okta.users.read`.
        pub scope: String = "/scopeId",
        /// The authorization server, usually the org URL.
        pub issuer: Option<String> = "/issuer",
        /// Whether the grant is in effect: `ACTIVE`, `REVOKED`.
        pub status: Option<String> = "/status",
        /// The kind of consent: `ADMIN`, `END_USER`.
        pub source: Option<String> = "/source",
        /// The client id of the app.
        pub client_id: Option<String> = "/clientId",
        /// Time of the creation, in Okta's format.
        pub created: Option<String> = "/created",
    }
}
