//! From nothing to a user who signs in.

use futures::StreamExt as _;
use okta_aws_sso::{
    AccessReport, ErrorKind, Event,
    operator::NoOperator,
    plan::{Action, StepId},
};
use sandbox::{Sandbox, Stage};

use crate::fixture::{Fixture, SEED, TEAM, company};

#[tokio::test]
async fn ten_lines_take_one_user_from_nothing_to_a_role() {
    let fixture = Fixture::new(SEED).await;
    let (plan, report) = fixture.run().await.expect("the journey");
    assert_eq!(report.applied, plan.changes().count());
    assert_eq!(
        fixture.assignments(),
        ["USER ada.lovelace@example.com: AdministratorAccess in 200000000002"]
    );
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    let found = fixture.pipeline().verify().await.expect("a verification");
    assert!(found.passed(), "{found:?}");
}

#[tokio::test]
async fn events_are_all_there_for_who_looks_after_the_apply_and_then_end() {
    let fixture = Fixture::new(SEED).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let events = pipeline.events();
    pipeline.apply(&plan).await.expect("the journey");
    let events: Vec<Event> = events.collect().await;
    let done = |event: &&Event| matches!(event, Event::ChangeDone { .. });
    assert_eq!(events.iter().filter(done).count(), plan.changes().count());
    // A refused apply ends them too.
    let events = pipeline.events();
    pipeline.apply(&plan).await.expect_err("a stale plan");
    assert_eq!(events.count().await, 0);
}

#[tokio::test]
async fn groups_arrive_with_their_members_and_get_their_roles() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey");
    assert_eq!(
        fixture.assignments(),
        [
            "GROUP deployers: Deploy in 200000000002",
            "GROUP deployers: Deploy in 200000000003",
            "USER ada.lovelace@example.com: AdministratorAccess in 200000000002",
        ]
    );
    let groups = fixture.sandbox.identity_groups();
    assert_eq!(
        groups
            .iter()
            .map(|group| group.display_name.as_str())
            .collect::<Vec<_>>(),
        ["deployers"]
    );
    assert_eq!(
        groups[0].members,
        ["person.00002@example.com", "person.00003@example.com"]
    );
    let sets = fixture.sandbox.permission_sets();
    let deploy = sets
        .iter()
        .find(|set| set.name == "Deploy")
        .expect("the permission set");
    assert_eq!(deploy.session_duration, "PT4H");
    assert_eq!(
        deploy.managed_policies,
        ["arn:aws:iam::aws:policy/PowerUserAccess"]
    );
    assert!(
        deploy
            .inline_policy
            .as_deref()
            .is_some_and(|policy| policy.contains("iam:*"))
    );
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_writes_nothing() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey");
    let serial = fixture
        .store
        .load()
        .await
        .expect("a store")
        .expect("a state")
        .serial;
    fixture.sandbox.clear_requests();
    let (plan, report) = fixture.run().await.expect("the second run");
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.to_string().lines().next(), Some("Plan: No changes"));
    assert_eq!(report.applied, 0);
    let writes: Vec<String> = fixture
        .sandbox
        .writes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(writes, Vec::<String>::new());
    assert_eq!(
        fixture
            .store
            .load()
            .await
            .expect("a store")
            .expect("a state")
            .serial,
        serial
    );
}

#[tokio::test]
async fn the_plan_of_the_seed_story_reads_like_this() {
    let fixture = Fixture::new(SEED).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    insta::assert_snapshot!(plan);
    let json = serde_json::to_string(&plan).expect("JSON");
    assert_eq!(
        serde_json::from_str::<okta_aws_sso::Plan>(&json).expect("a plan"),
        plan
    );
}

#[tokio::test]
async fn planning_changes_nothing_and_saves_nothing() {
    let fixture = Fixture::new(TEAM).await;
    let pipeline = fixture.pipeline();
    let first = pipeline.plan().await.expect("a plan");
    let second = pipeline.plan().await.expect("the same plan");
    assert_eq!(first.steps, second.steps);
    assert_eq!(fixture.sandbox.writes().len(), 0);
    assert_eq!(fixture.store.load().await.expect("a store"), None);
}

