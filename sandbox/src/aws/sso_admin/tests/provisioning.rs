//! Tests of the provisioning of permission sets.

use serde_json::{Value, json};

use super::{AUDIT, LEGACY, MANAGEMENT, WEB, error, error_code};
use crate::aws::harness::Harness;

fn of(set: &str) -> Value {
    json!({ "PermissionSetArn": set })
}

fn to(set: &str, account: &str) -> Value {
    json!({ "PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": account })
}

/// Starts a provisioning and waits until it ends; returns the final status.
fn provision(harness: &mut Harness, body: Value) -> Value {
    let started = harness
        .sso("ProvisionPermissionSet", body)
        .expect("an operation");
    let id = &started["PermissionSetProvisioningStatus"]["RequestId"];
    assert_eq!(
        started["PermissionSetProvisioningStatus"]["Status"],
        "IN_PROGRESS"
    );
    harness.advance(10);
    let body = json!({ "ProvisionPermissionSetRequestId": id });
    let status = harness
        .sso("DescribePermissionSetProvisioningStatus", body)
        .expect("a status");
    status["PermissionSetProvisioningStatus"].clone()
}

fn accounts(harness: &mut Harness, set: &str, status: &str) -> Value {
    let mut body = of(set);
    if !status.is_empty() {
        body["ProvisioningStatus"] = status.into();
    }
    harness
        .sso("ListAccountsForProvisionedPermissionSet", body)
        .expect("accounts")["AccountIds"]
        .clone()
}

#[test]
fn a_changed_permission_set_is_outdated_until_it_is_provisioned() {
    let mut harness = Harness::with_identity_center();
    let group = harness.group("admins", &[]);
    let set = harness.permission_set("Admin");
    harness.assign(WEB, &set, "GROUP", &group);
    assert_eq!(accounts(&mut harness, &set, ""), json!([WEB]));
    assert_eq!(
        accounts(&mut harness, &set, "LATEST_PERMISSION_SET_NOT_PROVISIONED"),
        json!([])
    );
    let mut policy = of(&set);
    policy["ManagedPolicyArn"] = "arn:aws:iam::aws:policy/ReadOnlyAccess".into();
    harness
        .sso("AttachManagedPolicyToPermissionSet", policy)
        .expect("a policy");
    assert_eq!(
        accounts(&mut harness, &set, "LATEST_PERMISSION_SET_NOT_PROVISIONED"),
        json!([WEB])
    );
    let all = json!({ "PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS" });
    let status = provision(&mut harness, all);
    assert_eq!(status["Status"], "SUCCEEDED");
    assert!(status.get("AccountId").is_none());
    assert_eq!(
        accounts(&mut harness, &set, "LATEST_PERMISSION_SET_PROVISIONED"),
        json!([WEB])
    );
    let sets = harness
        .sso(
            "ListPermissionSetsProvisionedToAccount",
            json!({ "AccountId": WEB }),
        )
        .expect("permission sets");
    assert_eq!(sets["PermissionSets"], json!([set]));
}

#[test]
fn an_assignment_does_not_update_an_existing_role() {
    let mut harness = Harness::with_identity_center();
    let (first, second) = (harness.group("first", &[]), harness.group("second", &[]));
    let set = harness.permission_set("Admin");
    harness.assign(WEB, &set, "GROUP", &first);
    let mut update = of(&set);
    update["SessionDuration"] = "PT8H".into();
    harness
        .sso("UpdatePermissionSet", update)
        .expect("an update");
    harness.assign(WEB, &set, "GROUP", &second);
    assert_eq!(
        accounts(&mut harness, &set, "LATEST_PERMISSION_SET_NOT_PROVISIONED"),
        json!([WEB])
    );
}

#[test]
fn a_permission_set_can_be_provisioned_without_an_assignment() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let status = provision(&mut harness, to(&set, WEB));
    assert_eq!(status["Status"], "SUCCEEDED");
    assert_eq!(status["AccountId"], WEB);
    assert_eq!(accounts(&mut harness, &set, ""), json!([WEB]));
}

#[test]
fn provisioning_to_a_suspended_account_fails_with_a_reason() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let status = provision(&mut harness, to(&set, LEGACY));
    assert_eq!(status["Status"], "FAILED");
    assert_eq!(
        status["FailureReason"],
        "AWS SSO is unable to complete your request at this time. Obtaining permissions to manage your AWS account \
         '200000000003' is taking longer than usual. This is usually temporary. Please try again in a few minutes. \
         If this problem continues, contact AWS Support."
    );
}

#[test]
fn an_invalid_inline_policy_fails_during_provisioning() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let mut policy = of(&set);
    policy["InlinePolicy"] = "not a policy".into();
    harness
        .sso("PutInlinePolicyToPermissionSet", policy)
        .expect("a policy");
    let status = provision(&mut harness, to(&set, WEB));
    assert_eq!(status["Status"], "FAILED");
    let reason = status["FailureReason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("Received a 400 status error: Syntax errors in policy."),
        "{reason}"
    );
}

