//! Tests of a service that does not answer: it gets the attempts of one call, and not of all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use okta_aws_sso::{
    Applied, BoxFuture, Context, Error, Pipeline, Planned, Result, Step, Subject,
    okta::{self, HttpTransport, Transport, TransportError},
    plan::{Action, Change, StepId},
};
use rest_core::Secret;

use crate::fixture::{Fixture, SEED, TEAM};

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

impl Network {
    /// Returns a client of the sandbox's Okta org in this network.
    fn client(self: &Arc<Self>, fixture: &Fixture) -> okta::Client {
        let (url, token) = (fixture.sandbox.okta_url(), fixture.sandbox.okta_token());
        okta::Client::builder(&url, Secret::new(token))
            .clock(Arc::new(fixture.clock.clone()))
            .transport(self.clone())
            .build()
            .expect("a client of Okta")
    }
}

/// A step that plans without Okta, and calls Okta twice when it is applied, after a pause.
struct CallsTwice {
    id: &'static str,
    pause: Duration,
    okta: okta::Client,
}

impl Step for CallsTwice {
    fn id(&self) -> StepId {
        StepId::new(self.id)
    }

    fn title(&self) -> String {
        "Calls Okta twice".to_owned()
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        let change = Change::new(Action::Create, Subject::custom(self.id(), "a call"));
        Box::pin(std::future::ready(Ok(Planned::changes(vec![change]))))
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            cx.clock().sleep(self.pause).await;
            let first = self.okta.users().me().await;
            first.expect_err("Okta is down");
            match self.okta.users().me().await {
                Ok(_) => Ok(Applied::Done),
                Err(error) => Err(Error::service("the user could not be read", error)),
            }
        })
    }
}

#[tokio::test]
async fn a_run_finds_out_after_five_minutes_again_whether_a_service_is_down() {
    let fixture = Fixture::new(SEED).await;
    let network = Arc::new(Network::default());
    network.down.store(true, Ordering::Relaxed);
    let steps = [("first", 0), ("second", 4), ("third", 5)].map(|(id, minutes)| {
        let step = CallsTwice {
            id,
            pause: Duration::from_mins(minutes),
            okta: network.client(&fixture),
        };
        Box::new(step) as Box<dyn Step>
    });
    let steps = Vec::from(steps);
    let pipeline = Pipeline::new(steps).clock(Arc::new(fixture.clock.clone()));
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    assert_eq!(network.take_attempts(), 2 * ATTEMPTS);
    let error = report.complete().expect_err("Okta is down").explain();
    assert!(
        error.contains("unreachable after all its attempts: connection refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_plan_and_a_verification_try_a_service_that_is_down_for_one_call_only() {
    let mut fixture = Fixture::new(TEAM).await;
    let network = Arc::new(Network::default());
    let url = fixture.sandbox.okta_url();
    fixture.okta = network.client(&fixture);
    let pipeline = fixture.pipeline();
    pipeline.plan().await.expect("a plan");
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
    assert_ne!(last.help, "");

    pipeline.verify().await.expect_err("Okta is down");
    assert_eq!(network.take_attempts(), ATTEMPTS);

    network.down.store(false, Ordering::Relaxed);
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    report.complete().expect("Okta answers again");
}
