//! Tests of the custom domain: which records the operator sees, when Okta is asked to look at them, and whose certificate.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    ErrorKind, Outcome, okta,
    operator::{ManualStep, ManualStepKind, NoOperator},
    plan::Action,
    steps::CustomDomain,
};
use rest_core::Clock as _;
use sandbox::{DnsRecord, Sandbox, SandboxBuilder};

use crate::fixture::{Fixture, SEED, apply, company};

const DOMAIN: &str = "login.example.com";

async fn fixture(sandbox: SandboxBuilder) -> Fixture {
    Fixture::with_sandbox(sandbox.company(company()), SEED).await
}

/// Plans and applies the step alone.
async fn run(fixture: &Fixture) -> okta_aws_sso::Result<okta_aws_sso::Plan> {
    let pipeline = fixture.pipeline_of(CustomDomain::new(&fixture.okta, DOMAIN));
    let plan = pipeline.plan().await?;
    apply(&pipeline, &plan).await.map(|_| plan)
}

/// Returns the number of looks at the DNS records that Okta was asked for, of reads of the domain, and of lists of domains.
fn looks_reads_and_lists(fixture: &Fixture) -> [usize; 3] {
    let requests = fixture.sandbox.requests();
    let count = |method: &str, is_counted: fn(&str) -> bool| {
        let sent = requests
            .iter()
            .filter(|request| request.method == method && is_counted(&request.path));
        sent.count()
    };
    [
        count("POST", |path| path.ends_with("/verify")),
        count("GET", |path| path.contains("/domains/")),
        count("GET", |path| path.ends_with("/domains")),
    ]
}

fn txt(manual_step: &ManualStep) -> &str {
    let mut values = manual_step.values.iter();
    let txt = values.find(|(name, _)| name.starts_with("TXT "));
    &txt.expect("a TXT record").1
}

fn publish(fixture: &Fixture, manual_step: &ManualStep) {
    let records: Vec<DnsRecord> = manual_step
        .values
        .iter()
        .filter_map(|(name, value)| {
            let (kind, name) = name.split_once(' ')?;
            Some(DnsRecord::new(kind, name, value))
        })
        .collect();
    fixture.sandbox.console().publish_dns(&records);
}

#[tokio::test]
async fn okta_looks_at_published_records_once_and_every_poll_only_reads() {
    let fixture = fixture(Sandbox::builder()).await;
    run(&fixture).await.expect("a domain");
    let [looks, reads, lists] = looks_reads_and_lists(&fixture);
    assert_eq!(looks, 1);
    assert!(reads > 4, "the certificate takes a few seconds: {reads}");
    assert!(lists <= 4, "only until the id is known: {lists}");
    assert!(run(&fixture).await.expect("a second run").is_empty());
}

#[tokio::test]
async fn a_new_txt_value_is_shown_to_the_operator() {
    let mut fixture = fixture(Sandbox::builder().new_dns_values(true)).await;
    // The operator forgets the records at first.
    let asked = std::sync::atomic::AtomicBool::new(false);
    let asked =
        fixture.watch_operator(move |_| !asked.swap(true, std::sync::atomic::Ordering::Relaxed));
    run(&fixture).await.expect("a domain");
    let asked = asked.lock().expect("a lock");
    let [first, second] = asked.as_slice() else {
        panic!("{asked:#?}");
    };
    assert_ne!(txt(first), txt(second));
    assert_eq!(first.warnings, [""; 0]);
    assert_eq!(second.warnings, ["Okta requires other values than before."]);
    assert_eq!(looks_reads_and_lists(&fixture)[0], 2);
}

