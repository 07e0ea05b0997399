//! The life of a user: creation, activation, suspension, password, deletion.

use rest_core::{Call, Idempotency, Secret};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    Error, Group, Id, User, Users,
    json::{FromJson, Json, Missing, paths},
    raw::text,
    users::{USERS, path},
};

impl Users<'_> {
    /// Creates a user.
    ///
    /// Okta sends an activation email to a user without a password who is activated.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let user = NewUser {
    ///     login: "ada@example.com".to_owned(),
    ///     email: "ada@example.com".to_owned(),
    ///     first_name: "Ada".to_owned(),
    ///     last_name: "Byron".to_owned(),
    ///     ..NewUser::default()
    /// };
    /// let staged = CreateUser { activate: false, ..CreateUser::default() };
    /// let user = okta.users().create(&user, &staged).await?;
    /// assert_eq!(user.status, UserStatus::Staged);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the login is already in use, or if Okta rejects an attribute or the password. If
    /// [`Error::may_have_acted`], Okta may have created the user: check with [`get_opt`](Self::get_opt).
    ///
    /// Scope: `okta.users.manage`.
    pub async fn create(&self, user: &NewUser, options: &CreateUser) -> Result<User, Error> {
        let call = Call::post(USERS)
            .query("activate", options.activate.to_string())
            .query_opt("provider", user.provider.is_some().then_some("true"))
            .query_opt(
                "nextLogin",
                options.change_password.then_some("changePassword"),
            )
            .json(&user.body());
        let mut result = self.read(call).await;
        if let (Err(error), Some(password)) = (&mut result, &user.password) {
            error.redact(password);
        }
        result
    }

    /// Activates a user who is staged or deactivated.
    ///
    /// Without an email, the result has the link with which the user finishes the activation.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, sandbox| {
    /// # sandbox.set_user_status("grace.hopper@example.com", sandbox::PersonStatus::Staged);
    /// # let id = grace(&okta).await?;
    /// let activation = okta.users().activate(&id, SendEmail::No).await?;
    /// assert!(activation.url.is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the user does not exist, or if the status does not allow it (`E0000016`).
    ///
    /// Scope: `okta.users.manage`.
    pub async fn activate(&self, id: &Id<User>, email: SendEmail) -> Result<Activation, Error> {
        self.client.read(action(id, "activate", Some(email))).await
    }

    /// Activates a user again whose activation was not finished, such as one with an expired link.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, sandbox| {
    /// # sandbox.set_user_status("grace.hopper@example.com", sandbox::PersonStatus::Provisioned);
    /// # let id = grace(&okta).await?;
    /// let activation = okta.users().reactivate(&id, SendEmail::No).await?;
    /// assert!(activation.url.is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the user does not exist, or if the status is not
    /// [`Provisioned`](crate::UserStatus::Provisioned).
    ///
    /// Scope: `okta.users.manage`.
    pub async fn reactivate(&self, id: &Id<User>, email: SendEmail) -> Result<Activation, Error> {
        self.client
            .read(action(id, "reactivate", Some(email)))
            .await
    }

    /// Deactivates a user. The user loses all assignments and the passwords; apps may delete the user's data.
    ///
    /// The email goes to the admin. Okta may carry out a part of it later.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// okta.users().deactivate(&id, SendEmail::No).await?;
    /// assert_eq!(okta.users().get(&id.into()).await?.status, UserStatus::Deprovisioned);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user does not exist or is deactivated already.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn deactivate(&self, id: &Id<User>, email: SendEmail) -> Result<(), Error> {
        self.client
            .send_discard(action(id, "deactivate", Some(email)))
            .await
    }

    /// Suspends an active user. The user cannot sign in, and keeps all assignments.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// okta.users().suspend(&id).await?;
    /// assert_eq!(okta.users().get(&id.into()).await?.status, UserStatus::Suspended);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user does not exist or is not active (`E0000001`).
    ///
    /// Scope: `okta.users.manage`.
    pub async fn suspend(&self, id: &Id<User>) -> Result<(), Error> {
        self.client.send_discard(action(id, "suspend", None)).await
    }

    /// Lets a suspended user sign in again.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// # okta.users().suspend(&id).await?;
    /// okta.users().unsuspend(&id).await?;
    /// assert_eq!(okta.users().get(&id.into()).await?.status, UserStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user does not exist or is not suspended (`E0000001`).
    ///
    /// Scope: `okta.users.manage`.
    pub async fn unsuspend(&self, id: &Id<User>) -> Result<(), Error> {
        self.client
            .send_discard(action(id, "unsuspend", None))
            .await
    }

    /// Unlocks a user who is locked out after too many wrong passwords.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, sandbox| {
    /// # sandbox.set_user_status("grace.hopper@example.com", sandbox::PersonStatus::LockedOut);
    /// # let id = grace(&okta).await?;
    /// okta.users().unlock(&id).await?;
    /// assert_eq!(okta.users().get(&id.into()).await?.status, UserStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user does not exist or is not locked out.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn unlock(&self, id: &Id<User>) -> Result<(), Error> {
        self.client.send_discard(action(id, "unlock", None)).await
    }

    /// Starts a password reset. The old password is not valid anymore.
    ///
    /// Without an email, the result has the link for the user.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// let reset = okta.users().reset_password(&id, SendEmail::No).await?;
    /// assert!(reset.url.is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the user does not exist, or if the status does not allow it.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn reset_password(
        &self,
        id: &Id<User>,
        email: SendEmail,
    ) -> Result<PasswordReset, Error> {
        self.client
            .read(action(id, "reset_password", Some(email)))
            .await
    }

    /// Expires the password. The user must change it at the next sign-in.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// let user = okta.users().expire_password(&id).await?;
    /// assert_eq!(user.status, UserStatus::PasswordExpired);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user does not exist or has no password.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn expire_password(&self, id: &Id<User>) -> Result<User, Error> {
        self.read(action(id, "expire_password", None)).await
    }

    /// Replaces the password by a temporary one, which the user must change at the next sign-in.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// let temporary = okta.users().expire_password_with_temporary(&id).await?;
    /// assert!(!temporary.password.expose().is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the user does not exist or has no password.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn expire_password_with_temporary(
        &self,
        id: &Id<User>,
    ) -> Result<TemporaryPassword, Error> {
        let call = action(id, "expire_password_with_temp_password", None);
        self.client.read(call).await
    }

    /// Deletes a deactivated user permanently. A user with another status is only deactivated.
    ///
    /// The call is not retried after a lost response: the first attempt may have deactivated the user, and the second one
    /// would delete the user.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// okta.users().deactivate(&id, SendEmail::No).await?;
    /// okta.users().delete(&id).await?;
    /// assert_eq!(okta.users().get_opt(&id.into()).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the user does not exist.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn delete(&self, id: &Id<User>) -> Result<(), Error> {
        let call =
            Call::delete(path(id.as_str(), &[])).with_idempotency(Idempotency::NotIdempotent);
        self.client.send_discard(call).await
    }
}

