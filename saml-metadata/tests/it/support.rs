//! Fixtures and the fixed current time of all tests.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use saml_metadata::{Certificate, Document, read};

/// An identity provider that uses every feature and breaks no rule.
pub(crate) const IDP: &str = include_str!("../fixtures/idp.xml");
/// A service provider that uses every feature and breaks no rule.
pub(crate) const SP: &str = include_str!("../fixtures/sp.xml");
/// An aggregate with nested groups and the less common roles.
pub(crate) const AGGREGATE: &str = include_str!("../fixtures/aggregate.xml");
/// Identity provider metadata in the form that Okta serves for an app.
pub(crate) const OKTA: &str = include_str!("../fixtures/okta.xml");
/// Service provider metadata in the form that IAM Identity Center serves.
pub(crate) const AWS_SP: &str = include_str!("../fixtures/aws-sp.xml");
/// The service provider metadata of an instance that was enabled before February 2026.
pub(crate) const AWS_SP_CLASSIC: &str = include_str!("../fixtures/aws-sp-classic.xml");
/// The service provider metadata of an instance in two Regions.
pub(crate) const AWS_SP_REGIONS: &str = include_str!("../fixtures/aws-sp-regions.xml");

/// All documents above, with their names.
pub(crate) const ALL: [(&str, &str); 7] = [
    ("idp", IDP),
    ("sp", SP),
    ("aggregate", AGGREGATE),
    ("okta", OKTA),
    ("aws-sp", AWS_SP),
    ("aws-sp-classic", AWS_SP_CLASSIC),
    ("aws-sp-regions", AWS_SP_REGIONS),
];

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

#[track_caller]
pub(crate) fn document(xml: &str) -> Document {
    match read(xml.as_bytes()) {
        Ok(document) => document,
        Err(error) => panic!("{error}"),
    }
}

/// Applies each replacement to its first match; panics if there is no match.
#[track_caller]
pub(crate) fn change(xml: &str, replacements: &[(&str, &str)]) -> String {
    let mut changed = xml.to_owned();
    for (from, to) in replacements {
        assert!(
            changed.contains(from),
            "the text to replace is missing: {from:?}"
        );
        changed = changed.replacen(from, to, 1);
    }
    changed
}

fn certificate_file(name: &str) -> std::path::PathBuf {
    let file = format!("tests/fixtures/certificates/{name}.pem");
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Returns whether a certificate fixture of this name exists.
pub(crate) fn has_certificate(name: &str) -> bool {
    certificate_file(name).exists()
}

/// Returns a certificate fixture as base64.
pub(crate) fn certificate(name: &str) -> String {
    let pem = std::fs::read_to_string(certificate_file(name)).expect("a certificate");
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}

/// Returns a certificate fixture as DER.
pub(crate) fn der(name: &str) -> Vec<u8> {
    STANDARD.decode(certificate(name)).expect("base64")
}

/// Returns a certificate fixture.
pub(crate) fn read_certificate(name: &str) -> Certificate {
    Certificate::from_der(der(name)).expect("a certificate")
}
