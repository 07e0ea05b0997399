//! What the examples of the rules about signatures are made of.

use saml_metadata::signature::Verifier;

use super::Base;
use crate::signature::{SIGNED, fixture, key};

/// Returns the document of one of the bases with a signature.
pub(super) fn base(base: Base) -> Option<String> {
    let start = SIGNED.find("<md:EntityDescriptor").expect("an entity");
    match base {
        Base::Signature => Some(SIGNED.to_owned()),
        Base::Signed => Some(SIGNED.replace(&inside("xmlsec1-rsa-sha256"), "{signature by rsa}")),
        Base::SignedInGroup => Some(format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}</md:EntitiesDescriptor>",
            &SIGNED[start..]
        )),
        _ => None,
    }
}

/// Returns what stands inside of the signature of a signed fixture.
pub(super) fn inside(name: &str) -> String {
    let text = fixture(&format!("{name}.xml"));
    let (_, behind) = text.split_once("<ds:Signature ").expect("a signature");
    let (_, behind) = behind.split_once('>').expect("a start");
    let (inside, _) = behind.split_once("</ds:Signature>").expect("an end");
    inside.to_owned()
}

pub(super) fn verifier() -> Verifier {
    Verifier::new([key("rsa"), key("p384-expired")])
}