#[test]
fn customer_managed_policies_and_boundaries_have_to_exist_in_the_account() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let attach = |path: &str| json!({ "PermissionSetArn": set, "CustomerManagedPolicyReference": { "Name": "BreakGlass", "Path": path } });
    harness
        .sso(
            "AttachCustomerManagedPolicyReferenceToPermissionSet",
            attach("/ops/"),
        )
        .expect("a policy");
    assert_eq!(
        provision(&mut harness, to(&set, WEB))["Status"],
        "SUCCEEDED"
    );
    let status = provision(&mut harness, to(&set, "200000000001"));
    assert_eq!(status["Status"], "FAILED");
    let reason = status["FailureReason"].as_str().expect("a reason");
    assert!(
        reason.contains("Policy arn:aws:iam::200000000001:policy/ops/BreakGlass does not exist"),
        "{reason}"
    );
    let boundary = json!({
        "PermissionSetArn": set,
        "PermissionsBoundary": { "CustomerManagedPolicyReference": { "Name": "Limit" } },
    });
    harness
        .sso("PutPermissionsBoundaryToPermissionSet", boundary)
        .expect("a boundary");
    assert_eq!(provision(&mut harness, to(&set, WEB))["Status"], "FAILED");
}

#[test]
fn the_target_must_be_an_open_account_of_the_organization() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let unknown_account = harness.sso("ProvisionPermissionSet", to(&set, "999999999999"));
    assert_eq!(error_code(unknown_account), "ResourceNotFoundException");
    let closed = harness.sso("ProvisionPermissionSet", to(&set, "200000000004"));
    assert_eq!(
        error(closed),
        (
            "ValidationException".to_owned(),
            "AWS account 200000000004 is closed.".to_owned()
        )
    );
    let no_target = harness.sso(
        "ProvisionPermissionSet",
        json!({ "PermissionSetArn": set, "TargetType": "AWS_ACCOUNT" }),
    );
    assert_eq!(
        error(no_target).1,
        "TargetId is required when TargetType is AWS_ACCOUNT."
    );
    let unknown = harness.sso(
        "ProvisionPermissionSet",
        json!({ "PermissionSetArn": set, "TargetType": "OU" }),
    );
    assert_eq!(error_code(unknown), "ValidationException");
}

#[test]
fn at_most_three_permission_sets_are_provisioned_concurrently() {
    let mut harness = Harness::with_identity_center();
    let sets: Vec<String> = ["A", "B", "C", "D"]
        .iter()
        .map(|name| harness.permission_set(name))
        .collect();
    harness
        .sso("ProvisionPermissionSet", to(&sets[0], WEB))
        .expect("an operation");
    let twice = harness.sso("ProvisionPermissionSet", to(&sets[0], WEB));
    assert_eq!(error_code(twice), "ConflictException");
    harness
        .sso("ProvisionPermissionSet", to(&sets[1], AUDIT))
        .expect("an operation");
    harness
        .sso("ProvisionPermissionSet", to(&sets[2], MANAGEMENT))
        .expect("an operation");
    let fourth = harness.sso("ProvisionPermissionSet", to(&sets[3], WEB));
    assert_eq!(
        error(fourth),
        (
            "ThrottlingException".to_owned(),
            "There are too many requests processing. Please try again later.".to_owned()
        )
    );
    let running = json!({ "Filter": { "Status": "IN_PROGRESS" } });
    let listed = harness
        .sso("ListPermissionSetProvisioningStatus", running.clone())
        .expect("statuses");
    assert_eq!(
        listed["PermissionSetsProvisioningStatus"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    harness.advance(10);
    let listed = harness
        .sso("ListPermissionSetProvisioningStatus", running)
        .expect("statuses");
    assert_eq!(listed["PermissionSetsProvisioningStatus"], json!([]));
    harness
        .sso("ProvisionPermissionSet", to(&sets[3], WEB))
        .expect("an operation");
}

#[test]
fn an_unknown_request_id_returns_not_found() {
    let mut harness = Harness::with_identity_center();
    let id = "00000000-0000-0000-0000-000000000000";
    let missing = harness.sso(
        "DescribePermissionSetProvisioningStatus",
        json!({ "ProvisionPermissionSetRequestId": id }),
    );
    assert_eq!(
        error(missing),
        (
            "ResourceNotFoundException".to_owned(),
            format!("Request not found for {id}")
        )
    );
    let malformed = harness.sso(
        "DescribePermissionSetProvisioningStatus",
        json!({ "ProvisionPermissionSetRequestId": "1" }),
    );
    assert_eq!(error_code(malformed), "ValidationException");
}

#[test]
fn an_account_that_fails_does_not_stop_the_provisioning_of_the_others() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let estate = crate::Estate::default()
        .set(crate::PermissionSetSeed::new("Other"))
        .outdated(LEGACY, "Other")
        .outdated(WEB, "Other");
    harness
        .cloud
        .seed_estate(&estate, harness.now)
        .expect("the estate is valid");
    let other = harness.cloud.permission_sets()[1].arn.clone();
    assert_ne!(other, set);
    let all = json!({ "PermissionSetArn": other, "TargetType": "ALL_PROVISIONED_ACCOUNTS" });
    let status = provision(&mut harness, all);
    assert_eq!(status["Status"], "FAILED");
    assert_eq!(
        accounts(
            &mut harness,
            &other,
            "LATEST_PERMISSION_SET_NOT_PROVISIONED"
        ),
        json!([LEGACY])
    );
}
