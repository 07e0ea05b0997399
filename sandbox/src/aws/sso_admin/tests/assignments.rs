//! Tests of the operations on account assignments.

use serde_json::{Value, json};

use super::{AUDIT, LEGACY, MANAGEMENT, WEB, error, error_code};
use crate::IdentityCenterQuotas;
use crate::aws::harness::{Harness, assignment, seed};

struct Fixture {
    harness: Harness,
    set: String,
    group: String,
}

fn fixture() -> Fixture {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let group = harness.group("admins", &[]);
    Fixture {
        harness,
        set,
        group,
    }
}

impl Fixture {
    fn body(&self, account: &str) -> Value {
        assignment(account, &self.set, "GROUP", &self.group)
    }

    fn create(&mut self, account: &str) -> Value {
        let body = self.body(account);
        let started = self
            .harness
            .sso("CreateAccountAssignment", body)
            .expect("an operation");
        started["AccountAssignmentCreationStatus"].clone()
    }

    fn list(&mut self, account: &str) -> Value {
        let body = json!({ "AccountId": account, "PermissionSetArn": self.set });
        self.harness
            .sso("ListAccountAssignments", body)
            .expect("assignments")["AccountAssignments"]
            .clone()
    }
}

#[test]
fn an_assignment_takes_time_and_provisions_the_permission_set() {
    let mut fixture = fixture();
    let started = fixture.create(WEB);
    assert_eq!(started["Status"], "IN_PROGRESS");
    assert_eq!(started["TargetId"], WEB);
    assert_eq!(started["PrincipalId"], fixture.group);
    let request = json!({ "AccountAssignmentCreationRequestId": started["RequestId"] });
    fixture.harness.advance(9);
    let status = fixture
        .harness
        .sso("DescribeAccountAssignmentCreationStatus", request.clone())
        .expect("a status");
    assert_eq!(
        status["AccountAssignmentCreationStatus"]["Status"],
        "IN_PROGRESS"
    );
    assert_eq!(fixture.list(WEB), json!([]));
    fixture.harness.advance(1);
    let status = fixture
        .harness
        .sso("DescribeAccountAssignmentCreationStatus", request)
        .expect("a status");
    assert_eq!(
        status["AccountAssignmentCreationStatus"]["Status"],
        "SUCCEEDED"
    );
    assert!(
        status["AccountAssignmentCreationStatus"]
            .get("FailureReason")
            .is_none()
    );
    assert_eq!(
        fixture.list(WEB),
        json!([{
            "AccountId": WEB,
            "PermissionSetArn": fixture.set,
            "PrincipalType": "GROUP",
            "PrincipalId": fixture.group,
        }])
    );
    assert_eq!(fixture.harness.cloud.permission_sets()[0].accounts, [WEB]);
}

#[test]
fn creating_an_existing_assignment_again_succeeds() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    assert_eq!(
        fixture.harness.assign(WEB, &set, "GROUP", &group)["Status"],
        "SUCCEEDED"
    );
    assert_eq!(
        fixture.harness.assign(WEB, &set, "GROUP", &group)["Status"],
        "SUCCEEDED"
    );
    assert_eq!(fixture.list(WEB).as_array().map(Vec::len), Some(1));
}

#[test]
fn assigning_in_a_suspended_account_fails_with_a_reason() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    for account in [LEGACY, "200000000005"] {
        let status = fixture.harness.assign(account, &set, "GROUP", &group);
        assert_eq!(status["Status"], "FAILED", "{account}");
        let reason = status["FailureReason"].as_str().expect("a reason");
        assert!(
            reason.starts_with("AWS SSO is unable to complete your request at this time."),
            "{reason}"
        );
    }
    assert_eq!(fixture.list(LEGACY), json!([]));
}

#[test]
fn assigning_a_missing_principal_fails_with_a_reason() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    let status = fixture.harness.assign(WEB, &set, "USER", &group);
    assert_eq!(status["Status"], "FAILED");
    assert_eq!(
        status["FailureReason"],
        "Received a 404 status error: USER not found."
    );
}

