//! Runs of the pipeline in this process, with one fault in the sandbox and with a manual clock.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    aws::Aws,
    okta::{self, HttpOptions, HttpTransport},
    plan::Problem,
};
use rest_core::{Clock as _, Secret};
use sandbox::{Sandbox, Service};

use crate::{
    campaign::{End, RERUNS, Verdict},
    end_state::end_state,
    fixture::{Fixture, TEAM, WITH_DOMAIN, aws_options, direct},
    kinds::{Effect, Kind},
};

/// How users and groups get to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Okta,
    Direct,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Direct => "direct",
        }
    }

    async fn fixture(self) -> Fixture {
        let blueprint = format!("{WITH_DOMAIN}{TEAM}");
        match self {
            Self::Okta => Fixture::new(&blueprint).await,
            Self::Direct => Fixture::new(&direct(&blueprint)).await,
        }
    }
}

/// One request of a run without faults.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    /// The number of earlier requests to the same service.
    pub(crate) ordinal: usize,
    pub(crate) text: String,
    pub(crate) write: bool,
    /// Whether it is the first read or the first write of its service.
    first: bool,
}

impl Request {
    /// Returns whether a case may spend the timeout of the request.
    ///
    /// The client of SCIM has no option for its timeout of one minute, so that only its first read and
    /// its first write stall.
    pub(crate) fn may_stall(&self) -> bool {
        self.service != Service::Scim || self.first
    }
}

/// A complete run without faults.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) requests: Vec<Request>,
    end_state: String,
}

pub(crate) async fn reference(mode: Mode) -> Reference {
    let fixture = mode.fixture().await;
    let (_, report) = fixture.run().await.expect("a run without faults");
    assert!(report.is_complete());
    let mut requests: Vec<Request> = Vec::new();
    for recorded in fixture.sandbox.requests() {
        let service = recorded.service;
        let earlier = requests.iter().filter(|earlier| earlier.service == service);
        requests.push(Request {
            service,
            first: earlier
                .clone()
                .all(|earlier| earlier.write != recorded.write),
            ordinal: earlier.count(),
            text: recorded.to_string(),
            write: recorded.write,
        });
    }
    Reference {
        requests,
        end_state: end_state(&fixture.sandbox),
    }
}

/// Runs once with the fault at one request, then without faults until the end state is that of the reference.
pub(crate) async fn run(
    mode: Mode,
    kind: &Kind,
    request: &Request,
    reference: &Reference,
) -> Verdict {
    let mut fixture = mode.fixture().await;
    if kind.effect == Effect::Stall {
        shorten_timeouts(&mut fixture).await;
    }
    let fault = kind.fault(request.service, fixture.sandbox.now());
    fixture.sandbox.inject(fault.after(request.ordinal));
    let mut verdict = Verdict::default();
    let (end, shown) = run_once(&fixture, &mut verdict).await;
    verdict.first = Some((end, shown));
    let sent = fixture.sandbox.requests();
    let sent = sent.iter().filter(|sent| sent.service == request.service);
    if sent.count() <= request.ordinal {
        fixture.sandbox.clear_faults();
        verdict
            .wrong
            .push("the run did not send this request".to_owned());
    }
    if fixture.clock.elapsed() > LONGEST_RUN {
        let minutes = fixture.clock.elapsed().as_secs() / 60;
        verdict.wrong.push(format!(
            "the run took {minutes} minutes of the manual clock"
        ));
    }
    for rerun in 1..=RERUNS {
        let end = run_once(&fixture, &mut verdict).await;
        if verdict.end_rerun(rerun, end, &fixture.sandbox, &reference.end_state) {
            break;
        }
    }
    verdict
}

/// Plans and applies once, and checks the messages. An empty plan is verified instead, as the program does.
///
/// Returns the end of the run with the text of its error.
async fn run_once(fixture: &Fixture, verdict: &mut Verdict) -> (End, String) {
    let pipeline = fixture.pipeline();
    let plan = match pipeline.plan().await {
        Ok(plan) => plan,
        Err(error) => return failed(&Problem::new(None, &error), verdict),
    };
    for problem in plan.problems() {
        check(problem, verdict);
    }
    if plan.is_empty() && plan.problems().next().is_none() {
        return match pipeline.verify().await {
            Ok(found) if found.passed() => (End::Complete, String::new()),
            Ok(found) => (
                End::Failed,
                format!("the verification did not pass: {found:?}"),
            ),
            Err(error) => failed(&Problem::new(None, &error), verdict),
        };
    }
    let report = match pipeline.apply(&plan).await {
        Ok(report) => report,
        Err(error) => return failed(&Problem::new(None, &error), verdict),
    };
    for problem in report.all_problems() {
        check(problem, verdict);
    }
    let documents = [serde_json::to_string(&plan), serde_json::to_string(&report)];
    for document in documents {
        verdict.check_secrets(&document.expect("JSON"));
    }
    match report.complete() {
        Ok(_) => (End::Complete, String::new()),
        Err(error) => failed(&Problem::new(None, &error), verdict),
    }
}

pub(crate) fn failed(problem: &Problem, verdict: &mut Verdict) -> (End, String) {
    check(problem, verdict);
    (End::Failed, problem.explain())
}

/// Checks that a problem has a summary and help, and contains no secret.
pub(crate) fn check(problem: &Problem, verdict: &mut Verdict) {
    let text = problem.explain();
    verdict.check_secrets(&text);
    verdict.check_secrets(&format!("{problem:?}"));
    let has_text = |text: &str| !text.trim().is_empty();
    if !has_text(&problem.message) || !has_text(&problem.help) {
        verdict
            .wrong
            .push(format!("an error has no summary or no help: {text}"));
    }
}

/// Gives the clients of Okta and AWS a short timeout. The SCIM client of direct mode has no option for it.
pub(crate) async fn shorten_timeouts(fixture: &mut Fixture) {
    let clock: Arc<dyn rest_core::Clock> = Arc::new(fixture.clock.clone());
    let transport = HttpTransport::new(HttpOptions {
        total_timeout: TIMEOUT,
        ..HttpOptions::default()
    });
    let token = Secret::new(fixture.sandbox.okta_token());
    let okta = okta::Client::builder(&fixture.sandbox.okta_url(), token);
    let okta = okta.clock(clock.clone()).transport(Arc::new(transport));
    fixture.okta = okta.build().expect("an Okta client");
    let mut options = aws_options(&fixture.sandbox, Sandbox::AWS_SECRET_ACCESS_KEY, clock);
    options.attempt_timeout = TIMEOUT;
    fixture.aws = Aws::connect(options).await.expect("a connection");
}

/// The timeout of one attempt, in real time. A slow machine may exceed it without a fault; a run has to survive that too.
const TIMEOUT: Duration = Duration::from_millis(300);

/// The longest run in time of the manual clock. A change without progress times out after 15 minutes.
const LONGEST_RUN: Duration = Duration::from_hours(2);
