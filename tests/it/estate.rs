//! Tests of the reads of the instance: the calls of a plan, its run and the check, and access outside the blueprint.

use std::collections::BTreeMap;

use okta_aws_sso::{
    CheckOutcome, Pipeline, Plan,
    aws::{Assignment, IdentityCenter, NewPermissionSet, OperationStatus, Principal},
};
use rest_core::Clock as _;
use sandbox::{Fault, Sandbox, Service};

use crate::fixture::{Fixture, TEAM, apply, company};

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

async fn center(fixture: &Fixture) -> IdentityCenter {
    let instances = fixture.aws.instances().try_collect().await;
    fixture
        .aws
        .identity_center(&instances.expect("instances")[0])
}

/// Creates or deletes an assignment, as an administrator does in the console.
async fn change(fixture: &Fixture, assignment: &Assignment, exists: bool) {
    let center = center(fixture).await;
    let assignments = center.assignments();
    let operation = if exists {
        assignments.start_create(assignment).await
    } else {
        assignments.start_delete(assignment).await
    };
    let operation = operation.expect("an operation");
    loop {
        let status = assignments.status(&operation).await.expect("a status");
        match status {
            OperationStatus::InProgress => {
                fixture.clock.sleep(std::time::Duration::from_secs(5)).await;
            }
            status => return assert_eq!(status, OperationStatus::Succeeded),
        }
    }
}

async fn assignment(fixture: &Fixture, set: &str, account: &str) -> Assignment {
    let center = center(fixture).await;
    let set = center
        .permission_sets()
        .find(set)
        .await
        .expect("a response");
    let group = center.identity_store().group_by_name("deployers").await;
    let accounts = fixture.aws.organizations().accounts().try_collect().await;
    let accounts = accounts.expect("accounts").into_iter();
    let mut accounts = accounts.filter(|found| found.name.as_deref() == Some(account));
    Assignment {
        account: accounts.next().expect("an account").id,
        permission_set: set.expect("a set").arn,
        principal: Principal::Group(group.expect("a response").expect("a group").id),
    }
}

fn note(plan: &Plan) -> Option<String> {
    let mut notes = plan.steps.iter().flat_map(|step| &step.notes);
    let note = notes.find(|note| note.code.as_str() == "other-assignments")?;
    Some(note.text.clone())
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
    let wanted = assignment(&fixture, "Deploy", "Sandbox").await;
    change(&fixture, &wanted, false).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.changes().count(), 1, "{plan}");
    apply(&pipeline, &plan).await.expect("a run");
    assert!(passes(&pipeline).await, "the assignment was created");

    change(&fixture, &wanted, false).await;
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    change(&fixture, &wanted, false).await;
    assert!(!passes(&pipeline).await, "the assignment was deleted again");
}

#[tokio::test]
async fn access_that_was_given_by_hand_is_in_the_plan_by_name() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    assert_eq!(
        note(&fixture.pipeline().plan().await.expect("a plan")),
        None
    );

    // A group of the blueprint in another account, and through a set that the blueprint does not name.
    let elsewhere = assignment(&fixture, "Deploy", "Management").await;
    change(&fixture, &elsewhere, true).await;
    let new = NewPermissionSet {
        name: "HandmadeAdmin".to_owned(),
        ..NewPermissionSet::default()
    };
    let made = center(&fixture).await.permission_sets().create(&new).await;
    made.expect("a set");
    let through = assignment(&fixture, "HandmadeAdmin", "Sandbox").await;
    change(&fixture, &through, true).await;

    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    let note = note(&plan).expect("a note");
    let (sandbox, workload) = (&through.account, &elsewhere.account);
    let expected = format!(
        "2 assignments are not in the blueprint and are kept: group deployers has HandmadeAdmin in Sandbox ({sandbox}), group deployers has Deploy in Management ({workload})"
    );
    assert!(note.starts_with(&expected), "{note}");
    assert!(note.ends_with("users)"), "{note}");
}

#[tokio::test]
async fn an_assignment_whose_status_is_refused_does_not_block_the_others_in_its_account() {
    let fixture = Fixture::new(TEAM).await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let refused = r#"{"__type":"ValidationException","message":"no such request"}"#;
    let refused = Fault::answer(Service::Aws, 400, &json, refused, false);
    let status = "DescribeAccountAssignmentCreationStatus";
    fixture.sandbox.inject(refused.on(status));
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    let results = report.results.iter();
    let failed = results.filter(|result| result.outcome.problem().is_some());
    assert_eq!(failed.count(), 1, "{report:?}");
    assert_eq!(fixture.assignments().len(), 3);
}
