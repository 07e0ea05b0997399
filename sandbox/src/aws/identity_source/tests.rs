//! Tests of the console actions for Identity Center.

use jiff::SignedDuration;

use crate::aws::harness::{Harness, METADATA};

#[test]
fn identity_center_is_enabled_in_one_region() {
    let mut harness = Harness::new();
    let enabled = harness
        .cloud
        .enable_identity_center("eu-central-1", harness.now)
        .expect("Identity Center");
    assert_eq!(enabled.region, "eu-central-1");
    assert!(
        enabled
            .instance_arn
            .starts_with("arn:aws:sso:::instance/ssoins-7223"),
        "{}",
        enabled.instance_arn
    );
    assert!(
        enabled.identity_store_id.starts_with("d-9067") && enabled.identity_store_id.len() == 12
    );
    let again = harness
        .cloud
        .enable_identity_center("eu-central-1", harness.now)
        .expect("the existing instance");
    assert_eq!(again.instance_arn, enabled.instance_arn);
    let error = harness
        .cloud
        .enable_identity_center("us-east-1", harness.now)
        .expect_err("the action must fail");
    assert_eq!(
        error,
        "IAM Identity Center is enabled in eu-central-1; an organization has one instance"
    );
}

#[test]
fn an_unknown_region_name_is_rejected() {
    let mut harness = Harness::new();
    let error = harness
        .cloud
        .enable_identity_center("Frankfurt", harness.now)
        .expect_err("the action must fail");
    assert_eq!(error, "the Region \"Frankfurt\" does not exist");
}

#[test]
fn console_actions_fail_before_identity_center_is_enabled() {
    let mut harness = Harness::new();
    let message = "IAM Identity Center is not enabled";
    assert_eq!(
        harness
            .cloud
            .portal_url()
            .expect_err("the action must fail"),
        message
    );
    let error = harness
        .cloud
        .change_identity_source(METADATA.as_bytes(), harness.now)
        .expect_err("the action must fail");
    assert_eq!(error, message);
    assert_eq!(
        harness
            .cloud
            .enable_provisioning(harness.now)
            .expect_err("the action must fail"),
        message
    );
}

#[test]
fn the_metadata_of_identity_center_contains_its_urls() {
    let mut harness = Harness::with_identity_center();
    let sp_metadata = harness
        .cloud
        .change_identity_source(METADATA.as_bytes(), harness.now)
        .expect("metadata");
    let store = harness.store();
    assert_eq!(
        sp_metadata.issuer,
        format!("https://eu-central-1.signin.aws.amazon.com/platform/saml/{store}")
    );
    assert_eq!(
        sp_metadata.portal_url,
        format!("https://{store}.awsapps.com/start")
    );
    assert!(
        sp_metadata
            .acs_url
            .starts_with("https://eu-central-1.signin.aws/platform/saml/acs/"),
        "{}",
        sp_metadata.acs_url
    );
    assert!(
        sp_metadata
            .xml
            .contains(&format!("entityID=\"{}\"", sp_metadata.issuer)),
        "{}",
        sp_metadata.xml
    );
    assert!(
        sp_metadata.xml.contains(&format!(
            "Location=\"{}\" index=\"0\" isDefault=\"true\"",
            sp_metadata.acs_url
        )),
        "{}",
        sp_metadata.xml
    );
    assert!(
        sp_metadata.xml.contains("WantAssertionsSigned=\"true\""),
        "{}",
        sp_metadata.xml
    );
}

#[test]
fn changing_the_identity_source_keeps_the_users() {
    let mut harness = Harness::with_identity_center();
    harness.user("ada@example.com");
    harness.federate();
    assert_eq!(harness.cloud.users().len(), 1);
}

#[test]
fn automatic_provisioning_needs_an_external_identity_provider() {
    let mut harness = Harness::with_identity_center();
    let error = harness
        .cloud
        .enable_provisioning(harness.now)
        .expect_err("the action must fail");
    assert_eq!(
        error,
        "automatic provisioning needs an external identity provider: change the identity source first"
    );
}

#[test]
fn the_scim_endpoint_ends_in_a_slash_and_the_token_is_long() {
    let harness = Harness::provisioned();
    let (endpoint, token) = harness.scim.expect("a SCIM endpoint");
    assert!(
        endpoint.starts_with("http://127.0.0.1:1/") && endpoint.ends_with("/scim/v2/"),
        "{endpoint}"
    );
    let tenant = endpoint.split('/').nth(3).expect("a tenant");
    assert_eq!(
        tenant.split('-').map(str::len).collect::<Vec<_>>(),
        [11, 4, 4, 4, 12],
        "{tenant}"
    );
    assert_eq!(token.len(), 560);
}

#[test]
fn at_most_two_tokens_exist_and_both_are_valid() {
    let mut harness = Harness::provisioned();
    let (first_endpoint, _) = harness.scim.clone().expect("a SCIM endpoint");
    let none = serde_json::Value::Null;
    assert_eq!(harness.scim("GET", "/Users", &none).0, 200);
    harness.provision();
    let (second_endpoint, _) = harness.scim.clone().expect("a SCIM endpoint");
    assert_eq!(first_endpoint, second_endpoint);
    assert_eq!(harness.scim("GET", "/Users", &none).0, 200);
    let error = harness
        .cloud
        .enable_provisioning(harness.now)
        .expect_err("the action must fail");
    assert_eq!(
        error,
        "two access tokens exist, which is the maximum: delete one first"
    );
    assert_eq!(harness.cloud.delete_scim_tokens(), 2);
    assert_eq!(harness.scim("GET", "/Users", &none).0, 401);
    harness.provision();
    assert_eq!(harness.scim("GET", "/Users", &none).0, 200);
}

#[test]
fn a_token_is_valid_for_one_year() {
    let mut harness = Harness::provisioned();
    let none = serde_json::Value::Null;
    harness.now += SignedDuration::from_hours(365 * 24 - 1);
    assert_eq!(harness.scim("GET", "/Users", &none).0, 200);
    harness.now += SignedDuration::from_hours(1);
    assert_eq!(harness.scim("GET", "/Users", &none).0, 401);
}