/// A new user.
///
/// Fields may be added: end with `..NewUser::default()`.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// The login name, by default in the form of an email address.
    pub login: String,
    /// The email address.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Other attributes, such as `displayName` or `department`.
    pub attributes: Map<String, Value>,
    /// The password (default: none; the user chooses one during the activation).
    pub password: Option<Secret>,
    /// The directory that checks the password (default: Okta).
    pub provider: Option<UserProvider>,
    /// The groups of the user.
    pub groups: Vec<Id<Group>>,
}

impl NewUser {
    fn body(&self) -> Value {
        let mut profile = self.attributes.clone();
        for (name, value) in [
            ("login", &self.login),
            ("email", &self.email),
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
        ] {
            if !value.is_empty() {
                profile.insert(name.to_owned(), value.as_str().into());
            }
        }
        let mut body = json!({ "profile": profile });
        if let Some(password) = &self.password {
            body["credentials"]["password"] = json!({ "value": password.expose() });
        }
        if let Some(provider) = &self.provider {
            body["credentials"]["provider"] =
                json!({ "type": provider.kind, "name": provider.name });
        }
        if !self.groups.is_empty() {
            body["groupIds"] = json!(self.groups);
        }
        body
    }
}

/// The directory that checks the password of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProvider {
    /// The type, such as `FEDERATION`, `ACTIVE_DIRECTORY` or `SOCIAL`.
    pub kind: String,
    /// The name of the directory; the type for `FEDERATION` and `SOCIAL`.
    pub name: String,
}

/// Options of [`Users::create`].
///
/// Fields may be added: end with `..CreateUser::default()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateUser {
    /// Whether the user is activated at once (default: yes).
    pub activate: bool,
    /// Whether the user must change the password at the first sign-in. Needs a password and `activate` (default: no).
    pub change_password: bool,
}

impl Default for CreateUser {
    fn default() -> Self {
        Self {
            activate: true,
            change_password: false,
        }
    }
}

/// Whether Okta sends an email.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendEmail {
    /// Okta sends an email.
    Yes,
    /// Okta sends no email.
    No,
}

/// The result of an activation. Okta returns both values only without an email.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Activation {
    /// The link with which the user finishes the activation.
    pub url: Option<Secret>,
    /// The token in the link.
    pub token: Option<Secret>,
}

impl FromJson for Activation {
    fn from_json(json: &mut Json<'_>) -> Result<Self, Missing> {
        let ([url, token], _) = json.scan(paths!["/activationUrl", "/activationToken"]);
        Ok(Self {
            url: secret(url),
            token: secret(token),
        })
    }
}

/// The result of a password reset.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PasswordReset {
    /// The link for the user. Okta returns it only without an email.
    pub url: Option<Secret>,
}

impl FromJson for PasswordReset {
    fn from_json(json: &mut Json<'_>) -> Result<Self, Missing> {
        let ([url], _) = json.scan(paths!["/resetPasswordUrl"]);
        Ok(Self { url: secret(url) })
    }
}

/// A password that the user must change at the next sign-in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TemporaryPassword {
    /// The password.
    pub password: Secret,
}

impl FromJson for TemporaryPassword {
    fn from_json(json: &mut Json<'_>) -> Result<Self, Missing> {
        let ([password], _) = json.scan(paths!["/tempPassword"]);
        let password = secret(password).ok_or(Missing("/tempPassword"))?;
        Ok(Self { password })
    }
}

fn secret(found: Option<&RawValue>) -> Option<Secret> {
    Some(Secret::new(text(found?.get())?.into_owned()))
}

fn action(id: &Id<User>, action: &str, email: Option<SendEmail>) -> Call {
    let email = email.map(|email| (email == SendEmail::Yes).to_string());
    Call::post(path(id.as_str(), &["lifecycle", action])).query_opt("sendEmail", email)
}
