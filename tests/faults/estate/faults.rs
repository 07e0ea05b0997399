//! Runs of the estate in this process, with faults of AWS's operations, of its responses, and of the world around.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, time::Duration};

use futures::future::{Either, select};
use jiff::Timestamp;
use okta_aws_sso::{
    Blueprint, Guard, Outcome, Plan, Report,
    plan::{Principal, Problem, Subject},
    steps,
};
use rest_core::Clock as _;
use sandbox::{
    AccountState, IamPolicy, OperationDurations, OperationFault, OperationKind, SandboxBuilder,
    Service,
};

use super::{
    LAST, Ownership, World,
    checks::{self, Row},
};
use crate::{
    campaign::{End, Verdict},
    end_state::{differences, end_state},
    fixture::Fixture,
    in_process::{check, failed, shorten_timeouts},
    kinds::{Effect, KINDS, Kind},
};

/// One fault of a run. A position is a number of operations or requests that pass before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Operations end as `FAILED` with this reason.
    Fails(OperationKind, &'static str, Position),
    /// An operation stays `IN_PROGRESS` until the run has ended.
    Hangs(OperationKind, Position),
    /// AWS refuses to start operations.
    Refused(Refusal, Position),
    /// A request of this operation has no usable response.
    Response(&'static Kind, &'static str, usize),
    /// Another tool changes roles in this account.
    OtherTool {
        account: &'static str,
        operations: usize,
        seconds: u64,
        after: usize,
    },
    /// The account gets another state. It is active again after the run if `reopens` is true.
    Closed {
        account: &'static str,
        state: AccountState,
        after: usize,
        reopens: bool,
    },
    /// AWS cannot delete the assignments of a deleted group, as long as the case lasts.
    OrphansStay,
    /// The caller lacks the right to an action, as long as the case lasts.
    Denied(&'static str),
    /// The run is dropped.
    Dropped(usize),
    /// Operations take 20 to 90 seconds.
    Slow,
    /// The lists of operations have an operation only after almost a second, which is what the library expects.
    ListsAreLate,
    /// AWS forgets an operation one minute after its end. The library reads the result within half a minute.
    Forgets,
}

/// The number of operations that pass before a fault, and to how many it applies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    after: usize,
    times: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    Conflict,
    RateExceeded,
    TooManyRequests,
}

const ACCOUNTS: [&str; 5] = [
    "200000000002",
    "200000000003",
    "200000000004",
    "200000000005",
    "200000000006",
];

const REASONS: [&str; 3] = [
    OperationFault::TAKING_LONGER,
    OperationFault::ACCESS_DENIED_BY_IAM,
    OperationFault::PRINCIPAL_NOT_FOUND,
];

const WRITES: [&str; 7] = [
    "CreateAccountAssignment",
    "DeleteAccountAssignment",
    "ProvisionPermissionSet",
    "CreatePermissionSet",
    "UpdatePermissionSet",
    "AttachManagedPolicyToPermissionSet",
    "TagResource",
];

const READS: [&str; 8] = [
    "ListAccountAssignmentCreationStatus",
    "ListAccountAssignmentDeletionStatus",
    "DescribeAccountAssignmentCreationStatus",
    "ListAccountAssignmentsForPrincipal",
    "DescribePermissionSetProvisioningStatus",
    "ListAccountsForProvisionedPermissionSet",
    "ListPermissionSets",
    "ListAccounts",
];

impl Fault {
    /// Returns whether the fault lasts until the end of the case, so that the estate cannot be complete.
    fn lasts(self) -> bool {
        match self {
            Self::Closed { reopens, .. } => !reopens,
            Self::OrphansStay | Self::Denied(_) => true,
            _ => false,
        }
    }

    pub(crate) fn is_of_response(self) -> bool {
        matches!(self, Self::Response(..))
    }

