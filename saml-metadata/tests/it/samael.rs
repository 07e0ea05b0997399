//! To samael's types and back: what is not in the losses is the same on both sides.

mod sides;

use std::str::FromStr as _;

use ::samael::metadata as theirs;
use proptest::prelude::*;
use saml_metadata::{
    Document, EntitiesDescriptor, EntityDescriptor,
    samael::{Converted, from_samael, group_from_samael, group_to_samael, to_samael},
};

use crate::support::{AGGREGATE, ALL, IDP, OKTA, change, document};

fn there_and_back(entity: EntityDescriptor<'_>) -> (Converted<theirs::EntityDescriptor>, Document) {
    let there = to_samael(entity);
    let back = from_samael(&there.value).expect("what was XML is XML");
    (there, back.value)
}

fn lines<T>(converted: &Converted<T>) -> String {
    let lines: Vec<String> = converted.losses.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_came_over_comes_back_the_same() {
    for (name, xml) in ALL {
        for entity in document(xml).entities() {
            let (there, back) = there_and_back(entity);
            let again = to_samael(back.entity().expect("one entity"));
            assert_eq!(again.value, there.value, "{name}");
        }
    }
}

#[test]
fn a_group_goes_over_with_all_that_is_in_it_and_its_own_losses() {
    let aggregate = document(AGGREGATE);
    let group = aggregate.group().expect("a group");
    let there = group_to_samael(group);
    assert_eq!(
        there.value.descriptors.len(),
        group
            .element()
            .children()
            .filter(|child| child.local_name().ends_with("Descriptor"))
            .count()
    );
    let back = group_from_samael(&there.value).expect("what was XML is XML");
    let again = back.value.group().expect("a group");
    assert_eq!(again.name(), group.name());
    let names = |document: &Document| -> Vec<String> {
        document
            .entities()
            .map(|entity| entity.entity_id().to_owned())
            .collect()
    };
    assert_eq!(names(&back.value), names(&aggregate));
    assert_eq!(
        again.groups().last().and_then(EntitiesDescriptor::name),
        Some("https://federation.example.org/inner")
    );
    assert_eq!(group_to_samael(again).value, there.value);
    // What is lost of each entity is lost in the group too.
    let of_entities: usize = aggregate
        .entities()
        .map(|entity| to_samael(entity).losses.len())
        .sum();
    assert!(there.losses.len() >= of_entities, "{}", lines(&there));

    let mut unsigned = there.value.clone();
    unsigned.name = Some("a\u{0}b".to_owned());
    assert!(group_from_samael(&unsigned).is_err());
}

#[test]
fn nodes_are_kept_or_reported() {
    for (name, xml) in ALL {
        for entity in document(xml).entities() {
            let (there, back) = there_and_back(entity);
            let count = |entity: EntityDescriptor<'_>| {
                let elements = entity.element().descendants();
                elements
                    .map(|element| 1 + element.attributes().count())
                    .sum::<usize>()
            };
            let lost = count(entity) - count(back.entity().expect("one entity"));
            // What samael requires is there afterwards as an empty text, and not in the document.
            let mut losses = there.losses.iter();
            let is_told = losses.any(|loss| !loss.what.ends_with("stands for it"));
            assert_eq!(lost > 0, is_told, "{name}: {lost} lost, {}", lines(&there));
        }
    }
}

#[test]
fn the_document_of_okta_loses_nothing_and_is_fit_for_aws() {
    let okta = document(OKTA);
    let (there, back) = there_and_back(okta.entity().expect("one entity"));
    assert_eq!(lines(&there), "");
    let now = crate::support::now();
    let errors = |document: &Document| {
        saml_metadata::validate(document, saml_metadata::Profile::AwsIdentityCenter, now)
            .into_iter()
            .filter(saml_metadata::Finding::is_error)
            .count()
    };
    assert_eq!(errors(&okta), 0);
    assert_eq!(errors(&back), 0);
    let role = back
        .entity()
        .expect("one")
        .identity_provider()
        .expect("one");
    assert_eq!(role.single_sign_on_services().count(), 2);
}

#[test]
fn what_has_no_place_is_named_with_its_path() {
    let full = document(IDP);
    insta::assert_snapshot!(lines(&to_samael(full.entity().expect("one entity"))));
    let group = document(AGGREGATE);
    let all: Vec<String> = group
        .entities()
        .map(|entity| lines(&to_samael(entity)))
        .collect();
    insta::assert_snapshot!(all.join("\n---\n"));
}

