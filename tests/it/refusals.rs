//! What a user gets wrong ends with one message: the thing, the service's answer with its request id, the way out.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, Error, ErrorKind, okta,
    operator::{Answers, ManualStepKind, Operator, ScriptedOperator},
};
use rest_core::Secret;
use sandbox::{Company, Person, PersonStatus, Sandbox};

use crate::fixture::{self, Fixture, SEED, company};

/// The message with what differs from run to run taken out.
fn explained(error: &Error) -> String {
    let text = error.explain();
    let request = error
        .response()
        .and_then(|response| response.request_id.clone());
    let request = request.unwrap_or_else(|| panic!("no request id in\n{text}"));
    assert!(!request.is_empty());
    let text = text.replace(&request, "REQUEST");
    // The port is any free one.
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

async fn fails(fixture: &Fixture) -> Error {
    fixture.run().await.expect_err("a failure")
}

#[tokio::test]
async fn a_wrong_okta_token() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.okta = okta::Client::builder(&fixture.sandbox.okta_url(), Secret::new("00wrong"))
        .build()
        .expect("a client");
    insta::assert_snapshot!(explained(&fails(&fixture).await));
}

#[tokio::test]
async fn a_wrong_aws_key() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.aws = fixture::aws(&fixture.sandbox, "wrong", Arc::new(fixture.clock.clone())).await;
    insta::assert_snapshot!(explained(&fails(&fixture).await));
}

/// A person who does as asked but for one hand-off.
fn person_but(
    fixture: &Fixture,
    kind: ManualStepKind,
    instead: fn(Answers) -> Answers,
) -> Arc<dyn Operator> {
    let person = fixture.person.clone();
    Arc::new(ScriptedOperator::new(move |manual_step| {
        let person = person.clone();
        async move {
            let answers = person.ask(&manual_step).await?;
            Ok(if manual_step.kind == kind {
                instead(answers)
            } else {
                answers
            })
        }
    }))
}

#[tokio::test]
async fn a_wrong_scim_token() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.person = person_but(&fixture, ManualStepKind::AutomaticProvisioning, |answers| {
        answers.secret("access_token", Secret::new("wrong"))
    });
    let text = explained(&fails(&fixture).await);
    // The tenant is part of the address and differs.
    insta::with_settings!({filters => vec![(r"HOST/\S+/scim/v2/", "HOST/TENANT/scim/v2/")]}, { insta::assert_snapshot!(text) });
}

#[tokio::test]
async fn a_metadata_file_that_is_not_metadata() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.person = person_but(&fixture, ManualStepKind::IdentitySource, |answers| {
        answers.file("sp_metadata", *b"{\"acs\": 1}")
    });
    let error = fails(&fixture).await;
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    insta::assert_snapshot!(error.explain());
}

#[tokio::test]
async fn metadata_of_another_instance() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.person = person_but(&fixture, ManualStepKind::IdentitySource, |_| {
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
    let error = fails(&fixture).await;
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    let own = fixture
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
            "the issuer URL https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067ffffff is not https://us-east-1.signin.aws.amazon.com/platform/saml/{own}"
        )
    );
}

#[tokio::test]
async fn an_account_that_does_not_exist() {
    let fixture = Fixture::new(&SEED.replace("\"Sandbox\"", "\"999999999999\"")).await;
    insta::assert_snapshot!(explained(&fails(&fixture).await));
}

#[tokio::test]
async fn an_account_name_that_is_misspelt() {
    let fixture = Fixture::new(&SEED.replace("\"Sandbox\"", "\"Sandbocks\"")).await;
    insta::assert_snapshot!(explained(&fails(&fixture).await));
}

#[tokio::test]
async fn a_suspended_account() {
    let sandbox = Sandbox::builder();
    let fixture = Fixture::of(sandbox, &SEED.replace("\"Sandbox\"", "\"Legacy\"")).await;
    insta::assert_snapshot!(explained(&fails(&fixture).await));
}

#[tokio::test]
async fn a_user_who_does_not_exist() {
    let fixture = Fixture::new(&SEED.replace("ada.lovelace", "eda.lovelace")).await;
    insta::assert_snapshot!(explained(&fails(&fixture).await));
}

