//! Assignments that AWS refuses, delays or loses: each ends once, and the others go on.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use okta_aws_sso::{
    Applied, Batch, Blueprint, Cause, Context, Outcome, Planned, Report, Result, Step, WaitPolicy,
    aws::{Assignment, AssignmentChange, AssignmentEnd, AssignmentRunEvent, OperationKind},
    plan::{Action, Change, Kind, StepId},
    steps,
};
use sandbox::{
    Fault, OperationDurations, OperationFault, OperationKind as Operation, PermissionSetSeed,
    Sandbox, Service,
};

use rest_core::Clock as _;

use crate::fixture::{Fixture, TEAM, apply};

/// The assignments of [`TEAM`].
const ALL: usize = 3;

/// Returns a fixture in which only the assignments are missing.
async fn ready() -> Fixture {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    for (name, set, account) in [
        ("ada.lovelace@example.com", "AdministratorAccess", "Sandbox"),
        ("deployers", "Deploy", "Sandbox"),
        ("deployers", "Deploy", "Workload 0003"),
    ] {
        let assignment = fixture.assignment(name, set, account).await;
        fixture.change_assignment(&assignment, false).await;
    }
    assert_eq!(fixture.assignments(), Vec::<String>::new());
    fixture.sandbox.clear_requests();
    fixture
}

async fn run(fixture: &Fixture) -> Report {
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    pipeline.apply(&plan).await.expect("a report")
}

/// Returns the problems of the report, one line each.
fn problems(report: &Report) -> Vec<String> {
    report.all_problems().map(ToString::to_string).collect()
}

fn creations(fixture: &Fixture) -> usize {
    let requests = fixture.sandbox.requests();
    let target = |name: &&str| *name == "CreateAccountAssignment";
    let targets = requests
        .iter()
        .filter_map(|request| request.target.as_deref());
    targets.filter(target).count()
}

#[tokio::test]
async fn refusals_that_pass_are_repeated() {
    for (fault, requests) in [
        (OperationFault::conflict().times(2), ALL + 2),
        (OperationFault::rate_exceeded().times(3), ALL + 3),
        (OperationFault::too_many_requests().times(2), ALL + 2),
        (
            OperationFault::fail(OperationFault::TAKING_LONGER).times(1),
            ALL + 1,
        ),
    ] {
        let fixture = ready().await;
        let name = format!("{fault:?}");
        fixture
            .sandbox
            .inject_operation_fault(fault.of(Operation::Assign));
        let report = run(&fixture).await;
        assert!(report.is_complete(), "{name}: {:?}", problems(&report));
        assert_eq!(fixture.assignments().len(), ALL, "{name}");
        assert_eq!(creations(&fixture), requests, "{name}");
    }
}

#[tokio::test]
async fn a_lost_response_is_looked_up_and_nothing_is_made_twice() {
    for fault in [
        Fault::close_after_processing,
        Fault::close_before_processing,
    ] {
        let fixture = ready().await;
        let lost = fault(Service::Aws).on("CreateAccountAssignment");
        fixture.sandbox.inject(lost);
        let report = run(&fixture).await;
        assert!(report.is_complete(), "{:?}", problems(&report));
        assert_eq!(fixture.assignments().len(), ALL);
    }
}

/// Returns the number of operations of a kind on assignments that AWS has accepted since a number of operations.
fn accepted(fixture: &Fixture, kind: Operation, since: usize) -> usize {
    let operations = fixture.sandbox.operations().into_iter().skip(since);
    operations.filter(|one| one.kind == kind).count()
}

#[tokio::test]
async fn an_operation_whose_response_was_lost_is_found_in_progress_and_not_sent_again() {
    let fixture = ready().await;
    let before = fixture.sandbox.operations().len();
    let long = OperationDurations::constant(Duration::from_secs(30));
    fixture.sandbox.set_operation_durations(long);
    for fault in [Fault::close_after_processing, Fault::truncated_response] {
        let lost = fault(Service::Aws).on("CreateAccountAssignment");
        fixture.sandbox.inject(lost);
    }
    let report = run(&fixture).await;
    assert!(report.is_complete(), "{:?}", problems(&report));
    assert_eq!(accepted(&fixture, Operation::Assign, before), ALL);
}

