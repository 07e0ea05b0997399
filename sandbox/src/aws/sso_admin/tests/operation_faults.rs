//! Tests of the durations and the faults of asynchronous operations.

use std::time::Duration;

use axum::http::Request;
use serde_json::{Value, json};

use super::{AUDIT, WEB, error, error_code};
use crate::aws::harness::{Harness, assignment, outcome, seed};
use crate::aws::{Cloud, Seed};
use crate::company::{
    AccountSeed, AccountState, Company, PermissionSetSeed, Person, PrincipalSeed,
};
use crate::state::Delivery;
use crate::{
    Clock, Fault, OperationDurations, OperationFault, OperationKind, Sandbox, SandboxBuilder,
    Service,
};

struct Fixture {
    harness: Harness,
    set: String,
    group: String,
}

fn fixture() -> Fixture {
    with(seed())
}

fn with(seed: Seed) -> Fixture {
    let mut harness = Harness::with(seed);
    harness.enable();
    let set = harness.permission_set("Admin");
    let group = harness.group("admins", &[]);
    Fixture {
        harness,
        set,
        group,
    }
}

impl Fixture {
    /// Starts the creation or deletion of an assignment; returns the request id.
    #[track_caller]
    fn start(&mut self, operation: &str, account: &str) -> Value {
        let body = assignment(account, &self.set, "GROUP", &self.group);
        let started = self.harness.sso(operation, body).expect("an operation");
        let status = started.as_object().and_then(|body| body.values().next());
        status.expect("a status")["RequestId"].clone()
    }

    fn create(&mut self, account: &str) -> Value {
        self.start("CreateAccountAssignment", account)
    }

    fn refused(&mut self, account: &str) -> (String, String) {
        let body = assignment(account, &self.set, "GROUP", &self.group);
        error(self.harness.sso("CreateAccountAssignment", body))
    }

    /// Returns the status and the reason of a creation.
    #[track_caller]
    fn status(&mut self, id: &Value) -> (String, String) {
        let body = json!({ "AccountAssignmentCreationRequestId": id });
        let described = self
            .harness
            .sso("DescribeAccountAssignmentCreationStatus", body)
            .expect("a status");
        status_of(&described["AccountAssignmentCreationStatus"])
    }

    fn in_progress(&mut self) -> usize {
        let body = json!({ "Filter": { "Status": "IN_PROGRESS" } });
        let listed = self
            .harness
            .sso("ListAccountAssignmentCreationStatus", body);
        let listed = &listed.expect("statuses")["AccountAssignmentsCreationStatus"];
        listed.as_array().expect("a list").len()
    }

    fn inject(&mut self, fault: OperationFault) {
        self.harness.cloud.operations.push(fault);
    }
}

fn status_of(status: &Value) -> (String, String) {
    let text = |name: &str| status[name].as_str().unwrap_or_default().to_owned();
    (text("Status"), text("FailureReason"))
}