    /// Returns the name of the kind, for the counts.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Fails(..) => "operation-fails",
            Self::Hangs(..) => "operation-hangs",
            Self::Refused(Refusal::Conflict, _) => "conflict",
            Self::Refused(..) => "throttled",
            Self::Response(..) => "response",
            Self::OtherTool { .. } => "other-tool",
            Self::Closed { .. } => "account-closed",
            Self::OrphansStay => "orphans-stay",
            Self::Denied(_) => "denied",
            Self::Dropped(_) => "dropped",
            Self::Slow => "slow",
            Self::ListsAreLate => "lists-are-late",
            Self::Forgets => "operation-forgotten",
        }
    }

    fn settings(self, sandbox: SandboxBuilder) -> SandboxBuilder {
        match self {
            Self::ListsAreLate => sandbox.operation_list_delay(Duration::from_millis(900)),
            Self::Forgets => sandbox.operation_retention(Duration::from_mins(1)),
            _ => sandbox,
        }
    }

    /// Prepares the fault in a world. A fault that comes during the run is the work of [`happen`].
    fn inject(self, world: &World) {
        let sandbox = &world.fixture.sandbox;
        let operation = |fault: OperationFault, position: Position| {
            let fault = fault.after(position.after).times(position.times);
            sandbox.inject_operation_fault(fault);
        };
        match self {
            Self::Fails(kind, reason, position) => {
                operation(OperationFault::fail(reason).of(kind), position);
            }
            Self::Hangs(kind, position) => operation(OperationFault::hold().of(kind), position),
            Self::Refused(refusal, position) => {
                let fault = match refusal {
                    Refusal::Conflict => OperationFault::conflict(),
                    Refusal::RateExceeded => OperationFault::rate_exceeded(),
                    Refusal::TooManyRequests => OperationFault::too_many_requests(),
                };
                operation(fault, position);
            }
            Self::Response(kind, name, after) => {
                let fault = kind.fault(Service::Aws, sandbox.now());
                sandbox.inject(fault.on(name).after(after));
            }
            Self::OrphansStay => {
                let fault = OperationFault::fail(OperationFault::PRINCIPAL_NOT_FOUND);
                let fault = fault.of(OperationKind::Unassign);
                let fault = fault.for_principal(&*world.start.orphan);
                sandbox.inject_operation_fault(fault.always());
            }
            Self::Denied(action) => {
                let policy = format!(
                    r#"{{"Version":"2012-10-17","Statement":[
                        {{"Effect":"Allow","Action":"*","Resource":"*"}},
                        {{"Effect":"Deny","Action":"{action}","Resource":"*"}}]}}"#
                );
                let policy: IamPolicy = policy.parse().expect("a policy");
                sandbox.limit_aws_caller(policy);
            }
            Self::Slow => {
                let durations = Duration::from_secs(20)..=Duration::from_secs(90);
                sandbox.set_operation_durations(OperationDurations::uniform(durations, 2));
            }
            Self::OtherTool { .. }
            | Self::Closed { .. }
            | Self::Dropped(_)
            | Self::ListsAreLate
            | Self::Forgets => {}
        }
    }

    /// Returns the number of accepted operations after which the fault comes, if it comes during the run.
    fn comes_after(self) -> Option<usize> {
        match self {
            Self::OtherTool { after, .. } | Self::Closed { after, .. } | Self::Dropped(after) => {
                Some(after)
            }
            _ => None,
        }
    }

    /// Makes the fault that comes during the run.
    fn come(self, world: &World) {
        let sandbox = &world.fixture.sandbox;
        match self {
            Self::OtherTool {
                account,
                operations,
                seconds,
                ..
            } => sandbox.start_foreign_operations(
                OperationKind::Assign,
                account,
                "AdministratorAccess",
                operations,
                Duration::from_secs(seconds),
            ),
            Self::Closed { account, state, .. } => sandbox.set_account_state(account, state),
            _ => {}
        }
    }

    /// Ends the fault after the run, if it does not last.
    fn end(self, world: &World) {
        let sandbox = &world.fixture.sandbox;
        match self {
            Self::Closed {
                account, reopens, ..
            } if reopens => sandbox.set_account_state(account, AccountState::Active),
            _ if self.lasts() => self.inject(world),
            _ => {}
        }
    }
}

