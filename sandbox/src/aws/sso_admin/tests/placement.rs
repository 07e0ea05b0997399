//! Tests of account instances, additional Regions, partitions and network configurations.

use serde_json::json;

use super::{MANAGEMENT, WEB, error, error_code};
use crate::aws::harness::{Harness, seed};
use crate::{AccountSeed, Company, Sandbox, Stage};

/// Returns an organization without an organization instance, whose account `WEB` has an account instance.
fn account_instance() -> Harness {
    let mut seed = seed();
    seed.instance.account = Some(WEB.to_owned());
    let mut harness = Harness::with(seed);
    harness.enable();
    harness.sign_as(WEB);
    harness
}

#[test]
fn an_account_instance_has_users_and_groups_and_no_permission_sets() {
    let mut harness = account_instance();
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    assert_eq!(listed["Instances"][0]["OwnerAccountId"], WEB);
    let described = harness
        .sso("DescribeInstance", json!({}))
        .expect("the instance");
    assert_eq!(described["PermissionSetsEnabled"], false);
    let user = harness.user("ada@example.com");
    harness.group("admins", &[&user]);
    for (operation, body) in [
        ("ListPermissionSets", json!({})),
        ("CreatePermissionSet", json!({ "Name": "Admin" })),
        ("ListAccountAssignmentCreationStatus", json!({})),
        (
            "ListPermissionSetsProvisionedToAccount",
            json!({ "AccountId": WEB }),
        ),
        ("UpdateInstance", json!({ "PermissionSetsEnabled": true })),
    ] {
        assert_eq!(
            error(harness.sso(operation, body)),
            (
                "ValidationException".to_owned(),
                "The operation is not supported for this Identity Center instance".to_owned()
            ),
            "{operation}"
        );
    }
}

