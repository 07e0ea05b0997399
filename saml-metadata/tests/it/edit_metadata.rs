//! Edits of validity, certificates, signatures and the byte order mark, and one entity alone.

use saml_metadata::{
    Document, EditError, KeyUse, Role, RoleDescriptor, names::namespace, read, validate,
};

use crate::support::{AGGREGATE, IDP, OKTA, change, document, now, read_certificate};

fn role(document: &Document) -> RoleDescriptor<'_> {
    let entity = document.entity().expect("one entity");
    entity.roles().next().map(Role::descriptor).expect("a role")
}

#[test]
fn a_validity_is_set_and_removed_and_nothing_else_changes() {
    let old = document(OKTA);
    let until = "2027-01-31T12:00:00Z".parse().expect("a time");
    let set = old
        .edit()
        .set_valid_until(old.root(), until)
        .apply()
        .expect("an edit");
    assert_eq!(set.entity().expect("one").valid_until(), Ok(Some(until)));
    let removed = set
        .edit()
        .remove_valid_until(set.root())
        .apply()
        .expect("an edit");
    assert_eq!(removed.text(), OKTA);
}

#[test]
fn a_certificate_is_added_after_the_other_ones() {
    let (old, new) = (read_certificate("rsa2048"), read_certificate("p256"));
    let document = document(OKTA);
    let edit = document.edit();
    let both = edit.add_certificate(role(&document), Some(KeyUse::Signing), &new);
    let both = both.apply().expect("an edit");
    assert_eq!(role(&both).signing_certificates(), [old, new.clone()]);
    let edit = both
        .edit()
        .add_certificate(role(&both), Some(KeyUse::Signing), &new);
    assert!(matches!(
        edit.apply(),
        Err(EditError::CertificatePresent { .. })
    ));
    // The same certificate may have another use.
    let edit = both
        .edit()
        .add_certificate(role(&both), Some(KeyUse::Encryption), &new);
    assert_eq!(
        role(&edit.apply().expect("an edit")).encryption_certificates(),
        [new]
    );
}

#[test]
fn a_removed_certificate_leaves_the_document_as_it_was_before() {
    let new = read_certificate("p256");
    let old = document(OKTA);
    let both = old
        .edit()
        .add_certificate(role(&old), Some(KeyUse::Signing), &new);
    let both = both.apply().expect("an edit");
    let back = both
        .edit()
        .remove_certificate(role(&both), &new)
        .apply()
        .expect("an edit");
    assert_eq!(back.text(), OKTA);
    let error = back
        .edit()
        .remove_certificate(role(&back), &new)
        .apply()
        .expect_err("missing");
    assert_eq!(
        error.to_string(),
        format!(
            "IDPSSODescriptor has no certificate {}",
            new.fingerprint_sha256()
        )
    );
}

#[test]
fn a_certificate_is_removed_from_a_key_info_that_has_others() {
    let (first, second) = (read_certificate("rsa2048"), read_certificate("p256"));
    let two = OKTA.replace(
        "</ds:X509Certificate>",
        &format!(
            "</ds:X509Certificate><ds:X509Certificate>{}</ds:X509Certificate>",
            second.base64()
        ),
    );
    let two = document(&two);
    let one = two
        .edit()
        .remove_certificate(role(&two), &second)
        .apply()
        .expect("an edit");
    assert_eq!(one.text(), OKTA);
    let other = two
        .edit()
        .remove_certificate(role(&two), &first)
        .apply()
        .expect("an edit");
    assert_eq!(role(&other).signing_certificates(), [second]);
}

#[test]
fn a_replaced_certificate_leaves_no_description_of_the_old_key() {
    let (old, new) = (read_certificate("rsa2048"), read_certificate("p256"));
    let described = change(
        OKTA,
        &[(
            "<ds:X509Data>",
            "<ds:KeyName>n</ds:KeyName><ds:KeyValue/><ds:X509Data><ds:X509SKI>AA==</ds:X509SKI>",
        )],
    );
    let document = document(&described);
    let edit = document
        .edit()
        .replace_certificate(role(&document), &old, &new);
    let edited = edit.apply().expect("an edit");
    assert_eq!(
        role(&edited).signing_certificates(),
        std::slice::from_ref(&new)
    );
    let info = role(&edited)
        .key_descriptors()
        .next()
        .expect("a key")
        .key_info()
        .expect("an info");
    let names: Vec<&str> = info
        .descendants()
        .map(saml_metadata::Element::local_name)
        .collect();
    assert_eq!(names, ["KeyInfo", "KeyName", "X509Data", "X509Certificate"]);
    let edit = edited.edit().replace_certificate(role(&edited), &old, &new);
    assert!(matches!(edit.apply(), Err(EditError::NoCertificate { .. })));
}

