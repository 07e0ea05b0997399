//! Tests of the credentials of a run: a delegated administrator, a member account with an account instance, and an instance
//! without permission sets.

use std::sync::Arc;

use okta_aws_sso::{
    Blueprint, ChangeResult, CheckOutcome, Guard, Plan,
    aws::{AccountId, Aws, ConnectOptions, Credentials},
    plan::{Action, StepId, Subject},
    rights::{AwsTarget, aws_rights},
    steps::{self, ids},
};
use rest_core::Secret;
use sandbox::{AcceptedOperation, Fault, IamPolicy, OperationKind, Sandbox, Service, Stage};

use crate::fixture::{Fixture, SEED, TEAM, apply, aws_options, company, direct, lines, note};

const MANAGEMENT: &str = "111122223333";
const DELEGATED: &str = "200000000003";

/// [`TEAM`] with a permission set that is assigned in the management account.
const WITH_MANAGEMENT: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[permission_sets.Deploy]
managed_policies = ["PowerUserAccess"]

[permission_sets.Audit]
managed_policies = ["SecurityAudit"]

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "Deploy"

[[access]]
group = "deployers"
account = "Management"
permission_set = "Audit"
"#;

/// [`WITH_MANAGEMENT`] with changes for both callers: an edit of each set, and a new assignment of each kind.
const CHANGED: &str = r#"
[provisioning]
assign_groups = ["aws-users"]

[permission_sets.Deploy]
description = "Deploys"
managed_policies = ["PowerUserAccess"]

[permission_sets.Audit]
description = "Audits"
managed_policies = ["SecurityAudit", "job-function/Billing"]

[[access]]
group = "deployers"
accounts = ["Sandbox", "Workload 0003", "Management"]
permission_set = "Deploy"

[[access]]
group = "deployers"
accounts = ["Sandbox", "Management"]
permission_set = "Audit"

[[access]]
group = "deployers"
account = "Sandbox"
permission_set = "ReadOnlyAccess"
"#;

/// Connects with the credentials of the delegated administrator.
async fn delegated(fixture: &Fixture) -> Aws {
    let sandbox = &fixture.sandbox;
    let secret = sandbox.aws_secret_access_key();
    let options = aws_options(sandbox, secret, Arc::new(fixture.clock.clone()));
    let credentials = Credentials {
        access_key_id: sandbox.delegated_access_key(DELEGATED),
        secret_access_key: Secret::new(secret),
        session_token: None,
    };
    let options = ConnectOptions {
        credentials: Some(credentials.into()),
        ..options
    };
    Aws::connect(options).await.expect("a connection")
}

/// Returns a fixture that the management account has set up, whose next run has credentials of the delegated administrator.
async fn with_delegated_administrator() -> Fixture {
    let sandbox = Sandbox::builder().company(company());
    let sandbox = sandbox.delegated_administrator(DELEGATED);
    let mut fixture = Fixture::with_sandbox(sandbox, WITH_MANAGEMENT).await;
    fixture
        .run()
        .await
        .expect("the run of the management account");
    fixture.aws = delegated(&fixture).await;
    fixture.sandbox.clear_requests();
    fixture
}

fn calls(fixture: &Fixture, operation: &str) -> usize {
    let requests = fixture.sandbox.requests();
    let calls = requests
        .iter()
        .filter(|request| request.target.as_deref() == Some(operation));
    calls.count()
}

/// Refuses the next call of an operation. The answer has the time of the sandbox, because the SDK repeats a refused call if the clocks
/// differ.
fn deny(fixture: &Fixture, operation: &str) {
    let date = fixture.sandbox.now();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("date", &*date),
    ];
    let body = r#"{"__type":"AccessDeniedException","message":"not authorized"}"#;
    let fault = Fault::answer(Service::Aws, 400, &headers, body, false);
    fixture.sandbox.inject(fault.on(operation));
}

