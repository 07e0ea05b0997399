//! Tests of the operations on permission sets, their policies and their tags.

use serde_json::{Value, json};

use super::{AUDIT, MANAGEMENT, WEB, error, error_code};
use crate::UnknownPolicies;
use crate::aws::harness::{Harness, seed};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn of(set: &str) -> Value {
    json!({ "PermissionSetArn": set })
}

fn with(set: &str, name: &str, value: impl Into<Value>) -> Value {
    let mut body = of(set);
    body[name] = value.into();
    body
}

#[test]
fn a_permission_set_is_created_with_the_requested_values() {
    let mut harness = Harness::with_identity_center();
    let created = harness
        .sso(
            "CreatePermissionSet",
            json!({
                "Name": "Admin",
                "Description": "All of it",
                "SessionDuration": "PT4H",
                "RelayState": "https://console.aws.amazon.com/",
                "Tags": [{ "Key": "team", "Value": "platform" }],
            }),
        )
        .expect("a permission set");
    let set = &created["PermissionSet"];
    let arn = set["PermissionSetArn"].as_str().expect("an ARN");
    assert!(
        arn.starts_with("arn:aws:sso:::permissionSet/ssoins-7223"),
        "{arn}"
    );
    assert!(arn.contains("/ps-"), "{arn}");
    assert_eq!(set["Description"], "All of it");
    assert_eq!(set["SessionDuration"], "PT4H");
    assert_eq!(set["CreatedDate"], 1_795_517_828.014);
    let described = harness
        .sso("DescribePermissionSet", of(arn))
        .expect("a permission set");
    assert_eq!(described["PermissionSet"], *set);
    let tags = harness
        .sso("ListTagsForResource", json!({ "ResourceArn": arn }))
        .expect("tags");
    assert_eq!(
        tags["Tags"],
        json!([{ "Key": "team", "Value": "platform" }])
    );
}

#[test]
fn the_default_session_duration_is_one_hour() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let described = harness
        .sso("DescribePermissionSet", of(&set))
        .expect("a permission set");
    assert_eq!(described["PermissionSet"]["SessionDuration"], "PT1H");
    assert!(described["PermissionSet"].get("Description").is_none());
}

#[test]
fn a_duplicate_name_is_a_conflict() {
    let mut harness = Harness::with_identity_center();
    harness.permission_set("Admin");
    assert_eq!(
        error(harness.sso("CreatePermissionSet", json!({ "Name": "Admin" }))),
        (
            "ConflictException".to_owned(),
            "PermissionSet with name Admin already exists.".to_owned()
        )
    );
}

#[test]
fn names_durations_descriptions_and_relay_states_are_checked_against_the_model() {
    let mut harness = Harness::with_identity_center();
    for body in [
        json!({}),
        json!({ "Name": "" }),
        json!({ "Name": "Read Only" }),
        json!({ "Name": "x".repeat(33) }),
        json!({ "Name": "A", "SessionDuration": "8h" }),
        json!({ "Name": "A", "SessionDuration": "PT30M" }),
        json!({ "Name": "A", "SessionDuration": "PT13H" }),
        json!({ "Name": "A", "SessionDuration": "P1D" }),
        json!({ "Name": "A", "Description": "" }),
        json!({ "Name": "A", "Description": "日本" }),
        json!({ "Name": "A", "Description": "x".repeat(701) }),
        json!({ "Name": "A", "RelayState": "a b<" }),
    ] {
        assert_eq!(
            error_code(harness.sso("CreatePermissionSet", body.clone())),
            "ValidationException",
            "{body}"
        );
    }
    let number = json!({ "Name": "A", "SessionDuration": 3600 });
    assert_eq!(
        error_code(harness.sso("CreatePermissionSet", number)),
        "SerializationException"
    );
    assert_eq!(harness.cloud.permission_sets(), []);
}

#[test]
fn an_update_keeps_omitted_members_except_the_relay_state() {
    let mut harness = Harness::with_identity_center();
    let body = json!({ "Name": "Admin", "Description": "d", "SessionDuration": "PT4H", "RelayState": "https://x/" });
    let created = harness
        .sso("CreatePermissionSet", body)
        .expect("a permission set");
    let set = created["PermissionSet"]["PermissionSetArn"]
        .as_str()
        .expect("an ARN");
    harness
        .sso("UpdatePermissionSet", with(set, "SessionDuration", "PT8H"))
        .expect("an update");
    let described = harness
        .sso("DescribePermissionSet", of(set))
        .expect("a permission set");
    let described = &described["PermissionSet"];
    assert_eq!(described["SessionDuration"], "PT8H");
    assert_eq!(described["Description"], "d");
    assert!(described.get("RelayState").is_none());
}

