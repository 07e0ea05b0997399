//! Tests of drift: the plan shows manual changes and incomplete setups, and the run corrects them.

use okta_aws_sso::{
    ErrorKind,
    aws::NewPermissionSet,
    operator::{Answers, ManualStepKind, ScriptedOperator},
    plan::{StepId, Value},
};
use rest_core::Secret;
use sandbox::{Sandbox, Stage};

use crate::fixture::{Fixture, SEED, TEAM, apply, company, unindented};

/// Returns the planned changes of a step, such as `create app "AWS Dev"`.
fn changes(plan: &okta_aws_sso::Plan, step: &'static str) -> Vec<String> {
    let step = plan.step(&StepId::new(step)).expect("the step");
    step.changes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_permission_set_without_its_policy_is_completed() {
    let fixture = Fixture::with_sandbox(
        Sandbox::builder()
            .company(company())
            .stage(Stage::Provisioned),
        SEED,
    )
    .await;
    let instance = &fixture
        .aws
        .instances()
        .try_collect()
        .await
        .expect("instances")[0];
    let new = NewPermissionSet {
        name: "AdministratorAccess".to_owned(),
        ..NewPermissionSet::default()
    };
    fixture
        .aws
        .identity_center(instance)
        .permission_sets()
        .create(&new)
        .await
        .expect("a permission set without a policy");
    let (plan, _) = fixture.run().await.expect("the first run");
    assert_eq!(
        changes(&plan, "permission-sets"),
        [
            "adopt permission set AdministratorAccess",
            "create policy arn:aws:iam::aws:policy/AdministratorAccess of permission set AdministratorAccess"
        ]
    );
    assert_eq!(
        fixture.sandbox.permission_sets()[0].managed_policies,
        ["arn:aws:iam::aws:policy/AdministratorAccess"]
    );
}

#[tokio::test]
async fn an_existing_permission_set_with_another_policy_is_used_unchanged_with_a_note() {
    let fixture = Fixture::with_sandbox(
        Sandbox::builder()
            .company(company())
            .stage(Stage::Provisioned),
        SEED,
    )
    .await;
    let instance = &fixture
        .aws
        .instances()
        .try_collect()
        .await
        .expect("instances")[0];
    let center = fixture.aws.identity_center(instance);
    let new = NewPermissionSet {
        name: "AdministratorAccess".to_owned(),
        ..NewPermissionSet::default()
    };
    let set = center
        .permission_sets()
        .create(&new)
        .await
        .expect("a permission set");
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    center
        .permission_sets()
        .attach_managed_policy(&set.arn, policy)
        .await
        .expect("a policy");
    let (plan, _) = fixture.run().await.expect("the first run");
    let step = plan
        .step(&StepId::new("permission-sets"))
        .expect("the step");
    insta::assert_snapshot!(unindented(step), @r"
    = permission set AdministratorAccess
    managed policies           arn:aws:iam::aws:policy/ReadOnlyAccess
    customer-managed policies  none
    inline policy              none
    session duration           PT1H
    ! permission set AdministratorAccess already exists and is used unchanged: it has arn:aws:iam::aws:policy/ReadOnlyAccess; to change it, describe it in the blueprint
    ");
    assert_eq!(
        fixture.sandbox.permission_sets()[0].managed_policies,
        [policy]
    );

    // The set is known by its id now.
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(changes(&plan, "permission-sets"), [""; 0]);

    // Without its id in the state, it is adopted again.
    fixture
        .edit_facts(|facts| facts.permission_sets.clear())
        .await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        changes(&plan, "permission-sets"),
        ["adopt permission set AdministratorAccess"]
    );
}

#[tokio::test]
async fn a_manually_added_policy_is_removed_only_if_the_guard_allows_it() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let instance = &fixture
        .aws
        .instances()
        .try_collect()
        .await
        .expect("instances")[0];
    let center = fixture.aws.identity_center(instance);
    let set = center
        .permission_sets()
        .find("Deploy")
        .await
        .expect("a call")
        .expect("the permission set");
    let policy = "arn:aws:iam::aws:policy/IAMFullAccess";
    center
        .permission_sets()
        .attach_managed_policy(&set.arn, policy)
        .await
        .expect("a policy");
    let error = fixture.run().await.expect_err("a removal");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    let pipeline = fixture.pipeline().guard(okta_aws_sso::Guard {
        max_removals: 1,
        ..okta_aws_sso::Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("the removal");
    let sets = fixture.sandbox.permission_sets();
    let deploy = sets
        .iter()
        .find(|set| set.name == "Deploy")
        .expect("the permission set");
    assert_eq!(
        deploy.managed_policies,
        ["arn:aws:iam::aws:policy/PowerUserAccess"]
    );
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn a_new_signing_key_reaches_aws_in_one_run() {
    let fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    let app = fixture
        .store
        .load()
        .await
        .expect("a store")
        .expect("a state")
        .facts
        .app
        .expect("the app");
    let key = fixture
        .okta
        .apps()
        .generate_key(&app, 10)
        .await
        .expect("a key");
    let mut document = fixture.okta.apps().get(&app).await.expect("the app").edit();
    document.set_signing_kid(&key.kid);
    fixture
        .okta
        .apps()
        .replace(&app, &document)
        .await
        .expect("the key in use");
    let (plan, _) = fixture.run().await.expect("the rotation");
    assert_eq!(changes(&plan, "idp-metadata"), ["update metadata.xml"]);
    assert_eq!(
        changes(&plan, "identity-source"),
        ["manual step for external identity provider"]
    );
    assert_eq!(changes(&plan, "saml-settings"), Vec::<String>::new());
    assert_eq!(
        changes(&plan, "sign-in"),
        ["check sign in as ada.lovelace@example.com"]
    );
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn a_deleted_app_is_recreated_in_one_run() {
    let fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    let app = fixture
        .store
        .load()
        .await
        .expect("a store")
        .expect("a state")
        .facts
        .app
        .expect("the app");
    fixture
        .okta
        .apps()
        .deactivate(&app)
        .await
        .expect("a deactivation");
    fixture.okta.apps().delete(&app).await.expect("a deletion");
    let (plan, _) = fixture.run().await.expect("the repair");
    assert_eq!(
        changes(&plan, "catalog-app"),
        ["create app \"AWS IAM Identity Center\""]
    );
    assert_eq!(
        changes(&plan, "identity-source"),
        ["manual step for external identity provider"]
    );
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    assert!(fixture.run().await.expect("a second run").0.is_empty());
}

#[tokio::test]
async fn an_existing_app_with_another_label_is_not_changed() {
    let fixture = Fixture::with_sandbox(
        Sandbox::builder()
            .company(company())
            .stage(Stage::Provisioned),
        &format!("[okta]\napp_label = \"AWS Dev\"\n{SEED}"),
    )
    .await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(changes(&plan, "catalog-app"), ["create app \"AWS Dev\""]);
    let notes = &plan
        .step(&StepId::new("catalog-app"))
        .expect("the step")
        .notes;
    assert!(
        notes[0]
            .text
            .starts_with("app \"AWS IAM Identity Center\" (0oa"),
        "{notes:?}"
    );
    assert!(notes[0].text.contains("is not changed"), "{notes:?}");
}

#[tokio::test]
async fn a_plan_shows_the_value_it_overwrites_and_is_stale_if_that_value_changes() {
    let fixture = Fixture::new(SEED).await;
    let (_, report) = fixture.run().await.expect("the first run");
    let app = report.facts.app.clone().expect("the app");
    let set = async |url: &str| {
        let mut document = fixture.okta.apps().get(&app).await.expect("the app").edit();
        document.set_setting("acsURL", url);
        fixture
            .okta
            .apps()
            .replace(&app, &document)
            .await
            .expect("a write");
    };
    set("https://us-east-1.signin.aws/platform/saml/acs/other").await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let step = plan.step(&StepId::new("saml-settings")).expect("the step");
    assert_eq!(
        step.changes[0].fields[0].before,
        Value::Known("https://us-east-1.signin.aws/platform/saml/acs/other".to_owned())
    );
    let why = step.changes[0].why.as_ref().expect("a reason");
    assert_eq!(why.code.as_str(), "moves-sign-in");
    let pipeline = pipeline.guard(okta_aws_sso::Guard {
        max_removals: 1,
        ..okta_aws_sso::Guard::default()
    });
    set("https://us-east-1.signin.aws/platform/saml/acs/third").await;
    let error = apply(&pipeline, &plan).await.expect_err("a stale plan");
    assert_eq!(error.kind(), ErrorKind::StalePlan);
}

#[tokio::test]
async fn a_membership_that_exists_only_in_aws_fails_the_verification() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    // Okta has removed the member, but has not pushed the change to AWS yet.
    fixture
        .sandbox
        .set_group_member("deployers", "person.00002@example.com", false);
    assert_eq!(
        fixture.failed_checks().await,
        ["person.00002@example.com is a member of group deployers in AWS but not in Okta"]
    );
}

#[tokio::test]
async fn a_token_entered_as_the_endpoint_is_not_printed() {
    let mut fixture = Fixture::new(SEED).await;
    let operator = fixture.operator.clone();
    fixture.operator = std::sync::Arc::new(ScriptedOperator::new(move |manual_step| {
        let operator = operator.clone();
        async move {
            if manual_step.kind == ManualStepKind::AutomaticProvisioning {
                return Ok(Answers::default()
                    .text("scim_endpoint", "t0k3n")
                    .secret("access_token", Secret::new("x")));
            }
            okta_aws_sso::Operator::ask(&operator, &manual_step).await
        }
    }));
    let error = fixture.run().await.expect_err("an invalid endpoint");
    assert_eq!(
        error.to_string(),
        "the text entered as the SCIM endpoint is not a SCIM endpoint"
    );
    assert!(!error.explain().contains("t0k3n") && !format!("{error:?}").contains("t0k3n"));
}

#[tokio::test]
async fn a_timeout_names_the_users_that_did_not_arrive() {
    let sandbox = Sandbox::builder().company(company());
    let fixture =
        Fixture::with_provisioning_delay(sandbox, SEED, std::time::Duration::from_hours(2)).await;
    let error = fixture.run().await.expect_err("a timeout");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(
        error.to_string(),
        "no progress within the stall timeout: user ada.lovelace@example.com (Okta: STAGED, sync SYNCING) has not arrived in AWS"
    );
    // The next run continues where this run stopped.
    fixture.sandbox.advance(std::time::Duration::from_hours(2));
    fixture.run().await.expect("the rest");
}

#[tokio::test]
async fn a_sign_in_as_another_user_fails_the_sign_in_test() {
    let mut fixture = Fixture::new(TEAM).await;
    let operator = fixture.operator.clone();
    fixture.operator = std::sync::Arc::new(ScriptedOperator::new(move |mut manual_step| {
        let operator = operator.clone();
        async move {
            if manual_step.kind == ManualStepKind::SignIn {
                for (name, value) in &mut manual_step.values {
                    if name == "user" {
                        "person.00002@example.com".clone_into(value);
                    }
                }
            }
            okta_aws_sso::Operator::ask(&operator, &manual_step).await
        }
    }));
    fixture
        .blueprint
        .access
        .retain(|access| access.group.is_some());
    fixture.blueprint.sign_in.user = Some("person.00003@example.com".to_owned());
    let error = fixture.run().await.expect_err("a sign-in as another user");
    assert_eq!(
        error.to_string(),
        "person.00002@example.com signed in instead of the test user person.00003@example.com"
    );
}