fn ended(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn an_operation_ends_after_the_duration_of_its_number() {
    let mut seed = seed();
    seed.operation_durations = Some(OperationDurations::by_number(|number| {
        Duration::from_secs(30 / number)
    }));
    let mut fixture = with(seed);
    let (slow, fast) = (fixture.create(WEB), fixture.create(AUDIT));
    fixture.harness.advance(15);
    assert_eq!(fixture.status(&slow).0, "IN_PROGRESS");
    assert_eq!(fixture.status(&fast).0, "SUCCEEDED");
    fixture.harness.advance(15);
    assert_eq!(fixture.status(&slow).0, "SUCCEEDED");
}

#[test]
fn an_operation_fails_with_the_reason_of_a_fault_and_changes_nothing() {
    let mut fixture = fixture();
    fixture.inject(
        OperationFault::fail(OperationFault::PRINCIPAL_NOT_FOUND)
            .of(OperationKind::Assign)
            .in_account(WEB)
            .on_permission_set("Admin")
            .after(1),
    );
    fixture.inject(OperationFault::fail(OperationFault::TAKING_LONGER).in_account(AUDIT));
    let first = fixture.create(WEB);
    let elsewhere = fixture.create(AUDIT);
    fixture.harness.advance(10);
    assert_eq!(fixture.status(&first).0, "SUCCEEDED");
    let reason = "AWS SSO is unable to complete your request at this time. Obtaining permissions to manage your AWS \
                  account '200000000001' is taking longer than usual. This is usually temporary. Please try again in a \
                  few minutes. If this problem continues, contact AWS Support.";
    assert_eq!(fixture.status(&elsewhere), ended("FAILED", reason));
    let second = fixture.create(WEB);
    assert_eq!(fixture.status(&second).0, "IN_PROGRESS");
    fixture.harness.advance(10);
    let reason = "Received a 404 status error: GROUP not found.";
    assert_eq!(fixture.status(&second), ended("FAILED", reason));
    let assigned = fixture.harness.cloud.assignments();
    assert_eq!(assigned.len(), 1);
    assert_eq!(assigned[0].account, WEB);
}

#[test]
fn a_deletion_and_a_provisioning_fail_with_the_reason_of_a_fault() {
    let mut fixture = fixture();
    fixture.create(WEB);
    fixture.harness.advance(10);
    let of_kind = |kind, reason: &str| OperationFault::fail(reason).of(kind);
    fixture.inject(of_kind(OperationKind::Unassign, "no deletion"));
    fixture.inject(of_kind(OperationKind::Provision, "no provisioning"));
    let id = fixture.start("DeleteAccountAssignment", WEB);
    fixture.harness.advance(10);
    let body = json!({ "AccountAssignmentDeletionRequestId": id });
    let described = fixture
        .harness
        .sso("DescribeAccountAssignmentDeletionStatus", body)
        .expect("a status");
    let status = status_of(&described["AccountAssignmentDeletionStatus"]);
    assert_eq!(status, ended("FAILED", "no deletion"));
    assert_eq!(fixture.harness.cloud.assignments().len(), 1);
    let all = json!({ "PermissionSetArn": fixture.set, "TargetType": "ALL_PROVISIONED_ACCOUNTS" });
    let started = fixture.harness.sso("ProvisionPermissionSet", all);
    let id = started.expect("an operation")["PermissionSetProvisioningStatus"]["RequestId"].clone();
    fixture.harness.advance(10);
    let body = json!({ "ProvisionPermissionSetRequestId": id });
    let described = fixture
        .harness
        .sso("DescribePermissionSetProvisioningStatus", body)
        .expect("a status");
    let status = status_of(&described["PermissionSetProvisioningStatus"]);
    assert_eq!(status, ended("FAILED", "no provisioning"));
}

#[test]
fn a_held_operation_is_in_progress_until_it_is_released() {
    let mut fixture = fixture();
    fixture.inject(OperationFault::hold().in_account(WEB));
    let (held, free) = (fixture.create(WEB), fixture.create(AUDIT));
    fixture.harness.advance(100_000);
    assert_eq!(fixture.status(&held).0, "IN_PROGRESS");
    assert_eq!(fixture.status(&free).0, "SUCCEEDED");
    let now = fixture.harness.now;
    fixture.harness.cloud.release_operations(now);
    assert_eq!(fixture.status(&held).0, "SUCCEEDED");
    assert_eq!(fixture.harness.cloud.assignments().len(), 2);
}

#[test]
fn a_fault_refuses_to_start_operations_with_the_errors_of_aws() {
    let mut fixture = fixture();
    fixture.inject(OperationFault::conflict());
    fixture.inject(OperationFault::rate_exceeded());
    fixture.inject(OperationFault::too_many_requests().times(2));
    let refusal = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    let too_many = refusal(
        "ThrottlingException",
        "There are too many requests processing. Please try again later.",
    );
    let expected = [
        refusal(
            "ConflictException",
            "A conflicting operation is in progress. Please try again later.",
        ),
        refusal("ThrottlingException", "Rate exceeded"),
        too_many.clone(),
        too_many,
    ];
    for expected in expected {
        assert_eq!(fixture.refused(WEB), expected);
    }
    assert_eq!(fixture.in_progress(), 0);
    fixture.create(WEB);
}

#[test]
fn operations_of_another_tool_take_slots_and_change_nothing() {
    let mut fixture = fixture();
    let now = fixture.harness.now;
    let foreign = (OperationKind::Assign, AUDIT, "Admin");
    fixture
        .harness
        .cloud
        .start_foreign_operations(foreign, 14, Duration::from_mins(1), now)
        .expect("the permission set exists");
    fixture.create(WEB);
    assert_eq!(fixture.in_progress(), 15);
    assert_eq!(fixture.refused(AUDIT).0, "ThrottlingException");
    fixture.harness.advance(10);
    assert_eq!(fixture.in_progress(), 14);
    let other = fixture.harness.permission_set("Other");
    let body = assignment(AUDIT, &other, "GROUP", &fixture.group);
    let conflict = fixture.harness.sso("CreateAccountAssignment", body);
    assert_eq!(error_code(conflict), "ConflictException");
    fixture.harness.advance(50);
    assert_eq!(fixture.in_progress(), 0);
    assert_eq!(fixture.harness.cloud.assignments().len(), 1);
    let unknown = (OperationKind::Assign, AUDIT, "Unknown");
    let cloud = &mut fixture.harness.cloud;
    let problem = cloud.start_foreign_operations(unknown, 1, Duration::MAX, now);
    assert_eq!(
        problem.expect_err("no such permission set"),
        "Identity Center has no permission set Unknown"
    );
}

#[test]
fn operations_fail_in_an_account_that_is_closed_while_they_run() {
    let mut fixture = fixture();
    fixture.create(AUDIT);
    fixture.harness.advance(10);
    let (created, deleted) = (
        fixture.create(WEB),
        fixture.start("DeleteAccountAssignment", AUDIT),
    );
    for account in [WEB, AUDIT] {
        let body = json!({ "AccountId": account });
        fixture
            .harness
            .organizations("CloseAccount", &body)
            .expect("a closure");
    }
    fixture.harness.advance(10);
    let (status, reason) = fixture.status(&created);
    assert_eq!(status, "FAILED");
    assert!(
        reason.contains("account '200000000002' is taking longer"),
        "{reason}"
    );
    let body = json!({ "AccountAssignmentDeletionRequestId": deleted });
    let described = fixture
        .harness
        .sso("DescribeAccountAssignmentDeletionStatus", body)
        .expect("a status");
    let (status, reason) = status_of(&described["AccountAssignmentDeletionStatus"]);
    assert_eq!(status, "FAILED");
    assert!(
        reason.contains("account '200000000001' is taking longer"),
        "{reason}"
    );
    assert_eq!(fixture.harness.cloud.assignments().len(), 1);
}

#[test]
fn a_list_has_a_new_operation_after_the_delay() {
    let mut seed = seed();
    seed.instance.operation_list_delay = Duration::from_secs(3);
    let mut fixture = with(seed);
    let id = fixture.create(WEB);
    assert_eq!(fixture.in_progress(), 0);
    assert_eq!(fixture.status(&id).0, "IN_PROGRESS");
    fixture.harness.advance(3);
    assert_eq!(fixture.in_progress(), 1);
}

#[test]
fn an_operation_is_forgotten_after_the_retention() {
    let mut seed = seed();
    seed.instance.operation_retention = Some(Duration::from_mins(1));
    let mut fixture = with(seed);
    let id = fixture.create(WEB);
    fixture.harness.advance(69);
    assert_eq!(fixture.status(&id).0, "SUCCEEDED");
    fixture.harness.advance(1);
    let body = json!({ "AccountAssignmentCreationRequestId": id });
    let described = fixture
        .harness
        .sso("DescribeAccountAssignmentCreationStatus", body);
    assert_eq!(error_code(described), "ResourceNotFoundException");
    let listed = fixture
        .harness
        .sso("ListAccountAssignmentCreationStatus", json!({}))
        .expect("statuses");
    assert_eq!(listed["AccountAssignmentsCreationStatus"], json!([]));
    assert_eq!(fixture.harness.cloud.assignments().len(), 1);
}

fn builder() -> SandboxBuilder {
    let noon = "2026-06-01T12:00:00Z".parse().expect("a timestamp");
    let company = Company::empty()
        .account(AccountSeed::new(WEB, "Web", ""))
        .estate(|estate| {
            estate
                .user(Person::new("ada@example.com", "Ada", "Lovelace"))
                .group("admins", ["ada@example.com"])
                .set(PermissionSetSeed::new("Admin"))
                .assign(PrincipalSeed::Group("admins"), WEB, "Admin")
        });
    Sandbox::builder()
        .company(company)
        .clock(Clock::Manual(noon))
        .operation_durations(OperationDurations::constant(Duration::from_secs(10)))
}

/// Sends a signed request to `sso-admin`; returns the way in which the response is delivered.
fn send(sandbox: &Sandbox, operation: &str, body: Value) -> Delivery {
    let request = {
        let state = sandbox.state();
        let center = state.cloud.center.as_ref().expect("Identity Center");
        let mut body = body;
        body["InstanceArn"] = center.arn.as_str().into();
        let signer = Harness {
            key: (state.cloud.keys[0].clone(), None),
            ..Harness::of(Cloud::new(Seed::default()), "us-east-1", state.now())
        };
        let head = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("SWBExternalService.{operation}"));
        signer.signed("sso", head, &body.to_string())
    };
    sandbox.state().handle(Service::Aws, &request, false)
}

