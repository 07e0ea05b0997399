//! URLs of IAM Identity Center.

use saml_metadata::aws::{
    AcsHost, SpUrls, SpUrlsError, check_acs, check_issuer, has_documented_host,
};

use crate::support::{AWS_SP, AWS_SP_CLASSIC, AWS_SP_REGIONS, IDP, change, document};

const TENANT: &str = "4f1d2c3b4a596877-8c1e-4d2f-9a3b-0123456789ab";

#[test]
fn every_form_of_host_and_tenant_is_accepted() {
    for (host, form) in [
        ("us-east-1.signin.aws.amazon.com", AcsHost::Classic),
        ("us-east-1.signin.aws", AcsHost::Ipv4),
        ("us-east-1.sso.signin.aws", AcsHost::DualStack),
    ] {
        for tenant in [
            TENANT,
            "0f0b6f3e-7d4b-4a52-9d5e-3b1b1f7a9c11",
            "75732d656173742d31-1234",
            "x",
        ] {
            let acs = check_acs(format!("https://{host}/platform/saml/acs/{tenant}"));
            let acs = acs.expect("an ACS URL");
            assert_eq!(
                (acs.region.as_str(), acs.host, acs.tenant.as_str()),
                ("us-east-1", form, tenant)
            );
        }
    }
    let gov = check_acs("https://us-gov-west-1.signin.aws/platform/saml/acs/x");
    assert_eq!(gov.expect("an ACS URL").region, "us-gov-west-1");
}

#[test]
fn other_urls_are_refused_with_the_reason() {
    let path = "does not have the path /platform/saml/acs/<tenant>";
    let extra_parts = "has more than a host and a path, or is not normalized";
    for (url, reason) in [
        ("", "is not an absolute URL"),
        (
            "us-east-1.signin.aws/platform/saml/acs/x",
            "is not an absolute URL",
        ),
        (
            "http://us-east-1.signin.aws/platform/saml/acs/x",
            "is not https",
        ),
        (
            "https://signin.aws.amazon.com/saml",
            "is not at a sign-in host of AWS: \"signin.aws.amazon.com\"",
        ),
        (
            "https://us-east-1.signin.aws.example.com/platform/saml/acs/x",
            "is not at a sign-in host of AWS: \"us-east-1.signin.aws.example.com\"",
        ),
        (
            "https://evil-us-east-1.signin.aws.evil/platform/saml/acs/x",
            "is not at a sign-in host of AWS: \"evil-us-east-1.signin.aws.evil\"",
        ),
        (
            "https://evil.us-east-1.signin.aws/platform/saml/acs/x",
            "is not at a sign-in host of AWS: \"evil.us-east-1.signin.aws\"",
        ),
        (
            "https://useast1.signin.aws/platform/saml/acs/x",
            "is not at a sign-in host of AWS: \"useast1.signin.aws\"",
        ),
        ("https://us-east-1.signin.aws/platform/saml/acs/", path),
        ("https://us-east-1.signin.aws/platform/saml/acs/x/y", path),
        (
            "https://us-east-1.signin.aws/platform/saml/d-9067012345",
            path,
        ),
        (
            "https://us-east-1.signin.aws:8443/platform/saml/acs/x",
            extra_parts,
        ),
        (
            "https://us-east-1.signin.aws:443/platform/saml/acs/x",
            extra_parts,
        ),
        (
            "https://a@us-east-1.signin.aws/platform/saml/acs/x",
            extra_parts,
        ),
        (
            "https://us-east-1.signin.aws/platform/saml/acs/x?y",
            extra_parts,
        ),
        (
            "https://us-east-1.signin.aws/platform/saml/acs/x#y",
            extra_parts,
        ),
        (
            "https://us-east-1.signin.aws/platform/saml/acs/x ",
            extra_parts,
        ),
        (
            "https://US-EAST-1.signin.aws/platform/saml/acs/x",
            extra_parts,
        ),
        (
            "https://us-east-1.signin.aws/other/../platform/saml/acs/x",
            extra_parts,
        ),
    ] {
        let error = check_acs(url).expect_err(url);
        assert_eq!(error.to_string(), reason, "{url}");
    }
}

#[test]
fn an_issuer_must_equal_the_issuer_of_its_instance() {
    let issuer = "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345";
    assert!(check_issuer("us-east-1", "d-9067012345", issuer).is_ok());
    for other in [
        "https://us-west-2.signin.aws.amazon.com/platform/saml/d-9067012345",
        "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012346",
        "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345/",
        "http://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345",
        "https://us-east-1.signin.aws/platform/saml/d-9067012345",
        "",
    ] {
        let error = check_issuer("us-east-1", "d-9067012345", other).expect_err(other);
        assert_eq!(error.to_string(), format!("is not {issuer}"));
    }
}

