//! Builds responses and metadata, and signs the responses with test keys.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use okta_aws_sso::{
    saml::{Certificate, Document, write::IdpMetadata},
    saml_response::Expectations,
};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use samael::crypto::{Crypto, CryptoProvider as _};

/// A response as Okta posts it, without the signature.
pub(crate) const RESPONSE: &str = include_str!("../../../examples/saml_response/response.xml");
pub(crate) const ACS_URL: &str = "https://eu-central-1.signin.aws/platform/saml/acs/0a1b2c3d";
pub(crate) const ISSUER_URL: &str =
    "https://eu-central-1.signin.aws.amazon.com/platform/saml/d-9067000000";
/// A time at which [`RESPONSE`] is valid.
pub(crate) const NOW: &str = "2026-11-24T12:00:05Z";

static KEY: LazyLock<KeyPair> = LazyLock::new(key);
static OTHER_KEY: LazyLock<KeyPair> = LazyLock::new(key);

fn key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
}

/// The element to sign, and the algorithms.
#[derive(Clone, Copy)]
pub(crate) struct Signing {
    pub(crate) id: &'static str,
    pub(crate) method: &'static str,
    pub(crate) digest: &'static str,
}

pub(crate) const ASSERTION: Signing = Signing {
    id: "id2",
    method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    digest: "http://www.w3.org/2001/04/xmlenc#sha256",
};

pub(crate) const WHOLE: Signing = Signing {
    id: "id1",
    ..ASSERTION
};

pub(crate) const SHA1: Signing = Signing {
    method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    digest: "http://www.w3.org/2000/09/xmldsig#sha1",
    ..ASSERTION
};

/// Signs a response, with the signature behind the issuer of the signed element.
pub(crate) fn sign(response: &str, signing: Signing) -> String {
    sign_inside(response, signing, "", "")
}

/// Signs a response, with the signature inside an extra element with these tags.
pub(crate) fn sign_inside(response: &str, signing: Signing, start: &str, end: &str) -> String {
    let Signing { id, method, digest } = signing;
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
         <ds:SignatureMethod Algorithm=\"{method}\"/><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue/></ds:Signature>"
    );
    let at = response.find(&format!("ID=\"{id}\"")).expect("the element");
    let issuer = "</saml2:Issuer>";
    let at = at + response[at..].find(issuer).expect("its issuer") + issuer.len();
    let template = format!(
        "{}{start}{signature}{end}{}",
        &response[..at],
        &response[at..]
    );
    Crypto::sign_xml(template, &KEY.serialize_der()).expect("a signature")
}

/// Replaces every occurrence of each text; panics if a text does not occur.
#[track_caller]
pub(crate) fn change(text: &str, replacements: &[(&str, &str)]) -> String {
    let mut changed = text.to_owned();
    for (from, to) in replacements {
        assert!(changed.contains(from), "there is no {from:?} to replace");
        changed = changed.replace(from, to);
    }
    changed
}

/// Changes [`RESPONSE`], and signs the result.
#[track_caller]
pub(crate) fn change_and_sign(replacements: &[(&str, &str)]) -> String {
    sign(&change(RESPONSE, replacements), ASSERTION)
}

pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn metadata_of(entity_id: &str, certificates: &[Vec<u8>]) -> Document {
    let mut builder = IdpMetadata::new(entity_id).single_sign_on_service(
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        "https://acme.okta.com/sso",
    );
    for certificate in certificates {
        let certificate = Certificate::from_der(certificate.clone()).expect("a certificate");
        builder = builder.signing_certificate(&certificate);
    }
    builder.build().expect("metadata")
}

fn certificate(key: &KeyPair, last_year: i32) -> Vec<u8> {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    params
        .self_signed(key)
        .expect("a certificate")
        .der()
        .to_vec()
}

/// Metadata with the key that signs the responses.
pub(crate) fn metadata() -> Document {
    metadata_of("http://www.okta.com/exk1", &[certificate(&KEY, 2036)])
}

/// The same metadata during a key rotation: an unused key and the signing key.
pub(crate) fn metadata_with_two_keys() -> Document {
    metadata_of(
        "http://www.okta.com/exk1",
        &[certificate(&OTHER_KEY, 2036), certificate(&KEY, 2036)],
    )
}

/// The same metadata after the key was replaced.
pub(crate) fn metadata_with_another_key() -> Document {
    metadata_of("http://www.okta.com/exk1", &[certificate(&OTHER_KEY, 2036)])
}

/// The same metadata with an expired certificate.
pub(crate) fn metadata_with_an_expired_certificate() -> Document {
    metadata_of("http://www.okta.com/exk1", &[certificate(&KEY, 2026)])
}

/// The same metadata with an expired and a valid certificate of the same key.
pub(crate) fn metadata_with_a_renewed_certificate() -> Document {
    metadata_of(
        "http://www.okta.com/exk1",
        &[certificate(&KEY, 2026), certificate(&KEY, 2036)],
    )
}

/// The same metadata without keys.
pub(crate) fn metadata_without_keys() -> Document {
    metadata_of("http://www.okta.com/exk1", &[])
}

pub(crate) fn expectations() -> Expectations {
    expectations_at(NOW)
}

pub(crate) fn expectations_at(now: &str) -> Expectations {
    Expectations::new(ACS_URL, ISSUER_URL, now.parse().expect("a time"))
        .user_name("ada.lovelace@example.com")
}
