//! `diff`, `rollover` and `compare` identify entities, roles and keys alike.

use saml_metadata::{
    Change, ChangeKind, Document, EntityError, Impact, compare, diff,
    names::{binding, namespace},
    rollover::rollover,
    write::IdpMetadata,
};

use crate::support::{AGGREGATE, OKTA, document, now, read_certificate};

/// Builds an identity provider. The name `unreadable` stands for a certificate that cannot be read.
fn idp(keys: &[&str]) -> Document {
    let start = IdpMetadata::new("urn:idp")
        .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/");
    let builder = keys.iter().fold(start, |builder, key| match *key {
        "unreadable" => builder.signing_certificate(&read_certificate("rsa1024")),
        key => builder.signing_certificate(&read_certificate(key)),
    });
    let built = builder.build().expect("a document");
    let line = read_certificate("rsa1024").base64()[..76].to_owned();
    document(&built.text().replace(&line, &format!("*{}", &line[1..])))
}

fn is_key(change: &Change) -> bool {
    use ChangeKind::{Certificate, KeyAdded, KeyRemoved, UnreadableKey};
    matches!(
        change.kind,
        KeyAdded | KeyRemoved | Certificate | UnreadableKey
    )
}

#[test]
fn a_certificate_renewed_around_the_same_key_breaks_nothing() {
    let result = compare(&idp(&["p256"]), &idp(&["soon"]), now()).expect("metadata");
    let [change] = result.changes.as_slice() else {
        panic!("{:#?}", result.changes);
    };
    assert_eq!(change.kind, ChangeKind::Certificate);
    assert_eq!(
        change.before,
        Some(read_certificate("p256").fingerprint_sha256())
    );
    assert_eq!(
        change.after,
        Some(read_certificate("soon").fingerprint_sha256())
    );
    assert!(matches!(change.partner_lags, Impact::May(_)) && !change.breaks());
    assert!(result.safe && result.rollovers[0].verdict.safe);
    assert_eq!(result.rollovers[0].verdict.steps.len(), 1);
}

#[test]
fn a_key_with_a_second_certificate_is_one_key() {
    let result = compare(&idp(&["p256", "soon"]), &idp(&["soon"]), now()).expect("metadata");
    let kinds: Vec<_> = result.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Certificate]);
    assert!(result.safe);
}

