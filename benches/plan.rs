//! Prints the memory and the time of planning the account assignments of an organization, for 1,000 to 400,000 of them, and the
//! memory of writing the access report.
//! `cargo bench --bench plan`; with `-- --test`, 1,000 only.
//!
//! In each size AWS has as many assignments as the blueprint wants. In the first measurement they are the same. In the second
//! one the blueprint wants others, so that the plan has a change for each.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::{
    alloc::System,
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use cap::Cap;
use okta_aws_sso::{
    AccessQuery, AccessReport, Blueprint, BoxFuture, Clock, Context, Pipeline, Planned, Report,
    Result, Secret, State, StateStore, Step, SystemClock,
    aws::{Aws, ConnectOptions, Credentials},
    deps::jiff::Timestamp,
    okta,
    plan::{Change, StepId},
    steps::{self, ids},
};
use sandbox::{
    AccountSeed, Company, IdentityCenterQuotas, PermissionSetSeed, PrincipalSeed, Sandbox,
};

/// Counts the bytes of the heap.
#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Number of accounts of each group.
const ACCOUNTS: usize = 100;

/// Number of permission sets.
const SETS: usize = 100;

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let all = [1_000, 10_000, 100_000, 400_000];
    let sizes = if is_test { &all[..1] } else { &all[..] };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!(
        "assignments  heap bytes each: nothing to do  all to create  planning: nothing to do  writing a report: heap bytes"
    );
    for &assignments in sizes {
        let same = runtime.block_on(measure(assignments, true));
        let others = runtime.block_on(measure(assignments, false));
        println!(
            "{assignments:>11}  {:>30}  {:>13}  {:>21.2} s  {:>28}",
            same.bytes,
            others.bytes,
            same.time.as_secs_f64(),
            same.report
        );
    }
}

#[derive(Default)]
struct Measured {
    /// The heap bytes of the estate, the wanted rows and the plan for each assignment.
    bytes: usize,
    /// The time of planning them again.
    time: Duration,
    /// The most heap bytes that writing the report takes besides the access.
    report: usize,
}

/// Measures the planning, and the report if nothing is to do.
async fn measure(assignments: usize, is_same: bool) -> Measured {
    let groups = assignments / ACCOUNTS;
    let quotas = IdentityCenterQuotas {
        calls_per_second: None,
        ..IdentityCenterQuotas::AWS
    };
    let sandbox = Sandbox::builder()
        .company(company(groups, is_same))
        .identity_center_quotas(quotas)
        .page_size(None)
        .start()
        .await
        .expect("a sandbox");
    let blueprint = Blueprint::from_toml(&blueprint(groups)).expect("a blueprint");
    let okta = okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))
        .build()
        .expect("an Okta client");
    let aws = aws(&sandbox).await;
    let (before, after) = (Marker::new("before"), Marker::new("after"));
    let mut steps = steps::Steps::new();
    steps.push(steps::Organization::new(&aws));
    steps.push(steps::IdentityCenterInstance::new(&aws, None));
    steps.push(steps::PermissionSets::new(&aws, &blueprint));
    steps.push(before.clone());
    steps.push(steps::AccountAssignments::new(&okta, &aws, &blueprint));
    steps.push(after.clone());
    let pipeline = Pipeline::new(steps)
        .blueprint(&blueprint)
        .store(store(&sandbox).await);

    let plan = pipeline.plan().await.expect("a plan");
    let changes = plan.step(&ids::ACCOUNT_ASSIGNMENTS).expect("the step");
    let expected = if is_same { 0 } else { assignments };
    assert_eq!(changes.changes.len(), expected, "{:?}", changes.problems);
    let bytes = after.last().0.saturating_sub(before.last().0) / assignments;
    if !is_same {
        return Measured {
            bytes,
            ..Measured::default()
        };
    }
    // The run plans again, with what the plan has read.
    let applied = pipeline.apply(&plan).await.and_then(Report::complete);
    applied.expect("a run");
    let time = after.last().1.saturating_sub(before.last().1);

    let access = pipeline.access(&AccessQuery::default()).await;
    let report = AccessReport::new(access.expect("the access"), Timestamp::UNIX_EPOCH);
    // The groups have no members, so each assignment is one row.
    assert_eq!(report.rows().count(), assignments);
    let before = HEAP.allocated();
    let mut most = Most(before);
    report.write_csv(&mut most).expect("a report");
    Measured {
        bytes,
        time,
        report: most.0 - before,
    }
}

