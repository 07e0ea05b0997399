//! Credentials: API tokens, OAuth 2.0 access tokens, and service apps that obtain them.

use std::sync::Arc;

use rest_core::Secret;

mod dpop;
mod endpoint;
mod jwk;
mod key;
mod server_time;
mod service_app;
mod token;
mod token_authorizer;

pub use dpop::DpopKey;
pub(crate) use endpoint::{EndpointError, TokenEndpoint};
pub use key::{KeyError, PrivateKey, SigningAlgorithm};
pub(crate) use server_time::ServerTime;
pub use service_app::ServiceApp;
pub use token::{AccessToken, TokenSource, TokenType};
pub(crate) use token_authorizer::TokenAuthorizer;

/// The credential of a [`Client`](crate::Client).
///
/// A [`Secret`] becomes an API token, and a [`ServiceApp`] or an `Arc<dyn TokenSource>` the variant of
/// its kind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An API token, sent as `Authorization: SSWS …`. It has the rights of the admin who created it,
    /// and expires after 30 days without use.
    ApiToken(Secret),
    /// An OAuth 2.0 access token that was obtained elsewhere, sent as `Authorization: Bearer …`. It is
    /// not refreshed.
    Bearer(Secret),
    /// A service app, which obtains access tokens with its private key. Tokens are cached, and
    /// refreshed before they expire.
    ServiceApp(ServiceApp),
    /// A source of access tokens outside this crate. Its tokens are cached like those of a service app.
    Source(Arc<dyn TokenSource>),
}

impl From<Secret> for Credential {
    fn from(token: Secret) -> Self {
        Self::ApiToken(token)
    }
}

impl From<ServiceApp> for Credential {
    fn from(app: ServiceApp) -> Self {
        Self::ServiceApp(app)
    }
}

impl<T: TokenSource + 'static> From<Arc<T>> for Credential {
    fn from(source: Arc<T>) -> Self {
        Self::Source(source)
    }
}

impl From<Arc<dyn TokenSource>> for Credential {
    fn from(source: Arc<dyn TokenSource>) -> Self {
        Self::Source(source)
    }
}
