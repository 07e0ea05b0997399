//! Service apps, which authenticate with a private key.

use super::PrivateKey;

/// An API service app of Okta (client credentials with `private_key_jwt`).
///
/// The client obtains access tokens from the org authorization server, which is the only one that
/// grants scopes of the management API. The app needs granted scopes and an admin role; a call is
/// allowed if both allow it.
///
/// ```no_run
/// # use okta_client::{Client, PrivateKey, Secret, ServiceApp};
/// # fn f(pem: String) -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::parse(&Secret::new(pem))?.with_key_id("kid-of-the-public-key");
/// let app = ServiceApp::new("0oa1b2c3", key, ["okta.users.read", "okta.groups.manage"]);
/// let okta = Client::builder("https://acme.okta.com", app).build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ServiceApp {
    pub(super) client_id: String,
    pub(super) key: PrivateKey,
    pub(super) scopes: Vec<String>,
    pub(super) dpop: bool,
}

impl ServiceApp {
    /// Returns the app with this client id, which requests `scopes` such as `okta.users.read`.
    pub fn new(
        client_id: impl Into<String>,
        key: PrivateKey,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            key,
            scopes: scopes.into_iter().map(Into::into).collect(),
            dpop: true,
        }
    }

    /// Sets whether token requests have a proof of possession (DPoP; default: `true`).
    ///
    /// Apps created since February 2024 require it, unless "Require Demonstrating Proof of Possession
    /// (DPoP) header in token requests" is off in their settings. If Okta answers with a token of the
    /// type `Bearer`, calls are sent without proofs.
    #[must_use]
    pub fn dpop(mut self, dpop: bool) -> Self {
        self.dpop = dpop;
        self
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the scopes that the app requests.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}