#[test]
fn a_byte_order_mark_is_added_and_removed() {
    let plain = document(OKTA);
    let marked = plain.edit().add_byte_order_mark().apply().expect("an edit");
    assert_eq!(marked.bytes(), [b"\xef\xbb\xbf", OKTA.as_bytes()].concat());
    assert_eq!(
        marked
            .edit()
            .add_byte_order_mark()
            .apply()
            .expect("an edit")
            .bytes(),
        marked.bytes()
    );
    let back = marked
        .edit()
        .remove_byte_order_mark()
        .apply()
        .expect("an edit");
    assert_eq!(back.bytes(), OKTA.as_bytes());
    assert_eq!(
        back.edit()
            .remove_byte_order_mark()
            .apply()
            .expect("an edit")
            .text(),
        OKTA
    );

    let text = OKTA.replace("encoding=\"UTF-8\"", "encoding=\"UTF-16\"");
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let wide = read(&units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).expect("UTF-16");
    let error = wide.edit().remove_byte_order_mark().apply();
    assert!(matches!(error, Err(EditError::MarkRequired)));
}

#[test]
fn only_a_signed_element_has_a_signature_to_remove() {
    let document = document(OKTA);
    let error = document.edit().remove_signature(document.root()).apply();
    assert_eq!(
        error.expect_err("not signed").to_string(),
        "`md:EntityDescriptor` is not signed"
    );
}

#[test]
fn each_entity_of_a_group_is_a_document_of_its_own() {
    let group = document(AGGREGATE);
    for entity in group.entities() {
        let alone = entity.to_document().expect("a document");
        let own = alone.entity().expect("one entity");
        assert_eq!(own.entity_id(), entity.entity_id());
        assert_eq!(own.valid_until(), entity.effective_valid_until());
        assert_eq!(own.cache_duration(), entity.effective_cache_duration());
        let names = |element: saml_metadata::Element<'_>| -> Vec<String> {
            let all = element.descendants();
            all.map(|e| format!("{{{}}}{}", e.namespace(), e.local_name()))
                .collect()
        };
        assert_eq!(names(own.element()), names(entity.element()));
    }
}

#[test]
fn an_entity_alone_keeps_the_namespaces_and_the_earliest_validity_of_its_groups() {
    let group = document(&format!(
        "<md:EntitiesDescriptor xmlns:md='{}' xmlns='urn:default' xmlns:a='urn:&amp;a' validUntil='2027-01-01T00:00:00Z' cacheDuration='PT1H'>\
         <md:EntitiesDescriptor xmlns:a='urn:inner' validUntil='2028-01-01T00:00:00Z'>\
         <md:EntityDescriptor entityID='urn:e' cacheDuration='P1D'>\
         <md:Extensions><x a:b='c'/></md:Extensions></md:EntityDescriptor>\
         </md:EntitiesDescriptor></md:EntitiesDescriptor>",
        namespace::METADATA
    ));
    let alone = group
        .entities()
        .next()
        .expect("one")
        .to_document()
        .expect("a document");
    let root = alone.root();
    assert_eq!(root.attribute("validUntil"), Some("2027-01-01T00:00:00Z"));
    assert_eq!(root.attribute("cacheDuration"), Some("PT1H"));
    let x = root
        .descendants()
        .find(|e| e.local_name() == "x")
        .expect("an element");
    assert_eq!(
        (x.namespace(), x.attribute_in("urn:inner", "b")),
        ("urn:default", Some("c"))
    );
}

#[test]
fn an_unreadable_inherited_validity_is_not_dropped() {
    let group = document(&format!(
        "<EntitiesDescriptor xmlns='{}' validUntil='soon'><EntityDescriptor entityID='urn:e'/></EntitiesDescriptor>",
        namespace::METADATA
    ));
    let error = group.entities().next().expect("one").to_document();
    assert!(matches!(error, Err(EditError::Time { .. })));
}

