//! Tests of what a run promises: what takes access away is named and counted, and a problem stops only what it concerns.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, ChangeResult, ErrorKind, Guard, Outcome, Pipeline, StateStore,
    guard::Excess,
    operator::NoOperator,
    plan::{self, Action, StepId, Subject},
    steps::{AccountAssignments, PermissionSets, Steps},
};
use rest_core::Secret;
use sandbox::{PersonStatus, Service};

use crate::fixture::{Fixture, SEED, TEAM, apply, company, direct, lines, unindented};

/// Returns the names of the AWS operations that wrote.
fn aws_writes(fixture: &Fixture) -> Vec<String> {
    let writes = fixture.sandbox.writes();
    let aws = writes
        .iter()
        .filter(|request| request.service == Service::Aws);
    aws.map(ToString::to_string).collect()
}

async fn center(fixture: &Fixture) -> okta_aws_sso::aws::IdentityCenter {
    let instances = fixture.aws.instances().try_collect().await;
    fixture
        .aws
        .identity_center(&instances.expect("instances")[0])
}

#[tokio::test]
async fn an_app_of_another_organization_is_not_repointed_unless_the_guard_allows_it() {
    let mut fixture = Fixture::new(SEED).await;
    let (_, report) = fixture.run().await.expect("the first run");
    let app = report.facts.app.clone().expect("the app");
    let mut document = fixture.okta.apps().get(&app).await.expect("the app").edit();
    let other = "https://eu-west-1.signin.aws/platform/saml";
    document.set_setting("acsURL", format!("{other}/acs/other"));
    document.set_setting("entityID", format!("{other}/d-0123456789"));
    let written = fixture.okta.apps().replace(&app, &document).await;
    written.expect("the app of the other organization");
    // A run with a new state finds the app by its label.
    fixture.store = StateStore::memory();
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let problem = &plan
        .step(&StepId::new("catalog-app"))
        .expect("the step")
        .problems[0];
    assert!(
        problem.message.contains("serves another AWS organization"),
        "{problem}"
    );
    let help = &problem.help;
    assert!(help.contains(&format!("okta.app_id = \"{app}\"")), "{help}");
    fixture.sandbox.clear_requests();
    let pipeline = fixture.pipeline().guard(Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    });
    let report = pipeline.apply(&plan).await.expect("a run");
    report.complete().expect_err("an app that is not adopted");
    let written = fixture.okta.apps().get(&app).await.expect("the app");
    assert_eq!(
        written.setting("acsURL"),
        Some(&*format!("{other}/acs/other"))
    );
    assert_eq!(fixture.sandbox.app_count("amazon_aws_sso"), 1);
    // With its id in the blueprint, the app is moved by a removal.
    fixture.store = StateStore::memory();
    let by_id = format!("[okta]\napp_id = \"{app}\"\n{SEED}");
    fixture.blueprint = Blueprint::from_toml(&by_id).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, "saml-settings"),
        ["remove SAML settings of the app"]
    );
    fixture.sandbox.clear_requests();
    let error = fixture
        .pipeline()
        .apply(&plan)
        .await
        .expect_err("a removal");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    assert_eq!(fixture.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn emptying_an_access_group_names_the_people_and_needs_two_permissions() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let members = ["person.00002@example.com", "person.00003@example.com"];
    for member in members {
        fixture.sandbox.set_group_member("deployers", member, false);
    }
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, "directory-sync"),
        [
            "manual step for automatic provisioning",
            "remove membership of person.00002@example.com in group deployers",
            "remove membership of person.00003@example.com in group deployers",
        ]
    );
    let guards = [
        Guard::default(),
        Guard {
            max_removals: 2,
            ..Guard::default()
        },
        Guard {
            allowed: ["emptied-group:deployers".to_owned()].into(),
            ..Guard::default()
        },
    ];
    for guard in guards {
        let pipeline = fixture.pipeline().guard(guard);
        let error = pipeline.apply(&plan).await.expect_err("a refused plan");
        assert_eq!(error.kind(), ErrorKind::GuardRejected);
        assert_eq!(fixture.sandbox.identity_groups()[0].members, members);
    }
    let pipeline = fixture.pipeline().guard(Guard {
        max_removals: 2,
        allowed: ["emptied-group:deployers".to_owned()].into(),
        ..Guard::default()
    });
    let report = pipeline.apply(&plan).await.expect("a run");
    report.complete().expect("a complete run");
    assert!(fixture.sandbox.identity_groups()[0].members.is_empty());
}

