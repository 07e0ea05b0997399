//! Tests of group push: a group is pushed after its members, and again if members are missing in AWS.

#![expect(clippy::print_stdout, reason = "the tests print what they count")]

use std::time::Duration;

use okta_aws_sso::{
    Blueprint, Cause, ChangeResult, ErrorKind, Outcome, Pipeline, WaitPolicy,
    okta::PushActivation,
    plan::{StepId, Subject},
    steps::{self, ids},
};
use sandbox::{Company, Fault, Person, PersonStatus, Sandbox, SandboxBuilder, Service, Team};

use crate::fixture::{Fixture, SEED, TEAM, apply, company, lines, unindented};

/// Returns the number of requests to Okta whose text contains each part.
fn okta_requests(fixture: &Fixture, method: &str, part: &str) -> usize {
    let requests = fixture.sandbox.requests();
    let matches = requests.iter().filter(|request| {
        request.service == Service::Okta && request.method == method && request.path.contains(part)
    });
    matches.count()
}

fn deployers(fixture: &Fixture) -> Vec<String> {
    let groups = fixture.sandbox.identity_groups();
    let group = groups
        .into_iter()
        .find(|group| group.display_name == "deployers");
    group.expect("the group in AWS").members
}

/// Returns a pipeline that gives no access.
fn without_access(fixture: &Fixture) -> Pipeline {
    let steps = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let steps = steps
        .without(&ids::PERMISSION_SETS)
        .without(&ids::ACCOUNT_ASSIGNMENTS)
        .without(&ids::SIGN_IN);
    fixture.pipeline_of(steps)
}

#[tokio::test]
async fn a_group_is_pushed_once_its_members_are_provisioned() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    assert_eq!(
        deployers(&fixture),
        ["person.00002@example.com", "person.00003@example.com"]
    );
    assert_eq!(okta_requests(&fixture, "POST", "group-push/mappings"), 1);
    assert_eq!(okta_requests(&fixture, "PATCH", "group-push/mappings"), 0);
    assert!(fixture.pipeline().plan().await.expect("a plan").is_empty());
}

#[tokio::test]
async fn a_member_that_joins_both_groups_later_is_pushed_in_the_same_run() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let _id = fixture
        .sandbox
        .add_user(&Person::new("eve@example.com", "Eve", "Evans"));
    fixture
        .sandbox
        .set_group_member("aws-users", "eve@example.com", true);
    fixture
        .sandbox
        .set_group_member("deployers", "eve@example.com", true);
    let (plan, _) = fixture.run().await.expect("the next run");
    assert_eq!(
        lines(&plan, "app-access"),
        ["update group deployers pushed to AWS"]
    );
    assert!(deployers(&fixture).contains(&"eve@example.com".to_owned()));
    assert!(fixture.pipeline().plan().await.expect("a plan").is_empty());
}

#[tokio::test]
async fn a_new_member_that_okta_is_about_to_push_needs_no_second_push() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    fixture
        .sandbox
        .set_group_member("deployers", "ada.lovelace@example.com", true);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(lines(&plan, "app-access"), [""; 0]);
}

#[tokio::test]
async fn a_failed_member_is_a_problem_by_name_and_its_group_is_pushed() {
    let fixture = Fixture::new(TEAM).await;
    // AWS refuses the title, which the check of the profile does not read.
    fixture
        .sandbox
        .set_user_attribute("person.00003@example.com", "title", "Deploys\u{200b}");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let report = fixture.pipeline().apply(&plan).await.expect("a report");
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["Okta could not provision user person.00003@example.com to AWS (STAGED, sync ERROR)"]
    );
    assert_eq!(deployers(&fixture), ["person.00002@example.com"]);
    assert_eq!(fixture.assignments().len(), 3, "the group has its access");
    let user = Subject::user("person.00003@example.com");
    assert_eq!(
        outcome(&report, &user),
        Outcome::Skipped {
            because: Cause::Subject(user)
        }
    );
    assert!(
        report.ended.duration_since(report.started).as_mins() < 5,
        "nothing waits for it"
    );
    let again = fixture.pipeline().plan().await.expect("the next plan");
    assert_eq!(
        lines(&again, "app-access"),
        [""; 0],
        "another push would not help"
    );
}

#[tokio::test]
async fn a_member_that_stays_pending_is_a_problem_by_name_and_its_group_is_pushed_at_last() {
    let sandbox = Sandbox::builder().company(company()).page_size(None);
    let delay = Duration::from_hours(2);
    let fixture = Fixture::with_provisioning_delay(sandbox, TEAM, delay).await;
    let pipeline = without_access(&fixture);
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    let problem = "no progress within the stall timeout: Okta has not provisioned user person.00002@example.com to AWS (STAGED, sync SYNCING)";
    assert!(problems.contains(&problem.to_owned()), "{problems:?}");
    assert_eq!(okta_requests(&fixture, "POST", "group-push/mappings"), 1);
}

