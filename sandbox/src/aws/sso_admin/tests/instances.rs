//! Tests of the operations on Identity Center instances.

use serde_json::json;

use super::{AUDIT, WEB, error, error_code};
use crate::aws::harness::{Harness, seed};

#[test]
fn there_is_no_instance_before_identity_center_is_enabled() {
    let mut harness = Harness::new();
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    assert_eq!(listed, json!({ "Instances": [] }));
}

#[test]
fn the_instance_is_listed_in_its_region_and_for_all_regions() {
    let mut harness = Harness::with_identity_center();
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    let instance = &listed["Instances"][0];
    assert_eq!(instance["InstanceArn"], harness.instance());
    assert_eq!(instance["OwnerAccountId"], "111122223333");
    assert_eq!(instance["Status"], "ACTIVE");
    assert_eq!(instance["PrimaryRegion"], "eu-central-1");
    assert_eq!(instance["Regions"][0]["IsPrimaryRegion"], true);
    harness.region = "us-east-1".to_owned();
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    assert_eq!(listed["Instances"], json!([]));
    let listed = harness
        .sso("ListInstances", json!({ "RegionScope": "ALL_REGIONS" }))
        .expect("instances");
    assert_eq!(listed["Instances"].as_array().map(Vec::len), Some(1));
    let (code, message) = error(harness.sso("ListInstances", json!({ "RegionScope": "ALL" })));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "1 validation error detected: Value 'ALL' at 'regionScope' failed to satisfy constraint: Member must \
         satisfy enum value set: [CURRENT_REGION, ALL_REGIONS]"
    );
}

#[test]
fn access_to_another_region_or_another_arn_is_denied() {
    let mut harness = Harness::with_identity_center();
    let other = json!({ "InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000" });
    let (code, message) = error(harness.sso("DescribeInstance", other));
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(
        message,
        "User: arn:aws:iam::111122223333:user/integration is not authorized to perform: sso:DescribeInstance on \
         resource: arn:aws:sso:::instance/ssoins-0000000000000000"
    );
    harness.region = "us-east-1".to_owned();
    assert_eq!(
        error_code(harness.sso("DescribeInstance", json!({}))),
        "AccessDeniedException"
    );
}

#[test]
fn an_update_sets_the_name_of_the_instance() {
    let mut harness = Harness::with_identity_center();
    let described = harness
        .sso("DescribeInstance", json!({}))
        .expect("the instance");
    assert!(described.get("Name").is_none());
    assert_eq!(described["PermissionSetsEnabled"], true);
    harness
        .sso("UpdateInstance", json!({ "Name": "company" }))
        .expect("a name");
    let described = harness
        .sso("DescribeInstance", json!({}))
        .expect("the instance");
    assert_eq!(described["Name"], "company");
}

#[test]
fn an_update_may_contain_only_one_operation() {
    let mut harness = Harness::with_identity_center();
    let both = json!({
        "PermissionSetsEnabled": true,
        "EncryptionConfiguration": { "KeyType": "AWS_OWNED_KMS_KEY" },
    });
    assert_eq!(
        error_code(harness.sso("UpdateInstance", both)),
        "ValidationException"
    );
}

#[test]
fn permission_sets_can_be_turned_on_but_not_off() {
    let mut harness = Harness::with({
        let mut seed = seed();
        seed.instance.permission_sets = false;
        seed
    });
    harness.enable();
    let described = harness
        .sso("DescribeInstance", json!({}))
        .expect("the instance");
    assert_eq!(described["PermissionSetsEnabled"], false);
    for (operation, body) in [
        ("CreatePermissionSet", json!({ "Name": "Admin" })),
        ("ListPermissionSets", json!({})),
    ] {
        assert_eq!(
            error(harness.sso(operation, body)),
            (
                "ValidationException".to_owned(),
                "Permission sets are not enabled for this instance of IAM Identity Center."
                    .to_owned()
            )
        );
    }
    let off = harness.sso("UpdateInstance", json!({ "PermissionSetsEnabled": false }));
    assert_eq!(
        error(off).1,
        "The only accepted value of PermissionSetsEnabled is true."
    );
    harness
        .sso("UpdateInstance", json!({ "PermissionSetsEnabled": true }))
        .expect("permission sets");
    harness.permission_set("Admin");
}

#[test]
fn an_instance_cannot_be_created_in_the_management_account() {
    let mut harness = Harness::new();
    assert_eq!(
        error_code(harness.sso("CreateInstance", json!({ "Name": "x" }))),
        "ValidationException"
    );
    harness.sign_as(WEB);
    assert_eq!(
        error_code(harness.sso("CreateInstance", json!({ "Name": "x" }))),
        "AccessDeniedException"
    );
}

#[test]
fn a_member_account_may_list_the_instance_but_not_use_it() {
    let mut harness = Harness::with_identity_center();
    harness.sign_as(WEB);
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    assert_eq!(listed["Instances"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        error_code(harness.sso("ListPermissionSets", json!({}))),
        "AccessDeniedException"
    );
}

#[test]
fn a_delegated_administrator_may_use_the_instance() {
    let mut harness = Harness::with_identity_center();
    let body = json!({ "AccountId": AUDIT, "ServicePrincipal": "sso.amazonaws.com" });
    harness
        .organizations("RegisterDelegatedAdministrator", &body)
        .expect("a delegated administrator");
    harness.sign_as(AUDIT);
    harness.permission_set("Admin");
}

#[test]
fn attributes_for_access_control_are_created_before_they_are_updated() {
    let mut harness = Harness::with_identity_center();
    assert_eq!(
        error_code(harness.sso(
            "DescribeInstanceAccessControlAttributeConfiguration",
            json!({})
        )),
        "ResourceNotFoundException"
    );
    let attributes = |source: &str| {
        json!({ "InstanceAccessControlAttributeConfiguration": {
            "AccessControlAttributes": [{ "Key": "department", "Value": { "Source": [source] } }],
        } })
    };
    let before = harness.sso(
        "UpdateInstanceAccessControlAttributeConfiguration",
        attributes("x"),
    );
    assert_eq!(error_code(before), "ResourceNotFoundException");
    let source = "${path:enterprise.department}";
    harness
        .sso(
            "CreateInstanceAccessControlAttributeConfiguration",
            attributes(source),
        )
        .expect("attributes");
    let again = harness.sso(
        "CreateInstanceAccessControlAttributeConfiguration",
        attributes(source),
    );
    assert_eq!(error_code(again), "ConflictException");
    harness
        .sso(
            "UpdateInstanceAccessControlAttributeConfiguration",
            attributes("${path:title}"),
        )
        .expect("attributes");
    let response = harness
        .sso(
            "DescribeInstanceAccessControlAttributeConfiguration",
            json!({}),
        )
        .expect("attributes");
    assert_eq!(response["Status"], "ENABLED");
    assert_eq!(
        response["InstanceAccessControlAttributeConfiguration"]["AccessControlAttributes"][0]["Value"]
            ["Source"],
        json!(["${path:title}"])
    );
    harness
        .sso(
            "DeleteInstanceAccessControlAttributeConfiguration",
            json!({}),
        )
        .expect("the request succeeds");
    let two = json!({ "InstanceAccessControlAttributeConfiguration": {
        "AccessControlAttributes": [{ "Key": "department", "Value": { "Source": ["a", "b"] } }],
    } });
    let outcome = harness.sso("CreateInstanceAccessControlAttributeConfiguration", two);
    assert_eq!(error_code(outcome), "ValidationException");
}
