use super::{expect, in_profile};
use crate::support::{AGGREGATE, AWS_SP, IDP, OKTA, certificate, change};
use saml_metadata::Profile::{AwsIam, GoogleWorkforce, OpenSearch};

fn key(name: &str) -> String {
    format!(
        "<md:KeyDescriptor use='signing'><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
        certificate(name)
    )
}

fn key_of_okta() -> &'static str {
    let start = OKTA.find("<md:KeyDescriptor").expect("a match");
    &OKTA[start..OKTA.find("<md:NameIDFormat").expect("a match")]
}

fn padded(characters: usize) -> String {
    let more = characters - OKTA.chars().count();
    OKTA.replace(
        "<md:EntityDescriptor",
        &format!("<!--{}--><md:EntityDescriptor", "é".repeat(more - 7)),
    )
}

#[test]
fn google_requires_a_limited_file_size_and_current_keys() {
    let four = ["rsa2048", "rsa2048-next", "rsa3072", "p256"]
        .map(key)
        .concat();
    in_profile(
        GoogleWorkforce,
        "MD-GCP-01",
        OKTA,
        &[
            (
                &[(key_of_okta(), &key("expired"))],
                &["error: the file has no unexpired signing certificate"],
            ),
            (
                &[(key_of_okta(), &[key("expired"), key("rsa2048")].concat())],
                &[],
            ),
            (
                &[(key_of_okta(), &four)],
                &["error: the file has 4 signing keys, more than 3"],
            ),
        ],
    );
    expect(
        GoogleWorkforce,
        &change(OKTA, &[(key_of_okta(), &key("future"))]),
        "MD-GCP-01",
        &["error: the certificate starts more than 7 days from now, at 2027-01-01T00:00:00Z"],
    );
    expect(GoogleWorkforce, &padded(131_072), "MD-GCP-01", &[]);
    expect(
        GoogleWorkforce,
        &padded(131_073),
        "MD-GCP-01",
        &["error: the file has 131073 characters, more than 131072"],
    );
    for (xml, message) in [
        (AWS_SP, "the file describes no identity provider"),
        (
            AGGREGATE,
            "the document describes 5 entities where one is expected",
        ),
    ] {
        expect(
            GoogleWorkforce,
            xml,
            "MD-GCP-01",
            &[&format!("error: {message}")],
        );
    }
}

#[test]
fn iam_requires_at_least_1000_characters() {
    in_profile(
        AwsIam,
        "MD-IAM-01",
        OKTA,
        &[(
            &[(key_of_okta(), "")],
            &[&format!(
                "error: the file has {} characters, not 1000 to 10000000",
                OKTA.replacen(key_of_okta(), "", 1).chars().count()
            )],
        )],
    );
    expect(AwsIam, IDP, "MD-IAM-01", &[]);
    expect(
        AwsIam,
        AGGREGATE,
        "MD-IAM-01",
        &["error: the document describes 5 entities where one is expected"],
    );
}

#[test]
fn opensearch_limits_the_file_size_and_the_entity_id_length() {
    let id = "entityID=\"http://www.okta.com/exk4uqa1b2C3d4E5f6g7\"";
    let long = format!("entityID='urn:{}'", "x".repeat(509));
    in_profile(
        OpenSearch,
        "MD-OS-01",
        OKTA,
        &[
            (
                &[(id, "entityID='urn:abc'")],
                &["error: the entityID has 7 characters, not 8 to 512"],
            ),
            (&[(id, "entityID='urn:abcd'")], &[]),
            (
                &[(id, &long)],
                &["error: the entityID has 513 characters, not 8 to 512"],
            ),
        ],
    );
    expect(OpenSearch, &padded(1_048_576), "MD-OS-01", &[]);
    expect(
        OpenSearch,
        &padded(1_048_577),
        "MD-OS-01",
        &["error: the file has 1048577 characters, more than 1048576"],
    );
}
