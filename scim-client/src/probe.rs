//! The check that an endpoint is a SCIM service and accepts the token.

use scim_types::{Resource, ServiceProviderConfig, User};

use crate::{Client, Error, paging::List};

/// Result of [`Client::probe`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Probe {
    /// The capabilities that the service reports.
    pub service_provider_config: ServiceProviderConfig,
    /// Whether the service has any user. AWS has none until the first user is provisioned.
    pub has_users: bool,
}

impl Client {
    /// Verifies that the endpoint is a SCIM service and accepts the token. Nothing is written.
    ///
    /// The client sends two requests: one for the configuration, which verifies the URL, and one
    /// for a single user, which also verifies the token.
    ///
    /// # Errors
    ///
    /// Fails if a request fails; [`Error::help`] returns advice. [`Error::is_unauthenticated`] means that
    /// the token is wrong or, for AWS, that the endpoint belongs to another tenant.
    pub async fn probe(&self) -> Result<Probe, Error> {
        let service_provider_config = self.service_provider_config().await?;
        Ok(Probe {
            service_provider_config,
            has_users: self.has_users().await?,
        })
    }

    /// Returns whether the service has any user. The client sends one request for a single user, which also verifies the
    /// token.
    ///
    /// # Errors
    ///
    /// Fails as [`probe`](Self::probe) does.
    pub async fn has_users(&self) -> Result<bool, Error> {
        let list = List::new(self.dialect(), self.pages(), User::ENDPOINT, None).with_page_size(1);
        self.has_any(&list).await
    }
}
