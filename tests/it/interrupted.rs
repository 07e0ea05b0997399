//! Tests of lost responses: a second run completes the integration without duplicates.
//!
//! The connection breaks either before or after the service executes the request.

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
