use super::{expect, in_profile};
use crate::support::{
    AGGREGATE, AWS_SP, AWS_SP_CLASSIC, AWS_SP_REGIONS, IDP, OKTA, certificate, change,
};
use saml_metadata::Profile::{AwsIdentityCenter, AwsIdentityCenterSp, Okta};

/// Returns a `KeyDescriptor`.
fn key(use_: &str, name: &str) -> String {
    format!(
        "<md:KeyDescriptor{use_}><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
        certificate(name)
    )
}

fn certificate_of_okta() -> &'static str {
    let start = OKTA.find("<md:KeyDescriptor").expect("a match");
    &OKTA[start..OKTA.find("<md:NameIDFormat").expect("a match")]
}

#[test]
fn the_file_has_at_most_75000_characters() {
    let padded = |to: usize| {
        let more = to - OKTA.chars().count();
        // The limit counts characters, not bytes: `é` is one character of two bytes.
        OKTA.replace(
            "<md:EntityDescriptor",
            &format!("<!--{}--><md:EntityDescriptor", "é".repeat(more - 7)),
        )
    };
    expect(AwsIdentityCenter, &padded(75_000), "MD-AWS-01", &[]);
    expect(
        AwsIdentityCenter,
        &padded(75_001),
        "MD-AWS-01",
        &["error: the file has 75001 characters, more than 75000"],
    );
}

#[test]
fn the_file_describes_one_complete_identity_provider() {
    let services = &OKTA[OKTA.find("<md:SingleSignOnService").expect("a match")
        ..OKTA.find("</md:IDPSSO").expect("a match")];
    in_profile(
        AwsIdentityCenter,
        "MD-AWS-02",
        OKTA,
        &[
            (
                &[("entityID=\"http://www.okta.com/exk4uqa1b2C3d4E5f6g7\"", "")],
                &["error: the file has no entityID"],
            ),
            (
                &[("use=\"signing\"", "use=\"encryption\"")],
                &["error: the file has no signing certificate"],
            ),
            (
                &[("<ds:X509Certificate>MII", "<ds:X509Certificate>")],
                &["error: the file has no signing certificate"],
            ),
            (
                &[(services, "")],
                &["error: the file has no SingleSignOnService"],
            ),
            (
                &[
                    (
                        "<md:EntityDescriptor",
                        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'><md:EntityDescriptor",
                    ),
                    (
                        "</md:EntityDescriptor>",
                        "</md:EntityDescriptor></md:EntitiesDescriptor>",
                    ),
                ],
                &["error: the entity is inside an EntitiesDescriptor"],
            ),
        ],
    );
    for (xml, message) in [
        (
            AGGREGATE,
            "the document describes 5 entities where one is expected",
        ),
        (
            AWS_SP,
            "the file describes a service provider, not an identity provider",
        ),
        (
            "<r/>",
            "the document is not SAML metadata: its root element is `r`",
        ),
    ] {
        expect(
            AwsIdentityCenter,
            xml,
            "MD-AWS-02",
            &[&format!("error: {message}")],
        );
    }
}

#[test]
fn the_file_has_no_encryption_key() {
    let other = format!("{}<md:NameIDFormat", key(" use='encryption'", "p256"));
    in_profile(
        AwsIdentityCenter,
        "MD-AWS-03",
        OKTA,
        &[
            (
                &[("<md:NameIDFormat", &other)],
                &["warning: the file has an encryption key"],
            ),
            (
                &[(" use=\"signing\"", "")],
                &["warning: a key is not limited to signing"],
            ),
        ],
    );
}

#[test]
fn the_name_id_formats_include_the_email_address() {
    let formats = &OKTA[OKTA.find("<md:NameIDFormat").expect("a match")
        ..OKTA.find("<md:SingleSignOn").expect("a match")];
    in_profile(
        AwsIdentityCenter,
        "MD-AWS-04",
        OKTA,
        &[
            (
                &[(
                    "nameid-format:emailAddress",
                    "nameid-format:X509SubjectName",
                )],
                &["warning: the NameID formats do not include emailAddress"],
            ),
            // A file that lists no NameID format allows all formats.
            (&[(formats, "")], &[]),
        ],
    );
}

#[test]
fn a_certificate_is_within_the_quota() {
    in_profile(
        AwsIdentityCenter,
        "MD-AWS-05",
        OKTA,
        &[(
            &[(certificate_of_okta(), &key(" use='signing'", "long"))],
            &["warning: a certificate has 3918 characters as PEM, more than 2500"],
        )],
    );
}

#[test]
fn sign_in_uses_https() {
    in_profile(
        AwsIdentityCenter,
        "MD-AWS-06",
        OKTA,
        &[
            (
                &[("https://acme.okta.com", "http://acme.okta.com")],
                &["warning: the Location of a SingleSignOnService is not an https URL"],
            ),
            (&[("https://acme.okta.com", "HTTPS://acme.okta.com")], &[]),
        ],
    );
}

