//! Users and groups that are assigned to an app.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Value, json};

use crate::{
    App, Apps, Error, Group, Id, User,
    apps::path,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

impl Apps<'_> {
    /// Lists the users of an app, both direct assignments and assignments through a group.
    pub fn users(&self, id: &Id<App>) -> Pager<AppUser, Error> {
        let path = path(id, &["users"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", USERS_PAGE.to_string()))
    }

    /// Returns a user of an app, or `None` if the user is not assigned to the app.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn user_opt(&self, id: &Id<App>, user: &Id<User>) -> Result<Option<AppUser>, Error> {
        self.client
            .read_opt(Call::get(path(id, &["users", user.as_str()])))
            .await
    }

    /// Assigns a user to an app directly. This replaces an assignment through a group.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the user does not exist.
    pub async fn assign_user(&self, id: &Id<App>, user: &Id<User>) -> Result<AppUser, Error> {
        let scope = AppUserScope::User;
        let call = Call::post(path(id, &["users"]))
            .json(&json!({ "id": user.as_str(), "scope": scope.as_str() }))
            // Assigning a user twice has the same effect as assigning the user once.
            .with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }

    /// Unassigns a user from an app.
    ///
    /// Okta deletes the user's app profile. If provisioning is configured to deactivate users, the
    /// account at the app is deactivated.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user is not assigned.
    pub async fn unassign_user(&self, id: &Id<App>, user: &Id<User>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["users", user.as_str()])))
            .await
    }

    /// Lists the groups that are assigned to an app.
    pub fn groups(&self, id: &Id<App>) -> Pager<AppGroup, Error> {
        let path = path(id, &["groups"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", GROUPS_PAGE.to_string()))
    }

    /// Assigns a group to an app, including all current and future members.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the group does not exist.
    pub async fn assign_group(&self, id: &Id<App>, group: &Id<Group>) -> Result<AppGroup, Error> {
        let call = Call::put(path(id, &["groups", group.as_str()])).json(&json!({}));
        self.client.read(call).await
    }

    /// Unassigns a group from an app, and with it all users who are assigned only through this
    /// group.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the group is not assigned.
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
    /// The kind of the assignment: direct or through a group.
    pub scope: AppUserScope,
    /// The status of the user's account at the app.
    pub status: AppUserStatus,
    /// Whether the account at the app is up to date, if Okta reports it.
    pub sync_state: Option<SyncState>,
    /// The id of the account at the app, if it exists already.
    pub external_id: Option<String>,
    /// The user name at the app.
    pub user_name: Option<String>,
    /// Time of the last synchronization of the account, in Okta's format.
    pub last_sync: Option<String>,
}

impl FromJson for AppUser {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            scope: json::open_enum(&value, "/scope"),
            status: json::open_enum(&value, "/status"),
            sync_state: json::str_at(&value, "/syncState").map(SyncState::from),
            external_id: json::string(&value, "/externalId"),
            user_name: json::string(&value, "/credentials/userName"),
            last_sync: json::string(&value, "/lastSync"),
        })
    }
}

/// A group that is assigned to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppGroup {
    /// The id of the group.
    pub id: Id<Group>,
    /// The priority that decides which group's profile applies to members of several groups.
    pub priority: Option<i64>,
    /// Time of the last change of the assignment, in Okta's format.
    pub last_updated: Option<String>,
}

impl FromJson for AppGroup {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            priority: value.get("priority").and_then(Value::as_i64),
            last_updated: json::string(&value, "/lastUpdated"),
        })
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

// These are the largest pages that Okta allows, because every page counts against the lowest rate
// limit.
const USERS_PAGE: u32 = 500;
const GROUPS_PAGE: u32 = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AppGroup, AppUser, AppUserScope, AppUserStatus, SyncState};
    use crate::json::FromJson;

    #[test]
    fn an_app_user_is_decoded_with_its_status() {
        let user = AppUser::from_json(json!({
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
        let user = AppUser::from_json(odd).expect("a valid user");
        assert_eq!((user.sync_state, user.user_name), (None, None));
    }

    #[test]
    fn an_app_group_may_have_no_priority() {
        let group =
            AppGroup::from_json(json!({ "id": "00g1", "priority": null })).expect("a valid group");
        assert_eq!(group.priority, None);
        let group =
            AppGroup::from_json(json!({ "id": "00g1", "priority": 3 })).expect("a valid group");
        assert_eq!(group.priority, Some(3));
    }
}