/// A writer that records the most bytes of the heap.
struct Most(usize);

impl io::Write for Most {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.max(HEAP.allocated());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A step without changes, which records the heap and the time.
#[derive(Clone, Debug)]
struct Marker {
    id: &'static str,
    last: Arc<Mutex<(usize, Duration)>>,
}

impl Marker {
    fn new(id: &'static str) -> Self {
        Self {
            id,
            last: Arc::default(),
        }
    }

    fn last(&self) -> (usize, Duration) {
        *self.last.lock().expect("a lock")
    }
}

impl Step for Marker {
    fn id(&self) -> StepId {
        StepId::new(self.id)
    }

    fn title(&self) -> String {
        format!("Measurement {}", self.id)
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        *self.last.lock().expect("a lock") = (HEAP.allocated(), SystemClock.elapsed());
        Box::pin(async { Ok(Planned::nothing()) })
    }

    fn apply<'a>(
        &'a self,
        _: &'a Change,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<okta_aws_sso::Applied>> {
        Box::pin(async { Ok(okta_aws_sso::Applied::Done) })
    }
}

fn account_id(account: usize) -> String {
    format!("3{account:011}")
}

/// Returns a company in which each group has a permission set in 100 accounts: those of the blueprint, or others.
fn company(groups: usize, is_same: bool) -> Company {
    let mut company = Company::empty();
    for account in 0..2 * ACCOUNTS {
        let unit = if account < ACCOUNTS {
            "Wanted"
        } else {
            "Others"
        };
        let seed = AccountSeed::new(&account_id(account), &format!("account-{account:04}"), unit);
        company.accounts.push(seed);
    }
    let first = if is_same { 0 } else { ACCOUNTS };
    company.estate(|mut estate| {
        for set in 0..SETS {
            estate = estate.set(PermissionSetSeed::new(&format!("Set-{set:04}")));
        }
        for group in 0..groups {
            let name = format!("group-{group:04}");
            estate = estate.group(&name, [""; 0]);
            let set = format!("Set-{:04}", group % SETS);
            for account in first..first + ACCOUNTS {
                let principal = PrincipalSeed::Group(&name);
                estate = estate.assign(principal, &account_id(account), &set);
            }
        }
        estate
    })
}

/// Returns a store whose state knows the permission sets, so that the plan adopts none.
async fn store(sandbox: &Sandbox) -> StateStore {
    let mut state = State::new();
    for set in sandbox.permission_sets() {
        let arn = set.arn.parse().expect("an ARN");
        state.facts.permission_sets.insert(set.name, arn);
    }
    let store = StateStore::memory();
    let lock = store.lock(Arc::new(SystemClock)).await.expect("a lock");
    lock.save(&mut state).await.expect("a save");
    lock.release().await.expect("a release");
    store
}

fn blueprint(groups: usize) -> String {
    let mut text = String::new();
    for set in 0..SETS {
        let _infallible = writeln!(
            text,
            "[permission_sets.Set-{set:04}]\nsession_duration = \"PT1H\""
        );
    }
    for group in 0..groups {
        let _infallible = writeln!(
            text,
            "[[access]]\ngroup = \"group-{group:04}\"\naccounts = {{ ou = [\"Wanted\"] }}\npermission_set = \"Set-{:04}\"",
            group % SETS
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
        sso_admin_calls_per_second: None,
        ..ConnectOptions::default()
    })
    .await
    .expect("an AWS client")
}
