//! The step `sign-on-policy`: which policy the app gets, when, and what a plan says about it.

use okta_aws_sso::{
    Blueprint, Guard, Outcome,
    okta::{Id, Policy, PolicyType},
    plan::{Action, Kind, Value},
};
use sandbox::{Fault, Service};

use crate::fixture::{Fixture, TEAM, apply, lines, unindented};

const STEP: &str = "sign-on-policy";
const OTHER: &str = "Phishing resistant";

fn with_policy(policy: &str) -> String {
    format!("[okta]\nsign_on_policy = \"{policy}\"\n{TEAM}")
}

/// Returns the name of the app's policy in Okta.
async fn policy_of_app(fixture: &Fixture) -> String {
    let app = fixture.okta.apps().get(&fixture.app().await).await;
    let id = app.expect("the app").access_policy().expect("a policy");
    let policy = fixture.okta.policies().get(&id).await;
    policy.expect("a policy").name
}

async fn policy_named(fixture: &Fixture, name: &str) -> Id<Policy> {
    let policies = fixture.okta.policies().list(&PolicyType::AccessPolicy);
    let policies = policies.try_collect().await.expect("policies");
    let policy = policies.into_iter().find(|policy| policy.name == name);
    policy.expect("the policy").id
}

/// Returns the text of the step's plan, without its title and its indentation.
fn text(plan: &okta_aws_sso::Plan) -> String {
    unindented(
        plan.step(&okta_aws_sso::plan::StepId::new(STEP))
            .expect("the step"),
    )
}

#[tokio::test]
async fn a_new_app_gets_the_policy_before_a_user_is_assigned() {
    let fixture = Fixture::new(&with_policy(OTHER)).await;
    let (plan, _) = fixture.run().await.expect("a run");
    insta::assert_snapshot!(text(&plan), @r"
    ~ sign-on policy of the app
    policy  (known after catalog-app) -> Phishing resistant
    (the policy decides who can sign in to the app, and how)
    ");
    assert_eq!(policy_of_app(&fixture).await, OTHER);
    let writes = fixture.sandbox.writes();
    let mut writes = writes.iter().filter(|write| write.service == Service::Okta);
    let is_policy = |path: &str| path.contains("/policies/");
    let is_assignment = |path: &str| path.ends_with("/users") || path.contains("/groups/");
    let first = writes.find(|write| is_policy(&write.path) || is_assignment(&write.path));
    assert!(is_policy(&first.expect("a write").path));
    assert!(writes.any(|write| is_assignment(&write.path)));
    let again = fixture.run().await.expect("a second run").0;
    assert!(again.is_empty(), "{again}");
}

#[tokio::test]
async fn the_default_policy_of_a_new_app_needs_no_change() {
    let fixture = Fixture::new(&with_policy("Any two factors")).await;
    let (plan, report) = fixture.run().await.expect("a run");
    assert_eq!(lines(&plan, STEP), ["update sign-on policy of the app"]);
    let mut results = report.results.iter();
    let result = results.find(|result| result.step.as_str() == STEP);
    assert_eq!(result.expect("a result").outcome, Outcome::AlreadyDone);
    let writes = fixture.sandbox.writes();
    assert!(
        writes
            .iter()
            .all(|write| !write.path.contains("/policies/"))
    );
}

#[tokio::test]
async fn a_policy_that_the_blueprint_does_not_name_is_neither_read_nor_changed() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    let (app, policy) = (fixture.app().await, policy_named(&fixture, OTHER).await);
    let set = fixture.okta.apps().set_access_policy(&app, &policy).await;
    set.expect("another policy");
    fixture.sandbox.clear_requests();
    assert!(fixture.run().await.expect("a second run").0.is_empty());
    let requests = fixture.sandbox.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.contains("/policies"))
    );
    assert_eq!(policy_of_app(&fixture).await, OTHER);
}

