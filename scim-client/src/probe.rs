use scim_types::{Resource, ServiceProviderConfig, User};

use crate::{Client, Error, paging::List};

/// What a probe found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Probe {
    /// What the service says it can do.
    pub service_provider_config: ServiceProviderConfig,
    /// Whether there is any user; AWS has none before the first was provisioned.
    pub has_users: bool,
}

pub(crate) async fn probe(client: &Client) -> Result<Probe, Error> {
    let service_provider_config = client.service_provider_config().await?;
    let list = List::new(client.dialect(), client.pages(), User::ENDPOINT, None).of_size(1);
    let has_users = client.has_any::<User>(&list).await?;
    Ok(Probe {
        service_provider_config,
        has_users,
    })
}