#[tokio::test]
async fn a_member_that_okta_does_not_provision_is_not_missing() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let eve = Person::new("eve@example.com", "Eve", "Evans").with_status(PersonStatus::Staged);
    let _id = fixture.sandbox.add_user(&eve);
    for group in ["aws-users", "deployers"] {
        fixture.sandbox.set_group_member(group, &eve.login, true);
    }
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(lines(&plan, "app-access"), [""; 0]);
}

fn outcome(report: &okta_aws_sso::Report, subject: &Subject) -> Outcome {
    let mut results = report.results.iter();
    let result = results.find(|result: &&ChangeResult| result.subject == *subject);
    result.expect("a result").outcome.clone()
}

#[tokio::test]
async fn users_of_a_group_that_cannot_be_assigned_are_skipped_at_once() {
    let mut fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    fixture.blueprint = Blueprint::from_toml(TEAM).expect("a blueprint");
    let refused = r#"{"errorCode":"E0000006","errorSummary":"You do not have permission to perform the requested action"}"#;
    let json = [("content-type", "application/json")];
    let fault = Fault::answer(Service::Okta, 403, &json, refused, false);
    fixture
        .sandbox
        .inject(fault.on(format!("PUT /api/v1/apps/{}/groups/", fixture.app().await)));
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let report = fixture.pipeline().apply(&plan).await.expect("a report");
    let group = Subject::AppGroup {
        group: "aws-users".into(),
    };
    assert!(matches!(outcome(&report, &group), Outcome::Failed { .. }));
    for login in ["person.00002@example.com", "person.00003@example.com"] {
        let because = Cause::Subject(group.clone());
        assert_eq!(
            outcome(&report, &Subject::user(login)),
            Outcome::Skipped { because }
        );
    }
    let push = Subject::GroupPush {
        group: "deployers".into(),
    };
    assert_eq!(outcome(&report, &push), Outcome::Done);
    assert!(report.ended.duration_since(report.started).as_mins() < 5);
}

#[tokio::test]
async fn members_that_are_missing_in_aws_are_pushed_again_once() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    fixture
        .remove_from_aws_group("deployers", "person.00003@example.com")
        .await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("app-access")).expect("the step");
    insta::assert_snapshot!(unindented(step), @r"
    ~ group deployers pushed to AWS
    status    ACTIVE -> INACTIVE, then ACTIVE
    lastPush  2026-11-24T09:01:43Z -> (known after app-access)
    (missing in AWS: person.00003@example.com; Okta adds a member that was provisioned after the push only if it pushes the group again)
    ");
    assert_eq!(
        plan.removals().count(),
        0,
        "the push is off and on again within one change"
    );
    fixture.sandbox.clear_requests();
    // Without the step that waits for the members, the push is in progress after the run.
    let steps = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let pipeline = fixture.pipeline_of(steps.without(&ids::ARRIVAL));
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    assert_eq!(okta_requests(&fixture, "PATCH", "group-push/mappings"), 2);
    assert_eq!(okta_requests(&fixture, "DELETE", "group-push/mappings"), 0);
    assert_eq!(deployers(&fixture), ["person.00002@example.com"]);
    let again = fixture.pipeline().plan().await.expect("a plan");
    let step = again.step(&StepId::new("app-access")).expect("the step");
    insta::assert_snapshot!(unindented(step), @r"
    ! group deployers was pushed again for 1 member, which AWS does not have in the group: person.00003@example.com (look at Push Groups of the app in Okta)
    ");
    let (_, _) = fixture.run().await.expect("a run that waits");
    assert_eq!(deployers(&fixture).len(), 2);
    assert!(fixture.pipeline().plan().await.expect("a plan").is_empty());
    // The same member is missing again: a new finding.
    fixture
        .remove_from_aws_group("deployers", "person.00003@example.com")
        .await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, "app-access"),
        ["update group deployers pushed to AWS"]
    );
}

#[tokio::test]
async fn a_push_in_error_is_a_problem_with_oktas_summary_and_is_not_touched() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    fixture.delete_aws_group("deployers").await;
    fixture
        .sandbox
        .set_group_member("deployers", "ada.lovelace@example.com", true);
    fixture.sandbox.advance(Duration::from_mins(1));
    fixture.sandbox.clear_requests();
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let problems: Vec<String> = plan.problems().map(ToString::to_string).collect();
    assert!(
        problems[0].contains("Okta could not push group deployers to AWS: Failed on")
            && problems[0].contains("Linked group is missing in AWS IAM Identity Center"),
        "{problems:?}"
    );
    let report = fixture.pipeline().apply(&plan).await.expect("a report");
    assert!(!report.is_complete());
    let took = report.ended.duration_since(report.started);
    assert!(took.as_mins() < 5, "nothing waits for it: {took}");
    let written = ["PATCH", "DELETE", "POST"]
        .map(|method| okta_requests(&fixture, method, "group-push/mappings"));
    assert_eq!(written, [0; 3]);
}

