//! The journey in direct mode: Okta provisions nothing, and the run writes users and groups itself.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, CheckOutcome, ErrorKind, Guard,
    operator::NoOperator,
    plan::{Action, StepId},
};
use rest_core::Secret;
use sandbox::{PersonStatus, Sandbox, Service, Stage};

use crate::fixture::{Fixture, SEED, TEAM, company};

/// The same, written by the run.
pub(crate) fn direct(blueprint: &str) -> String {
    if blueprint.contains("[provisioning]") {
        blueprint.replace("[provisioning]", "[provisioning]\nmode = \"direct\"")
    } else {
        format!("[provisioning]\nmode = \"direct\"\n{blueprint}")
    }
}

/// A team whose access goes through one group, which is assigned to the app and is a group in AWS too.
const ONE_GROUP: &str = r#"
[provisioning]
mode = "direct"
assign_groups = ["deployers"]

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "ReadOnlyAccess"
"#;

fn scim_requests(fixture: &Fixture) -> Vec<String> {
    let requests = fixture.sandbox.requests();
    let scim = requests
        .iter()
        .filter(|request| request.service == Service::Scim);
    scim.map(ToString::to_string).collect()
}

#[tokio::test]
async fn from_nothing_to_a_user_who_signs_in_and_nothing_is_changed_by_the_second_run() {
    for blueprint in [SEED, TEAM] {
        let fixture = Fixture::new(&direct(blueprint)).await;
        let (plan, report) = fixture.run().await.expect("the journey");
        let steps: Vec<&str> = plan.steps.iter().map(|step| step.step.as_str()).collect();
        assert!(steps.contains(&"directory-sync"), "{steps:?}");
        assert!(!steps.contains(&"okta-provisioning"), "{steps:?}");
        // The sign-in test is the last step: somebody has signed in and seen the role.
        assert_eq!(steps.last(), Some(&"sign-in"));
        assert!(report.facts.signed_in.is_some());
        assert_eq!(fixture.sandbox.provisioning_requests(), []);
        let found = fixture.pipeline().verify().await.expect("a verification");
        assert!(found.passed(), "{found:?}");

        fixture.sandbox.clear_requests();
        let (plan, report) = fixture.run().await.expect("the second run");
        assert_eq!(plan.to_string().lines().next(), Some("Plan: No changes"));
        assert_eq!(report.applied, 0);
        assert_eq!(fixture.sandbox.writes().len(), 0);
        assert_eq!(scim_requests(&fixture), Vec::<String>::new());
    }
}

#[tokio::test]
async fn groups_are_there_with_their_members_and_the_app_pushes_nothing() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the journey");
    let groups = fixture.sandbox.identity_groups();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].display_name, "deployers");
    assert_eq!(groups[0].external_id, fixture.sandbox.group_id("deployers"));
    assert_eq!(
        groups[0].members,
        ["person.00002@example.com", "person.00003@example.com"]
    );
    let okta = fixture.sandbox.okta_snapshot();
    assert_eq!(okta["apps"][0]["pushedGroups"], serde_json::json!([]));
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn one_group_may_be_assigned_to_the_app_and_be_a_group_in_aws() {
    let fixture = Fixture::new(ONE_GROUP).await;
    fixture.run().await.expect("the journey");
    assert_eq!(
        fixture.assignments(),
        ["GROUP deployers: ReadOnlyAccess in 200000000002"]
    );
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn a_change_in_okta_is_written_by_the_next_run_which_asks_for_the_token_first() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the journey");
    let ada = "ada.lovelace@example.com";
    fixture
        .sandbox
        .set_user_attribute(ada, "displayName", "Countess");
    fixture.sandbox.set_group_member("deployers", ada, true);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("directory-sync")).expect("the step");
    insta::assert_snapshot!(step, @r"
         @ SCIM access token
             hands back  SCIM endpoint and access token
             token       (secret, never saved)
         ~ users and groups of AWS, as in Okta
             update users   ada.lovelace@example.com
             update groups  deployers: +1 -0 members
    ");
    fixture.pipeline().apply(&plan).await.expect("the change");
    assert_eq!(fixture.sandbox.identity_groups()[0].members.len(), 3);
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn without_a_person_the_token_comes_from_the_caller_and_what_others_have_changed_is_put_right()
 {
    let mut fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the journey");
    fixture.person = Arc::new(NoOperator);
    fixture
        .sandbox
        .set_user_attribute("ada.lovelace@example.com", "displayName", "Countess");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let error = pipeline.apply(&plan).await.expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::ManualStep);

    let token = fixture
        .sandbox
        .console()
        .enable_automatic_provisioning()
        .expect("a token")
        .access_token;
    let pipeline = fixture.pipeline().scim_token(Secret::new(token));
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.counts().get(&Action::ManualStep), None, "{plan}");
    pipeline.apply(&plan).await.expect("a run");
    let users = fixture.sandbox.identity_users();
    assert!(
        users
            .iter()
            .any(|user| user.display_name.as_deref() == Some("Countess"))
    );
    let found = pipeline.verify().await.expect("a verification");
    assert!(found.passed(), "{found:?}");
    let proved = found
        .checks
        .iter()
        .find(|check| check.what == "Users and groups written to AWS");
    assert_eq!(
        proved.map(|check| check.outcome),
        Some(CheckOutcome::Verified)
    );
}

