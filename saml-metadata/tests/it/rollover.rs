//! Key rollover (make before break): which party must hold which key at which time.

use saml_metadata::{
    Change, ChangeKind, Document, IdpSsoDescriptor, compare, diff,
    names::binding,
    rollover::{
        CertificateState, Verdict, fingerprint_sha1, fingerprint_sha256, rollover, timeline,
    },
    write::{IdpMetadata, SpMetadata},
};

use crate::support::{der, now, read_certificate};

fn idp(keys: &[&str]) -> Document {
    let start = IdpMetadata::new("urn:idp")
        .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/");
    let builder = keys.iter().fold(start, |b, key| {
        b.signing_certificate(&read_certificate(key))
    });
    builder.build().expect("a document")
}

#[track_caller]
fn check_rollover(old: &[&str], new: &[&str]) -> Verdict {
    let (old, new) = (idp(old), idp(new));
    rollover(
        old.entity().expect("one entity"),
        new.entity().expect("one entity"),
        now(),
    )
}

#[test]
fn fingerprints_have_the_format_of_admin_consoles() {
    // The output of `openssl dgst` for the same three bytes.
    assert_eq!(
        fingerprint_sha1(b"abc"),
        "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D"
    );
    assert!(fingerprint_sha256(b"abc").starts_with("BA:78:16:BF:8F:01:CF:EA:"));
}

#[test]
fn a_timeline_is_sorted_by_expiry_and_has_the_state_of_each_certificate() {
    let document = idp(&["future", "p256", "expired"]);
    let spans = timeline(document.entity().expect("one entity"), now());
    assert!(spans.is_sorted_by_key(|span| span.not_after));
    let state = |name: &str| {
        let fingerprint = fingerprint_sha256(&der(name));
        spans
            .iter()
            .find(|s| s.fingerprint_sha256 == fingerprint)
            .expect(name)
            .state
    };
    assert_eq!(state("expired"), CertificateState::Expired);
    assert_eq!(state("p256"), CertificateState::Valid);
    assert_eq!(state("future"), CertificateState::Future);
    assert!(spans.iter().all(|span| span.signing && !span.encryption));
    assert!(
        spans[0]
            .to_string()
            .starts_with("IDPSSODescriptor: signing: "),
        "{}",
        spans[0]
    );
}

#[test]
fn an_unchanged_key_is_safe_and_needs_no_step() {
    let verdict = check_rollover(&["p256"], &["p256"]);
    assert!(verdict.safe && verdict.steps.is_empty());
    assert_eq!(verdict.to_string(), "the rollover is safe");
}

#[test]
fn adding_a_key_is_safe_and_signing_with_it_is_the_last_step() {
    let verdict = check_rollover(&["p256"], &["p256", "rsa2048"]);
    assert!(verdict.safe, "{verdict}");
    let key = fingerprint_sha256(&der("rsa2048"));
    assert_eq!(
        verdict.steps,
        [
            format!(
                "IDPSSODescriptor: let all partners load the new document, which contains {key}"
            ),
            format!(
                "IDPSSODescriptor: when all partners have loaded the new document, sign with {key}"
            ),
        ]
    );
}

#[test]
fn a_key_that_is_not_valid_yet_signs_only_from_its_start_date() {
    let verdict = check_rollover(&["rsa2048"], &["rsa2048", "future"]);
    assert!(verdict.safe);
    assert!(
        verdict.steps[1].contains(", not before "),
        "{:?}",
        verdict.steps
    );
}

#[test]
fn removing_a_key_is_safe_after_it_stopped_signing() {
    let verdict = check_rollover(&["p256", "rsa2048"], &["rsa2048"]);
    assert!(verdict.safe);
    assert_eq!(verdict.steps.len(), 1);
    assert!(
        verdict.steps[0]
            .ends_with("must stop signing before the first partner loads the new document")
    );
}

#[test]
fn replacing_a_key_is_safe_if_a_third_key_stays() {
    let verdict = check_rollover(&["p256", "rsa2048"], &["rsa2048", "rsa3072"]);
    assert!(verdict.safe);
    let bridge = fingerprint_sha256(&der("rsa2048"));
    assert!(
        verdict.steps[1].contains(&format!("sign with {bridge}, which is in both")),
        "{:?}",
        verdict.steps
    );
}

#[test]
fn replacing_the_only_key_is_not_safe() {
    let verdict = check_rollover(&["p256"], &["rsa2048"]);
    assert!(!verdict.safe);
    assert_eq!(
        verdict.to_string(),
        "the rollover is not safe: IDPSSODescriptor: the documents share no signing key, so \
         partners with the old document reject signatures by the new keys, and partners with \
         the new document reject signatures by the old keys"
    );
}

