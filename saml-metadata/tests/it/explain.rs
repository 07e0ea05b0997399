//! The summary of a document.

use saml_metadata::{EntityError, explain};

use crate::support::{AGGREGATE, OKTA, change, document, now};

#[test]
fn a_summary_has_the_endpoints_formats_and_certificates() {
    let entities = explain(&document(OKTA), now()).expect("metadata");
    let text = entities[0].to_string();
    for expected in [
        "entity http://www.okta.com/exk4uqa1b2C3d4E5f6g7\n",
        "  sign-in   https://acme.okta.com/app/amazon_aws_sso/exk4uqa1b2C3d4E5f6g7/sso/saml (urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST)\n",
        "  NameID    urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\n",
        "  IDPSSODescriptor: signing: ",
        "            SHA-256 ",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
    assert_eq!(
        explain(&document(AGGREGATE), now())
            .expect("metadata")
            .len(),
        5
    );
}

#[test]
fn a_summary_names_a_certificate_that_cannot_be_read() {
    let pem = change(
        OKTA,
        &[(
            "<ds:X509Certificate>",
            "<ds:X509Certificate>-----BEGIN CERTIFICATE-----",
        )],
    );
    let entities = explain(&document(&pem), now()).expect("metadata");
    assert!(
        entities[0].to_string().ends_with(
            "  IDPSSODescriptor: signing: unreadable certificate: the certificate is PEM, not plain base64\n"
        ),
        "{}",
        entities[0]
    );
    let unreadable = &entities[0].roles[0].unreadable_certificates;
    assert!(
        unreadable[0].path.ends_with("/ds:X509Certificate"),
        "{}",
        unreadable[0].path
    );
}

#[test]
fn what_is_not_metadata_has_no_summary() {
    let error = explain(&document("<html/>".replace("html", "r").as_str()), now());
    assert!(matches!(error, Err(EntityError::NotMetadata { .. })));
    let empty = document("<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'/>");
    assert_eq!(explain(&empty, now()), Err(EntityError::NoEntity));
}