#[test]
fn a_missing_permission_set_returns_not_found() {
    let mut harness = Harness::with_identity_center();
    let id = harness
        .instance()
        .rsplit('/')
        .next()
        .expect("an id")
        .to_owned();
    let missing = format!("arn:aws:sso:::permissionSet/{id}/ps-0000000000000000");
    for operation in [
        "DescribePermissionSet",
        "UpdatePermissionSet",
        "DeletePermissionSet",
        "ListManagedPoliciesInPermissionSet",
        "GetInlinePolicyForPermissionSet",
        "ListAccountsForProvisionedPermissionSet",
    ] {
        assert_eq!(
            error(harness.sso(operation, of(&missing))),
            (
                "ResourceNotFoundException".to_owned(),
                format!("PermissionSet not found for {missing}")
            ),
            "{operation}"
        );
    }
    assert_eq!(
        error_code(harness.sso("DescribePermissionSet", of("Admin"))),
        "ValidationException"
    );
}

#[test]
fn only_an_unassigned_permission_set_can_be_deleted() {
    let mut harness = Harness::with_identity_center();
    let group = harness.group("admins", &[]);
    let set = harness.permission_set("Admin");
    harness.assign("200000000002", &set, "GROUP", &group);
    assert_eq!(
        error(harness.sso("DeletePermissionSet", of(&set))),
        (
            "ConflictException".to_owned(),
            "Could not delete because PermissionSet has ApplicationProfile associated with it"
                .to_owned()
        )
    );
    let body = crate::aws::harness::assignment("200000000002", &set, "GROUP", &group);
    harness
        .sso("DeleteAccountAssignment", body)
        .expect("an operation");
    harness.advance(10);
    harness
        .sso("DeletePermissionSet", of(&set))
        .expect("the request succeeds");
    let again = harness.permission_set("Admin");
    assert_ne!(again, set);
}

#[test]
fn a_managed_policy_can_be_attached_once_and_detached_once() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let policy = with(&set, "ManagedPolicyArn", ADMINISTRATOR);
    harness
        .sso("AttachManagedPolicyToPermissionSet", policy.clone())
        .expect("a policy");
    assert_eq!(
        error_code(harness.sso("AttachManagedPolicyToPermissionSet", policy.clone())),
        "ConflictException"
    );
    let listed = harness
        .sso("ListManagedPoliciesInPermissionSet", of(&set))
        .expect("policies");
    assert_eq!(
        listed,
        json!({ "AttachedManagedPolicies": [{ "Name": "AdministratorAccess", "Arn": ADMINISTRATOR }] })
    );
    harness
        .sso("DetachManagedPolicyFromPermissionSet", policy.clone())
        .expect("the request succeeds");
    assert_eq!(
        error_code(harness.sso("DetachManagedPolicyFromPermissionSet", policy)),
        "ResourceNotFoundException"
    );
    let own = with(
        &set,
        "ManagedPolicyArn",
        "arn:aws:iam::111122223333:policy/Mine",
    );
    assert_eq!(
        error_code(harness.sso("AttachManagedPolicyToPermissionSet", own)),
        "ValidationException"
    );
}

#[test]
fn a_permission_set_has_at_most_twenty_policies() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    for number in 0..20 {
        let reference = json!({ "Name": format!("Policy{number:02}") });
        let policy = with(&set, "CustomerManagedPolicyReference", reference);
        harness
            .sso(
                "AttachCustomerManagedPolicyReferenceToPermissionSet",
                policy,
            )
            .expect("a policy");
    }
    let policy = with(
        &set,
        "ManagedPolicyArn",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    );
    let more = harness.sso("AttachManagedPolicyToPermissionSet", policy);
    assert_eq!(error_code(more), "ServiceQuotaExceededException");
}

