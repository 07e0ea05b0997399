use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use rest_core::ManualClock;

use super::*;
use crate::StateLock;

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH)
}

async fn locked(store: &StateStore) -> StateLock {
    store.lock(Arc::new(clock())).await.expect("a free lock")
}

/// Returns the stores that have to behave alike: a folder, and a store with conditional writes.
fn stores() -> (tempfile::TempDir, [StateStore; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let stores = [
        StateStore::folder(folder.path()).expect("a store"),
        StateStore::memory(),
    ];
    (folder, stores)
}

#[tokio::test]
async fn a_saved_state_is_loaded_with_the_next_serial() {
    let (_folder, stores) = stores();
    for store in stores {
        assert_eq!(store.load().await.expect("a store"), None);
        let mut state = State::new();
        locked(&store).await.save(&mut state).await.expect("a save");
        assert_eq!(state.serial, 1);
        assert_eq!(store.load().await.expect("a state"), Some(state));
    }
}

#[tokio::test]
async fn a_state_that_another_run_saved_is_not_overwritten() {
    let (_folder, stores) = stores();
    for store in stores {
        let lock = locked(&store).await;
        let mut ours = State::new();
        lock.save(&mut ours).await.expect("a save");
        let mut theirs = ours.clone();
        lock.save(&mut theirs).await.expect("their save");
        let error = lock.save(&mut ours).await.expect_err("a conflict");
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(
            error
                .to_string()
                .starts_with("another run has saved this state: the store has serial 2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_new_state_does_not_replace_a_saved_one() {
    let (_folder, stores) = stores();
    for store in stores {
        let lock = locked(&store).await;
        lock.save(&mut State::new()).await.expect("a save");
        let error = lock.save(&mut State::new()).await.expect_err("a conflict");
        assert!(error.to_string().contains("of lineage"), "{error}");
    }
}

#[tokio::test]
async fn a_state_of_another_format_version_is_rejected() {
    for (version, help) in [(1, "move the file away"), (9, "a newer one")] {
        let store = StateStore::memory();
        let json = format!("{{\"version\": {version}}}");
        let lock = locked(&store).await;
        lock.put(STATE, json.into_bytes()).await.expect("a file");
        let error = store.load().await.expect_err("another version");
        let text = error.explain();
        assert!(
            text.contains(&format!("format version {version}")),
            "{text}"
        );
        assert!(text.contains(help), "{text}");
    }
}

#[tokio::test]
async fn a_folder_keeps_the_state_between_processes() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("a/b");
    let store = StateStore::folder(&below).expect("a store");
    let mut state = State::new();
    let lock = locked(&store).await;
    lock.save(&mut state).await.expect("a save");
    lock.put("metadata.xml", b"<x/>".to_vec())
        .await
        .expect("a file");
    drop(lock);
    let again = StateStore::folder(&below).expect("a store");
    assert_eq!(again.load().await.expect("a state"), Some(state));
    assert_eq!(
        again.read("metadata.xml").await.expect("a file").as_deref(),
        Some(b"<x/>".as_slice())
    );
}

#[tokio::test]
async fn the_second_of_two_runs_is_refused_and_learns_who_holds_the_lock() {
    let (_folder, stores) = stores();
    for store in stores {
        let lock = locked(&store).await;
        let error = store
            .lock(Arc::new(clock()))
            .await
            .expect_err("a held lock");
        assert_eq!(error.kind(), ErrorKind::Locked);
        assert_eq!(
            error.to_string(),
            format!("the state is locked by {}", lock.holder())
        );
        let text = lock.holder().to_string();
        assert!(
            text.contains(&format!("of process {} on host ", std::process::id())),
            "{text}"
        );
        assert!(text.ends_with("since 1970-01-01T00:00:00Z"), "{text}");
        lock.release().await.expect("a release");
        drop(locked(&store).await);
    }
}

#[tokio::test]
async fn a_dropped_lock_is_free_for_the_next_run_of_this_process() {
    let (_folder, stores) = stores();
    for store in stores {
        drop(locked(&store).await);
        drop(locked(&store).await);
    }
}

#[tokio::test]
async fn a_lease_that_another_process_holds_is_free_when_it_ends() {
    let store = StateStore::memory();
    let clock = clock();
    let lock = store
        .lock(Arc::new(clock.clone()))
        .await
        .expect("a free lock");
    // A killed process does not release its lock, and this process does not know its runs.
    other_process(&store).await;
    clock.advance(Duration::from_secs(119));
    let error = store
        .lock(Arc::new(clock.clone()))
        .await
        .expect_err("a valid lease");
    assert!(
        error
            .explain()
            .contains("its lock is free after 1970-01-01T00:02:00Z"),
        "{}",
        error.explain()
    );
    clock.advance(Duration::from_secs(1));
    let next = store
        .lock(Arc::new(clock.clone()))
        .await
        .expect("a free lock");
    let mut state = State::new();
    next.save(&mut state).await.expect("a save");

    let error = lock
        .save(&mut State::new())
        .await
        .expect_err("a lease that has ended");
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(
        error.to_string(),
        format!(
            "the lease of this run has ended, and the state is now locked by {}",
            next.holder()
        )
    );
    assert_eq!(store.load().await.expect("a state"), Some(state));
}

#[tokio::test]
async fn a_lease_that_ends_soon_is_renewed_before_the_next_change() {
    let store = StateStore::memory();
    let clock = clock();
    let lock = store
        .lock(Arc::new(clock.clone()))
        .await
        .expect("a free lock");
    for _ in 0..10 {
        clock.advance(Duration::from_secs(100));
        lock.check().await.expect("a lease");
    }
    // No other run has taken over the lock, so the run goes on even after the end of its lease.
    clock.advance(Duration::from_hours(1));
    lock.check().await.expect("a lease");
    other_process(&store).await;
    let error = store
        .lock(Arc::new(clock))
        .await
        .expect_err("a valid lease");
    assert_eq!(error.kind(), ErrorKind::Locked);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_delay_the_renewal_of_a_lease() {
    let store = StateStore::memory();
    let clock = clock();
    let lock = store.lock(Arc::new(clock.clone())).await;
    let lock = lock.expect("a free lock");
    clock.advance(Duration::from_secs(100));
    let before = store.read("lock.json").await.expect("a store");
    clock.set(SystemTime::UNIX_EPOCH - Duration::from_hours(1));
    lock.check().await.expect("a lease");
    let renewed = store.read("lock.json").await.expect("a store");
    assert_ne!(renewed, before);
}

#[tokio::test]
async fn one_of_many_runs_gets_the_lock() {
    let (_folder, stores) = stores();
    for store in stores {
        let got = Arc::new(AtomicUsize::new(0));
        let runs = (0..20).map(|_| {
            let (store, got) = (store.clone(), got.clone());
            tokio::spawn(async move {
                let lock = store.lock(Arc::new(clock())).await;
                if lock.is_ok() {
                    got.fetch_add(1, Ordering::SeqCst);
                }
                lock.ok()
            })
        });
        let locks = futures::future::join_all(runs).await;
        assert_eq!(got.load(Ordering::SeqCst), 1);
        drop(locks);
    }
}

#[tokio::test]
async fn a_store_without_conditional_writes_cannot_be_locked() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = LocalFileSystem::new_with_prefix(folder.path()).expect("a file system");
    let store = StateStore::on(Arc::new(files), Path::default());
    let error = store
        .lock(Arc::new(clock()))
        .await
        .expect_err("no conditional writes");
    assert!(
        error
            .to_string()
            .ends_with("has no conditional writes, so it cannot hold a lock"),
        "{error}"
    );
}

/// Makes the lock look as if a run of another process had taken it.
async fn other_process(store: &StateStore) {
    let (bytes, _) = store
        .read_with_version("lock.json")
        .await
        .expect("a lock")
        .expect("a lock");
    let mut holder: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    holder["instance"] = "another process".into();
    let json = serde_json::to_vec(&holder).expect("JSON");
    // The version of the object changes as well, as it does when another run takes over.
    store.write("lock.json", json).await.expect("a write");
}

#[tokio::test]
async fn the_files_of_a_folder_are_listed_and_removed() {
    let (_folder, stores) = stores();
    for store in stores {
        assert_eq!(store.files("reads").await.expect("a list"), [""; 0]);
        for name in ["reads/1.json", "reads/2.json", "other.json"] {
            store.write(name, "{}").await.expect("a save");
        }
        let mut files = store.files("reads").await.expect("a list");
        files.sort_unstable();
        assert_eq!(files, ["reads/1.json", "reads/2.json"]);
        for _ in 0..2 {
            store.remove("reads/1.json").await.expect("a removal");
        }
        let files = store.files("reads").await.expect("a list");
        assert_eq!(files, ["reads/2.json"]);
        let content = store.read("reads/2.json").await.expect("a file");
        assert_eq!(content.as_deref(), Some(&b"{}"[..]));
    }
}