#[test]
fn a_missing_customer_managed_policy_fails_the_assignment_with_a_reason() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    let policy = json!({ "PermissionSetArn": set, "CustomerManagedPolicyReference": { "Name": "BreakGlass", "Path": "/ops/" } });
    fixture
        .harness
        .sso(
            "AttachCustomerManagedPolicyReferenceToPermissionSet",
            policy,
        )
        .expect("a policy");
    assert_eq!(
        fixture.harness.assign(WEB, &set, "GROUP", &group)["Status"],
        "SUCCEEDED"
    );
    let status = fixture.harness.assign(AUDIT, &set, "GROUP", &group);
    assert_eq!(status["Status"], "FAILED");
    let reason = status["FailureReason"].as_str().expect("a reason");
    assert!(
        reason.contains("does not exist or is not attachable"),
        "{reason}"
    );
    assert_eq!(fixture.list(AUDIT), json!([]));
}

#[test]
fn an_account_outside_of_the_organization_is_rejected_immediately() {
    let mut fixture = fixture();
    let unknown = fixture.body("999999999999");
    assert_eq!(
        error_code(fixture.harness.sso("CreateAccountAssignment", unknown)),
        "ResourceNotFoundException"
    );
    let closed = fixture.body("200000000004");
    assert_eq!(
        error_code(fixture.harness.sso("CreateAccountAssignment", closed)),
        "ValidationException"
    );
}

#[test]
fn members_of_a_request_are_checked_against_the_model() {
    let mut fixture = fixture();
    for (name, value) in [
        ("TargetType", json!("OU")),
        ("TargetId", json!("1")),
        ("PrincipalType", json!("ROLE")),
        ("PrincipalId", json!("ada@example.com")),
        ("PermissionSetArn", json!("Admin")),
        ("InstanceArn", json!("ssoins-1")),
    ] {
        let mut body = fixture.body(WEB);
        body[name] = value;
        assert_eq!(
            error_code(fixture.harness.sso("CreateAccountAssignment", body)),
            "ValidationException",
            "{name}"
        );
        let mut body = fixture.body(WEB);
        if name != "InstanceArn" {
            body.as_object_mut().expect("an object").remove(name);
            assert_eq!(
                error_code(fixture.harness.sso("CreateAccountAssignment", body)),
                "ValidationException",
                "{name}"
            );
        }
    }
}

#[test]
fn at_most_fifteen_operations_are_in_progress() {
    let mut fixture = fixture();
    for number in 0..15 {
        let group = fixture.harness.group(&format!("group {number}"), &[]);
        let body = assignment(WEB, &fixture.set, "GROUP", &group);
        fixture
            .harness
            .sso("CreateAccountAssignment", body)
            .expect("an operation");
    }
    let body = fixture.body(WEB);
    assert_eq!(
        error(fixture.harness.sso("CreateAccountAssignment", body.clone())),
        (
            "ThrottlingException".to_owned(),
            "There are too many requests processing. Please try again later.".to_owned()
        )
    );
    let running = json!({ "Filter": { "Status": "IN_PROGRESS" } });
    let listed = fixture
        .harness
        .sso("ListAccountAssignmentCreationStatus", running)
        .expect("statuses");
    let listed = listed["AccountAssignmentsCreationStatus"]
        .as_array()
        .expect("statuses");
    assert_eq!(listed.len(), 15);
    assert!(listed[0].get("TargetId").is_none());
    fixture.harness.advance(10);
    fixture
        .harness
        .sso("CreateAccountAssignment", body)
        .expect("an operation");
    assert_eq!(fixture.harness.cloud.assignments().len(), 15);
}

