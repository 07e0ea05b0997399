//! Tests of lost responses: a second run completes the integration without duplicates.
//!
//! The connection breaks either before or after the service executes the request.

use okta_aws_sso::{Cause, Outcome, steps};
use sandbox::{Fault, RecordedRequest, Service};

use crate::fixture::{Fixture, TEAM};

/// Returns the kind of a request: its operation, or else its method and path.
fn kind(request: &RecordedRequest) -> String {
    match &request.target {
        Some(target) => target.clone(),
        None => format!("{} {}", request.method, request.path),
    }
}

/// Returns each kind of write that a complete run sends.
async fn writes_of_a_run() -> Vec<(Service, String)> {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let mut kinds: Vec<(Service, String)> = Vec::new();
    for request in fixture.sandbox.writes() {
        let kind = (request.service, kind(&request));
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

#[tokio::test]
async fn a_lost_response_creates_no_duplicates() {
    let kinds = writes_of_a_run().await;
    assert!(kinds.len() > 10, "{kinds:?}");
    for (service, on) in kinds {
        for fault in [
            Fault::close_before_processing(service),
            Fault::close_after_processing(service),
        ] {
            let fixture = Fixture::new(TEAM).await;
            fixture.sandbox.inject(fault.on(on.clone()));
            // The first run may fail or recover; the second run must succeed.
            let first = fixture
                .run()
                .await
                .map(|_| ())
                .map_err(|error| error.explain());
            let second = fixture.run().await;
            assert!(
                second.is_ok(),
                "{on}: the first run returned {first:?}, the second run failed: {}",
                second.expect_err("a failure").explain()
            );
            assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1, "{on}");
            assert_eq!(fixture.sandbox.permission_sets().len(), 2, "{on}");
            assert_eq!(fixture.assignments().len(), 3, "{on}");
            assert_eq!(fixture.sandbox.identity_groups().len(), 1, "{on}");
            let found = fixture.pipeline().verify().await.expect("a verification");
            assert!(found.passed(), "{on}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_run_does_not_wait_for_users_whose_assignment_could_not_be_planned() {
    let fixture = Fixture::new(TEAM).await;
    let page = Fault::fail(Service::Okta, 200, "<h1>Please sign in</h1>");
    let user = "GET /api/v1/users/ada.lovelace@example.com";
    fixture.sandbox.inject(page.on(user));
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.problems().count(), 1, "{plan}");
    let report = pipeline.apply(&plan).await.expect("a report");
    let arrival = report
        .results
        .iter()
        .filter(|result| result.step == steps::ids::ARRIVAL);
    let arrival: Vec<_> = arrival.map(|result| &result.outcome).collect();
    assert!(!arrival.is_empty());
    let skipped = Outcome::Skipped {
        because: Cause::Step(steps::ids::APP_ACCESS),
    };
    assert!(
        arrival.iter().all(|found| **found == skipped),
        "{arrival:?}"
    );
    fixture.run().await.expect("the rest");
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn the_page_of_a_proxy_is_not_taken_for_a_write_that_was_made() {
    let fixture = Fixture::new(TEAM).await;
    let page = Fault::fail(Service::Aws, 200, "<h1>Please sign in</h1>");
    fixture.sandbox.inject(page.on("PutInlinePolicy"));
    let error = fixture.run().await.expect_err("a page").explain();
    assert!(
        error.contains("the response may come from a proxy"),
        "{error}"
    );
    // The group would have the set without its denying policy.
    assert_eq!(fixture.assignments().len(), 1);
    fixture.run().await.expect("the rest");
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn a_new_permission_set_without_its_denying_policy_is_completed_without_an_approval() {
    for operation in [
        "AttachManagedPolicyToPermissionSet",
        "PutInlinePolicyToPermissionSet",
    ] {
        let fixture = Fixture::new(TEAM).await;
        let refused = Fault::refuse(Service::Aws, 400, None).on(operation);
        // The first policy belongs to the set `AdministratorAccess`.
        let number = usize::from(operation.starts_with("Attach"));
        fixture.sandbox.inject(refused.after(number));
        fixture.run().await.expect_err("a refused policy");
        let sets = fixture.sandbox.permission_sets();
        assert_eq!(sets.len(), 2);
        // The edits of a set begin with its inline policy.
        let denying = sets.iter().filter(|set| set.inline_policy.is_some());
        assert_eq!(denying.count(), number);

        let (plan, _) = fixture.run().await.expect("the rest");
        assert_eq!(plan.removals().count(), 0, "{plan}");
        let sets = fixture.sandbox.permission_sets();
        let denying = sets.iter().filter(|set| set.inline_policy.is_some());
        assert_eq!(denying.count(), 1);
    }
}