#[test]
fn an_overlap_without_a_valid_certificate_is_not_safe() {
    let verdict = check_rollover(&["expired"], &["expired", "rsa2048"]);
    assert_eq!(
        verdict.reasons,
        [
            "IDPSSODescriptor: no signing key that is in both documents has a certificate that is valid now"
        ]
    );
    let verdict = check_rollover(&["p256"], &[]);
    assert_eq!(
        verdict.reasons,
        ["IDPSSODescriptor has no signing key in the new document"]
    );
}

#[test]
fn a_decryption_key_must_be_ready_before_partners_encrypt_for_it() {
    let sp = |key: &str| {
        let builder = SpMetadata::new("urn:sp")
            .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/")
            .encryption_certificate(&read_certificate(key));
        builder.build().expect("a document")
    };
    let (old, new) = (sp("rsa3072"), sp("rsa2048"));
    let verdict = rollover(
        old.entity().expect("one entity"),
        new.entity().expect("one entity"),
        now(),
    );
    assert!(verdict.safe, "{verdict}");
    assert!(
        verdict.steps[0].contains("enable decryption with"),
        "{:?}",
        verdict.steps
    );
    assert!(
        verdict.steps[1].contains("keep decrypting with"),
        "{:?}",
        verdict.steps
    );
    let stale = sp("expired");
    let verdict = rollover(
        old.entity().expect("one entity"),
        stale.entity().expect("one entity"),
        now(),
    );
    assert!(!verdict.safe);
}

#[test]
fn a_changed_entity_id_or_a_missing_role_is_not_safe() {
    let old = idp(&["p256"]);
    let new = SpMetadata::new("urn:sp")
        .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/")
        .build()
        .expect("a document");
    let verdict = rollover(
        old.entity().expect("one entity"),
        new.entity().expect("one entity"),
        now(),
    );
    assert_eq!(
        verdict.reasons,
        [
            "the entityID changes, so partners see a different entity",
            "IDPSSODescriptor is missing in the new document"
        ]
    );
    assert!(
        old.entity()
            .expect("one entity")
            .identity_provider()
            .map(IdpSsoDescriptor::element)
            .is_some()
    );
}

/// Returns a document with a `KeyDescriptor` that has only a name.
fn with_key_name(document: &Document, content: &str) -> Document {
    let key = format!(
        "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
         {content}</ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor"
    );
    crate::support::document(&crate::support::change(
        document.text(),
        &[("<md:KeyDescriptor", &key)],
    ))
}

#[test]
fn a_key_name_is_no_key_that_both_documents_share() {
    let name = "<ds:KeyName>x</ds:KeyName>";
    for content in [name, ""] {
        let old = with_key_name(&idp(&["p256"]), content);
        let new = with_key_name(&idp(&["rsa2048"]), content);
        let result = compare(&old, &new, now()).expect("metadata");
        assert!(!result.safe, "{result:#?}");
        assert!(result.changes.iter().any(Change::breaks), "{result:#?}");
        assert!(!result.rollovers[0].verdict.safe, "{result:#?}");
    }
    // The name is still compared.
    let old = with_key_name(&idp(&["p256"]), name);
    let result = compare(&old, &idp(&["p256", "rsa2048"]), now()).expect("metadata");
    let kinds: Vec<ChangeKind> = result.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::KeyAdded, ChangeKind::Other]);
}

#[test]
fn a_key_that_keeps_only_an_expired_certificate_is_not_safe() {
    // Both certificates are for the same key.
    let verdict = check_rollover(&["p256", "expired"], &["expired"]);
    assert!(!verdict.safe, "{verdict}");
    let verdict = check_rollover(&["p256", "expired"], &["p256"]);
    assert!(verdict.safe, "{verdict}");
}

#[test]
fn roles_of_one_type_are_matched_by_protocol_and_each_one_once() {
    let role = |protocols: &str, id: &str| {
        format!("<md:PDPDescriptor ID=\"{id}\" protocolSupportEnumeration=\"{protocols}\"/>")
    };
    let entity = |roles: &[String]| {
        crate::support::document(&format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             entityID=\"urn:e\">{}</md:EntityDescriptor>",
            roles.concat()
        ))
    };
    let old = entity(&[
        role("urn:a urn:b", "1"),
        role("urn:c", "2"),
        role("urn:d", "3"),
    ]);
    let new = entity(&[
        role("urn:c", "2"),
        role("urn:x", "4"),
        role("urn:b urn:a", "1"),
    ]);
    let changes = diff(&old, &new).expect("metadata");
    let ids: Vec<_> = changes
        .iter()
        .filter(|change| change.subject == "ID")
        .collect();
    assert_eq!(ids.len(), 1, "{changes:#?}");
    assert_eq!(ids[0].before.as_deref(), Some("3"));
    assert_eq!(ids[0].after.as_deref(), Some("4"));
}
