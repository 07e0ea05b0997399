//! The nine ways in which access is changed by hand: mode `exclusive` takes each of them back, under the guard.

use okta_aws_sso::{
    AccessQuery, ErrorKind, Guard, Plan, Severity, aws::NewPermissionSet, plan::Hazard,
};
use sandbox::{Fault, Sandbox, Service};

use crate::fixture::{Fixture, TEAM, apply, company};

const ADMINISTRATOR: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// [`TEAM`] with a set that has a boundary, which owns all access.
fn blueprint() -> String {
    let team = TEAM.replace(
        "inline_policy",
        "permissions_boundary = { managed_policy = \"PowerUserAccess\" }\ninline_policy",
    );
    format!("[ownership]\naccess = \"exclusive\"\npermission_sets = \"exclusive\"\n{team}")
}

async fn applied() -> Fixture {
    let sandbox = Sandbox::builder().company(company());
    let fixture = Fixture::with_sandbox(sandbox, &blueprint()).await;
    fixture.run().await.expect("a run");
    fixture
}

/// Creates a permission set by hand that gives everything.
async fn create_administrator_set(fixture: &Fixture) {
    let new = NewPermissionSet {
        name: "Handmade".to_owned(),
        ..NewPermissionSet::default()
    };
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let set = sets.create(&new).await.expect("a set");
    let put = sets.put_inline_policy(&set.arn, ADMINISTRATOR).await;
    put.expect("a policy");
}

fn removals(plan: &Plan) -> Vec<String> {
    plan.removals()
        .map(|(_, change)| change.to_string())
        .collect()
}

#[tokio::test]
async fn exclusive_takes_back_the_nine_ways_of_a_change_by_hand() {
    let fixture = applied().await;
    let (sandbox, workload, management) = (
        fixture.account("Sandbox").await,
        fixture.account("Workload 0003").await,
        fixture.account("Management").await,
    );
    let [second, third, ada] = [
        "person.00002@example.com",
        "person.00003@example.com",
        "ada.lovelace@example.com",
    ];
    // A group of the same name is recreated.
    fixture.delete_aws_group("deployers").await;
    fixture
        .create_aws_group("deployers", &[second, third])
        .await;
    // A group gets a set in an account of the blueprint, a user the same, and a user another account.
    fixture.create_aws_group("contractors", &[]).await;
    fixture.give("contractors", "Deploy", "Sandbox").await;
    fixture.give(second, "Deploy", "Workload 0003").await;
    fixture.give(ada, "Deploy", "Management").await;
    // A new set.
    create_administrator_set(&fixture).await;
    fixture.give(third, "Handmade", "Sandbox").await;
    // An extra managed policy, another inline policy, no boundary, and a customer-managed policy.
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let arn = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    let arn = arn.permission_set;
    let extra = "arn:aws:iam::aws:policy/IAMFullAccess";
    sets.attach_managed_policy(&arn, extra)
        .await
        .expect("a policy");
    let narrow = r#"{"Version":"2012-10-17","Statement":[]}"#;
    sets.put_inline_policy(&arn, narrow)
        .await
        .expect("a policy");
    sets.delete_boundary(&arn).await.expect("no boundary");
    let customer = sets.attach_customer_managed_policy(&arn, "Extra").await;
    customer.expect("a policy");

    let plan = fixture.plan().await;
    let mut found = removals(&plan);
    found.retain(|line| !line.starts_with("remove deleted group "));
    let expected = [
        "remove permissions boundary of permission set Deploy".to_owned(),
        format!("remove policy {extra} of permission set Deploy"),
        "remove inline policy of permission set Deploy".to_owned(),
        "remove customer-managed policy /Extra of permission set Deploy".to_owned(),
        format!("remove group contractors: Deploy in {sandbox}"),
        format!("remove user {second}: Deploy in {workload}"),
        format!("remove user {ada}: Deploy in {management}"),
        format!("remove user {third}: Handmade in {sandbox}"),
        "remove permission set Handmade".to_owned(),
    ];
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&found), sorted(&expected), "{plan}");
    let orphans = plan.removals().count() - found.len();
    assert_eq!(orphans, 2, "the old group of the name: {plan}");
    let refused = apply(&fixture.pipeline(), &plan).await;
    assert_eq!(
        refused.expect_err("removals").kind(),
        ErrorKind::GuardRejected
    );
    fixture.approve(&plan).await;
    let drift = fixture.pipeline().drift(&AccessQuery::full()).await;
    let drift = drift.expect("a drift");
    let left: Vec<String> = drift
        .at_least(Severity::Warning)
        .map(ToString::to_string)
        .collect();
    assert_eq!(left, [""; 0]);
    assert_eq!(fixture.assignments().len(), 3);
}

#[tokio::test]
async fn exclusive_keeps_the_last_administrator_of_an_account_that_others_gave() {
    let fixture = applied().await;
    create_administrator_set(&fixture).await;
    let user = "person.00003@example.com";
    fixture.give(user, "Handmade", "Workload 0003").await;
    let plan = fixture.plan().await;
    assert_eq!(
        removals(&plan).len(),
        2,
        "the assignment and the set: {plan}"
    );
    let account = fixture.account("Workload 0003").await;
    let hazards: Vec<&Hazard> = plan.hazards().collect();
    let expected = Hazard::LastAdministrator {
        account: account.as_str().into(),
    };
    assert_eq!(hazards, [&expected]);
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let refused = apply(&fixture.pipeline().guard(approved), &plan).await;
    assert_eq!(
        refused.expect_err("a hazard").kind(),
        ErrorKind::GuardRejected
    );
}

/// Answers the calls for the identity of the caller as AWS does for a user who has signed in through Identity Center.
fn sign_in(fixture: &Fixture, account: &str, set: &str, user: &str) {
    let arn =
        format!("arn:aws:sts::{account}:assumed-role/AWSReservedSSO_{set}_0123456789abcdef/{user}");
    let result =
        format!("<Arn>{arn}</Arn><UserId>AROAEXAMPLE:{user}</UserId><Account>{account}</Account>");
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>{result}</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    for _ in 0..10 {
        let fault = Fault::answer(
            Service::Aws,
            200,
            &[("content-type", "text/xml")],
            body.clone(),
            false,
        );
        fixture.sandbox.inject(fault.on("GetCallerIdentity"));
    }
}

#[tokio::test]
async fn exclusive_keeps_the_access_of_the_caller_also_if_the_removals_are_approved() {
    let fixture = applied().await;
    let user = "person.00003@example.com";
    fixture.give(user, "Deploy", "Management").await;
    let account = fixture.account("Management").await;
    sign_in(&fixture, &account, "Deploy", user);
    let plan = fixture.plan().await;
    let removed = format!("remove user {user}: Deploy in {account}");
    assert_eq!(removals(&plan), [removed], "{plan}");
    let hazards: Vec<&Hazard> = plan.hazards().collect();
    assert!(
        matches!(hazards[..], [Hazard::OwnAccess { .. }]),
        "{hazards:?}"
    );
    let approved = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let refused = apply(&fixture.pipeline().guard(approved), &plan).await;
    let error = refused.expect_err("a hazard");
    assert_eq!(error.kind(), ErrorKind::GuardRejected);
    assert!(
        error
            .to_string()
            .contains("takes away the access of the caller"),
        "{error}"
    );
    fixture.sandbox.clear_faults();
}
