//! Tests of mistakes of the operator.
//!
//! Each mistake ends the run with one message that contains the problem, the service's response with its request id, and
//! the help text.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, Error, ErrorKind, okta,
    operator::{Answers, ManualStepKind, Operator, ScriptedOperator},
};
use rest_core::Secret;
use sandbox::{Company, Person, PersonStatus, Sandbox};

use crate::fixture::{self, Fixture, SEED, apply, company, set_user_name_template};

/// Returns the explanation of an error, without the values that differ between runs.
fn explained(error: &Error) -> String {
    let text = error.explain();
    let request = error
        .response()
        .and_then(|response| response.request_id.clone());
    let request = request.unwrap_or_else(|| panic!("no request id in\n{text}"));
    assert!(!request.is_empty());
    let text = text.replace(&request, "REQUEST");
    // The port is a random free port.
    text.split("http://127.0.0.1:")
        .enumerate()
        .map(|(index, part)| {
            if index == 0 {
                part.to_owned()
            } else {
                format!(
                    "http://HOST{}",
                    part.trim_start_matches(|c: char| c.is_ascii_digit())
                )
            }
        })
        .collect()
}

/// Runs the fixture, and returns the error.
async fn run_error(fixture: &Fixture) -> Error {
    fixture.run().await.expect_err("a failure")
}

#[tokio::test]
async fn a_wrong_okta_token_is_explained() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.okta = okta::Client::builder(&fixture.sandbox.okta_url(), Secret::new("00wrong"))
        .build()
        .expect("a client");
    insta::assert_snapshot!(explained(&run_error(&fixture).await));
}

#[tokio::test]
async fn a_wrong_aws_key_is_explained() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.aws = fixture::aws(&fixture.sandbox, "wrong", Arc::new(fixture.clock.clone())).await;
    insta::assert_snapshot!(explained(&run_error(&fixture).await));
}

/// Returns an operator who answers every manual step correctly, except the steps of one kind.
fn operator_with_wrong_answer(
    fixture: &Fixture,
    kind: ManualStepKind,
    replace: fn(Answers) -> Answers,
) -> Arc<dyn Operator> {
    let operator = fixture.operator.clone();
    Arc::new(ScriptedOperator::new(move |manual_step| {
        let operator = operator.clone();
        async move {
            let answers = operator.ask(&manual_step).await?;
            Ok(if manual_step.kind == kind {
                replace(answers)
            } else {
                answers
            })
        }
    }))
}

#[tokio::test]
async fn a_wrong_scim_token_is_explained() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.operator =
        operator_with_wrong_answer(&fixture, ManualStepKind::AutomaticProvisioning, |answers| {
            answers.secret("access_token", Secret::new("wrong"))
        });
    let text = explained(&run_error(&fixture).await);
    // The endpoint URL contains the tenant id, which differs between runs.
    insta::with_settings!({filters => vec![(r"HOST/\S+/scim/v2/", "HOST/TENANT/scim/v2/")]}, { insta::assert_snapshot!(text) });
}

#[tokio::test]
async fn a_file_that_is_not_metadata_is_explained() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.operator =
        operator_with_wrong_answer(&fixture, ManualStepKind::IdentitySource, |answers| {
            answers.file("sp_metadata", *b"{\"acs\": 1}")
        });
    let error = run_error(&fixture).await;
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    insta::assert_snapshot!(error.explain());
}

#[tokio::test]
async fn metadata_of_another_instance_is_rejected() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.operator = operator_with_wrong_answer(&fixture, ManualStepKind::IdentitySource, |_| {
        Answers::default()
            .text(
                "acs_url",
                "https://us-east-1.signin.aws/platform/saml/acs/1111",
            )
            .text(
                "issuer_url",
                "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067ffffff",
            )
    });
    let error = run_error(&fixture).await;
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    let identity_store = fixture
        .store
        .load()
        .await
        .expect("a store")
        .expect("a state")
        .facts
        .instance
        .expect("an instance")
        .identity_store;
    assert_eq!(
        error.to_string(),
        format!(
            "the issuer URL https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067ffffff is not https://us-east-1.signin.aws.amazon.com/platform/saml/{identity_store}"
        )
    );
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_explained() {
    let fixture = Fixture::new(&SEED.replace("\"Sandbox\"", "\"999999999999\"")).await;
    insta::assert_snapshot!(explained(&run_error(&fixture).await));
}