/// Returns each fault alone, at several positions.
pub(crate) fn single_faults() -> Vec<Fault> {
    use OperationKind::{Assign, Provision, Unassign};
    let mut faults = vec![
        Fault::OrphansStay,
        Fault::Slow,
        Fault::ListsAreLate,
        Fault::Forgets,
    ];
    let at = |after, times| Position { after, times };
    for kind in [Assign, Unassign, Provision] {
        for after in [0, 2] {
            faults.push(Fault::Hangs(kind, at(after, 1)));
            let reasons = REASONS.iter();
            faults.extend(reasons.map(|reason| Fault::Fails(kind, reason, at(after, 1))));
        }
        faults.push(Fault::Fails(kind, REASONS[0], at(0, 20)));
    }
    for refusal in [
        Refusal::Conflict,
        Refusal::RateExceeded,
        Refusal::TooManyRequests,
    ] {
        let positions = [at(0, 1), at(3, 4), at(0, 40)];
        faults.extend(positions.map(|position| Fault::Refused(refusal, position)));
    }
    for account in ACCOUNTS {
        faults.push(Fault::OtherTool {
            account,
            operations: 12,
            seconds: 100,
            after: 0,
        });
    }
    for (account, after) in [(ACCOUNTS[3], 1), (ACCOUNTS[4], 4), (ACCOUNTS[4], 9)] {
        for state in [AccountState::Suspended, AccountState::Closed] {
            for reopens in [false, true] {
                faults.push(Fault::Closed {
                    account,
                    state,
                    after,
                    reopens,
                });
            }
        }
    }
    let actions = [
        "sso:CreateAccountAssignment",
        "sso:DeleteAccountAssignment",
        "sso:CreatePermissionSet",
        "sso:ProvisionPermissionSet",
    ];
    faults.extend(actions.map(Fault::Denied));
    faults.extend((0..16).map(Fault::Dropped));
    for name in &WRITES[..4] {
        let kinds = KINDS.iter().filter(|kind| kind.effect != Effect::Stall);
        faults.extend(kinds.map(|kind| Fault::Response(kind, name, 0)));
    }
    for name in READS {
        let kinds = ["close-before", "page-500", "error-body-200", "429"];
        let kinds = KINDS.iter().filter(|kind| kinds.contains(&kind.name));
        faults.extend(kinds.map(|kind| Fault::Response(kind, name, 1)));
    }
    for name in &WRITES[..2] {
        let kinds = KINDS.iter().filter(|kind| kind.effect == Effect::Stall);
        faults.extend(kinds.map(|kind| Fault::Response(kind, name, 1)));
    }
    faults
}

/// Returns a mix of two to five faults.
pub(crate) fn mix(seed: u64) -> Vec<Fault> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..rng.usize(2..=5)).map(|_| random(&mut rng)).collect()
}

fn random(rng: &mut fastrand::Rng) -> Fault {
    let kinds = [
        OperationKind::Assign,
        OperationKind::Unassign,
        OperationKind::Provision,
    ];
    let kind = kinds[rng.usize(..3)];
    let position = Position {
        after: rng.usize(..8),
        times: rng.usize(1..4),
    };
    let account = ACCOUNTS[rng.usize(..ACCOUNTS.len())];
    let after = rng.usize(..14);
    let response = |rng: &mut fastrand::Rng, names: &[&'static str]| {
        let name = names[rng.usize(..names.len())];
        let kinds = KINDS.iter().filter(|kind| kind.effect != Effect::Stall);
        let kinds: Vec<&'static Kind> = kinds.collect();
        Fault::Response(kinds[rng.usize(..kinds.len())], name, rng.usize(..6))
    };
    match rng.u32(..16) {
        0 | 1 => Fault::Fails(kind, REASONS[rng.usize(..REASONS.len())], position),
        2 => Fault::Hangs(kind, position),
        3 => Fault::Refused(Refusal::Conflict, position),
        4 => Fault::Refused(
            Refusal::RateExceeded,
            Position {
                times: 30,
                ..position
            },
        ),
        5 => Fault::Refused(Refusal::TooManyRequests, position),
        6 => Fault::OtherTool {
            account,
            operations: rng.usize(1..15),
            seconds: rng.u64(5..300),
            after,
        },
        7 => Fault::Closed {
            account,
            state: [AccountState::Suspended, AccountState::Closed][rng.usize(..2)],
            after,
            reopens: rng.bool(),
        },
        8 => [Fault::OrphansStay, Fault::Slow][rng.usize(..2)],
        9 => [Fault::Slow, Fault::ListsAreLate, Fault::Forgets][rng.usize(..3)],
        10 => Fault::Dropped(after),
        11..14 => response(rng, &WRITES[..2]),
        14 => response(rng, &WRITES),
        _ => response(rng, &READS),
    }
}

/// Returns the end state of a run without faults.
pub(crate) async fn reference(ownership: Ownership) -> String {
    let world = World::new(ownership, super::sandbox()).await;
    let mut runs = Runs::default();
    let (end, shown) = runs.run(&world).await;
    assert_eq!(end, End::Complete, "{shown}");
    let mut wrong = checks::end(&world.fixture.sandbox, &world.start, false, &runs.texts);
    wrong.extend(runs.end(&world).await);
    assert_eq!(wrong, Vec::<String>::new());
    end_state(&world.fixture.sandbox)
}

