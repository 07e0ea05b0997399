use serde_json::{Value, json};

use super::{AUDIT, LEGACY, MANAGEMENT, WEB, refused, words};
use crate::aws::harness::{Harness, assignment};

struct World {
    harness: Harness,
    set: String,
    group: String,
}

fn world() -> World {
    let mut harness = Harness::centered();
    let set = harness.permission_set("Admin");
    let group = harness.group("admins", &[]);
    World {
        harness,
        set,
        group,
    }
}

impl World {
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
    let mut world = world();
    let started = world.create(WEB);
    assert_eq!(started["Status"], "IN_PROGRESS");
    assert_eq!(started["TargetId"], WEB);
    assert_eq!(started["PrincipalId"], world.group);
    let ask = json!({ "AccountAssignmentCreationRequestId": started["RequestId"] });
    world.harness.advance(9);
    let status = world
        .harness
        .sso("DescribeAccountAssignmentCreationStatus", ask.clone())
        .expect("a status");
    assert_eq!(
        status["AccountAssignmentCreationStatus"]["Status"],
        "IN_PROGRESS"
    );
    assert_eq!(world.list(WEB), json!([]));
    world.harness.advance(1);
    let status = world
        .harness
        .sso("DescribeAccountAssignmentCreationStatus", ask)
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
        world.list(WEB),
        json!([{
            "AccountId": WEB,
            "PermissionSetArn": world.set,
            "PrincipalType": "GROUP",
            "PrincipalId": world.group,
        }])
    );
    assert_eq!(world.harness.cloud.permission_sets()[0].accounts, [WEB]);
}

#[test]
fn an_assignment_that_exists_can_be_created_again() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    assert_eq!(
        world.harness.assign(WEB, &set, "GROUP", &group)["Status"],
        "SUCCEEDED"
    );
    assert_eq!(
        world.harness.assign(WEB, &set, "GROUP", &group)["Status"],
        "SUCCEEDED"
    );
    assert_eq!(world.list(WEB).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_suspended_account_fails_with_a_reason() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    for account in [LEGACY, "200000000005"] {
        let status = world.harness.assign(account, &set, "GROUP", &group);
        assert_eq!(status["Status"], "FAILED", "{account}");
        let reason = status["FailureReason"].as_str().expect("a reason");
        assert!(
            reason.starts_with("AWS SSO is unable to complete your request at this time."),
            "{reason}"
        );
    }
    assert_eq!(world.list(LEGACY), json!([]));
}

#[test]
fn a_principal_that_does_not_exist_fails_with_a_reason() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    let status = world.harness.assign(WEB, &set, "USER", &group);
    assert_eq!(status["Status"], "FAILED");
    assert_eq!(
        status["FailureReason"],
        "Received a 404 status error: USER not found."
    );
}

#[test]
fn a_customer_managed_policy_that_is_absent_fails_with_a_reason() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    let policy = json!({ "PermissionSetArn": set, "CustomerManagedPolicyReference": { "Name": "BreakGlass", "Path": "/ops/" } });
    world
        .harness
        .sso(
            "AttachCustomerManagedPolicyReferenceToPermissionSet",
            policy,
        )
        .expect("a policy");
    assert_eq!(
        world.harness.assign(WEB, &set, "GROUP", &group)["Status"],
        "SUCCEEDED"
    );
    let status = world.harness.assign(AUDIT, &set, "GROUP", &group);
    assert_eq!(status["Status"], "FAILED");
    let reason = status["FailureReason"].as_str().expect("a reason");
    assert!(
        reason.contains("does not exist or is not attachable"),
        "{reason}"
    );
    assert_eq!(world.list(AUDIT), json!([]));
}

#[test]
fn accounts_outside_of_the_organization_are_refused_at_once() {
    let mut world = world();
    let stranger = world.body("999999999999");
    assert_eq!(
        refused(world.harness.sso("CreateAccountAssignment", stranger)),
        "ResourceNotFoundException"
    );
    let closed = world.body("200000000004");
    assert_eq!(
        refused(world.harness.sso("CreateAccountAssignment", closed)),
        "ValidationException"
    );
}

