//! Problems of signatures as findings, together with the findings of all other rules.

use saml_metadata::{
    Finding, Policy, Profile,
    signature::{Signer, SigningKey, Verifier, signature_rules},
};

use super::{SIGNED, fixture, key, verifier};
use crate::support::{change, document, now};

fn findings(verifier: &Verifier, text: &str, policy: Policy) -> Vec<String> {
    let found = verifier.validate(&document(text), policy, now());
    found
        .iter()
        .map(
            |Finding {
                 severity,
                 rule,
                 message,
                 path,
                 ..
             }| format!("{path}: {severity} {rule}: {message}"),
        )
        .collect()
}

fn core() -> Policy {
    Policy::new(Profile::SamlCore)
}

/// Returns a group that contains the given entity. Another key signs the group.
fn group(entity: &str) -> String {
    let start = entity.find("<md:EntityDescriptor").expect("an entity");
    let group = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}\
         <md:EntityDescriptor entityID=\"urn:unsigned\"/></md:EntitiesDescriptor>",
        &entity[start..]
    );
    let key = SigningKey::from_pkcs8_pem(&fixture("p256.key.pem")).expect("a key");
    let signed = Signer::new(&key).sign(&document(&group)).expect("signed");
    signed.text().to_owned()
}

#[test]
fn a_valid_signature_has_no_findings() {
    assert_eq!(findings(&verifier(), SIGNED, core()), [""; 0]);
    assert_eq!(findings(&verifier(), &group(SIGNED), core()), [""; 0]);
}

#[test]
fn an_invalid_inner_signature_is_reported() {
    let changed = change(SIGNED, &[("Example login", "Evil login")]);
    assert_eq!(
        findings(&verifier(), &group(&changed), core()),
        [
            "/md:EntitiesDescriptor/md:EntityDescriptor[1]: error MD-SIG-08: \
             the signature of this element is invalid: the content was changed after signing"
        ]
    );
    let signature = SIGNED.find("<ds:Signature ").expect("a signature");
    let end = SIGNED.find("</ds:Signature>").expect("an end") + "</ds:Signature>".len();
    let role = "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">";
    let inner = format!("{role}{}", &SIGNED[signature..end]);
    let with_role = change(SIGNED, &[(role, &inner)]);
    let found = findings(&verifier(), &with_role, core());
    assert_eq!(
        found[1],
        "/md:EntityDescriptor/md:AttributeAuthorityDescriptor: error MD-SIG-08: \
         the signature of this element is invalid: the signature references \"#_idp\", not the \
         element that contains it"
    );
}

#[test]
fn signatures_inside_extensions_are_ignored() {
    let changed = change(SIGNED, &[("Example login", "Evil login")]);
    let start = changed.find("<md:EntityDescriptor").expect("an entity");
    let extensions = format!("<md:Extensions>{}</md:Extensions>", &changed[start..]);
    let text = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:a\">{extensions}</md:EntityDescriptor>"
    );
    assert_eq!(
        findings(&verifier(), &text, core()),
        ["/md:EntityDescriptor: error MD-SIG-01: the element is not signed"]
    );
}

#[test]
fn a_signing_certificate_that_is_not_valid_now_is_a_warning() {
    let text = fixture("xmlsec1-ecdsa-sha384.xml");
    let verifier = Verifier::new([key("rsa"), key("p384-expired")]);
    verifier
        .verify(&document(&text))
        .expect("verification ignores the dates");
    assert_eq!(
        findings(&verifier, &text, core()),
        ["/md:EntityDescriptor/ds:Signature: warning MD-SIG-09: \
             the certificate of the signing key expired at 2026-01-01T00:00:00Z"]
    );
    let early = "2022-01-01T00:00:00Z".parse().expect("a time");
    let found = verifier.validate(&document(&text), Profile::SamlCore, early);
    assert_eq!(
        found[0].message,
        "the certificate of the signing key is not valid before 2023-01-01T00:00:00Z"
    );
    let other = Verifier::new([key("p384"), key("p384-expired")]);
    assert_eq!(findings(&other, &text, core()), [""; 0]);
}

#[test]
fn a_policy_can_turn_off_the_rule_about_a_missing_signature() {
    let missing = signature_rules().next().expect("a rule").id;
    let start = SIGNED.find("<ds:Signature ").expect("a signature");
    let end = SIGNED.find("</ds:Signature>").expect("an end") + "</ds:Signature>".len();
    let unsigned = format!("{}{}", &SIGNED[..start], &SIGNED[end..]);
    assert_eq!(findings(&verifier(), &unsigned, core()).len(), 1);
    assert_eq!(
        findings(&verifier(), &unsigned, core().without(missing)),
        [""; 0]
    );
}
