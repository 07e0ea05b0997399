//! Tests on signed files of the corpus, which is not part of the project.

use std::{fs, path::PathBuf};

use super::stream::verify_both;
use saml_metadata::{
    Certificate, Document, ReadErrorKind, read,
    signature::{Verifier, VerifyingKey},
};

#[expect(clippy::print_stdout, reason = "a skipped test prints why")]
fn file(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/saml");
    let bytes = fs::read(folder.join(name)).ok();
    if bytes.is_none() {
        println!("skipped: there is no {name} at {}", folder.display());
    }
    bytes
}

/// Returns the keys inside the document's signature. Only a test may trust them.
fn keys_of(document: &Document) -> Vec<VerifyingKey> {
    let signature = document
        .root()
        .children()
        .find(|child| child.local_name() == "Signature");
    let certificates = signature.expect("a signature").descendants();
    certificates
        .filter(|element| element.local_name() == "X509Certificate")
        .map(|element| Certificate::from_base64(element.text()).expect("a certificate"))
        .map(|certificate| VerifyingKey::from_certificate(&certificate).expect("a key"))
        .collect()
}

#[test]
fn each_attack_is_refused_with_its_own_reason() {
    let Some(signed) = file("SYNTHETIC__signed-okta-rsa.xml") else {
        return;
    };
    let verifier = Verifier::new(keys_of(&read(&signed).expect("read")));
    let mut count = 0;
    for (name, expected) in [
        ("signed-okta-rsa", "verified http://www.okta.com/exk0000001"),
        (
            "atk-01-tampered",
            "MD-SIG-06 the content was changed after signing",
        ),
        (
            "atk-03-xsw-sig-on-evil",
            "MD-SIG-03 the signature references \"#_md1\", not the element that contains it",
        ),
        (
            "atk-05-xsw-object",
            "MD-SIG-07 `ds:Object` is not allowed in a SAML signature",
        ),
        (
            "atk-07-comment-in-nameid",
            "verified http://www.okta.com/exk0000001",
        ),
        ("atk-09-dtd-default-attr", "MD-XML-02 DOCTYPE"),
        (
            "atk-11-attacker-key",
            "MD-SIG-02 the signature is not the first child of the signed element",
        ),
        (
            "atk-13-uri-empty",
            "MD-SIG-02 the signature is not the first child of the signed element",
        ),
        (
            "atk-15-rsa-sha512",
            "MD-SIG-02 the signature is not the first child of the signed element",
        ),
        ("atk-17-crlf", "verified http://www.okta.com/exk0000001"),
        ("atk-19-cdata", "verified http://www.okta.com/exk0000001"),
        (
            "atk-21-pi-added",
            "MD-SIG-06 the content was changed after signing",
        ),
        (
            "atk-23-sig-not-first-child",
            "MD-SIG-02 the signature is not the first child of the signed element",
        ),
        (
            "atk-25-digestvalue-comment",
            "MD-SIG-07 `SignedInfo` contains a comment, a processing instruction or a CDATA section",
        ),
        (
            "atk-27-xpath-transform",
            "MD-SIG-04 the reference has 3 transforms where one or two are expected",
        ),
        (
            "atk-29-evil-signedinfo-second",
            "MD-SIG-03 the signature has 2 `SignedInfo` where one is expected",
        ),
        (
            "atk-31-signedinfo-in-object",
            "MD-SIG-07 `ds:Object` is not allowed in a SAML signature",
        ),
    ] {
        let Some(bytes) = file(&format!("SYNTHETIC__{name}.xml")) else {
            continue;
        };
        assert_eq!(outcome(&verifier, &bytes), expected, "{name}");
        count += 1;
    }
    assert!(count > 10, "only {count} files");
}

#[test]
fn a_misplaced_signature_is_still_verified_if_any_place_is_allowed() {
    let Some(signed) = file("SYNTHETIC__signed-okta-rsa.xml") else {
        return;
    };
    let verifier = Verifier::new(keys_of(&read(&signed).expect("read"))).allow_any_position();
    for (name, expected) in [
        (
            "atk-11-attacker-key",
            "MD-SIG-06 the signature does not verify with any of the given keys",
        ),
        (
            "atk-13-uri-empty",
            "verified http://www.okta.com/exk0000001",
        ),
        (
            "atk-15-rsa-sha512",
            "verified http://www.okta.com/exk0000001",
        ),
        (
            "atk-23-sig-not-first-child",
            "verified http://www.okta.com/exk0000001",
        ),
    ] {
        let Some(bytes) = file(&format!("SYNTHETIC__{name}.xml")) else {
            continue;
        };
        assert_eq!(outcome(&verifier, &bytes), expected, "{name}");
    }
}

fn outcome(verifier: &Verifier, bytes: &[u8]) -> String {
    let document = match read(bytes) {
        Ok(document) => document,
        Err(error) => {
            assert_eq!(error.kind(), ReadErrorKind::Doctype);
            return format!("{} DOCTYPE", error.rule());
        }
    };
    match verify_both(verifier, &document) {
        Ok(found) => format!(
            "verified {}",
            found.entity().expect("an entity").entity_id()
        ),
        Err(error) => format!("{} {}", error.rule(), error.kind()),
    }
}
