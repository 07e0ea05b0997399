//! The contract that every step keeps, held by one suite.

use std::sync::Arc;

use okta_aws_sso::{Applied, Context, State, Step, plan::Action, steps};
use rest_core::Clock as _;

use crate::fixture::{Fixture, TEAM};

const WITH_DOMAIN: &str = "[okta]\ncustom_domain = \"login.example.com\"\n";

async fn fixture() -> Fixture {
    Fixture::new(&format!("{WITH_DOMAIN}{TEAM}")).await
}

fn context(fixture: &Fixture) -> Context {
    Context::new(
        State::new().facts,
        fixture.person.clone(),
        Arc::new(fixture.clock.clone()),
    )
}

/// Applies one change until it is done, as the pipeline does.
async fn finish(
    step: &dyn Step,
    change: &okta_aws_sso::plan::Change,
    cx: &Context,
    fixture: &Fixture,
) {
    for _ in 0..100 {
        match step
            .apply(change, cx)
            .await
            .unwrap_or_else(|error| panic!("{}: {}", step.id(), error.explain()))
        {
            Applied::Done => return,
            Applied::Waiting(_) => fixture.clock.sleep(std::time::Duration::from_secs(5)).await,
        }
    }
    panic!("{}: {} did not come true", step.id(), change.target);
}

#[tokio::test]
async fn every_step_keeps_the_contract() {
    keeps_the_contract(fixture().await).await;
}

#[tokio::test]
async fn every_step_keeps_the_contract_where_the_run_writes_users_and_groups() {
    let blueprint = crate::direct::direct(&format!("{WITH_DOMAIN}{TEAM}"));
    keeps_the_contract(Fixture::new(&blueprint).await).await;
}

async fn keeps_the_contract(fixture: Fixture) {
    let cx = context(&fixture);
    let mut written = std::collections::BTreeSet::new();
    for step in steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws) {
        let id = step.id();

        // Planning changes nothing, and says the same twice.
        fixture.sandbox.clear_requests();
        let planned = step.plan(&cx).await.expect("a plan");
        assert_eq!(
            step.plan(&cx).await.expect("the same plan"),
            planned,
            "{id}"
        );
        let writes: Vec<String> = fixture
            .sandbox
            .writes()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(writes, Vec::<String>::new(), "{id} writes while it plans");
        // Who was written by this run has arrived.
        let arrived = id.as_str() == "arrival" && written.contains("directory-sync");
        assert!(
            !planned.changes.is_empty() || arrived,
            "{id} has nothing to do, so nothing is proved here"
        );
        written.insert(id.to_string());

        // Targets are unique, so that a change can be found again.
        for (index, change) in planned.changes.iter().enumerate() {
            let twins = planned.changes[..index]
                .iter()
                .filter(|other| other.action == change.action && other.target == change.target);
            assert_eq!(twins.count(), 0, "{id}: {}", change.target);
        }

        for change in &planned.changes {
            finish(step.as_ref(), change, &cx, &fixture).await;
        }

        // After the apply there is nothing left, and verifying agrees and writes nothing.
        assert_eq!(step.plan(&cx).await.expect("a plan").changes, [], "{id}");
        fixture.sandbox.clear_requests();
        let checks = step.verify(&cx).await.expect("checks");
        assert!(!checks.is_empty(), "{id}");
        assert!(
            checks
                .iter()
                .all(|check| check.outcome != okta_aws_sso::CheckOutcome::Failed),
            "{id}: {checks:?}"
        );
        assert_eq!(
            fixture.sandbox.writes().len(),
            0,
            "{id} writes while it verifies"
        );

        // Applying once more does no harm: nothing is made twice, and nobody is asked to do what is done.
        for change in planned
            .changes
            .iter()
            .filter(|change| !matches!(change.action, Action::ManualStep | Action::Check))
        {
            finish(step.as_ref(), change, &cx, &fixture).await;
        }
        assert_eq!(
            step.plan(&cx).await.expect("a plan").changes,
            [],
            "{id} after a second apply"
        );
    }
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    assert_eq!(fixture.sandbox.permission_sets().len(), 2);
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn every_step_has_a_name_and_a_title_of_its_own() {
    let fixture = fixture().await;
    let journey = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let ids: std::collections::BTreeSet<String> =
        journey.iter().map(|step| step.id().to_string()).collect();
    let titles: std::collections::BTreeSet<String> =
        journey.iter().map(|step| step.title()).collect();
    assert_eq!((ids.len(), titles.len()), (journey.len(), journey.len()));
}
