//! Access tokens and their sources.

use std::{error, fmt, time::Duration};

use futures::future::BoxFuture;
use rest_core::Secret;

use super::DpopKey;

/// An OAuth 2.0 access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub(super) token: Secret,
    pub(super) token_type: TokenType,
    pub(super) lifetime: Option<Duration>,
}

impl AccessToken {
    /// Returns a token that expires after `lifetime`, counted from now; `None` means that it does not
    /// expire, or that it is not known when.
    #[must_use]
    pub fn new(token: Secret, token_type: TokenType, lifetime: Option<Duration>) -> Self {
        Self {
            token,
            token_type,
            lifetime,
        }
    }
}

/// The type of an access token, which determines the `Authorization` header.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TokenType {
    /// `Bearer`: the token alone authorizes a request (RFC 6750).
    Bearer,
    /// `DPoP`: each request also has a proof of this key (RFC 9449).
    Dpop(DpopKey),
}

/// A source of access tokens, for programs that obtain them in their own way, such as from a vault.
///
/// The client caches the token and asks again shortly before it expires, and after Okta has refused it
/// with 401. It asks once at a time, and all waiting calls share the result. A source therefore needs
/// no cache of its own, and must return a new token when it is asked.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use futures::future::BoxFuture;
/// use okta_client::{AccessToken, Client, Secret, TokenSource, TokenType};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn token(&self) -> BoxFuture<'_, Result<AccessToken, Box<dyn std::error::Error + Send + Sync>>> {
///         Box::pin(async {
///             let token = Secret::new("eyJ…"); // read from the vault
///             Ok(AccessToken::new(token, TokenType::Bearer, Some(Duration::from_secs(3600))))
///         })
///     }
/// }
///
/// # fn f() -> Result<(), okta_client::BuildError> {
/// let okta = Client::builder("https://acme.okta.com", Arc::new(Vault)).build()?;
/// # Ok(()) }
/// ```
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// Returns a new access token.
    ///
    /// # Errors
    ///
    /// Fails if there is no token. The call that needs it fails with this error as its cause.
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Box<dyn error::Error + Send + Sync>>>;

    /// Returns the id of the client to which the tokens belong, if it is known.
    ///
    /// Clients of this process with the same org URL and the same id count their requests together, because
    /// Okta's rate limits are those of the client.
    fn client_id(&self) -> Option<String> {
        None
    }
}