#[tokio::test]
async fn an_answer_of_a_gateway_to_one_write_does_not_stop_the_other_assignments() {
    for process in [false, true] {
        let fixture = ready().await;
        let before = fixture.sandbox.operations().len();
        let page = Fault::answer(Service::Aws, 502, &[], "<html>Bad gateway", process);
        fixture.sandbox.inject(page.on("CreateAccountAssignment"));
        let report = run(&fixture).await;
        assert!(report.is_complete(), "{:?}", problems(&report));
        assert_eq!(accepted(&fixture, Operation::Assign, before), ALL);
    }
}

/// [`TEAM`] with mode `managed`.
fn managed(blueprint: &str) -> Blueprint {
    let text = format!("[ownership]\naccess = \"managed\"\n{blueprint}");
    Blueprint::from_toml(&text).expect("a blueprint")
}

/// Returns a fault that refuses a request.
fn refused() -> Fault {
    let json = [("content-type", "application/x-amz-json-1.1")];
    let body = r#"{"__type":"ValidationException","message":"no"}"#;
    Fault::answer(Service::Aws, 400, &json, body, false)
}

#[tokio::test]
async fn an_assignment_of_which_aws_does_not_tell_whether_it_was_made_stays_in_the_ledger() {
    let mut fixture = ready().await;
    fixture.blueprint = managed(TEAM);
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let lost = Fault::close_after_processing(Service::Aws).on("CreateAccountAssignment");
    fixture.sandbox.inject(lost);
    for _ in 0..5 {
        let look_up = "ListAccountAssignments";
        fixture.sandbox.inject(refused().on(look_up));
    }
    let report = pipeline.apply(&plan).await.expect("a report");
    let problems = problems(&report);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("did not tell"), "{problems:?}");
    assert_eq!(fixture.assignments().len(), ALL);
    fixture.blueprint = managed("");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let removals = plan.removals();
    let removals = removals.filter(|(_, change)| change.subject.kind() == Kind::Assignment);
    assert_eq!(removals.count(), ALL, "{plan}");
}

#[tokio::test]
async fn access_stays_whose_replacement_cannot_be_sent() {
    let mut fixture = Fixture::new(&format!("[ownership]\naccess = \"managed\"\n{TEAM}")).await;
    fixture.run().await.expect("a run");
    let replaced = TEAM.replace(
        "permission_set = \"Deploy\"",
        "permission_set = \"ReadOnlyAccess\"",
    );
    fixture.blueprint = managed(&replaced);
    fixture.sandbox.inject(refused().on("CreatePermissionSet"));
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let approved = okta_aws_sso::Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..okta_aws_sso::Guard::default()
    };
    let report = fixture.pipeline().guard(approved).apply(&plan).await;
    let report = report.expect("a report");
    assert!(!report.is_complete());
    let removals = report.results.iter();
    let removals = removals.filter(|result| result.action == Action::Remove);
    let outcomes: Vec<&Outcome> = removals.map(|result| &result.outcome).collect();
    let is_kept = |outcome: &&Outcome| matches!(outcome, Outcome::Skipped { because: Cause::Subject(subject) } if subject.kind() == Kind::Assignment);
    assert!(
        outcomes.len() == 2 && outcomes.iter().all(is_kept),
        "{outcomes:?}"
    );
    assert_eq!(fixture.assignments().len(), ALL);
}

#[tokio::test]
async fn a_failed_assignment_is_a_problem_with_the_reason_and_the_others_are_made() {
    let fixture = ready().await;
    let account = fixture.account("Workload 0003").await;
    let reason = OperationFault::ACCESS_DENIED_BY_IAM;
    let failed = OperationFault::fail(reason).in_account(&*account);
    fixture.sandbox.inject_operation_fault(failed);
    let report = run(&fixture).await;
    let problems = problems(&report);
    assert_eq!(problems.len(), 1, "{problems:?}");
    for part in ["AWS could not create", "group deployers", &account, reason] {
        assert!(problems[0].contains(part), "{part}: {problems:?}");
    }
    assert_eq!(fixture.assignments().len(), ALL - 1);
    // A later run of the same plan makes what is missing, and only that.
    fixture.sandbox.clear_requests();
    assert!(run(&fixture).await.is_complete());
    assert_eq!((fixture.assignments().len(), creations(&fixture)), (ALL, 1));
}