#[tokio::test]
async fn a_removal_that_the_plan_did_not_name_is_not_made() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let ada = "ada.lovelace@example.com";
    fixture
        .sandbox
        .set_user_attribute(ada, "displayName", "Countess");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    // After the review, a member leaves.
    let leaver = "person.00003@example.com";
    fixture.sandbox.set_group_member("deployers", leaver, false);
    let report = fixture.pipeline().apply(&plan).await.expect("a run");
    assert!(!report.is_complete());
    let unplanned: Vec<String> = report
        .unplanned
        .iter()
        .map(|(_, change)| change.to_string())
        .collect();
    assert_eq!(
        unplanned,
        ["remove membership of person.00003@example.com in group deployers"]
    );
    assert_eq!(fixture.sandbox.identity_groups()[0].members.len(), 2);
    let users = fixture.sandbox.identity_users();
    let written = |user: &sandbox::IdentityUser| user.display_name.as_deref() == Some("Countess");
    assert!(users.iter().any(written), "the reviewed change is made");
}

#[tokio::test]
async fn all_problems_are_in_the_plan_and_stop_only_what_they_concern() {
    let wrong = r#"
[[access]]
user = "unknown@example.com"
account = "Sandbux"
permission_set = "ReadOnlyAccess"

[[access]]
group = "nobodies"
account = "Sandbox"
permission_set = "ReadOnlyAccess"
"#;
    let fixture = Fixture::new(&format!("{SEED}{wrong}")).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let problems: Vec<String> = plan.problems().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "Okta has no user `unknown@example.com`",
            "Okta has no group `nobodies`",
            "account `Sandbux` does not exist in the organization",
        ]
    );
    assert!(plan.complete);
    let report = fixture.pipeline().apply(&plan).await.expect("a run");
    assert_eq!(
        fixture.assignments(),
        ["USER ada.lovelace@example.com: AdministratorAccess in 200000000002"]
    );
    let skipped: Vec<String> = report
        .results
        .iter()
        .filter(|result| matches!(result.outcome, Outcome::Skipped { .. }))
        .map(|result| format!("{} {}", result.action.verb(), result.subject))
        .collect();
    assert_eq!(
        skipped,
        [
            "create group nobodies: ReadOnlyAccess in 200000000002",
            "check sign in as ada.lovelace@example.com",
        ]
    );
    assert_eq!(report.all_problems().count(), 3);
}

