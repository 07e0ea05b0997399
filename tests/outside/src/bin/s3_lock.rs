//! Checks the lock of a state in an S3-compatible store, which `AWS_*` variables and `S3_BUCKET` describe.
//!
//! `s3_lock hold` takes the lock of another prefix and waits to be killed.

use std::{
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use okta_aws_sso::{
    ErrorKind, ManualClock, State, StateStore,
    deps::object_store::{ObjectStore, aws::AmazonS3Builder, path::Path},
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

type Failure = Box<dyn std::error::Error>;

fn s3() -> Result<Arc<dyn ObjectStore>, Failure> {
    let store = AmazonS3Builder::from_env()
        .with_bucket_name(std::env::var("S3_BUCKET")?)
        .with_allow_http(true)
        .build()?;
    Ok(Arc::new(store))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
    let killed = StateStore::on(s3()?, Path::from("killed"));
    if std::env::args().nth(1).as_deref() == Some("hold") {
        let lock = killed.lock(Arc::new(clock.clone())).await?;
        println!("held");
        std::future::pending::<()>().await;
        drop(lock);
    }

    // Two runs at the same time: the second one is refused, and learns who holds the lock.
    let store = StateStore::on(s3()?, Path::from("runs"));
    let first = store.lock(Arc::new(clock.clone())).await?;
    let error = store.lock(Arc::new(clock.clone())).await.expect_err("a held lock");
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(error.to_string(), format!("the state is locked by {}", first.holder()));
    let mut state = State::new();
    first.save(&mut state).await?;
    first.save(&mut state).await?;

    // A lease that ran out cannot overwrite what the next run has saved.
    clock.advance(Duration::from_secs(121));
    let second = store.lock(Arc::new(clock.clone())).await?;
    let mut saved = state.clone();
    second.save(&mut saved).await?;
    let error = first.save(&mut state).await.expect_err("a lost lease");
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(store.load().await?, Some(saved));
    second.release().await?;

    // Many runs at the same time: one gets the lock.
    let attempts: Vec<_> = (0..10)
        .map(|_| {
            let (store, clock) = (store.clone(), clock.clone());
            tokio::spawn(async move { store.lock(Arc::new(clock)).await })
        })
        .collect();
    let mut locks = Vec::new();
    for attempt in attempts {
        locks.extend(attempt.await?.ok());
    }
    assert_eq!(locks.len(), 1, "runs that got the lock");

    // After SIGKILL, the lock is free when its lease ends.
    let mut holder = tokio::process::Command::new(std::env::current_exe()?)
        .arg("hold")
        .stdout(Stdio::piped())
        .spawn()?;
    let output = holder.stdout.take().ok_or("no output")?;
    let line = BufReader::new(output).lines().next_line().await?;
    assert_eq!(line.as_deref(), Some("held"));
    holder.kill().await?;
    let start = ManualClock::new(SystemTime::UNIX_EPOCH);
    let error = killed.lock(Arc::new(start.clone())).await.expect_err("a valid lease");
    assert_eq!(error.kind(), ErrorKind::Locked);
    println!("{error:?}");
    start.advance(Duration::from_secs(121));
    killed.lock(Arc::new(start)).await?.release().await?;
    println!("the lock holds");
    Ok(())
}
