//! Users of an app.

use rest_core::{Call, Idempotency, Pager};

use crate::{
    App, Apps, Edit, Error, Id, User, apps::path, body, client::found, json::resource,
    open_enum::open_enum,
};

impl Apps<'_> {
    /// Lists the users of an app, both direct assignments and assignments through a group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # okta.apps().assign_user(&app, &grace(&okta).await?).await?;
    /// let mut users = okta.apps().users(&app);
    /// while let Some(user) = users.try_next().await? {
    ///     println!("{:?}: {}", user.user_name, user.status);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub fn users(&self, id: &Id<App>) -> Pager<AppUser, Error> {
        self.list_users(id, ListAppUsers::default())
    }

    /// Lists the users of an app that match `options`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # okta.apps().assign_user(&app, &grace(&okta).await?).await?;
    /// let options = ListAppUsers { with_user: true, ..ListAppUsers::default() };
    /// let users = okta.apps().list_users(&app, options).try_collect().await?;
    /// assert_eq!(users[0].user().expect("the user").profile.login, "grace.hopper@example.com");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub fn list_users(&self, id: &Id<App>, options: ListAppUsers) -> Pager<AppUser, Error> {
        let path = path(id, &["users"]);
        self.client.list(move || {
            Call::get(path.clone())
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("q", options.query.clone())
                .query_opt("expand", options.with_user.then_some("user"))
        })
    }

    /// Returns a user of an app. Use [`user_opt`](Self::user_opt) if the user may not be assigned.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let grace = grace(&okta).await?;
    /// # okta.apps().assign_user(&app, &grace).await?;
    /// let user = okta.apps().user(&app, &grace).await?;
    /// assert_eq!(user.user_name.as_deref(), Some("grace.hopper@example.com"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user is not assigned to the app.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn user(&self, id: &Id<App>, user: &Id<User>) -> Result<AppUser, Error> {
        self.client
            .read(Call::get(path(id, &["users", user.as_str()])))
            .await
    }

    /// Returns a user of an app, or `None` if the user is not assigned to the app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let grace = grace(&okta).await?;
    /// assert_eq!(okta.apps().user_opt(&app, &grace).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn user_opt(&self, id: &Id<App>, user: &Id<User>) -> Result<Option<AppUser>, Error> {
        found(self.user(id, user).await)
    }

    /// Assigns a user to an app directly. This replaces an assignment through a group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let grace = grace(&okta).await?;
    /// let assigned = okta.apps().assign_user(&app, &grace).await?;
    /// assert_eq!(assigned.scope, AppUserScope::User);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the user does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn assign_user(&self, id: &Id<App>, user: &Id<User>) -> Result<AppUser, Error> {
        self.assign_user_with(id, user, &Edit::new()).await
    }

    /// Assigns a user to an app directly, with a user name or attributes at the app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let grace = grace(&okta).await?;
    /// let mut edit = Edit::new();
    /// edit.set_user_name("grace");
    /// let assigned = okta.apps().assign_user_with(&app, &grace, &edit).await?;
    /// assert_eq!(assigned.user_name.as_deref(), Some("grace"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app or the user does not exist, or if an attribute has a mapping
    /// (`E0000075`).
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn assign_user_with(
        &self,
        id: &Id<App>,
        user: &Id<User>,
        edit: &Edit<AppUser>,
    ) -> Result<AppUser, Error> {
        let mut edit = edit.clone();
        edit.set_text("/id", user.as_str());
        edit.set_text("/scope", AppUserScope::User.as_str());
        let call = Call::post(path(id, &["users"]))
            .json(&edit)
            // Assigning a user twice has the same effect as assigning the user once.
            .with_idempotency(Idempotency::Idempotent);
        let reply = self.client.request(call).await?;
        if reply.is_empty() {
            return self.user(id, user).await;
        }
        reply.read()
    }

    /// Changes the user name or the attributes of a user at an app, as far as `edit` contains them.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let grace = grace(&okta).await?;
    /// # okta.apps().assign_user(&app, &grace).await?;
    /// let mut edit = Edit::new();
    /// edit.set_user_name("grace");
    /// let updated = okta.apps().update_user(&app, &grace, &edit).await?;
    /// assert_eq!(updated.user_name.as_deref(), Some("grace"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the user is not assigned, if an attribute has a mapping (`E0000075`), or if the app
    /// does not accept these credentials (`E0000041`).
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn update_user(
        &self,
        id: &Id<App>,
        user: &Id<User>,
        edit: &Edit<AppUser>,
    ) -> Result<AppUser, Error> {
        let call = Call::post(path(id, &["users", user.as_str()]))
            .json(edit)
            .with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }

    /// Unassigns a user from an app.
    ///
    /// Okta deletes the user's app profile. If provisioning is configured to deactivate users, the
    /// account at the app is deactivated.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let grace = grace(&okta).await?;
    /// # okta.apps().assign_user(&app, &grace).await?;
    /// okta.apps().unassign_user(&app, &grace).await?;
    /// assert_eq!(okta.apps().user_opt(&app, &grace).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user is not assigned.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn unassign_user(&self, id: &Id<App>, user: &Id<User>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["users", user.as_str()])))
            .await
    }
}