#[tokio::test]
async fn without_a_person_the_run_stops_with_what_to_do_and_goes_on_later() {
    let mut fixture = Fixture::new(SEED).await;
    let person = std::mem::replace(&mut fixture.person, std::sync::Arc::new(NoOperator));
    let error = fixture.run().await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::ManualStep);
    assert_eq!(
        error.to_string(),
        "an operator is needed: Enable IAM Identity Center for the organization in us-east-1"
    );
    let help = error.help().expect("what to do");
    assert!(
        help.contains("Choose Enable, and \"with AWS Organizations\""),
        "{help}"
    );
    fixture.person = person;
    fixture.run().await.expect("the rest");
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn a_custom_domain_gets_its_records_and_its_certificate() {
    let fixture = Fixture::new(&format!(
        "[okta]\ncustom_domain = \"login.example.com\"\n{SEED}"
    ))
    .await;
    let (plan, _) = fixture.run().await.expect("the journey");
    let step = plan.step(&StepId::new("custom-domain")).expect("the step");
    let actions: Vec<Action> = step.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Create, Action::ManualStep, Action::Wait]);
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn okta_is_connected_without_a_person_where_its_api_really_works() {
    let fixture = Fixture::of(
        Sandbox::builder()
            .company(company())
            .connections_supported(true),
        SEED,
    )
    .await;
    fixture.run().await.expect("the journey");
    let asked: Vec<String> = fixture
        .sandbox
        .requests()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        asked
            .iter()
            .any(|request| request.contains("features/USER_PROVISIONING")),
        "{asked:#?}"
    );
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn what_others_have_set_up_is_adopted_and_kept() {
    let fixture = Fixture::of(
        Sandbox::builder()
            .company(company())
            .stage(Stage::Provisioned),
        SEED,
    )
    .await;
    let (plan, _) = fixture.run().await.expect("the journey");
    for step in [
        "catalog-app",
        "identity-center",
        "identity-source",
        "saml-settings",
        "scim-endpoint",
        "okta-provisioning",
    ] {
        assert_eq!(
            plan.step(&StepId::new(step)).expect("the step").changes,
            [],
            "{step}"
        );
    }
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn an_instance_without_permission_sets_is_given_them() {
    let sandbox = Sandbox::builder()
        .company(company())
        .stage(Stage::IdentityCenter)
        .permission_sets(false);
    let fixture = Fixture::of(sandbox, SEED).await;
    let (plan, _) = fixture.run().await.expect("the journey");
    let step = plan
        .step(&StepId::new("identity-center"))
        .expect("the step");
    assert_eq!(step.changes[0].action, Action::Update);
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn the_report_says_who_has_what_and_why() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey");
    let instance = &fixture.aws.instances().await.expect("instances")[0];
    let report = AccessReport::read(&fixture.aws, &fixture.aws.identity_center(instance))
        .await
        .expect("a report");
    let rows: Vec<String> = report
        .rows
        .iter()
        .map(|row| format!("{} {} {} {}", row.user, row.account, row.role, row.through))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    ada.lovelace@example.com Sandbox AdministratorAccess directly
    person.00002@example.com Sandbox Deploy group deployers
    person.00002@example.com Workload 0003 Deploy group deployers
    person.00003@example.com Sandbox Deploy group deployers
    person.00003@example.com Workload 0003 Deploy group deployers
    ");
    assert_eq!(report.orphans, Vec::<String>::new());
}

#[tokio::test]
async fn verification_finds_what_somebody_has_taken_away() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the journey");
    fixture
        .sandbox
        .set_group_member("deployers", "ada.lovelace@example.com", true);
    assert_eq!(
        fixture.failed_checks().await,
        ["missing in AWS: ada.lovelace@example.com in group deployers (Okta: ACTIVE)"]
    );
}
