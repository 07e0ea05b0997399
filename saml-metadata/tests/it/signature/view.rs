//! A verified element gives access only to content that was signed.

use saml_metadata::signature::Verified;

use super::{SIGNED, verifier};
use crate::support::document;

/// Returns an unsigned group that contains the signed entity.
fn group() -> String {
    let start = SIGNED.find("<md:EntityDescriptor").expect("an entity");
    format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:p=\"urn:p\" \
         validUntil=\"2026-11-25T00:00:00Z\">{}<md:EntityDescriptor entityID=\"urn:evil\"/>\
         </md:EntitiesDescriptor>",
        &SIGNED[start..]
    )
}

/// Runs a test with the verified entity of the group.
#[track_caller]
fn with_entity(test: impl FnOnce(Verified<'_>)) {
    let group = document(&group());
    let entity = group.entities().next().expect("an entity");
    test(
        verifier()
            .verify_element(entity.element())
            .expect("verified"),
    );
}

#[test]
fn the_ancestors_of_the_verified_element_are_unreachable() {
    with_entity(|verified| {
        let element = verified.element();
        assert_eq!(element.parent(), None);
        assert_eq!(element.ancestors().count(), 1);
        assert_eq!(element.path(), "/md:EntityDescriptor");
        assert_eq!(element.namespace_of_prefix("p"), None);
        for inner in element.descendants() {
            assert_eq!(inner.ancestors().last(), Some(element));
        }
    });
}

#[test]
fn an_unsigned_group_is_not_the_group_of_a_verified_entity() {
    with_entity(|verified| {
        let entity = verified.entity().expect("an entity");
        assert_eq!(entity.group(), None);
        let until = entity
            .effective_valid_until()
            .expect("a time")
            .expect("a time");
        assert_eq!(until.to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(verified.group(), None);
    });
}

#[test]
fn only_the_signed_entity_is_listed() {
    with_entity(|verified| {
        let ids: Vec<&str> = verified
            .entities()
            .map(saml_metadata::EntityDescriptor::entity_id)
            .collect();
        assert_eq!(ids, ["https://idp.example.com/metadata"]);
    });
}

#[test]
fn the_signature_element_is_unreachable() {
    let document = document(SIGNED);
    let verified = verifier().verify(&document).expect("verified");
    let element = verified.element();
    let first = element.children().next().expect("a child");
    assert_eq!(first.local_name(), "Extensions");
    assert_eq!(first.next_sibling_name(), "IDPSSODescriptor");
    assert!(
        element
            .descendants()
            .all(|inner| inner.local_name() != "SignedInfo")
    );
    let all = document.root().descendants().count();
    let signature = document.root().children().next().expect("a signature");
    assert_eq!(
        element.descendants().count() + signature.descendants().count(),
        all
    );
}

/// Reads the name of the next sibling through the parent.
trait NextSibling {
    fn next_sibling_name(self) -> String;
}

impl NextSibling for saml_metadata::Element<'_> {
    fn next_sibling_name(self) -> String {
        let parent = self.parent().expect("a parent");
        let mut siblings = parent.children().skip_while(|child| *child != self);
        siblings
            .nth(1)
            .expect("a next sibling")
            .local_name()
            .to_owned()
    }
}

#[test]
fn a_verified_element_can_be_verified_again() {
    with_entity(|verified| {
        verifier()
            .verify_element(verified.element())
            .expect("verified");
    });
}

#[test]
fn each_entity_of_a_group_is_verified_separately() {
    let group = document(&group());
    let outcomes: Vec<String> = verifier()
        .verify_entities(&group)
        .map(|outcome| match outcome {
            Ok(verified) => verified.entity().expect("an entity").entity_id().to_owned(),
            Err(error) => error.kind().to_string(),
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "https://idp.example.com/metadata",
            "the element is not signed"
        ]
    );
}

#[test]
fn a_verified_entity_is_a_document_of_its_own_with_the_namespaces_of_its_group() {
    let group = group();
    let declaration = " xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"";
    let (start, entity) = group.split_at(group.find("<md:EntityDescriptor").expect("an entity"));
    // The canonical form of the entity has the declaration of the group, so the signature is valid.
    let group = document(&format!("{start}{}", entity.replacen(declaration, "", 1)));
    let entity = group.entities().next().expect("an entity");
    let verified = verifier()
        .verify_element(entity.element())
        .expect("verified");
    let entity = verified.entity().expect("an entity");
    let alone = entity.to_document().expect("a document");
    let own = alone.entity().expect("an entity");
    // The group is not signed, so its validity does not apply.
    assert_eq!(own.valid_until(), entity.effective_valid_until());
    assert!(verifier().verify(&alone).is_ok());
}
