//! Tests of the reads of the instance: the calls of a plan, its run and the check, and access outside the blueprint.

use std::collections::BTreeMap;

use okta_aws_sso::{CheckOutcome, Pipeline, aws::NewPermissionSet};
use sandbox::{Fault, Sandbox, Service};

use crate::fixture::{Fixture, TEAM, apply, company, note};

/// Returns the calls to an AWS service since the last look, by operation.
fn calls(fixture: &Fixture, operations: &[&str]) -> Vec<usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for request in fixture.sandbox.requests() {
        if request.service == Service::Aws {
            *counts
                .entry(request.target.unwrap_or_default())
                .or_default() += 1;
        }
    }
    fixture.sandbox.clear_requests();
    let counts = operations
        .iter()
        .map(|name| counts.get(*name).copied().unwrap_or(0));
    counts.collect()
}

async fn passes(pipeline: &Pipeline) -> bool {
    let found = pipeline.verify().await.expect("a verification");
    let mut checks = found.checks.iter();
    checks.all(|check| check.outcome != CheckOutcome::Failed)
}

#[tokio::test]
async fn a_plan_its_run_and_the_check_read_the_assignments_once_by_principal() {
    let sandbox = Sandbox::builder().company(company()).page_size(None);
    let fixture = Fixture::with_sandbox(sandbox, TEAM).await;
    fixture.run().await.expect("a run");
    let groups = fixture.sandbox.identity_groups().len();
    let operations = [
        "ListAccountAssignmentsForPrincipal",
        "ListAccountAssignments",
        "ListPermissionSets",
        "DescribePermissionSet",
        "ListAccounts",
    ];
    let pipeline = fixture.pipeline();
    fixture.sandbox.clear_requests();
    let plan = pipeline.plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    // Each group, and the one user of the blueprint. The accounts are on one page.
    assert_eq!(calls(&fixture, &operations), [groups + 1, 0, 1, 2, 1]);
    apply(&pipeline, &plan).await.expect("a run");
    assert_eq!(calls(&fixture, &operations), [0; 5]);
    assert!(passes(&pipeline).await);
    assert_eq!(calls(&fixture, &operations), [0; 5]);

    // A check without a run before it, and the next plan, read again.
    assert!(passes(&pipeline).await);
    assert_eq!(calls(&fixture, &operations)[0], groups + 1);
    pipeline.plan().await.expect("a plan");
    assert_eq!(calls(&fixture, &operations)[0], groups + 1);
    // The plan was not applied, so the check does not use what it has read.
    assert!(passes(&pipeline).await);
    assert_eq!(calls(&fixture, &operations)[0], groups + 1);
}

#[tokio::test]
async fn the_check_after_a_run_reads_again_what_the_run_has_written() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    let wanted = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    fixture.change_assignment(&wanted, false).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.changes().count(), 1, "{plan}");
    apply(&pipeline, &plan).await.expect("a run");
    assert!(passes(&pipeline).await, "the assignment was created");

    fixture.change_assignment(&wanted, false).await;
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    fixture.change_assignment(&wanted, false).await;
    assert!(!passes(&pipeline).await, "the assignment was deleted again");
}

#[tokio::test]
async fn access_that_was_given_by_hand_is_in_the_plan_by_name() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    assert_eq!(
        note(
            &fixture.pipeline().plan().await.expect("a plan"),
            "other-assignments"
        ),
        None
    );

    // A group of the blueprint in another account, and through a set that the blueprint does not name.
    let elsewhere = fixture
        .assignment("deployers", "Deploy", "Management")
        .await;
    fixture.change_assignment(&elsewhere, true).await;
    let new = NewPermissionSet {
        name: "HandmadeAdmin".to_owned(),
        ..NewPermissionSet::default()
    };
    let made = fixture.center().await.permission_sets().create(&new).await;
    made.expect("a set");
    let through = fixture
        .assignment("deployers", "HandmadeAdmin", "Sandbox")
        .await;
    fixture.change_assignment(&through, true).await;

    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    let note = note(&plan, "other-assignments").expect("a note");
    let (sandbox, workload) = (&through.account, &elsewhere.account);
    let expected = format!(
        "2 assignments are not in the blueprint and are kept: group deployers has HandmadeAdmin in Sandbox ({sandbox}), group deployers has Deploy in Management ({workload})"
    );
    assert!(note.starts_with(&expected), "{note}");
    assert!(note.ends_with("users)"), "{note}");
}

#[tokio::test]
async fn assignments_that_cannot_be_followed_are_failures_with_the_reason() {
    let fixture = Fixture::new(TEAM).await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let refused = r#"{"__type":"ValidationException","message":"no such filter"}"#;
    let refused = Fault::answer(Service::Aws, 400, &json, refused, false);
    let list = "ListAccountAssignmentCreationStatus";
    // The first list shows what is in progress at the start. Without it, the run goes on.
    fixture.sandbox.inject(refused.on(list).after(1));
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    let problems = report.all_problems().map(ToString::to_string);
    let problems: Vec<String> = problems.collect();
    let reason = "AWS did not tell which assignments are in progress";
    assert!(problems[0].contains(reason), "{problems:?}");
    // AWS goes on with them, and the next run takes them over.
    fixture.sandbox.clear_requests();
    fixture.run().await.expect("a run");
    assert_eq!(fixture.assignments().len(), 3);
    let requests = fixture.sandbox.requests();
    let created = |name: &Option<String>| name.as_deref() == Some("CreateAccountAssignment");
    let created = requests.iter().filter(|request| created(&request.target));
    assert_eq!(created.count(), 1, "two accounts had one in progress each");
}

/// Detaches the managed policy of the set `Deploy`, as an administrator does in the console.
async fn detach_policy(fixture: &Fixture) {
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.find("Deploy").await.expect("a response");
    let policy = "arn:aws:iam::aws:policy/PowerUserAccess";
    let set = set.expect("a set").arn;
    let detached = sets.detach_managed_policy(&set, policy).await;
    detached.expect("no policy");
}

#[tokio::test]
async fn the_check_after_a_run_reads_again_the_set_that_the_run_has_changed() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    detach_policy(&fixture).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.changes().count(), 2, "{plan}");
    apply(&pipeline, &plan).await.expect("a run");
    assert!(passes(&pipeline).await, "the policy is attached");
}

#[tokio::test]
async fn a_set_is_read_again_before_it_is_changed() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    detach_policy(&fixture).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.find("Deploy").await.expect("a response");
    let set = set.expect("a set").arn;
    sets.delete_inline_policy(&set).await.expect("no policy");
    fixture.pass(std::time::Duration::from_secs(1));
    let report = pipeline.apply(&plan).await.expect("a report");
    assert_eq!(report.unplanned.len(), 1, "{report:?}");
}

#[tokio::test]
async fn the_check_after_a_run_reads_again_the_accounts_that_were_outdated() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    // The set is as before, and its accounts have an older version.
    detach_policy(&fixture).await;
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.find("Deploy").await.expect("a response");
    let set = set.expect("a set").arn;
    let policy = "arn:aws:iam::aws:policy/PowerUserAccess";
    let attached = sets.attach_managed_policy(&set, policy).await;
    attached.expect("a policy");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.changes().count(), 1, "{plan}");
    apply(&pipeline, &plan).await.expect("a run");
    assert!(passes(&pipeline).await, "the set is provisioned");
}
