//! Prints the time and the peak memory of the first plan of a large company in direct mode: 10,000 users, 1,000 groups, 100,000
//! memberships and 100,000 assignments. `cargo bench --bench large_plan`; with `-- --test`, a hundredth of it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::{fmt::Write as _, time::Duration};

use okta_aws_sso::{
    Blueprint, Clock as _, Pipeline, Plan, Secret, SystemClock,
    aws::{Aws, ConnectOptions, Credentials},
    okta, steps,
};
use sandbox::{AccountSeed, Company, Sandbox, Team};

/// The size of a company.
#[derive(Clone, Copy)]
struct Size {
    groups: usize,
    users: usize,
    /// The number of members of each group.
    members: usize,
    /// The number of accounts of each group.
    accounts: usize,
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let scale = if is_test { 10 } else { 1 };
    let size = Size {
        groups: 1_000 / scale,
        users: 10_000 / scale,
        members: 100 / scale,
        accounts: 100 / scale,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(size));
}

async fn run(size: Size) {
    let sandbox = Sandbox::builder()
        .company(company(size))
        .page_size(None)
        .start()
        .await
        .expect("a sandbox");
    let blueprint = Blueprint::from_toml(&blueprint(size)).expect("a blueprint");
    let okta = okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))
        .build()
        .expect("an Okta client");
    let aws = aws(&sandbox).await;
    let steps = steps::default_steps(&blueprint, &okta, &aws);
    let pipeline = Pipeline::new(steps).blueprint(&blueprint);

    let before = memory();
    let (plan, planned) = timed(async { pipeline.plan().await.expect("a plan") }).await;
    let after = memory();
    let (json, saved) = timed(async { serde_json::to_vec(&plan).expect("JSON") }).await;
    let (loaded, read) =
        timed(async { serde_json::from_slice::<Plan>(&json).expect("a plan") }).await;
    assert!(loaded == plan, "a saved plan is the same plan");
    let kinds = plan.changes().fold(
        std::collections::BTreeMap::new(),
        |mut kinds, (_, change)| {
            *kinds
                .entry(change.subject.kind().to_string())
                .or_insert(0usize) += 1;
            kinds
        },
    );
    assert_eq!(kinds["membership"], size.groups * size.members);
    assert_eq!(kinds["assignment"], size.groups * size.accounts);
    let changes = plan.changes().count();
    println!(
        "changes: {changes}, of them {} memberships, {} assignments",
        kinds["membership"], kinds["assignment"]
    );
    println!("requests: {}", sandbox.requests().len());
    println!("plan: {:.2} s, sandbox included", planned.as_secs_f64());
    println!(
        "save: {:.2} s, {} MB of JSON; read: {:.2} s",
        saved.as_secs_f64(),
        json.len() / 1_000_000,
        read.as_secs_f64()
    );
    if let (Some((now_before, _)), Some((now_after, peak))) = (before, after) {
        println!(
            "memory: {} MB for the plan, {peak} MB at most, sandbox included ({now_before} MB before)",
            now_after.saturating_sub(now_before)
        );
    }
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = SystemClock.now();
    let value = work.await;
    let ended = SystemClock.now();
    (value, ended.duration_since(started).unwrap_or_default())
}

fn company(size: Size) -> Company {
    let mut company = Company::small(size.users, 0);
    let login = |number: usize| company.people[number % company.people.len()].login.clone();
    let teams: Vec<Team> = (0..size.groups)
        .map(|group| {
            let first = group * size.members;
            let members: Vec<String> = (first..first + size.members).map(login).collect();
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            Team::new(&format!("team-{group:04}"), &members)
        })
        .collect();
    company.teams.extend(teams);
    company.accounts.extend((0..size.accounts).map(|account| {
        AccountSeed::new(
            &format!("3{account:011}"),
            &format!("Large {account:04}"),
            "Large",
        )
    }));
    company
}

fn blueprint(size: Size) -> String {
    let mut text = "[provisioning]\nmode = \"direct\"\nassign_groups = [\"aws-users\"]\n[sign_in]\nskip = true\n".to_owned();
    let accounts: Vec<String> = (0..size.accounts)
        .map(|account| format!("\"3{account:011}\""))
        .collect();
    let accounts = accounts.join(", ");
    for group in 0..size.groups {
        let _infallible = write!(
            text,
            "[[access]]\ngroup = \"team-{group:04}\"\naccounts = [{accounts}]\npermission_set = \"ReadOnlyAccess\"\n"
        );
    }
    text
}

async fn aws(sandbox: &Sandbox) -> Aws {
    let credentials = Credentials {
        access_key_id: sandbox.aws_access_key_id().to_owned(),
        secret_access_key: Secret::new(sandbox.aws_secret_access_key()),
        session_token: None,
    };
    Aws::connect(ConnectOptions {
        region: Some(sandbox.aws_region().to_owned()),
        endpoint_url: Some(sandbox.aws_endpoint_url().parse().expect("a URL")),
        credentials: Some(credentials.into()),
        ..ConnectOptions::default()
    })
    .await
    .expect("an AWS client")
}

/// Returns the memory of this process now and its peak, in megabytes; `None` on systems other than Linux.
#[expect(clippy::disallowed_methods, reason = "the file is in memory")]
fn memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let megabytes = |key: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(key))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes / 1024)
    };
    Some((megabytes("VmRSS:")?, megabytes("VmHWM:")?))
}
