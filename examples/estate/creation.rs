//! Measures how long a run needs to create assignments, within the quotas of AWS.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt as _, stream};
use okta_aws_sso::{
    Blueprint, Report, StateStore,
    aws::{Assignment, OperationStatus, Principal},
    steps,
};
use sandbox::{OperationDurations, Sandbox, Service};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    measure::{Clients, Failure, ROUND_TRIP, pipeline, set_up, start},
    organization::Size,
};

/// The creation of assignments, with operations of different durations.
#[derive(Serialize)]
pub(crate) struct Creations {
    /// Each operation takes 10 s.
    pub(crate) equal: Creation,
    /// The operations take 8 to 12 s.
    pub(crate) spread: Creation,
    /// 48 operations of 10 s on the clock of this computer.
    pub(crate) real: Creation,
}

/// The creation of many assignments.
#[derive(Serialize)]
pub(crate) struct Creation {
    pub(crate) assignments: usize,
    pub(crate) accounts: usize,
    /// The least time that the quotas allow: 15 operations at a time, one in each account, 20 calls a second.
    pub(crate) bound_seconds: f64,
    pub(crate) makespan_seconds: f64,
    pub(crate) makespan_ratio: f64,
    pub(crate) calls_per_assignment: f64,
    /// The share of the calls that AWS has refused, because of a limit or a conflict.
    pub(crate) throttled_share: f64,
    /// The same with 10 workers, each of which lists before it creates, waits 10 s, and polls every 5 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fixed: Option<Box<Self>>,
}

/// The creation to measure.
struct Case {
    size: Size,
    duration: fn(u64) -> Duration,
    is_real: bool,
}

pub(crate) async fn measure(server: &Handle) -> Result<Creations, Failure> {
    // Five groups with two sets each have 10 assignments in each account of a unit.
    let large = |duration| Case {
        size: Size::new(501, 10, 10, 2),
        duration,
        is_real: false,
    };
    let real = Case {
        size: Size::new(25, 2, 2, 2),
        duration: equal,
        is_real: true,
    };
    Ok(Creations {
        equal: with_fixed(&large(equal), server).await?,
        spread: with_fixed(&large(spread), server).await?,
        real: planned(&real, server).await?,
    })
}

fn equal(_: u64) -> Duration {
    Duration::from_secs(10)
}

/// Returns 8 to 12 s, evenly.
fn spread(number: u64) -> Duration {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Duration::from_millis(8_000 + (mixed >> 33) % 4_001)
}

async fn with_fixed(case: &Case, server: &Handle) -> Result<Creation, Failure> {
    let mut makespan = planned(case, server).await?;
    makespan.fixed = Some(Box::new(fixed(case, server).await?));
    Ok(makespan)
}

/// Measures a run of the pipeline.
async fn planned(case: &Case, server: &Handle) -> Result<Creation, Failure> {
    let (sandbox, clients) = case.start(server).await?;
    let blueprint = Blueprint::from_toml(&case.size.blueprint())?;
    let store = StateStore::memory();
    set_up(case.size, &sandbox, &clients, &blueprint, &store).await?;
    let steps = steps::default_steps(&blueprint, &clients.okta, &clients.aws);
    let pipeline = pipeline(steps, &sandbox, &clients, &blueprint, &store)?;
    let plan = pipeline.plan().await?;
    let (assignments, changes) = (case.assignments(), plan.changes().count());
    if changes != assignments {
        return Err(format!("{changes} instead of {assignments} changes:\n{plan}").into());
    }
    case.begin(&sandbox, &clients);
    let begin = clients.clock.elapsed();
    pipeline.apply(&plan).await.and_then(Report::complete)?;
    let taken = clients.clock.elapsed().saturating_sub(begin);
    case.result(&sandbox, taken)
}