#[test]
fn an_entity_that_is_a_document_already_stays_as_it_is() {
    let document = document(IDP);
    let alone = document
        .entity()
        .expect("one")
        .to_document()
        .expect("a document");
    assert_eq!(alone.root().source(), document.root().source());
    let errors =
        |document: &Document| validate(document, saml_metadata::Profile::SamlCore, now()).len();
    assert_eq!(errors(&alone), errors(&document));
}

#[test]
fn a_certificate_is_removed_and_replaced_in_each_place_where_a_key_has_it() {
    let (old, new) = (read_certificate("rsa2048"), read_certificate("p256"));
    let copy = format!(
        "</ds:X509Certificate></ds:X509Data><ds:X509Data><ds:X509Certificate>{}",
        old.base64()
    );
    let twice = document(
        &change(OKTA, &[("</ds:X509Certificate></ds:X509Data>", &copy)])
            .replace(&copy, &format!("{copy}</ds:X509Certificate></ds:X509Data>")),
    );
    let removed = twice.edit().remove_certificate(role(&twice), &old).apply();
    assert!(
        role(&removed.expect("an edit"))
            .key_descriptors()
            .next()
            .is_none()
    );
    let edit = twice.edit().replace_certificate(role(&twice), &old, &new);
    let replaced = edit.apply().expect("an edit");
    assert_eq!(role(&replaced).signing_certificates(), [new.clone(), new]);
}

#[test]
fn a_replaced_certificate_leaves_no_empty_x509_data() {
    let (old, new) = (read_certificate("rsa2048"), read_certificate("p256"));
    let document = document(&change(
        OKTA,
        &[(
            "<ds:X509Data>",
            "<ds:X509Data><ds:X509SubjectName>CN=a</ds:X509SubjectName></ds:X509Data><ds:X509Data>",
        )],
    ));
    let edit = document
        .edit()
        .replace_certificate(role(&document), &old, &new);
    let edited = edit.apply().expect("an edit");
    assert_eq!(edited.text().matches("<ds:X509Data>").count(), 1);
    let findings = validate(&edited, saml_metadata::Profile::SamlCore, now());
    assert!(!findings.iter().any(saml_metadata::Finding::is_error));
}

#[test]
fn a_certificate_is_not_replaced_with_one_that_the_role_has_for_the_same_use() {
    let (old, new) = (read_certificate("rsa2048"), read_certificate("p256"));
    let document = document(OKTA);
    let add = |key_use| {
        let edit = document
            .edit()
            .add_certificate(role(&document), key_use, &new);
        edit.apply().expect("an edit")
    };
    let both = add(Some(KeyUse::Signing));
    let edit = both.edit().replace_certificate(role(&both), &old, &new);
    assert!(matches!(
        edit.apply(),
        Err(EditError::CertificatePresent { .. })
    ));
    let both = add(Some(KeyUse::Encryption));
    let edit = both.edit().replace_certificate(role(&both), &old, &new);
    assert!(edit.apply().is_ok());
}

#[test]
fn a_signing_certificate_without_a_use_is_removed_from_an_identity_provider_only() {
    let old = read_certificate("rsa2048");
    let idp = document(&change(OKTA, &[(" use=\"signing\"", "")]));
    let own = std::slice::from_ref(&old);
    let edit = idp.edit().remove_signing_certificates(role(&idp), own);
    assert!(
        role(&edit.apply().expect("an edit"))
            .key_descriptors()
            .next()
            .is_none()
    );

    let text = idp.text().replace("IDPSSODescriptor", "SPSSODescriptor");
    let other = read_certificate("p256");
    let two = document(&change(
        &text,
        &[(
            "</ds:X509Certificate>",
            &format!(
                "</ds:X509Certificate><ds:X509Certificate>{}</ds:X509Certificate>",
                other.base64()
            ),
        )],
    ));
    let edit = two.edit().remove_signing_certificates(role(&two), own);
    let edited = edit.apply().expect("an edit");
    assert_eq!(
        role(&edited).signing_certificates(),
        std::slice::from_ref(&other)
    );
    assert_eq!(
        role(&edited).encryption_certificates(),
        [other.clone(), old.clone()]
    );
    let edit = edited
        .edit()
        .remove_signing_certificates(role(&edited), own);
    assert!(matches!(edit.apply(), Err(EditError::NoCertificate { .. })));
}
