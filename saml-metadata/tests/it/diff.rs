//! A diff finds all changes and nothing else.

use proptest::prelude::*;
use saml_metadata::{
    Change, ChangeKind, Edit, Element, Impact, KeyUse, NewElement, diff,
    names::{binding, name_id_format},
};

use crate::support::{AGGREGATE, ALL, IDP, SP, change, document, read_certificate};

#[track_caller]
fn changes(xml: &str, replacements: &[(&str, &str)]) -> Vec<Change> {
    let (old, new) = (document(xml), document(&change(xml, replacements)));
    diff(&old, &new).expect("metadata")
}

#[track_caller]
fn only(xml: &str, replacements: &[(&str, &str)]) -> Change {
    let mut changes = changes(xml, replacements);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    changes.remove(0)
}

/// Applies an edit to the first role and returns the changes that the diff finds.
#[track_caller]
fn edited(xml: &str, edit: impl for<'a> FnOnce(Edit<'a>, Element<'a>) -> Edit<'a>) -> Vec<Change> {
    let old = document(xml);
    let role = old
        .entity()
        .expect("an entity")
        .roles()
        .next()
        .expect("a role");
    let new = edit(old.edit(), role.descriptor().element())
        .apply()
        .expect("an edit");
    diff(&old, &new).expect("metadata")
}

#[test]
fn a_document_does_not_differ_from_itself() {
    for (name, xml) in ALL {
        let document = document(xml);
        assert_eq!(diff(&document, &document), Ok(Vec::new()), "{name}");
    }
}

#[test]
fn comments_prefixes_and_white_space_make_no_difference() {
    let other = change(SP, &[("<md:SPSSO", "<!-- c -->\n  <md:SPSSO")])
        .replace("<md:", "<m:")
        .replace("</md:", "</m:")
        .replace("xmlns:md=", "xmlns:m=")
        .replace("\nMIIB", "MIIB");
    assert_eq!(diff(&document(SP), &document(&other)), Ok(Vec::new()));
}

#[test]
fn a_changed_entity_id_breaks_sign_in_whether_the_partner_lags_or_leads() {
    let change = only(
        SP,
        &[(
            "https://sp.example.com/metadata",
            "https://sp.example.com/new",
        )],
    );
    assert_eq!(change.kind, ChangeKind::EntityId);
    assert!(change.partner_lags.breaks() && change.partner_leads.breaks());
    assert_eq!(
        change.to_string(),
        "https://sp.example.com/metadata: entityID changed: entityID \
         https://sp.example.com/metadata to https://sp.example.com/new"
    );
    assert_eq!(
        change.partner_lags.to_string(),
        "sign-in fails: messages contain an issuer that the partner does not know"
    );
}

#[test]
fn an_added_key_may_break_sign_in_only_while_the_partner_lags() {
    let new = read_certificate("rsa2048");
    let changes = edited(SP, |edit, role| {
        edit.insert(
            role,
            &NewElement::key_descriptor(Some(KeyUse::Signing), &new),
        )
    });
    let [change] = changes.as_slice() else {
        panic!("{changes:#?}");
    };
    assert_eq!(
        (change.kind, change.subject.as_str()),
        (ChangeKind::KeyAdded, "signing")
    );
    assert_eq!(change.after, Some(new.fingerprint_sha256()));
    assert!(matches!(change.partner_lags, Impact::May(_)));
    assert_eq!(change.partner_leads, Impact::None);
}

#[test]
fn replacing_the_signing_key_breaks_sign_in() {
    let new = read_certificate("rsa2048");
    let changes = edited(SP, |edit, role| {
        let key = role
            .children()
            .find(|e| e.local_name() == "KeyDescriptor")
            .expect("a key");
        edit.replace(
            key,
            &NewElement::key_descriptor(Some(KeyUse::Signing), &new),
        )
    });
    let find = |kind, subject: &str| {
        let found = changes
            .iter()
            .find(|c| c.kind == kind && c.subject == subject);
        found.unwrap_or_else(|| panic!("{changes:#?}"))
    };
    assert!(find(ChangeKind::KeyAdded, "signing").partner_lags.breaks());
    assert!(
        find(ChangeKind::KeyRemoved, "signing")
            .partner_leads
            .breaks()
    );
    assert!(!find(ChangeKind::KeyRemoved, "encryption").breaks());
    assert_eq!(changes.len(), 3);
}

#[test]
fn endpoints_are_matched_by_binding_index_and_location() {
    let moved = only(
        SP,
        &[("https://sp.example.com/acs/2", "https://sp.example.com/two")],
    );
    assert_eq!(moved.kind, ChangeKind::EndpointChanged);
    assert!(moved.partner_lags.breaks() && moved.partner_leads.breaks());
    let renumbered = only(SP, &[("index=\"2\"", "index=\"7\"")]);
    assert_eq!(renumbered.kind, ChangeKind::EndpointChanged);
    assert!(matches!(renumbered.partner_lags, Impact::May(_)));
    assert_eq!(
        (renumbered.before.as_deref(), renumbered.after.as_deref()),
        (Some("index 2"), Some("index 7"))
    );
    let logout = only(
        SP,
        &[(
            "https://sp.example.com/logout",
            "https://sp.example.com/bye",
        )],
    );
    assert_eq!(
        (logout.partner_lags, logout.partner_leads),
        (Impact::None, Impact::None)
    );
    let noted = only(
        SP,
        &[("index=\"2\"", "index=\"2\" xmlns:x=\"urn:x\" x:y=\"z\"")],
    );
    assert_eq!(noted.kind, ChangeKind::Other);
}