/// Runs once with the faults, then without those that do not last, until the end state is right.
pub(crate) async fn run(
    ownership: Ownership,
    faults: Vec<Fault>,
    reference: Arc<String>,
) -> Verdict {
    let sandbox =
        { faults.iter() }.fold(super::sandbox(), |sandbox, fault| fault.settings(sandbox));
    let mut world = World::new(ownership, sandbox).await;
    let is_stall =
        |fault: &Fault| matches!(fault, Fault::Response(kind, ..) if kind.effect == Effect::Stall);
    if faults.iter().any(is_stall) {
        shorten_timeouts(&mut world.fixture).await;
    }
    let sandbox = &world.fixture.sandbox;
    for fault in &faults {
        fault.inject(&world);
    }
    let mut runs = Runs::default();
    let first = {
        let run = std::pin::pin!(runs.run(&world));
        let happen = std::pin::pin!(happen(&world, &faults));
        match select(run, happen).await {
            Either::Left((end, _)) => end,
            Either::Right(((), _)) => (End::Killed, String::new()),
        }
    };
    runs.verdict.first = Some(first);
    sandbox.clear_faults();
    sandbox.release_operations();
    for fault in &faults {
        fault.end(&world);
        if matches!(fault, Fault::Dropped(after) if after.is_multiple_of(2)) {
            // The operations in progress end before the next plan.
            world.fixture.pass(Duration::from_mins(1));
        }
    }
    let lasting = faults.iter().any(|fault| fault.lasts());
    for rerun in 1..=RERUNS {
        let (end, shown) = runs.run(&world).await;
        let mut wrong = checks::end(sandbox, &world.start, lasting, &runs.texts);
        if !lasting {
            let found = end_state(sandbox);
            if end != End::Complete || found != *reference {
                wrong.push(format!("{shown}\n{}", differences(&reference, &found)));
            }
        }
        if wrong.is_empty() {
            runs.verdict.right_after = Some(rerun);
            break;
        } else if rerun == RERUNS {
            let texts = runs.texts.join("\n    ");
            runs.verdict.wrong.append(&mut wrong);
            runs.verdict
                .wrong
                .push(format!("the last run says:\n    {texts}"));
        }
    }
    sandbox.limit_aws_caller(None);
    sandbox.clear_faults();
    for account in ACCOUNTS {
        sandbox.set_account_state(account, AccountState::Active);
    }
    let wrong = runs.end(&world).await;
    runs.verdict.wrong.extend(wrong);
    if !runs.verdict.wrong.is_empty() {
        let log = log(&world);
        runs.verdict.wrong.push(log);
    }
    runs.verdict
}

