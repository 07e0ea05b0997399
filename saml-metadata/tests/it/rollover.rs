//! Make before break: who must hold which key when.

use saml_metadata::{
    Document, IdpSsoDescriptor,
    names::binding,
    rollover::{State, Verdict, fingerprint_sha1, fingerprint_sha256, rollover, timeline},
    write::{IdpMetadata, SpMetadata},
};

use crate::support::{der, now};

fn idp(keys: &[&str]) -> Document {
    let start = IdpMetadata::new("urn:idp")
        .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/");
    let builder = keys
        .iter()
        .fold(start, |b, key| b.signing_certificate(der(key)));
    builder.build().expect("a document")
}

#[track_caller]
fn judge(old: &[&str], new: &[&str]) -> Verdict {
    let (old, new) = (idp(old), idp(new));
    rollover(
        old.entity().expect("one"),
        new.entity().expect("one"),
        now(),
    )
}

#[test]
fn fingerprints_look_as_on_consoles() {
    // What `openssl dgst` says of the three bytes.
    assert_eq!(
        fingerprint_sha1(b"abc"),
        "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D"
    );
    assert!(fingerprint_sha256(b"abc").starts_with("BA:78:16:BF:8F:01:CF:EA:"));
}

#[test]
fn a_timeline_is_in_the_order_of_ends_and_knows_where_each_is() {
    let document = idp(&["future", "p256", "expired"]);
    let spans = timeline(document.entity().expect("one"), now());
    assert!(spans.is_sorted_by_key(|span| span.not_after));
    let state = |name: &str| {
        let fingerprint = fingerprint_sha256(&der(name));
        spans
            .iter()
            .find(|s| s.fingerprint_sha256 == fingerprint)
            .expect(name)
            .state
    };
    assert_eq!(state("expired"), State::Expired);
    assert_eq!(state("p256"), State::Valid);
    assert_eq!(state("future"), State::Future);
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
fn nothing_to_roll_over_is_safe_and_takes_no_step() {
    let verdict = judge(&["p256"], &["p256"]);
    assert!(verdict.safe && verdict.steps.is_empty());
    assert_eq!(verdict.to_string(), "the overlap is safe");
}

#[test]
fn a_new_key_beside_the_old_one_is_safe_and_signs_last() {
    let verdict = judge(&["p256"], &["p256", "rsa2048"]);
    assert!(verdict.safe, "{verdict}");
    let key = fingerprint_sha256(&der("rsa2048"));
    assert_eq!(
        verdict.steps,
        [
            format!("IDPSSODescriptor: partners take the new document, which has {key}"),
            format!("IDPSSODescriptor: once all partners have it, sign with {key}"),
        ]
    );
}

#[test]
fn a_key_that_is_not_valid_yet_waits_for_its_time() {
    let verdict = judge(&["rsa2048"], &["rsa2048", "future"]);
    assert!(verdict.safe);
    assert!(
        verdict.steps[1].contains(", not before "),
        "{:?}",
        verdict.steps
    );
}

#[test]
fn taking_the_old_key_away_is_safe_once_it_has_ceased_to_sign() {
    let verdict = judge(&["p256", "rsa2048"], &["rsa2048"]);
    assert!(verdict.safe);
    assert_eq!(verdict.steps.len(), 1);
    assert!(
        verdict.steps[0]
            .ends_with("must have ceased to sign before the first partner takes the new document")
    );
}

#[test]
fn one_key_going_and_one_coming_is_safe_over_a_third() {
    let verdict = judge(&["p256", "rsa2048"], &["rsa2048", "rsa3072"]);
    assert!(verdict.safe);
    let bridge = fingerprint_sha256(&der("rsa2048"));
    assert!(
        verdict.steps[1].contains(&format!("sign with {bridge}, which is in both")),
        "{:?}",
        verdict.steps
    );
}

#[test]
fn a_key_instead_of_the_old_one_is_not_safe() {
    let verdict = judge(&["p256"], &["rsa2048"]);
    assert!(!verdict.safe);
    assert_eq!(
        verdict.to_string(),
        "the overlap is not safe: IDPSSODescriptor: no signing key is in both documents, so \
         partners with the old one refuse signatures by the new keys, and partners with the new \
         one those by the old keys"
    );
}

#[test]
fn an_overlap_of_expired_certificates_is_not_safe() {
    let verdict = judge(&["expired"], &["expired", "rsa2048"]);
    assert_eq!(
        verdict.reasons,
        ["IDPSSODescriptor: no certificate of a signing key in both documents is valid now"]
    );
    let verdict = judge(&["p256"], &[]);
    assert_eq!(
        verdict.reasons,
        ["IDPSSODescriptor has no signing key any more"]
    );
}

#[test]
fn a_key_to_decrypt_with_is_there_before_the_partner_encrypts_for_it() {
    let sp = |key: &str| {
        let builder = SpMetadata::new("urn:sp")
            .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/")
            .encryption_certificate(der(key));
        builder.build().expect("a document")
    };
    let (old, new) = (sp("rsa3072"), sp("rsa2048"));
    let verdict = rollover(
        old.entity().expect("one"),
        new.entity().expect("one"),
        now(),
    );
    assert!(verdict.safe, "{verdict}");
    assert!(
        verdict.steps[0].contains("be able to decrypt with"),
        "{:?}",
        verdict.steps
    );
    assert!(
        verdict.steps[1].contains("go on decrypting with"),
        "{:?}",
        verdict.steps
    );
    let stale = sp("expired");
    let verdict = rollover(
        old.entity().expect("one"),
        stale.entity().expect("one"),
        now(),
    );
    assert!(!verdict.safe);
}

#[test]
fn another_entity_or_a_role_less_is_not_safe() {
    let old = idp(&["p256"]);
    let new = SpMetadata::new("urn:sp")
        .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/")
        .build()
        .expect("a document");
    let verdict = rollover(
        old.entity().expect("one"),
        new.entity().expect("one"),
        now(),
    );
    assert_eq!(
        verdict.reasons,
        [
            "the entityID changes, so partners take it for another entity",
            "IDPSSODescriptor is gone"
        ]
    );
    assert!(
        old.entity()
            .expect("one")
            .identity_provider()
            .map(IdpSsoDescriptor::element)
            .is_some()
    );
}
