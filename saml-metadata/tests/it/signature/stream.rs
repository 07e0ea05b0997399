//! A signed stream is verified like a whole document, and returns only signed content.

use std::io::Read;

use proptest::prelude::*;
use saml_metadata::{
    Document, EntityStream, Limits, Profile, StreamError, read,
    signature::{
        SignatureError, SignatureErrorKind, SignedStreamError, Signer, SigningKey, Verified,
        VerifiedStream, Verifier,
    },
};

use super::{SIGNED, fixture, verifier};
use crate::support::{AGGREGATE, ALL, change, document, now};

/// Verifies a document, and the same bytes as a stream; the results must be equal.
#[track_caller]
pub(crate) fn verify_both<'a>(
    verifier: &Verifier,
    document: &'a Document,
) -> Result<Verified<'a>, SignatureError> {
    let expected = verifier.verify(document);
    let bytes = document.bytes();
    let stream = verifier.verify_stream_with(document.limits(), || Ok(bytes));
    match (&expected, stream) {
        (Ok(found), Ok(stream)) => {
            assert_eq!(stream.key(), found.key());
            assert_eq!(stream.algorithm(), found.algorithm());
            let entities: Vec<_> = stream.map(|entity| entity.expect("an entity")).collect();
            let source =
                |entity: &saml_metadata::EntityDescriptor<'_>| entity.element().source().to_owned();
            let streamed: Vec<_> = entities.iter().map(|e| source(&e.entity())).collect();
            let whole: Vec<_> = found.entities().map(|e| source(&e)).collect();
            assert_eq!(streamed, whole);
        }
        (Err(whole), Err(SignedStreamError::Rejected(streamed))) => {
            assert_eq!(whole.kind(), streamed.kind());
            assert_eq!(whole.position(), streamed.position());
            assert_eq!(whole.span().start, streamed.span().start);
        }
        // A stream accepts only metadata.
        (_, Err(SignedStreamError::Read(StreamError::Read { source, .. })))
            if source.kind() == saml_metadata::ReadErrorKind::NotMetadata => {}
        (expected, stream) => {
            panic!("the document gives {expected:?}, but the stream gives {stream:?}")
        }
    }
    expected
}

/// Runs [`verify_both`] on any bytes. If the bytes are not a document, the stream must fail too.
#[track_caller]
fn verify_any(verifier: &Verifier, bytes: &[u8]) {
    if let Ok(document) = read(bytes) {
        drop(verify_both(verifier, &document));
        return;
    }
    let limits = Limits::default();
    let streamed = verifier.verify_stream_with(&limits, || Ok(bytes));
    assert!(
        matches!(streamed, Err(SignedStreamError::Read(_))),
        "unreadable bytes give {streamed:?}"
    );
}

/// Returns the aggregate, which has nested groups, with one signature over the whole.
pub(super) fn signed_aggregate() -> String {
    let key = SigningKey::from_pkcs8_pem(&fixture("p256.key.pem")).expect("a key");
    let signed = Signer::new(&key)
        .sign(&document(AGGREGATE))
        .expect("signed");
    signed.text().to_owned()
}

fn ids<R: Read>(stream: VerifiedStream<R>) -> Vec<String> {
    stream
        .map(|entity| entity.expect("an entity").entity().entity_id().to_owned())
        .collect()
}

#[test]
fn the_entities_of_a_signed_stream_are_returned() {
    let signed = signed_aggregate();
    let stream = verifier().verify_stream(|| Ok(signed.as_bytes()));
    let stream = stream.expect("verified");
    assert_eq!(stream.key(), 1);
    let expected: Vec<String> = document(AGGREGATE)
        .entities()
        .map(|entity| entity.entity_id().to_owned())
        .collect();
    assert_eq!(ids(stream), expected);
}

#[test]
fn every_fixture_verifies_the_same_as_a_stream() {
    let key = SigningKey::from_pkcs8_pem(&fixture("p384.key.pem")).expect("a key");
    for (name, text) in ALL {
        let unsigned = document(text);
        let signed = Signer::new(&key).sign(&unsigned).expect(name);
        verify_both(&verifier(), &signed).expect(name);
        let error = verify_both(&verifier(), &unsigned).expect_err(name);
        assert_eq!(*error.kind(), SignatureErrorKind::NotSigned);
    }
}

const CHANGED: &str = "the content was changed after signing";
const NO_FORM: &str = "the signed content has no canonical form";
const D: &str = "<md:EntityDescriptor entityID=\"https://d.example.com\">";

/// The signed aggregate and the parts of it that the tests move.
struct Group {
    text: String,
    signature: String,
    id: String,
}

impl Group {
    fn new() -> Self {
        let text = signed_aggregate();
        let start = text.find("<ds:Signature ").expect("a signature");
        let end = text.find("</ds:Signature>").expect("an end") + "</ds:Signature>".len();
        let signature = text[start..end].to_owned();
        let root = document(&text);
        let id = root.root().attribute("ID").expect("an ID").to_owned();
        Self {
            text,
            signature,
            id,
        }
    }