#[tokio::test]
async fn a_long_wait_looks_at_okta_at_most_once_a_minute() {
    let sandbox = Sandbox::builder().company(company()).page_size(None);
    let delay = Duration::from_mins(14);
    let fixture = Fixture::with_provisioning_delay(sandbox, TEAM, delay).await;
    let pipeline = without_access(&fixture);
    let plan = pipeline.plan().await.expect("a plan");
    fixture.sandbox.clear_requests();
    apply(&pipeline, &plan).await.expect("a run");
    let app_users = format!("/apps/{}/users", fixture.app().await);
    let lists = okta_requests(&fixture, "GET", &app_users);
    let mappings = okta_requests(&fixture, "GET", "group-push/mappings");
    println!("28 minutes of waiting: {lists} lists of users, {mappings} of mappings");
    // Two waits of 14 minutes. The first starts with 7 looks within a minute; the second looks at AWS only.
    assert!(lists <= (14 + 7) + 14 + 3, "{lists}");
    assert!(mappings <= 14 + 3, "{mappings}");
}

/// Counts the requests of a first run that pushes 300 groups in an org of `total` groups.
async fn push_300_groups(total: usize) {
    let names: Vec<String> = (0..total)
        .map(|number| format!("team-{number:05}"))
        .collect();
    let mut company = Company::small(4, 2);
    let members = ["person.00002@example.com", "person.00003@example.com"];
    let teams = names.iter().map(|name| Team::new(name, &members));
    company.teams.extend(teams);
    let access = names[..300].iter().map(|name| {
        format!("[[access]]\ngroup = \"{name}\"\naccount = \"Sandbox\"\npermission_set = \"AdministratorAccess\"\n")
    });
    let settings = "[provisioning]\nassign_groups = [\"aws-users\"]\n[sign_in]\nskip = true\n";
    let blueprint: String = std::iter::once(settings.to_owned()).chain(access).collect();
    let sandbox: SandboxBuilder = Sandbox::builder().company(company).page_size(None);
    let fixture = Fixture::with_sandbox(sandbox, &blueprint).await;
    // One member fails; its groups are pushed without it.
    fixture
        .sandbox
        .set_user_attribute("person.00003@example.com", "title", "Deploys\u{200b}");
    let pipeline = without_access(&fixture).wait_policy(WaitPolicy::default());
    let plan = pipeline.plan().await.expect("a plan");
    let report = pipeline.apply(&plan).await.expect("a report");
    let in_aws = fixture.sandbox.identity_groups();
    assert_eq!(in_aws.len(), 300);
    assert!(
        in_aws
            .iter()
            .all(|group| group.members == ["person.00002@example.com"])
    );
    let error = report.complete().expect_err("a failed member");
    assert_eq!(error.kind(), ErrorKind::UnusableSubject);
    let count = |method, part| okta_requests(&fixture, method, part);
    let writes = count("POST", "group-push/mappings") + count("PATCH", "group-push/mappings");
    let lists = count("GET", "group-push/mappings");
    let app_users = count("GET", "/apps/");
    let groups = count("GET", "/api/v1/groups");
    println!(
        "300 of {total} groups: {writes} mapping writes, {lists} mapping lists, {app_users} reads of the app, {groups} group reads ({:.2} for each group)",
        f64::from(u32::try_from(groups).expect("a count")) / 300.0
    );
    assert_eq!(writes, 300);
    assert!(lists <= 15, "{lists} lists of mappings");
    assert!(groups <= 4 * 300 + 8, "{groups} reads of groups");
}

#[tokio::test]
async fn three_hundred_groups_need_one_write_each_in_an_org_of_300() {
    push_300_groups(300).await;
}

#[tokio::test]
async fn three_hundred_groups_need_one_write_each_in_an_org_of_10_000() {
    push_300_groups(10_000).await;
}

#[tokio::test]
async fn a_push_that_takes_members_out_of_a_group_is_a_removal() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("the first run");
    let app = fixture.app().await;
    let mappings = fixture.okta.push_mappings(&app);
    let mapping = mappings.list().try_collect().await.expect("mappings");
    let switch_off = || async {
        let off = mappings.set_status(&mapping[0].id, PushActivation::Inactive);
        off.await.expect("a status");
    };
    switch_off().await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        lines(&plan, "app-access"),
        ["update group deployers pushed to AWS"]
    );
    let report = apply(&fixture.pipeline(), &plan).await.expect("a run");
    assert_eq!(report.done(), 1);

    // Ada is a member of the group in AWS only.
    switch_off().await;
    fixture
        .add_to_aws_group("deployers", "ada.lovelace@example.com")
        .await;
    fixture.sandbox.clear_requests();
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let step = plan.step(&StepId::new("app-access")).expect("the step");
    insta::assert_snapshot!(unindented(step), @r"
    - group deployers pushed to AWS
    status                           INACTIVE -> ACTIVE
    lastPush                         2026-11-24T09:01:43Z -> (known after app-access)
    members that Okta does not have  ada.lovelace@example.com -> (none)
    (Okta pushes the members of the group again, and can take the other members out of the group in AWS)
    ");
    let error = fixture.pipeline().apply(&plan).await;
    assert_eq!(
        error.expect_err("a refusal").kind(),
        ErrorKind::GuardRejected
    );
    assert_eq!(fixture.sandbox.writes().len(), 0);
}
