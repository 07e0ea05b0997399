//! Tests of the drift: access that was given or taken by hand is a finding by name.

use std::time::Duration;

use okta_aws_sso::{
    AccessQuery, Drift,
    aws::{Assignment, Boundary, NewPermissionSet, estate::Strategy},
    drift::{DriftCause, DriftCode},
};
use rest_core::Clock as _;
use sandbox::{
    AccountSeed, AccountState, Fault, PermissionSetSeed, Person, PersonStatus, PrincipalSeed,
    Sandbox, Service,
};

use crate::fixture::{Fixture, TEAM, apply, company};

/// [`TEAM`] with a set that has all parts.
fn blueprint() -> String {
    TEAM.replace(
        "inline_policy",
        "customer_managed_policies = [\"/teams/Limits\"]\npermissions_boundary = { managed_policy = \"PowerUserAccess\" }\nrelay_state = \"https://console.aws.amazon.com/s3/\"\ntags = { owner = \"web\" }\ninline_policy",
    )
}

/// Returns a fixture whose blueprint was applied, without drift.
async fn applied() -> Fixture {
    let company = company().policy_in_accounts("/teams/Limits");
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, &blueprint()).await;
    fixture.run().await.expect("a run");
    let drift = drift(&fixture).await;
    assert_eq!(texts(&drift), Vec::<String>::new());
    fixture
}

async fn drift(fixture: &Fixture) -> Drift {
    let drift = fixture.pipeline().drift(&AccessQuery::full()).await;
    let drift = drift.expect("a drift");
    assert_eq!(drift.problems, [], "all was compared");
    assert!(drift.coverage.as_ref().expect("a coverage").is_complete());
    drift
}

/// Returns the findings that are more than information, one line each.
fn texts(drift: &Drift) -> Vec<String> {
    let findings = drift.at_least(okta_aws_sso::Severity::Warning);
    findings.map(ToString::to_string).collect()
}

/// Asserts that there is one finding, with this code and this text.
#[track_caller]
fn is(drift: &Drift, code: DriftCode, text: &str) {
    let found = texts(drift);
    assert_eq!(found.len(), 1, "{found:?}");
    let expected = format!("{} {code}: {text}", code.severity());
    assert_eq!(found[0], expected);
}

async fn give(fixture: &Fixture, name: &str, set: &str, account: &str) -> Assignment {
    let assignment = fixture.assignment(name, set, account).await;
    fixture.change_assignment(&assignment, true).await;
    assignment
}

#[tokio::test]
async fn a_group_in_a_pair_of_the_blueprint_is_found() {
    let fixture = applied().await;
    fixture.create_aws_group("contractors", &[]).await;
    let id = give(&fixture, "contractors", "Deploy", "Sandbox")
        .await
        .account;
    let found = drift(&fixture).await;
    let text =
        format!("group contractors has Deploy in Sandbox ({id}): the blueprint does not give it");
    let expected = [
        format!("error unmanaged-assignment: {text}"),
        "warning group-without-members: group contractors has no members and has 1 assignment"
            .to_owned(),
    ];
    assert_eq!(texts(&found), expected);
}

#[tokio::test]
async fn a_user_in_a_pair_of_a_group_is_found() {
    let fixture = applied().await;
    let user = "person.00002@example.com";
    let id = give(&fixture, user, "Deploy", "Sandbox").await.account;
    let text = format!("user {user} has Deploy in Sandbox ({id}): the blueprint does not give it");
    is(
        &drift(&fixture).await,
        DriftCode::UnmanagedAssignment,
        &text,
    );

    // Groups alone do not show it, and the drift says so.
    let found = fixture.pipeline().drift(&AccessQuery::default()).await;
    let found = found.expect("a drift");
    assert_eq!(texts(&found), Vec::<String>::new());
    let limited = found
        .findings
        .iter()
        .find(|one| one.code == DriftCode::CoverageLimited);
    assert!(
        limited
            .expect("a finding")
            .text
            .contains("direct assignments of")
    );
}

#[tokio::test]
async fn a_user_in_another_account_is_found() {
    let fixture = applied().await;
    let user = "ada.lovelace@example.com";
    let id = give(&fixture, user, "AdministratorAccess", "Management")
        .await
        .account;
    let text = format!(
        "user {user} has AdministratorAccess in Management ({id}): the blueprint does not give it"
    );
    is(&drift(&fixture).await, DriftCode::UnmanagedAdmin, &text);
}