    /// Changes the aggregate and expects that both ways of verification fail with this message.
    #[track_caller]
    fn check(&self, replacements: &[(&str, &str)], message: &str) {
        let changed = document(&change(&self.text, replacements));
        let error = verify_both(&verifier(), &changed).expect_err(message);
        assert_eq!(error.kind().to_string(), message);
    }
}

#[test]
fn a_change_anywhere_in_a_group_is_detected() {
    let group = Group::new();
    let end = "</md:EntitiesDescriptor>\n";
    for (from, to) in [
        ("https://a.example.com", "https://evil.example"),
        ("https://c.example.com", "https://evil.example"),
        ("federation.example.org/all", "evil.example"),
        ("federation.example.org/inner", "evil.example"),
        ("20261124", "20261125"),
        ("\n  <md:EntitiesDescriptor", " <md:EntitiesDescriptor"),
        (end, "</md:EntitiesDescriptor><?p?>\n"),
        (
            end,
            "<md:EntityDescriptor entityID='urn:e'/></md:EntitiesDescriptor>\n",
        ),
    ] {
        group.check(&[(from, to)], CHANGED);
    }
}

#[test]
fn content_without_a_canonical_form_is_detected_anywhere_in_a_group() {
    let group = Group::new();
    for (from, to) in [
        ("<md:Extensions>", "<md:Extensions xmlns:r='r'>"),
        ("xmlns:fed=", "xmlns:r='r' xmlns:fed="),
        ("inner\"", "inner\" xmlns:r='r'"),
    ] {
        group.check(&[(from, to)], NO_FORM);
    }
}

#[test]
fn a_second_use_of_the_group_id_is_detected_at_any_depth() {
    let group = Group::new();
    let id = &group.id;
    let message = format!("the ID {id:?} of the signed element is not unique in the document");
    let d = D.replace("entityID", &format!("ID=\"{id}\" entityID"));
    let publisher = format!("<mdrpi:PublicationInfo xml:id='{id}' publisher");
    let inner = format!("<md:EntitiesDescriptor Id='{id}' Name");
    group.check(&[(D, &d)], &message);
    group.check(
        &[("<mdrpi:PublicationInfo publisher", &publisher)],
        &message,
    );
    group.check(&[("<md:EntitiesDescriptor Name", &inner)], &message);
}

#[test]
fn both_ways_report_the_same_one_of_two_errors() {
    let group = Group::new();
    let id = &group.id;
    let twice = format!("the ID {id:?} of the signed element is not unique in the document");
    let d = D.replace("entityID", &format!("ID=\"{id}\" entityID"));
    let object = ("</ds:SignatureValue>", "</ds:SignatureValue><ds:Object/>");
    let after = format!("</md:Extensions>{}", group.signature);
    let two = "the element has 2 signatures where one is expected";
    group.check(&[(D, &d), ("#enveloped-signature", "#none")], &twice);
    group.check(
        &[(D, &d), object],
        "`ds:Object` is not allowed in a SAML signature",
    );
    group.check(&[("</md:Extensions>", &after), object], two);
    group.check(
        &[
            ("<ds:DigestValue>", "<ds:DigestValue>AA"),
            ("c.example.com", "evil.example"),
        ],
        "`DigestValue` is not base64 of the right length",
    );
    group.check(
        &[
            ("ecdsa-sha256", "rsa-sha256"),
            ("c.example.com", "evil.example"),
        ],
        "the signature does not verify with any of the given keys",
    );
}

#[test]
fn a_signature_in_an_inner_group_does_not_sign_the_outer_group() {
    let group = Group::new();
    let signature = &group.signature;
    let message = "the element is not signed";
    let inner = format!("PT2H\">{signature}");
    group.check(&[(signature, "")], message);
    group.check(&[(signature, ""), ("PT2H\">", &inner)], message);
}

#[test]
fn a_misplaced_signature_is_accepted_only_on_request() {
    let group = Group::new();
    let signature = &group.signature;
    let unsigned = change(&group.text, &[(signature, "")]);
    let at = unsigned.rfind("</md:EntitiesDescriptor>").expect("an end");
    let after = format!("</md:Extensions>{signature}");
    for text in [
        change(&unsigned, &[("</md:Extensions>", &after)]),
        format!("{}{signature}{}", &unsigned[..at], &unsigned[at..]),
    ] {
        let moved = document(&text);
        let error = verify_both(&verifier(), &moved).expect_err("misplaced");
        assert_eq!(*error.kind(), SignatureErrorKind::Misplaced);
        let lax = verifier().allow_any_position();
        verify_both(&lax, &moved).expect("in any place");
        let changed = document(&change(&text, &[("c.example.com", "evil.example")]));
        let error = verify_both(&lax, &changed).expect_err("changed");
        assert_eq!(*error.kind(), SignatureErrorKind::Changed);
    }
}

