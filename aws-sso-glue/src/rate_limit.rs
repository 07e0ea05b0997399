//! Client-side rate limit for the calls to one service.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::HttpRequest,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use rest_core::Clock;

/// A token bucket that all clients of a connection share.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    clock: Arc<dyn Clock>,
    bucket: Mutex<Bucket>,
}

impl RateLimiter {
    pub(crate) fn new(calls_per_second: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            bucket: Mutex::new(Bucket::new(calls_per_second)),
        }
    }

    /// Waits until the caller may send a request.
    async fn acquire(&self) {
        let wait = self
            .bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}

/// An HTTP client that sends every request, retries included, through a rate limiter.
///
/// Requests are signed before they wait. AWS refuses signatures that are older than five minutes.
/// At 15 calls per second, a request waits five minutes behind 4,500 other requests, so keep fewer
/// calls in flight.
#[derive(Debug)]
pub(crate) struct RateLimitedClient {
    pub(crate) client: SharedHttpClient,
    pub(crate) limiter: Arc<RateLimiter>,
}

impl HttpClient for RateLimitedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RateLimitedConnector {
            connector: self.client.http_connector(settings, components),
            limiter: Arc::clone(&self.limiter),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.client, components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.client, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct RateLimitedConnector {
    connector: SharedHttpConnector,
    limiter: Arc<RateLimiter>,
}

impl HttpConnector for RateLimitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, limiter) = (self.connector.clone(), Arc::clone(&self.limiter));
        HttpConnectorFuture::new(async move {
            limiter.acquire().await;
            connector.call(request).await
        })
    }
}

/// The state of a token bucket.
#[derive(Debug)]
struct Bucket {
    interval: Duration,
    /// Time at which the bucket is full again if no more tokens are taken.
    full_at: SystemTime,
}

impl Bucket {
    fn new(calls_per_second: NonZeroU32) -> Self {
        let interval = Duration::from_secs(1) / calls_per_second.get();
        Self {
            interval,
            full_at: SystemTime::UNIX_EPOCH,
        }
    }

    /// Takes one token and returns the time to wait before using it.
    fn take(&mut self, now: SystemTime) -> Duration {
        let full_at = self.full_at.max(now);
        self.full_at = full_at + self.interval;
        let debt = full_at.duration_since(now).unwrap_or_default();
        debt.saturating_sub(self.interval * (BURST - 1))
    }
}

/// Number of calls that may be sent at once. In the first second, at most this many calls more than
/// the rate are sent: 20 at the default rate of 15, which is AWS's limit.
const BURST: u32 = 5;

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, SystemTime},
    };

    use super::Bucket;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn bucket() -> Bucket {
        Bucket::new(NonZeroU32::new(10).expect("not zero"))
    }

    fn waits(bucket: &mut Bucket, now: SystemTime, calls: usize) -> Vec<u128> {
        (0..calls).map(|_| bucket.take(now).as_millis()).collect()
    }

    #[test]
    fn a_burst_is_sent_at_once_and_later_calls_at_the_rate() {
        assert_eq!(waits(&mut bucket(), NOW, 8), [0, 0, 0, 0, 0, 100, 200, 300]);
    }

    #[test]
    fn the_bucket_refills_with_time_up_to_the_burst() {
        let mut bucket = bucket();
        waits(&mut bucket, NOW, 5);
        assert_eq!(
            waits(&mut bucket, NOW + Duration::from_millis(200), 3),
            [0, 0, 100]
        );
        let hour_later = NOW + Duration::from_hours(1);
        assert_eq!(waits(&mut bucket, hour_later, 6), [0, 0, 0, 0, 0, 100]);
    }

    #[test]
    fn a_clock_that_is_set_back_causes_a_longer_wait_and_no_panic() {
        let mut bucket = bucket();
        bucket.take(NOW + Duration::from_secs(1));
        assert_eq!(bucket.take(NOW), Duration::from_millis(1100 - 400));
    }
}