#[test]
fn diff_and_rollover_agree_on_every_pair_of_key_sets() {
    let names = ["p256", "soon", "rsa2048", "rsa3072", "unreadable"];
    let sets: Vec<Vec<&str>> = (0..1 << names.len())
        .map(|bits: usize| {
            let is_in = |at: &usize| bits & (1 << at) != 0;
            (0..names.len()).filter(is_in).map(|at| names[at]).collect()
        })
        .collect();
    let documents: Vec<Document> = sets.iter().map(|set| idp(set)).collect();
    for (old_set, old) in sets.iter().zip(&documents) {
        for (new_set, new) in sets.iter().zip(&documents) {
            let changes = diff(old, new).expect("metadata");
            let breaks = changes
                .iter()
                .any(|change| is_key(change) && change.breaks());
            let (before, after) = (old.entity().expect("one"), new.entity().expect("one"));
            let verdict = rollover(before, after, now());
            // Without a signing key before, nothing was signed that could break.
            let had_key = old_set.iter().any(|name| *name != "unreadable");
            if had_key {
                assert_eq!(breaks, !verdict.safe, "{old_set:?} {new_set:?} {verdict}");
            }
            if !verdict.steps.is_empty() || !verdict.reasons.is_empty() {
                assert!(
                    changes.iter().any(is_key),
                    "{old_set:?} {new_set:?} {verdict:#?}"
                );
            }
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_no_key() {
    let result = compare(&idp(&["p256"]), &idp(&["unreadable"]), now()).expect("metadata");
    let kinds: Vec<_> = result.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::KeyRemoved, ChangeKind::UnreadableKey]);
    assert!(result.changes[0].partner_leads.breaks());
    let after = result.changes[1].after.as_deref().expect("a reason");
    assert!(
        after.starts_with("the certificate is not base64"),
        "{after}"
    );
    let verdict = &result.rollovers[0].verdict;
    assert_eq!(
        verdict.reasons,
        ["IDPSSODescriptor has no signing key in the new document"]
    );
    assert!(
        verdict.steps[0].contains("the certificate is not base64"),
        "{:?}",
        verdict.steps
    );
    assert_eq!(result.rollovers[0].unreadable.len(), 1);
    assert!(!result.safe);
}

#[test]
fn a_bare_key_is_the_key_of_its_certificate() {
    let certificate = read_certificate("p256");
    let old = idp(&["p256"]);
    let key = base64(certificate.public_key_der());
    let data = old
        .root()
        .descendants()
        .find(|e| e.local_name() == "X509Data");
    let bare = format!(
        "<x:DEREncodedKeyValue xmlns:x='{}'>{key}</x:DEREncodedKeyValue>",
        namespace::SIGNATURE_11
    );
    let new = document(&old.text().replace(data.expect("a key").source(), &bare));
    let result = compare(&old, &new, now()).expect("metadata");
    assert!(result.safe, "{result:#?}");
    assert_eq!(result.changes[0].kind, ChangeKind::Certificate);
    assert_eq!(result.changes.len(), 1);
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[test]
fn roles_are_matched_alike_if_an_entity_has_several_of_one_type() {
    const SAML_1_1: &str = "urn:oasis:names:tc:SAML:1.1:protocol";
    const SAML_2_0: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
    let role = |protocol: &str, key: &str| {
        let text = idp(&[key])
            .entity()
            .expect("one")
            .identity_provider()
            .expect("a role")
            .element()
            .source()
            .to_owned();
        text.replace(SAML_2_0, protocol)
    };
    let entity = |roles: &str| {
        document(&format!(
            "<md:EntityDescriptor xmlns:md='{}' entityID='urn:idp'>{roles}</md:EntityDescriptor>",
            namespace::METADATA
        ))
    };
    let (first, second) = (role(SAML_1_1, "p256"), role(SAML_2_0, "rsa2048"));
    let result = compare(
        &entity(&format!("{first}{second}")),
        &entity(&format!("{second}{first}")),
        now(),
    );
    let result = result.expect("metadata");
    assert!(result.changes.is_empty() && result.safe, "{result:#?}");
}

#[test]
fn an_entity_with_another_entity_id_is_compared_in_both_parts() {
    let new = document(&idp(&["p256"]).text().replace("urn:idp", "urn:other"));
    let result = compare(&idp(&["p256"]), &new, now()).expect("metadata");
    assert_eq!(result.changes[0].kind, ChangeKind::EntityId);
    assert_eq!(
        result.rollovers[0].verdict.reasons,
        ["the entityID changes, so partners see a different entity"]
    );
}

#[test]
fn an_unsafe_change_says_to_publish_both_keys_first() {
    let (old, new) = (idp(&["p256"]), idp(&["rsa2048"]));
    let verdict = rollover(
        old.entity().expect("one"),
        new.entity().expect("one"),
        now(),
    );
    let [first, second] =
        ["p256", "rsa2048"].map(|name| read_certificate(name).fingerprint_sha256());
    assert_eq!(
        verdict.steps,
        [
            format!("IDPSSODescriptor: publish both first: a document with {first} and {second}"),
            format!(
                "IDPSSODescriptor: when all partners have loaded that document, sign with {second}"
            ),
            format!(
                "IDPSSODescriptor: when {first} signs nothing any more, let all partners load the new document"
            ),
        ]
    );
}

#[test]
fn documents_that_are_not_metadata_are_not_compared() {
    let metadata = idp(&["p256"]);
    let other = document("<EntityDescriptor entityID='urn:idp'/>");
    for (old, new, side) in [(&metadata, &other, "new"), (&other, &metadata, "old")] {
        let error = diff(old, new).expect_err("not metadata");
        assert_eq!(
            error.to_string(),
            format!("the {side} document cannot be compared")
        );
        assert!(matches!(error.source, EntityError::NotMetadata { .. }));
        assert_eq!(compare(old, new, now()), Err(error));
    }
}

#[test]
fn a_moved_endpoint_is_named_with_its_binding() {
    let old = document(OKTA);
    let new = document(&OKTA.replace("/sso/saml\"", "/sso/saml2\""));
    let changes = diff(&old, &new).expect("metadata");
    let texts: Vec<String> = changes.iter().map(Change::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(
        texts[0].contains("SingleSignOnService (HTTP-POST) https://"),
        "{texts:#?}"
    );
    assert!(
        texts[1].contains("SingleSignOnService (HTTP-Redirect) https://"),
        "{texts:#?}"
    );
}

#[test]
fn an_entity_is_found_by_its_entity_id_at_any_depth() {
    let group = document(AGGREGATE);
    for entity in group.entities() {
        assert_eq!(group.entity_by_id(entity.entity_id()), Some(entity));
    }
    assert_eq!(group.entity_by_id("urn:none"), None);
    assert_eq!(document("<r/>").entity_by_id("urn:none"), None);
    let first = group.entities().next().expect("one");
    let (id, copy) = (first.entity_id().to_owned(), first.element().source());
    let group = document(&AGGREGATE.replace(copy, &format!("{copy}{copy}")));
    assert_eq!(group.entity_by_id(&id), group.entities().next());
}
