//! How fast a first run is: as fast as the target takes it.

use std::time::Duration;

use okta_aws_sso::{
    Error, StateStore,
    scim::{Rate, RateLimiter},
    sync::{DirectorySync, SyncState},
};
use rest_core::{Clock as _, SystemClock};
use sandbox::{Sandbox, ScimRates};

use crate::{
    args::Args,
    company::{Size, target},
};

const SIZE: Size = Size {
    users: 10_000,
    groups: 1_000,
    members: 100,
};

/// Writes a large directory to a sandbox that answers 429 above `rate` writes a second; 0 lets everything through.
pub(crate) async fn run(_: &Args, rate: u32) -> Result<(), Error> {
    let rates = (rate > 0).then_some(ScimRates {
        writes: rate,
        reads: u32::MAX,
    });
    // Not slower than anything: as fast as it goes.
    let allowed = if rate > 0 { f64::from(rate) } else { 1e6 };
    let limiter = RateLimiter::new(Rate::per_second(allowed));
    let writes = limiter.clone();
    let (sandbox, scim) = target(Sandbox::builder().scim_rates(rates), None, |client| {
        // Enough for the rate at a fifth of a second for each request.
        client
            .limit_writes(writes)
            .max_in_flight((rate as usize / 5).clamp(10, 100))
    })
    .await?;
    let before = peak_memory();
    let store = StateStore::memory();
    let sync = DirectorySync::new(SIZE.directory(), &scim).store(store.clone());
    let plan = sync.plan().await?;
    println!("{}", plan.to_string().lines().next().unwrap_or_default());
    sandbox.forget_requests();
    let started = SystemClock.now();
    let report = sync.apply(&plan).await?.complete()?;
    let took = SystemClock
        .now()
        .duration_since(started)
        .unwrap_or(Duration::ZERO);
    let requests = sandbox.requests();
    let throttled = requests
        .iter()
        .filter(|request| request.status == Some(429))
        .count();
    let sent = requests.iter().filter(|request| request.write).count();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let reached = sent as f64 / took.as_secs_f64();
    println!("Done: {}", crate::words(&report.done.to_string()));
    println!("{sent} writes in {:.2} s", took.as_secs_f64());
    if rate > 0 {
        println!(
            "{reached:.1} writes a second of {rate} that are allowed: {:.3}",
            reached / allowed
        );
    } else {
        println!("{reached:.1} writes a second, as fast as it goes");
    }
    println!(
        "{throttled} answers of 429, the rate was lowered {} times",
        limiter.stats().slowdowns
    );
    let kept = store.read(SyncState::FILE).await?.unwrap_or_default();
    println!("what is remembered: {} kB", kept.len() / 1024);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        println!("memory at its peak: {after} MB, {before} MB of it before (the sandbox is in it)");
    }
    let again = sync.plan().await?;
    println!("again: {}", again.summary());
    Ok(())
}

/// The most memory this process has had, in megabytes; known on Linux.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}
