//! Runs the pipeline on a sandbox, and counts its calls.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cpu_time::ThreadTime;
use okta_aws_sso::{
    AccessQuery, Blueprint, Clock, ManualClock, Pipeline, Report, Secret, State, StateStore,
    SystemClock,
    aws::{
        Aws, ConnectOptions, Credentials,
        estate::{CoverageLevel, Organization},
    },
    okta::{self, ListApps, ListGroups, NewPushMapping, PushTarget},
    operator::SandboxOperator,
    steps::{self, Steps, ids},
};
use sandbox::{Sandbox, SandboxBuilder, Service, Stage};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    least::Least,
    organization::{ASSIGNED, Size, group_name},
};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The calls for an organization of one size.
#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) accounts: usize,
    pub(crate) permission_sets: usize,
    pub(crate) groups: usize,
    pub(crate) users: usize,
    pub(crate) assignments: usize,
    /// The principals whose assignments the plan reads.
    pub(crate) coverage: CoverageLevel,
    pub(crate) plan_calls: usize,
    pub(crate) plan_least: usize,
    pub(crate) plan_least_parts: Least,
    pub(crate) plan_ratio: f64,
    /// The time of the plan on the clock of the clients, which includes the waits for rate limits.
    pub(crate) plan_seconds: u64,
    pub(crate) apply_calls: usize,
    pub(crate) verify_calls: usize,
    pub(crate) report_calls: usize,
    /// The calls of the plan, its run, the check and the report.
    pub(crate) all_calls: usize,
    pub(crate) all_ratio: f64,
    /// The calls of `ListGroupMemberships`, which no other number includes.
    pub(crate) member_calls: usize,
    pub(crate) calls_by_operation: BTreeMap<String, usize>,
    /// The calls that read the access of all users too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full_calls: Option<usize>,
    pub(crate) full_least: usize,
    pub(crate) full_least_parts: Least,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full_ratio: Option<f64>,
}

/// The counted calls, by operation.
#[derive(Default)]
struct Calls {
    by_operation: BTreeMap<String, usize>,
    members: usize,
}

impl Calls {
    /// Takes the calls since the last look.
    fn take(sandbox: &Sandbox) -> Self {
        let mut calls = Self::default();
        for request in sandbox.requests() {
            match request.target.as_deref() {
                Some(MEMBERS) => calls.members += 1,
                Some(operation) if request.service == Service::Aws => {
                    *calls.by_operation.entry(operation.to_owned()).or_default() += 1;
                }
                _ => {}
            }
        }
        sandbox.clear_requests();
        calls
    }

    fn total(&self) -> usize {
        self.by_operation.values().sum()
    }
}

/// Prints the phases of a measurement, which takes minutes.
struct Progress {
    accounts: usize,
    started: Duration,
}

impl Progress {
    fn start(size: Size) -> Self {
        Self {
            accounts: size.accounts,
            started: SystemClock.elapsed(),
        }
    }

    fn done(&self, phase: &str) {
        let seconds = SystemClock.elapsed().saturating_sub(self.started).as_secs();
        eprintln!("{} accounts: {phase} after {seconds} s", self.accounts);
    }
}

/// The clients of a sandbox, whose clock they share.
pub(crate) struct Clients {
    pub(crate) okta: okta::Client,
    pub(crate) aws: Aws,
    pub(crate) clock: Arc<dyn Clock>,
    /// The clock, if it does not run by itself.
    pub(crate) manual: Option<ManualClock>,
    /// The CPU time of the sandbox on the clients' thread, where the clock moves the sandbox's time.
    sandbox_time: Arc<Mutex<Duration>>,
}

impl Clients {
    /// Returns the CPU time of the sandbox on this thread since the last call.
    pub(crate) fn take_sandbox_time(&self) -> Duration {
        let mut time = self
            .sandbox_time
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *time)
    }
}

