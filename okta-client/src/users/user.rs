//! A user and the user's attributes.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Edit, EditError, Id, Raw,
    json::{Element, Field, FromJson, Json, Missing, Paths, paths},
    open_enum::open_enum,
    raw::escape,
};

/// A user account. Service accounts are user accounts too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: Id<Self>,
    /// The user's lifecycle status.
    pub status: UserStatus,
    /// The user's attributes.
    pub profile: UserProfile,
    /// Time of the creation, in Okta's format.
    pub created: Option<String>,
    /// Time of the last change, in Okta's format.
    pub last_updated: Option<String>,
    /// Time of the last sign-in, in Okta's format.
    pub last_login: Option<String>,
    /// The version of the user, for [`UpdateUser::if_match`](crate::UpdateUser::if_match). Only a user that was read alone has one.
    pub etag: Option<String>,
}

impl User {
    /// Returns the JSON text that Okta sent, with the fields that this type does not have.
    #[must_use]
    pub fn raw(&self) -> &Raw {
        &self.profile.raw
    }

    /// Returns the document for [`Users::replace`](crate::Users::replace): all fields except those that are read-only.
    ///
    /// The credentials are left out, so an update does not change them.
    #[must_use]
    pub fn edit(&self) -> Edit<Self> {
        Edit::of(self.raw(), &READ_ONLY)
    }
}

impl FromJson for User {
    fn from_json(json: &mut Json<'_>) -> Result<Self, Missing> {
        let (
            [
                id,
                status,
                created,
                last_updated,
                last_login,
                login,
                email,
                first,
                last,
                display,
            ],
            raw,
        ) = json.scan(paths![
            "/id",
            "/status",
            "/created",
            "/lastUpdated",
            "/lastLogin",
            "/profile/login",
            "/profile/email",
            "/profile/firstName",
            "/profile/lastName",
            "/profile/displayName",
        ]);
        let text = |found: Option<&RawValue>| found.and_then(String::element);
        Ok(Self {
            id: Field::field(id).ok_or(Missing("/id"))?,
            status: Field::field(status).unwrap_or(UserStatus::Other(String::new())),
            created: text(created),
            last_updated: text(last_updated),
            last_login: text(last_login),
            etag: None,
            profile: UserProfile {
                login: text(login).unwrap_or_default(),
                email: text(email),
                first_name: text(first),
                last_name: text(last),
                display_name: text(display),
                raw,
            },
        })
    }
}

impl Edit<User> {
    /// Sets an attribute of the profile, such as `department`.
    ///
    /// # Errors
    ///
    /// Fails if `value` cannot be serialized.
    pub fn set_attribute(
        &mut self,
        name: &str,
        value: impl Serialize,
    ) -> Result<&mut Self, EditError> {
        self.set(&format!("/profile/{}", escape(name)), value)
    }
}

/// The attributes of a user. An empty attribute counts as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The text of the whole user.
    raw: Raw,
}

impl UserProfile {
    /// Returns any attribute as Okta sent it, such as `costCenter`, or `None` if the user does not have it.
    ///
    /// Each call reads the user's text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Raw> {
        let [found] = Paths::of_names(&[["profile", name]]).scan(self.raw.as_str());
        Some(Raw::part(self.raw.bytes(), found?.get()))
    }

    /// Returns any attribute that is a string. An empty string counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.get(name)?.as_text()?.into_owned();
        (!text.is_empty()).then_some(text)
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

/// The fields that Okta sets itself, and the credentials, whose secrets Okta never sends.
const READ_ONLY: [&str; 13] = [
    "id",
    "orn",
    "status",
    "created",
    "activated",
    "statusChanged",
    "lastLogin",
    "lastUpdated",
    "passwordChanged",
    "transitioningToStatus",
    "credentials",
    "_links",
    "_embedded",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{User, UserStatus};
    use crate::{
        Raw,
        json::{Missing, decode},
    };

    #[test]
    fn a_user_is_decoded_with_all_attributes() {
        let user = decode::<User>(json!({
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
        let other = ["mobilePhone", "costCenter", "absent"].map(|name| user.profile.get(name));
        assert_eq!(
            other.each_ref().map(|raw| raw.as_ref().map(Raw::as_str)),
            [Some("null"), Some("7"), None]
        );
        assert_eq!(user.profile.text("lastName").as_deref(), Some("Lovelace"));
        assert_eq!(user.profile.text("displayName"), None);
    }

    #[test]
    fn the_name_of_an_attribute_is_no_path() {
        let profile = json!({ "a": { "b": 1 }, "a/b": 2, "": 3 });
        let user = decode::<User>(json!({ "id": "00u1", "profile": profile }));
        let user = user.expect("a valid user");
        let found = ["a/b", "", "/a"].map(|name| user.profile.get(name));
        let found = found.each_ref().map(|raw| raw.as_ref().map(Raw::as_str));
        assert_eq!(found, [Some("2"), Some("3"), None]);
    }

    #[test]
    fn a_user_with_invalid_fields_is_decoded() {
        let odd = json!({ "id": "00u1", "status": null, "profile": null });
        let user = decode::<User>(odd).expect("a valid user");
        assert_eq!(user.status, UserStatus::Other(String::new()));
        assert_eq!(user.profile.login, "");
        assert_eq!(decode::<User>(json!([])), Err(Missing("/id")));
    }
}