#[tokio::test]
async fn a_delegated_administrator_adopts_a_group_whose_assignments_it_may_not_list() {
    let mut fixture = with_delegated_administrator().await;
    fixture.create_aws_group("auditors", &[]).await;
    let _id = fixture
        .sandbox
        .add_group("auditors", &["person.00002@example.com"]);
    let assignments = format!(
        "{WITH_MANAGEMENT}\n[[access]]\ngroup = \"auditors\"\naccount = \"Sandbox\"\npermission_set = \"Deploy\"\n"
    );
    fixture.blueprint = Blueprint::from_toml(&assignments).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let mut changes = plan.changes().map(|(_step, change)| change);
    let adoption = changes.find(|change| change.subject == Subject::group("auditors"));
    let adoption = adoption.expect("an adoption");
    assert_eq!(adoption.action, Action::Adopt);
    let mut fields = adoption.fields.iter();
    let assignments = fields.find(|field| field.name == "assignments");
    let assignments = assignments.expect("the field").after.to_string();
    assert!(assignments.contains("not known"), "{assignments}");
    assert_eq!(plan.problems().count(), 0, "{plan}");
}

// IAM Identity Center user guide, "Delegated administration"; for the other accounts of a set that is provisioned in the
// management account: landing-zone-accelerator-on-aws, issue 274, and terraform-aws-sso-elevator, issue 101.
#[tokio::test]
async fn what_only_the_management_account_may_change_is_a_problem_and_the_rest_is_applied() {
    let mut fixture = with_delegated_administrator().await;
    fixture.blueprint = Blueprint::from_toml(CHANGED).expect("a blueprint");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let only = format!(
        "problem: only the management account {MANAGEMENT} may make this change, not a delegated administrator: "
    );
    let provisioned = "(permission set Audit is provisioned in the management account)";
    let billing = "policy arn:aws:iam::aws:policy/job-function/Billing of permission set Audit";
    assert_eq!(
        lines(&plan, "permission-sets"),
        [
            "update permission set Deploy".to_owned(),
            "update provisioning of permission set Deploy".to_owned(),
            "create permission set ReadOnlyAccess".to_owned(),
            "create policy arn:aws:iam::aws:policy/ReadOnlyAccess of permission set ReadOnlyAccess"
                .to_owned(),
            format!("{only}update permission set Audit {provisioned}"),
            format!("{only}create {billing} {provisioned}"),
            format!("{only}update provisioning of permission set Audit {provisioned}"),
        ]
    );
    let create = "create group deployers:";
    assert_eq!(
        lines(&plan, "account-assignments"),
        [
            format!("{create} Deploy in {DELEGATED}"),
            format!("{create} ReadOnlyAccess in 200000000002"),
            format!("{only}{create} Audit in 200000000002 {provisioned}"),
            format!("{only}{create} Deploy in {MANAGEMENT} (it is in the management account)"),
        ]
    );
    let problem = plan.problems().last().expect("a problem");
    assert!(
        problem.help.contains(&format!(
            "run again with credentials of account {MANAGEMENT}"
        )),
        "{}",
        problem.help
    );
    assert_eq!(calls(&fixture, "ListPermissionSetsProvisionedToAccount"), 1);

    fixture.sandbox.clear_requests();
    let report = pipeline.apply(&plan).await.expect("a report");
    assert!(!report.is_complete());
    assert_eq!(
        fixture.assignments(),
        [
            format!("GROUP deployers: Audit in {MANAGEMENT}"),
            "GROUP deployers: Deploy in 200000000002".to_owned(),
            format!("GROUP deployers: Deploy in {DELEGATED}"),
            "GROUP deployers: ReadOnlyAccess in 200000000002".to_owned(),
        ]
    );
    let sets = fixture.sandbox.permission_sets();
    let described: Vec<_> = sets
        .iter()
        .map(|set| (set.name.as_str(), set.description.as_deref()))
        .collect();
    assert!(
        described.contains(&("Deploy", Some("Deploys"))),
        "{described:?}"
    );
    assert!(described.contains(&("Audit", None)), "{described:?}");
    // The plan, its run and the check share the list.
    let found = pipeline.verify().await.expect("a verification");
    assert!(!found.passed());
    assert_eq!(calls(&fixture, "ListPermissionSetsProvisionedToAccount"), 0);

    let secret = fixture.sandbox.aws_secret_access_key();
    let clock = Arc::new(fixture.clock.clone());
    fixture.aws = crate::fixture::aws(&fixture.sandbox, secret, clock).await;
    let (plan, _) = fixture
        .run()
        .await
        .expect("the run of the management account");
    assert_eq!(plan.problems().count(), 0, "{plan}");
    assert_eq!(fixture.assignments().len(), 6);
    assert_eq!(note(&plan, "read-by-pair"), None);
}

