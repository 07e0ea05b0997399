//! Who and what is assigned to an app.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Value, json};

use super::{App, Apps, path};
use crate::{
    Error, Group, Id, User,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

impl Apps<'_> {
    /// Returns the users of an app, whether they are assigned themselves or through a group.
    pub fn users(&self, id: &Id<App>) -> Pager<AppUser, Error> {
        let path = path(id, &["users"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", USERS_PAGE.to_string()))
    }

    /// Returns a user of an app, or `None` if the user is not assigned to it.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails.
    pub async fn user_opt(&self, id: &Id<App>, user: &Id<User>) -> Result<Option<AppUser>, Error> {
        self.client
            .read_opt(Call::get(path(id, &["users", user.as_str()])))
            .await
    }

    /// Assigns a user to an app; one who is assigned through a group is then assigned directly.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, or if app or user do not exist.
    pub async fn assign_user(&self, id: &Id<App>, user: &Id<User>) -> Result<AppUser, Error> {
        let scope = AppUserScope::User;
        let call = Call::post(path(id, &["users"]))
            .json(&json!({ "id": user.as_str(), "scope": scope.as_str() }))
            // Assigning somebody twice is assigning them once.
            .idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }

    /// Takes an app from a user.
    ///
    /// The user's profile at the app is lost, and the account there is deactivated if the app
    /// provisions that.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, or if the user is not assigned.
    pub async fn unassign_user(&self, id: &Id<App>, user: &Id<User>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["users", user.as_str()])))
            .await
    }

    /// Returns the groups that are assigned to an app.
    pub fn groups(&self, id: &Id<App>) -> Pager<AppGroup, Error> {
        let path = path(id, &["groups"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", GROUPS_PAGE.to_string()))
    }

    /// Assigns a group to an app, and with it everybody who is or will be in it.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, or if app or group do not exist.
    pub async fn assign_group(&self, id: &Id<App>, group: &Id<Group>) -> Result<AppGroup, Error> {
        let call = Call::put(path(id, &["groups", group.as_str()])).json(&json!({}));
        self.client.read(call).await
    }

    /// Takes an app from a group, and from everybody who has it through that group alone.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, or if the group is not assigned.
    pub async fn unassign_group(&self, id: &Id<App>, group: &Id<Group>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["groups", group.as_str()])))
            .await
    }
}

/// A user of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppUser {
    /// The id of the user.
    pub id: Id<User>,
    /// How the user came to the app.
    pub scope: AppUserScope,
    /// How far the user is at the app.
    pub status: AppUserStatus,
    /// Whether the account at the app is up to date, if Okta keeps it so.
    pub sync_state: Option<SyncState>,
    /// The id of the account at the app, once it has one.
    pub external_id: Option<String>,
    /// What the user is called at the app.
    pub user_name: Option<String>,
    /// When the account was last brought up to date, as Okta writes it.
    pub last_sync: Option<String>,
}

impl FromJson for AppUser {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            scope: json::word(&value, "/scope"),
            status: json::word(&value, "/status"),
            sync_state: json::str_at(&value, "/syncState").map(SyncState::from),
            external_id: json::text(&value, "/externalId"),
            user_name: json::text(&value, "/credentials/userName"),
            last_sync: json::text(&value, "/lastSync"),
        })
    }
}

/// A group that is assigned to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppGroup {
    /// The id of the group.
    pub id: Id<Group>,
    /// Which group's profile counts for somebody who is in several, as a number.
    pub priority: Option<i64>,
    /// When the assignment was last changed, as Okta writes it.
    pub last_updated: Option<String>,
}

impl FromJson for AppGroup {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            priority: value.get("priority").and_then(Value::as_i64),
            last_updated: json::text(&value, "/lastUpdated"),
        })
    }
}

open_enum! {
    /// How a user came to an app.
    AppUserScope {
        /// Directly.
        User = "USER",
        /// Through a group.
        Group = "GROUP",
    }
}

open_enum! {
    /// How far a user is at an app.
    AppUserStatus {
        /// The user can use the app.
        Active = "ACTIVE",
        /// The account waits for an approval by hand.
        Approved = "APPROVED",
        /// The account was taken away.
        Deprovisioned = "DEPROVISIONED",
        /// Everybody has the app.
        Implicit = "IMPLICIT",
        /// The account comes from the app and nobody has claimed it.
        Imported = "IMPORTED",
        /// The account is there and cannot be used.
        Inactive = "INACTIVE",
        /// The account comes from the app and a user was found for it.
        Matched = "MATCHED",
        /// The account is there and not active yet.
        Pending = "PENDING",
        /// The account was made, and has an id at the app.
        Provisioned = "PROVISIONED",
        /// The account waits to be taken away by hand.
        Revoked = "REVOKED",
        /// The account is about to be made; Okta has put it in its queue.
        Staged = "STAGED",
        /// The account is there and cannot be used for now.
        Suspended = "SUSPENDED",
        /// The account comes from the app and was passed over.
        Unassigned = "UNASSIGNED",
    }
}

open_enum! {
    /// Whether an account at an app is up to date.
    SyncState {
        /// Okta does not keep it so.
        Disabled = "DISABLED",
        /// The last try failed.
        Error = "ERROR",
        /// It is not.
        OutOfSync = "OUT_OF_SYNC",
        /// It is.
        Synchronized = "SYNCHRONIZED",
        /// Okta is at it.
        Syncing = "SYNCING",
    }
}

// The largest pages that Okta allows, because every page counts against the scarcest rate limit.
const USERS_PAGE: u32 = 500;
const GROUPS_PAGE: u32 = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AppGroup, AppUser, AppUserScope, AppUserStatus, SyncState};
    use crate::json::FromJson;

    #[test]
    fn a_user_of_an_app_is_read_with_how_far_they_are() {
        let user = AppUser::from_json(json!({
            "id": "00u1", "externalId": "9067", "scope": "GROUP", "status": "PROVISIONED",
            "syncState": "SYNCHRONIZED", "credentials": { "userName": "ada@example.com" },
            "profile": { "anything": 1 }, "lastSync": null
        }))
        .expect("a user");
        assert_eq!(user.scope, AppUserScope::Group);
        assert_eq!(user.status, AppUserStatus::Provisioned);
        assert_eq!(user.sync_state, Some(SyncState::Synchronized));
        assert_eq!(user.external_id.as_deref(), Some("9067"));
        assert_eq!(user.user_name.as_deref(), Some("ada@example.com"));
    }

    #[test]
    fn a_user_that_nothing_is_known_of_is_still_a_user() {
        let odd = json!({ "id": "00u1", "syncState": null, "credentials": null });
        let user = AppUser::from_json(odd).expect("a user");
        assert_eq!((user.sync_state, user.user_name), (None, None));
    }

    #[test]
    fn a_group_of_an_app_may_have_no_priority() {
        let group =
            AppGroup::from_json(json!({ "id": "00g1", "priority": null })).expect("a group");
        assert_eq!(group.priority, None);
        let group = AppGroup::from_json(json!({ "id": "00g1", "priority": 3 })).expect("a group");
        assert_eq!(group.priority, Some(3));
    }
}