#[tokio::test]
async fn a_pipeline_without_a_prerequisite_says_which_step_is_missing() {
    let fixture = Fixture::new(SEED).await;
    let steps: Steps = [
        Box::new(PermissionSets::new(&fixture.aws, &fixture.blueprint))
            as Box<dyn okta_aws_sso::Step>,
        Box::new(AccountAssignments::new(
            &fixture.okta,
            &fixture.aws,
            &fixture.blueprint,
        )),
    ]
    .into_iter()
    .collect();
    let pipeline = Pipeline::new(steps).clock(Arc::new(fixture.clock.clone()));
    let error = pipeline.plan().await.expect_err("a refused pipeline");
    insta::assert_snapshot!(error.explain(), @r"
    the pipeline lacks a step: step permission-sets needs step identity-center before it; step account-assignments needs step arrival before it (create user ada.lovelace@example.com: AdministratorAccess in 200000000002: principal)
      to do:  add the missing step, as in `steps::default_steps`; or run a pipeline that has it first, with the same state
    ");
    assert_eq!(error.kind(), ErrorKind::Pipeline);

    // With the state of a pipeline that has these steps, nothing is missing.
    fixture.run().await.expect("a run of all steps");
    let steps: Steps = vec![
        Box::new(PermissionSets::new(&fixture.aws, &fixture.blueprint))
            as Box<dyn okta_aws_sso::Step>,
    ]
    .into();
    let pipeline = Pipeline::new(steps).store(fixture.store.clone());
    assert!(pipeline.plan().await.expect("a plan").is_empty());
}

#[tokio::test]
async fn more_access_needs_no_second_sign_in() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    let more = SEED.replace("AdministratorAccess", "ReadOnlyAccess");
    fixture.blueprint = Blueprint::from_toml(&format!("{more}{SEED}")).expect("a blueprint");
    fixture.operator = Arc::new(NoOperator);
    let (plan, _) = fixture.run().await.expect("an unattended run");
    assert_eq!(lines(&plan, "sign-in"), [""; 0]);
    assert_eq!(fixture.assignments().len(), 2);
}

#[tokio::test]
async fn an_unattended_sign_in_test_cannot_be_verified_and_is_no_failure() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    fixture.edit_facts(|facts| facts.signed_in = None).await;
    fixture.operator = Arc::new(NoOperator);
    let (plan, report) = fixture.run().await.expect("an unattended run");
    assert_eq!(plan.changes().count(), 1);
    assert!(matches!(
        report.results[0].outcome,
        Outcome::Unverified { .. }
    ));
}

#[tokio::test]
async fn a_portal_url_in_the_blueprint_is_planned_as_it_is_applied() {
    let portal = "[aws]\nportal_url = \"https://acme.awsapps.com/start\"\n";
    let fixture = Fixture::new(&format!("{portal}{SEED}")).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(lines(&plan, "access-portal"), ["check access portal URL"]);
    let report = fixture.pipeline().apply(&plan).await.expect("a run");
    assert_eq!(report.unplanned, []);
}

#[tokio::test]
async fn what_others_changed_in_a_set_is_provisioned_only_if_the_plan_says_so() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let center = center(&fixture).await;
    let sets = center.permission_sets();
    let policy = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
    let attach = async |name: &str| {
        let set = sets.find(name).await.expect("a call").expect("the set");
        let attached = sets.attach_managed_policy(&set.arn, policy).await;
        attached.expect("a policy");
        set.arn
    };
    // The blueprint only names this set.
    attach("AdministratorAccess").await;
    fixture.sandbox.clear_requests();
    let (plan, _) = fixture.run().await.expect("a run");
    assert_eq!(lines(&plan, "permission-sets"), [""; 0]);
    let step = plan
        .step(&StepId::new("permission-sets"))
        .expect("the step");
    let codes: Vec<&str> = step.notes.iter().map(|note| note.code.as_str()).collect();
    assert_eq!(codes, ["used-unchanged", "not-provisioned"]);
    assert_eq!(aws_writes(&fixture), [""; 0]);
    // The blueprint describes this set, and another tool has put its policy back without provisioning it.
    let deploy = attach("Deploy").await;
    sets.detach_managed_policy(&deploy, policy)
        .await
        .expect("a detached policy");
    let (plan, _) = fixture.run().await.expect("a run");
    assert_eq!(
        lines(&plan, "permission-sets"),
        ["update provisioning of permission set Deploy"]
    );
}