#[tokio::test]
async fn a_new_set_and_the_user_who_has_it_are_found() {
    let fixture = applied().await;
    let new = NewPermissionSet {
        name: "Handmade".to_owned(),
        ..NewPermissionSet::default()
    };
    let center = fixture.center().await;
    let set = center.permission_sets().create(&new).await.expect("a set");
    let all =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let put = center
        .permission_sets()
        .put_inline_policy(&set.arn, all)
        .await;
    put.expect("a policy");
    let user = "person.00003@example.com";
    let id = give(&fixture, user, "Handmade", "Management").await.account;
    let expected = [
        format!(
            "critical unmanaged-admin: user {user} has Handmade in Management ({id}): the blueprint does not give it"
        ),
        "error unmanaged-set: permission set Handmade is not in the blueprint".to_owned(),
    ];
    assert_eq!(texts(&drift(&fixture).await), expected);
}

#[tokio::test]
async fn each_changed_part_of_a_set_is_found_and_the_next_run_restores_it() {
    let fixture = applied().await;
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let arn = sets
        .find("Deploy")
        .await
        .expect("a response")
        .expect("a set")
        .arn;
    let of = "of permission set Deploy";
    let extra = "arn:aws:iam::aws:policy/IAMFullAccess";
    sets.attach_managed_policy(&arn, extra)
        .await
        .expect("a policy");
    let outdated =
        "warning outdated-in-accounts: provisioning of permission set Deploy is not complete";
    let expected = [
        format!("critical set-widened: policy {extra} {of} is not in the blueprint"),
        outdated.to_owned(),
    ];
    assert_eq!(texts(&drift(&fixture).await), expected);
    sets.detach_managed_policy(&arn, extra)
        .await
        .expect("no policy");

    let narrow = r#"{"Version":"2012-10-17","Statement":[]}"#;
    sets.put_inline_policy(&arn, narrow)
        .await
        .expect("a policy");
    sets.delete_boundary(&arn).await.expect("no boundary");
    sets.attach_customer_managed_policy(&arn, "Extra")
        .await
        .expect("a policy");
    sets.detach_customer_managed_policy(&arn, "/teams/Limits")
        .await
        .expect("no policy");
    sets.tag(&arn, [("owner", "ops"), ("other", "kept")])
        .await
        .expect("tags");
    let found = texts(&drift(&fixture).await);
    let starts = [
        format!("critical boundary-removed: permissions boundary {of} is missing"),
        format!("critical set-widened: customer-managed policy /Extra {of} is not in the blueprint"),
        format!("critical set-widened: inline policy {of} differs: policy is sha256 "),
        format!("error policy-missing: customer-managed policy /teams/Limits {of} is missing"),
        outdated.to_owned(),
        "warning setting-changed: permission set Deploy differs: tag owner is ops, and web in the blueprint".to_owned(),
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(&start), "{found}\n{start}");
    }

    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let removals: Vec<String> = plan
        .removals()
        .map(|(_, change)| change.to_string())
        .collect();
    assert_eq!(
        removals,
        [
            format!("remove permissions boundary {of}"),
            format!("remove inline policy {of}"),
            format!("remove customer-managed policy /Extra {of}"),
        ]
    );
    let guard = okta_aws_sso::Guard {
        max_removals: 3,
        ..okta_aws_sso::Guard::default()
    };
    let pipeline = pipeline.guard(guard);
    pipeline
        .apply(&plan)
        .await
        .and_then(okta_aws_sso::Report::complete)
        .expect("a run");
    assert_eq!(texts(&drift(&fixture).await), Vec::<String>::new());
    let contents = sets
        .contents(sets.get(&arn).await.expect("a set"), true)
        .await;
    let contents = contents.expect("contents");
    let boundary = Boundary::ManagedPolicy("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
    assert_eq!(contents.boundary, Some(boundary));
    let tags: Vec<_> = contents.tags.expect("tags").into_iter().collect();
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        tags,
        [
            tag("okta-aws-sso:blueprint", "default"),
            tag("other", "kept"),
            tag("owner", "web")
        ]
    );
}

