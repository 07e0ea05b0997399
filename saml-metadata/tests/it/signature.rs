//! Signatures: documents signed by other tools are verified, and each kind of tampering is refused
//! with its own error.

mod attacks;
mod corpus;
mod messages;
mod reopened;
mod sign;
mod stream;
mod validate;
mod view;

use saml_metadata::{
    Document,
    signature::{SignatureAlgorithm, SignatureErrorKind, Verifier, VerifyingKey, signature_rules},
};

use crate::support::{change, document};

/// A document that xmlsec1 signed with the RSA key.
pub(crate) const SIGNED: &str = include_str!("../fixtures/signature/xmlsec1-rsa-sha256.xml");

/// Returns a file from the folder of keys and signed documents.
#[track_caller]
pub(crate) fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/signature");
    std::fs::read_to_string(format!("{folder}/{name}")).expect(name)
}

#[track_caller]
pub(crate) fn key(name: &str) -> VerifyingKey {
    VerifyingKey::from_pem(&fixture(&format!("{name}.cert.pem"))).expect(name)
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new([key("rsa"), key("p256"), key("p384"), key("p521")])
}

/// Expects that verification fails with this rule and this message.
#[track_caller]
pub(crate) fn check(verifier: &Verifier, document: &Document, rule: &str, message: &str) {
    match stream::verify_both(verifier, document) {
        Ok(found) => panic!("{found:?}"),
        Err(error) => {
            assert_eq!(error.kind().to_string(), message);
            assert_eq!(error.rule().as_str(), rule);
            assert!(document.text().get(error.span()).is_some());
        }
    }
}

/// Changes the signed fixture and expects that verification fails with this rule and this message.
#[track_caller]
pub(crate) fn check_changed(replacements: &[(&str, &str)], rule: &str, message: &str) {
    let changed = document(&change(SIGNED, replacements));
    check(&verifier(), &changed, rule, message);
}

#[track_caller]
fn check_fixture(file: &str, key: usize, algorithm: SignatureAlgorithm) {
    let text = fixture(&format!("{file}.xml"));
    let signed = document(&text);
    let found = stream::verify_both(&verifier(), &signed).expect(file);
    assert_eq!(found.key(), key, "{file}");
    assert_eq!(found.algorithm(), algorithm, "{file}");
    let entity = found.entity().expect("an entity");
    assert_eq!(entity.entity_id(), "https://idp.example.com/metadata");
    let tampered = document(&change(&text, &[("Example login", "Evil login")]));
    check(
        &verifier(),
        &tampered,
        "MD-SIG-06",
        "the content was changed after signing",
    );
}

#[test]
fn documents_signed_by_xmlsec1_are_verified() {
    check_fixture("xmlsec1-rsa-sha256", 0, SignatureAlgorithm::RsaSha256);
    check_fixture("xmlsec1-rsa-sha384", 0, SignatureAlgorithm::RsaSha384);
    check_fixture("xmlsec1-rsa-sha512", 0, SignatureAlgorithm::RsaSha512);
    check_fixture(
        "xmlsec1-ecdsa-sha256",
        1,
        SignatureAlgorithm::EcdsaP256Sha256,
    );
    check_fixture(
        "xmlsec1-ecdsa-sha384",
        2,
        SignatureAlgorithm::EcdsaP384Sha384,
    );
    check_fixture(
        "xmlsec1-ecdsa-sha512",
        3,
        SignatureAlgorithm::EcdsaP521Sha512,
    );
}

#[test]
fn a_signature_of_a_whole_document_covers_the_nodes_around_the_root() {
    let text = fixture("xmlsec1-aggregate-whole.xml");
    let signed = document(&text);
    let found = stream::verify_both(&verifier(), &signed).expect("verified");
    assert_eq!(found.entities().count(), 5);
    for part in ["<?before", "<?behind", "validUntil"] {
        let tampered = document(&change(&text, &[(part, &format!("{part}1"))]));
        check(
            &verifier(),
            &tampered,
            "MD-SIG-06",
            "the content was changed after signing",
        );
    }
    for extra in ["<?more?>", "<!-- more -->"] {
        let longer = document(&format!("{text}{extra}"));
        let outcome = stream::verify_both(&verifier(), &longer);
        assert_eq!(outcome.is_ok(), extra.starts_with("<!--"), "{extra}");
    }
}