#[tokio::test]
async fn an_inline_policy_that_denies_more_is_a_removal() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    for (statement, expected) in [
        (r#""Action":["iam:*"],"Resource":"*""#, [].as_slice()),
        (
            r#""Action":"*","Resource":"*""#,
            &[
                "remove inline policy of permission set Deploy",
                "update provisioning of permission set Deploy",
            ],
        ),
    ] {
        let text = TEAM.replace(r#""Action":"iam:*","Resource":"*""#, statement);
        fixture.blueprint = Blueprint::from_toml(&text).expect("a blueprint");
        let plan = fixture.pipeline().plan().await.expect("a plan");
        assert_eq!(lines(&plan, "permission-sets"), expected, "{statement}");
    }
}

#[tokio::test]
async fn the_scim_token_is_not_sent_to_a_host_in_the_state_that_is_not_aws() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let foreign = okta_aws_sso::scim::Endpoint::parse("https://scim.example.com/tenant/scim/v2");
    let foreign = foreign.expect("an endpoint");
    fixture.edit_facts(|facts| facts.scim = Some(foreign)).await;
    let pipeline = fixture.pipeline().scim_token(Secret::new("t0k3n"));
    let plan = pipeline.plan().await.expect("a plan");
    let problems: Vec<String> = plan.problems().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "the SCIM endpoint https://scim.example.com/tenant/scim/v2/ is not an AWS endpoint, so the token was not sent to it"
        ]
    );
}

#[tokio::test]
async fn a_plan_is_data_with_typed_subjects() {
    let fixture = Fixture::new(TEAM).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let json = serde_json::to_value(&plan).expect("JSON");
    let steps = json["steps"].as_array().expect("steps");
    let assignment = steps
        .iter()
        .flat_map(|step| step["changes"].as_array().cloned().unwrap_or_default())
        .find(|change| change["subject"]["kind"] == "assignment")
        .expect("an assignment");
    assert_eq!(
        assignment["subject"],
        serde_json::json!({
            "kind": "assignment",
            "principal": {"kind": "user", "name": "ada.lovelace@example.com"},
            "account": "200000000002",
            "permission_set": "AdministratorAccess",
        })
    );
    let read: okta_aws_sso::Plan = serde_json::from_value(json).expect("a plan");
    assert_eq!(read, plan);
}

#[tokio::test]
async fn a_suspended_user_loses_sign_in_and_groups_by_name() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    let leaver = "person.00003@example.com";
    fixture
        .sandbox
        .set_user_status(leaver, PersonStatus::Suspended);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let removed: Vec<&Subject> = plan
        .changes()
        .filter(|(_, change)| change.action == Action::Remove)
        .map(|(_, change)| &change.subject)
        .collect();
    assert!(
        removed.contains(&&Subject::User {
            name: leaver.into()
        }),
        "{removed:?}"
    );
    let text = plan.to_string();
    assert!(text.contains("(SUSPENDED in Okta)"), "{text}");
}

#[tokio::test]
async fn all_faults_of_a_blueprint_are_reported_at_once_also_if_it_is_built_in_code() {
    let text = "[permission_sets.Deploy]\nsession_duration = \"PT13H\"\n\n\
        [[access]]\nuser = \"a@example.com\"\npermission_set = \"Deploy\"\n\n\
        [[access]]\nuser = \"a@example.com\"\ngroup = \"b\"\naccount = \"c\"\npermission_set = \"Deploy\"\n";
    let error = Blueprint::from_toml(text).expect_err("three faults");
    assert_eq!(error.others().len(), 2);
    assert_eq!(error.render("b.toml", text).matches("error: ").count(), 3);

    let mut fixture = Fixture::new(SEED).await;
    fixture.blueprint.access[0].group = Some("both".to_owned());
    fixture.blueprint.access[0].account = None;
    let problems = fixture.blueprint.validate();
    let subject = serde_json::to_value(&problems[0].subject).expect("JSON");
    assert_eq!(
        subject,
        serde_json::json!({"kind": "input", "path": "access[0].group"})
    );
    let error = fixture
        .pipeline()
        .plan()
        .await
        .expect_err("a wrong blueprint");
    assert_eq!(error.kind(), ErrorKind::Blueprint);
}

