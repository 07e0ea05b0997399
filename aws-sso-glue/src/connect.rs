//! The way in: whose credentials, which region, which clock.

use std::{fmt, num::NonZeroU32, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssoadmin::config::{StalledStreamProtectionConfig, retry::RetryPartition};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rest_core::{Clock, SystemClock};
use url::{Host, Url};

use crate::{
    Credentials, Error,
    https::{Https, Proxy},
    rate_limit::{RateLimitedClient, RateLimiter},
    retry::{PassingConflict, RetryAfterSeconds},
    time::SdkClock,
};

/// How to reach AWS; everything has a default.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The profile of `~/.aws/config`; the usual one (`AWS_PROFILE`, `default`) unless named.
    pub profile: Option<String>,
    /// The region; that of the environment or the profile unless named.
    pub region: Option<String>,
    /// Where all services are, instead of at AWS: https, or this machine.
    pub endpoint_url: Option<Url>,
    /// The keys to sign with; unless given, they come from the usual chain: environment, profile,
    /// single sign-on, container, machine.
    pub credentials: Option<Credentials>,
    /// The time, and the waiting between attempts. A clock that does not wait needs
    /// `credentials`: the chain would be out of time at once.
    pub clock: Arc<dyn Clock>,
    /// How often a call is made at most, the first time included.
    pub max_attempts: NonZeroU32,
    /// The limit on calls to `sso-admin`; no limit if `None`.
    ///
    /// AWS allows 20 a second (IAM Identity Center quotas) to all callers together; the default of
    /// 15 leaves some to others.
    pub sso_admin_calls_per_second: Option<NonZeroU32>,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            profile: None,
            region: None,
            endpoint_url: None,
            credentials: None,
            clock: Arc::new(SystemClock),
            // Pauses of up to 1, 2, 4, 8 and 16 seconds: longer than the writes that collide take
            // to spread, and than a rate limit lasts.
            max_attempts: NonZeroU32::new(6).expect("six is not zero"),
            sso_admin_calls_per_second: NonZeroU32::new(15),
        }
    }
}

/// A connection to AWS: one caller, one region.
///
/// A clone is cheap and shares connections, credentials, the retry quota and the pace.
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

/// What connections to several regions have in common.
#[derive(Clone)]
struct Shared {
    clock: Arc<dyn Clock>,
    client: SharedHttpClient,
    limiter: Option<Arc<RateLimiter>>,
    // Of our own: the SDK's is one for the whole process.
    retries: RetryPartition,
}

impl Aws {
    /// Resolves the region and where credentials come from; no service is called.
    ///
    /// # Errors
    ///
    /// If no region is configured, or the endpoint override is neither https nor on this machine.
    pub async fn connect(connect: Connect) -> Result<Self, Error> {
        let proxy = match &connect.endpoint_url {
            Some(url) if is_this_machine(url) => Proxy::Never,
            Some(url) if url.scheme() != "https" => return Err(insecure(url)),
            _ => Proxy::FromEnvironment,
        };
        let mut loader = aws_config::defaults(behavior());
        if let Some(profile) = &connect.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &connect.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &connect.endpoint_url {
            loader = loader.endpoint_url(url.as_str().trim_end_matches('/'));
        }
        if let Some(credentials) = &connect.credentials {
            loader = loader.credentials_provider(credentials.clone().into_sdk());
        }
        let config = Box::pin(loader.load()).await;
        Self::assemble(config, SharedHttpClient::new(Https::new(proxy)), &connect)
    }

    /// Returns the region that is called.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// Returns the same caller's connection to another region.
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

