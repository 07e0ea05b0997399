//! Fixtures, and the moment that all tests take for now.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use saml_metadata::{Document, read};

/// An identity provider with everything, that no rule has anything against.
pub(crate) const IDP: &str = include_str!("../fixtures/idp.xml");
/// A service provider of the same kind.
pub(crate) const SP: &str = include_str!("../fixtures/sp.xml");
/// Groups in groups, and the rarer roles.
pub(crate) const AGGREGATE: &str = include_str!("../fixtures/aggregate.xml");
/// The shape in which Okta hands out an app's identity provider.
pub(crate) const OKTA: &str = include_str!("../fixtures/okta.xml");
/// The shape in which IAM Identity Center hands out its service provider.
pub(crate) const AWS_SP: &str = include_str!("../fixtures/aws-sp.xml");
/// The same of an instance enabled before February 2026.
pub(crate) const AWS_SP_CLASSIC: &str = include_str!("../fixtures/aws-sp-classic.xml");
/// The same of an instance in two Regions.
pub(crate) const AWS_SP_REGIONS: &str = include_str!("../fixtures/aws-sp-regions.xml");

/// All of them, by name.
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

/// Returns the text with replacements made, each of which must really be one.
#[track_caller]
pub(crate) fn change(xml: &str, replacements: &[(&str, &str)]) -> String {
    let mut changed = xml.to_owned();
    for (from, to) in replacements {
        assert!(changed.contains(from), "there is no {from:?} to replace");
        changed = changed.replacen(from, to, 1);
    }
    changed
}

fn certificate_file(name: &str) -> std::path::PathBuf {
    let file = format!("tests/fixtures/certificates/{name}.pem");
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Returns whether there is a certificate of the name.
pub(crate) fn has_certificate(name: &str) -> bool {
    certificate_file(name).exists()
}

/// Returns a certificate of the fixtures as base64.
pub(crate) fn certificate(name: &str) -> String {
    let pem = std::fs::read_to_string(certificate_file(name)).expect("a certificate");
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}

/// Returns a certificate of the fixtures as DER.
pub(crate) fn der(name: &str) -> Vec<u8> {
    STANDARD.decode(certificate(name)).expect("base64")
}
