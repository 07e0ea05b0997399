//! Tests of calls that an IAM policy limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{TABLE, resources};
use crate::aws::JSON_SERVICES;
use crate::aws::harness::{Harness, ServiceError, assignment, seed};
use crate::company::{Company, Person};
use crate::iam_policy::IamPolicy;

const WEB: &str = "200000000002";
const AUDIT: &str = "200000000001";
const USER: &str = "arn:aws:iam::111122223333:user/integration";

/// Returns a policy with one allowing statement for each pair of action and resource.
fn allow(rights: &[(&str, &str)]) -> IamPolicy {
    let statements: Vec<Value> = rights
        .iter()
        .map(|(action, resource)| {
            json!({ "Effect": "Allow", "Action": action, "Resource": resource })
        })
        .collect();
    policy(&json!(statements))
}

fn policy(statements: &Value) -> IamPolicy {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    document.to_string().parse().expect("a valid policy")
}

impl Harness {
    fn limit(&mut self, rights: &[(&str, &str)]) {
        self.cloud.caller_policy = Some(allow(rights));
    }
}

#[track_caller]
fn assert_refused(result: Result<Value, ServiceError>, message: &str) {
    let refusal = result.expect_err("the call must be refused");
    let expected = ("AccessDeniedException".to_owned(), message.to_owned());
    assert_eq!(refusal, expected);
}

/// Returns AWS's sentence about an action that no statement allows.
fn no_policy(action: &str, resource: &str) -> String {
    format!(
        "User: {USER} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
         allows the {action} action"
    )
}

/// Calls an operation with rights that lack one resource each time, and then with all of them.
#[track_caller]
fn check_needs(
    harness: &mut Harness,
    action: &str,
    needed: &[&str],
    mut call: impl FnMut(&mut Harness) -> Result<Value, ServiceError>,
) {
    for missing in needed {
        let rest: Vec<(&str, &str)> = needed
            .iter()
            .filter(|resource| *resource != missing)
            .map(|resource| (action, *resource))
            .chain([("none:None", "*")])
            .collect();
        harness.limit(&rest);
        assert_refused(call(harness), &no_policy(action, missing));
    }
    let all: Vec<(&str, &str)> = needed.iter().map(|resource| (action, *resource)).collect();
    harness.limit(&all);
    call(harness).expect("the rights suffice");
}

#[test]
fn every_operation_of_the_sandbox_has_a_row() {
    let implemented: BTreeSet<(&str, &str)> = JSON_SERVICES
        .iter()
        .flat_map(|service| {
            service
                .operations
                .iter()
                .map(|operation| (service.signing_name, operation.name))
        })
        .chain([("sts", "GetCallerIdentity")])
        .collect();
    let rows: Vec<(&str, &str)> = TABLE
        .iter()
        .flat_map(|(service, rows)| rows.iter().map(|(operation, _)| (*service, *operation)))
        .collect();
    assert_eq!(rows.len(), implemented.len(), "a row is repeated");
    assert_eq!(BTreeSet::from_iter(rows), implemented);
}

#[test]
fn only_get_caller_identity_needs_no_permission() {
    let free: Vec<&str> = TABLE
        .iter()
        .flat_map(|(_, rows)| rows.iter())
        .filter(|(_, resources)| resources.is_empty())
        .map(|(operation, _)| *operation)
        .collect();
    assert_eq!(free, ["GetCallerIdentity"]);
    assert!(resources("sts", "GetCallerIdentity").is_some());
    let mut harness = Harness::new();
    harness.cloud.caller_policy = Some(policy(
        &json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }),
    ));
    assert_eq!(harness.sts().0, 200);
}