#[tokio::test]
async fn a_delegated_administrator_reads_by_pair_and_the_plan_says_why() {
    let fixture = with_delegated_administrator().await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.problems().count(), 0, "{plan}");
    assert_eq!(
        note(&plan, "read-by-pair").as_deref(),
        Some(
            "the assignments were read with one call for each permission set and account: AWS lets only the management account 111122223333 list the assignments of a user or group, and the run has credentials of account 200000000003"
        )
    );
    // One call for each of the two assignments, on one page each.
    assert!(calls(&fixture, "ListAccountAssignments") >= 2);
}

/// [`CHANGED`] without an assignment of each caller, which mode `managed` removes.
fn reduced() -> String {
    let deploy = "accounts = [\"Sandbox\", \"Workload 0003\", \"Management\"]";
    let audit = "accounts = [\"Sandbox\", \"Management\"]";
    let reduced = CHANGED.replace(deploy, "accounts = [\"Workload 0003\", \"Management\"]");
    managed(&reduced.replace(audit, "accounts = [\"Sandbox\"]"))
}

fn managed(blueprint: &str) -> String {
    format!("[ownership]\naccess = \"managed\"\n{blueprint}")
}

/// Plans, approves the removals of the plan, and applies with exactly the rights of the plan.
async fn run_with_its_rights(fixture: &Fixture, caller: &str) -> Plan {
    fixture.sandbox.limit_aws_caller(None);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let state = fixture.store.load().await.expect("a store");
    let target = AwsTarget::in_region(fixture.sandbox.aws_region())
        .facts(&state.expect("a state").facts)
        .caller(AccountId::parse(caller).expect("an id"));
    let rights = aws_rights(&plan, &fixture.blueprint, &target);
    let policy = serde_json::to_string(&rights.policy()).expect("JSON");
    let policy: IamPolicy = policy.parse().expect("a policy");
    fixture.sandbox.limit_aws_caller(policy);
    let guard = Guard {
        approved: plan.removals_id().into_iter().collect(),
        ..Guard::default()
    };
    let report = fixture.pipeline().guard(guard).apply(&plan).await;
    let report = report.expect("a report");
    let is_made = |result: &ChangeResult| result.outcome.is_success();
    assert!(report.results.iter().all(is_made), "{report:?}");
    fixture.sandbox.limit_aws_caller(None);
    plan
}

/// Returns the assignments that a plan removes, with the accounts.
fn removals(plan: &Plan) -> Vec<String> {
    let changes = lines(plan, "account-assignments").into_iter();
    let mut removals: Vec<String> = changes
        .filter_map(|line| line.strip_prefix("remove group ").map(str::to_owned))
        .collect();
    removals.sort();
    removals
}