#[tokio::test]
async fn a_group_that_was_recreated_is_found_by_its_name_on_both_sides() {
    let fixture = applied().await;
    let old = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    let id = |one: &Assignment| match &one.principal {
        okta_aws_sso::aws::Principal::Group(id) => id.to_string(),
        okta_aws_sso::aws::Principal::User(id) => id.to_string(),
    };
    fixture.delete_aws_group("deployers").await;
    fixture
        .create_aws_group("deployers", &["person.00002@example.com"])
        .await;
    let new = fixture.assignment("deployers", "Deploy", "Sandbox").await;
    let found = drift(&fixture).await;
    let codes = |code| found.findings.iter().filter(move |one| one.code == code);
    assert_eq!(codes(DriftCode::Orphan).count(), 2);
    assert_eq!(codes(DriftCode::MissingAssignment).count(), 2);
    let cause = DriftCause::RecreatedPrincipal {
        name: "group deployers".to_owned(),
        old_id: id(&old),
        new_id: Some(id(&new)),
    };
    for finding in codes(DriftCode::Orphan).chain(codes(DriftCode::MissingAssignment)) {
        assert_eq!(finding.cause, Some(cause.clone()), "{finding}");
        assert!(finding.text.contains("group deployers"), "{finding}");
    }
}

#[tokio::test]
async fn access_that_is_missing_is_found_with_its_entry() {
    let fixture = applied().await;
    let gone = fixture
        .assignment("deployers", "Deploy", "Workload 0003")
        .await;
    fixture.change_assignment(&gone, false).await;
    let text = format!(
        "group deployers does not have Deploy in Workload 0003 ({}), which access[1] (line 19) gives",
        gone.account
    );
    let found = drift(&fixture).await;
    let text_found = texts(&found);
    assert!(
        text_found[0].starts_with(
            "error missing-assignment: group deployers does not have Deploy in Workload 0003"
        ),
        "{text_found:?} {text}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_and_the_rest_is_compared() {
    let fixture = applied().await;
    give(&fixture, "person.00002@example.com", "Deploy", "Sandbox").await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let refused = r#"{"__type":"ValidationException","message":"no"}"#;
    let fault = Fault::answer(Service::Aws, 400, &json, refused, false);
    let fault = fault.on("ListManagedPoliciesInPermissionSet");
    fixture.sandbox.inject(fault);
    let found = fixture
        .pipeline()
        .drift(&AccessQuery::full())
        .await
        .expect("a drift");
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    assert_eq!(texts(&found).len(), 1, "{:?}", texts(&found));
}

#[tokio::test]
async fn access_that_gives_nothing_is_found_for_each_user_group_and_account() {
    const DELETED: &str = "90000000-1111-2222-3333-000000000001";
    let grace = Person::new("grace@example.com", "Grace", "Hopper");
    let grace = grace.with_status(PersonStatus::Suspended);
    let old = AccountSeed::new("200000000009", "Old", "").with_state(AccountState::Closed);
    let workload = "200000000003";
    let company = company().account(old).estate(|estate| {
        estate
            .user(grace)
            .group("left", [""; 0])
            .set(PermissionSetSeed::new("Legacy"))
            .assign(PrincipalSeed::User("grace@example.com"), workload, "Legacy")
            .assign(PrincipalSeed::Group("left"), "200000000009", "Legacy")
            .assign(PrincipalSeed::UserId(DELETED), workload, "Legacy")
    });
    let blueprint = format!("{TEAM}\n[permission_sets.Legacy]\nexisting = true\n");
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, &blueprint).await;
    // The users of AWS are those of an earlier identity source.
    let pipeline = fixture.pipeline().guard(okta_aws_sso::Guard {
        max_removals: 1,
        ..okta_aws_sso::Guard::default()
    });
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    let not_given = "the blueprint does not give it";
    let expected = [
        format!("error unmanaged-assignment: user grace@example.com has Legacy in Workload 0003 ({workload}): {not_given}"),
        format!("error unmanaged-assignment: group left has Legacy in Old (200000000009): {not_given}"),
        format!("error orphan: deleted user {DELETED} has Legacy in Workload 0003 ({workload}): AWS keeps the assignment of a deleted user or group"),
        "warning disabled-user-with-access: user grace@example.com is disabled and has 1 assignment".to_owned(),
        "warning closed-account-with-access: account Old (200000000009) is closed or no longer in the organization, and has 1 assignment".to_owned(),
    ];
    assert_eq!(texts(&drift(&fixture).await), expected);

    // The blueprint only uses the set, and another administrator changes it.
    let center = fixture.center().await;
    let sets = center.permission_sets();
    let legacy = sets
        .find("Legacy")
        .await
        .expect("a response")
        .expect("a set");
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attached = sets.attach_managed_policy(&legacy.arn, policy).await;
    attached.expect("a policy");
    let found = drift(&fixture).await;
    let changed = |one: &&okta_aws_sso::DriftFinding| one.code == DriftCode::ExistingSetChanged;
    assert_eq!(found.findings.iter().filter(changed).count(), 1);
}

