//! How fast requests are sent: as fast as AWS takes them, and slower when it says so.

use std::time::{Duration, SystemTime};

use okta_aws_sso::{
    scim::{Rate, RateLimiter},
    sync::DirectorySync,
};
use rest_core::Clock as _;
use sandbox::{Sandbox, ScimRates};

use super::rig::{Rig, directory};
use crate::fixture::company;

async fn throttling(rates: ScimRates) -> Rig {
    let sandbox = Sandbox::builder()
        .company(company())
        .page_size(None)
        .scim_rates(Some(rates));
    Rig::of(sandbox).await
}

fn refused(rig: &Rig) -> usize {
    let requests = rig.requests();
    let refused = requests
        .iter()
        .filter(|request| request.status == Some(429));
    refused.count()
}

fn since(rig: &Rig, start: SystemTime) -> f64 {
    let took = rig.clock.now().duration_since(start);
    took.unwrap_or(Duration::ZERO).as_secs_f64()
}

#[tokio::test]
async fn a_run_keeps_to_what_aws_documents_and_meets_no_refusal() {
    let rig = throttling(ScimRates::AWS).await;
    let all = directory(400, 40, 20);
    let start = rig.clock.now();
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
    let took = since(&rig, start);
    assert_eq!(refused(&rig), 0);
    let reached = 440.0 / took;
    assert!((25.0 * 0.95..25.5).contains(&reached), "{reached}");
    // Reading has a rate of its own.
    let start = rig.clock.now();
    rig.run(&rig.forgetful(&directory(400, 40, 20))).await;
    assert_eq!(refused(&rig), 0);
    let took = since(&rig, start);
    assert!(took < 2.0, "{took}");
}

#[tokio::test]
async fn a_target_that_takes_less_than_it_says_is_found_out_and_everything_is_written() {
    let rig = throttling(ScimRates {
        writes: 10,
        reads: 40,
    })
    .await;
    let all = directory(300, 10, 20);
    let limiter = RateLimiter::new(Rate::per_second(25.0));
    let scim = rig.client(|client| client.limit_writes(limiter.clone()));
    let start = rig.clock.now();
    let report = rig.run(&DirectorySync::new(all.clone(), &scim)).await;
    assert_eq!(report.done.users_created, 300);
    rig.assert_in_sync(&all);
    assert!(limiter.stats().slowdowns > 0, "it never slowed down");
    let refused = refused(&rig);
    assert!(refused > 0, "the target never refused");
    assert!(refused < 100, "{refused} of 310 were refused");
    let took = since(&rig, start);
    // A pace that is halved at a refusal and grows again is half of what is taken at worst.
    assert!(took < 310.0 / 10.0 * 2.0, "{took}");
}
