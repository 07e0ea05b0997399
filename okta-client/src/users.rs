//! Users of an org.

use rest_core::{Call, Pager};
use serde_json::{Map, Value};

use crate::{
    Client, Error, Id,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

/// Calls for users.
#[derive(Debug, Clone, Copy)]
pub struct Users<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for users.
    #[must_use]
    pub fn users(&self) -> Users<'_> {
        Users { client: self }
    }
}

impl Users<'_> {
    /// Returns the admin who owns the token of this client.
    ///
    /// # Errors
    ///
    /// Fails if the request fails. The error code `E0000011` means that Okta does not accept the
    /// token.
    pub async fn me(&self) -> Result<User, Error> {
        self.client.read(get_user("me")).await
    }

    /// Returns a user. Use [`get_opt`](Self::get_opt) if the user may not exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the user does not exist.
    pub async fn get(&self, user: &UserRef) -> Result<User, Error> {
        self.client.read(get_user(user.as_str())).await
    }

    /// Returns a user, or `None` if the user does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn get_opt(&self, user: &UserRef) -> Result<Option<User>, Error> {
        self.client.read_opt(get_user(user.as_str())).await
    }

    /// Lists the users that match `options`.
    ///
    /// Without a filter or a search, deprovisioned users are omitted.
    pub fn list(&self, options: ListUsers) -> Pager<User, Error> {
        self.client.list(move || {
            Call::get(["api", "v1", "users"])
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("filter", options.filter.clone())
                .query_opt("search", options.search.clone())
        })
    }
}

/// Options of [`Users::list`].
///
/// Fields may be added: end with `..ListUsers::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListUsers {
    /// A filter on status, login, email, name or time of change, such as
    /// `profile.login eq "ada@example.com"`. It sees changes immediately.
    pub filter: Option<String>,
    /// A search over any attribute. It sees changes with a delay.
    pub search: Option<String>,
    /// Number of users per page (default: 200).
    pub limit: Option<u32>,
}

/// A reference to a user by id or by login.
///
/// Use the full login: Okta resolves a prefix, such as `ada`, to the first login that starts with
/// it, and `me` to the owner of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRef(String);

impl UserRef {
    /// Returns a reference to the user with the login `login`, such as `ada@example.com`.
    pub fn login(login: impl Into<String>) -> Self {
        Self(login.into())
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Id<User>> for UserRef {
    fn from(id: Id<User>) -> Self {
        Self(id.into())
    }
}

impl From<&Id<User>> for UserRef {
    fn from(id: &Id<User>) -> Self {
        Self(id.as_str().to_owned())
    }
}

/// A user account. Service accounts are user accounts too.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: Id<Self>,
    /// The user's lifecycle status.
    pub status: UserStatus,
    /// The user's attributes.
    pub profile: UserProfile,
}

impl FromJson for User {
    fn from_json(mut value: Value) -> Result<Self, Missing> {
        let id = json::id(&value, "/id")?;
        let status = json::open_enum(&value, "/status");
        let profile = match value.get_mut("profile").map(Value::take) {
            Some(Value::Object(profile)) => UserProfile::from_map(profile),
            _ => UserProfile::default(),
        };
        Ok(Self {
            id,
            status,
            profile,
        })
    }
}

/// The attributes of a user. An empty attribute counts as absent.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct UserProfile {
    /// The login name; empty only if Okta omitted it.
    pub login: String,
    /// The email address.
    pub email: Option<String>,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// The display name; often absent.
    pub display_name: Option<String>,
    /// All other attributes, as Okta sent them.
    pub other: Map<String, Value>,
}

impl UserProfile {
    fn from_map(mut other: Map<String, Value>) -> Self {
        let mut take = |name: &str| match other.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        Self {
            login: take("login").unwrap_or_default(),
            email: take("email"),
            first_name: take("firstName"),
            last_name: take("lastName"),
            display_name: take("displayName"),
            other,
        }
    }
}

open_enum! {
    /// Lifecycle status of a user, which determines whether the user can sign in.
    UserStatus {
        /// The user can sign in.
        Active = "ACTIVE",
        /// The user was created but is not activated yet.
        Staged = "STAGED",
        /// The user was activated but has not set a password yet.
        Provisioned = "PROVISIONED",
        /// The user is resetting the password.
        Recovery = "RECOVERY",
        /// The password must be changed.
        PasswordExpired = "PASSWORD_EXPIRED",
        /// The user is locked out after too many wrong passwords.
        LockedOut = "LOCKED_OUT",
        /// An admin has suspended the user.
        Suspended = "SUSPENDED",
        /// The user was deactivated and lost all assignments.
        Deprovisioned = "DEPROVISIONED",
    }
}

fn get_user(user: &str) -> Call {
    Call::get(["api", "v1", "users", user])
}

// This is Okta's default, and the largest page size in Okta's documentation.
const PAGE: u32 = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{User, UserStatus};
    use crate::json::{FromJson, Missing};

    #[test]
    fn a_user_is_decoded_with_all_attributes() {
        let user = User::from_json(json!({
            "id": "00u1",
            "status": "PASSWORD_EXPIRED",
            "profile": {
                "login": "ada@example.com", "email": "ada@example.com", "firstName": "Ada",
                "lastName": "Lovelace", "displayName": "", "mobilePhone": null, "costCenter": 7
            }
        }))
        .expect("a valid user");
        assert_eq!(user.status, UserStatus::PasswordExpired);
        assert_eq!(user.profile.login, "ada@example.com");
        assert_eq!(user.profile.first_name.as_deref(), Some("Ada"));
        assert_eq!(user.profile.display_name, None);
        let other = json!({ "mobilePhone": null, "costCenter": 7 });
        assert_eq!(serde_json::Value::Object(user.profile.other), other);
    }

    #[test]
    fn a_user_with_invalid_fields_is_decoded() {
        let odd = json!({ "id": "00u1", "status": null, "profile": null });
        let user = User::from_json(odd).expect("a valid user");
        assert_eq!(user.status, UserStatus::Other(String::new()));
        assert_eq!(user.profile.login, "");
        assert_eq!(User::from_json(json!([])), Err(Missing("/id")));
    }
}
