//! Tests of the request rate: the documented rate of AWS, and a lower one after 429 responses.

use std::time::{Duration, SystemTime};

use okta_aws_sso::{
    scim::{Rate, RateLimiter},
    sync::DirectorySync,
};
use rest_core::Clock as _;
use sandbox::{Sandbox, ScimRateLimits};

use super::fixture::{SyncFixture, directory};
use crate::fixture::company;

/// Creates a fixture whose target limits the request rate.
async fn rate_limited_fixture(rates: ScimRateLimits) -> SyncFixture {
    let sandbox = Sandbox::builder()
        .company(company())
        .page_size(None)
        .scim_rates(Some(rates));
    SyncFixture::with_sandbox(sandbox).await
}

/// Returns the number of requests that got a 429 since the last call.
fn throttled_requests(fixture: &SyncFixture) -> usize {
    let requests = fixture.take_requests();
    let throttled = requests
        .iter()
        .filter(|request| request.status == Some(429));
    throttled.count()
}

/// Returns the seconds since `start` on the fixture's clock.
fn seconds_since(fixture: &SyncFixture, start: SystemTime) -> f64 {
    let elapsed = fixture.clock.now().duration_since(start);
    elapsed.unwrap_or(Duration::ZERO).as_secs_f64()
}

#[tokio::test]
async fn a_run_stays_within_the_documented_rates_and_gets_no_429() {
    let fixture = rate_limited_fixture(ScimRateLimits::AWS).await;
    let source = directory(400, 40, 20);
    let start = fixture.clock.now();
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
    let seconds = seconds_since(&fixture, start);
    assert_eq!(throttled_requests(&fixture), 0);
    let rate = 440.0 / seconds;
    assert!((25.0 * 0.95..25.5).contains(&rate), "{rate}");
    // Reads have their own rate limit.
    let start = fixture.clock.now();
    fixture
        .run(&fixture.stateless_sync(&directory(400, 40, 20)))
        .await;
    assert_eq!(throttled_requests(&fixture), 0);
    let seconds = seconds_since(&fixture, start);
    assert!(seconds < 2.0, "{seconds}");
}

#[tokio::test]
async fn a_run_adapts_to_a_target_with_a_lower_rate_limit_and_writes_everything() {
    let fixture = rate_limited_fixture(ScimRateLimits {
        writes: 10,
        reads: 40,
    })
    .await;
    let source = directory(300, 10, 20);
    let limiter = RateLimiter::new(Rate::per_second(25.0));
    let scim = fixture.client_with(|client| client.limit_writes(limiter.clone()));
    let start = fixture.clock.now();
    let report = fixture
        .run(&DirectorySync::new(source.clone(), &scim))
        .await;
    assert_eq!(report.done.users_created, 300);
    fixture.assert_in_sync(&source);
    assert!(
        limiter.stats().slowdowns > 0,
        "the limiter never slowed down"
    );
    let throttled = throttled_requests(&fixture);
    assert!(throttled > 0, "the target never sent 429");
    assert!(throttled < 100, "{throttled} of 310 requests got 429");
    let seconds = seconds_since(&fixture, start);
    // The limiter halves its rate after a 429 and then increases it, so it uses at least half of the accepted rate.
    assert!(seconds < 310.0 / 10.0 * 2.0, "{seconds}");
}
