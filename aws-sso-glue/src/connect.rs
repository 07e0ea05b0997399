//! The connection to AWS: credentials, region, clock and limits.

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssoadmin::config::{
    SharedInterceptor, StalledStreamProtectionConfig,
    retry::{RetryPartition, TokenBucket},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::origin::Origin;
use rest_core::{Clock, SystemClock};
use url::Url;

use crate::{
    Credentials, Error,
    https::{Https, Proxy},
    rate_limit::SlidingWindow,
    retry::{RetryAfterSeconds, TransientConflict},
    throttling::RepeatThrottled,
    time::SdkClock,
    transport::{CheckedClient, Limits, check_url, is_loopback},
};

/// Options of a connection to AWS. All options have defaults: end with
/// `..ConnectOptions::default()`.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The profile of `~/.aws/config` (default: the profile in `AWS_PROFILE`, or else `default`).
    pub profile: Option<String>,
    /// The region (default: the region of the environment or the profile).
    pub region: Option<String>,
    /// The URL that replaces the endpoints of all services (default: AWS's endpoints).
    ///
    /// The URL must use https or be on this machine. It also replaces endpoints that the environment
    /// or the profile set for single services, such as `AWS_ENDPOINT_URL_SSO_ADMIN`.
    pub endpoint_url: Option<Url>,
    /// The source of the keys that sign the calls (default: the SDK's chain, which tries
    /// environment, profile, single sign-on, container and machine). [`Credentials`] are a source,
    /// and so is every provider of the SDK.
    pub credentials: Option<SharedCredentialsProvider>,
    /// The configuration of a program that already uses the SDK (default: from the environment and
    /// the profile).
    ///
    /// Its credentials, region, endpoint and HTTP client are kept, unless another option sets them.
    /// Its retries and timeouts are not used: the ones of this crate are. `profile` has no effect
    /// beside it.
    pub sdk_config: Option<SdkConfig>,
    /// The clock, which returns the time and waits between attempts.
    ///
    /// A clock that does not really wait needs explicit `credentials`, because it would let the
    /// SDK's credential chain time out at once.
    pub clock: Arc<dyn Clock>,
    /// Maximum number of attempts per call, including the first (default: 6). An attempt that AWS
    /// throttles does not count, unless this is 1.
    pub max_attempts: NonZeroU32,
    /// Maximum time for which a throttled call is repeated (default: 15 minutes).
    pub throttling_timeout: Duration,
    /// Maximum time of one attempt, from the request to the end of the response (default: 1 minute).
    ///
    /// It is measured in real time, not with `clock`.
    pub attempt_timeout: Duration,
    /// Maximum number of calls to `sso-admin` in any second (default: 20); `None` means no limit.
    ///
    /// AWS allows 20 per second for all callers together (IAM Identity Center quotas). The connection
    /// starts with nine tenths of them. While AWS throttles calls, because other callers use the quota
    /// too, it sends fewer; without a refusal it sends one more per second every 10 seconds.
    ///
    /// The calls to each other service are limited to 20 in any second in the same way. AWS allows this
    /// many to the identity store (IAM Identity Center quotas), and publishes no limit for the others.
    pub sso_admin_calls_per_second: Option<NonZeroU32>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            profile: None,
            region: None,
            endpoint_url: None,
            credentials: None,
            sdk_config: None,
            clock: Arc::new(SystemClock),
            // The waits are up to 1, 2, 4, 8 and 16 seconds. Together they are longer than AWS takes
            // to finish a conflicting write, and longer than a rate limit lasts.
            max_attempts: NonZeroU32::new(6).expect("six is not zero"),
            // The slowest calls of this crate take a few seconds.
            attempt_timeout: Duration::from_mins(1),
            throttling_timeout: Duration::from_mins(15),
            sso_admin_calls_per_second: Some(CALLS_PER_SECOND),
        }
    }
}

/// A connection to AWS for one caller and one region.
///
/// Cloning is cheap; clones share the HTTP connections, the credentials, the retry quota and the
/// rate limit.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    config: SdkConfig,
    region: String,
    shared: Shared,
    identity_store: aws_sdk_identitystore::Client,
    organizations: aws_sdk_organizations::Client,
    sso_admin: aws_sdk_ssoadmin::Client,
    sts: aws_sdk_sts::Client,
}

/// The parts that the connections to all regions share.
#[derive(Clone)]
struct Shared {
    clock: Arc<dyn Clock>,
    client: SharedHttpClient,
    limits: Limits,
    sso_admin: Option<SlidingWindow>,
    identity_store: SlidingWindow,
    organizations: SlidingWindow,
    #[cfg(feature = "secrets-manager")]
    secrets_manager: SlidingWindow,
    throttled: SharedInterceptor,
    // The SDK's default partition is shared by the whole process.
    retries: RetryPartition,
}

impl Shared {
    /// Returns the HTTP client of the service with this limiter.
    fn http_client(&self, limiter: Option<&SlidingWindow>) -> CheckedClient {
        CheckedClient {
            client: self.client.clone(),
            clock: Arc::clone(&self.clock),
            limiter: limiter.cloned(),
            limits: self.limits.clone(),
        }
    }
}