#[test]
fn members_of_a_request_fit_the_model() {
    let mut world = world();
    for (name, value) in [
        ("TargetType", json!("OU")),
        ("TargetId", json!("1")),
        ("PrincipalType", json!("ROLE")),
        ("PrincipalId", json!("ada@example.com")),
        ("PermissionSetArn", json!("Admin")),
        ("InstanceArn", json!("ssoins-1")),
    ] {
        let mut body = world.body(WEB);
        body[name] = value;
        assert_eq!(
            refused(world.harness.sso("CreateAccountAssignment", body)),
            "ValidationException",
            "{name}"
        );
        let mut body = world.body(WEB);
        if name != "InstanceArn" {
            body.as_object_mut().expect("an object").remove(name);
            assert_eq!(
                refused(world.harness.sso("CreateAccountAssignment", body)),
                "ValidationException",
                "{name}"
            );
        }
    }
}

#[test]
fn fifteen_operations_are_outstanding_at_most() {
    let mut world = world();
    for number in 0..15 {
        let group = world.harness.group(&format!("group {number}"), &[]);
        let body = assignment(WEB, &world.set, "GROUP", &group);
        world
            .harness
            .sso("CreateAccountAssignment", body)
            .expect("an operation");
    }
    let body = world.body(WEB);
    assert_eq!(
        words(world.harness.sso("CreateAccountAssignment", body.clone())),
        (
            "ThrottlingException".to_owned(),
            "There are too many requests processing. Please try again later.".to_owned()
        )
    );
    let running = json!({ "Filter": { "Status": "IN_PROGRESS" } });
    let listed = world
        .harness
        .sso("ListAccountAssignmentCreationStatus", running)
        .expect("statuses");
    let listed = listed["AccountAssignmentsCreationStatus"]
        .as_array()
        .expect("statuses");
    assert_eq!(listed.len(), 15);
    assert!(listed[0].get("TargetId").is_none());
    world.harness.advance(10);
    world
        .harness
        .sso("CreateAccountAssignment", body)
        .expect("an operation");
    assert_eq!(world.harness.cloud.assignments().len(), 15);
}

#[test]
fn an_assignment_is_deleted_with_the_role_that_nobody_uses_any_more() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    let user = world.harness.user("ada@example.com");
    world.harness.assign(WEB, &set, "GROUP", &group);
    world.harness.assign(WEB, &set, "USER", &user);
    let body = world.body(WEB);
    let started = world
        .harness
        .sso("DeleteAccountAssignment", body.clone())
        .expect("an operation");
    let id = &started["AccountAssignmentDeletionStatus"]["RequestId"];
    assert_eq!(
        started["AccountAssignmentDeletionStatus"]["Status"],
        "IN_PROGRESS"
    );
    world.harness.advance(10);
    let ask = json!({ "AccountAssignmentDeletionRequestId": id });
    let status = world
        .harness
        .sso("DescribeAccountAssignmentDeletionStatus", ask)
        .expect("a status");
    assert_eq!(
        status["AccountAssignmentDeletionStatus"]["Status"],
        "SUCCEEDED"
    );
    assert_eq!(world.harness.cloud.permission_sets()[0].accounts, [WEB]);
    let again = world.harness.sso("DeleteAccountAssignment", body);
    assert_eq!(refused(again), "ResourceNotFoundException");
    let last = assignment(WEB, &set, "USER", &user);
    world
        .harness
        .sso("DeleteAccountAssignment", last)
        .expect("an operation");
    world.harness.advance(10);
    world.harness.cloud.settle(world.harness.now);
    assert_eq!(
        world.harness.cloud.permission_sets()[0].accounts,
        Vec::<String>::new()
    );
    let listed = world
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
fn granting_and_revoking_the_same_at_once_is_a_conflict() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    world.harness.assign(WEB, &set, "GROUP", &group);
    let body = world.body(WEB);
    world
        .harness
        .sso("DeleteAccountAssignment", body.clone())
        .expect("an operation");
    assert_eq!(
        refused(world.harness.sso("CreateAccountAssignment", body.clone())),
        "ConflictException"
    );
    world.harness.advance(10);
    world
        .harness
        .sso("CreateAccountAssignment", body)
        .expect("an operation");
}