#[test]
fn several_certificates_are_reported() {
    let other = format!("{}<md:NameIDFormat", key(" use='signing'", "rsa2048-next"));
    in_profile(
        AwsIdentityCenter,
        "MD-AWS-07",
        OKTA,
        &[(
            &[("<md:NameIDFormat", &other)],
            &["info: the file has 2 signing certificates"],
        )],
    );
}

#[test]
fn the_file_comes_from_identity_center() {
    in_profile(
        AwsIdentityCenterSp,
        "MD-AWSSP-01",
        AWS_SP,
        &[
            (
                &[(
                    "entityID=\"https://us-east-1.signin.aws.amazon.com/",
                    "entityID=\"https://signin.aws.amazon.com/",
                )],
                &["error: the entityID is not at a sign-in host of AWS: \"signin.aws.amazon.com\""],
            ),
            (
                &[("/platform/saml/d-9067012345", "/platform/saml/acs/x")],
                &["error: the entityID does not have the path /platform/saml/d-<identity store>"],
            ),
            (
                &[("HTTP-POST", "HTTP-Artifact")],
                &["error: an AssertionConsumerService does not use HTTP-POST"],
            ),
            (
                &[(
                    "https://us-east-1.sso.signin.aws/",
                    "http://us-east-1.sso.signin.aws/",
                )],
                &["error: the ACS URL is not https"],
            ),
            (
                &[(
                    "https://us-east-1.sso.signin.aws/",
                    "https://us-east-1.sso.signin.example/",
                )],
                &[
                    "error: the ACS URL is not at a sign-in host of AWS: \"us-east-1.sso.signin.example\"",
                ],
            ),
        ],
    );
    let tenant =
        "us-east-1.sso.signin.aws/platform/saml/acs/4f1d2c3b4a596877-8c1e-4d2f-9a3b-0123456789ab";
    let with = |path: &str| format!("us-east-1.sso.signin.aws{path}");
    // Identity Center defines the form of a tenant. The rule checks only that it is one path segment.
    let path = "error: the ACS URL does not have the path /platform/saml/acs/<tenant>";
    for (other, expected) in [
        ("/platform/saml/acs/of-another-form", None),
        ("/platform/saml/acs/", Some(path)),
        ("/platform/saml/acs/a/b", Some(path)),
        ("/platform/saml/4f1d2c3b", Some(path)),
        (
            "/platform/saml/acs/a?tenant=b",
            Some("error: the ACS URL has more than a host and a path, or is not normalized"),
        ),
    ] {
        let expected: Vec<&str> = expected.into_iter().collect();
        let changed = change(AWS_SP, &[(tenant, &with(other))]);
        expect(AwsIdentityCenterSp, &changed, "MD-AWSSP-01", &expected);
    }
    expect(
        AwsIdentityCenterSp,
        &change(AWS_SP, &[("HTTP-POST", "HTTP-Redirect")]),
        "MD-AWSSP-01",
        &["error: an AssertionConsumerService does not use HTTP-POST"],
    );
    expect(AwsIdentityCenterSp, AWS_SP_REGIONS, "MD-AWSSP-01", &[]);
    expect(AwsIdentityCenterSp, AWS_SP_CLASSIC, "MD-AWSSP-01", &[]);
    for (xml, messages) in [
        (
            AGGREGATE,
            vec!["error: the document describes 5 entities where one is expected"],
        ),
        (
            IDP,
            vec![
                "error: the file describes an identity provider, not a service provider",
                "error: the entityID is not at a sign-in host of AWS: \"idp.example.com\"",
            ],
        ),
    ] {
        expect(AwsIdentityCenterSp, xml, "MD-AWSSP-01", &messages);
    }
}

#[test]
fn an_acs_url_has_the_current_form() {
    expect(AwsIdentityCenterSp, AWS_SP, "MD-AWSSP-02", &[]);
    expect(
        AwsIdentityCenterSp,
        AWS_SP_CLASSIC,
        "MD-AWSSP-02",
        &["warning: every ACS URL has the classic form"],
    );
}

#[test]
fn the_hosts_of_other_partitions_are_warnings() {
    let govcloud = change(
        AWS_SP,
        &[
            (
                "us-east-1.signin.aws.amazon.com",
                "us-gov-west-1.signin.amazonaws-us-gov.com",
            ),
            (
                "us-east-1.signin.aws/",
                "us-gov-west-1.signin.amazonaws-us-gov.com/",
            ),
            (
                "us-east-1.sso.signin.aws/",
                "us-gov-west-1.sso.signin.amazonaws-us-gov.com/",
            ),
        ],
    );
    expect(AwsIdentityCenterSp, AWS_SP, "MD-AWSSP-03", &[]);
    expect(AwsIdentityCenterSp, &govcloud, "MD-AWSSP-01", &[]);
    expect(AwsIdentityCenterSp, &govcloud, "MD-AWSSP-02", &[]);
    expect(
        AwsIdentityCenterSp,
        &govcloud,
        "MD-AWSSP-03",
        &[
            "warning: the host of the entityID is not documented",
            "warning: the host of an ACS URL is not documented",
            "warning: the host of an ACS URL is not documented",
        ],
    );
}

