//! Tests of the reasons from Okta's System Log: why a user or a group has not arrived in AWS.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    Blueprint, ErrorKind, Report,
    okta::{Client, PrivateKey, ServiceApp},
    plan::{Problem, Subject},
    rights,
};
use rest_core::Secret;
use sandbox::{Fault, Oddity, Sandbox, SandboxBuilder, Service};

use crate::fixture::{Fixture, SEED, TEAM, company};

const ADA: &str = "ada.lovelace@example.com";
const OTHER: &str = "person.00002@example.com";

/// The reason that Okta logs if AWS refuses an attribute.
const REASON: &str = "Bad Request. Errors reported by remote server: Request is unparsable, syntactically incorrect, or violates schema.";

/// The parts of an explanation that depend on the number of requests.
const FILTERS: [(&str, &str); 2] = [
    (r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID"),
    (r"2026-11-24T[0-9:.]+Z", "TIME"),
];

/// Returns [`SEED`] with access for one more user.
fn two_users() -> String {
    format!(
        "{SEED}\n[[access]]\nuser = \"{OTHER}\"\naccount = \"Sandbox\"\npermission_set = \"AdministratorAccess\"\n"
    )
}

fn builder() -> SandboxBuilder {
    Sandbox::builder().company(company()).page_size(None)
}

/// Gives the user an attribute that AWS refuses, and that the check of the profile does not read.
fn spoil(fixture: &Fixture, login: &str) {
    let sandbox = &fixture.sandbox;
    sandbox.set_user_attribute(login, "title", "Countess\u{200b}");
}

async fn run(fixture: &Fixture) -> Report {
    let plan = fixture.pipeline().plan().await.expect("a plan");
    fixture.pipeline().apply(&plan).await.expect("a report")
}

/// Returns the only problem of a run, which is about this user.
fn only_problem<'a>(report: &'a Report, login: &str) -> &'a Problem {
    let mut problems = report.all_problems();
    let problem = problems.next().expect("a problem");
    assert_eq!(problem.subject, Some(Subject::user(login)), "{problem}");
    assert_eq!(problems.map(ToString::to_string).next(), None);
    problem
}

fn log_reads(fixture: &Fixture) -> usize {
    let requests = fixture.sandbox.requests();
    let reads = requests
        .iter()
        .filter(|request| request.service == Service::Okta && request.path == "/api/v1/logs");
    reads.count()
}

/// Asserts that the only cause of a problem is the reason, with a time of the run and with its event.
#[track_caller]
fn assert_reason(problem: &Problem, report: &Report) {
    let [cause] = problem.causes.as_slice() else {
        panic!("{:?}", problem.causes);
    };
    let source = cause.strip_prefix(REASON);
    let source = source.and_then(|source| source.strip_prefix(" (Okta's System Log, "));
    let source = source.and_then(|source| source.strip_suffix(')'));
    let (time, event) = source
        .and_then(|source| source.split_once(", event "))
        .unwrap_or_else(|| panic!("{cause}"));
    let time: jiff::Timestamp = time.parse().expect("a time");
    assert!(report.started < time && time < report.ended, "{cause}");
    assert_eq!(event.len(), 36, "{cause}");
}