fn result(delivery: &Delivery) -> Result<Value, (String, String)> {
    match delivery {
        Delivery::Complete(response) => outcome(response),
        delivery => panic!("a response must be delivered: {delivery:?}"),
    }
}

fn delete(sandbox: &Sandbox) -> Delivery {
    let set = sandbox.permission_sets()[0].arn.clone();
    let group = sandbox.identity_groups()[0].id.clone();
    let body = assignment(WEB, &set, "GROUP", &group);
    send(sandbox, "DeleteAccountAssignment", body)
}

#[tokio::test]
async fn an_operation_starts_although_its_response_is_lost() {
    let sandbox = builder().start().await.expect("a sandbox");
    sandbox.inject(Fault::close_after_processing(Service::Aws).on("DeleteAccountAssignment"));
    assert!(matches!(delete(&sandbox), Delivery::Close));
    let listed = send(&sandbox, "ListAccountAssignmentDeletionStatus", json!({}));
    let listed = result(&listed).expect("statuses");
    assert_eq!(
        listed["AccountAssignmentsDeletionStatus"][0]["Status"],
        "IN_PROGRESS"
    );
    sandbox.advance(Duration::from_secs(10));
    assert_eq!(sandbox.assignments(), []);
}

#[tokio::test]
async fn the_switches_of_a_running_sandbox_control_its_operations() {
    let sandbox = builder().start().await.expect("a sandbox");
    sandbox.start_foreign_operations(OperationKind::Assign, WEB, "Admin", 15, Duration::MAX);
    let refusal = result(&delete(&sandbox)).expect_err("no free slot");
    assert_eq!(refusal.0, "ThrottlingException");
    sandbox.release_operations();
    sandbox.inject_operation_fault(OperationFault::conflict());
    let refusal = result(&delete(&sandbox)).expect_err("a conflict");
    assert_eq!(refusal.0, "ConflictException");
    sandbox.set_operation_durations(OperationDurations::constant(Duration::MAX));
    result(&delete(&sandbox)).expect("an operation");
    sandbox.set_account_state(WEB, AccountState::Suspended);
    sandbox.release_operations();
    assert_eq!(sandbox.assignments().len(), 1);
    sandbox.inject_operation_fault(OperationFault::hold());
    sandbox.clear_faults();
}

#[tokio::test]
#[should_panic(expected = "these injected faults applied to no operation")]
async fn a_fault_that_never_applies_fails_the_test() {
    let sandbox = builder().start().await.expect("a sandbox");
    sandbox.inject_operation_fault(OperationFault::hold().always());
}