#[test]
fn deleting_the_last_assignment_deletes_the_role() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    let user = fixture.harness.user("ada@example.com");
    fixture.harness.assign(WEB, &set, "GROUP", &group);
    fixture.harness.assign(WEB, &set, "USER", &user);
    let body = fixture.body(WEB);
    let started = fixture
        .harness
        .sso("DeleteAccountAssignment", body.clone())
        .expect("an operation");
    let id = &started["AccountAssignmentDeletionStatus"]["RequestId"];
    assert_eq!(
        started["AccountAssignmentDeletionStatus"]["Status"],
        "IN_PROGRESS"
    );
    fixture.harness.advance(10);
    let request = json!({ "AccountAssignmentDeletionRequestId": id });
    let status = fixture
        .harness
        .sso("DescribeAccountAssignmentDeletionStatus", request)
        .expect("a status");
    assert_eq!(
        status["AccountAssignmentDeletionStatus"]["Status"],
        "SUCCEEDED"
    );
    assert_eq!(fixture.harness.cloud.permission_sets()[0].accounts, [WEB]);
    let again = fixture.harness.sso("DeleteAccountAssignment", body);
    assert_eq!(error_code(again), "ResourceNotFoundException");
    let last = assignment(WEB, &set, "USER", &user);
    fixture
        .harness
        .sso("DeleteAccountAssignment", last)
        .expect("an operation");
    fixture.harness.advance(10);
    fixture
        .harness
        .cloud
        .complete_due_operations(fixture.harness.now);
    assert_eq!(
        fixture.harness.cloud.permission_sets()[0].accounts,
        Vec::<String>::new()
    );
    let listed = fixture
        .harness
        .sso("ListAccountAssignmentDeletionStatus", json!({}))
        .expect("statuses");
    assert_eq!(
        listed["AccountAssignmentsDeletionStatus"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn creating_an_assignment_during_its_deletion_is_a_conflict() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    fixture.harness.assign(WEB, &set, "GROUP", &group);
    let body = fixture.body(WEB);
    fixture
        .harness
        .sso("DeleteAccountAssignment", body.clone())
        .expect("an operation");
    assert_eq!(
        error_code(fixture.harness.sso("CreateAccountAssignment", body.clone())),
        "ConflictException"
    );
    fixture.harness.advance(10);
    fixture
        .harness
        .sso("CreateAccountAssignment", body)
        .expect("an operation");
}

#[test]
fn a_creation_request_id_is_unknown_to_the_deletion_status() {
    let mut fixture = fixture();
    let id = fixture.create(WEB)["RequestId"].clone();
    let request = json!({ "AccountAssignmentDeletionRequestId": id });
    let outcome = fixture
        .harness
        .sso("DescribeAccountAssignmentDeletionStatus", request);
    assert_eq!(error_code(outcome), "ResourceNotFoundException");
}

#[test]
fn a_users_assignments_include_the_assignments_of_the_users_groups() {
    let mut fixture = fixture();
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    let user = fixture.harness.user("ada@example.com");
    let member = json!({ "GroupId": group, "MemberId": { "UserId": user } });
    fixture
        .harness
        .identity("CreateGroupMembership", member)
        .expect("a membership");
    fixture.harness.assign(WEB, &set, "GROUP", &group);
    fixture.harness.assign(AUDIT, &set, "USER", &user);
    let mut list = |kind: &str, id: &str, filter: Option<&str>| {
        let mut body = json!({ "PrincipalType": kind, "PrincipalId": id });
        if let Some(account) = filter {
            body["Filter"] = json!({ "AccountId": account });
        }
        let found = fixture
            .harness
            .sso("ListAccountAssignmentsForPrincipal", body)
            .expect("assignments");
        let found = found["AccountAssignments"]
            .as_array()
            .expect("a list")
            .clone();
        found
            .iter()
            .map(|assignment| {
                (
                    assignment["AccountId"].as_str().expect("an id").to_owned(),
                    assignment["PrincipalType"]
                        .as_str()
                        .expect("a type")
                        .to_owned(),
                )
            })
            .collect::<Vec<_>>()
    };
    let of = |account: &str, kind: &str| (account.to_owned(), kind.to_owned());
    assert_eq!(list("GROUP", &group, None), [of(WEB, "GROUP")]);
    assert_eq!(
        list("USER", &user, None),
        [of(WEB, "GROUP"), of(AUDIT, "USER")]
    );
    assert_eq!(list("USER", &user, Some(AUDIT)), [of(AUDIT, "USER")]);
    assert_eq!(list("GROUP", &user, None), []);
}

#[test]
fn a_delegated_administrator_cannot_assign_in_the_management_account_or_list_by_principal() {
    let mut fixture = fixture();
    let body = json!({ "AccountId": AUDIT, "ServicePrincipal": "sso.amazonaws.com" });
    fixture
        .harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegated administrator");
    fixture.harness.sign_as(AUDIT);
    let management = fixture.body(MANAGEMENT);
    assert_eq!(
        error_code(fixture.harness.sso("CreateAccountAssignment", management)),
        "AccessDeniedException"
    );
    let by_principal = json!({ "PrincipalType": "GROUP", "PrincipalId": fixture.group });
    assert_eq!(
        error_code(
            fixture
                .harness
                .sso("ListAccountAssignmentsForPrincipal", by_principal)
        ),
        "AccessDeniedException"
    );
    let elsewhere = fixture.body(WEB);
    fixture
        .harness
        .sso("CreateAccountAssignment", elsewhere)
        .expect("an operation");
}

// landing-zone-accelerator-on-aws, issue 274; terraform-aws-sso-elevator, issue 101.
#[test]
fn a_delegated_administrator_cannot_assign_a_set_of_the_management_account_anywhere() {
    let mut fixture = fixture();
    let body = json!({ "AccountId": AUDIT, "ServicePrincipal": "sso.amazonaws.com" });
    fixture
        .harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegated administrator");
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    fixture.harness.assign(MANAGEMENT, &set, "GROUP", &group);
    fixture.harness.sign_as(AUDIT);
    let elsewhere = fixture.body(WEB);
    assert_eq!(
        error_code(fixture.harness.sso("CreateAccountAssignment", elsewhere)),
        "AccessDeniedException"
    );
    let listed = json!({ "AccountId": MANAGEMENT });
    let listed = fixture
        .harness
        .sso("ListPermissionSetsProvisionedToAccount", listed);
    assert_eq!(listed.expect("a list")["PermissionSets"], json!([set]));
}

#[test]
fn an_invalid_token_and_an_invalid_page_size_are_rejected() {
    let mut fixture = fixture();
    let body = json!({ "AccountId": WEB, "PermissionSetArn": fixture.set, "NextToken": "AAAA" });
    assert_eq!(
        error(fixture.harness.sso("ListAccountAssignments", body)),
        (
            "ValidationException".to_owned(),
            "Invalid NextToken.".to_owned()
        )
    );
    let body = json!({ "AccountId": WEB, "PermissionSetArn": fixture.set, "MaxResults": 101 });
    assert_eq!(
        error_code(fixture.harness.sso("ListAccountAssignments", body)),
        "ValidationException"
    );
}

#[test]
fn an_assignment_fails_if_its_permission_set_is_deleted_in_the_meantime() {
    let mut fixture = fixture();
    let started = fixture.create(WEB);
    let delete = json!({ "PermissionSetArn": fixture.set });
    fixture
        .harness
        .sso("DeletePermissionSet", delete)
        .expect("the request succeeds");
    fixture.harness.advance(10);
    let request = json!({ "AccountAssignmentCreationRequestId": started["RequestId"] });
    let status = fixture
        .harness
        .sso("DescribeAccountAssignmentCreationStatus", request)
        .expect("a status");
    assert_eq!(
        status["AccountAssignmentCreationStatus"]["FailureReason"],
        "Received a 404 status error: PermissionSet not found."
    );
}

#[test]
fn one_role_is_updated_at_a_time_in_an_account() {
    let mut fixture = fixture();
    let other = fixture.harness.permission_set("Other");
    fixture.create(WEB);
    let in_the_same_account = assignment(WEB, &other, "GROUP", &fixture.group);
    assert_eq!(
        error(
            fixture
                .harness
                .sso("CreateAccountAssignment", in_the_same_account.clone())
        ),
        (
            "ConflictException".to_owned(),
            "A conflicting operation is in progress. Please try again later.".to_owned()
        )
    );
    let provisioning =
        json!({ "PermissionSetArn": other, "TargetType": "AWS_ACCOUNT", "TargetId": WEB });
    assert_eq!(
        error_code(fixture.harness.sso("ProvisionPermissionSet", provisioning)),
        "ConflictException"
    );
    let in_another_account = assignment(AUDIT, &other, "GROUP", &fixture.group);
    fixture
        .harness
        .sso("CreateAccountAssignment", in_another_account)
        .expect("an operation");
    fixture.harness.advance(10);
    fixture
        .harness
        .sso("CreateAccountAssignment", in_the_same_account)
        .expect("an operation");
}

#[test]
fn provisioning_all_accounts_updates_the_role_in_each_of_them() {
    let mut fixture = fixture();
    let other = fixture.harness.permission_set("Other");
    let (set, group) = (fixture.set.clone(), fixture.group.clone());
    fixture.harness.assign(WEB, &set, "GROUP", &group);
    let all = json!({ "PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS" });
    fixture
        .harness
        .sso("ProvisionPermissionSet", all)
        .expect("an operation");
    let mut assign = |account: &str| {
        let body = assignment(account, &other, "GROUP", &group);
        fixture.harness.sso("CreateAccountAssignment", body)
    };
    assert_eq!(error_code(assign(WEB)), "ConflictException");
    assign(AUDIT).expect("an operation");
}

#[test]
fn the_quotas_of_outstanding_operations_can_be_set() {
    let mut seed = seed();
    seed.instance.quotas.outstanding_assignments = 1;
    let mut harness = Harness::with(seed);
    harness.enable();
    let set = harness.permission_set("Admin");
    let group = harness.group("admins", &[]);
    let mut assign = |account: &str| {
        let body = assignment(account, &set, "GROUP", &group);
        harness.sso("CreateAccountAssignment", body)
    };
    assign(WEB).expect("an operation");
    assert_eq!(error_code(assign(AUDIT)), "ThrottlingException");
}

#[test]
fn twenty_calls_a_second_are_shared_by_all_operations() {
    let mut seed = seed();
    seed.instance.quotas = IdentityCenterQuotas::AWS;
    let mut harness = Harness::with(seed);
    harness.enable();
    for _ in 0..10 {
        harness
            .sso("ListInstances", json!({}))
            .expect("an instance");
        harness
            .sso("ListPermissionSets", json!({}))
            .expect("permission sets");
    }
    assert_eq!(
        error(harness.sso("ListInstances", json!({}))),
        ("ThrottlingException".to_owned(), "Rate exceeded".to_owned())
    );
    harness
        .identity("ListUsers", json!({}))
        .expect("another service has another quota");
    harness.advance(1);
    for _ in 0..20 {
        harness
            .sso("ListInstances", json!({}))
            .expect("an instance");
    }
    assert_eq!(
        error_code(harness.sso("ListInstances", json!({}))),
        "ThrottlingException"
    );
}

#[test]
fn the_assignment_of_a_deleted_group_can_be_deleted_or_fails_by_a_setting() {
    for (fails, status) in [(false, "SUCCEEDED"), (true, "FAILED")] {
        let mut seed = seed();
        seed.instance.orphan_deletion_fails = fails;
        let mut harness = Harness::with(seed);
        harness.enable();
        let set = harness.permission_set("Admin");
        let group = harness.group("admins", &[]);
        harness.assign(WEB, &set, "GROUP", &group);
        harness
            .identity("DeleteGroup", json!({ "GroupId": group }))
            .expect("the request succeeds");
        let body = assignment(WEB, &set, "GROUP", &group);
        let started = harness
            .sso("DeleteAccountAssignment", body)
            .expect("an operation");
        let id = &started["AccountAssignmentDeletionStatus"]["RequestId"];
        harness.advance(10);
        let request = json!({ "AccountAssignmentDeletionRequestId": id });
        let ended = harness
            .sso("DescribeAccountAssignmentDeletionStatus", request)
            .expect("a status");
        assert_eq!(ended["AccountAssignmentDeletionStatus"]["Status"], status);
        assert_eq!(harness.cloud.assignments().len(), usize::from(fails));
    }
}