#[tokio::test]
async fn a_misspelt_account_name_is_explained() {
    let fixture = Fixture::new(&SEED.replace("\"Sandbox\"", "\"Sandbocks\"")).await;
    insta::assert_snapshot!(explained(&run_error(&fixture).await));
}

#[tokio::test]
async fn a_suspended_account_is_explained() {
    let sandbox = Sandbox::builder();
    let fixture = Fixture::with_sandbox(sandbox, &SEED.replace("\"Sandbox\"", "\"Legacy\"")).await;
    insta::assert_snapshot!(explained(&run_error(&fixture).await));
}

#[tokio::test]
async fn a_user_who_does_not_exist_is_explained() {
    let fixture = Fixture::new(&SEED.replace("ada.lovelace", "eda.lovelace")).await;
    insta::assert_snapshot!(explained(&run_error(&fixture).await));
}

#[tokio::test]
async fn a_user_that_aws_does_not_accept_is_reported_with_the_reason() {
    let people = Company::small(1, 2).person(Person::new("cher@example.com", "Cher", ""));
    let fixture = Fixture::with_sandbox(
        Sandbox::builder().company(people),
        &SEED.replace("ada.lovelace", "cher"),
    )
    .await;
    let error = run_error(&fixture).await;
    assert_eq!(
        error.to_string(),
        "AWS does not accept user `cher@example.com`: lastName: name.familyName is required"
    );
}

#[tokio::test]
async fn a_login_that_aws_refuses_is_no_mistake_if_the_app_sends_the_email_address() {
    const LOGIN: &str = "charles babbage@example.com";
    let people = Company::small(1, 2).person(Person::new(LOGIN, "Charles", "Babbage"));
    let mut fixture = Fixture::with_sandbox(Sandbox::builder().company(people), SEED).await;
    let sandbox = &fixture.sandbox;
    sandbox.set_user_attribute(LOGIN, "email", "charles@example.com");
    fixture.run().await.expect("the first run");
    let seed = SEED.replace("ada.lovelace@example.com", LOGIN);
    fixture.blueprint = Blueprint::from_toml(&seed).expect("a blueprint");
    assert_eq!(
        run_error(&fixture).await.to_string(),
        "AWS does not accept user `charles babbage@example.com`: user name in the app: userName contains U+0020, which is not accepted"
    );
    set_user_name_template(&fixture.okta, &fixture.app().await, "${source.email}").await;
    fixture.run().await.expect("a run");
    let assignments = fixture.assignments();
    assert!(
        assignments
            .iter()
            .any(|one| one.contains("charles@example.com")),
        "{assignments:?}"
    );
}