// The AWS GovCloud (US) user guide lists the hosts with `sso.` and `-fips` ("AWS IAM Identity Center in AWS GovCloud (US)"). The
// others are the sign-in hosts of IAM in both partitions (IAM user guide).
#[test]
fn a_sign_in_host_of_another_partition_is_accepted_in_its_regions_and_is_not_documented() {
    for (region, host) in [
        ("us-gov-west-1", "signin.amazonaws-us-gov.com"),
        ("us-gov-east-1", "signin-fips.amazonaws-us-gov.com"),
        ("us-gov-west-1", "sso.signin.amazonaws-us-gov.com"),
        ("us-gov-west-1", "sso.signin-fips.amazonaws-us-gov.com"),
        ("cn-north-1", "signin.amazonaws.cn"),
        ("cn-northwest-1", "sso.signin.amazonaws.cn"),
    ] {
        let url = format!("https://{region}.{host}/platform/saml/acs/x");
        let acs = check_acs(&url).expect(&url);
        assert_eq!(
            (acs.region.as_str(), acs.host),
            (region, AcsHost::OtherPartition)
        );
        assert!(!has_documented_host(&url), "{url}");
        let issuer = format!("https://{region}.{host}/platform/saml/d-9067012345");
        assert!(
            check_issuer(region, "d-9067012345", &issuer).is_ok(),
            "{issuer}"
        );
    }
    for (region, issuer, expected) in [
        (
            "us-gov-west-1",
            "https://us-gov-east-1.signin.amazonaws-us-gov.com/platform/saml/d-9067012345",
            "https://us-gov-west-1.*.amazonaws-us-gov.com/platform/saml/d-9067012345",
        ),
        (
            "us-gov-west-1",
            "https://us-gov-west-1.signin.amazonaws-us-gov.com/platform/saml/d-9067012346",
            "https://us-gov-west-1.*.amazonaws-us-gov.com/platform/saml/d-9067012345",
        ),
        (
            "cn-north-1",
            "https://cn-north-1.signin.amazonaws-us-gov.com/platform/saml/d-9067012345",
            "https://cn-north-1.*.amazonaws.cn/platform/saml/d-9067012345",
        ),
        (
            "cn-north-1",
            "https://cn-north-1.amazonaws.cn/platform/saml/d-9067012345",
            "https://cn-north-1.*.amazonaws.cn/platform/saml/d-9067012345",
        ),
        (
            "us-east-1",
            "https://us-east-1.signin.amazonaws.cn/platform/saml/d-9067012345",
            "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345",
        ),
    ] {
        let error = check_issuer(region, "d-9067012345", issuer).expect_err(issuer);
        assert_eq!(error.to_string(), format!("is not {expected}"));
    }
    for refused in [
        "https://us-east-1.signin.amazonaws-us-gov.com/platform/saml/acs/x",
        "https://us-gov-west-1.signin.amazonaws.cn/platform/saml/acs/x",
        "https://us-gov-west-1.signin.amazonaws-us-gov.com.evil/platform/saml/acs/x",
        "https://us-gov-west.signin.amazonaws-us-gov.com/platform/saml/acs/x",
    ] {
        let error = check_acs(refused).expect_err(refused);
        assert!(
            error
                .to_string()
                .starts_with("is not at a sign-in host of AWS"),
            "{error}"
        );
    }
    assert!(has_documented_host(
        "https://us-east-1.sso.signin.aws/platform/saml/acs/x"
    ));
    assert!(!has_documented_host("not a URL"));
}

#[test]
fn the_urls_are_read_from_the_file() {
    let urls = SpUrls::read(&document(AWS_SP)).expect("URLs");
    assert_eq!(
        urls.issuer.as_str(),
        "https://us-east-1.signin.aws.amazon.com/platform/saml/d-9067012345"
    );
    let acs: Vec<&str> = urls.acs.iter().map(url::Url::as_str).collect();
    assert_eq!(
        acs,
        [
            format!("https://us-east-1.signin.aws/platform/saml/acs/{TENANT}"),
            format!("https://us-east-1.sso.signin.aws/platform/saml/acs/{TENANT}"),
        ]
    );
    assert_eq!(
        SpUrls::read(&document(AWS_SP_CLASSIC))
            .expect("URLs")
            .acs
            .len(),
        1
    );
}

#[test]
fn the_acs_urls_of_all_regions_are_read_with_the_default_first() {
    let xml = change(
        AWS_SP_REGIONS,
        &[
            (" isDefault=\"true\"", ""),
            ("index=\"2\"", "index=\"2\" isDefault=\"true\""),
        ],
    );
    let urls = SpUrls::read(&document(&xml)).expect("URLs");
    let hosts: Vec<&str> = urls.acs.iter().filter_map(|url| url.host_str()).collect();
    assert_eq!(
        hosts,
        [
            "eu-west-1.signin.aws",
            "us-east-1.signin.aws",
            "us-east-1.sso.signin.aws",
            "eu-west-1.sso.signin.aws"
        ]
    );
}

#[test]
fn the_file_of_another_service_is_refused_with_the_reason() {
    let error = |xml: &str| SpUrls::read(&document(xml)).expect_err("refused");
    assert_eq!(
        error(IDP).to_string(),
        "the file describes no service provider"
    );
    assert_eq!(
        error("<r/>").to_string(),
        "the file does not describe exactly one entity"
    );
    assert_eq!(
        error(&change(
            AWS_SP,
            &[("/platform/saml/d-", "/platform/saml/x-")]
        ))
        .to_string(),
        "the issuer is not an issuer of IAM Identity Center"
    );
    assert_eq!(
        error(&change(
            AWS_SP,
            &[("https://us-east-1.sso.signin.aws", "https://evil.example")]
        ))
        .to_string(),
        "an ACS URL is not a URL of IAM Identity Center"
    );
    assert!(matches!(
        error(&change(AWS_SP, &[("HTTP-POST", "HTTP-Artifact")])),
        SpUrlsError::Binding
    ));
    let acs = &AWS_SP[AWS_SP.find("<md:Assertion").expect("a match")
        ..AWS_SP.find("</md:SPSSO").expect("a match")];
    assert!(matches!(
        error(&change(AWS_SP, &[(acs, "")])),
        SpUrlsError::NoAcs
    ));
}
