//! Policies, and the authentication policy of an app.

use rest_core::{Call, Pager};

use crate::{App, Apps, Client, Error, Id, apps, json::resource, open_enum::open_enum};

/// Calls for policies.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for policies.
    #[must_use]
    pub fn policies(&self) -> Policies<'_> {
        Policies { client: self }
    }
}

impl Policies<'_> {
    /// Lists the policies of one type.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut policies = okta.policies().list(&PolicyType::AccessPolicy);
    /// while let Some(policy) = policies.try_next().await? {
    ///     println!("{} {}", policy.id, policy.name);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails, or if the org does not have the type: orgs on the Classic Engine have no
    /// [`AccessPolicy`](PolicyType::AccessPolicy).
    ///
    /// Scope: `okta.policies.read`.
    pub fn list(&self, kind: &PolicyType) -> Pager<Policy, Error> {
        let kind = kind.clone();
        self.client
            .list(move || Call::get(POLICIES).query("type", kind.as_str()))
    }

    /// Returns a policy.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = okta.apps().get(&aws(&okta).await?).await?;
    /// let id = app.access_policy().expect("an org on the Identity Engine");
    /// let policy = okta.policies().get(&id).await?;
    /// assert_eq!(policy.name, "Any two factors");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the policy does not exist.
    ///
    /// Scope: `okta.policies.read`.
    pub async fn get(&self, id: &Id<Policy>) -> Result<Policy, Error> {
        let [api, version, policies] = POLICIES;
        self.client
            .read(Call::get([api, version, policies, id.as_str()]))
            .await
    }
}

impl Apps<'_> {
    /// Selects the authentication policy of an app. Only for orgs on the Identity Engine.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let policies = okta.policies().list(&PolicyType::AccessPolicy).try_collect().await?;
    /// let strict = policies.into_iter().find(|policy| policy.name == "Phishing resistant");
    /// let strict = strict.expect("the policy").id;
    /// okta.apps().set_access_policy(&app, &strict).await?;
    /// assert_eq!(okta.apps().get(&app).await?.access_policy(), Some(strict));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the policy does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn set_access_policy(&self, id: &Id<App>, policy: &Id<Policy>) -> Result<(), Error> {
        self.client
            .send_discard(Call::put(apps::path(id, &["policies", policy.as_str()])))
            .await
    }
}

impl App {
    /// Returns the id of the app's authentication policy. Orgs on the Classic Engine have none.
    #[must_use]
    pub fn access_policy(&self) -> Option<Id<Policy>> {
        let link = self.raw().get("/_links/accessPolicy/href")?;
        Id::parse(link.as_text()?.rsplit('/').next()?).ok()
    }
}

resource! {
    /// A policy.
    resource Policy {
        /// The id.
        pub id: Id<Policy> = "/id",
        /// The name.
        pub name: String = "/name",
        /// The type.
        pub kind: PolicyType = "/type",
        /// Whether the policy is applied: `ACTIVE`, `INACTIVE`.
        pub status: Option<String> = "/status",
        /// The order in which Okta applies the policies; 1 is the first.
        pub priority: Option<i64> = "/priority",
        /// Whether this is the default policy, which cannot be deleted.
        pub is_system: bool = "/system",
    }
}

open_enum! {
    /// Type of a policy.
    PolicyType {
        /// The sign-in rules of apps (Identity Engine).
        AccessPolicy = "ACCESS_POLICY",
        /// The rules of the global session.
        OktaSignOn = "OKTA_SIGN_ON",
        /// The rules of passwords.
        Password = "PASSWORD",
        /// The authenticators that users enroll.
        MfaEnroll = "MFA_ENROLL",
        /// The identity providers to which Okta routes users.
        IdpDiscovery = "IDP_DISCOVERY",
        /// The attributes that users enter themselves (Identity Engine).
        ProfileEnrollment = "PROFILE_ENROLLMENT",
        /// The rules during a session (Identity Engine).
        PostAuthSession = "POST_AUTH_SESSION",
        /// The rules for users at risk (Identity Engine).
        EntityRisk = "ENTITY_RISK",
    }
}

const POLICIES: [&str; 3] = ["api", "v1", "policies"];