#[test]
fn a_managed_policy_that_does_not_exist_is_refused() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    // The policy is in the path `job-function/`.
    let unknown = "arn:aws:iam::aws:policy/ViewOnlyAccess";
    let message = format!("Policy {unknown} does not exist or is not attachable.");
    let policy = with(&set, "ManagedPolicyArn", unknown);
    let attached = harness.sso("AttachManagedPolicyToPermissionSet", policy);
    assert_eq!(
        attached,
        Err(("ResourceNotFoundException".to_owned(), message))
    );
    let boundary = with(
        &set,
        "PermissionsBoundary",
        json!({ "ManagedPolicyArn": unknown }),
    );
    let put = harness.sso("PutPermissionsBoundaryToPermissionSet", boundary);
    assert_eq!(error_code(put), "ResourceNotFoundException");
    for known in ["job-function/ViewOnlyAccess", "service-role/AWS_ConfigRole"] {
        let arn = format!("arn:aws:iam::aws:policy/{known}");
        let policy = with(&set, "ManagedPolicyArn", arn);
        harness
            .sso("AttachManagedPolicyToPermissionSet", policy)
            .expect("a policy");
    }
}

#[test]
fn an_unknown_managed_policy_can_fail_at_provisioning_instead() {
    let mut seed = seed();
    seed.instance.unknown_policies = UnknownPolicies::FailAtProvisioning;
    let mut harness = Harness::with(seed);
    harness.enable();
    for (name, policy, reason) in [
        (
            "Typo",
            "AdministratorAcces",
            "Received a 404 status error: Policy arn:aws:iam::aws:policy/AdministratorAcces does not exist or is not \
             attachable. (Service: AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity)",
        ),
        (
            "Linked",
            "aws-service-role/AWSSSOServiceRolePolicy",
            "Received a 400 status error: Cannot attach a Service Role Policy to a Customer Role. (Service: \
             AmazonIdentityManagement; Status Code: 400; Error Code: PolicyNotAttachable)",
        ),
    ] {
        let set = harness.permission_set(name);
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        let attached = with(&set, "ManagedPolicyArn", arn);
        harness
            .sso("AttachManagedPolicyToPermissionSet", attached)
            .expect("a policy");
        let group = harness.group(name, &[]);
        let status = harness.assign(WEB, &set, "GROUP", &group);
        assert_eq!(status["FailureReason"], reason);
    }
}

#[test]
fn customer_managed_policies_are_identified_by_path_and_name() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let plain = with(
        &set,
        "CustomerManagedPolicyReference",
        json!({ "Name": "BreakGlass" }),
    );
    let deep = with(
        &set,
        "CustomerManagedPolicyReference",
        json!({ "Name": "BreakGlass", "Path": "/ops/" }),
    );
    for policy in [&plain, &deep] {
        harness
            .sso(
                "AttachCustomerManagedPolicyReferenceToPermissionSet",
                policy.clone(),
            )
            .expect("a policy");
        let again = harness.sso(
            "AttachCustomerManagedPolicyReferenceToPermissionSet",
            policy.clone(),
        );
        assert_eq!(error_code(again), "ConflictException");
    }
    let listed = harness
        .sso(
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            of(&set),
        )
        .expect("policies");
    assert_eq!(
        listed["CustomerManagedPolicyReferences"],
        json!([{ "Name": "BreakGlass", "Path": "/" }, { "Name": "BreakGlass", "Path": "/ops/" }])
    );
    harness
        .sso(
            "DetachCustomerManagedPolicyReferenceFromPermissionSet",
            plain.clone(),
        )
        .expect("the request succeeds");
    let again = harness.sso(
        "DetachCustomerManagedPolicyReferenceFromPermissionSet",
        plain,
    );
    assert_eq!(error_code(again), "ResourceNotFoundException");
    let missing = harness.sso(
        "AttachCustomerManagedPolicyReferenceToPermissionSet",
        of(&set),
    );
    assert_eq!(
        error(missing).1,
        "1 validation error detected: Value at 'customerManagedPolicyReference' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn the_inline_policy_can_be_set_read_and_deleted() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let none = harness
        .sso("GetInlinePolicyForPermissionSet", of(&set))
        .expect("a policy");
    assert_eq!(none, json!({ "InlinePolicy": "" }));
    assert_eq!(
        error_code(harness.sso("DeleteInlinePolicyFromPermissionSet", of(&set))),
        "ResourceNotFoundException"
    );
    let policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}";
    harness
        .sso(
            "PutInlinePolicyToPermissionSet",
            with(&set, "InlinePolicy", policy),
        )
        .expect("a policy");
    let response = harness
        .sso("GetInlinePolicyForPermissionSet", of(&set))
        .expect("a policy");
    assert_eq!(response["InlinePolicy"], policy);
    harness
        .sso("DeleteInlinePolicyFromPermissionSet", of(&set))
        .expect("the request succeeds");
    let long = with(&set, "InlinePolicy", "x".repeat(10_241));
    assert_eq!(
        error_code(harness.sso("PutInlinePolicyToPermissionSet", long)),
        "ServiceQuotaExceededException"
    );
    let empty = with(&set, "InlinePolicy", "");
    assert_eq!(
        error_code(harness.sso("PutInlinePolicyToPermissionSet", empty)),
        "ValidationException"
    );
}