#[tokio::test]
async fn who_leaves_is_shut_out_when_both_guards_allow_it() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the journey");
    let gone = "person.00003@example.com";
    fixture
        .sandbox
        .set_user_status(gone, PersonStatus::Deprovisioned);
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let error = pipeline.apply(&plan).await.expect_err("a removal");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    fixture
        .pipeline()
        .guard(Guard { max_removals: 1 })
        .apply(&plan)
        .await
        .expect("the removal");
    let users = fixture.sandbox.identity_users();
    let user = users.iter().find(|user| user.user_name == gone);
    assert!(user.is_some_and(|user| !user.active));
    assert_eq!(
        fixture.sandbox.identity_groups()[0].members,
        ["person.00002@example.com"]
    );
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn a_directory_that_okta_has_provisioned_is_taken_over_without_loss() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey through Okta");
    let before: Vec<String> = ids(&fixture);
    let mut taken = fixture;
    taken.blueprint = Blueprint::from_toml(&direct(TEAM)).expect("a blueprint");
    let plan = taken.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("directory-sync")).expect("the step");
    assert!(
        step.notes
            .iter()
            .any(|note| note.starts_with("Okta provisions into AWS too")),
        "{step}"
    );
    taken.pipeline().apply(&plan).await.expect("the change");
    assert_eq!(ids(&taken), before);
    let again = taken.pipeline().plan().await.expect("another plan");
    assert!(again.is_empty(), "{again}");
}

fn ids(fixture: &Fixture) -> Vec<String> {
    let users = fixture.sandbox.identity_users();
    let groups = fixture.sandbox.identity_groups();
    let mut ids: Vec<String> = users
        .into_iter()
        .map(|user| user.id)
        .chain(groups.into_iter().map(|group| group.id))
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_run_that_was_interrupted_after_the_endpoint_asks_for_the_token_again() {
    let mut fixture = Fixture::new(&direct(SEED)).await;
    // A pipeline without the step: as far as a run that was killed had come.
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let person = fixture.person.clone();
    fixture
        .sandbox
        .inject(sandbox::Fault::fail(Service::Scim, 401, "{}").on("POST /"));
    let error = pipeline.apply(&plan).await.expect_err("a refusal");
    assert!(
        error
            .to_string()
            .contains("not all changes were applied to the target"),
        "{error}"
    );
    fixture.person = person;
    fixture.run().await.expect("the rest");
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn what_an_identity_center_of_others_has_is_left_alone() {
    let sandbox = Sandbox::builder()
        .company(company())
        .stage(Stage::Provisioned);
    let fixture = Fixture::of(sandbox, &direct(SEED)).await;
    fixture.run().await.expect("the journey");
    assert_eq!(fixture.assignments().len(), 1);
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[test]
fn a_mode_that_does_not_exist_is_shown_in_its_place() {
    let text = "[provisioning]\nmode = \"directly\"\n";
    let error = Blueprint::from_toml(text).expect_err("no such mode");
    assert_eq!(error.span().map(|span| &text[span]), Some("\"directly\""));
    insta::assert_snapshot!(error.render("blueprint.toml", text));
}

#[test]
fn the_mode_is_part_of_the_schema_and_okta_by_default() {
    let schema = serde_json::to_string(&Blueprint::json_schema()).expect("JSON");
    assert!(schema.contains("ProvisioningMode"), "{schema}");
    let both = "[provisioning]\nassign_groups = [\"a\"]\npush_groups = [\"a\"]\n";
    Blueprint::from_toml(both).expect_err("one group for both, pushed by Okta");
    Blueprint::from_toml(&direct(both)).expect("one group for both");
}

#[tokio::test]
async fn the_first_run_takes_nobody_away_and_the_next_one_shows_whom_it_would() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey through Okta");
    let mut taken = fixture;
    // Ada is out of scope now, and Okta has made her.
    let less = direct(TEAM).replace(
        "assign_groups = [\"aws-users\"]",
        "assign_users = [\"person.00002@example.com\", \"person.00003@example.com\"]",
    );
    let less = less.replace(
        "user = \"ada.lovelace@example.com\"",
        "user = \"person.00002@example.com\"",
    );
    taken.blueprint = Blueprint::from_toml(&less).expect("a blueprint");
    taken.run().await.expect("the first run");
    assert!(
        taken
            .sandbox
            .identity_users()
            .iter()
            .all(|user| user.active)
    );
    let plan = taken.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("directory-sync")).expect("the step");
    let removals = step
        .changes
        .iter()
        .filter(|change| change.action == Action::Remove);
    assert_eq!(removals.count(), 1, "{step}");
    let error = taken.pipeline().apply(&plan).await.expect_err("a removal");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
}

#[tokio::test]
async fn a_run_that_has_lost_its_memory_takes_nobody_away_even_if_it_can_read_everything() {
    let mut fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the journey");
    let mut state = fixture
        .store
        .load()
        .await
        .expect("a store")
        .expect("a state");
    fixture.store = okta_aws_sso::StateStore::memory();
    fixture
        .store
        .save(&mut state)
        .await
        .expect("the state alone");
    fixture
        .sandbox
        .set_user_status("person.00003@example.com", PersonStatus::Deprovisioned);
    let shown = fixture.sandbox.console().enable_automatic_provisioning();
    let token = Secret::new(shown.expect("a token").access_token);
    let pipeline = fixture.pipeline().scim_token(token.clone());
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.counts().get(&Action::Remove), None, "{plan}");
    let step = plan.step(&StepId::new("directory-sync")).expect("the step");
    assert!(
        step.notes.iter().any(|note| note
            == "removals deferred to the next run, because this run has no cached state: user person.00003@example.com"),
        "{step}"
    );
    pipeline.apply(&plan).await.expect("a run");
    let plan = pipeline.plan().await.expect("the next plan");
    assert_eq!(plan.counts().get(&Action::Remove), Some(&1), "{plan}");
}