#[test]
fn a_cache_duration_of_a_role_is_lost_in_both_directions() {
    let xml = change(
        OKTA,
        &[(
            "<md:IDPSSODescriptor",
            r#"<md:IDPSSODescriptor cacheDuration="PT1H""#,
        )],
    );
    let there = to_samael(document(&xml).entity().expect("one"));
    assert_eq!(
        lines(&there),
        "/md:EntityDescriptor/md:IDPSSODescriptor/@cacheDuration: has no place in samael"
    );
    let mut value = there.value;
    value.idp_sso_descriptors.as_mut().expect("roles")[0].cache_duration = Some(3600);
    let back = from_samael(&value).expect("XML");
    assert_eq!(
        lines(&back),
        "/md:EntityDescriptor/md:IDPSSODescriptor/@cacheDuration: samael's type is a number, which is not a duration"
    );
}

#[test]
fn markup_in_texts_of_samael_is_escaped() {
    let mut entity = theirs::EntityDescriptor {
        entity_id: Some("urn:a\"><evil/>".to_owned()),
        ..Default::default()
    };
    entity.organization = Some(theirs::Organization {
        organization_names: Some(vec![theirs::LocalizedName {
            lang: Some("en".to_owned()),
            value: "A & B <x/>".to_owned(),
        }]),
        organization_display_names: None,
        organization_urls: None,
    });
    let written = from_samael(&entity).expect("XML");
    let back = to_samael(written.value.entity().expect("one entity"));
    assert_eq!(back.value, entity);
    entity.entity_id = Some("a\0b".to_owned());
    let error = from_samael(&entity).expect_err("no XML");
    assert_eq!(error.to_string(), "a value cannot be written as XML");
}

#[test]
fn samael_reads_what_we_read_where_it_can_read_at_all() {
    let theirs = theirs::EntityDescriptor::from_str(OKTA).expect("samael reads Okta's");
    let ours = to_samael(document(OKTA).entity().expect("one")).value;
    assert_eq!(ours.entity_id, theirs.entity_id);
    assert_eq!(ours.idp_sso_descriptors, theirs.idp_sso_descriptors);
}

#[test]
fn the_corpus_goes_there_and_back() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/saml");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no corpus");
        return;
    };
    let mut seen = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let Ok(document) = saml_metadata::read(&bytes) else {
            continue;
        };
        for entity in document.entities() {
            let (there, back) = there_and_back(entity);
            let again = to_samael(back.entity().expect("one entity"));
            assert_eq!(again.value, there.value, "{}", path.display());
            seen += 1;
        }
    }
    println!("{seen} entities");
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z<>&\"' \t\r\n\u{e9}]{1,12}"
}

prop_compose! {
    fn endpoint()(binding in text(), location in text(), response_location in prop::option::of(text())) -> theirs::Endpoint {
        theirs::Endpoint { binding, location, response_location }
    }
}

prop_compose! {
    fn localized()(lang in prop::option::of("[a-z]{2}"), value in text()) -> theirs::LocalizedName {
        theirs::LocalizedName { lang, value }
    }
}

prop_compose! {
    fn contact()(
        contact_type in prop::option::of(text()),
        company in prop::option::of(text()),
        emails in prop::collection::vec(text(), 1..3),
    ) -> theirs::ContactPerson {
        theirs::ContactPerson { contact_type, company, email_addresses: Some(emails), ..Default::default() }
    }
}

prop_compose! {
    fn entity()(
        entity_id in prop::option::of(text()),
        seconds in prop::option::of(-10_000_000_000_i64..10_000_000_000),
        nanoseconds in 0_u32..1_000_000_000,
        names in prop::collection::vec(localized(), 1..3),
        contacts in prop::collection::vec(contact(), 1..3),
        logout in prop::collection::vec(endpoint(), 1..3),
        formats in prop::collection::vec(text(), 1..3),
        signed in prop::option::of(any::<bool>()),
        cache_duration in prop::option::of(0_usize..9),
    ) -> (theirs::EntityDescriptor, usize) {
        let sp = theirs::SpSsoDescriptor {
            single_logout_services: Some(logout),
            name_id_formats: Some(formats),
            authn_requests_signed: signed,
            cache_duration,
            ..Default::default()
        };
        let entity = theirs::EntityDescriptor {
            entity_id,
            valid_until: seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, nanoseconds)),
            sp_sso_descriptors: Some(vec![sp]),
            contact_person: Some(contacts),
            organization: Some(theirs::Organization {
                organization_names: Some(names),
                organization_display_names: None,
                organization_urls: None,
            }),
            ..Default::default()
        };
        (entity, usize::from(cache_duration.is_some()))
    }
}

proptest! {
    #[test]
    fn values_of_samael_come_back_equal_but_for_the_losses((mut entity, losses) in entity()) {
        let document = from_samael(&entity).expect("XML");
        prop_assert_eq!(document.losses.len(), losses);
        let back = to_samael(document.value.entity().expect("one entity"));
        prop_assert!(back.losses.is_empty(), "{}", lines(&back));
        for role in entity.sp_sso_descriptors.iter_mut().flatten() {
            role.cache_duration = None;
        }
        prop_assert_eq!(back.value, entity);
    }
}