#[tokio::test]
async fn an_assignment_that_hangs_times_out_and_a_later_run_takes_it_over() {
    let fixture = ready().await;
    let account = fixture.account("Workload 0003").await;
    let held = OperationFault::hold().in_account(&*account);
    fixture.sandbox.inject_operation_fault(held);
    let report = run(&fixture).await;
    let timed_out = |outcome: &Outcome| matches!(outcome, Outcome::TimedOut { .. });
    let results = report.results.iter();
    let found: Vec<_> = results
        .filter(|result| timed_out(&result.outcome))
        .collect();
    assert_eq!(found.len(), 1, "{report:?}");
    assert_eq!(found[0].subject.kind(), Kind::Assignment);
    assert_eq!(fixture.assignments().len(), ALL - 1);
    fixture.sandbox.clear_requests();
    let pipeline = fixture.pipeline().wait_policy(WaitPolicy {
        stall_timeout: Duration::from_mins(2),
        ..WaitPolicy::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    let released = async {
        fixture.clock.sleep(Duration::from_mins(1)).await;
        fixture.sandbox.release_operations();
    };
    let (applied, ()) = tokio::join!(apply(&pipeline, &plan), released);
    applied.expect("a run");
    assert_eq!((fixture.assignments().len(), creations(&fixture)), (ALL, 0));
}

#[tokio::test]
async fn operations_of_another_tool_take_slots_and_nothing_fails() {
    let company = sandbox::Company::small(3, 20)
        .team("deployers", &["person.00002@example.com"])
        .estate(|estate| estate.set(PermissionSetSeed::new("Other")));
    let everywhere = TEAM.replace(
        "accounts = [\"Sandbox\", \"Workload 0003\"]",
        "accounts = { all = true }",
    );
    let sandbox = Sandbox::builder().company(company);
    let mut fixture = Fixture::with_sandbox(sandbox, TEAM).await;
    fixture.run().await.expect("a run");
    fixture.blueprint = Blueprint::from_toml(&everywhere).expect("a blueprint");
    let account = fixture.account("Workload 0005").await;
    let minutes = Duration::from_mins(4);
    fixture
        .sandbox
        .start_foreign_operations(Operation::Assign, &account, "Deploy", 12, minutes);
    let report = run(&fixture).await;
    assert!(report.is_complete(), "{:?}", problems(&report));
    assert_eq!(fixture.assignments().len(), 20);
}

#[tokio::test]
async fn an_account_in_which_aws_provisions_is_changed_last() {
    let company = sandbox::Company::small(3, 20).team("deployers", &["person.00002@example.com"]);
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, TEAM).await;
    fixture.run().await.expect("a run");
    let accounts = fixture.aws.organizations().accounts().try_collect().await;
    let accounts = accounts.expect("the accounts");
    let wanted = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    let creations: Vec<AssignmentChange> = accounts
        .into_iter()
        .map(|account| AssignmentChange {
            kind: OperationKind::Create,
            assignment: Assignment {
                account: account.id,
                ..wanted.clone()
            },
        })
        .collect();
    let [first, .., last] = &creations[..] else {
        panic!("there are {} accounts", creations.len());
    };
    for account in [first, last].map(|change| &change.assignment.account) {
        let minute = Duration::from_mins(1);
        fixture.sandbox.start_foreign_operations(
            Operation::Provision,
            account.as_str(),
            "Deploy",
            1,
            minute,
        );
    }
    fixture.sandbox.clear_requests();
    let center = fixture.center().await;
    let mut run = center.assignments().run(creations.clone());
    // In the order of their first request: AWS refuses changes while it provisions, and they are repeated.
    let mut started = Vec::new();
    loop {
        match run.next().await {
            AssignmentRunEvent::Start(position) => {
                if !started.contains(&position) {
                    started.push(position);
                }
                run.start(position);
            }
            AssignmentRunEvent::Ended(_, end) => assert!(matches!(end, AssignmentEnd::Done)),
            AssignmentRunEvent::Done => break,
            _ => {}
        }
    }
    let count = creations.len();
    assert_eq!(started.len(), count);
    assert_eq!(started[count - 2..], [0, count - 1]);
    let requests = fixture.sandbox.requests();
    let calls = |operation: &str| {
        let targets = requests
            .iter()
            .filter_map(|request| request.target.as_deref());
        targets.filter(|target| *target == operation).count()
    };
    // A page has one item.
    assert_eq!(calls("ListPermissionSetProvisioningStatus"), 2);
    assert_eq!(calls("DescribePermissionSetProvisioningStatus"), 2);
}

#[tokio::test]
async fn a_plan_survives_a_call_that_is_throttled_many_times() {
    let fixture = ready().await;
    for operation in ["ListPermissionSets", "ListUsers", "ListAccounts"] {
        for _ in 0..20 {
            let throttled = Fault::throttle(Service::Aws, 1).on(operation);
            fixture.sandbox.inject(throttled);
        }
    }
    let report = run(&fixture).await;
    assert!(report.is_complete(), "{:?}", problems(&report));
    let requests = fixture.sandbox.requests();
    let lists = requests
        .iter()
        .filter(|one| one.target.as_deref() == Some("ListPermissionSets"));
    assert!(lists.count() > 20);
}

#[tokio::test]
async fn a_replaced_assignment_stays_if_its_replacement_fails() {
    let mut fixture = Fixture::new(&format!("[ownership]\naccess = \"managed\"\n{TEAM}")).await;
    fixture.run().await.expect("a run");
    // Deploy is replaced by ReadOnlyAccess in both accounts.
    let replaced = TEAM.replace(
        "permission_set = \"Deploy\"",
        "permission_set = \"ReadOnlyAccess\"",
    );
    let text = format!("[ownership]\naccess = \"managed\"\n{replaced}");
    fixture.blueprint = Blueprint::from_toml(&text).expect("a blueprint");
    let account = fixture.account("Workload 0003").await;
    let failed = OperationFault::fail("no")
        .of(Operation::Assign)
        .in_account(&*account);
    fixture.sandbox.inject_operation_fault(failed);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let approved = okta_aws_sso::Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..okta_aws_sso::Guard::default()
    };
    let pipeline = fixture.pipeline().guard(approved);
    let report = pipeline.apply(&plan).await.expect("a report");
    let removals = report.results.iter();
    let removals = removals.filter(|result| {
        result.action == Action::Remove && result.subject.kind() == Kind::Assignment
    });
    let outcomes: Vec<&Outcome> = removals.map(|result| &result.outcome).collect();
    let is_kept = |outcome: &&&Outcome| matches!(outcome, Outcome::Skipped { because: Cause::Subject(subject) } if subject.kind() == Kind::Assignment);
    assert_eq!(outcomes.iter().filter(is_kept).count(), 2, "{outcomes:?}");
    let kept = fixture
        .assignments()
        .into_iter()
        .filter(|line| line.contains("Deploy"));
    assert_eq!(
        kept.count(),
        2,
        "the group keeps its old role while a new one is missing"
    );
}

