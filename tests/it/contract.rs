//! Tests of the contract of `Step`, with every step.

mod partial;

use std::{collections::HashMap, sync::Arc};

use okta_aws_sso::{
    Applied, Context, State, Step,
    plan::{Action, Change, StepId, Subject},
    steps,
};
use regex::Regex;
use rest_core::Clock as _;

use crate::fixture::{Fixture, TEAM, WITH_DOMAIN, direct};

/// Returns a blueprint that needs every step of the mode.
pub(crate) fn blueprint(is_direct: bool) -> String {
    let team = TEAM.replace("[provisioning]", "[provisioning]\ndisplay_name = true");
    let blueprint = format!("{WITH_DOMAIN}sign_on_policy = \"Phishing resistant\"\n{team}");
    if is_direct {
        direct(&blueprint)
    } else {
        blueprint
    }
}

/// The writes that each change sends when it is applied alone.
#[derive(Default)]
struct WritesOfChanges(HashMap<(StepId, Action, Subject), Vec<String>>);

impl WritesOfChanges {
    fn of(&self, step: &StepId, change: &Change) -> &[String] {
        let key = (step.clone(), change.action, change.subject.clone());
        // A new group is created with its members, in one request.
        match &change.subject {
            Subject::Membership { .. } => &[],
            _ if change.action == Action::Wait => &[],
            _ => {
                let writes = self.0.get(&key);
                writes.unwrap_or_else(|| panic!("no change of a whole run is {key:?}"))
            }
        }
    }
}

/// Returns the writes that the sandbox has recorded, sorted, with `*` for ids.
fn writes(fixture: &Fixture) -> Vec<String> {
    let ids = Regex::new("[0-9A-Za-z-]{20,}").expect("an expression");
    let mut writes: Vec<String> = fixture
        .sandbox
        .writes()
        .iter()
        .map(|write| {
            let operation = write.target.as_deref().unwrap_or_default();
            let path = ids.replace_all(&write.path, "*");
            format!("{:?} {} {path} {operation}", write.service, write.method)
        })
        .collect();
    writes.sort();
    writes
}

fn context(fixture: &Fixture) -> Context {
    Context::new(
        State::new().facts,
        fixture.operator.clone(),
        Arc::new(fixture.clock.clone()),
    )
}

/// Applies one change until it is done, as the pipeline does.
async fn apply_until_done(step: &dyn Step, change: &Change, cx: &Context, fixture: &Fixture) {
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
    writes_of_changes(&Fixture::new(&blueprint(false)).await).await;
}

#[tokio::test]
async fn every_step_keeps_the_contract_in_direct_mode() {
    writes_of_changes(&Fixture::new(&blueprint(true)).await).await;
}

/// Applies each change of each step alone, checks the contract, and returns the writes of each change.
async fn writes_of_changes(fixture: &Fixture) -> WritesOfChanges {
    let cx = context(fixture);
    let mut of_changes = WritesOfChanges::default();
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
        assert_eq!(writes(fixture), [""; 0], "{id} sends writes while planning");
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
            apply_until_done(step, change, &cx, fixture).await;
            let writes = writes(fixture);
            assert!(
                change.action.writes() || writes.is_empty(),
                "{id}: {change} writes: {writes:?}"
            );
            if let Subject::GroupPush { .. } = &change.subject {
                // The change of a later plan that pushes the group again, off and on.
                let again = (id.clone(), Action::Update, change.subject.clone());
                let patch = "Okta PATCH /api/v1/apps/*/group-push/mappings/* ".to_owned();
                of_changes.0.insert(again, vec![patch.clone(), patch]);
            }
            let key = (id.clone(), change.action, change.subject.clone());
            of_changes.0.insert(key, writes);
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
            writes(fixture),
            [""; 0],
            "{id} sends writes while verifying"
        );

        // Apply is idempotent: a second apply creates no duplicates. Manual steps and checks are not repeated.
        for change in planned
            .changes
            .iter()
            .filter(|change| !matches!(change.action, Action::ManualStep | Action::Check))
        {
            apply_until_done(step, change, &cx, fixture).await;
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
    of_changes
}

/// A removal of the app and of a permission set, applied step by step, keeps the contract as well.
#[tokio::test]
async fn the_removals_of_the_ownership_keep_the_contract() {
    let owned = |text: &str| {
        let modes = [
            "permission_sets",
            "access",
            "app_assignments",
            "pushed_groups",
        ];
        let modes = modes.map(|key| format!("{key} = \"managed\""));
        format!("[ownership]\n{}\n{text}", modes.join("\n"))
    };
    let more = TEAM.replace(
        "assign_groups",
        "assign_users = [\"person.00002@example.com\"]\npush_groups = [\"aws-users\"]\nassign_groups",
    );
    let more = more.replace(
        "assign_groups = [\"aws-users\"]",
        "assign_groups = [\"auditors\"]",
    );
    let company = crate::fixture::company().team("auditors", &["person.00003@example.com"]);
    let sandbox = sandbox::Sandbox::builder().company(company);
    let mut fixture = Fixture::with_sandbox(sandbox, &owned(&more)).await;
    fixture.run().await.expect("a run");
    let less = "[provisioning]\nassign_groups = [\"auditors\"]\n[sign_in]\nskip = true\n";
    fixture.blueprint = okta_aws_sso::Blueprint::from_toml(&owned(less)).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(plan.removals().count(), 9, "{plan}");
    let approved = okta_aws_sso::Guard {
        approved: plan.removals_id().into_iter().collect(),
        allowed: plan
            .hazards()
            .filter_map(okta_aws_sso::plan::Hazard::id)
            .collect(),
        ..okta_aws_sso::Guard::default()
    };
    let report = fixture.pipeline().guard(approved).apply(&plan).await;
    assert!(report.expect("a report").is_complete());
    let next = fixture.pipeline().plan().await.expect("a plan");
    assert!(next.is_empty(), "{next}");
    assert_eq!(fixture.failed_checks().await, [""; 0]);
}

#[tokio::test]
async fn every_step_has_a_unique_id_and_title() {
    let text = format!(
        "[ownership]\npermission_sets = \"managed\"\n{}",
        blueprint(false)
    );
    let fixture = Fixture::new(&text).await;
    let steps = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let ids: std::collections::BTreeSet<String> =
        steps.iter().map(|step| step.id().to_string()).collect();
    let titles: std::collections::BTreeSet<String> = steps.iter().map(Step::title).collect();
    let number = steps.iter().count();
    assert_eq!((ids.len(), titles.len()), (number, number));
}