#[tokio::test]
async fn an_account_that_cannot_be_used_makes_its_assignment_skipped_and_not_done() {
    // `Legacy` is suspended. The reviewed plan is edited, as if the account had been active at the review.
    let sandbox = sandbox::Sandbox::builder();
    let blueprint = SEED.replace("\"Sandbox\"", "\"Legacy\"");
    let fixture = Fixture::with_sandbox(sandbox, &blueprint).await;
    let pipeline = fixture.pipeline();
    let mut plan = pipeline.plan().await.expect("a plan");
    let mut steps = plan.steps.iter_mut();
    let step = steps.find(|step| step.step.as_str() == "account-assignments");
    let step = step.expect("the step");
    assert_eq!(step.changes, []);
    let Some(Subject::Account { id }) = step.problems[0].subject.clone() else {
        panic!("another subject: {step:?}");
    };
    step.problems.clear();
    let subject = Subject::Assignment {
        principal: okta_aws_sso::plan::Principal::User {
            name: "ada.lovelace@example.com".into(),
        },
        account: id,
        permission_set: "AdministratorAccess".into(),
    };
    let change = okta_aws_sso::plan::Change::new(Action::Create, subject.clone());
    step.changes.push(change);
    let report = pipeline.apply(&plan).await.expect("a run");
    let result = report
        .results
        .iter()
        .find(|result| result.subject == subject);
    let outcome = &result.expect("the assignment").outcome;
    assert!(matches!(outcome, Outcome::Skipped { .. }), "{outcome:?}");
}

/// A blueprint with one group of administrators, in direct mode.
const ADMINS: &str = r#"
[provisioning]
mode = "direct"
assign_groups = ["aws-users"]

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "AdministratorAccess"

[sign_in]
skip = true
"#;

#[tokio::test]
async fn the_last_administrator_of_an_account_needs_a_permission_by_account() {
    let fixture = Fixture::new(ADMINS).await;
    fixture.run().await.expect("the first run");
    for person in ["person.00002@example.com", "person.00003@example.com"] {
        fixture
            .sandbox
            .set_user_status(person, PersonStatus::Deprovisioned);
    }
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let hazards: Vec<String> = plan.hazards().filter_map(plan::Hazard::id).collect();
    let account = fixture.assignments()[0].clone();
    assert!(
        hazards
            .iter()
            .any(|id| id.starts_with("last-administrator:")),
        "{hazards:?} {account} {plan}"
    );
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let error = fixture
        .pipeline()
        .guard(approved.clone())
        .apply(&plan)
        .await;
    let error = error.expect_err("an approval lifts no hazard");
    let help = error.help().expect("help").to_owned();
    assert!(help.contains("--allow last-administrator:"), "{help}");
    let allowed = Guard {
        allowed: hazards.into_iter().collect(),
        ..approved
    };
    let report = fixture.pipeline().guard(allowed).apply(&plan).await;
    report
        .expect("a run")
        .complete()
        .expect("the approved removals");
}

#[tokio::test]
async fn an_approved_removal_is_in_the_history_and_a_killed_run_counts_too() {
    let fixture = Fixture::new(&direct(TEAM)).await;
    fixture.run().await.expect("the first run");
    fixture
        .sandbox
        .set_user_status("person.00003@example.com", PersonStatus::Deprovisioned);
    let history = async || {
        let state = fixture.store.load().await.expect("a store");
        let days = state.expect("a state").removals.days;
        days.values()
            .flat_map(|kinds| kinds.values())
            .map(|removed| removed.removals)
            .sum::<u64>()
    };
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    // The run ends at its first wait or write, as if it was killed after the first save.
    let pipeline = fixture
        .pipeline()
        .guard(approved.clone())
        .operator(NoOperator);
    let report = pipeline
        .apply(&plan)
        .await
        .expect("a run without the token");
    assert!(
        report
            .results
            .iter()
            .all(|result| !result.outcome.is_success())
    );
    assert_eq!(
        history().await,
        0,
        "removals that were not made are taken back"
    );
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let report = fixture.pipeline().guard(approved).apply(&plan).await;
    report
        .expect("a run")
        .complete()
        .expect("the approved removals");
    assert_eq!(history().await, 2);
}