#[test]
fn unreadable_content_is_refused_at_any_position() {
    let signed = signed_aggregate();
    for (from, to) in [
        ("<md:Extensions>", "<md:Extensions a='1' a='2'>"),
        ("</md:Extensions>", "</md:Extension>"),
        ("<?xml", "<!DOCTYPE a><?xml"),
    ] {
        verify_any(&verifier(), change(&signed, &[(from, to)]).as_bytes());
    }
    for extra in ["<a/>", "x", "<!--", "&amp;", "\u{1}"] {
        verify_any(&verifier(), format!("{signed}{extra}").as_bytes());
    }
}

#[test]
fn the_signature_of_a_streamed_entity_is_unreachable() {
    let stream = verifier().verify_stream(|| Ok(SIGNED.as_bytes()));
    let verified = stream.expect("verified").next().expect("an item");
    let verified = verified.expect("an entity");
    let element = verified.entity().element();
    assert!(
        element
            .descendants()
            .all(|inner| inner.local_name() != "Signature" && inner.local_name() != "SignedInfo")
    );
    assert_eq!(
        element.children().next().expect("a child").local_name(),
        "Extensions"
    );
    assert!(!verified.lacks_group_extensions());
}

#[test]
fn a_verified_entity_inherits_from_its_groups_and_has_its_stream_position() {
    let signed = signed_aggregate();
    let stream = verifier().verify_stream(|| Ok(signed.as_bytes()));
    let plain = EntityStream::new(signed.as_bytes());
    for (verified, streamed) in stream.expect("verified").zip(plain) {
        let (verified, streamed) = (verified.expect("an entity"), streamed.expect("an entity"));
        assert_eq!(verified.position(), streamed.position());
        assert_eq!(verified.span(), streamed.span());
        let entity = verified.entity();
        assert_eq!(
            entity.effective_valid_until().expect("a time"),
            streamed.entity().effective_valid_until().expect("a time")
        );
        let findings = |findings: Vec<saml_metadata::Finding>| {
            let lines = findings.iter().map(ToString::to_string);
            lines.collect::<Vec<_>>()
        };
        assert_eq!(
            findings(verified.validate(Profile::SamlCore, now())),
            findings(streamed.validate(Profile::SamlCore, now()))
        );
        let group = entity.group().expect("a group");
        let names = group
            .element()
            .ancestors()
            .flat_map(saml_metadata::Element::children);
        assert!(
            names
                .into_iter()
                .all(|child| child.local_name() != "Signature")
        );
    }
}

#[test]
fn positions_in_utf_16_count_utf_16_bytes() {
    let text = change(
        SIGNED,
        &[("\"UTF-8\"", "\"UTF-16\""), ("Example login", "Evil login")],
    );
    let bytes: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let whole = read(&bytes).expect("read");
    let expected = verifier().verify(&whole).expect_err("changed");
    let error = verifier()
        .verify_stream(|| Ok(&bytes[..]))
        .expect_err("changed");
    let SignedStreamError::Rejected(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.position(), expected.position());
    assert_eq!(error.span().start, expected.position().offset);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    /// Removes, duplicates and moves elements of a signed document. Both ways of verification must
    /// have the same result.
    #[test]
    fn both_ways_agree_on_any_edited_document(
        is_group: bool,
        any_place: bool,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6_u8), 1..4),
    ) {
        let mut text = if is_group { signed_aggregate() } else { SIGNED.to_owned() };
        for (from, to, what) in edits {
            let Ok(document) = read(text.as_bytes()) else { break };
            let elements: Vec<_> = document.root().descendants().skip(1).collect();
            if elements.is_empty() { break }
            let (from, to) = (from.get(&elements).span(), to.get(&elements).span());
            let mut new = text.clone();
            match what {
                0 => new.replace_range(from, ""),
                1 => new.insert_str(to.start, &text[from]),
                2 => new.insert_str(to.end, &text[from]),
                3 => new.insert_str(to.start, "<!-- c --><?p?>"),
                4 => new.insert_str(to.end, "<md:Extensions/>"),
                _ => {
                    let moved = text[from.clone()].to_owned();
                    if to.start >= from.end {
                        new.insert_str(to.end, &moved);
                        new.replace_range(from, "");
                    } else if to.end <= from.start {
                        new.replace_range(from, "");
                        new.insert_str(to.start, &moved);
                    }
                }
            }
            text = new;
        }
        let verifier = if any_place { verifier().allow_any_position() } else { verifier() };
        verify_any(&verifier, text.as_bytes());
    }

    #[test]
    fn both_ways_agree_on_any_changed_byte(
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"a<>/&\"' =#x".to_vec()),
    ) {
        let mut bytes = signed_aggregate().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        verify_any(&verifier(), &bytes);
    }
}