#[tokio::test]
async fn a_run_of_the_library_tells_the_end_of_each_change() {
    let fixture = ready().await;
    let assignment = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    let center = fixture.center().await;
    let change = |kind| AssignmentChange {
        kind,
        assignment: assignment.clone(),
    };
    let mut run = center
        .assignments()
        .run(vec![change(OperationKind::Delete)]);
    let mut ends = Vec::new();
    loop {
        match run.next().await {
            AssignmentRunEvent::Start(position) => run.start(position),
            AssignmentRunEvent::Ended(position, end) => ends.push((position, end)),
            AssignmentRunEvent::Progress(progress) => assert_eq!(progress.total, 1),
            AssignmentRunEvent::Done => break,
            event => panic!("{event:?}"),
        }
    }
    assert!(
        matches!(ends[..], [(0, AssignmentEnd::AlreadyDone)]),
        "{ends:?}"
    );
}

/// The step of the assignments, which counts what a run asks of it.
struct Counted {
    step: steps::AccountAssignments,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Counted {
    fn count(&self, call: &'static str) {
        self.calls.lock().expect("a lock").push(call);
    }
}

impl Step for Counted {
    fn id(&self) -> StepId {
        self.step.id()
    }

    fn title(&self) -> String {
        self.step.title()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        self.count("plan");
        self.step.plan(cx)
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        self.count("apply");
        self.step.apply(change, cx)
    }

    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        self.count("apply all");
        self.step.apply_all(batch, cx)
    }
}

/// Each plan expands the whole blueprint, so a plan for each change would cost the square of their number.
#[tokio::test]
async fn the_number_of_changes_and_polls_does_not_change_how_often_a_run_plans() {
    let fixture = ready().await;
    let seconds = Duration::from_secs(40);
    fixture
        .sandbox
        .set_operation_durations(OperationDurations::constant(seconds));
    let calls = Arc::<Mutex<Vec<&str>>>::default();
    let step = Counted {
        step: steps::AccountAssignments::new(&fixture.okta, &fixture.aws, &fixture.blueprint),
        calls: calls.clone(),
    };
    let all = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let before = steps::ids::PERMISSION_SETS;
    let all = all.without(&step.id()).insert_after(&before, step);
    let pipeline = fixture.pipeline_of(all.expect("the step before"));
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    assert_eq!(fixture.assignments().len(), ALL);
    assert_eq!(
        *calls.lock().expect("a lock"),
        ["plan", "plan", "apply all"]
    );
}