#[tokio::test]
async fn a_strict_run_refuses_problems_and_starts_nothing_after_the_first_failure() {
    let two_accounts = SEED.replace(
        "account = \"Sandbox\"",
        "accounts = [\"Sandbox\", \"Nowhere\"]",
    );
    let mut fixture = Fixture::new(&two_accounts).await;
    let pipeline = fixture.pipeline().strict(true);
    let plan = pipeline.plan().await.expect("a plan");
    assert!(plan.problems().next().is_some(), "{plan}");
    pipeline
        .apply(&plan)
        .await
        .expect_err("a plan with a problem");
    assert_eq!(fixture.sandbox.writes().len(), 0);

    fixture.blueprint = Blueprint::from_toml(TEAM).expect("a blueprint");
    let pipeline = fixture.pipeline().strict(true).operator(NoOperator);
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a run");
    let waits = |outcome: &Outcome| matches!(outcome, Outcome::WaitsForOperator { .. });
    let outcomes = report.results.iter().map(|result| &result.outcome);
    let later = outcomes.skip_while(|outcome| !waits(outcome)).skip(1);
    let later: Vec<&Outcome> = later.collect();
    assert!(!later.is_empty());
    for outcome in later {
        assert!(matches!(outcome, Outcome::Skipped { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_new_identity_source_for_existing_users_is_a_removal() {
    for (blueprint, mode) in [(TEAM.to_owned(), "okta"), (direct(TEAM), "direct")] {
        let sandbox = sandbox::Sandbox::builder()
            .company(company())
            .stage(sandbox::Stage::IdentityCenter);
        let fixture = Fixture::with_sandbox(sandbox, &blueprint).await;
        let instances = fixture.aws.instances().try_collect().await;
        let store = instances.expect("instances")[0].identity_store.to_string();
        let sdk = fixture.aws.sdk().identity_store();
        sdk.create_group()
            .identity_store_id(store)
            .display_name("operators")
            .send()
            .await
            .expect("a group");
        let plan = fixture.pipeline().plan().await.expect("a plan");
        let step = plan
            .step(&StepId::new("identity-source"))
            .expect("the step");
        insta::allow_duplicates! {
            insta::assert_snapshot!(unindented(step), @r"
            - external identity provider
            groups  1 -> (none)
            (users lose the sign-in through the current identity source; if it is Active Directory, AWS deletes its users, groups and assignments)
            @ external identity provider
            upload       metadata.xml
            certificate  (known after idp-metadata)
            asks for     service provider metadata, or ACS URL and issuer URL
            ");
        }
        let refused = fixture.pipeline().apply(&plan).await;
        let error = refused.expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::GuardRejected, "{mode}");

        // If the guard withholds the removal, the operator is not asked to replace the source.
        let guard = Guard {
            excess: Excess::WithholdRemovals,
            ..Guard::default()
        };
        let pipeline = fixture.pipeline().guard(guard);
        let report = pipeline.apply(&plan).await.expect("a report");
        let of_source = |result: &&ChangeResult| result.step == StepId::new("identity-source");
        let outcomes: Vec<_> = report.results.iter().filter(of_source).collect();
        assert_eq!(outcomes.len(), 2, "{mode}");
        assert!(
            outcomes
                .iter()
                .all(|result| matches!(result.outcome, Outcome::Skipped { .. })),
            "{mode}: {outcomes:?}"
        );

        let plan = fixture.pipeline().plan().await.expect("a plan");
        let guard = Guard {
            approved: plan.removals_id().into_iter().collect(),
            ..Guard::default()
        };
        let pipeline = fixture.pipeline().guard(guard);
        apply(&pipeline, &plan).await.expect("a run");
        assert_eq!(fixture.failed_checks().await, [""; 0], "{mode}");
    }
}
