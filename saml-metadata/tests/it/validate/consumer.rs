use super::{expect, of};
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
    let start = OKTA.find("<md:KeyDescriptor").expect("it");
    &OKTA[start..OKTA.find("<md:NameIDFormat").expect("it")]
}

#[test]
fn the_file_has_at_most_75000_characters() {
    let padded = |to: usize| {
        let more = to - OKTA.chars().count();
        // Characters, not bytes: these have two of them each.
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
fn the_file_describes_one_identity_provider_with_all_it_needs() {
    let services = &OKTA
        [OKTA.find("<md:SingleSignOnService").expect("it")..OKTA.find("</md:IDPSSO").expect("it")];
    of(
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
                &["error: the entity stands inside of an EntitiesDescriptor"],
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
    of(
        AwsIdentityCenter,
        "MD-AWS-03",
        OKTA,
        &[
            (
                &[("<md:NameIDFormat", &other)],
                &["error: the file has an encryption key"],
            ),
            (
                &[(" use=\"signing\"", "")],
                &["warning: a key does not say that it is for signing only"],
            ),
        ],
    );
}

#[test]
fn the_email_address_can_be_sent() {
    let formats = &OKTA
        [OKTA.find("<md:NameIDFormat").expect("it")..OKTA.find("<md:SingleSignOn").expect("it")];
    of(
        AwsIdentityCenter,
        "MD-AWS-04",
        OKTA,
        &[
            (
                &[(
                    "nameid-format:emailAddress",
                    "nameid-format:X509SubjectName",
                )],
                &["error: the NameID formats do not include emailAddress"],
            ),
            // A file that lists none says nothing against it.
            (&[(formats, "")], &[]),
        ],
    );
}

#[test]
fn a_certificate_fits_the_quota() {
    of(
        AwsIdentityCenter,
        "MD-AWS-05",
        OKTA,
        &[(
            &[(certificate_of_okta(), &key(" use='signing'", "long"))],
            &["warning: a certificate has 3918 characters as PEM"],
        )],
    );
}

#[test]
fn users_are_sent_to_https_by_post_or_redirect() {
    of(
        AwsIdentityCenter,
        "MD-AWS-06",
        OKTA,
        &[
            (
                &[
                    ("bindings:HTTP-POST", "bindings:SOAP"),
                    ("bindings:HTTP-Redirect", "bindings:HTTP-Artifact"),
                ],
                &["warning: there is no SingleSignOnService with HTTP-POST or HTTP-Redirect"],
            ),
            (
                &[("https://acme.okta.com", "http://acme.okta.com")],
                &["warning: users would be sent to an address that is not https"],
            ),
        ],
    );
}

#[test]
fn several_certificates_are_noted() {
    let other = format!("{}<md:NameIDFormat", key(" use='signing'", "rsa2048-next"));
    of(
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
fn the_file_is_the_one_of_identity_center() {
    of(
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
                &["error: an AssertionConsumerService is not by HTTP-POST"],
            ),
            (
                &[(
                    "https://us-east-1.sso.signin.aws/",
                    "http://us-east-1.sso.signin.aws/",
                )],
                &["error: the assertion consumer address is not https"],
            ),
            (
                &[(
                    "https://us-east-1.sso.signin.aws/",
                    "https://us-east-1.sso.signin.example/",
                )],
                &[
                    "error: the assertion consumer address is not at a sign-in host of AWS: \"us-east-1.sso.signin.example\"",
                ],
            ),
        ],
    );
    let tenant =
        "us-east-1.sso.signin.aws/platform/saml/acs/4f1d2c3b4a596877-8c1e-4d2f-9a3b-0123456789ab";
    let with = |path: &str| format!("us-east-1.sso.signin.aws{path}");
    // What a tenant looks like is Identity Center's business; that there is one part of it is not.
    let path =
        "error: the assertion consumer address does not have the path /platform/saml/acs/<tenant>";
    for (other, expected) in [
        ("/platform/saml/acs/of-another-form", None),
        ("/platform/saml/acs/", Some(path)),
        ("/platform/saml/acs/a/b", Some(path)),
        ("/platform/saml/4f1d2c3b", Some(path)),
        (
            "/platform/saml/acs/a?tenant=b",
            Some(
                "error: the assertion consumer address has more than a host and a path, or is not normalized",
            ),
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
        &["error: an AssertionConsumerService is not by HTTP-POST"],
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
fn there_is_an_address_of_the_current_form() {
    expect(AwsIdentityCenterSp, AWS_SP, "MD-AWSSP-02", &[]);
    expect(
        AwsIdentityCenterSp,
        AWS_SP_CLASSIC,
        "MD-AWSSP-02",
        &["warning: the only assertion consumer address is of the classic form"],
    );
}

#[test]
fn the_file_has_the_shape_of_okta() {
    let id = "http://www.okta.com/exk4uqa1b2C3d4E5f6g7";
    let location = "https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml";
    of(
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
                &["warning: the entityID is not of the form http://www.okta.com/exk…"],
            ),
            (
                &[(
                    "<md:EntityDescriptor ",
                    "<md:EntityDescriptor validUntil='2027-01-01T00:00:00Z' ",
                )],
                &["warning: the file has a validUntil, which Okta's have not"],
            ),
            (
                &[(
                    "<md:IDPSSO",
                    "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/><md:IDPSSO",
                )],
                &["warning: the file is signed, which Okta's are not"],
            ),
            (
                &[(" WantAuthnRequestsSigned=\"false\"", "")],
                &["warning: the identity provider does not say WantAuthnRequestsSigned"],
            ),
            (
                &[(certificate_of_okta(), &key(" use='signing'", "rsa2048"))],
                &["warning: the certificate is not broken into lines of 76 characters"],
            ),
            (
                &[("use=\"signing\"", "use=\"encryption\"")],
                &[
                    "warning: the file has 0 signing certificates, Okta's have one",
                    "warning: the file has a key that is not for signing, which Okta's have not",
                ],
            ),
            (
                &[(location, &location.replace("acme", "other"))],
                &["warning: HTTP-POST and HTTP-Redirect go to different addresses"],
            ),
            (
                &[("bindings:HTTP-Redirect", "bindings:HTTP-Artifact")],
                &["warning: the file has not both HTTP-POST and HTTP-Redirect"],
            ),
        ],
    );
    expect(
        Okta,
        AWS_SP,
        "MD-OKTA-01",
        &[
            "error: the file describes no identity provider",
            "warning: the entityID is not of the form http://www.okta.com/exk…",
        ],
    );
}

#[test]
fn a_text_decoded_the_wrong_way_is_noted() {
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
fn a_file_that_aws_would_refuse_has_an_error_with_the_id_of_the_rule() {
    let with_encryption = format!("{}<md:NameIDFormat", key(" use='encryption'", "p256"));
    let services = &OKTA
        [OKTA.find("<md:SingleSignOnService").expect("it")..OKTA.find("</md:IDPSSO").expect("it")];
    let entity = &OKTA[OKTA.find("<md:EntityDescriptor").expect("it")..];
    let two = format!(
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>{entity}{}</md:EntitiesDescriptor>",
        entity.replacen("exk4uqa1b2C3d4E5f6g7", "exk2", 1)
    );
    let long = format!(
        "{OKTA}<!--{}-->",
        "x".repeat(75_001 - 7 - OKTA.chars().count())
    );
    let cases = [
        (
            change(OKTA, &[("<md:NameIDFormat", &with_encryption)]),
            "MD-AWS-03",
        ),
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