/// Measures 10 workers with fixed waits.
async fn fixed(case: &Case, server: &Handle) -> Result<Creation, Failure> {
    let (sandbox, clients) = case.start(server).await?;
    let instance = clients.aws.instances().try_next().await?;
    let center = clients
        .aws
        .identity_center(&instance.ok_or("AWS has no instance")?);
    let sets = center.permission_sets().list().try_collect().await?;
    let groups: BTreeMap<String, _> = center
        .identity_store()
        .groups()
        .try_collect()
        .await?
        .into_iter()
        .map(|group| (group.display_name, group.id))
        .collect();
    let accounts = clients.aws.organizations().accounts().try_collect().await?;
    let management = clients
        .aws
        .organizations()
        .describe()
        .await?
        .management_account;
    let accounts: Vec<_> = accounts
        .into_iter()
        .map(|account| account.id)
        .filter(|account| *account != management)
        .collect();
    // Group by group, so that the workers rarely meet in an account.
    let wanted = groups.values().enumerate().flat_map(|(group, id)| {
        [0, 1].into_iter().flat_map({
            let (accounts, sets) = (&accounts, &sets);
            move |next| {
                let accounts = accounts.iter().skip(group % 2).step_by(2);
                accounts.map(move |account| Assignment {
                    account: account.clone(),
                    permission_set: sets[(group + next) % sets.len()].arn.clone(),
                    principal: Principal::Group(id.clone()),
                })
            }
        })
    });
    let wanted: Vec<Assignment> = wanted.collect();
    case.begin(&sandbox, &clients);
    let begin = clients.clock.elapsed();
    let (center, clock) = (&center, &clients.clock);
    let created = stream::iter(wanted).map(async |one: Assignment| {
        let assignments = center.assignments();
        let listed = assignments
            .list(&one.account, &one.permission_set)
            .try_collect()
            .await?;
        if listed.contains(&one.principal) {
            return Ok(());
        }
        let operation = loop {
            match assignments.start_create(&one).await {
                Err(error) if error.is_conflict() || error.is_throttled() => {
                    clock.sleep(Duration::from_secs(5)).await;
                }
                started => break started?,
            }
        };
        clock.sleep(Duration::from_secs(10)).await;
        loop {
            match assignments.status(&operation).await? {
                OperationStatus::InProgress => clock.sleep(Duration::from_secs(5)).await,
                OperationStatus::Succeeded => return Ok(()),
                status => return Err(Failure::from(format!("{status:?}"))),
            }
        }
    });
    let results: Vec<Result<(), Failure>> = created.buffer_unordered(10).collect().await;
    results.into_iter().collect::<Result<(), Failure>>()?;
    let taken = clients.clock.elapsed().saturating_sub(begin);
    case.result(&sandbox, taken)
}

impl Case {
    async fn start(&self, server: &Handle) -> Result<(Sandbox, Clients), Failure> {
        let builder = Sandbox::builder().company(self.size.company_without_access());
        start(builder, self.is_real, server).await
    }

    /// Starts the measurement: the operations take their time, and so do the requests.
    fn begin(&self, sandbox: &Sandbox, clients: &Clients) {
        sandbox.set_operation_durations(OperationDurations::by_number(self.duration));
        if let Some(clock) = &clients.manual {
            clock.set_round_trip(ROUND_TRIP);
        }
        sandbox.clear_requests();
    }

    fn assignments(&self) -> usize {
        self.size.rows().sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    fn result(&self, sandbox: &Sandbox, taken: Duration) -> Result<Creation, Failure> {
        let requests = sandbox.requests();
        let is_counted = |operation: &str| operation.contains("AccountAssignment");
        let counted = requests.iter().filter(|request| {
            request.service == Service::Aws && request.target.as_deref().is_some_and(is_counted)
        });
        let statuses: Vec<_> = counted.map(|request| request.status).collect();
        let refused = statuses
            .iter()
            .filter(|status| **status != Some(200))
            .count();
        let assignments = self.assignments();
        let accounts = self.size.accounts - 1;
        if sandbox.assignments().len() < assignments {
            return Err("not all assignments exist".into());
        }
        let durations: Vec<Duration> = (0..assignments as u64).map(self.duration).collect();
        let all: Duration = durations.iter().sum();
        let longest = durations.iter().max().copied().unwrap_or_default();
        let bound = (all.as_secs_f64() / 15.0)
            .max(longest.as_secs_f64() * (assignments / accounts) as f64)
            .max(assignments as f64 / 20.0);
        // Equal operations end together, so that the last ones fill up a whole round.
        let bound = if self.is_real {
            bound.max(assignments.div_ceil(15) as f64 * longest.as_secs_f64())
        } else {
            bound
        };
        let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
        Ok(Creation {
            assignments,
            accounts,
            bound_seconds: rounded(bound),
            makespan_seconds: rounded(taken.as_secs_f64()),
            makespan_ratio: rounded(taken.as_secs_f64() / bound),
            calls_per_assignment: rounded(statuses.len() as f64 / assignments as f64),
            throttled_share: rounded(refused as f64 / statuses.len() as f64),
            fixed: None,
        })
    }
}
