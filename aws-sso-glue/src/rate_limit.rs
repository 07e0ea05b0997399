//! Keeps the calls of one service below its rate limit.

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

/// A token bucket that everybody who holds it draws from.
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

    /// Waits for this call's turn.
    async fn acquire(&self) {
        let wait = self
            .bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .reserve(self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}

/// An HTTP client in which every request, a repeated one too, waits for its turn.
///
/// Requests are signed before they wait. AWS refuses signatures older than five minutes, which at
/// 15 calls a second is a queue of 4,500: keep fewer calls than that in the air.
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

/// The bucket as arithmetic: the moment at which it would be full again.
#[derive(Debug)]
struct Bucket {
    interval: Duration,
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

    /// Takes one token, and returns how long to wait before using it.
    fn reserve(&mut self, now: SystemTime) -> Duration {
        let full_at = self.full_at.max(now);
        self.full_at = full_at + self.interval;
        let debt = full_at.duration_since(now).unwrap_or_default();
        debt.saturating_sub(self.interval * (BURST - 1))
    }
}

/// Small enough that the first second's calls, this many and a second's worth, stay within AWS's
/// 20 at the default rate of 15.
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
        (0..calls)
            .map(|_| bucket.reserve(now).as_millis())
            .collect()
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_turn() {
        assert_eq!(waits(&mut bucket(), NOW, 8), [0, 0, 0, 0, 0, 100, 200, 300]);
    }

    #[test]
    fn tokens_come_back_with_time_but_never_more_than_a_burst() {
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
    fn a_clock_that_is_set_back_asks_for_patience_but_does_not_panic() {
        let mut bucket = bucket();
        bucket.reserve(NOW + Duration::from_secs(1));
        assert_eq!(bucket.reserve(NOW), Duration::from_millis(1100 - 400));
    }
}
