//! Tests of users and groups that exist in AWS under the name of one that Okta is about to provision.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, Cause, Context, ErrorKind, Guard, Outcome,
    guard::Excess,
    plan::{Action, Subject},
    state::Facts,
    steps,
};

use crate::fixture::{Fixture, TEAM, lines, set_user_name_template, team_and_auditors};

#[tokio::test]
async fn a_group_of_the_same_name_is_adopted_only_if_its_other_members_are_allowed() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    fixture
        .create_aws_group("auditors", &["person.00003@example.com"])
        .await;
    let _id = fixture
        .sandbox
        .add_group("auditors", &["person.00002@example.com"]);
    fixture.blueprint = Blueprint::from_toml(&team_and_auditors()).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, "app-access"),
        [
            "adopt group auditors",
            "create group auditors pushed to AWS"
        ]
    );
    let text = plan.to_string();
    assert!(text.contains("person.00003@example.com"), "{text}");
    assert!(text.contains("Deploy in Sandbox"), "{text}");
    let error = fixture.pipeline().apply(&plan).await.expect_err("a hazard");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    // The rest is done without the group.
    let withholding = Guard {
        excess: Excess::WithholdRemovals,
        ..Guard::default()
    };
    let report = fixture.pipeline().guard(withholding).apply(&plan).await;
    let report = report.expect("a run");
    let result = |subject: &Subject| {
        let mut results = report.results.iter();
        let result = results.find(|result| result.subject == *subject);
        result.expect("a result").outcome.clone()
    };
    assert_eq!(
        result(&Subject::group("auditors")),
        Outcome::Skipped {
            because: Cause::Guard
        }
    );
    let push = Subject::GroupPush {
        group: "auditors".into(),
    };
    assert!(matches!(result(&push), Outcome::Skipped { .. }));
    assert!(
        !fixture
            .assignments()
            .iter()
            .any(|text| text.contains("auditors"))
    );
    let plan = fixture.pipeline().plan().await.expect("the next plan");
    let allowed = Guard {
        allowed: ["gives-access-to:auditors".to_owned()].into(),
        ..Guard::default()
    };
    let report = fixture.pipeline().guard(allowed).apply(&plan).await;
    report
        .expect("a run")
        .complete()
        .expect("an allowed adoption");
}

#[tokio::test]
async fn a_user_of_another_provisioner_is_not_taken_over() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let scim = fixture.scim();
    let new: scim_types::User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "eve@example.com", "externalId": "entra-1", "displayName": "Eve",
        "name": {"givenName": "Eve", "familyName": "Other"},
        "emails": [{"value": "eve@example.com", "primary": true}],
    }))
    .expect("a user");
    scim.users()
        .create(&new)
        .await
        .expect("a user of another provisioner");
    let _id = fixture
        .sandbox
        .add_user(&sandbox::Person::new("eve@example.com", "Eve", "Other"));
    let with_eve = TEAM.replace(
        "[provisioning]",
        "[provisioning]\nassign_users = [\"eve@example.com\"]",
    );
    fixture.blueprint = Blueprint::from_toml(&with_eve).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let problems: Vec<String> = plan.problems().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{plan}");
    assert!(
        problems[0].contains("belongs to another provisioner: its external id is entra-1"),
        "{problems:?}"
    );
}

/// Only Okta can evaluate the template, so the name of a user is unknown until Okta assigns the user. A user of AWS whose
/// name is the login is then another person.
#[tokio::test]
async fn a_user_of_aws_with_the_login_as_its_name_is_another_person_if_the_template_is_unknown() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let template = "${fn:substringBefore(source.login, \"@\")}";
    set_user_name_template(&fixture.okta, &fixture.app().await, template).await;
    // AWS has the members under their old names, and knows their ids in Okta.
    let found = fixture.pipeline().verify().await.expect("a verification");
    let text = format!("{found:?}");
    assert!(!text.contains("in AWS but not in Okta"), "{text}");

    let login = "eve@example.com";
    let _id = fixture
        .sandbox
        .add_user(&sandbox::Person::new(login, "Eve", "Other"));
    let _id = fixture.sandbox.add_group("auditors", &[login]);
    create_aws_user(&fixture, login).await;
    fixture.create_aws_group("auditors", &[login]).await;

    // The other person is a member of the group in AWS, to which Okta pushes the group of the same name.
    fixture.blueprint = Blueprint::from_toml(&team_and_auditors()).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let text = plan.to_string();
    assert!(
        text.contains("1 member that the group in Okta does not have: eve@example.com"),
        "{text}"
    );
    let error = fixture.pipeline().apply(&plan).await.expect_err("a hazard");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);

    // The account assignment belongs to the user that Okta creates.
    let own_access = "[[access]]\nuser = \"eve@example.com\"\naccount = \"Sandbox\"\npermission_set = \"Deploy\"\n";
    let blueprint = format!("{TEAM}\n{own_access}");
    fixture.blueprint = Blueprint::from_toml(&blueprint).expect("a blueprint");
    fixture.run().await.expect("a run");
    let assignments = fixture.assignments();
    let of_eve = assignments.iter().filter(|line| line.contains("eve"));
    let of_eve: Vec<&String> = of_eve.collect();
    assert_eq!(of_eve.len(), 1, "{assignments:?}");
    assert!(of_eve[0].starts_with("USER eve: "), "{assignments:?}");
}

/// Creates a user in AWS by hand.
async fn create_aws_user(fixture: &Fixture, name: &str) {
    use aws_sdk_identitystore::types::Name;
    let sdk = fixture.aws.sdk().identity_store();
    let person = Name::builder().given_name("Other").family_name("Person");
    let created = sdk
        .create_user()
        .identity_store_id(fixture.identity_store().await)
        .user_name(name)
        .display_name("Other Person")
        .name(person.build())
        .send()
        .await;
    created.expect("a user");
}

/// Two plans with one context are equal, also where objects of the same name exist.
#[tokio::test]
async fn a_second_plan_of_a_run_shows_the_same_adoptions() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let cx = Context::new(
        Facts::default(),
        fixture.operator.clone(),
        Arc::new(fixture.clock.clone()),
    );
    let mut adoptions = Vec::new();
    for step in steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws).iter() {
        let first = step.plan(&cx).await.expect("a plan");
        let second = step.plan(&cx).await.expect("a plan");
        assert_eq!(first, second, "{}", step.id());
        let adopted = first.changes.into_iter();
        let adopted = adopted.filter(|change| change.action == Action::Adopt);
        adoptions.extend(adopted.map(|change| change.to_string()));
    }
    assert_eq!(
        adoptions,
        ["adopt app \"AWS IAM Identity Center\""],
        "the permission sets are as the blueprint says"
    );
}
