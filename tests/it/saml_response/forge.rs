//! Builds responses and metadata, and signs the responses with test keys.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use okta_aws_sso::{
    saml::{
        Certificate, Document, read,
        signature::{SignatureAlgorithm, Signer, SigningKey},
        write::IdpMetadata,
    },
    saml_response::Expectations,
};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};

/// A response as Okta posts it, without the signature.
pub(crate) const RESPONSE: &str = include_str!("../../../examples/saml_response/response.xml");
pub(crate) const ACS_URL: &str = "https://eu-central-1.signin.aws/platform/saml/acs/0a1b2c3d";
pub(crate) const ISSUER_URL: &str =
    "https://eu-central-1.signin.aws.amazon.com/platform/saml/d-9067000000";
/// A time at which [`RESPONSE`] is valid.
pub(crate) const NOW: &str = "2026-11-24T12:00:05Z";

static KEY: LazyLock<KeyPair> = LazyLock::new(key);
static OTHER_KEY: LazyLock<KeyPair> = LazyLock::new(key);
static CURVE_KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key"));

fn key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
}

/// The ID of the assertion.
pub(crate) const ASSERTION: &str = "id2";
/// The ID of the response.
pub(crate) const WHOLE: &str = "id1";

/// Signs the element with this ID as Okta does: after its issuer, with the certificate in `KeyInfo`.
pub(crate) fn sign(response: &str, id: &str) -> String {
    sign_as(response, id, &KEY, Some(certificate(&KEY, 2036)))
}

/// Signs with a key that the metadata does not have.
pub(crate) fn sign_with_another_key(response: &str, id: &str, names_it: bool) -> String {
    let certificate = names_it.then(|| certificate(&OTHER_KEY, 2036));
    sign_as(response, id, &OTHER_KEY, certificate)
}

/// Signs without a `KeyInfo`.
pub(crate) fn sign_without_key_info(response: &str, id: &str) -> String {
    sign_as(response, id, &KEY, None)
}

fn sign_as(response: &str, id: &str, key: &KeyPair, certificate: Option<Vec<u8>>) -> String {
    let key = SigningKey::from_pkcs8_der(&key.serialize_der()).expect("a key");
    let mut signer = Signer::new(&key);
    if let Some(der) = certificate {
        signer = signer.certificate(&Certificate::from_der(der).expect("a certificate"));
    }
    sign_by(&signer, response, id)
}

/// Signs with an algorithm of the RSA key.
pub(crate) fn sign_with(response: &str, id: &str, algorithm: SignatureAlgorithm) -> String {
    let key = SigningKey::from_pkcs8_der(&KEY.serialize_der()).expect("a key");
    sign_by(&Signer::new(&key).algorithm(algorithm), response, id)
}

/// Signs with the elliptic curve key of [`metadata_with_an_elliptic_curve`].
pub(crate) fn sign_with_an_elliptic_curve(response: &str, id: &str) -> String {
    let key = SigningKey::from_pkcs8_der(&CURVE_KEY.serialize_der()).expect("a key");
    sign_by(&Signer::new(&key), response, id)
}

fn sign_by(signer: &Signer<'_>, response: &str, id: &str) -> String {
    let document = read(response.as_bytes()).expect("XML");
    let mut elements = document.root().descendants();
    let element = elements
        .find(|element| element.attribute("ID") == Some(id))
        .expect("the element");
    let document = signer.sign_element(element).expect("a signature");
    document.text().to_owned()
}

/// Signs a response, and then moves the signature into an extra element with these tags.
pub(crate) fn sign_inside(response: &str, id: &str, start: &str, end: &str) -> String {
    let at = response.find(&format!("ID=\"{id}\"")).expect("the element");
    let issuer = "</saml2:Issuer>";
    let at = at + response[at..].find(issuer).expect("its issuer") + issuer.len();
    let (before, after) = response.split_at(at);
    let signed = sign(&format!("{before}{start}{end}{after}"), id);
    let signature = signature_of(&signed).to_owned();
    let without = signed.replacen(&signature, "", 1);
    change(
        &without,
        &[(
            &format!("{start}{end}"),
            &format!("{start}{signature}{end}"),
        )],
    )
}

/// Returns the first signature in a text.
pub(crate) fn signature_of(text: &str) -> &str {
    let end_tag = "</ds:Signature>";
    let start = text.find("<ds:Signature ").expect("a signature");
    let end = text.find(end_tag).expect("an end tag") + end_tag.len();
    &text[start..end]
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

/// The certificate in the metadata.
pub(crate) fn signing_certificate() -> Certificate {
    Certificate::from_der(certificate(&KEY, 2036)).expect("a certificate")
}

/// The certificate of the key that the metadata does not have.
pub(crate) fn another_certificate() -> Certificate {
    Certificate::from_der(certificate(&OTHER_KEY, 2036)).expect("a certificate")
}

/// The same metadata with a key on P-256.
pub(crate) fn metadata_with_an_elliptic_curve() -> Document {
    metadata_of("http://www.okta.com/exk1", &[certificate(&CURVE_KEY, 2036)])
}

/// The same metadata with a certificate in a PEM file.
pub(crate) fn metadata_with(pem: &str) -> Document {
    let certificate = Certificate::from_pem(pem).expect("a certificate");
    metadata_of("http://www.okta.com/exk1", &[certificate.der().to_vec()])
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