    /// Puts a connection together from where the SDK looks things up, and from what is ours.
    pub(crate) fn assemble(
        config: SdkConfig,
        client: SharedHttpClient,
        connect: &Connect,
    ) -> Result<Self, Error> {
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(no_region());
        };
        let clock = Arc::clone(&connect.clock);
        let limiter = connect
            .sso_admin_calls_per_second
            .map(|calls| RateLimiter::new(calls, Arc::clone(&clock)));
        let config = config
            .into_builder()
            .behavior_version(behavior())
            .http_client(client.clone())
            .sleep_impl(SdkClock(Arc::clone(&clock)))
            .time_source(SdkClock(Arc::clone(&clock)))
            .retry_config(RetryConfig::standard().with_max_attempts(connect.max_attempts.get()))
            // It watches long bodies; ours are small, and it would be timed by our clock.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let retries = RetryPartition::custom("aws-sso-glue").build();
        let shared = Shared {
            clock,
            client,
            limiter: limiter.map(Arc::new),
            retries,
        };
        Ok(Self::build(config, region, shared))
    }

    fn build(config: SdkConfig, region: String, shared: Shared) -> Self {
        let mut sso_admin = aws_sdk_ssoadmin::config::Builder::from(&config)
            .retry_partition(shared.retries.clone())
            .retry_classifier(PassingConflict);
        if let Some(limiter) = &shared.limiter {
            let (client, limiter) = (shared.client.clone(), Arc::clone(limiter));
            sso_admin = sso_admin.http_client(RateLimitedClient { client, limiter });
        }
        let identity_store = aws_sdk_identitystore::config::Builder::from(&config)
            .retry_partition(shared.retries.clone())
            .retry_classifier(RetryAfterSeconds);
        let organizations = aws_sdk_organizations::config::Builder::from(&config)
            .retry_partition(shared.retries.clone());
        let sts =
            aws_sdk_sts::config::Builder::from(&config).retry_partition(shared.retries.clone());
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

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.shared.clock
    }

    pub(crate) fn sso_admin(&self) -> &aws_sdk_ssoadmin::Client {
        &self.0.sso_admin
    }

    pub(crate) fn identity_store_client(&self) -> &aws_sdk_identitystore::Client {
        &self.0.identity_store
    }

    pub(crate) fn organizations_client(&self) -> &aws_sdk_organizations::Client {
        &self.0.organizations
    }

    pub(crate) fn sts(&self) -> &aws_sdk_sts::Client {
        &self.0.sts
    }

    /// Calls STS as somebody else.
    pub(crate) fn sts_as(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.0.config)
            .retry_partition(self.0.shared.retries.clone())
            .credentials_provider(SharedCredentialsProvider::new(credentials.into_sdk()))
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }

    /// Reaches the services that people sign in with; their calls are not signed.
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

    fn config_in(&self, region: &str) -> SdkConfig {
        self.0
            .config
            .to_builder()
            .region(Region::new(region.to_owned()))
            .build()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.0.region)
            .finish_non_exhaustive()
    }
}

/// Pinned, so that an update of the SDK does not change how calls behave.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn no_region() -> Error {
    Error::unconfigured(
        "no AWS region is configured",
        "name the region, set AWS_REGION, or write `region = …` into the profile in ~/.aws/config",
    )
}

fn insecure(url: &Url) -> Error {
    // Without user name and password, which a URL may hold.
    let place = url.host_str().unwrap_or_default();
    Error::unconfigured(
        format!("the endpoint override for `{place}` is neither https nor on this machine"),
        "answers hold credentials, so they travel encrypted: write https://",
    )
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Aws, Connect};
    use crate::replay::{Replay, block_on};

    #[test]
    fn plain_http_is_for_this_machine_only() {
        let connect = Connect {
            endpoint_url: Some(Url::parse("http://user:hunter2@aws.example.com/").expect("a URL")),
            ..Connect::default()
        };
        let error = block_on(Aws::connect(connect)).expect_err("must be refused");
        assert_eq!(
            error.to_string(),
            "the endpoint override for `aws.example.com` is neither https nor on this machine"
        );
        assert!(error.help().expect("help").contains("https://"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn a_connection_without_a_region_says_where_to_write_it() {
        let config = aws_config::SdkConfig::builder().build();
        let error = Aws::assemble(config, Replay::new().client(), &Connect::default())
            .expect_err("must be refused");
        assert_eq!(error.to_string(), "no AWS region is configured");
        assert!(error.help().expect("help").contains("AWS_REGION"));
    }

    #[test]
    fn another_region_is_the_same_caller_elsewhere() {
        let replay = Replay::new().json(r#"{"Instances": []}"#);
        let (aws, _) = replay.connect();
        let elsewhere = aws.in_region("eu-central-1");
        assert_eq!(
            (aws.region(), elsewhere.region()),
            ("us-east-1", "eu-central-1")
        );
        block_on(elsewhere.instances()).expect("a list");
        let request = &replay.requests()[0];
        assert_eq!(request.uri, "https://sso.eu-central-1.amazonaws.com/");
        assert!(
            request.header("authorization").contains("AKIDEXAMPLE/"),
            "{request:?}"
        );
    }

    #[test]
    fn debug_output_names_the_region_and_no_secret() {
        let (aws, _) = Replay::new().connect();
        assert_eq!(format!("{aws:?}"), "Aws { region: \"us-east-1\", .. }");
    }
}