/// Counts the calls for an organization of this size.
pub(crate) async fn measure(
    size: Size,
    with_full: bool,
    real_time: bool,
    server: &Handle,
) -> Result<Measured, Failure> {
    let progress = Progress::start(size);
    let builder = Sandbox::builder().company(size.company());
    let (sandbox, clients) = start(builder, real_time, server).await?;
    let blueprint = Blueprint::from_toml(&size.blueprint())?;
    let store = StateStore::memory();
    progress.done("start");
    set_up(size, &sandbox, &clients, &blueprint, &store).await?;
    sandbox.clear_requests();
    progress.done("set-up");

    let steps = steps::default_steps(&blueprint, &clients.okta, &clients.aws);
    let pipeline = pipeline(steps, &sandbox, &clients, &blueprint, &store)?;
    let start = clients.clock.elapsed();
    let planned = pipeline.plan().await?;
    let plan_seconds = clients.clock.elapsed().saturating_sub(start).as_secs();
    if !planned.is_empty() || planned.problems().next().is_some() {
        return Err(format!("the set-up is not complete:\n{planned}").into());
    }
    let plan = Calls::take(&sandbox);
    progress.done("plan");
    pipeline.apply(&planned).await.and_then(Report::complete)?;
    let apply = Calls::take(&sandbox);
    progress.done("apply");
    let verified = pipeline.verify().await?;
    if !verified.passed() {
        return Err(format!("the check has failed: {verified:?}").into());
    }
    let verify = Calls::take(&sandbox);
    progress.done("verify");
    let assignments: usize = size.rows().sum();
    let access = pipeline.access(&AccessQuery::default()).await?;
    if access.table().len() != assignments {
        return Err(format!(
            "{} of {assignments} assignments were read",
            access.table().len()
        )
        .into());
    }
    let report = Calls::take(&sandbox);
    progress.done("report");
    let full = if with_full {
        read_full(size, &clients.aws).await?;
        progress.done("full");
        Some(Calls::take(&sandbox).total())
    } else {
        None
    };

    let phases = [&plan, &apply, &verify, &report];
    let mut calls_by_operation = BTreeMap::new();
    let (mut all_calls, mut member_calls) = (0, 0);
    for phase in phases {
        all_calls += phase.total();
        member_calls += phase.members;
        for (operation, calls) in &phase.by_operation {
            *calls_by_operation.entry(operation.clone()).or_default() += calls;
        }
    }
    let (least, full_least) = (Least::of_groups(size), Least::of_all(size));
    Ok(Measured {
        accounts: size.accounts,
        permission_sets: size.sets,
        groups: size.groups,
        users: size.users(),
        assignments,
        coverage: CoverageLevel::Groups,
        plan_calls: plan.total(),
        plan_least: least.total(),
        plan_ratio: ratio(plan.total(), &least),
        plan_seconds,
        apply_calls: apply.total(),
        verify_calls: verify.total(),
        report_calls: report.total(),
        all_calls,
        all_ratio: ratio(all_calls, &least),
        member_calls,
        calls_by_operation,
        full_calls: full,
        full_least: full_least.total(),
        full_ratio: full.map(|calls| ratio(calls, &full_least)),
        plan_least_parts: least,
        full_least_parts: full_least,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a number of calls is small")]
fn ratio(calls: usize, least: &Least) -> f64 {
    (calls as f64 / least.total() as f64 * 1000.0).round() / 1000.0
}

/// Starts a sandbox in which Okta is connected and AWS has the access, and connects to it.
pub(crate) async fn start(
    builder: SandboxBuilder,
    real_time: bool,
    server: &Handle,
) -> Result<(Sandbox, Clients), Failure> {
    let builder = builder.stage(Stage::Provisioned).page_size(None);
    let mut manual = None;
    let sandbox_time: Arc<Mutex<Duration>> = Arc::default();
    let (sandbox, clock): (_, Arc<dyn Clock>) = if real_time {
        (server.spawn(builder.start()).await??, Arc::new(SystemClock))
    } else {
        let start: okta_aws_sso::deps::jiff::Timestamp = START.parse()?;
        let builder = builder.clock(sandbox::Clock::Manual(start));
        let sandbox = server.spawn(builder.start()).await??;
        let clock = ManualClock::new(start.try_into()?);
        let (advance, time) = (sandbox.advance_fn(), Arc::clone(&sandbox_time));
        clock.on_sleep(move |duration| {
            let begin = ThreadTime::now();
            advance(duration);
            *time.lock().unwrap_or_else(PoisonError::into_inner) += begin.elapsed();
        });
        manual = Some(clock.clone());
        (sandbox, Arc::new(clock))
    };
    let okta = okta::Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()))
        .clock(clock.clone())
        .build()?;
    let credentials = Credentials {
        access_key_id: sandbox.aws_access_key_id().to_owned(),
        secret_access_key: Secret::new(sandbox.aws_secret_access_key()),
        session_token: None,
    };
    let aws = Aws::connect(ConnectOptions {
        region: Some(sandbox.aws_region().to_owned()),
        endpoint_url: Some(sandbox.aws_endpoint_url().parse()?),
        credentials: Some(credentials.into()),
        clock: clock.clone(),
        ..ConnectOptions::default()
    })
    .await?;
    let clients = Clients {
        okta,
        aws,
        clock,
        manual,
        sandbox_time,
    };
    Ok((sandbox, clients))
}

pub(crate) fn pipeline(
    steps: Steps,
    sandbox: &Sandbox,
    clients: &Clients,
    blueprint: &Blueprint,
    store: &StateStore,
) -> Result<Pipeline, Failure> {
    let operator = SandboxOperator::new(sandbox.console_url().parse()?)?;
    Ok(Pipeline::new(steps)
        .blueprint(blueprint)
        .store(store.clone())
        .operator(operator)
        .clock(clients.clock.clone()))
}

/// Has Okta provision the users and groups, and runs the steps that connect Okta with AWS.
pub(crate) async fn set_up(
    size: Size,
    sandbox: &Sandbox,
    clients: &Clients,
    blueprint: &Blueprint,
    store: &StateStore,
) -> Result<(), Failure> {
    let apps = clients.okta.apps();
    let mut apps_in_okta = apps.list(ListApps {
        name: Some("amazon_aws_sso".to_owned()),
        ..ListApps::default()
    });
    let app = apps_in_okta.try_next().await?.ok_or("Okta has no app")?;
    let groups = clients.okta.groups().list(ListGroups::default());
    let groups = groups.try_collect().await?;
    let groups: BTreeMap<String, _> = groups
        .into_iter()
        .map(|group| (group.name, group.id))
        .collect();
    // Okta provisions nothing for an inactive app, and everything together later.
    apps.deactivate(app.id()).await?;
    apps.assign_group(app.id(), &groups[ASSIGNED]).await?;
    let pushes = clients.okta.push_mappings(app.id());
    for name in (0..size.groups).map(group_name) {
        let source_group = groups[&name].clone();
        let target = PushTarget::NewGroup(name);
        pushes
            .create(&NewPushMapping {
                source_group,
                target,
            })
            .await?;
    }
    apps.activate(app.id()).await?;

    // Without the ARNs in the state, the plan would adopt each permission set.
    let mut state = State::new();
    for set in sandbox.permission_sets() {
        let arn = set.arn.parse()?;
        state.facts.permission_sets.insert(set.name, arn);
    }
    let lock = store.lock(clients.clock.clone()).await?;
    lock.save(&mut state).await?;
    lock.release().await?;

    // The other steps have nothing to do, and would read all access once more.
    let steps = steps::default_steps(blueprint, &clients.okta, &clients.aws)
        .without(&ids::APP_ACCESS)
        .without(&ids::ARRIVAL)
        .without(&ids::PERMISSION_SETS)
        .without(&ids::ACCOUNT_ASSIGNMENTS);
    let pipeline = pipeline(steps, sandbox, clients, blueprint, store)?;
    let plan = pipeline.plan().await?;
    pipeline.apply(&plan).await.and_then(Report::complete)?;
    Ok(())
}

/// Reads the access of all groups and users.
async fn read_full(size: Size, aws: &Aws) -> Result<(), Failure> {
    aws.caller().await?;
    let details = aws.organizations().describe().await?;
    let instance = aws.instances().try_next().await?;
    let instance = instance.ok_or("AWS has no instance")?;
    aws.describe_instance(&instance.arn).await?;
    Organization::read(aws, details.management_account, true).await?;
    let center = aws.identity_center(&instance);
    let names: Vec<String> = size.set_names().collect();
    let pairs = size.accounts_of_sets().iter().sum();
    let reader = center.estate().level(CoverageLevel::Full);
    let estate = reader.wanted_sets(names).wanted_pairs(pairs).read().await?;
    if !estate.assignments.coverage().is_complete() {
        return Err("the access was not read completely".into());
    }
    let sets = center.permission_sets();
    for set in estate.permission_sets.iter() {
        let details = set.details.clone().ok_or("a set was not described")?;
        sets.contents(details, false).await?;
        sets.outdated_accounts(&set.arn).try_collect().await?;
    }
    Ok(())
}

/// The time of a request in a network.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(70);

/// The operation that lists the members of a group.
const MEMBERS: &str = "ListGroupMemberships";

/// The start of the manual clock.
const START: &str = "2026-11-24T09:00:00Z";