#[tokio::test]
async fn a_moved_account_an_expired_entry_and_a_protected_one_are_told_apart() {
    let web = AccountSeed::new("200000000801", "web-prod", "Workloads/Production");
    let dev = AccountSeed::new("200000000802", "web-dev", "Workloads/Development");
    let app = AccountSeed::new("200000000803", "app-prod", "Workloads/Production");
    let company = company().account(web).account(dev).account(app);
    let blueprint = r#"
        provisioning = { assign_groups = ["aws-users"] }
        [[access]]
        group = "deployers"
        permission_set = "PowerUserAccess"
        accounts = { ou = ["Workloads/Production"] }
        [[access]]
        group = "deployers"
        permission_set = "ReadOnlyAccess"
        account = "web-dev"
        until = 2026-11-30
        [[access]]
        user = "ada.lovelace@example.com"
        permission_set = "AdministratorAccess"
        account = "Sandbox"
        protected = true
        "#;
    let sandbox = Sandbox::builder().company(company);
    let fixture = Fixture::with_sandbox(sandbox, blueprint).await;
    fixture.run().await.expect("a run");
    let soon = drift(&fixture).await;
    let soon: Vec<DriftCode> = soon.findings.iter().map(|one| one.code).collect();
    assert_eq!(soon, [DriftCode::ExpiresSoon]);

    let organizations = fixture.aws.sdk().organizations();
    let parents = organizations.list_parents().child_id("200000000801").send();
    let from = parents.await.expect("parents").parents()[0]
        .id()
        .expect("an id")
        .to_owned();
    let parents = organizations.list_parents().child_id("200000000802").send();
    let to = parents.await.expect("parents").parents()[0]
        .id()
        .expect("an id")
        .to_owned();
    let moved = organizations.move_account().account_id("200000000801");
    let moved = moved
        .source_parent_id(from)
        .destination_parent_id(to)
        .send();
    moved.await.expect("a move");
    let protected =
        fixture.assignment("ada.lovelace@example.com", "AdministratorAccess", "Sandbox");
    fixture.change_assignment(&protected.await, false).await;
    // From 24 November to 1 December.
    fixture.clock.sleep(Duration::from_hours(7 * 24)).await;
    let found = drift(&fixture).await;
    let of = |code| {
        found
            .findings
            .iter()
            .find(|one| one.code == code)
            .expect("a finding")
    };
    assert_eq!(texts(&found).len(), 3, "{:#?}", texts(&found));
    of(DriftCode::ProtectedMissing);
    of(DriftCode::ExpiredStillAssigned);
    assert_eq!(
        of(DriftCode::UnmanagedAssignment).cause,
        Some(DriftCause::MovedAccount {
            selector: "ou Workloads/Production".to_owned()
        })
    );
}

#[tokio::test]
async fn an_orphan_is_found_without_reading_the_assignments_of_every_user() {
    let fixture = applied().await;
    fixture.delete_aws_group("deployers").await;
    let found = fixture.pipeline().drift(&AccessQuery::default()).await;
    let found = found.expect("a drift");
    let coverage = found.coverage.as_ref().expect("a coverage");
    assert_eq!(coverage.strategy, Strategy::ByPrincipal);
    let orphan = |one: &&okta_aws_sso::DriftFinding| one.code == DriftCode::Orphan;
    assert_eq!(found.findings.iter().filter(orphan).count(), 2);
}

#[tokio::test]
async fn a_step_that_cannot_be_compared_is_a_problem() {
    let fixture = applied().await;
    let json = [("content-type", "application/x-amz-json-1.1")];
    let refused = r#"{"__type":"ValidationException","message":"no"}"#;
    let fault = Fault::answer(Service::Aws, 400, &json, refused, false);
    fixture.sandbox.inject(fault.on("ListGroups"));
    let found = fixture.pipeline().drift(&AccessQuery::full()).await;
    let found = found.expect("a drift");
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    let during = found.problems[0].during.as_deref().expect("an operation");
    assert!(during.contains("comparing step"), "{during}");
}
