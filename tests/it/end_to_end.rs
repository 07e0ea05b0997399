//! Tests of complete runs: from two empty tenants to a user who signs in.

use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use okta_aws_sso::{
    AccessReport, ErrorKind, Event, EventKind, Operator as _,
    operator::{NoOperator, ScriptedOperator},
    plan::{Action, StepId},
};
use sandbox::{OktaBucket, Sandbox, Stage};

use crate::fixture::{Fixture, SEED, TEAM, WITH_DOMAIN, apply, company};

#[tokio::test]
async fn the_smallest_blueprint_gives_one_user_a_role() {
    let fixture = Fixture::new(SEED).await;
    let (plan, report) = fixture.run().await.expect("the first run");
    assert_eq!(report.done(), plan.changes().count());
    assert_eq!(
        fixture.assignments(),
        ["USER ada.lovelace@example.com: AdministratorAccess in 200000000002"]
    );
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    let found = fixture.pipeline().verify().await.expect("a verification");
    assert!(found.passed(), "{found:?}");
}

#[tokio::test]
async fn events_are_buffered_until_they_are_read_and_end_with_the_apply() {
    let fixture = Fixture::new(SEED).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let events = pipeline.events();
    let report = apply(&pipeline, &plan).await.expect("the first run");
    let events: Vec<Event> = events.collect().await;
    let done = |event: &&Event| matches!(event.kind, EventKind::ChangeFinished { .. });
    assert_eq!(events.iter().filter(done).count(), plan.changes().count());
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    assert!(events.is_sorted_by_key(|event| event.at));
    let [first, .., last] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert!(matches!(first.kind, EventKind::RunStarted { .. }));
    assert_eq!(last.kind, EventKind::RunFinished { complete: true });
    assert!(events.iter().all(|event| event.run == report.run));
    assert_eq!((report.started, report.ended), (first.at, last.at));
    // The events also end after an apply that is rejected because its plan is stale.
    let events = pipeline.events();
    apply(&pipeline, &plan).await.expect_err("a stale plan");
    assert_eq!(events.count().await, 0);
}

#[tokio::test]
async fn a_wait_for_a_rate_limit_is_an_event_with_its_end() {
    let sandbox = Sandbox::builder()
        .company(company())
        .bucket_limit(OktaBucket::Apps, 10);
    let fixture = Fixture::with_sandbox(sandbox, SEED).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let events = pipeline.events();
    apply(&pipeline, &plan).await.expect("the first run");
    let events: Vec<Event> = events.collect().await;
    let mut waits = 0;
    for event in &events {
        let EventKind::RateLimited {
            origin,
            limit,
            until,
        } = &event.kind
        else {
            continue;
        };
        assert_eq!(*origin, fixture.sandbox.okta_url().trim_end_matches('/'));
        assert_eq!(limit, "/api/v1/apps");
        let seconds = until.duration_since(event.at).as_secs();
        assert!((1..=61).contains(&seconds), "{event:?}");
        waits += 1;
    }
    assert!(waits > 0);
}