impl Aws {
    /// Resolves the region and the source of the credentials. No service is called.
    ///
    /// # Errors
    ///
    /// Fails if no region is configured, or if the endpoint override is neither https nor on this
    /// machine.
    pub async fn connect(connect: ConnectOptions) -> Result<Self, Error> {
        // The region may come from the network, so a wrong option fails before it is looked up.
        if let Some(url) = &connect.endpoint_url {
            check_url(url.as_str()).map_err(insecure)?;
        }
        let mut config = if let Some(config) = &connect.sdk_config {
            config.to_builder()
        } else {
            let mut loader = aws_config::defaults(behavior());
            if let Some(profile) = &connect.profile {
                loader = loader.profile_name(profile);
            }
            // With a source of credentials, the loader does not build the default chain.
            if let Some(credentials) = &connect.credentials {
                loader = loader.credentials_provider(credentials.clone());
            }
            if let Some(region) = &connect.region {
                loader = loader.region(Region::new(region.clone()));
            }
            Box::pin(loader.load()).await.into_builder()
        };
        if let Some(region) = &connect.region {
            config.set_region(Region::new(region.clone()));
        }
        if let Some(url) = &connect.endpoint_url {
            config.set_endpoint_url(Some(url.as_str().trim_end_matches('/').to_owned()));
            // With this origin, the SDK prefers the URL to the endpoints that the environment and the
            // profile set for single services.
            config.insert_origin("endpoint_url", Origin::shared_config());
        }
        if let Some(credentials) = &connect.credentials {
            config.set_credentials_provider(Some(credentials.clone()));
        }
        Self::assemble(config.build(), &connect)
    }

    /// Returns the region of the connection.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// Returns a connection of the same caller to another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        if region == self.region() {
            return self.clone();
        }
        Self::build(
            self.config_in(region),
            region.to_owned(),
            self.0.shared.clone(),
        )
    }

    /// Builds a connection from the SDK's configuration and the options.
    pub(crate) fn assemble(config: SdkConfig, connect: &ConnectOptions) -> Result<Self, Error> {
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(no_region());
        };
        // The endpoint may come from an option, the environment, the profile or the caller's
        // configuration.
        let endpoint = config.endpoint_url();
        if let Some(url) = endpoint {
            check_url(url).map_err(insecure)?;
        }
        let is_local = endpoint
            .and_then(|url| Url::parse(url).ok())
            .is_some_and(|url| is_loopback(&url));
        let proxy = if is_local {
            Proxy::Never
        } else {
            Proxy::FromEnvironment
        };
        let client = config
            .http_client()
            .unwrap_or_else(|| SharedHttpClient::new(Https::new(proxy)));
        let clock = Arc::clone(&connect.clock);
        let limits = Limits {
            attempt_timeout: connect.attempt_timeout,
            ..Limits::default()
        };
        let config = config
            .into_builder()
            .behavior_version(behavior())
            .http_client(CheckedClient {
                client: client.clone(),
                clock: Arc::clone(&clock),
                limiter: Some(SlidingWindow::new(CALLS_PER_SECOND)),
                limits: limits.clone(),
            })
            .sleep_impl(SdkClock(Arc::clone(&clock)))
            .time_source(SdkClock(Arc::clone(&clock)))
            .retry_config(RetryConfig::standard().with_max_attempts(connect.max_attempts.get()))
            // These two would measure time with the configured clock. The HTTP client has limits of
            // its own.
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        // Throttled calls use no retry quota: the rate limiters are the answer to them.
        let quota = TokenBucket::builder().throttling_retry_cost(0).build();
        let retries = RetryPartition::custom("aws-sso-glue");
        let shared = Shared {
            throttled: SharedInterceptor::new(RepeatThrottled {
                clock: Arc::clone(&clock),
                timeout: connect.throttling_timeout,
            }),
            clock,
            client,
            limits,
            sso_admin: connect.sso_admin_calls_per_second.map(SlidingWindow::new),
            identity_store: SlidingWindow::new(CALLS_PER_SECOND),
            organizations: SlidingWindow::new(CALLS_PER_SECOND),
            #[cfg(feature = "secrets-manager")]
            secrets_manager: SlidingWindow::new(CALLS_PER_SECOND),
            retries: retries.token_bucket(quota).build(),
        };
        Ok(Self::build(config, region, shared))
    }

    fn build(config: SdkConfig, region: String, shared: Shared) -> Self {
        let sso_admin = aws_sdk_ssoadmin::config::Builder::from(&config)
            .retry_partition(shared.retries.clone())
            .retry_classifier(TransientConflict)
            .interceptor(shared.throttled.clone())
            .http_client(shared.http_client(shared.sso_admin.as_ref()));
        let identity_store = aws_sdk_identitystore::config::Builder::from(&config)
            .retry_partition(shared.retries.clone())
            .retry_classifier(RetryAfterSeconds)
            .interceptor(shared.throttled.clone())
            .http_client(shared.http_client(Some(&shared.identity_store)));
        let organizations = aws_sdk_organizations::config::Builder::from(&config)
            .retry_partition(shared.retries.clone())
            .interceptor(shared.throttled.clone())
            .http_client(shared.http_client(Some(&shared.organizations)));
        let sts = aws_sdk_sts::config::Builder::from(&config)
            .retry_partition(shared.retries.clone())
            .interceptor(shared.throttled.clone());
        Self(Arc::new(Inner {
            identity_store: aws_sdk_identitystore::Client::from_conf(identity_store.build()),
            organizations: aws_sdk_organizations::Client::from_conf(organizations.build()),
            sso_admin: aws_sdk_ssoadmin::Client::from_conf(sso_admin.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            config,
            region,
            shared,
        }))
    }

    /// Returns the SDK's own clients, for calls that this crate does not have.
    ///
    /// They have the credentials, the region, the retries and the rate limit of this connection.
    ///
    /// ```
    /// # async fn run(aws: aws_sso_glue::Aws) -> Result<(), Box<dyn std::error::Error>> {
    /// let response = aws.sdk().organizations().list_roots().send().await?;
    /// println!("{:?}", response.roots());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sdk(&self) -> SdkClients<'_> {
        SdkClients(&self.0)
    }

    /// Returns the number of calls to `sso-admin` per second that this connection sends at most now; `None`
    /// if it has no limit.
    pub(crate) fn sso_admin_calls_per_second(&self) -> Option<usize> {
        self.0.shared.sso_admin.as_ref().map(SlidingWindow::limit)
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.shared.clock
    }

    /// Returns an STS client that signs with other credentials.
    pub(crate) fn sts_as(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.0.config)
            .retry_partition(self.0.shared.retries.clone())
            .interceptor(self.0.shared.throttled.clone())
            .credentials_provider(SharedCredentialsProvider::from(credentials))
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }

    /// Returns the clients of the sign-in services. Calls to these services are not signed.
    pub(crate) fn sign_in_clients(
        &self,
        region: &str,
    ) -> (aws_sdk_ssooidc::Client, aws_sdk_sso::Client) {
        let config = self.config_in(region);
        let oidc = aws_sdk_ssooidc::config::Builder::from(&config)
            .retry_partition(self.0.shared.retries.clone());
        let portal = aws_sdk_sso::config::Builder::from(&config)
            .retry_partition(self.0.shared.retries.clone());
        (
            aws_sdk_ssooidc::Client::from_conf(oidc.build()),
            aws_sdk_sso::Client::from_conf(portal.build()),
        )
    }

    /// Returns the client of AWS Secrets Manager in a Region.
    #[cfg(feature = "secrets-manager")]
    pub(crate) fn secrets_manager(&self, region: &str) -> aws_sdk_secretsmanager::Client {
        let shared = &self.0.shared;
        let config = aws_sdk_secretsmanager::config::Builder::from(&self.config_in(region))
            .retry_partition(shared.retries.clone())
            .interceptor(shared.throttled.clone())
            .http_client(shared.http_client(Some(&shared.secrets_manager)));
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    pub(crate) fn config(&self) -> &SdkConfig {
        &self.0.config
    }

    fn config_in(&self, region: &str) -> SdkConfig {
        self.0
            .config
            .to_builder()
            .region(Region::new(region.to_owned()))
            .build()
    }
}