#[tokio::test]
async fn a_user_whom_aws_would_not_take() {
    let people = Company::small(1, 2).person(Person::new("cher@example.com", "Cher", ""));
    let fixture = Fixture::of(
        Sandbox::builder().company(people),
        &SEED.replace("ada.lovelace", "cher"),
    )
    .await;
    let error = fails(&fixture).await;
    assert_eq!(
        error.to_string(),
        "AWS will not take user `cher@example.com`: lastName is empty"
    );
}

#[tokio::test]
async fn a_user_who_has_left() {
    let people = Company::small(1, 2).person(
        Person::new("gone@example.com", "Long", "Gone").with_status(PersonStatus::Suspended),
    );
    let fixture = Fixture::of(
        Sandbox::builder().company(people),
        &SEED.replace("ada.lovelace", "gone"),
    )
    .await;
    assert_eq!(
        fails(&fixture).await.to_string(),
        "user `gone@example.com` is SUSPENDED in Okta"
    );
}

#[tokio::test]
async fn a_group_that_does_not_exist() {
    let fixture =
        Fixture::new(&SEED.replace("user = \"ada.lovelace@example.com\"", "group = \"nobody\""))
            .await;
    assert_eq!(
        fails(&fixture).await.to_string(),
        "Okta has no group `nobody`"
    );
}

#[tokio::test]
async fn a_group_that_somebody_has_assigned_is_not_pushed() {
    let group = SEED.replace(
        "user = \"ada.lovelace@example.com\"",
        "group = \"deployers\"",
    );
    let assigned = format!("[provisioning]\nassign_groups = [\"deployers\"]\n{SEED}");
    for (first, then, message) in [
        (
            &assigned,
            &group,
            "group deployers is assigned to the app already and would be pushed",
        ),
        (
            &group,
            &assigned,
            "group deployers is pushed already and would be assigned to the app",
        ),
    ] {
        // The sign-in test needs somebody who has access; that is not what this is about.
        let quiet = |text: &str| {
            Blueprint::from_toml(&format!("{text}\n[sign_in]\nskip = true\n")).expect("a blueprint")
        };
        let mut fixture = Fixture::new(SEED).await;
        fixture.blueprint = quiet(first);
        fixture.run().await.expect("the first blueprint");
        fixture.blueprint = quiet(then);
        fixture.sandbox.clear_requests();
        let error = fails(&fixture).await;
        assert_eq!(error.kind(), ErrorKind::UnusableSubject);
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(fixture.sandbox.writes().len(), 0);
    }
}

#[tokio::test]
async fn a_plan_for_another_blueprint_or_an_older_state_is_stale() {
    let mut fixture = Fixture::new(SEED).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    fixture.run().await.expect("the journey");
    let error = fixture
        .pipeline()
        .apply(&plan)
        .await
        .expect_err("a stale plan");
    assert_eq!(
        error.to_string(),
        "the plan is stale: the state has moved on since it was made"
    );
    fixture.blueprint =
        Blueprint::from_toml(&SEED.replace("AdministratorAccess", "ReadOnlyAccess"))
            .expect("a blueprint");
    let error = fixture
        .pipeline()
        .apply(&plan)
        .await
        .expect_err("a stale plan");
    assert_eq!(
        error.to_string(),
        "the plan is stale: it was made for another blueprint"
    );
    assert_eq!(error.kind(), ErrorKind::StalePlan);
}

#[tokio::test]
async fn a_world_that_has_moved_stops_the_run_before_the_step() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the journey");
    // A second line of access, planned; then its user loses the permission set's account to somebody else's change.
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
    let error = pipeline
        .apply(&plan)
        .await
        .expect_err("something that was not planned");
    assert_eq!(error.kind(), ErrorKind::StalePlan);
    assert_eq!(
        error.to_string(),
        "Okta or AWS has changed since the plan was made: create permission set ReadOnlyAccess was not planned"
    );
    assert_eq!(fixture.sandbox.permission_sets().len(), 1);
}

#[tokio::test]
async fn who_never_arrives_is_named_with_what_okta_says() {
    let fixture = Fixture::of(
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
    // A user made by hand at AWS has the name already, and blocks the one that Okta sends.
    let sandbox = &fixture.sandbox;
    fixture
        .run()
        .await
        .map(|_| ())
        .expect("only who is assigned is waited for");
    assert_eq!(
        sandbox.identity_groups()[0].members,
        ["person.00002@example.com"]
    );
}