#[tokio::test]
async fn groups_arrive_with_members_and_get_their_roles() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
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
    fixture.run().await.expect("the first run");
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
    assert_eq!(report.done(), 0);
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
async fn the_plan_of_the_smallest_blueprint_lists_every_change() {
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
async fn without_an_operator_the_run_stops_with_help_and_resumes_later() {
    let mut fixture = Fixture::new(SEED).await;
    let operator = std::mem::replace(&mut fixture.operator, std::sync::Arc::new(NoOperator));
    let error = fixture.run().await.expect_err("an operator is needed");
    assert_eq!(error.kind(), ErrorKind::ManualStep);
    assert_eq!(
        error.to_string(),
        "an operator is needed: Enable IAM Identity Center for the organization in us-east-1"
    );
    let help = error.help().expect("a help text");
    assert!(
        help.contains("Choose Enable, and \"with AWS Organizations\""),
        "{help}"
    );
    fixture.operator = operator;
    fixture.run().await.expect("the rest");
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn a_custom_domain_gets_its_records_and_its_certificate() {
    let fixture = Fixture::new(&format!("{WITH_DOMAIN}{SEED}")).await;
    let (plan, _) = fixture.run().await.expect("the first run");
    let step = plan.step(&StepId::new("custom-domain")).expect("the step");
    let actions: Vec<Action> = step.changes.iter().map(|change| change.action).collect();
    assert_eq!(
        actions,
        [Action::Create, Action::ManualStep, Action::Update]
    );
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn provisioning_needs_no_manual_step_if_oktas_api_supports_it() {
    let fixture = Fixture::with_sandbox(
        Sandbox::builder()
            .company(company())
            .connections_supported(true),
        SEED,
    )
    .await;
    fixture.run().await.expect("the first run");
    let requests: Vec<String> = fixture
        .sandbox
        .requests()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        requests
            .iter()
            .any(|request| request.contains("features/USER_PROVISIONING")),
        "{requests:#?}"
    );
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn an_existing_setup_is_adopted_unchanged() {
    let fixture = Fixture::with_sandbox(
        Sandbox::builder()
            .company(company())
            .stage(Stage::Provisioned),
        SEED,
    )
    .await;
    let (plan, _) = fixture.run().await.expect("the first run");
    let step = plan.step(&StepId::new("catalog-app")).expect("the step");
    let changes: Vec<String> = step.changes.iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["adopt app \"AWS IAM Identity Center\""], "{step}");
    for step in [
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
async fn permission_sets_are_turned_on_for_an_existing_instance() {
    let sandbox = Sandbox::builder()
        .company(company())
        .stage(Stage::IdentityCenter)
        .permission_sets(false);
    let fixture = Fixture::with_sandbox(sandbox, SEED).await;
    let (plan, _) = fixture.run().await.expect("the first run");
    let step = plan
        .step(&StepId::new("identity-center"))
        .expect("the step");
    assert_eq!(step.changes[0].action, Action::Update);
    assert_eq!(fixture.assignments().len(), 1);
}

#[tokio::test]
async fn the_access_report_lists_each_role_with_its_source() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let instance = &fixture
        .aws
        .instances()
        .try_collect()
        .await
        .expect("instances")[0];
    let report = AccessReport::read(&fixture.aws, &fixture.aws.identity_center(instance))
        .await
        .expect("a report");
    let mut rows: Vec<String> = report
        .rows()
        .map(|row| {
            let user = row.user.expect("a user");
            format!("{user} {} {} {}", row.account, row.role, row.through())
        })
        .collect();
    rows.sort();
    insta::assert_snapshot!(rows.join("\n"), @r"
    ada.lovelace@example.com Sandbox AdministratorAccess directly
    person.00002@example.com Sandbox Deploy group deployers
    person.00002@example.com Workload 0003 Deploy group deployers
    person.00003@example.com Sandbox Deploy group deployers
    person.00003@example.com Workload 0003 Deploy group deployers
    ");
}

#[tokio::test]
async fn verification_finds_a_membership_that_is_missing_in_aws() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    fixture
        .sandbox
        .set_group_member("deployers", "ada.lovelace@example.com", true);
    assert_eq!(
        fixture.failed_checks().await,
        [
            "missing in AWS: membership of ada.lovelace@example.com in group deployers (Okta: ACTIVE)"
        ]
    );
}

#[tokio::test]
async fn each_event_comes_before_the_next_question_and_the_answer_after_it() {
    let mut fixture = Fixture::new(SEED).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = |seen: &Arc<Mutex<Vec<String>>>, line: String| {
        seen.lock().expect("a lock").push(line);
    };
    let (operator, asked) = (fixture.operator.clone(), seen.clone());
    fixture.operator = Arc::new(ScriptedOperator::new(move |manual_step| {
        log(&asked, format!("question {}", manual_step.title));
        let operator = operator.clone();
        async move { operator.ask(&manual_step).await }
    }));
    let shown = seen.clone();
    let pipeline = fixture.pipeline().on_event(move |event| match &event.kind {
        EventKind::OperatorAsked { manual_step } => {
            let json = serde_json::to_string(manual_step).expect("JSON");
            assert!(
                !json.contains("<md:"),
                "the content of a file is not in an event"
            );
            log(&shown, format!("asked {}", manual_step.title));
        }
        EventKind::OperatorAnswered { title, rejected } => {
            assert_eq!(*rejected, None);
            log(&shown, format!("answered {title}"));
        }
        _ => {}
    });
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a run");
    report.complete().expect("a complete run");
    let seen = seen.lock().expect("a lock");
    assert!(seen.len() >= 15, "{seen:?}");
    for group in seen.chunks(3) {
        let titles: Vec<&str> = group
            .iter()
            .filter_map(|line| line.split_once(' '))
            .map(|(_, title)| title)
            .collect();
        assert!(titles.iter().all(|title| *title == titles[0]), "{group:?}");
        assert!(group[0].starts_with("asked ") && group[1].starts_with("question "));
        assert!(group[2].starts_with("answered "));
    }
}