#[tokio::test]
async fn another_policy_of_an_app_with_users_is_a_removal() {
    let mut fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    fixture.blueprint = Blueprint::from_toml(&with_policy(OTHER)).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    insta::assert_snapshot!(text(&plan), @r"
    - sign-on policy of the app
    policy  Any two factors -> Phishing resistant
    (the policy decides who can sign in to the app, and how: users that do not meet the rules of the new policy can no longer sign in, and the app has 3 users)
    ");
    assert_eq!(
        fixture.failed_checks().await,
        ["Sign-on policy of the Okta app: not done: remove sign-on policy of the app"]
    );
    let guard = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let pipeline = fixture.pipeline().guard(guard);
    apply(&pipeline, &plan).await.expect("an approved removal");
    assert_eq!(policy_of_app(&fixture).await, OTHER);
    assert_eq!(fixture.failed_checks().await, [""; 0]);
}

/// Returns the problem of a plan for a new app, after checking that its run assigns no user.
async fn problem(policy: &str, fixture: &mut Fixture) -> String {
    fixture.blueprint = Blueprint::from_toml(&with_policy(policy)).expect("a blueprint");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let problems: Vec<_> = plan.problems().collect();
    let [problem] = problems.as_slice() else {
        panic!("{plan}");
    };
    let report = pipeline.apply(&plan).await.expect("a report");
    let assignments = report.results.iter();
    let is_assignment = |kind| [Kind::AppUser, Kind::AppGroup].contains(&kind);
    let mut assignments = assignments.filter(|result| is_assignment(result.subject.kind()));
    assert!(
        assignments.all(|result| matches!(result.outcome, Outcome::Skipped { .. })),
        "a user could sign in under another policy: {:?}",
        report.results
    );
    assert_eq!(fixture.sandbox.identity_users().len(), 0);
    problem.explain()
}

#[tokio::test]
async fn a_policy_that_cannot_be_told_or_used_is_a_problem_and_no_user_is_assigned() {
    let mut fixture = Fixture::new(TEAM).await;
    let off = fixture.sandbox.add_sign_on_policy("Old", false);
    insta::assert_snapshot!(problem("Phishing", &mut fixture).await, @r"
    Okta has no sign-on policy `Phishing`; it has Any two factors, Phishing resistant, Old
      while:  planning step sign-on-policy
      to do:  correct okta.sign_on_policy in the blueprint; names are compared exactly
    ");
    insta::assert_snapshot!(problem("Old", &mut fixture).await, @r"
    sign-on policy `Old` is INACTIVE in Okta
      while:  planning step sign-on-policy
      to do:  activate the policy in Okta, or name another one as okta.sign_on_policy in the blueprint
    ");

    let first = policy_named(&fixture, OTHER).await;
    let second = fixture.sandbox.add_sign_on_policy(OTHER, true);
    let found = problem(OTHER, &mut fixture).await;
    let message = format!("`{OTHER}` is the name of 2 sign-on policies: {first}, {second}\n");
    assert!(found.starts_with(&message), "{found}");

    fixture.blueprint = Blueprint::from_toml(&with_policy(&second)).expect("a blueprint");
    let (plan, _) = fixture.run().await.expect("a run");
    let step = plan.step(&okta_aws_sso::plan::StepId::new(STEP));
    let [change] = step.expect("the step").changes.as_slice() else {
        panic!("{plan}");
    };
    assert_eq!(change.action, Action::Update);
    let shown = Value::Known(format!("{OTHER} ({second})"));
    assert_eq!(change.fields[0].after, shown);
    assert_eq!(
        change.fields[0].before,
        Value::Known("Any two factors".to_owned())
    );
    assert_ne!(off, second);
}

#[tokio::test]
async fn the_names_of_many_policies_are_abbreviated() {
    let mut fixture = Fixture::new(TEAM).await;
    for number in 0..10 {
        let _id = fixture
            .sandbox
            .add_sign_on_policy(&format!("Policy {number}"), true);
    }
    let found = problem("none", &mut fixture).await;
    assert!(found.contains("Policy 7 and 2 more\n"), "{found}");
}

#[tokio::test]
async fn a_policy_that_okta_accepts_and_does_not_set_is_a_failure() {
    let fixture = Fixture::new(&with_policy(OTHER)).await;
    let ignored = Fault::answer(Service::Okta, 204, &[], "", false);
    fixture.sandbox.inject(ignored.on("/policies/").on_writes());
    let error = fixture.run().await.expect_err("the policy is not set");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "Okta accepted the sign-on policy `{OTHER}` for app 0oa"
        )) && text.ends_with("but now returns Any two factors"),
        "{text}"
    );
    assert_eq!(fixture.sandbox.identity_users().len(), 0);
}