#[test]
fn documents_signed_by_signxml_are_verified() {
    check_fixture("signxml-rsa-sha256", 0, SignatureAlgorithm::RsaSha256);
    check_fixture(
        "signxml-rsa-pss-sha256",
        0,
        SignatureAlgorithm::RsaPssSha256,
    );
    check_fixture(
        "signxml-rsa-pss-sha512",
        0,
        SignatureAlgorithm::RsaPssSha512,
    );
    check_fixture(
        "signxml-ecdsa-sha256",
        1,
        SignatureAlgorithm::EcdsaP256Sha256,
    );
    check_fixture(
        "signxml-ecdsa-sha384",
        2,
        SignatureAlgorithm::EcdsaP384Sha384,
    );
    check_fixture(
        "signxml-ecdsa-sha512",
        3,
        SignatureAlgorithm::EcdsaP521Sha512,
    );
}

#[test]
fn every_canonicalization_of_the_profile_is_verified() {
    check_fixture("xmlsec1-prefix-list", 0, SignatureAlgorithm::RsaSha256);
    check_fixture("xmlsec1-inclusive", 0, SignatureAlgorithm::RsaSha256);
    check_fixture("xmlsec1-with-comments", 0, SignatureAlgorithm::RsaSha256);
}

#[test]
fn sha1_is_refused_by_default() {
    let signed = document(&fixture("xmlsec1-sha1.xml"));
    check(
        &verifier(),
        &signed,
        "MD-SIG-05",
        "the signature uses SHA-1",
    );
    let lax = verifier().allow_sha1();
    let verified = stream::verify_both(&lax, &signed).expect("allowed");
    assert_eq!(verified.algorithm(), SignatureAlgorithm::RsaSha1);
}

#[test]
fn the_index_of_the_matching_key_is_returned() {
    let signed = document(SIGNED);
    let verifier = Verifier::new([key("p256"), key("other"), key("rsa")]);
    assert_eq!(verifier.verify(&signed).expect("verified").key(), 2);
}

#[test]
fn a_signature_by_an_untrusted_key_is_refused_despite_its_key_info() {
    let message = "the signature does not verify with any of the given keys";
    let other = Verifier::new([key("other")]);
    check(&other, &document(SIGNED), "MD-SIG-06", message);
}

#[test]
fn verification_fails_without_a_key_for_the_algorithm() {
    let message = "none of the given keys fits the algorithm \
                   http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let signed = document(SIGNED);
    check(&Verifier::new([]), &signed, "MD-SIG-06", message);
    check(&Verifier::new([key("p256")]), &signed, "MD-SIG-06", message);
}

#[test]
fn short_rsa_keys_are_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/certificates");
    let pem = std::fs::read_to_string(format!("{folder}/rsa1024.pem")).expect("a certificate");
    let weak = Verifier::new([VerifyingKey::from_pem(&pem).expect("a key")]);
    let message = "the RSA key has 1024 bits, fewer than 2048";
    check(&weak, &document(SIGNED), "MD-SIG-09", message);
}

#[test]
fn unsupported_kinds_of_keys_are_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/certificates");
    for name in ["dsa", "p192"] {
        let pem = std::fs::read_to_string(format!("{folder}/{name}.pem")).expect(name);
        let error = VerifyingKey::from_pem(&pem).expect_err(name);
        assert_eq!(
            error.to_string(),
            "the key is neither RSA of 2048 to 8192 bits nor on the curve P-256, P-384 or P-521"
        );
    }
}

#[test]
fn an_error_has_a_position_and_a_span() {
    let changed = change(
        SIGNED,
        &[("<ds:Reference URI=\"#_idp\"", "<ds:Reference URI=\"#_b\"")],
    );
    let changed = document(&changed);
    let error = verifier().verify(&changed).expect_err("refused");
    assert!(changed.text()[error.span()].starts_with("<ds:Reference URI=\"#_b\">"));
    assert_eq!(
        error.to_string(),
        "line 3, column 776: the signature references \"#_b\", not the element that contains it"
    );
    assert!(matches!(
        error.kind(),
        SignatureErrorKind::OtherReference { .. }
    ));
}

#[test]
fn the_signature_rules_are_in_order() {
    let ids: Vec<&str> = signature_rules().map(|rule| rule.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "MD-SIG-01",
            "MD-SIG-02",
            "MD-SIG-03",
            "MD-SIG-04",
            "MD-SIG-05",
            "MD-SIG-06",
            "MD-SIG-07",
            "MD-SIG-08",
            "MD-SIG-09"
        ]
    );
}
