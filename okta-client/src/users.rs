//! People.

use rest_core::{Call, Pager};
use serde_json::{Map, Value};

use crate::{
    Client, Error, Id,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

/// The calls about people.
#[derive(Debug, Clone, Copy)]
pub struct Users<'a> {
    client: &'a Client,
}

impl<'a> Users<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Returns the admin whose token this client uses.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails; a token that is not accepted is `E0000011`.
    pub async fn me(&self) -> Result<User, Error> {
        self.client.read(one("me")).await
    }

    /// Returns a user; see [`get_opt`](Self::get_opt) where absence is normal.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such user.
    pub async fn get(&self, user: &UserRef) -> Result<User, Error> {
        self.client.read(one(user.as_str())).await
    }

    /// Returns a user, or `None` if there is no such user.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails.
    pub async fn get_opt(&self, user: &UserRef) -> Result<Option<User>, Error> {
        self.client.read_opt(one(user.as_str())).await
    }

    /// Returns the users that `options` asks for.
    ///
    /// Without a filter or a search, deprovisioned users are left out.
    pub fn list(&self, options: ListUsers) -> Pager<User, Error> {
        self.client.list(move || {
            Call::get(["api", "v1", "users"])
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("filter", options.filter.clone())
                .query_opt("search", options.search.clone())
        })
    }
}

/// Which users [`Users::list`] returns.
#[derive(Debug, Clone, Default)]
pub struct ListUsers {
    /// A filter on status, login, email, name or time of change, such as
    /// `profile.login eq "ada@example.com"`; sees every change at once.
    pub filter: Option<String>,
    /// A search over any attribute; lags behind changes.
    pub search: Option<String>,
    /// How many users a page has; 200 unless told otherwise.
    pub limit: Option<u32>,
}

/// A user by id or by login.
///
/// A login is given in full: Okta takes a part of one, such as `ada`, for the first login that
/// begins with it, and `me` for the owner of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRef(String);

impl UserRef {
    /// Returns the user who signs in with `login`, such as `ada@example.com`.
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

/// A person, or something else that signs in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: Id<Self>,
    /// Whether the user can sign in, and if not, why.
    pub status: UserStatus,
    /// What is known about the user.
    pub profile: UserProfile,
}

impl FromJson for User {
    fn from_json(mut value: Value) -> Result<Self, Missing> {
        let id = json::id(&value, "/id")?;
        let status = json::word(&value, "/status");
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

/// The attributes of a user; an empty one counts as absent.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct UserProfile {
    /// The name the user signs in with; empty only if Okta left it out.
    pub login: String,
    /// The email address.
    pub email: Option<String>,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// The name to be shown; often absent.
    pub display_name: Option<String>,
    /// Every other attribute, as Okta sent it.
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
    /// Whether a user can sign in, and if not, why.
    UserStatus {
        /// The user can sign in.
        Active = "ACTIVE",
        /// The user was created and not activated yet.
        Staged = "STAGED",
        /// The user was activated and has not chosen a password yet.
        Provisioned = "PROVISIONED",
        /// The user is choosing a new password.
        Recovery = "RECOVERY",
        /// The password has to be changed.
        PasswordExpired = "PASSWORD_EXPIRED",
        /// The wrong password was entered too often.
        LockedOut = "LOCKED_OUT",
        /// An admin has shut the user out for a while.
        Suspended = "SUSPENDED",
        /// The user was deactivated, and everything assigned to them taken away.
        Deprovisioned = "DEPROVISIONED",
    }
}

fn one(user: &str) -> Call {
    Call::get(["api", "v1", "users", user])
}

// Okta's own default, and the largest page that its documentation speaks of.
const PAGE: u32 = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{User, UserStatus};
    use crate::json::{FromJson, Missing};

    #[test]
    fn a_user_is_read_with_everything_that_is_known() {
        let user = User::from_json(json!({
            "id": "00u1",
            "status": "PASSWORD_EXPIRED",
            "profile": {
                "login": "ada@example.com", "email": "ada@example.com", "firstName": "Ada",
                "lastName": "Lovelace", "displayName": "", "mobilePhone": null, "costCenter": 7
            }
        }))
        .expect("a user");
        assert_eq!(user.status, UserStatus::PasswordExpired);
        assert_eq!(user.profile.login, "ada@example.com");
        assert_eq!(user.profile.first_name.as_deref(), Some("Ada"));
        assert_eq!(user.profile.display_name, None);
        let other = json!({ "mobilePhone": null, "costCenter": 7 });
        assert_eq!(serde_json::Value::Object(user.profile.other), other);
    }

    #[test]
    fn an_odd_user_is_still_a_user() {
        let odd = json!({ "id": "00u1", "status": null, "profile": null });
        let user = User::from_json(odd).expect("a user");
        assert_eq!(user.status, UserStatus::Other(String::new()));
        assert_eq!(user.profile.login, "");
        assert_eq!(User::from_json(json!([])), Err(Missing("/id")));
    }
}
