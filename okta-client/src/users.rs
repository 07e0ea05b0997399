//! Users of an org.

use http::{HeaderValue, header::IF_MATCH};
use rest_core::{Call, Idempotency, Pager};

use crate::{
    Client, Edit, Error, Id, SortOrder,
    client::{found, join},
};

mod user;

pub use user::{User, UserProfile, UserStatus};

/// Calls for users.
#[derive(Debug, Clone, Copy)]
pub struct Users<'a> {
    pub(crate) client: &'a Client,
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
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let admin = okta.users().me().await?;
    /// assert_eq!(admin.profile.login, "ada.lovelace@example.com");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails. The error code `E0000011` means that Okta does not accept the
    /// token.
    ///
    /// Scope: `okta.users.read`.
    pub async fn me(&self) -> Result<User, Error> {
        self.read(Call::get(path("me", &[]))).await
    }

    /// Returns a user, with its [`etag`](User::etag). Use [`get_opt`](Self::get_opt) if the user may not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let user = okta.users().get(&UserRef::login("grace.hopper@example.com")).await?;
    /// assert_eq!(user.status, UserStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the user does not exist.
    ///
    /// Scope: `okta.users.read`.
    pub async fn get(&self, user: &UserRef) -> Result<User, Error> {
        self.read(Call::get(path(user.as_str(), &[]))).await
    }

    /// Returns a user, or `None` if the user does not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let user = okta.users().get_opt(&UserRef::login("nobody@example.com")).await?;
    /// assert_eq!(user, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.users.read`.
    pub async fn get_opt(&self, user: &UserRef) -> Result<Option<User>, Error> {
        found(self.get(user).await)
    }

    /// Lists the users that match `options`.
    ///
    /// Without a filter or a search, deprovisioned users are omitted.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut users = okta.users().list(ListUsers {
    ///     filter: Some("status eq \"ACTIVE\"".to_owned()),
    ///     ..ListUsers::default()
    /// });
    /// while let Some(user) = users.try_next().await? {
    ///     println!("{} {:?}", user.profile.login, user.profile.text("department"));
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or if Okta rejects the filter or the search.
    ///
    /// Scope: `okta.users.read`.
    pub fn list(&self, options: ListUsers) -> Pager<User, Error> {
        self.client.list(move || {
            let order = options.sort_order.map(SortOrder::short);
            Call::get(USERS)
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("filter", options.filter.clone())
                .query_opt("search", options.search.clone())
                .query_opt("q", options.query.clone())
                .query_opt("sortBy", options.sort_by.clone())
                .query_opt("sortOrder", order)
                .query_opt("fields", options.fields.clone())
        })
    }

    /// Changes the attributes and the credentials that `edit` contains, and no others.
    ///
    /// Start with [`Edit::new`]. `null` removes an attribute. With [`UpdateUser::if_match`], the user is changed only
    /// if it did not change since it was read.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// let mut edit = Edit::new();
    /// edit.set_attribute("department", "Research")?.set_attribute("costCenter", ())?;
    /// let user = okta.users().update(&id, &edit, &UpdateUser::default()).await?;
    /// assert_eq!(user.profile.text("department").as_deref(), Some("Research"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the user does not exist, if Okta rejects a value, or with status 412 if the user
    /// has changed since.
    ///
    /// Scope: `okta.users.manage`.
    pub async fn update(
        &self,
        id: &Id<User>,
        edit: &Edit<User>,
        options: &UpdateUser,
    ) -> Result<User, Error> {
        // The same change twice has the effect of one. With a version, the second one would fail.
        let idempotency = match options.if_match {
            Some(_) => Idempotency::NotIdempotent,
            None => Idempotency::Idempotent,
        };
        let call = Call::post(path(id.as_str(), &[])).with_idempotency(idempotency);
        self.read(options.apply(call, edit)).await
    }

    /// Replaces all attributes of a user with those of `edit`, from [`User::edit`]. Okta removes attributes that `edit`
    /// does not contain.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = grace(&okta).await?;
    /// let user = okta.users().get(&id.into()).await?;
    /// let mut edit = user.edit();
    /// edit.set_attribute("title", "Rear Admiral")?;
    /// let unchanged = UpdateUser { if_match: user.etag.clone(), ..UpdateUser::default() };
    /// let user = okta.users().replace(&user.id, &edit, &unchanged).await?;
    /// assert_eq!(user.profile.text("title").as_deref(), Some("Rear Admiral"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the user does not exist, if Okta rejects a value, or with status 412 if the user
    /// has changed since ([`UpdateUser::if_match`]).
    ///
    /// Scope: `okta.users.manage`.
    pub async fn replace(
        &self,
        id: &Id<User>,
        edit: &Edit<User>,
        options: &UpdateUser,
    ) -> Result<User, Error> {
        let mut call = Call::put(path(id.as_str(), &[]));
        if options.if_match.is_some() {
            call = call.with_idempotency(Idempotency::NotIdempotent);
        }
        self.read(options.apply(call, edit)).await
    }

    /// Reads one user with its version.
    pub(crate) async fn read(&self, call: Call) -> Result<User, Error> {
        let reply = self.client.request(call).await?;
        let etag = reply.header("etag");
        let user: User = reply.read()?;
        Ok(User { etag, ..user })
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
    /// The start of a first name, a last name or an email address. Okta returns only one page of matching users.
    pub query: Option<String>,
    /// The attribute that determines the order, such as `profile.lastName`. Only for a search.
    pub sort_by: Option<String>,
    /// The order. Only for a search.
    pub sort_order: Option<SortOrder>,
    /// The fields to return, such as `id,status,profile:(login)` (default: all fields). All other fields of the users
    /// are absent, so such users are not fit for an update.
    pub fields: Option<String>,
    /// Number of users per page (default: 200).
    pub limit: Option<u32>,
}

/// Options of [`Users::update`] and [`Users::replace`].
///
/// Fields may be added: end with `..UpdateUser::default()`.
#[derive(Debug, Clone, Default)]
pub struct UpdateUser {
    /// The version that the user must have, from [`User::etag`] (default: any version).
    pub if_match: Option<String>,
    /// Whether a new password must satisfy the rules for age and history (default: no).
    pub strict: bool,
}

impl UpdateUser {
    fn apply(&self, call: Call, edit: &Edit<User>) -> Call {
        let mut call = call
            .query_opt("strict", self.strict.then_some("true"))
            .json(edit);
        if let Some(version) = &self.if_match
            && let Ok(version) = HeaderValue::try_from(version)
        {
            call = call.header(IF_MATCH, version);
        }
        call
    }
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

/// Returns the path of a user, with the segments `rest` appended.
pub(crate) fn path(user: &str, rest: &[&str]) -> Vec<String> {
    join(&[&USERS, &[user], rest])
}

pub(crate) const USERS: [&str; 3] = ["api", "v1", "users"];

// This is Okta's default, and the largest page size in Okta's documentation.
const PAGE: u32 = 200;
