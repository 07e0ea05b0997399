//! API tokens: their metadata. No API creates a token or returns its value.

use rest_core::{Call, Pager};

use crate::{Client, Error, Id, User, json::resource};

/// Calls for API tokens.
#[derive(Debug, Clone, Copy)]
pub struct ApiTokens<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for API tokens.
    #[must_use]
    pub fn api_tokens(&self) -> ApiTokens<'_> {
        ApiTokens { client: self }
    }
}

impl ApiTokens<'_> {
    /// Lists the metadata of all tokens.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// for token in okta.api_tokens().list().try_collect().await? {
    ///     println!("{}: expires {:?} unless it is used", token.name, token.expires_at);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails.
    ///
    /// Scope: `okta.apiTokens.read`.
    pub fn list(&self) -> Pager<ApiToken, Error> {
        self.client.list(|| Call::get(TOKENS))
    }

    /// Returns the metadata of a token.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = okta.api_tokens().list().try_collect().await?[0].id.clone();
    /// let token = okta.api_tokens().get(&id).await?;
    /// assert_eq!(token.user, Some(okta.users().me().await?.id));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the token does not exist.
    ///
    /// Scope: `okta.apiTokens.read`.
    pub async fn get(&self, id: &Id<ApiToken>) -> Result<ApiToken, Error> {
        self.client.read(Call::get(path(id))).await
    }

    /// Revokes a token. Its programs can no longer call Okta.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// // The only token of this org is the client's own.
    /// let token = okta.api_tokens().list().try_next().await?.expect("a token");
    /// okta.api_tokens().revoke(&token.id).await?;
    /// let error = okta.users().me().await.expect_err("the token is revoked");
    /// assert_eq!(error.code(), Some("E0000011"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the token does not exist.
    ///
    /// Scope: `okta.apiTokens.manage`.
    pub async fn revoke(&self, id: &Id<ApiToken>) -> Result<(), Error> {
        self.client.delete_idempotent(Call::delete(path(id))).await
    }
}

resource! {
    /// The metadata of an API token.
    resource ApiToken {
        /// The id.
        pub id: Id<ApiToken> = "/id",
        /// The name.
        pub name: String = "/name",
        /// The admin whose rights the token has.
        pub user: Option<Id<User>> = "/userId",
        /// The kind of client that created the token.
        pub client_name: Option<String> = "/clientName",
        /// Time of the creation, in Okta's format.
        pub created: Option<String> = "/created",
        /// Time of the last use or change, in Okta's format.
        pub last_updated: Option<String> = "/lastUpdated",
        /// The time at which the token expires if it is not used before, in Okta's format.
        pub expires_at: Option<String> = "/expiresAt",
    }
}

fn path(id: &Id<ApiToken>) -> [&str; 4] {
    let [api, version, tokens] = TOKENS;
    [api, version, tokens, id.as_str()]
}

const TOKENS: [&str; 3] = ["api", "v1", "api-tokens"];
