//! Tests of the contract of `Step`, with every step.

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
        fixture.operator.clone(),
        Arc::new(fixture.clock.clone()),
    )
}

/// Applies one change until it is done, as the pipeline does.
async fn apply_until_done(
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
    panic!(
        "{}: {} is not done after 100 attempts",
        step.id(),
        change.subject
    );
}

#[tokio::test]
async fn every_step_keeps_the_contract() {
    assert_contract(fixture().await).await;
}

#[tokio::test]
async fn every_step_keeps_the_contract_in_direct_mode() {
    let blueprint = crate::direct::direct(&format!("{WITH_DOMAIN}{TEAM}"));
    assert_contract(Fixture::new(&blueprint).await).await;
}

async fn assert_contract(fixture: Fixture) {
    let cx = context(&fixture);
    let mut written = std::collections::BTreeSet::new();
    for step in steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws).iter() {
        let id = step.id();

        // Planning writes nothing, and two plans are equal.
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
        assert_eq!(
            writes,
            Vec::<String>::new(),
            "{id} sends writes while planning"
        );
        // In direct mode, the directory sync wrote the users, so the arrival step has no changes.
        let already_arrived = id.as_str() == "arrival" && written.contains("directory-sync");
        assert!(
            !planned.changes.is_empty() || already_arrived,
            "{id} has no changes, so this test verifies nothing"
        );
        written.insert(id.to_string());

        // Action and target identify a change, so they are unique.
        for (index, change) in planned.changes.iter().enumerate() {
            let duplicates = planned.changes[..index]
                .iter()
                .filter(|other| other.key() == change.key());
            assert_eq!(duplicates.count(), 0, "{id}: {change}");
        }

        for change in &planned.changes {
            fixture.sandbox.clear_requests();
            apply_until_done(step, change, &cx, &fixture).await;
            if !change.action.writes() {
                let writes = fixture.sandbox.writes();
                assert!(writes.is_empty(), "{id}: {change} writes: {writes:?}");
            }
        }

        // After the apply, the plan is empty, and the verification passes without writes.
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
            "{id} sends writes while verifying"
        );

        // Apply is idempotent: a second apply creates no duplicates. Manual steps and checks are not repeated.
        for change in planned
            .changes
            .iter()
            .filter(|change| !matches!(change.action, Action::ManualStep | Action::Check))
        {
            apply_until_done(step, change, &cx, &fixture).await;
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
async fn every_step_has_a_unique_id_and_title() {
    let fixture = fixture().await;
    let steps = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let ids: std::collections::BTreeSet<String> =
        steps.iter().map(|step| step.id().to_string()).collect();
    let titles: std::collections::BTreeSet<String> = steps.iter().map(Step::title).collect();
    let number = steps.iter().count();
    assert_eq!((ids.len(), titles.len()), (number, number));
}
