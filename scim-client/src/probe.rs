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

pub(crate) async fn probe(client: &Client) -> Result<Probe, Error> {
    let service_provider_config = client.service_provider_config().await?;
    let list = List::new(client.dialect(), client.pages(), User::ENDPOINT, None).with_page_size(1);
    let has_users = client.has_any(&list).await?;
    Ok(Probe {
        service_provider_config,
        has_users,
    })
}