/// The SDK's clients of a connection; see [`Aws::sdk`].
#[derive(Clone, Copy)]
pub struct SdkClients<'a>(&'a Inner);

impl<'a> SdkClients<'a> {
    /// Returns the client of IAM Identity Center, within
    /// [`sso_admin_calls_per_second`](ConnectOptions::sso_admin_calls_per_second).
    #[must_use]
    pub fn sso_admin(self) -> &'a aws_sdk_ssoadmin::Client {
        &self.0.sso_admin
    }

    /// Returns the client of the identity store.
    #[must_use]
    pub fn identity_store(self) -> &'a aws_sdk_identitystore::Client {
        &self.0.identity_store
    }

    /// Returns the client of AWS Organizations.
    #[must_use]
    pub fn organizations(self) -> &'a aws_sdk_organizations::Client {
        &self.0.organizations
    }

    /// Returns the client of AWS STS.
    #[must_use]
    pub fn sts(self) -> &'a aws_sdk_sts::Client {
        &self.0.sts
    }
}

impl fmt::Debug for SdkClients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdkClients")
            .field("region", &self.0.region)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.0.region)
            .finish_non_exhaustive()
    }
}

/// Returns a fixed version, so that an update of the SDK does not change the behavior of calls.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn no_region() -> Error {
    Error::configuration(
        "no AWS region is configured",
        "pass a region, set AWS_REGION, or write `region = …` into the profile in ~/.aws/config",
    )
}

pub(crate) fn insecure(problem: String) -> Error {
    Error::configuration(
        problem,
        "use https://, because responses contain credentials",
    )
}

/// The quota of `sso-admin` and of the identity store (IAM Identity Center quotas).
const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("20 is not zero");

#[cfg(test)]
mod tests;
