//! A run that loses any one answer, before or after the service has acted, ends right when it is run again.

use sandbox::{Fault, RecordedRequest, Service};

use crate::fixture::{Fixture, TEAM};

/// What identifies a kind of request: its method and path without ids, and its operation.
fn kind(request: &RecordedRequest) -> String {
    match &request.target {
        Some(target) => target.clone(),
        None => format!("{} {}", request.method, request.path),
    }
}

async fn writes_of_a_journey() -> Vec<(Service, String)> {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey");
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
async fn no_lost_answer_makes_anything_twice() {
    let kinds = writes_of_a_journey().await;
    assert!(kinds.len() > 10, "{kinds:?}");
    for (service, on) in kinds {
        for fault in [
            Fault::close_before_processing(service),
            Fault::close_after_processing(service),
        ] {
            let fixture = Fixture::new(TEAM).await;
            fixture.sandbox.inject(fault.on(on.clone()));
            // It may stop or find a way by itself; what counts is how it ends.
            let first = fixture
                .run()
                .await
                .map(|_| ())
                .map_err(|error| error.explain());
            let again = fixture.run().await;
            assert!(
                again.is_ok(),
                "{on}: first {first:?}, then {}",
                again.expect_err("a failure").explain()
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
