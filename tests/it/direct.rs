//! Tests of direct mode: Okta provisions nothing, and the run writes users and groups to AWS.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, CheckOutcome, ErrorKind, Guard, Outcome, StateStore,
    operator::NoOperator,
    plan::{Action, StepId},
    scim::{Client, Dialect, Endpoint},
    sync::{DirectorySync, OktaSource},
};
use rest_core::Secret;
use sandbox::{Fault, IdentityGroup, IdentityUser, PersonStatus, Sandbox, Service, Stage};

use crate::{
    fixture::{
        ALL_ATTRIBUTES, Fixture, SEED, TEAM, apply, company, direct, note, team_and_auditors,
    },
    lock::Counting,
};

/// A blueprint with a group that is assigned to the app and also exists in AWS.
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
async fn the_first_run_ends_with_a_sign_in_and_the_second_run_changes_nothing() {
    for blueprint in [SEED, TEAM] {
        let fixture = Fixture::new(&direct(blueprint)).await;
        let (plan, report) = fixture.run().await.expect("the first run");
        let steps: Vec<&str> = plan.steps.iter().map(|step| step.step.as_str()).collect();
        assert!(steps.contains(&"directory-sync"), "{steps:?}");
        assert!(!steps.contains(&"okta-provisioning"), "{steps:?}");
        // The sign-in test is the last step: the test user signed in and saw the role.
        assert_eq!(steps.last(), Some(&"sign-in"));
        assert!(report.facts.signed_in.is_some());
        assert_eq!(fixture.sandbox.provisioning_requests(), []);
        let found = fixture.pipeline().verify().await.expect("a verification");
        assert!(found.passed(), "{found:?}");

        fixture.sandbox.clear_requests();
        let (plan, report) = fixture.run().await.expect("the second run");
        assert_eq!(plan.to_string().lines().next(), Some("Plan: No changes"));
        assert_eq!(report.done(), 0);
        assert_eq!(fixture.sandbox.writes().len(), 0);
        assert_eq!(scim_requests(&fixture), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_run_writes_groups_with_members_and_the_app_pushes_none() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
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
async fn a_group_can_be_assigned_to_the_app_and_exist_in_aws() {
    let fixture = Fixture::new(ONE_GROUP).await;
    fixture.run().await.expect("the first run");
    assert_eq!(
        fixture.assignments(),
        ["GROUP deployers: ReadOnlyAccess in 200000000002"]
    );
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn the_next_run_asks_for_the_token_and_writes_a_change_from_okta() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let ada = "ada.lovelace@example.com";
    fixture
        .sandbox
        .set_user_attribute(ada, "displayName", "Countess");
    fixture.sandbox.set_group_member("deployers", ada, true);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("directory-sync")).expect("the step");
    insta::assert_snapshot!(step, @r"
         @ automatic provisioning
             asks for  SCIM endpoint and access token
             token     (secret, never saved)
         ~ user ada.lovelace@example.com
         + membership of ada.lovelace@example.com in group deployers
    ");
    apply(&fixture.pipeline(), &plan).await.expect("the change");
    assert_eq!(fixture.sandbox.identity_groups()[0].members.len(), 3);
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn without_an_operator_the_caller_provides_the_token() {
    let mut fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    fixture.operator = Arc::new(NoOperator);
    fixture
        .sandbox
        .set_user_attribute("ada.lovelace@example.com", "displayName", "Countess");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let error = apply(&pipeline, &plan).await.expect_err("no token");
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
    apply(&pipeline, &plan).await.expect("a run");
    let users = fixture.sandbox.identity_users();
    assert!(
        users
            .iter()
            .any(|user| user.display_name.as_deref() == Some("Countess"))
    );
    let found = pipeline.verify().await.expect("a verification");
    assert!(found.passed(), "{found:?}");
    let sync_check = found
        .checks
        .iter()
        .find(|check| check.what == "Directory sync to AWS");
    assert_eq!(
        sync_check.map(|check| check.outcome),
        Some(CheckOutcome::Verified)
    );
}

#[tokio::test]
async fn a_deprovisioned_user_is_deactivated_if_the_guard_allows_the_removal() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let leaver = "person.00003@example.com";
    fixture
        .sandbox
        .set_user_status(leaver, PersonStatus::Deprovisioned);
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let error = apply(&pipeline, &plan).await.expect_err("a removal");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    fixture
        .pipeline()
        .guard(Guard {
            max_removals: 2,
            ..Guard::default()
        })
        .apply(&plan)
        .await
        .and_then(okta_aws_sso::Report::complete)
        .expect("the removal");
    let users = fixture.sandbox.identity_users();
    let user = users.iter().find(|user| user.user_name == leaver);
    assert!(user.is_some_and(|user| !user.active));
    assert_eq!(
        fixture.sandbox.identity_groups()[0].members,
        ["person.00002@example.com"]
    );
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn a_member_that_aws_no_longer_has_is_named_and_a_leaver_leaves_all_the_same() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let (ada, leaver) = ("ada.lovelace@example.com", "person.00003@example.com");
    fixture.sandbox.delete_identity_user(ada);
    fixture.sandbox.set_group_member("deployers", ada, true);
    fixture.sandbox.set_group_member("deployers", leaver, false);
    let pipeline = fixture.pipeline().guard(Guard {
        max_removals: 2,
        ..Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a run");
    let error = report.complete().expect_err("a failed membership");
    let text = error.explain();
    assert!(
        text.contains("user ada.lovelace@example.com was not added to group deployers"),
        "{text}"
    );
    assert_eq!(
        fixture.sandbox.identity_groups()[0].members,
        ["person.00002@example.com"]
    );
}

#[tokio::test]
async fn users_and_groups_provisioned_by_okta_are_adopted_with_their_ids() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the run with Okta provisioning");
    let before: Vec<String> = ids(&fixture);
    fixture.blueprint = Blueprint::from_toml(&direct(TEAM)).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("directory-sync")).expect("the step");
    assert!(
        step.notes
            .iter()
            .any(|note| note.text.starts_with("Okta provisions into AWS too")),
        "{step}"
    );
    apply(&fixture.pipeline(), &plan).await.expect("the change");
    assert_eq!(ids(&fixture), before);
    let plan = fixture.pipeline().plan().await.expect("another plan");
    assert!(plan.is_empty(), "{plan}");
}

/// Returns the users and groups in AWS as they should be after the change to direct mode. Okta gives a group no id, so that it is
/// adopted by its name.
fn expected_after_change(fixture: &Fixture) -> (Vec<IdentityUser>, Vec<IdentityGroup>) {
    let sandbox = &fixture.sandbox;
    let mut groups = sandbox.identity_groups();
    for group in &mut groups {
        group.external_id = sandbox.group_id(&group.display_name);
    }
    (sandbox.identity_users(), groups)
}

/// Provisions users with all attributes by Okta, and returns the fixture with the blueprint in direct mode.
async fn provisioned_by_okta() -> Fixture {
    let mut fixture = Fixture::new(TEAM).await;
    for login in [
        "ada.lovelace@example.com",
        "person.00002@example.com",
        "person.00003@example.com",
    ] {
        for (name, value) in ALL_ATTRIBUTES {
            fixture.sandbox.set_user_attribute(login, name, value);
        }
    }
    fixture.run().await.expect("the run with Okta provisioning");
    for user in fixture.sandbox.identity_users() {
        // The names, the email address with its type, and the types of phone number and address come in addition.
        assert_eq!(user.attributes.len(), ALL_ATTRIBUTES.len() + 8, "{user:?}");
    }
    fixture.blueprint = Blueprint::from_toml(&direct(TEAM)).expect("a blueprint");
    fixture
}

#[tokio::test]
async fn the_change_to_direct_mode_recreates_no_account_and_loses_no_attribute() {
    let fixture = provisioned_by_okta().await;
    let (users, groups) = expected_after_change(&fixture);
    fixture.run().await.expect("the change");
    assert_eq!(fixture.sandbox.identity_users(), users);
    assert_eq!(fixture.sandbox.identity_groups(), groups);
    fixture.sandbox.clear_requests();
    let (plan, _) = fixture.run().await.expect("the second run");
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(fixture.sandbox.writes().len(), 0);
    // From now on, the run writes the changes of attributes.
    let ada = "ada.lovelace@example.com";
    fixture.sandbox.set_user_attribute(ada, "city", "Ockham");
    fixture.sandbox.set_user_attribute(ada, "primaryPhone", "");
    fixture.run().await.expect("a third run");
    let mut changed = users;
    let user = changed.iter_mut().find(|user| user.user_name == ada);
    let attributes = &mut user.expect("Ada").attributes;
    attributes.insert("addresses.locality".into(), "Ockham".into());
    attributes.remove("phoneNumbers.value");
    attributes.remove("phoneNumbers.type");
    assert_eq!(fixture.sandbox.identity_users(), changed);
}

#[tokio::test]
async fn a_sync_that_takes_over_from_okta_changes_nothing_and_then_only_verifies_the_token() {
    let fixture = provisioned_by_okta().await;
    let (users, groups) = expected_after_change(&fixture);
    let shown = fixture.sandbox.console().enable_automatic_provisioning();
    let shown = shown.expect("a token");
    let endpoint = Endpoint::parse(&shown.scim_endpoint).expect("an endpoint");
    let scim = Client::builder(&endpoint, Secret::new(shown.access_token))
        .dialect(Dialect::AwsIdentityCenter)
        .build()
        .expect("a client");
    let source = OktaSource::new(&fixture.okta, &fixture.blueprint);
    let sync = DirectorySync::new(source, &scim)
        .store(StateStore::memory())
        .clock(Arc::new(fixture.clock.clone()));
    for requests in [None, Some(1)] {
        fixture.sandbox.clear_requests();
        let prepared = sync.prepare().await.expect("a plan");
        assert_eq!(prepared.plan().notes, [""; 0]);
        let report = sync.apply(prepared).await.expect("a run");
        report.complete().expect("no failure");
        assert_eq!(fixture.sandbox.identity_users(), users);
        assert_eq!(fixture.sandbox.identity_groups(), groups);
        // The first run writes the id of the group, and no user.
        let writes = fixture.sandbox.writes();
        assert!(
            writes.iter().all(|write| write.path.contains("/Groups/")),
            "{writes:?}"
        );
        let sent = scim_requests(&fixture);
        assert!(
            requests.is_none_or(|number| sent.len() == number),
            "{sent:?}"
        );
    }
}

/// Returns the ids of the users and groups in AWS, sorted.
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
async fn a_run_that_failed_after_the_endpoint_step_asks_for_the_token_again() {
    let fixture = Fixture::new(&direct(SEED)).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    // The endpoint is known, but it refuses one write.
    fixture
        .sandbox
        .inject(sandbox::Fault::fail(Service::Scim, 401, "{}").on("POST /"));
    let error = apply(&pipeline, &plan).await.expect_err("a refused write");
    assert!(
        error
            .to_string()
            .contains("AWS refused to create user ada.lovelace@example.com"),
        "{error}"
    );
    fixture.run().await.expect("the rest");
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn direct_mode_works_with_an_existing_identity_center() {
    let sandbox = Sandbox::builder()
        .company(company())
        .stage(Stage::Provisioned);
    let fixture = Fixture::with_sandbox(sandbox, &direct(SEED)).await;
    fixture.run().await.expect("the first run");
    assert_eq!(fixture.assignments().len(), 1);
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[test]
fn an_unknown_mode_is_an_error_with_its_position() {
    let text = "[provisioning]\nmode = \"directly\"\n";
    let error = Blueprint::from_toml(text).expect_err("no such mode");
    assert_eq!(error.span().map(|span| &text[span]), Some("\"directly\""));
    insta::assert_snapshot!(error.render("blueprint.toml", text));
}

#[test]
fn an_unknown_attribute_and_an_expression_are_errors_with_their_positions() {
    for (line, place, message) in [
        ("phon = \"mobilePhone\"", "phon", "unknown variant `phon`"),
        (
            "phone = \"user.mobilePhone\"",
            "\"user.mobilePhone\"",
            "is not the variable name of an attribute in Okta",
        ),
    ] {
        let text = format!("[provisioning.attributes]\n{line}\n");
        let error = Blueprint::from_toml(&text).expect_err(line);
        assert_eq!(error.span().map(|span| &text[span]), Some(place));
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_schema_contains_the_mode_and_the_default_is_okta() {
    let schema = serde_json::to_string(&Blueprint::json_schema()).expect("JSON");
    assert!(schema.contains("ProvisioningMode"), "{schema}");
    let both = "[provisioning]\nassign_groups = [\"a\"]\npush_groups = [\"a\"]\n";
    Blueprint::from_toml(both)
        .expect_err("in mode okta, a group cannot be both assigned and pushed");
    Blueprint::from_toml(&direct(both)).expect("in direct mode, a group can be both");
}

/// Returns the removals of a plan, as a reviewer sees them.
fn removals(plan: &okta_aws_sso::Plan) -> Vec<String> {
    let removals = plan.removals();
    removals.map(|(_, change)| change.to_string()).collect()
}

/// Applies a plan whose removals are refused, then approved by their id.
async fn refuse_then_approve(fixture: &Fixture, token: Option<Secret>, plan: &okta_aws_sso::Plan) {
    let pipeline = || match &token {
        Some(token) => fixture.pipeline().scim_token(token.clone()),
        None => fixture.pipeline(),
    };
    let error = apply(&pipeline(), plan).await.expect_err("a removal");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let report = apply(&pipeline().guard(approved), plan).await;
    let report = report.expect("the approved removals");
    assert!(report.unplanned.is_empty(), "{:?}", report.unplanned);
}

#[tokio::test]
async fn the_first_direct_run_names_its_removals_without_a_token() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the run with Okta provisioning");
    // Okta created the user Ada, and the new blueprint does not contain her.
    let smaller = direct(TEAM).replace(
        "assign_groups = [\"aws-users\"]",
        "assign_users = [\"person.00002@example.com\", \"person.00003@example.com\"]",
    );
    let smaller = smaller.replace(
        "user = \"ada.lovelace@example.com\"",
        "user = \"person.00002@example.com\"",
    );
    fixture.blueprint = Blueprint::from_toml(&smaller).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(removals(&plan), ["remove user ada.lovelace@example.com"]);
    refuse_then_approve(&fixture, None, &plan).await;
    let users = fixture.sandbox.identity_users();
    let inactive = users.iter().filter(|user| !user.active);
    assert_eq!(inactive.count(), 1);
}

#[tokio::test]
async fn a_run_without_cached_state_names_its_removals() {
    let mut fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let mut state = fixture
        .store
        .load()
        .await
        .expect("a store")
        .expect("a state");
    fixture.store = okta_aws_sso::StateStore::memory();
    state.serial = 0;
    let lock = fixture
        .store
        .lock(std::sync::Arc::new(fixture.clock.clone()))
        .await
        .expect("a free lock");
    lock.save(&mut state)
        .await
        .expect("the state is saved without the cached sync state");
    lock.release().await.expect("a release");
    fixture
        .sandbox
        .set_user_status("person.00003@example.com", PersonStatus::Deprovisioned);
    let expected = [
        "remove user person.00003@example.com",
        "remove membership of person.00003@example.com in group deployers",
    ];
    // Without a token, the plan is made from the Identity Store API.
    let without_token = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(removals(&without_token), expected);
    let shown = fixture.sandbox.console().enable_automatic_provisioning();
    let token = Secret::new(shown.expect("a token").access_token);
    let pipeline = fixture.pipeline().scim_token(token.clone());
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(removals(&plan), expected);
    refuse_then_approve(&fixture, Some(token), &plan).await;
    assert_eq!(fixture.sandbox.identity_groups()[0].members.len(), 1);
}

#[tokio::test]
async fn a_group_of_the_same_name_is_adopted_and_its_members_are_named_in_direct_mode() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the run with Okta provisioning");
    let others = fixture
        .create_aws_group("auditors", &["person.00003@example.com"])
        .await;
    let _id = fixture
        .sandbox
        .add_group("auditors", &["person.00002@example.com"]);
    fixture.blueprint = Blueprint::from_toml(&direct(&team_and_auditors())).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let adopted: Vec<String> = plan
        .changes()
        .filter(|(_, change)| change.action == Action::Adopt)
        .map(|(_, change)| change.to_string())
        .collect();
    assert!(
        adopted.contains(&"adopt group auditors".to_owned()),
        "{plan}"
    );
    let hazards: Vec<String> = plan
        .hazards()
        .filter_map(okta_aws_sso::plan::Hazard::id)
        .collect();
    assert_eq!(hazards, ["gives-access-to:auditors"], "{plan}");
    assert!(
        plan.to_string().contains("person.00003@example.com"),
        "{plan}"
    );
    let error = apply(&fixture.pipeline(), &plan)
        .await
        .expect_err("a hazard");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    let allowed = || Guard {
        allowed: ["gives-access-to:auditors".to_owned()].into(),
        ..Guard::default()
    };
    let report = apply(&fixture.pipeline().guard(allowed()), &plan).await;
    report.expect("an allowed adoption");
    let members = |id: &str| {
        let groups = fixture.sandbox.identity_groups();
        let group = groups
            .iter()
            .find(|group| group.id == id)
            .expect("the group");
        group.members.len()
    };
    assert_eq!(members(&others), 2, "the adopted group loses no member");
    let next = fixture.pipeline().plan().await.expect("the next plan");
    assert_eq!(
        removals(&next),
        ["remove membership of person.00003@example.com in group auditors"]
    );
}

#[tokio::test]
async fn several_removals_save_the_cached_state_once_before_and_once_after() {
    let company = sandbox::Company::small(30, 3).team("deployers", &["person.00002@example.com"]);
    let sandbox = Sandbox::builder().company(company);
    let mut fixture = Fixture::with_sandbox(sandbox, &direct(TEAM)).await;
    let store = Arc::new(Counting::default());
    fixture.store = StateStore::on(store.clone(), object_store::path::Path::default());
    fixture.run().await.expect("the first run");
    let leavers = ["person.00005@example.com", "person.00006@example.com"];
    for leaver in leavers {
        fixture
            .sandbox
            .set_user_status(leaver, PersonStatus::Deprovisioned);
    }
    let shown = fixture.sandbox.console().enable_automatic_provisioning();
    let token = Secret::new(shown.expect("a token").access_token);
    let pipeline = fixture.pipeline().scim_token(token);
    let pipeline = pipeline.guard(Guard {
        max_removals: 2,
        ..Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    assert_eq!(plan.counts().get(&Action::Remove), Some(&2), "{plan}");
    let before = store.writes("directory.json");
    fixture.sandbox.clear_requests();
    apply(&pipeline, &plan).await.expect("the removals");
    assert_eq!(store.writes("directory.json") - before, 2);
    let writes = fixture.sandbox.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(fixture.run().await.expect("another run").0.is_empty());
}

#[tokio::test]
async fn a_plan_names_the_attributes_that_aws_was_found_not_to_keep() {
    let sandbox = Sandbox::builder()
        .company(company())
        .drop_user_attribute("displayName");
    let fixture = Fixture::with_sandbox(sandbox, &direct(SEED)).await;
    let (plan, _) = fixture.run().await.expect("the first run");
    assert_eq!(note(&plan, "not-kept"), None);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let found = note(&plan, "not-kept");
    assert_eq!(
        found.as_deref(),
        Some("AWS does not keep displayName"),
        "{plan}"
    );
    assert!(plan.is_empty(), "{plan}");
}

#[tokio::test]
async fn a_suspended_user_that_the_blueprint_names_loses_access() {
    let leaver = "person.00003@example.com";
    let named = TEAM.replace(
        "[provisioning]",
        &format!("[provisioning]\nassign_users = [\"{leaver}\"]"),
    );
    let fixture = Fixture::new(&direct(&named)).await;
    fixture.run().await.expect("the first run");
    fixture
        .sandbox
        .set_user_status(leaver, PersonStatus::Suspended);
    let pipeline = fixture.pipeline().guard(Guard {
        max_removals: 2,
        ..Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    let removed = format!("user {leaver}");
    assert!(
        removals(&plan)
            .iter()
            .any(|removal| removal.contains(&removed)),
        "{plan}"
    );
    // The blueprint names a user who cannot be provisioned: this is a problem, and keeps no access.
    let report = pipeline.apply(&plan).await.expect("a run");
    assert!(!report.problems.is_empty() || report.complete().is_ok());
    let users = fixture.sandbox.identity_users();
    let user = users.iter().find(|user| user.user_name == leaver);
    assert!(user.is_some_and(|user| !user.active));
}

#[tokio::test]
async fn a_removal_that_a_new_plan_does_not_make_is_not_done_and_not_verified() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let leaver = "person.00003@example.com";
    fixture.sandbox.set_group_member("deployers", leaver, false);
    let token = fixture.sandbox.console().enable_automatic_provisioning();
    let token = Secret::new(token.expect("a token").access_token);
    let pipeline = || fixture.pipeline().scim_token(token.clone());
    let plan = pipeline().plan().await.expect("a plan");
    assert_eq!(removals(&plan).len(), 1, "{plan}");
    // Since the review, one member of the group cannot be read.
    let group = fixture.sandbox.group_id("deployers").expect("the group");
    let unreadable = || {
        let page = Fault::fail(Service::Okta, 200, r#"[{"id": 7}]"#);
        fixture.sandbox.inject(page.on(format!("{group}/users")));
    };
    unreadable();
    let guard = Guard {
        max_removals: 1,
        ..Guard::default()
    };
    let report = pipeline().guard(guard).apply(&plan).await.expect("a run");
    let mut results = report.results.iter();
    let result = results.find(|result| result.action == Action::Remove);
    let Some(Outcome::Failed { problem }) = result.map(|result| &result.outcome) else {
        panic!("{result:?}");
    };
    let text = problem.to_string();
    assert!(text.contains("stays in AWS"), "{text}");
    unreadable();
    let found = pipeline().verify().await.expect("a verification");
    assert!(!found.passed(), "{found:?}");
    let members = &fixture.sandbox.identity_groups()[0].members;
    assert!(members.iter().any(|member| member == leaver), "{members:?}");
}