/// Options of [`Apps::list_users`].
///
/// Fields may be added: end with `..ListAppUsers::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListAppUsers {
    /// The start of a user name, a first name, a last name or an email address.
    pub query: Option<String>,
    /// Whether each item contains the Okta user: [`AppUser::user`].
    pub with_user: bool,
    /// Number of users per page (default: 500, Okta's maximum).
    pub limit: Option<u32>,
}

resource! {
    /// A user of an app.
    resource AppUser {
        /// The id of the user.
        pub id: Id<User> = "/id",
        /// The kind of the assignment: direct or through a group.
        pub scope: AppUserScope = "/scope",
        /// The status of the user's account at the app.
        pub status: AppUserStatus = "/status",
        /// Whether the account at the app is up to date, if Okta reports it.
        pub sync_state: Option<SyncState> = "/syncState",
        /// The id of the account at the app, if it exists already.
        pub external_id: Option<String> = "/externalId",
        /// The user name at the app.
        pub user_name: Option<String> = "/credentials/userName",
        /// Time of the assignment, in Okta's format.
        pub created: Option<String> = "/created",
        /// Time of the last synchronization of the account, in Okta's format.
        pub last_sync: Option<String> = "/lastSync",
        /// Time of the last change of the status, in Okta's format.
        pub status_changed: Option<String> = "/statusChanged",
    }
}

impl AppUser {
    /// Returns the Okta user, if the list was requested with [`ListAppUsers::with_user`].
    #[must_use]
    pub fn user(&self) -> Option<User> {
        body::document(self.raw.get("/_embedded/user")?.bytes()).ok()
    }
}

impl Edit<AppUser> {
    /// Sets the user name at the app.
    pub fn set_user_name(&mut self, user_name: &str) {
        self.set_text("/credentials/userName", user_name);
    }
}

open_enum! {
    /// Kind of a user's assignment to an app.
    AppUserScope {
        /// The user is assigned directly.
        User = "USER",
        /// The user is assigned through a group.
        Group = "GROUP",
    }
}

open_enum! {
    /// Status of a user's account at an app.
    AppUserStatus {
        /// The user can use the app.
        Active = "ACTIVE",
        /// The account waits for a manual approval.
        Approved = "APPROVED",
        /// The account was deprovisioned.
        Deprovisioned = "DEPROVISIONED",
        /// All users have the app.
        Implicit = "IMPLICIT",
        /// The account was imported from the app, but has no Okta user yet.
        Imported = "IMPORTED",
        /// The account exists but cannot be used.
        Inactive = "INACTIVE",
        /// The account was imported from the app and matched to an Okta user.
        Matched = "MATCHED",
        /// The account exists but is not active yet.
        Pending = "PENDING",
        /// The account was created and has an id at the app.
        Provisioned = "PROVISIONED",
        /// The account waits for a manual removal.
        Revoked = "REVOKED",
        /// The account is in Okta's queue and will be created.
        Staged = "STAGED",
        /// The account exists but is temporarily blocked.
        Suspended = "SUSPENDED",
        /// The account was imported from the app and then ignored.
        Unassigned = "UNASSIGNED",
    }
}

open_enum! {
    /// Whether an account at an app is up to date.
    SyncState {
        /// Okta does not synchronize the account.
        Disabled = "DISABLED",
        /// The last synchronization failed.
        Error = "ERROR",
        /// The account is out of date.
        OutOfSync = "OUT_OF_SYNC",
        /// The account is up to date.
        Synchronized = "SYNCHRONIZED",
        /// A synchronization is in progress.
        Syncing = "SYNCING",
    }
}

// Okta's largest page, because every page counts against the lowest rate limit.
const PAGE: u32 = 500;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AppUser, AppUserScope, AppUserStatus, SyncState};
    use crate::json::decode;

    #[test]
    fn an_app_user_is_decoded_with_its_status() {
        let user = decode::<AppUser>(json!({
            "id": "00u1", "externalId": "9067", "scope": "GROUP", "status": "PROVISIONED",
            "syncState": "SYNCHRONIZED", "credentials": { "userName": "ada@example.com" },
            "profile": { "anything": 1 }, "lastSync": null
        }))
        .expect("a valid user");
        assert_eq!(user.scope, AppUserScope::Group);
        assert_eq!(user.status, AppUserStatus::Provisioned);
        assert_eq!(user.sync_state, Some(SyncState::Synchronized));
        assert_eq!(user.external_id.as_deref(), Some("9067"));
        assert_eq!(user.user_name.as_deref(), Some("ada@example.com"));
    }

    #[test]
    fn an_app_user_with_invalid_fields_is_decoded() {
        let odd = json!({ "id": "00u1", "syncState": null, "credentials": null });
        let user = decode::<AppUser>(odd).expect("a valid user");
        assert_eq!((user.sync_state, user.user_name), (None, None));
    }
}
