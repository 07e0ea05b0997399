//! Tests of a service that does not answer: it gets the attempts of one call, and not of all.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use okta_aws_sso::{
    BoxFuture, Report,
    okta::{self, HttpTransport, Transport, TransportError},
};
use rest_core::Secret;

use crate::fixture::{Fixture, SEED};

/// The number of attempts of one call to Okta (`RetryPolicy::default`).
const ATTEMPTS: usize = 5;

/// A network in which Okta can be unreachable.
#[derive(Debug, Default)]
struct Network {
    down: AtomicBool,
    attempts: AtomicUsize,
    transport: HttpTransport,
}

impl Network {
    /// Returns the number of requests since the last call that did not arrive.
    fn take_attempts(&self) -> usize {
        self.attempts.swap(0, Ordering::Relaxed)
    }
}

impl Transport for Network {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, TransportError>> {
        if self.down.load(Ordering::Relaxed) {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            return Box::pin(async { Err(TransportError::not_sent("connection refused")) });
        }
        self.transport.send(request)
    }
}

#[tokio::test]
async fn a_plan_a_run_step_and_a_verification_try_a_service_that_is_down_for_one_call_only() {
    let mut fixture = Fixture::new(SEED).await;
    let network = Arc::new(Network::default());
    let (url, token) = (fixture.sandbox.okta_url(), fixture.sandbox.okta_token());
    fixture.okta = okta::Client::builder(&url, Secret::new(token))
        .clock(Arc::new(fixture.clock.clone()))
        .transport(network.clone())
        .build()
        .expect("a client of Okta");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(network.take_attempts(), 0);

    network.down.store(true, Ordering::Relaxed);
    let without_okta = pipeline.plan().await.expect("a plan");
    assert_eq!(network.take_attempts(), ATTEMPTS);
    let problems: Vec<_> = without_okta.problems().collect();
    assert!(problems.len() > 1, "{problems:?}");
    let last = problems.last().expect("a problem");
    let response = last.response.as_ref().expect("a cause");
    let origin = url.trim_end_matches('/');
    assert_eq!(
        response.message.as_deref(),
        Some(
            format!(
                "an earlier call found {origin} unreachable after all its attempts: connection refused"
            )
            .as_str()
        )
    );
    assert!(last.help.is_some());

    let report: Report = pipeline.apply(&plan).await.expect("a report");
    report.complete().expect_err("Okta is down");
    let steps = plan.steps.len();
    let attempts = network.take_attempts();
    assert!(attempts > 0 && attempts <= steps * ATTEMPTS, "{attempts}");
    assert_eq!(
        attempts % ATTEMPTS,
        0,
        "the attempts of one call for each step"
    );

    pipeline.verify().await.expect_err("Okta is down");
    assert_eq!(network.take_attempts(), ATTEMPTS);

    network.down.store(false, Ordering::Relaxed);
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    report.complete().expect("Okta answers again");
}
