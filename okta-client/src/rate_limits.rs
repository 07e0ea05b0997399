//! Principal rate limits: the share of the org's rate limits that one token or app may use.

use rest_core::{Call, Pager};
use serde_json::json;

use crate::{Client, Edit, Error, Id, filter, json::resource, open_enum::open_enum};

/// Calls for principal rate limits.
#[derive(Debug, Clone, Copy)]
pub struct PrincipalRateLimits<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for principal rate limits.
    #[must_use]
    pub fn principal_rate_limits(&self) -> PrincipalRateLimits<'_> {
        PrincipalRateLimits { client: self }
    }
}

impl PrincipalRateLimits<'_> {
    /// Lists the limits of one kind of principal.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # limit(&okta).await?;
    /// for limit in okta.principal_rate_limits().list(&PrincipalType::SswsToken).try_collect().await? {
    ///     println!("{}: {:?} %", limit.principal_id, limit.percentage);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails.
    ///
    /// Scope: `okta.principalRateLimits.read`.
    pub fn list(&self, kind: &PrincipalType) -> Pager<PrincipalRateLimit, Error> {
        let filter = filter::eq("principalType", kind.as_str());
        self.client.list(move || {
            Call::get(LIMITS)
                .query("filter", filter.clone())
                .query("limit", PAGE.to_string())
        })
    }

    /// Returns a limit.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = limit(&okta).await?;
    /// let limit = okta.principal_rate_limits().get(&id).await?;
    /// assert_eq!(limit.percentage, Some(80));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the limit does not exist.
    ///
    /// Scope: `okta.principalRateLimits.read`.
    pub async fn get(&self, id: &Id<PrincipalRateLimit>) -> Result<PrincipalRateLimit, Error> {
        self.client.read(Call::get(path(id))).await
    }

    /// Creates the limit of a token or of an app. Without one, a principal may use 50 % of each limit of the org.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let token = okta.api_tokens().list().try_next().await?.expect("a token");
    /// let limit = NewPrincipalRateLimit {
    ///     principal_id: token.id.to_string(),
    ///     principal_type: PrincipalType::SswsToken,
    ///     percentage: 80,
    ///     concurrency_percentage: 50,
    /// };
    /// let limit = okta.principal_rate_limits().create(&limit).await?;
    /// assert_eq!(limit.percentage, Some(80));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the principal does not exist or has a limit already. If
    /// [`Error::may_have_acted`], Okta may have created the limit: check with [`list`](Self::list).
    ///
    /// Scope: `okta.principalRateLimits.manage`.
    pub async fn create(&self, limit: &NewPrincipalRateLimit) -> Result<PrincipalRateLimit, Error> {
        let body = json!({
            "principalId": limit.principal_id,
            "principalType": limit.principal_type.as_str(),
            "defaultPercentage": limit.percentage,
            "defaultConcurrencyPercentage": limit.concurrency_percentage,
        });
        self.client.read(Call::post(LIMITS).json(&body)).await
    }

    /// Replaces a limit with an edit from [`PrincipalRateLimit::edit`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = limit(&okta).await?;
    /// let mut edit = okta.principal_rate_limits().get(&id).await?.edit();
    /// edit.set_percentage(30);
    /// let limit = okta.principal_rate_limits().replace(&id, &edit).await?;
    /// assert_eq!(limit.percentage, Some(30));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the limit does not exist, or if Okta rejects a percentage.
    ///
    /// Scope: `okta.principalRateLimits.manage`.
    pub async fn replace(
        &self,
        id: &Id<PrincipalRateLimit>,
        edit: &Edit<PrincipalRateLimit>,
    ) -> Result<PrincipalRateLimit, Error> {
        self.client.read(Call::put(path(id)).json(edit)).await
    }
}

/// A new limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrincipalRateLimit {
    /// The id of the token or the app.
    pub principal_id: String,
    /// The kind of principal.
    pub principal_type: PrincipalType,
    /// The share of each rate limit in percent, 0 to 100.
    pub percentage: u8,
    /// The share of the limit on concurrent requests in percent, 0 to 100.
    pub concurrency_percentage: u8,
}

resource! {
    /// The share of the org's rate limits that one principal may use.
    resource PrincipalRateLimit {
        /// The id.
        pub id: Id<PrincipalRateLimit> = "/id",
        /// The id of the token or the app.
        pub principal_id: String = "/principalId",
        /// The kind of principal.
        pub principal_type: PrincipalType = "/principalType",
        /// The share of each rate limit in percent.
        pub percentage: Option<i64> = "/defaultPercentage",
        /// The share of the limit on concurrent requests in percent.
        pub concurrency_percentage: Option<i64> = "/defaultConcurrencyPercentage",
    }
}

impl PrincipalRateLimit {
    /// Returns the document for [`PrincipalRateLimits::replace`]: all fields except those that are read-only.
    #[must_use]
    pub fn edit(&self) -> Edit<Self> {
        Edit::of(&self.raw, &READ_ONLY)
    }
}

impl Edit<PrincipalRateLimit> {
    /// Sets the share of each rate limit in percent, 0 to 100.
    pub fn set_percentage(&mut self, percentage: u8) {
        self.put("/defaultPercentage", percentage.to_string());
    }

    /// Sets the share of the limit on concurrent requests in percent, 0 to 100.
    pub fn set_concurrency_percentage(&mut self, percentage: u8) {
        self.put("/defaultConcurrencyPercentage", percentage.to_string());
    }
}

open_enum! {
    /// Kind of a principal with its own rate limit.
    PrincipalType {
        /// An API token.
        SswsToken = "SSWS_TOKEN",
        /// An OAuth 2.0 app.
        OauthClient = "OAUTH_CLIENT",
    }
}

/// The fields that Okta sets itself.
const READ_ONLY: [&str; 7] = [
    "id",
    "orgId",
    "createdBy",
    "createdDate",
    "lastUpdate",
    "lastUpdatedBy",
    "_links",
];

fn path(id: &Id<PrincipalRateLimit>) -> [&str; 4] {
    let [api, version, limits] = LIMITS;
    [api, version, limits, id.as_str()]
}

const LIMITS: [&str; 3] = ["api", "v1", "principal-rate-limits"];
const PAGE: u32 = 50;