#[tokio::test]
async fn a_user_that_aws_refuses_is_named_with_the_reason_of_okta() {
    let fixture = Fixture::with_sandbox(builder(), &two_users()).await;
    spoil(&fixture, OTHER);
    let report = run(&fixture).await;
    let problem = only_problem(&report, OTHER);
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!(problem.explain(), @r"
        Okta could not provision user person.00002@example.com to AWS (STAGED, sync ERROR)
          while:  step arrival: wait for user person.00002@example.com
          cause:  Bad Request. Errors reported by remote server: Request is unparsable, syntactically incorrect, or violates schema. (Okta's System Log, TIME, event UUID)
          to do:  fix the cause, which Okta's Admin Console shows too (Dashboard > Tasks), retry the task there, then run again
        ");
    });
    assert_reason(problem, &report);
    assert_eq!(log_reads(&fixture), 1);
    assert_eq!(fixture.assignments().len(), 1, "the other user has access");
    let failed = fixture.failed_checks().await;
    assert!(
        failed.iter().any(|check| check.contains(REASON)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_member_of_a_pushed_group_is_named_with_the_reason_of_okta() {
    let fixture = Fixture::with_sandbox(builder(), TEAM).await;
    spoil(&fixture, OTHER);
    let report = run(&fixture).await;
    assert_reason(only_problem(&report, OTHER), &report);
    assert_eq!(log_reads(&fixture), 1);
}

#[tokio::test]
async fn a_push_that_fails_while_the_run_waits_is_named_with_the_reason_of_okta() {
    let fixture = Fixture::with_sandbox(builder(), TEAM).await;
    fixture.run().await.expect("the first run");
    // Okta pushes the new member with a token that AWS does not know any more.
    fixture.sandbox.set_group_member("deployers", ADA, true);
    assert_eq!(fixture.sandbox.console().delete_scim_tokens(), 1);
    let report = run(&fixture).await;
    let mut problems = report.all_problems();
    let problem = problems.next().expect("a problem");
    let membership = Subject::membership("deployers", ADA);
    assert_eq!(problem.subject, Some(membership), "{problem}");
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!(problem.explain(), @r"
        Okta could not push group deployers to AWS: Error while pushing group deployers: Unauthorized. Errors reported by remote server: Unauthorized
          while:  step arrival: wait for membership of ada.lovelace@example.com in group deployers
          cause:  Unauthorized. Errors reported by remote server: Unauthorized (Okta's System Log, TIME, event UUID)
          to do:  fix the cause in Okta under Push Groups of the app, push the group again there, then run again
        ");
    });
    assert_eq!(problems.map(ToString::to_string).next(), None);
    assert_eq!(log_reads(&fixture), 1);
}

// Source: "Some events may be delayed" (Okta, "System Log query").
#[tokio::test]
async fn the_run_waits_for_an_event_that_is_late() {
    let builder = builder().system_log_delay(Duration::from_mins(1));
    let fixture = Fixture::with_sandbox(builder, SEED).await;
    spoil(&fixture, ADA);
    let report = run(&fixture).await;
    assert_reason(only_problem(&report, ADA), &report);
    assert_eq!(log_reads(&fixture), 2);
}

#[tokio::test]
async fn a_failure_without_an_event_is_reported_after_a_second_read() {
    let builder = builder().system_log_delay(Duration::from_hours(1));
    let fixture = Fixture::with_sandbox(builder, SEED).await;
    spoil(&fixture, ADA);
    let report = run(&fixture).await;
    let problem = only_problem(&report, ADA);
    assert_eq!(problem.causes, [""; 0]);
    assert!(
        problem.help.contains("Dashboard > Tasks"),
        "{}",
        problem.help
    );
    assert_eq!(log_reads(&fixture), 2);
    let minutes = report.ended.duration_since(report.started).as_mins();
    assert!(minutes < 5, "{minutes}");
}

#[tokio::test]
async fn a_wait_of_15_minutes_reads_the_log_at_most_every_90_seconds() {
    let mut fixture = Fixture::with_sandbox(builder(), SEED).await;
    fixture.run().await.expect("the first run");
    fixture.blueprint = Blueprint::from_toml(&two_users()).expect("a blueprint");
    spoil(&fixture, OTHER);
    // Okta does not report that the synchronization has failed.
    let users = format!("GET /api/v1/apps/{}/users", fixture.app().await);
    for _ in 0..60 {
        let fault = Fault::odd(Oddity::UnknownValues);
        fixture.sandbox.inject(fault.on(users.clone()));
    }
    let report = run(&fixture).await;
    fixture.sandbox.clear_faults();
    let problem = only_problem(&report, OTHER);
    assert_eq!(problem.kind, ErrorKind::TimedOut);
    assert!(problem.message.contains("SOMETHING_NEW"), "{problem}");
    assert_reason(problem, &report);
    let minutes = report.ended.duration_since(report.started).as_mins();
    assert!(minutes >= 15, "{minutes}");
    let reads = log_reads(&fixture);
    assert!((2..=10).contains(&reads), "{reads}");
}

/// Runs two users, of which AWS refuses one, and asserts that the run says which scope the log needs.
async fn run_without_log(fixture: &Fixture) {
    spoil(fixture, OTHER);
    let report = run(fixture).await;
    let problem = only_problem(&report, OTHER);
    assert!(
        problem.message.starts_with("Okta could not provision user"),
        "{problem}"
    );
    let [cause] = problem.causes.as_slice() else {
        panic!("{:?}", problem.causes);
    };
    let start = "Okta's System Log, which can have the reason, could not be read without the scope okta.logs.read or a role that \
                 includes it: Okta GET /api/v1/logs: 403 ";
    assert!(cause.starts_with(start), "{cause}");
    assert!(problem.help.contains("okta.logs.read"), "{}", problem.help);
    assert_eq!(fixture.assignments().len(), 1, "the other user has access");
    assert_eq!(log_reads(fixture), 1, "another read would not help");
}

/// The scopes of a run without a custom domain.
const SCOPES: [&str; 5] = [
    "okta.apps.manage",
    "okta.apps.read",
    "okta.groups.manage",
    "okta.groups.read",
    "okta.users.read",
];

#[tokio::test]
async fn without_the_scope_the_run_goes_on_and_names_it() {
    let app = sandbox::ServiceApp::new("Automation", SCOPES);
    let mut fixture = Fixture::with_sandbox(builder().service_app(app), &two_users()).await;
    let credentials = fixture.sandbox.service_app("Automation");
    let key = PrivateKey::parse(&Secret::new(credentials.private_key())).expect("a key");
    let app = ServiceApp::new(credentials.client_id(), key, credentials.scopes());
    fixture.okta = Client::builder(&fixture.sandbox.okta_url(), app)
        .clock(Arc::new(fixture.clock.clone()))
        .build()
        .expect("a client");
    run_without_log(&fixture).await;
}

#[tokio::test]
async fn without_the_role_the_run_goes_on_and_names_the_scope() {
    let fixture = Fixture::with_sandbox(builder().okta_token_role(SCOPES), &two_users()).await;
    run_without_log(&fixture).await;
}

#[tokio::test]
async fn a_log_that_fails_once_is_read_again() {
    let fixture = Fixture::with_sandbox(builder(), SEED).await;
    spoil(&fixture, ADA);
    let fault = Fault::okta_error(400, "E0000031", "The combination is not supported");
    fixture.sandbox.inject(fault.on("GET /api/v1/logs"));
    let report = run(&fixture).await;
    assert_reason(only_problem(&report, ADA), &report);
    assert_eq!(log_reads(&fixture), 2);
}

#[tokio::test]
async fn a_run_in_which_all_arrive_does_not_read_the_log() {
    let fixture = Fixture::with_sandbox(builder(), TEAM).await;
    let (plan, _) = fixture.run().await.expect("a run");
    assert_eq!(log_reads(&fixture), 0);
    let optional: Vec<&str> = rights::optional_scopes(&plan)
        .into_iter()
        .map(|optional| optional.scope)
        .collect();
    assert_eq!(optional, ["okta.logs.read"]);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(rights::optional_scopes(&plan).len(), 0, "nothing waits");
}

#[tokio::test]
async fn a_run_that_writes_the_users_itself_has_no_use_for_the_log() {
    let fixture = Fixture::with_sandbox(builder(), &crate::fixture::direct(TEAM)).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(rights::optional_scopes(&plan).len(), 0);
}
