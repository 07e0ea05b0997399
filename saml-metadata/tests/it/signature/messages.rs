//! Signatures of assertions and protocol messages.

use saml_metadata::{
    Document, Element,
    signature::{SignError, SignatureErrorKind, Signer, SigningKey},
};

use super::{fixture, verifier};
use crate::support::{change, document};

const RESPONSE: &str = "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
    xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"r\"><a:Issuer>urn:idp</a:Issuer>\
    <p:Status/><a:Assertion ID=\"a\"><a:Issuer>urn:idp</a:Issuer><a:Subject><a:NameID>ada@example.com</a:NameID>\
    </a:Subject></a:Assertion></p:Response>";

fn signer_key() -> SigningKey {
    SigningKey::from_pkcs8_pem(&fixture("rsa.key.pem")).expect("a key")
}

fn named<'a>(document: &'a Document, id: &str) -> Element<'a> {
    let mut elements = document.root().descendants();
    elements
        .find(|element| element.attribute("ID") == Some(id))
        .expect("an element with the ID")
}

fn sign(text: &str, id: &str) -> String {
    let unsigned = document(text);
    let signed = Signer::new(&signer_key()).sign_element(named(&unsigned, id));
    signed.expect("a signed document").text().to_owned()
}

/// Returns why the signature of an element is refused.
#[track_caller]
fn refused(text: &str, id: &str) -> SignatureErrorKind {
    let document = document(text);
    let error = verifier()
        .verify_element(named(&document, id))
        .expect_err("refused");
    error.kind().clone()
}

#[test]
fn a_response_and_its_assertion_can_both_be_signed() {
    let both = document(&sign(&sign(RESPONSE, "a"), "r"));
    for id in ["a", "r"] {
        let element = named(&both, id);
        let found = verifier().verify_element(element).expect("verified");
        assert_eq!(found.element().attribute("ID"), Some(id));
        let second = element.children().nth(1).expect("a signature");
        assert_eq!(second.local_name(), "Signature");
    }
}

#[test]
fn a_signature_of_the_assertion_does_not_cover_the_response() {
    let signed = sign(RESPONSE, "a");
    assert_eq!(refused(&signed, "r"), SignatureErrorKind::NotSigned);
    let changed = change(&signed, &[("<p:Status/>", "<p:Status>x</p:Status>")]);
    let changed = document(&changed);
    assert!(verifier().verify_element(named(&changed, "a")).is_ok());
}

#[test]
fn a_changed_assertion_is_refused() {
    for id in ["a", "r"] {
        let changed = change(&sign(RESPONSE, id), &[("ada@", "eve@")]);
        assert_eq!(refused(&changed, id), SignatureErrorKind::Changed);
    }
}

#[test]
fn a_signature_that_does_not_follow_the_issuer_needs_an_option() {
    let signed = sign(RESPONSE, "a");
    let start = signed.find("<ds:Signature ").expect("a signature");
    let end = signed.find("</ds:Signature>").expect("a signature") + "</ds:Signature>".len();
    let signature = &signed[start..end];
    let moved = signed.replacen(signature, "", 1);
    let last = moved.replace("</a:Assertion>", &format!("{signature}</a:Assertion>"));
    assert_eq!(refused(&last, "a"), SignatureErrorKind::NotAfterIssuer);
    let last = document(&last);
    let lax = verifier().allow_any_position();
    assert!(lax.verify_element(named(&last, "a")).is_ok());
    let first = moved.replace(
        "<a:Assertion ID=\"a\">",
        &format!("<a:Assertion ID=\"a\">{signature}"),
    );
    assert_eq!(refused(&first, "a"), SignatureErrorKind::NotAfterIssuer);
    let no_issuer = RESPONSE.replacen("<a:Issuer>urn:idp</a:Issuer>", "", 1);
    let no_issuer = document(&sign(&no_issuer, "r"));
    assert!(verifier().verify(&no_issuer).is_ok());
}

#[test]
fn an_issuer_does_not_change_the_position_in_metadata() {
    let start = super::SIGNED.find("<ds:Signature ").expect("a signature");
    let (before, after) = super::SIGNED.split_at(start);
    let issuer = "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>";
    super::check(
        &verifier(),
        &document(&format!("{before}{issuer}{after}")),
        "MD-SIG-02",
        "the signature is not the first child of the signed element",
    );
}

#[test]
fn an_element_without_an_id_or_with_a_signature_is_not_signed_again() {
    let key = signer_key();
    let signer = Signer::new(&key);
    let unsigned = document(RESPONSE);
    let status = unsigned.root().children().nth(1).expect("a status");
    assert!(matches!(signer.sign_element(status), Err(SignError::NoId)));
    let again = document(&sign(RESPONSE, "a"));
    assert!(matches!(
        signer.sign_element(named(&again, "a")),
        Err(SignError::Signed)
    ));
}

#[test]
fn a_comment_in_a_signed_text_is_found_and_neither_signed_nor_read() {
    let signed = sign(RESPONSE, "a");
    let commented = document(&change(&signed, &[("ada@", "ada<!-- x -->@")]));
    let assertion = named(&commented, "a");
    verifier().verify_element(assertion).expect("verified");
    let mut elements = assertion.descendants();
    let name_id = elements
        .find(|element| element.local_name() == "NameID")
        .expect("a NameID");
    assert_eq!(name_id.text(), "ada@example.com");
    let inside: Vec<&str> = name_id
        .interruptions()
        .map(|range| &commented.text()[range])
        .collect();
    assert_eq!(inside, ["<!-- x -->"]);
    assert_eq!(assertion.interruptions().count(), 0);
}