#[tokio::test]
async fn records_that_okta_does_not_find_are_named_and_looked_for_every_five_minutes() {
    let mut fixture = fixture(Sandbox::builder()).await;
    let asked = fixture.watch_operator(|_| true);
    let error = run(&fixture).await.expect_err("no records");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let asked = asked.lock().expect("a lock").clone();
    assert_eq!(asked.len(), 1, "the values are the same: {asked:#?}");
    let text = error.to_string();
    let missing = format!("TXT _oktaverification.{DOMAIN} {}", txt(&asked[0]));
    assert!(
        text.contains("FAILED_TO_VERIFY") && text.contains(&missing),
        "{text}"
    );
    let [looks, reads, _] = looks_reads_and_lists(&fixture);
    // At the start, after 5 and after 10 minutes.
    assert_eq!(looks, 3);
    assert!(reads > 15, "at least one in a minute: {reads}");

    // The next run has Okta look first, without asking the operator again.
    publish(&fixture, &asked[0]);
    fixture.operator = Arc::new(NoOperator);
    run(&fixture).await.expect("a domain");
}

#[tokio::test]
async fn a_run_without_an_operator_requests_no_look_before_the_records_were_shown() {
    let mut fixture = fixture(Sandbox::builder().new_dns_values(true)).await;
    fixture.operator = Arc::new(NoOperator);
    let pipeline = fixture.pipeline_of(CustomDomain::new(&fixture.okta, DOMAIN));
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    assert!(matches!(
        report.results[1].outcome,
        Outcome::WaitsForOperator { .. }
    ));
    assert_eq!(looks_reads_and_lists(&fixture)[0], 0);
    let domains = fixture.okta.domains().list().try_collect().await;
    let listed = domains.expect("domains").pop().expect("a domain");
    let domain = fixture.okta.domains().get(&listed.id).await;
    let domain = domain.expect("the domain");
    let records: Vec<DnsRecord> = domain
        .dns_records
        .iter()
        .map(|record| DnsRecord::new(&*record.kind, &*record.name, &*record.values[0]))
        .collect();
    fixture.sandbox.console().publish_dns(&records);
    run(&fixture).await.expect("a domain");
    assert_eq!(looks_reads_and_lists(&fixture)[0], 1);
}

#[tokio::test]
async fn a_certificate_that_okta_does_not_manage_is_a_manual_step_and_no_wait() {
    let mut fixture = fixture(Sandbox::builder()).await;
    let new = okta::NewDomain {
        name: DOMAIN.to_owned(),
        certificate: okta::CertificateSource::Manual,
    };
    fixture.okta.domains().create(&new).await.expect("a domain");
    // The operator publishes the records and forgets the certificate.
    let asked =
        fixture.watch_operator(|manual_step| manual_step.kind == ManualStepKind::DomainCertificate);
    let started = fixture.clock.elapsed();
    let error = run(&fixture).await.expect_err("no certificate");
    assert_eq!(
        error.to_string(),
        "the custom domain login.example.com still has no certificate (status: VERIFIED)"
    );
    assert!(fixture.clock.elapsed() < started + Duration::from_secs(10));
    let kinds = |asked: &[ManualStep]| asked.iter().map(|step| step.kind).collect::<Vec<_>>();
    assert_eq!(
        kinds(&asked.lock().expect("a lock")),
        [
            ManualStepKind::DnsRecords,
            ManualStepKind::DomainCertificate
        ]
    );

    let asked = fixture.watch_operator(|_| false);
    let error = run(&fixture)
        .await
        .expect_err("the operator forgets it again");
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    assert_eq!(
        kinds(&asked.lock().expect("a lock")),
        [ManualStepKind::DomainCertificate]
    );
    fixture
        .sandbox
        .console()
        .upload_certificate(DOMAIN)
        .expect("an upload");
    assert!(run(&fixture).await.expect("a last run").is_empty());
}

#[tokio::test]
async fn the_plan_of_a_manual_domain_ends_with_the_upload_of_its_certificate() {
    let fixture = fixture(Sandbox::builder()).await;
    let new = okta::NewDomain {
        name: DOMAIN.to_owned(),
        certificate: okta::CertificateSource::Manual,
    };
    fixture.okta.domains().create(&new).await.expect("a domain");
    let plan = run(&fixture).await.expect("a run with an operator");
    let actions: Vec<Action> = plan.changes().map(|(_, change)| change.action).collect();
    assert_eq!(
        actions,
        [Action::ManualStep, Action::Update, Action::ManualStep]
    );
    assert!(run(&fixture).await.expect("a second run").is_empty());
}