#[tokio::test]
async fn a_suspended_user_is_reported_with_the_status() {
    let people = Company::small(1, 2).person(
        Person::new("gone@example.com", "Long", "Gone").with_status(PersonStatus::Suspended),
    );
    let fixture = Fixture::with_sandbox(
        Sandbox::builder().company(people),
        &SEED.replace("ada.lovelace", "gone"),
    )
    .await;
    assert_eq!(
        run_error(&fixture).await.to_string(),
        "user `gone@example.com` is SUSPENDED in Okta"
    );
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_reported() {
    let fixture =
        Fixture::new(&SEED.replace("user = \"ada.lovelace@example.com\"", "group = \"missing\""))
            .await;
    assert_eq!(
        run_error(&fixture).await.to_string(),
        "Okta has no group `missing`"
    );
}

#[tokio::test]
async fn a_group_cannot_be_both_assigned_and_pushed() {
    let group = SEED.replace(
        "user = \"ada.lovelace@example.com\"",
        "group = \"deployers\"",
    );
    let assigned = format!("[provisioning]\nassign_groups = [\"deployers\"]\n{SEED}");
    for (first, then, message) in [
        (
            &assigned,
            &group,
            "group deployers is already assigned to the app and cannot also be pushed",
        ),
        (
            &group,
            &assigned,
            "group deployers is already pushed and cannot also be assigned to the app",
        ),
    ] {
        // The sign-in test needs a user with access, so this test skips it.
        let without_sign_in = |text: &str| {
            Blueprint::from_toml(&format!("{text}\n[sign_in]\nskip = true\n")).expect("a blueprint")
        };
        let mut fixture = Fixture::new(SEED).await;
        fixture.blueprint = without_sign_in(first);
        fixture.run().await.expect("the first blueprint");
        fixture.blueprint = without_sign_in(then);
        fixture.sandbox.clear_requests();
        let error = run_error(&fixture).await;
        assert_eq!(error.kind(), ErrorKind::UnusableSubject);
        assert!(error.to_string().starts_with(message), "{error}");
        // Changes of other subjects are made: the user of the second blueprint gets access.
        let writes = fixture.sandbox.writes();
        let group = fixture.sandbox.group_id("deployers").expect("the group");
        let of_group = |request: &&sandbox::RecordedRequest| {
            request.path.contains("group-push") || request.path.contains(&group)
        };
        assert_eq!(writes.iter().filter(of_group).count(), 0, "{writes:?}");
    }
}

#[tokio::test]
async fn a_plan_for_another_blueprint_or_an_older_state_is_stale() {
    let mut fixture = Fixture::new(SEED).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    fixture.run().await.expect("the first run");
    let error = apply(&fixture.pipeline(), &plan)
        .await
        .expect_err("a stale plan");
    assert_eq!(
        error.to_string(),
        "the plan is stale: the state has changed since it was made"
    );
    fixture.blueprint =
        Blueprint::from_toml(&SEED.replace("AdministratorAccess", "ReadOnlyAccess"))
            .expect("a blueprint");
    let error = apply(&fixture.pipeline(), &plan)
        .await
        .expect_err("a stale plan");
    assert_eq!(
        error.to_string(),
        "the plan is stale: it was made for another blueprint"
    );
    assert_eq!(error.kind(), ErrorKind::StalePlan);
}

#[tokio::test]
async fn a_change_that_was_not_planned_is_not_made() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    // The new blueprint needs a new permission set. The test removes this change from the plan, so the step finds a
    // change that was not planned.
    fixture.blueprint =
        Blueprint::from_toml(&SEED.replace("AdministratorAccess", "ReadOnlyAccess"))
            .expect("a blueprint");
    let pipeline = fixture.pipeline();
    let mut plan = pipeline.plan().await.expect("a plan");
    let sets = plan
        .steps
        .iter_mut()
        .find(|step| step.step.as_str() == "permission-sets")
        .expect("the step");
    sets.changes.clear();
    let error = apply(&pipeline, &plan)
        .await
        .expect_err("a change that was not planned");
    assert_eq!(error.kind(), ErrorKind::StalePlan);
    assert_eq!(
        error.to_string(),
        "Okta or AWS has changed since the plan was made, and these changes were not planned: create permission set ReadOnlyAccess (step permission-sets), create policy arn:aws:iam::aws:policy/ReadOnlyAccess of permission set ReadOnlyAccess (step permission-sets)"
    );
    assert_eq!(fixture.sandbox.permission_sets().len(), 1);
}

#[tokio::test]
async fn the_run_waits_only_for_members_that_are_assigned_to_the_app() {
    let fixture = Fixture::with_sandbox(
        Sandbox::builder().company(company()),
        &SEED
            .replace(
                "user = \"ada.lovelace@example.com\"",
                "group = \"deployers\"",
            )
            .replace(
                "[[access]]",
                "[provisioning]\nassign_users = [\"person.00002@example.com\"]\n[[access]]",
            ),
    )
    .await;
    // The group has a second member, who is not assigned to the app.
    let sandbox = &fixture.sandbox;
    fixture
        .run()
        .await
        .map(|_| ())
        .expect("the run does not wait for the unassigned member");
    assert_eq!(
        sandbox.identity_groups()[0].members,
        ["person.00002@example.com"]
    );
}