#[test]
fn the_status_of_a_creation_is_not_that_of_a_deletion() {
    let mut world = world();
    let id = world.create(WEB)["RequestId"].clone();
    let ask = json!({ "AccountAssignmentDeletionRequestId": id });
    let outcome = world
        .harness
        .sso("DescribeAccountAssignmentDeletionStatus", ask);
    assert_eq!(refused(outcome), "ResourceNotFoundException");
}

#[test]
fn a_principal_has_its_own_assignments_and_those_of_its_groups() {
    let mut world = world();
    let (set, group) = (world.set.clone(), world.group.clone());
    let user = world.harness.user("ada@example.com");
    let member = json!({ "GroupId": group, "MemberId": { "UserId": user } });
    world
        .harness
        .identity("CreateGroupMembership", member)
        .expect("a membership");
    world.harness.assign(WEB, &set, "GROUP", &group);
    world.harness.assign(AUDIT, &set, "USER", &user);
    let mut ask = |kind: &str, id: &str, filter: Option<&str>| {
        let mut body = json!({ "PrincipalType": kind, "PrincipalId": id });
        if let Some(account) = filter {
            body["Filter"] = json!({ "AccountId": account });
        }
        let found = world
            .harness
            .sso("ListAccountAssignmentsForPrincipal", body)
            .expect("assignments");
        let found = found["AccountAssignments"]
            .as_array()
            .expect("a list")
            .clone();
        found
            .iter()
            .map(|one| {
                (
                    one["AccountId"].as_str().expect("an id").to_owned(),
                    one["PrincipalType"].as_str().expect("a type").to_owned(),
                )
            })
            .collect::<Vec<_>>()
    };
    let of = |account: &str, kind: &str| (account.to_owned(), kind.to_owned());
    assert_eq!(ask("GROUP", &group, None), [of(WEB, "GROUP")]);
    assert_eq!(
        ask("USER", &user, None),
        [of(WEB, "GROUP"), of(AUDIT, "USER")]
    );
    assert_eq!(ask("USER", &user, Some(AUDIT)), [of(AUDIT, "USER")]);
    assert_eq!(ask("GROUP", &user, None), []);
}

#[test]
fn a_delegated_administrator_cannot_assign_in_the_management_account_or_list_by_principal() {
    let mut world = world();
    let body = json!({ "AccountId": AUDIT, "ServicePrincipal": "sso.amazonaws.com" });
    world
        .harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegate");
    world.harness.sign_as(AUDIT);
    let management = world.body(MANAGEMENT);
    assert_eq!(
        refused(world.harness.sso("CreateAccountAssignment", management)),
        "AccessDeniedException"
    );
    let by_principal = json!({ "PrincipalType": "GROUP", "PrincipalId": world.group });
    assert_eq!(
        refused(
            world
                .harness
                .sso("ListAccountAssignmentsForPrincipal", by_principal)
        ),
        "AccessDeniedException"
    );
    let elsewhere = world.body(WEB);
    world
        .harness
        .sso("CreateAccountAssignment", elsewhere)
        .expect("an operation");
}

#[test]
fn a_tampered_token_is_refused() {
    let mut world = world();
    let body = json!({ "AccountId": WEB, "PermissionSetArn": world.set, "NextToken": "AAAA" });
    assert_eq!(
        words(world.harness.sso("ListAccountAssignments", body)),
        (
            "ValidationException".to_owned(),
            "Invalid NextToken.".to_owned()
        )
    );
    let body = json!({ "AccountId": WEB, "PermissionSetArn": world.set, "MaxResults": 101 });
    assert_eq!(
        refused(world.harness.sso("ListAccountAssignments", body)),
        "ValidationException"
    );
}
