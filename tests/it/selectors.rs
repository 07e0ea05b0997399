//! Selectors of accounts, expired entries and growth, on an organization with units and tags.

use std::time::Duration;

use okta_aws_sso::{
    Blueprint, ErrorKind, Guard, Plan,
    plan::{Action, Hazard, StepId},
};
use rest_core::Clock as _;
use sandbox::{AccountSeed, Sandbox};

use crate::fixture::{Fixture, apply, company, lines, unindented};

const STEP: &str = "account-assignments";

const SELECTORS: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[[access]]
groups = { deployers = "PowerUserAccess" }
accounts = { ou = ["Workloads/Production"], except = ["*-archive"] }

[[access]]
users = { "ada.lovelace@example.com" = "ReadOnlyAccess" }
accounts = { tag = { team = "web" } }
until = 2026-11-30
"#;

async fn fixture() -> Fixture {
    let account = |number: u32, name: &str, unit: &str| {
        AccountSeed::new(&format!("2000000008{number:02}"), name, unit)
    };
    let company = company()
        .account(account(1, "web-prod", "Workloads/Production"))
        .account(account(2, "app-prod", "Workloads/Production"))
        .account(account(3, "web-archive", "Workloads/Production"))
        .account(account(4, "old-prod", "Workloads/Production").suspended())
        .account(account(5, "web-dev", "Workloads/Development"));
    let fixture = Fixture::with_sandbox(Sandbox::builder().company(company), SELECTORS).await;
    for id in ["200000000801", "200000000805"] {
        let tag = fixture.aws.sdk().organizations().tag_resource();
        let tags = okta_aws_sso::aws::sdk::organizations::types::Tag::builder();
        let tags = tags.key("team").value("web").build().expect("a tag");
        let tag = tag.resource_id(id).tags(tags).send().await;
        tag.expect("a tag");
    }
    fixture
}

/// Returns the text of the step's plan.
fn text(plan: &Plan) -> String {
    unindented(plan.step(&StepId::new(STEP)).expect("the step"))
}

#[tokio::test]
async fn the_plan_shows_the_accounts_of_each_selector_and_the_run_assigns_them() {
    let fixture = fixture().await;
    let (plan, _) = fixture.run().await.expect("a run");
    insta::assert_snapshot!(text(&plan));
    assert_eq!(fixture.assignments().len(), 4);
    let again = fixture.pipeline().plan().await.expect("a plan");
    assert!(again.is_empty(), "{again}");
    let step = again.step(&StepId::new(STEP)).expect("the step");
    assert_eq!(step.selections.len(), 2);
    assert!(
        step.selections
            .iter()
            .all(|selection| selection.new.is_empty())
    );
    assert_eq!(fixture.failed_checks().await, [""; 0]);
}

#[tokio::test]
async fn an_expired_entry_is_removed_only_after_an_approval() {
    let fixture = fixture().await;
    fixture.run().await.expect("a run");
    // From 24 November to 1 December.
    fixture.clock.sleep(Duration::from_hours(7 * 24)).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, STEP),
        [
            "remove user ada.lovelace@example.com: ReadOnlyAccess in 200000000801",
            "remove user ada.lovelace@example.com: ReadOnlyAccess in 200000000805",
        ]
    );
    let error = pipeline.apply(&plan).await.expect_err("no approval");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    assert_eq!(fixture.assignments().len(), 4);
    let pipeline = fixture.pipeline().guard(Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    });
    apply(&pipeline, &plan).await.expect("a run");
    let left = fixture.assignments();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().all(|line| line.contains("PowerUserAccess")));
    let again = fixture.pipeline().plan().await.expect("a plan");
    assert!(again.is_empty(), "{again}");
}

#[tokio::test]
async fn a_selector_that_matches_nothing_keeps_the_access_and_stops_nothing_else() {
    let mut fixture = fixture().await;
    fixture.run().await.expect("a run");
    let before = fixture.assignments();
    let broken = SELECTORS.replace("Workloads/Production", "Workloads/Prod");
    fixture.blueprint = Blueprint::from_toml(&broken).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    insta::assert_snapshot!(text(&plan));
    assert_eq!(plan.removals().count(), 0);
    let report = fixture.pipeline().apply(&plan).await;
    let _report = report.expect("a run");
    assert_eq!(fixture.assignments(), before);
}

#[tokio::test]
async fn a_selector_that_has_grown_a_lot_needs_a_permission_by_name() {
    let text = "
        [[access]]
        user = 'ada.lovelace@example.com'
        accounts = { name = ['a-*'] }
        permission_set = 'ReadOnlyAccess'";
    let accounts = (10..25)
        .map(|number| AccountSeed::new(&format!("2000000008{number}"), &format!("a-{number}"), ""));
    let company = accounts.fold(company(), sandbox::Company::account);
    let fixture = Fixture::with_sandbox(Sandbox::builder().company(company), text).await;
    fixture.run().await.expect("a first run");
    // The earlier run has matched three of the fifteen accounts.
    fixture
        .edit_facts(|facts| {
            for ids in facts.selections.values_mut() {
                *ids = ids.iter().take(3).cloned().collect();
            }
        })
        .await;
    let step = StepId::new(STEP);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let hazards = &plan.step(&step).expect("the step").hazards;
    let [hazard @ Hazard::SelectionGrown { accounts, .. }] = hazards.as_slice() else {
        panic!("{hazards:?}");
    };
    assert_eq!(accounts.len(), 12);
    assert_eq!(hazard.id().as_deref(), Some("selection-grown:name a-*"));
    let error = fixture
        .pipeline()
        .apply(&plan)
        .await
        .expect_err("no permission");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    let pipeline = fixture.pipeline().guard(Guard {
        allowed: hazard.id().into_iter().collect(),
        ..Guard::default()
    });
    apply(&pipeline, &plan).await.expect("a run");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(plan.hazards().count(), 0);
    assert!(
        plan.changes()
            .all(|(_, change)| change.action != Action::Remove)
    );
}

#[tokio::test]
async fn an_existing_permission_set_that_is_missing_is_a_problem_and_the_other_sets_are_made() {
    let mut fixture = fixture().await;
    let sets = "
        [permission_sets.Used]
        existing = true
        [permission_sets.Tagged]
        tags = { owner = 'web' }
        [[access]]
        users = { 'ada.lovelace@example.com' = ['Used', 'Tagged', 'ReadOnlyAccess'] }
        account = 'web-dev'";
    fixture.blueprint = Blueprint::from_toml(sets).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    insta::assert_snapshot!(lines(&plan, "permission-sets").join("\n"));
    let _report = fixture.pipeline().apply(&plan).await.expect("a run");
    assert_eq!(fixture.assignments().len(), 2);
}