#[test]
fn an_endpoint_that_both_documents_have_is_no_change() {
    let role = |locations: &[&str]| {
        let services = locations.iter().map(|location| {
            format!(
                r#"<SingleSignOnService Binding="{}" Location="{location}"/>"#,
                binding::HTTP_POST
            )
        });
        let services: String = services.collect();
        document(&format!(
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{services}</IDPSSODescriptor></EntityDescriptor>"#
        ))
    };
    let (a, b, c) = (
        "https://a.example/",
        "https://b.example/",
        "https://c.example/",
    );
    let found = diff(&role(&[a, b]), &role(&[b, c, b])).expect("metadata");
    let values = found.iter().map(|change| {
        (
            change.kind,
            change.before.as_deref(),
            change.after.as_deref(),
        )
    });
    assert_eq!(
        values.collect::<Vec<_>>(),
        [
            (ChangeKind::EndpointChanged, Some(a), Some(c)),
            (ChangeKind::EndpointAdded, None, Some(b)),
        ]
    );
}

#[test]
fn other_changes_have_their_own_kinds() {
    let kind = |replacements: &[(&str, &str)]| only(SP, replacements).kind;
    assert_eq!(
        kind(&[("2026-12-01T", "2026-12-02T")]),
        ChangeKind::Validity
    );
    assert_eq!(
        kind(&[(
            "WantAssertionsSigned=\"true\"",
            "WantAssertionsSigned=\"false\""
        )]),
        ChangeKind::Requirement
    );
    assert_eq!(
        kind(&[(
            "idp-discovery-protocol\" Location=\"https://sp.",
            "idp-discovery-protocol\" Location=\"https://s."
        )])
        .to_string(),
        "other change"
    );
    let all = |replacements: &[(&str, &str)]| -> Vec<ChangeKind> {
        changes(SP, replacements)
            .into_iter()
            .map(|c| c.kind)
            .collect()
    };
    assert_eq!(all(&[("Lovelace", "Byron")]), [ChangeKind::Contact]);
    assert_eq!(
        all(&[("Beispiel GmbH", "Beispiel AG")]),
        [ChangeKind::Organization]
    );
    assert_eq!(
        all(&[("nameid-format:transient", "nameid-format:persistent")]),
        [
            ChangeKind::NameIdFormatRemoved,
            ChangeKind::NameIdFormatAdded
        ]
    );
}

#[test]
fn removing_a_role_breaks_sign_in_and_adding_one_does_not() {
    let role = "<md:AttributeAuthorityDescriptor protocolSupportEnumeration=\"urn:p\"/><md:SPSSO";
    let added = only(SP, &[("<md:SPSSO", role)]);
    assert_eq!((added.kind, added.breaks()), (ChangeKind::RoleAdded, false));
    let (old, new) = (document(SP), document(IDP));
    let changes = diff(&old, &new).expect("metadata");
    let removed = changes
        .iter()
        .find(|c| c.kind == ChangeKind::RoleRemoved)
        .expect("removed");
    assert!(removed.breaks());
}

#[test]
fn entities_of_aggregates_are_matched_by_entity_id() {
    let changes = changes(
        AGGREGATE,
        &[
            ("entityID=\"https://b.", "entityID=\"https://x."),
            ("https://c.example.com/acs", "https://c.example.com/new"),
        ],
    );
    let kinds: Vec<_> = changes
        .iter()
        .map(|c| (c.entity.as_str(), c.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("https://b.example.com", ChangeKind::EntityRemoved),
            ("https://c.example.com", ChangeKind::EndpointChanged),
            ("https://x.example.com", ChangeKind::EntityAdded),
        ]
    );
    let group = only(AGGREGATE, &[("2026-12-05T", "2026-12-06T")]);
    assert_eq!(
        (group.kind, group.entity.as_str()),
        (ChangeKind::Validity, "https://federation.example.org/all")
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_change_serializes_to_json() {
    let change = only(SP, &[("2026-12-01T", "2026-12-02T")]);
    let json = serde_json::to_value(&change).expect("JSON");
    assert_eq!(json["kind"], "validity");
    assert_eq!(json["partner_lags"]["impact"], "none");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_added_element_is_the_only_change(index in 10..60_000_u16, path in "[a-z&<>\"]{1,9}", what in 0..3) {
        let location = format!("https://sp.example.com/{path}");
        let new = match what {
            0 => NewElement::indexed_endpoint("AssertionConsumerService", binding::PAOS, &location, index),
            1 => NewElement::endpoint("ManageNameIDService", binding::SOAP, &location),
            _ => NewElement::name_id_format(name_id_format::KERBEROS),
        };
        let changes = edited(SP, |edit, role| edit.insert(role, &new));
        prop_assert_eq!(changes.len(), 1, "{:#?}", changes);
        if what == 2 {
            prop_assert_eq!(changes[0].kind, ChangeKind::NameIdFormatAdded);
            prop_assert_eq!(changes[0].after.as_deref(), Some(name_id_format::KERBEROS));
        } else {
            prop_assert_eq!(changes[0].kind, ChangeKind::EndpointAdded);
            prop_assert_eq!(changes[0].after.as_ref(), Some(&location));
        }
    }

    #[test]
    fn a_set_attribute_is_the_only_change(value in "[a-z&<>\"' ]{1,9}x") {
        let changes = edited(SP, |edit, role| edit.set_attribute(role, "errorURL", &value));
        prop_assert_eq!(changes.len(), 1);
        prop_assert_eq!(changes[0].after.as_deref(), Some(value.trim()));
    }
}
