//! Measures the write rate of a first run.

use std::time::Duration;

use okta_aws_sso::{
    Error, StateStore,
    scim::{Rate, RateLimiter},
    sync::{DirectorySync, SyncState},
};
use rest_core::{Clock as _, SystemClock};
use sandbox::{Sandbox, ScimRateLimits};

use crate::{
    count,
    test_directory::{Size, start_target},
};

const SIZE: Size = Size {
    users: 10_000,
    groups: 1_000,
    members: 100,
};

/// Writes a large directory to a sandbox that answers 429 above `rate` writes per second; 0 means no limit.
pub(crate) async fn run(rate: u32) -> Result<(), Error> {
    let rates = (rate > 0).then_some(ScimRateLimits {
        writes: rate,
        reads: u32::MAX,
    });
    // Without a limit, the client's rate limiter gets a rate that it never reaches.
    let allowed = if rate > 0 { f64::from(rate) } else { 1e6 };
    let limiter = RateLimiter::new(Rate::per_second(allowed));
    let writes = limiter.clone();
    let (sandbox, scim) = start_target(Sandbox::builder().scim_rates(rates), None, |client| {
        // This number of concurrent requests is enough to reach the rate if each request takes a fifth of a second.
        client
            .limit_writes(writes)
            .max_in_flight((rate as usize / 5).clamp(10, 100))
    })
    .await?;
    let before = peak_memory();
    let store = StateStore::memory();
    let sync = DirectorySync::new(SIZE.directory(), &scim).store(store.clone());
    let prepared = sync.prepare().await?;
    println!("Sync: {}", prepared.plan().summary());
    sandbox.clear_requests();
    let started = SystemClock.now();
    let report = sync.apply(prepared).await?.complete()?;
    let duration = SystemClock
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
    let reached = sent as f64 / duration.as_secs_f64();
    println!("Done: {}", report.done.done());
    println!(
        "{} in {:.2} s",
        count(sent, "write"),
        duration.as_secs_f64()
    );
    if rate > 0 {
        println!(
            "{reached:.1} writes per second of {rate} allowed (ratio {:.3})",
            reached / allowed
        );
    } else {
        println!("{reached:.1} writes per second without a limit");
    }
    println!("responses with status 429: {throttled}");
    println!(
        "slowdowns of the rate limiter: {}",
        limiter.stats().slowdowns
    );
    let saved = store.read(SyncState::FILE).await?.unwrap_or_default();
    println!("cached state: {} kB", saved.len() / 1024);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        println!("peak memory: {after} MB, sandbox included ({before} MB before the sync)");
    }
    let again = sync.plan().await?;
    println!("again: {}", again.summary());
    Ok(())
}

/// Returns the peak memory of this process in megabytes; `None` on systems other than Linux.
#[expect(clippy::disallowed_methods, reason = "the file is in memory")]
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}