/// Waits for the faults that come during the run. Returns at the time at which the run is dropped.
async fn happen(world: &World, faults: &[Fault]) {
    let mut coming: Vec<(usize, Fault)> = faults
        .iter()
        .filter_map(|fault| Some((fault.comes_after()?, *fault)))
        .collect();
    coming.sort_by_key(|(after, _)| *after);
    for (after, fault) in coming {
        while world.fixture.sandbox.operations().len() < world.start.operations + after {
            world.fixture.clock.sleep(Duration::from_millis(200)).await;
        }
        fault.come(world);
        if matches!(fault, Fault::Dropped(_)) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// The runs of a case.
#[derive(Default)]
struct Runs {
    verdict: Verdict,
    /// The removals that the plans have named.
    planned: BTreeSet<Row>,
    /// The starts of the runs, in the time of the sandbox.
    starts: Vec<Timestamp>,
    /// The texts of the last run about what is missing.
    texts: Vec<String>,
}

impl Runs {
    /// Plans, approves the removals of the plan, and applies.
    async fn run(&mut self, world: &World) -> (End, String) {
        self.texts.clear();
        self.starts.push(world.fixture.sandbox.now());
        let pipeline = world.fixture.pipeline();
        let plan = match pipeline.plan().await {
            Ok(plan) => plan,
            Err(error) => return self.fail(&Problem::new(None, &error)),
        };
        self.planned.extend(removals(&plan));
        for problem in plan.problems() {
            check(problem, &mut self.verdict);
            self.texts.push(text(problem));
        }
        let notes = plan.steps.iter().flat_map(|step| &step.notes);
        self.texts.extend(notes.map(|note| note.text.clone()));
        let guard = Guard {
            approved: plan.removals_id().into_iter().collect(),
            ..Guard::default()
        };
        let report = match pipeline.guard(guard).apply(&plan).await {
            Ok(report) => report,
            Err(error) => return self.fail(&Problem::new(None, &error)),
        };
        for problem in report.all_problems() {
            check(problem, &mut self.verdict);
        }
        self.texts.extend(unmade(&report));
        match report.complete() {
            Ok(_) => (End::Complete, String::new()),
            Err(error) => self.fail(&Problem::new(None, &error)),
        }
    }

    fn fail(&mut self, problem: &Problem) -> (End, String) {
        self.texts.push(text(problem));
        failed(problem, &mut self.verdict)
    }

    /// Returns the broken rules about all runs together.
    async fn end(&mut self, world: &World) -> Vec<String> {
        let sandbox = &world.fixture.sandbox;
        let mut wrong =
            checks::operations(sandbox, &world.start, &self.starts, Some(&self.planned));
        wrong.extend(ledger(&world.fixture, world.start.ownership).await);
        wrong
    }
}

/// Compares the assignments that the runs have made with those that a plan for the administrators alone would remove.
///
/// With mode `exclusive`, such a plan removes more than that, so that nothing is compared.
pub(crate) async fn ledger(fixture: &Fixture, ownership: Ownership) -> Vec<String> {
    if ownership == Ownership::Exclusive {
        return Vec::new();
    }
    let blueprint = Blueprint::from_toml(&ownership.blueprint(LAST)).expect("a blueprint");
    let steps = steps::default_steps(&blueprint, &fixture.okta, &fixture.aws);
    let pipeline = fixture.pipeline_of(steps).blueprint(&blueprint);
    let planned = match pipeline.plan().await {
        Ok(plan) => removals(&plan),
        Err(error) => return vec![format!("no plan of the ledger: {}", error.explain())],
    };
    let made = checks::made(&fixture.sandbox);
    let lost = made.difference(&planned);
    let lost = lost.map(|row| format!("made and not in the ledger: {row}"));
    let more = planned.difference(&made);
    let more = more.map(|row| format!("in the ledger and not made: {row}"));
    lost.chain(more).collect()
}

/// Returns the removals of assignments that a plan names.
fn removals(plan: &Plan) -> BTreeSet<Row> {
    let removals = plan.removals();
    let rows = removals.filter_map(|(_, change)| row(&change.subject));
    rows.collect()
}

fn row(subject: &Subject) -> Option<Row> {
    let Subject::Assignment {
        principal,
        account,
        permission_set,
    } = subject
    else {
        return None;
    };
    let principal = match principal {
        Principal::User { name } | Principal::Group { name } => name,
        Principal::DeletedUser { id } | Principal::DeletedGroup { id } => id,
        _ => return None,
    };
    Some(Row {
        principal: principal.to_string(),
        set: permission_set.to_string(),
        account: account.to_string(),
    })
}

fn text(problem: &Problem) -> String {
    let subject = problem.subject.as_ref();
    let subject = subject
        .map(|subject| format!("{subject}: "))
        .unwrap_or_default();
    format!("{subject}{}", problem.explain())
}

/// Returns a text for each change that the run has not made, with the reason, and for each problem.
fn unmade(report: &Report) -> Vec<String> {
    let problems = report.problems.iter().map(text);
    let results = report.results.iter();
    let results = results.filter(|result| !result.outcome.is_success());
    let results = results.map(|result| {
        let reason = match &result.outcome {
            Outcome::Skipped { because } => format!("skipped because of {because:?}"),
            outcome => outcome.problem().map(Problem::explain).unwrap_or_default(),
        };
        format!("{:?} {}: {reason}", result.action, result.subject)
    });
    let unplanned = report.unplanned.iter();
    let unplanned = unplanned.map(|(step, change)| format!("{step:?}: not planned: {change}"));
    problems.chain(results).chain(unplanned).collect()
}

/// Returns the operations of the case, one line each.
fn log(world: &World) -> String {
    let mut text = "operations:".to_owned();
    for operation in world
        .fixture
        .sandbox
        .operations()
        .iter()
        .skip(world.start.operations)
    {
        let name = |text: &Option<String>| text.clone().unwrap_or_default();
        let _ = write!(
            text,
            "\n    {} to {}: {:?} {}: {} in {}{}",
            operation.started.strftime("%H:%M:%S"),
            operation
                .ended
                .map_or_else(String::new, |ended| ended.strftime("%H:%M:%S").to_string()),
            operation.kind,
            name(&operation.principal),
            operation.permission_set,
            name(&operation.account),
            operation
                .failure
                .as_deref()
                .map_or_else(String::new, |reason| format!(" FAILED {reason}")),
        );
    }
    text
}

/// The number of runs without faults after which the end state must be right.
const RERUNS: usize = 3;
