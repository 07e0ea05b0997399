//! Tests of the number of writes of the cached state.

use std::sync::Arc;

use object_store::path::Path;
use okta_aws_sso::{
    StateStore,
    scim::{Rate, RateLimiter},
    sync::{DirectorySync, SyncState},
};

use super::fixture::{SyncFixture, directory};
use crate::lock::Counting;

/// Returns the number of saves of the cached state in a first run that creates users at a rate.
async fn saves_of_a_run(users: usize, writes_per_second: f64) -> usize {
    let fixture = SyncFixture::new().await;
    let limiter = RateLimiter::new(Rate::per_second(writes_per_second));
    let scim = fixture.client_with(|client| client.limit_writes(limiter));
    let store = Arc::new(Counting::default());
    let sync = DirectorySync::new(directory(users, 0, 0), &scim)
        .store(StateStore::on(store.clone(), Path::default()))
        .clock(Arc::new(fixture.clock.clone()));
    let report = fixture.run(&sync).await;
    assert_eq!(report.done.users_created, users);
    store.writes(SyncState::FILE)
}

#[tokio::test]
async fn the_state_is_saved_before_the_first_write_every_1000_writes_and_at_the_end() {
    assert_eq!(saves_of_a_run(2500, 1e6).await, 1 + 2 + 1);
}

#[tokio::test]
async fn a_slow_run_saves_the_state_every_30_seconds() {
    let saves = saves_of_a_run(120, 1.0).await;
    assert!((1 + 3..=1 + 4).contains(&(saves - 1)), "{saves} saves");
}