#[test]
fn an_assignment_needs_the_right_on_the_set_the_account_and_the_instance() {
    let mut harness = Harness::with_identity_center();
    let (set, group) = (
        harness.permission_set("Admin"),
        harness.group("admins", &[]),
    );
    let (instance, account) = (harness.instance(), format!("arn:aws:sso:::account/{WEB}"));
    for action in ["sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"] {
        check_needs(
            &mut harness,
            action,
            &[&set, &account, &instance],
            |harness| {
                harness.advance(10);
                let body = assignment(WEB, &set, "GROUP", &group);
                harness.sso(action.trim_start_matches("sso:"), body)
            },
        );
    }
    harness.advance(10);
    let other = format!("arn:aws:sso:::account/{AUDIT}");
    harness.cloud.caller_policy = Some(policy(&json!([
        { "Effect": "Allow", "Action": "sso:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "sso:*Assignment", "Resource": other },
    ])));
    let denied = assignment(AUDIT, &set, "GROUP", &group);
    assert_refused(
        harness.sso("CreateAccountAssignment", denied),
        &format!(
            "User: {USER} is not authorized to perform: sso:CreateAccountAssignment on resource: {other} with an \
             explicit deny in an identity-based policy"
        ),
    );
}

#[test]
fn the_operations_of_identity_center_need_the_resources_of_the_reference() {
    let mut harness = Harness::with_identity_center();
    let set = harness.permission_set("Admin");
    let instance = harness.instance();
    let new = set.rsplit_once('/').expect("an ARN").0.to_owned() + "/*";
    let account = format!("arn:aws:sso:::account/{WEB}");
    let of_set = json!({ "PermissionSetArn": set });
    let tagged = json!({ "ResourceArn": set });
    let in_account = json!({ "AccountId": WEB });
    let all = json!({ "PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS" });
    for (operation, body, needed) in [
        ("ListInstances", json!({}), vec!["*"]),
        ("DescribeInstance", json!({}), vec![&instance]),
        ("ListPermissionSets", json!({}), vec![&instance]),
        (
            "CreatePermissionSet",
            json!({ "Name": "New" }),
            vec![&new, &instance],
        ),
        (
            "DescribePermissionSet",
            of_set.clone(),
            vec![&set, &instance],
        ),
        ("ListTagsForResource", tagged, vec![&set]),
        (
            "ListPermissionSetsProvisionedToAccount",
            in_account,
            vec![&account, &instance],
        ),
        (
            "ListAccountsForProvisionedPermissionSet",
            of_set,
            vec![&set, &instance],
        ),
        (
            "ListAccountAssignmentCreationStatus",
            json!({}),
            vec![&instance],
        ),
        (
            "ProvisionPermissionSet",
            all,
            vec![&set, "arn:aws:sso:::account/*", &instance],
        ),
    ] {
        let action = format!("sso:{operation}");
        check_needs(&mut harness, &action, &needed, |harness| {
            harness.sso(operation, body.clone())
        });
    }
}

#[test]
fn the_operations_of_the_identity_store_need_the_store_and_the_users_and_groups() {
    let mut harness = Harness::with_identity_center();
    let user = harness.user("ada@example.com");
    let group = harness.group("admins", &[&user]);
    let pair = json!({ "GroupId": group, "MemberId": { "UserId": user } });
    let found = harness.identity("GetGroupMembershipId", pair.clone());
    let found = found.expect("a membership")["MembershipId"].clone();
    let membership = found.as_str().expect("an id").to_owned();
    let store = format!(
        "arn:aws:identitystore::111122223333:identitystore/{}",
        harness.store()
    );
    let arn = |kind: &str, id: &str| format!("arn:aws:identitystore:::{kind}/{id}");
    let (users, groups) = (arn("user", "*"), arn("group", "*"));
    let memberships = arn("membership", "*");
    let (u, g, m) = (
        arn("user", &user),
        arn("group", &group),
        arn("membership", &membership),
    );
    let by_name = json!({ "AlternateIdentifier": {
        "UniqueAttribute": { "AttributePath": "displayName", "AttributeValue": "admins" },
    } });
    let member = json!({ "MemberId": { "UserId": user } });
    let is_member = json!({ "GroupIds": [group], "MemberId": { "UserId": user } });
    let by_id = json!({ "MembershipId": membership });
    for (operation, body, needed) in [
        ("ListUsers", json!({}), vec![&users, &store]),
        ("DescribeUser", json!({ "UserId": user }), vec![&u, &store]),
        ("ListGroups", json!({}), vec![&groups, &store]),
        ("GetGroupId", by_name, vec![&groups, &store]),
        ("CreateGroup", json!({ "DisplayName": "new" }), vec![&store]),
        (
            "ListGroupMemberships",
            json!({ "GroupId": group }),
            vec![&memberships, &g, &store],
        ),
        (
            "ListGroupMembershipsForMember",
            member,
            vec![&memberships, &u, &store],
        ),
        ("GetGroupMembershipId", pair, vec![&g, &u, &m, &store]),
        (
            "DescribeGroupMembership",
            by_id.clone(),
            vec![&g, &u, &m, &store],
        ),
        (
            "IsMemberInGroups",
            is_member,
            vec![&memberships, &g, &u, &store],
        ),
        ("DeleteGroupMembership", by_id, vec![&g, &u, &m, &store]),
    ] {
        let needed: Vec<&str> = needed.into_iter().map(String::as_str).collect();
        let action = format!("identitystore:{operation}");
        check_needs(&mut harness, &action, &needed, |harness| {
            harness.identity(operation, body.clone())
        });
    }
}

// A public report of `DescribeUser` has a sentence about the user and one about the identity store.
#[test]
fn a_refusal_of_the_identity_store_names_every_refused_resource() {
    let mut harness = Harness::with_identity_center();
    let user = harness.user("ada@example.com");
    harness.limit(&[("sso:*", "*")]);
    let store = format!(
        "arn:aws:identitystore::111122223333:identitystore/{}",
        harness.store()
    );
    assert_refused(
        harness.identity("DescribeUser", json!({ "UserId": user })),
        &format!(
            "{}, {}",
            no_policy(
                "identitystore:DescribeUser",
                &format!("arn:aws:identitystore:::user/{user}")
            ),
            no_policy("identitystore:DescribeUser", &store)
        ),
    );
}

#[test]
fn the_operations_of_organizations_need_their_accounts_units_and_roots() {
    let mut harness = Harness::new();
    let (root, id) = {
        let organization = &harness.cloud.organization;
        (organization.root.clone(), organization.id.clone())
    };
    let arn =
        |kind: &str, node: &str| format!("arn:aws:organizations::111122223333:{kind}/{id}/{node}");
    let units = harness
        .organizations(
            "ListOrganizationalUnitsForParent",
            &json!({ "ParentId": root }),
        )
        .expect("units");
    let units = units["OrganizationalUnits"].as_array().expect("a list");
    let ou = |index: usize| units[index]["Id"].as_str().expect("an id");
    let (security, workloads) = (ou(0).to_owned(), ou(1).to_owned());
    let (account, from, to) = (
        arn("account", AUDIT),
        arn("ou", &security),
        arn("ou", &workloads),
    );
    let moved = json!({
        "AccountId": AUDIT, "SourceParentId": security, "DestinationParentId": workloads,
    });
    for (operation, body, needed) in [
        ("ListAccounts", json!({}), vec!["*"]),
        ("DescribeOrganization", json!({}), vec!["*"]),
        (
            "DescribeAccount",
            json!({ "AccountId": AUDIT }),
            vec![&account],
        ),
        (
            "ListAccountsForParent",
            json!({ "ParentId": root }),
            vec![&arn("root", &root)],
        ),
        (
            "ListChildren",
            json!({ "ParentId": security, "ChildType": "ACCOUNT" }),
            vec![&from],
        ),
        (
            "ListTagsForResource",
            json!({ "ResourceId": AUDIT }),
            vec![&account],
        ),
        ("MoveAccount", moved, vec![&account, &from, &to]),
        (
            "CloseAccount",
            json!({ "AccountId": AUDIT }),
            vec![&account],
        ),
    ] {
        let action = format!("organizations:{operation}");
        check_needs(&mut harness, &action, &needed, |harness| {
            harness.organizations(operation, &body)
        });
    }
}

#[test]
fn the_arns_have_the_partition_of_the_organization() {
    for (region, partition) in [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")] {
        let mut seed = seed();
        region.clone_into(&mut seed.region);
        let mut harness = Harness::with(seed);
        let enabled = harness.cloud.enable_identity_center(region, harness.now);
        enabled.expect("Identity Center");
        region.clone_into(&mut harness.region);
        let (set, group) = (
            harness.permission_set("Admin"),
            harness.group("admins", &[]),
        );
        let body = assignment(WEB, &set, "GROUP", &group);
        harness.limit(&[
            ("*", "arn:aws:*"),
            (
                "identitystore:*",
                &format!("arn:{partition}:identitystore:*"),
            ),
        ]);
        let refused = harness.sso("CreateAccountAssignment", body.clone());
        assert_eq!(
            refused.expect_err("another partition").0,
            "AccessDeniedException"
        );
        let listed = harness.identity("ListUsers", json!({}));
        listed.expect("the rights suffice");
        let of = |resource: &str| format!("arn:{partition}:sso:::{resource}");
        harness.limit(&[
            ("sso:CreateAccountAssignment", &of("instance/*")),
            ("sso:CreateAccountAssignment", &of("permissionSet/*")),
            (
                "sso:CreateAccountAssignment",
                &of(&format!("account/{WEB}")),
            ),
        ]);
        let created = harness.sso("CreateAccountAssignment", body);
        created.expect("the rights suffice");
    }
}

// The user guide lists the IAM actions; terraform-aws-sso-elevator, issue 15, has the reason.
#[test]
fn a_role_in_the_management_account_needs_iam_actions_of_the_caller() {
    let mut harness = Harness::with_identity_center();
    let (set, group) = (
        harness.permission_set("Admin"),
        harness.group("admins", &[]),
    );
    let policy = json!({
        "PermissionSetArn": set, "ManagedPolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
    });
    let attached = harness.sso("AttachManagedPolicyToPermissionSet", policy);
    attached.expect("a policy");
    let roles = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*";
    let provider = "arn:aws:iam::*:saml-provider/AWSSSO_*_DO_NOT_DELETE";
    let mut rights = vec![("sso:*", "*")];
    harness.limit(&rights);
    let elsewhere = harness.assign(WEB, &set, "GROUP", &group);
    assert_eq!(elsewhere["Status"], "SUCCEEDED");
    for (action, resource) in [
        ("iam:GetSAMLProvider", provider),
        ("iam:GetRole", roles),
        ("iam:ListRolePolicies", roles),
        ("iam:ListAttachedRolePolicies", roles),
        ("iam:CreateRole", roles),
        ("iam:AttachRolePolicy", roles),
    ] {
        let failed = harness.assign("111122223333", &set, "GROUP", &group);
        assert_eq!(failed["Status"], "FAILED");
        let reason = failed["FailureReason"].as_str().expect("a reason");
        let refused = format!(
            "Received a 403 status error: Access denied by IAM. Please check your policy, or wait for role propagation \
             to complete. IAM Error: User: {USER} is not authorized to perform: {action} on resource: arn:aws:iam::111122223333:"
        );
        assert!(reason.starts_with(&refused), "{reason}");
        rights.push((action, resource));
        harness.limit(&rights);
    }
    let created = harness.assign("111122223333", &set, "GROUP", &group);
    assert_eq!(created["Status"], "SUCCEEDED");
    let delete = |harness: &mut Harness| {
        let body = assignment("111122223333", &set, "GROUP", &group);
        let started = harness.sso("DeleteAccountAssignment", body);
        started.expect("an operation");
        harness.advance(10);
        harness.cloud.complete_due_operations(harness.now);
        harness.cloud.assignments().len()
    };
    assert_eq!(delete(&mut harness), 2);
    rights.extend([("iam:DetachRolePolicy", roles), ("iam:DeleteRole", roles)]);
    harness.limit(&rights);
    assert_eq!(delete(&mut harness), 1);
}

#[test]
fn a_policy_gives_a_member_account_no_rights_of_an_administrator() {
    let mut harness = Harness::with_identity_center();
    harness.sign_as(WEB);
    harness.limit(&[("*", "*")]);
    for refused in [
        harness.sso("ListPermissionSets", json!({})),
        harness.identity("ListUsers", json!({})),
        harness.organizations("ListAccounts", &json!({})),
    ] {
        assert_eq!(
            refused.expect_err("a member account").0,
            "AccessDeniedException"
        );
    }
}

#[tokio::test]
async fn the_caller_can_be_limited_at_the_start_and_at_run_time() {
    let sandbox = crate::Sandbox::builder()
        .company(Company::empty().person(Person::new("ada@example.com", "Ada", "Lovelace")))
        .limit_aws_caller(allow(&[("organizations:ListAccounts", "*")]))
        .start()
        .await
        .expect("a sandbox");
    let policy = |sandbox: &crate::Sandbox| sandbox.state().cloud.caller_policy.is_some();
    assert!(policy(&sandbox));
    sandbox.limit_aws_caller(None);
    assert!(!policy(&sandbox));
    sandbox.limit_aws_caller(allow(&[("sso:*", "*")]));
    assert!(policy(&sandbox));
}
