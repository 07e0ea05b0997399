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
        // All parts of the key are set, so there is one.
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let of_service = config
            .service_config()
            .filter(|_| !is_set_for_all)
            .zip(key)
            .and_then(|(services, key)| services.load_config(key));
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use aws_config::{Region, SdkConfig};
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_types::service_config::LoadServiceConfig;

    use super::*;
    use crate::{ConnectOptions, replay::block_on};

    /// Endpoints of single services, as the environment and the profile set them.
    #[derive(Debug)]
    struct Endpoints;

    impl LoadServiceConfig for Endpoints {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            let url = match key.service_id() {
                "S3" => "https://s3.example.com",
                "SQS" => "http://sqs.example.com",
                _ => return None,
            };
            (key.env() == "AWS_ENDPOINT_URL").then(|| url.to_owned())
        }
    }

    fn connect(config: aws_types::sdk_config::Builder) -> Aws {
        let config = config.region(Region::new("us-east-1")).build();
        Aws::assemble(config, &ConnectOptions::default()).expect("a connection")
    }

    #[test]
    fn the_keys_of_a_connection_have_the_time_at_which_they_expire() {
        let expires = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let token = Some("a session token".to_owned());
        let keys = aws_credential_types::Credentials::new(
            "ASIAEXAMPLE",
            "a key",
            token,
            Some(expires),
            "test",
        );
        let provider = SharedCredentialsProvider::new(keys);
        let config = SdkConfig::builder().credentials_provider(provider);
        let (keys, end) = block_on(connect(config).credentials()).expect("keys");
        assert_eq!(
            (keys.access_key_id.as_str(), end),
            ("ASIAEXAMPLE", Some(expires))
        );
        assert_eq!(keys.secret_access_key.expose(), "a key");
        assert_eq!(
            keys.session_token.expect("a token").expose(),
            "a session token"
        );
    }

    #[test]
    fn a_connection_without_credentials_says_how_to_set_them() {
        let aws = connect(SdkConfig::builder());
        let error = block_on(aws.credentials()).expect_err("no credentials");
        assert!(
            error
                .to_string()
                .starts_with("no usable AWS credentials were found: ")
        );
        assert!(error.help().expect("help").contains("AWS_PROFILE"));
    }

    #[test]
    fn a_service_has_its_own_endpoint_or_that_of_all_services() {
        let aws = connect(
            SdkConfig::builder()
                .service_config(Endpoints)
                .endpoint_url("https://all.example.com"),
        );
        let endpoint = |service| aws.endpoint_override(service).expect("an endpoint");
        assert_eq!(endpoint("S3").as_deref(), Some("https://s3.example.com"));
        assert_eq!(endpoint("SNS").as_deref(), Some("https://all.example.com"));
        let error = aws
            .endpoint_override("SQS")
            .expect_err("neither https nor local");
        assert!(error.to_string().contains("sqs.example.com"), "{error}");
        let aws = connect(SdkConfig::builder());
        assert_eq!(aws.endpoint_override("S3").expect("none"), None);
    }

    #[test]
    fn the_endpoint_of_the_options_replaces_that_of_a_service() {
        let options = ConnectOptions {
            sdk_config: Some(
                SdkConfig::builder()
                    .region(Region::new("us-east-1"))
                    .service_config(Endpoints)
                    .build(),
            ),
            endpoint_url: Some("http://127.0.0.1:4566/".parse().expect("a URL")),
            ..ConnectOptions::default()
        };
        let aws = block_on(Aws::connect(options)).expect("a connection");
        let endpoint = aws.endpoint_override("S3").expect("an endpoint");
        assert_eq!(endpoint.as_deref(), Some("http://127.0.0.1:4566"));
    }
}