#[test]
fn a_boundary_is_either_an_aws_managed_or_a_customer_managed_policy() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    assert_eq!(
        error_code(harness.sso("GetPermissionsBoundaryForPermissionSet", of(&set))),
        "ResourceNotFoundException"
    );
    for boundary in [
        json!({ "ManagedPolicyArn": ADMINISTRATOR }),
        json!({ "CustomerManagedPolicyReference": { "Name": "Limit", "Path": "/" } }),
    ] {
        harness
            .sso(
                "PutPermissionsBoundaryToPermissionSet",
                with(&set, "PermissionsBoundary", boundary.clone()),
            )
            .expect("a boundary");
        let response = harness
            .sso("GetPermissionsBoundaryForPermissionSet", of(&set))
            .expect("a boundary");
        assert_eq!(response["PermissionsBoundary"], boundary);
    }
    for boundary in [
        json!({}),
        json!({ "ManagedPolicyArn": ADMINISTRATOR, "CustomerManagedPolicyReference": { "Name": "Limit" } }),
    ] {
        let outcome = harness.sso(
            "PutPermissionsBoundaryToPermissionSet",
            with(&set, "PermissionsBoundary", boundary),
        );
        assert_eq!(error_code(outcome), "ValidationException");
    }
    harness
        .sso("DeletePermissionsBoundaryFromPermissionSet", of(&set))
        .expect("the request succeeds");
    assert_eq!(
        error_code(harness.sso("DeletePermissionsBoundaryFromPermissionSet", of(&set))),
        "ResourceNotFoundException"
    );
}

#[test]
fn tags_are_added_and_removed() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let resource = |arn: &str, name: &str, value: Value| {
        let mut body = json!({ "ResourceArn": arn });
        body[name] = value;
        body
    };
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "" }]);
    for arn in [set, harness.instance()] {
        harness
            .sso("TagResource", resource(&arn, "Tags", tags.clone()))
            .expect("tags");
        harness
            .sso(
                "UntagResource",
                resource(&arn, "TagKeys", json!(["a", "c"])),
            )
            .expect("the request succeeds");
        let remaining = harness
            .sso("ListTagsForResource", json!({ "ResourceArn": arn }))
            .expect("tags");
        assert_eq!(
            remaining["Tags"],
            json!([{ "Key": "b", "Value": "" }]),
            "{arn}"
        );
    }
    let untag = harness.sso(
        "UntagResource",
        json!({ "ResourceArn": harness.instance(), "TagKeys": [] }),
    );
    assert_eq!(error_code(untag), "ValidationException");
    let malformed = harness.sso(
        "ListTagsForResource",
        json!({ "ResourceArn": "arn:aws:iam::111122223333:role/x" }),
    );
    assert_eq!(error_code(malformed), "ValidationException");
}

#[test]
fn a_delegated_administrator_cannot_change_a_permission_set_of_the_management_account() {
    let mut harness = Harness::with_identity_center();
    let body = json!({ "AccountId": AUDIT, "ServicePrincipal": "sso.amazonaws.com" });
    harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegated administrator");
    let group = harness.group("admins", &[]);
    let set = harness.permission_set("Admin");
    harness.assign(MANAGEMENT, &set, "GROUP", &group);
    harness.sign_as(AUDIT);
    harness
        .sso("DescribePermissionSet", of(&set))
        .expect("a permission set");
    let policy = with(&set, "ManagedPolicyArn", ADMINISTRATOR);
    assert_eq!(
        error_code(harness.sso("AttachManagedPolicyToPermissionSet", policy)),
        "AccessDeniedException"
    );
    assert_eq!(
        error_code(harness.sso("DeletePermissionSet", of(&set))),
        "AccessDeniedException"
    );
}