#[test]
fn the_file_has_the_form_of_okta_metadata() {
    let id = "http://www.okta.com/exk4uqa1b2C3d4E5f6g7";
    let location = "https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml";
    in_profile(
        Okta,
        "MD-OKTA-01",
        OKTA,
        &[
            (&[(&format!("entityID=\"{id}\""), "entityID='exk1'")], &[]),
            (
                &[(
                    &format!("entityID=\"{id}\""),
                    "entityID='https://acme.okta.com/exk1'",
                )],
                &["warning: the entityID does not have the form http://www.okta.com/exk…"],
            ),
            (
                &[(
                    "<md:EntityDescriptor ",
                    "<md:EntityDescriptor validUntil='2027-01-01T00:00:00Z' ",
                )],
                &["warning: the file has a validUntil, unlike Okta's files"],
            ),
            (
                &[(
                    "<md:IDPSSO",
                    "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/><md:IDPSSO",
                )],
                &["warning: the file is signed, unlike Okta's files"],
            ),
            (
                &[(" WantAuthnRequestsSigned=\"false\"", "")],
                &["warning: the identity provider has no WantAuthnRequestsSigned"],
            ),
            (
                &[(certificate_of_okta(), &key(" use='signing'", "rsa2048"))],
                &["warning: the certificate has lines of more than 76 characters"],
            ),
            (
                &[("use=\"signing\"", "use=\"encryption\"")],
                &[
                    "warning: the file has 0 signing certificates; Okta's files have one",
                    "warning: the file has a key that is not for signing, unlike Okta's files",
                ],
            ),
            (
                &[(location, &location.replace("acme", "other"))],
                &["warning: HTTP-POST and HTTP-Redirect have different URLs"],
            ),
            (
                &[("bindings:HTTP-Redirect", "bindings:HTTP-Artifact")],
                &["warning: the file does not have both HTTP-POST and HTTP-Redirect"],
            ),
        ],
    );
    expect(
        Okta,
        AWS_SP,
        "MD-OKTA-01",
        &[
            "error: the file describes no identity provider",
            "warning: the entityID does not have the form http://www.okta.com/exk…",
        ],
    );
}

#[test]
fn text_that_was_decoded_wrongly_is_reported() {
    let named = |name: &str| {
        let organization = format!(
            "<md:Organization><md:OrganizationName xml:lang='de'>{name}</md:OrganizationName></md:Organization></md:EntityDescriptor>"
        );
        change(OKTA, &[("</md:EntityDescriptor>", &organization)])
    };
    let decoded_as_latin_1: String = "Müller".bytes().map(char::from).collect();
    expect(Okta, &named("Müller"), "MD-OKTA-02", &[]);
    expect(
        Okta,
        &named(&decoded_as_latin_1),
        "MD-OKTA-02",
        &["info: OrganizationName looks like UTF-8 that was decoded as ISO-8859-1"],
    );
}

#[test]
fn a_file_that_aws_would_refuse_has_an_error() {
    let services = &OKTA[OKTA.find("<md:SingleSignOnService").expect("a match")
        ..OKTA.find("</md:IDPSSO").expect("a match")];
    let entity = &OKTA[OKTA.find("<md:EntityDescriptor").expect("a match")..];
    let two = format!(
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>{entity}{}</md:EntitiesDescriptor>",
        entity.replacen("exk4uqa1b2C3d4E5f6g7", "exk2", 1)
    );
    let long = format!(
        "{OKTA}<!--{}-->",
        "x".repeat(75_001 - 7 - OKTA.chars().count())
    );
    let cases = [
        (two, "MD-AWS-02"),
        (
            change(
                OKTA,
                &[(certificate_of_okta(), &key(" use='signing'", "expired"))],
            ),
            "MD-KEY-05",
        ),
        (long, "MD-AWS-01"),
        (change(OKTA, &[(services, "")]), "MD-AWS-02"),
    ];
    for (xml, rule) in cases {
        let document = crate::support::document(&xml);
        let errors: Vec<String> =
            saml_metadata::validate(&document, AwsIdentityCenter, crate::support::now())
                .into_iter()
                .filter(saml_metadata::Finding::is_error)
                .map(|finding| finding.rule.to_string())
                .collect();
        assert!(errors.contains(&rule.to_owned()), "{rule}: {errors:?}");
    }
}
