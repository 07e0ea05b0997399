//! The keys and endpoints of a connection, for clients of services that this crate does not call.

use std::{error::Error as StdError, iter, time::SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_types::service_config::ServiceConfigKey;
use rest_core::Secret;
use tracing::instrument::WithSubscriber as _;

use crate::{
    Aws, Credentials, Error, connect::insecure, noop_subscriber::NOOP_DISPATCH,
    transport::check_url,
};

impl Aws {
    /// Returns the keys that sign the calls of this connection now, and the time at which they expire.
    ///
    /// They are for the client of a service that this crate does not call, such as Amazon S3. Each call asks the source of the
    /// credentials, so keep the keys until they are about to expire.
    ///
    /// # Errors
    ///
    /// Fails if the connection has no usable credentials.
    pub async fn credentials(&self) -> Result<(Credentials, Option<SystemTime>), Error> {
        let Some(source) = self.config().credentials_provider() else {
            return Err(no_credentials(
                "the connection has no source of credentials",
            ));
        };
        // The SDK's providers log their responses.
        let keys = source.provide_credentials();
        let keys = keys.with_subscriber(NOOP_DISPATCH.clone()).await;
        let keys = keys.map_err(|error| {
            let causes = iter::successors(Some(&error as &dyn StdError), |&error| error.source());
            let causes: Vec<String> = causes.map(ToString::to_string).collect();
            no_credentials(&causes.join(": "))
        })?;
        let credentials = Credentials {
            access_key_id: keys.access_key_id().to_owned(),
            secret_access_key: Secret::new(keys.secret_access_key()),
            session_token: keys.session_token().map(Secret::new),
        };
        Ok((credentials, keys.expiry()))
    }

    /// Returns the URL that replaces the endpoint of a service, if the options, the environment or the profile set one.
    ///
    /// `service` is the id of the service in its service model, such as `S3`, whose endpoint `AWS_ENDPOINT_URL_S3` sets.
    ///
    /// # Errors
    ///
    /// Fails if the URL is neither https nor on this machine.
    pub fn endpoint_override(&self, service: &str) -> Result<Option<String>, Error> {
        let config = self.config();
        let is_set_for_all = config.get_origin("endpoint_url").is_client_config();
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .expect("all parts are set");
        let of_service = config
            .service_config()
            .filter(|_| !is_set_for_all)
            .and_then(|services| services.load_config(key));
        let url = of_service.or_else(|| config.endpoint_url().map(ToOwned::to_owned));
        if let Some(url) = &url {
            check_url(url).map_err(insecure)?;
        }
        Ok(url)
    }
}

fn no_credentials(cause: &str) -> Error {
    Error::configuration(
        format!("no usable AWS credentials were found: {cause}"),
        "name a profile (AWS_PROFILE), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run as a role",
    )
}