#[tokio::test]
async fn two_callers_with_one_state_and_ledger_complete_the_blueprint_and_make_nothing_twice() {
    let sandbox = Sandbox::builder().company(company());
    let sandbox = sandbox.delegated_administrator(DELEGATED);
    let mut fixture = Fixture::with_sandbox(sandbox, &managed(WITH_MANAGEMENT)).await;
    fixture.run().await.expect("the run before");
    let clock = Arc::new(fixture.clock.clone());
    let secret = fixture.sandbox.aws_secret_access_key();
    let callers = [
        (DELEGATED, delegated(&fixture).await),
        (
            MANAGEMENT,
            crate::fixture::aws(&fixture.sandbox, secret, clock).await,
        ),
    ];
    for (blueprint, rows) in [(managed(CHANGED), 6), (reduced(), 4)] {
        fixture.blueprint = Blueprint::from_toml(&blueprint).expect("a blueprint");
        for (caller, aws) in &callers {
            fixture.aws = aws.clone();
            let plan = run_with_its_rights(&fixture, caller).await;
            let is_partial = *caller == DELEGATED;
            assert_eq!(plan.problems().count() > 0, is_partial, "{plan}");
        }
        assert_eq!(fixture.assignments().len(), rows);
        for (_, aws) in &callers {
            fixture.aws = aws.clone();
            let plan = fixture.pipeline().plan().await.expect("a plan");
            assert!(plan.is_empty() && plan.problems().count() == 0, "{plan}");
        }
    }
    let operations = fixture.sandbox.operations();
    let changes = operations.iter().filter(|one| one.principal.is_some());
    let changes: Vec<_> = changes.collect();
    // 6 creations and 2 deletions.
    assert_eq!(changes.len(), 8, "{changes:?}");
    assert!(changes.iter().all(|one| one.failure.is_none()));
    let created_again =
        |one: &&&AcceptedOperation| one.kind == OperationKind::Assign && one.existed;
    assert_eq!(changes.iter().find(created_again), None);
    // The ledger has the assignments of both: a blueprint without access names them all.
    let none = "[provisioning]\nassign_groups = [\"aws-users\"]\n";
    fixture.blueprint = Blueprint::from_toml(&managed(none)).expect("a blueprint");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert_eq!(
        removals(&plan),
        [
            "deployers: Audit in 200000000002".to_owned(),
            format!("deployers: Deploy in {MANAGEMENT}"),
            format!("deployers: Deploy in {DELEGATED}"),
            "deployers: ReadOnlyAccess in 200000000002".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_management_account_that_reads_by_pair_lacks_the_right() {
    let fixture = Fixture::new(TEAM).await;
    fixture.run().await.expect("a run");
    deny(&fixture, "ListAccountAssignmentsForPrincipal");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let note = note(&plan, "read-by-pair").expect("a note");
    assert!(
        note.ends_with("the credentials lack sso:ListAccountAssignmentsForPrincipal"),
        "{note}"
    );
    // The management account needs no list of its own permission sets.
    assert_eq!(calls(&fixture, "ListPermissionSetsProvisionedToAccount"), 0);
}

#[tokio::test]
async fn without_the_list_of_the_management_account_the_changes_are_planned_with_a_note() {
    let mut fixture = with_delegated_administrator().await;
    fixture.blueprint = Blueprint::from_toml(CHANGED).expect("a blueprint");
    deny(&fixture, "ListPermissionSetsProvisionedToAccount");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let note = note(&plan, "management-sets-unknown").expect("a note");
    assert!(
        note.contains("Grant sso:ListPermissionSetsProvisionedToAccount"),
        "{note}"
    );
    let sets = lines(&plan, "permission-sets");
    assert!(
        sets.contains(&"update permission set Audit".to_owned()),
        "{sets:?}"
    );
    // The management account itself is known without a list.
    assert_eq!(plan.problems().count(), 1, "{plan}");
}

#[tokio::test]
async fn a_member_account_without_an_instance_of_its_own_is_refused() {
    let fixture = with_delegated_administrator().await;
    let management = {
        let secret = fixture.sandbox.aws_secret_access_key();
        let clock = Arc::new(fixture.clock.clone());
        crate::fixture::aws(&fixture.sandbox, secret, clock).await
    };
    let sdk = management.sdk().organizations();
    sdk.deregister_delegated_administrator()
        .account_id(DELEGATED)
        .service_principal("sso.amazonaws.com")
        .send()
        .await
        .expect("a deregistration");
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(!plan.complete);
    let problems = lines(&plan, "organization");
    assert_eq!(
        problems,
        ["problem: the delegated administrators of Identity Center could not be read"]
    );
}

#[tokio::test]
async fn an_account_instance_gets_users_and_groups_and_the_rest_is_explained() {
    let sandbox = Sandbox::builder()
        .company(company())
        .stage(Stage::IdentityCenter)
        .account_instance("200000000002");
    for blueprint in [TEAM.to_owned(), direct(TEAM)] {
        let fixture = Fixture::with_sandbox(sandbox.clone(), &blueprint).await;
        let pipeline = fixture.pipeline();
        let plan = pipeline.plan().await.expect("a plan");
        assert!(plan.complete, "{plan}");
        let kind = note(&plan, "account-instance").expect("a note");
        assert!(
            kind.contains("is an account instance of account 200000000002: it has users and groups for the applications of this account, and neither permission sets nor account assignments"),
            "{kind}"
        );
        for (step, number) in [("permission-sets", 2), ("account-assignments", 1)] {
            let step = plan.step(&StepId::new(step)).expect("the step");
            assert_eq!(step.changes, []);
            assert_eq!(step.problems.len(), number, "{step}");
            for problem in &step.problems {
                assert_eq!(problem.message, kind);
                let help = format!("credentials of the management account {MANAGEMENT}");
                assert!(problem.help.contains(&help), "{}", problem.help);
            }
        }
        assert!(note(&plan, "no-sign-in-test").is_some());
        assert_eq!(plan.problems().count(), 3, "{plan}");

        let report = pipeline.apply(&plan).await.expect("a report");
        let failed = report
            .results
            .iter()
            .filter(|result| !result.outcome.is_success());
        assert_eq!(failed.collect::<Vec<_>>(), Vec::<&_>::new());
        assert_eq!(fixture.sandbox.identity_users().len(), 3);
        assert_eq!(fixture.sandbox.identity_groups()[0].members.len(), 2);
        for never in ["ListPermissionSets", "UpdateInstance", "ListAccounts"] {
            assert_eq!(calls(&fixture, never), 0, "{never}");
        }
        let found = pipeline.verify().await.expect("a verification");
        let failed = found
            .checks
            .iter()
            .filter(|check| check.outcome == CheckOutcome::Failed);
        assert_eq!(failed.count(), 3, "{found:?}");
        let again = fixture.pipeline().plan().await.expect("a plan");
        assert!(again.is_empty(), "{again}");
    }
}

#[tokio::test]
async fn permission_sets_that_are_off_are_turned_on_or_explained() {
    let sandbox = Sandbox::builder()
        .company(company())
        .stage(Stage::IdentityCenter)
        .permission_sets(false);
    let fixture = Fixture::with_sandbox(sandbox, SEED).await;
    let plan = fixture.pipeline().plan().await.expect("a plan");
    let step = plan
        .step(&StepId::new("identity-center"))
        .expect("the step");
    assert_eq!(step.changes[0].action, Action::Update);
    let off = note(&plan, "permission-sets-off").expect("a note");
    assert!(
        off.contains("of the organization has no permission sets"),
        "{off}"
    );
    assert_eq!(plan.problems().count(), 0, "{plan}");
    apply(&fixture.pipeline(), &plan).await.expect("a run");
    assert_eq!(fixture.assignments().len(), 1);

    // The state says that they are off, and the pipeline has no step that turns them on.
    fixture
        .edit_facts(|facts| {
            let instance = facts.instance.as_mut().expect("an instance");
            instance.permission_sets = false;
        })
        .await;
    let steps = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
    let pipeline = fixture.pipeline_of(steps.without(&ids::IDENTITY_CENTER));
    let plan = pipeline.plan().await.expect("a plan");
    for step in ["permission-sets", "account-assignments"] {
        let step = plan.step(&StepId::new(step)).expect("the step");
        assert_eq!(step.changes, []);
        let [problem] = step.problems.as_slice() else {
            panic!("one problem: {step}");
        };
        assert!(
            problem
                .message
                .ends_with("of the organization has no permission sets: they are turned off"),
            "{}",
            problem.message
        );
        assert!(
            problem.help.starts_with("run step identity-center"),
            "{}",
            problem.help
        );
    }
}