#[test]
fn an_account_instance_is_visible_only_to_its_account() {
    let mut harness = account_instance();
    harness.sign_as(MANAGEMENT);
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    assert_eq!(listed["Instances"], json!([]));
    assert_eq!(
        error_code(harness.sso("DescribeInstance", json!({}))),
        "AccessDeniedException"
    );
    assert_eq!(
        error_code(harness.identity("ListUsers", json!({}))),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn the_access_key_belongs_to_the_account_of_an_account_instance() {
    let company = Company::empty().account(AccountSeed::new(WEB, "Web", ""));
    let sandbox = Sandbox::builder()
        .company(company)
        .stage(Stage::IdentityCenter)
        .account_instance(WEB);
    let sandbox = sandbox.start().await.expect("the sandbox starts");
    assert_eq!(sandbox.state().cloud.keys[0].account, WEB);

    let management = Sandbox::builder()
        .stage(Stage::IdentityCenter)
        .account_instance(MANAGEMENT)
        .start()
        .await;
    assert_eq!(
        management.expect_err("no instance").to_string(),
        "an account instance belongs to a member account, and 111122223333 is none"
    );
}

#[tokio::test]
async fn a_delegated_administrator_is_a_member_account_with_a_key_of_its_own() {
    let company = Company::empty().account(AccountSeed::new(WEB, "Web", ""));
    let sandbox = Sandbox::builder()
        .company(company)
        .delegated_administrator(WEB)
        .start()
        .await
        .expect("the sandbox starts");
    let key = sandbox.state().cloud.keys[1].clone();
    assert_eq!(
        (key.account.as_str(), key.id),
        (WEB, sandbox.delegated_access_key(WEB))
    );

    let management = Sandbox::builder()
        .delegated_administrator(MANAGEMENT)
        .start();
    assert_eq!(
        management.await.expect_err("no member account").to_string(),
        "a delegated administrator is a member account, and 111122223333 is none"
    );
}

#[test]
fn an_additional_region_has_the_instance_and_the_identity_store_for_reading() {
    let mut seed = seed();
    seed.instance.additional_regions = vec!["eu-west-1".to_owned()];
    let mut harness = Harness::with(seed);
    harness.enable();
    harness.region = "eu-west-1".to_owned();
    let listed = harness.sso("ListInstances", json!({})).expect("instances");
    let instance = &listed["Instances"][0];
    assert_eq!(instance["PrimaryRegion"], "eu-central-1");
    assert_eq!(instance["Regions"][1]["RegionName"], "eu-west-1");
    assert_eq!(instance["Regions"][1]["IsPrimaryRegion"], false);
    let regions = harness.sso("ListRegions", json!({})).expect("Regions");
    assert_eq!(regions["Regions"], instance["Regions"]);
    let region = json!({ "RegionName": "eu-west-1" });
    let region = harness.sso("DescribeRegion", region).expect("a Region");
    assert_eq!(region, instance["Regions"][1]);
    harness
        .identity("ListUsers", json!({}))
        .expect("the identity store is replicated");
    let group = json!({ "DisplayName": "admins" });
    assert_eq!(
        error_code(harness.identity("CreateGroup", group)),
        "ResourceNotFoundException"
    );
    assert_eq!(
        error_code(harness.sso("ListPermissionSets", json!({}))),
        "AccessDeniedException"
    );
}

#[test]
fn every_partition_has_its_own_arns_and_portal_urls() {
    for (region, partition, portal, sign_in) in [
        (
            "us-gov-west-1",
            "aws-us-gov",
            "https://start.us-gov-home.awsapps.com/directory/",
            "https://us-gov-west-1.signin.amazonaws-us-gov.com/platform/saml/",
        ),
        (
            "cn-north-1",
            "aws-cn",
            "https://start.home.awsapps.cn/directory/",
            "https://cn-north-1.signin.amazonaws.cn/platform/saml/",
        ),
    ] {
        let mut seed = seed();
        region.clone_into(&mut seed.region);
        let mut harness = Harness::with(seed);
        let wrong = harness
            .cloud
            .enable_identity_center("us-east-1", harness.now);
        assert_eq!(
            wrong.expect_err("another partition"),
            "the Region us-east-1 is in another partition than the organization"
        );
        harness
            .cloud
            .enable_identity_center(region, harness.now)
            .expect("Identity Center");
        region.clone_into(&mut harness.region);
        let arn = |rest: &str| format!("arn:{partition}:{rest}");
        assert!(harness.instance().starts_with(&arn("sso:::instance/")));
        let set = harness.permission_set("Admin");
        assert!(set.starts_with(&arn("sso:::permissionSet/")), "{set}");
        let described = harness
            .organizations("DescribeAccount", &json!({ "AccountId": WEB }))
            .expect("an account");
        let account = described["Account"]["Arn"].as_str().expect("an ARN");
        let prefix = arn("organizations::111122223333:account/");
        assert!(account.starts_with(&prefix), "{account}");
        let (_, identity) = harness.sts();
        assert!(identity.contains(&arn("iam::111122223333:user/integration")));
        let policy = |arn: String| json!({ "PermissionSetArn": set, "ManagedPolicyArn": arn });
        let foreign = policy("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
        let attached = harness.sso("AttachManagedPolicyToPermissionSet", foreign);
        assert_eq!(error_code(attached), "ResourceNotFoundException");
        let own = policy(arn("iam::aws:policy/ReadOnlyAccess"));
        harness
            .sso("AttachManagedPolicyToPermissionSet", own)
            .expect("a policy");
        let url = harness.cloud.portal_url().expect("a portal");
        assert_eq!(url, format!("{portal}{}", harness.store()));
        let center = harness.cloud.center.as_ref().expect("Identity Center");
        assert!(center.issuer().starts_with(sign_in), "{}", center.issuer());
    }
}

#[test]
fn a_network_configuration_is_shown_and_replaced_as_a_whole() {
    let mut harness = Harness::with_identity_center();
    let network = json!({ "VpceAccessRequired": false, "AllowSourceIps": ["192.0.2.0/24"] });
    let update = json!({ "NetworkConfiguration": network });
    harness
        .sso("UpdateInstance", update)
        .expect("the request succeeds");
    let described = harness
        .sso("DescribeInstance", json!({}))
        .expect("the instance");
    assert_eq!(described["NetworkConfigurationDetails"], network);
    let later = json!({ "VpceAccessRequired": true });
    let update = json!({ "NetworkConfiguration": later });
    harness
        .sso("UpdateInstance", update)
        .expect("the request succeeds");
    let described = harness
        .sso("DescribeInstance", json!({}))
        .expect("the instance");
    assert_eq!(described["NetworkConfigurationDetails"], later);
    let wrong = json!({ "NetworkConfiguration": {
        "VpceAccessRequired": false, "AllowSourceIps": ["192.0.2.0/33"],
    } });
    assert_eq!(
        error_code(harness.sso("UpdateInstance", wrong)),
        "ValidationException"
    );
}

#[test]
fn the_network_configuration_of_the_identity_store_is_shown() {
    let mut harness = Harness::with_identity_center();
    let described = harness.identity("DescribeIdentityStore", json!({}));
    assert!(
        described
            .expect("a store")
            .get("NetworkConfiguration")
            .is_none()
    );
    let network = json!({ "VpceAccessRequired": false, "ScimAllowSourceIps": ["198.51.100.7"] });
    let update = json!({ "NetworkConfiguration": network });
    let updated = harness.identity("UpdateIdentityStore", update);
    assert_eq!(
        updated.expect("a store")["IdentityStoreId"],
        harness.store()
    );
    let described = harness.identity("DescribeIdentityStore", json!({}));
    assert_eq!(described.expect("a store")["NetworkConfiguration"], network);
    let empty = json!({ "NetworkConfiguration": {
        "VpceAccessRequired": false, "ScimAllowSourceIps": [],
    } });
    assert_eq!(
        error_code(harness.identity("UpdateIdentityStore", empty)),
        "ValidationException"
    );
}
