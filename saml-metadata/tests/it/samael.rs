//! Conversion to samael's types and back: everything that is not reported as a loss is preserved.

mod elements;

use std::str::FromStr as _;

use ::samael::metadata as theirs;
use proptest::prelude::*;
use saml_metadata::{
    Document, EntitiesDescriptor, EntityDescriptor,
    samael::{Converted, from_samael, group_from_samael, group_to_samael, to_samael},
};

use crate::support::{AGGREGATE, ALL, IDP, OKTA, change, document};

fn round_trip(entity: EntityDescriptor<'_>) -> (Converted<theirs::EntityDescriptor>, Document) {
    let converted = to_samael(entity);
    let restored = from_samael(&converted.value).expect("a document from converted values");
    (converted, restored.value)
}

fn lines<T>(converted: &Converted<T>) -> String {
    let lines: Vec<String> = converted.losses.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_round_trip_preserves_the_samael_value() {
    for (name, xml) in ALL {
        for entity in document(xml).entities() {
            let (converted, restored) = round_trip(entity);
            let again = to_samael(restored.entity().expect("one entity"));
            assert_eq!(again.value, converted.value, "{name}");
        }
    }
}

#[test]
fn a_group_is_converted_with_its_contents_and_losses() {
    let aggregate = document(AGGREGATE);
    let group = aggregate.group().expect("a group");
    let converted = group_to_samael(group);
    assert_eq!(
        converted.value.descriptors.len(),
        group
            .element()
            .children()
            .filter(|child| child.local_name().ends_with("Descriptor"))
            .count()
    );
    let restored = group_from_samael(&converted.value).expect("a document from converted values");
    let again = restored.value.group().expect("a group");
    assert_eq!(again.name(), group.name());
    let names = |document: &Document| -> Vec<String> {
        document
            .entities()
            .map(|entity| entity.entity_id().to_owned())
            .collect()
    };
    assert_eq!(names(&restored.value), names(&aggregate));
    assert_eq!(
        again.groups().last().and_then(EntitiesDescriptor::name),
        Some("https://federation.example.org/inner")
    );
    assert_eq!(group_to_samael(again).value, converted.value);
    // The group's losses include the losses of each entity.
    let of_entities: usize = aggregate
        .entities()
        .map(|entity| to_samael(entity).losses.len())
        .sum();
    assert!(
        converted.losses.len() >= of_entities,
        "{}",
        lines(&converted)
    );

    let mut invalid = converted.value.clone();
    invalid.name = Some("a\u{0}b".to_owned());
    assert!(group_from_samael(&invalid).is_err());
}

#[test]
fn every_node_is_kept_or_reported_as_a_loss() {
    for (name, xml) in ALL {
        for entity in document(xml).entities() {
            let (converted, restored) = round_trip(entity);
            let count = |entity: EntityDescriptor<'_>| {
                let elements = entity.element().descendants();
                elements
                    .map(|element| 1 + element.attributes().count())
                    .sum::<usize>()
            };
            let lost = count(entity) - count(restored.entity().expect("one entity"));
            // A required attribute comes back as an empty string, so this kind of loss removes nothing.
            let mut losses = converted.losses.iter();
            let is_reported =
                losses.any(|loss| !loss.what.ends_with("so it became an empty string"));
            assert_eq!(
                lost > 0,
                is_reported,
                "{name}: {lost} lost, {}",
                lines(&converted)
            );
        }
    }
}

#[test]
fn okta_metadata_converts_without_losses_and_stays_valid_for_aws() {
    let okta = document(OKTA);
    let (converted, restored) = round_trip(okta.entity().expect("one entity"));
    assert_eq!(lines(&converted), "");
    let now = crate::support::now();
    let errors = |document: &Document| {
        saml_metadata::validate(document, saml_metadata::Profile::AwsIdentityCenter, now)
            .into_iter()
            .filter(saml_metadata::Finding::is_error)
            .count()
    };
    assert_eq!(errors(&okta), 0);
    assert_eq!(errors(&restored), 0);
    let role = restored
        .entity()
        .expect("one entity")
        .identity_provider()
        .expect("one entity");
    assert_eq!(role.single_sign_on_services().count(), 2);
}

#[test]
fn data_without_a_samael_field_is_reported_with_its_path() {
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
    let converted = to_samael(document(&xml).entity().expect("one entity"));
    assert_eq!(
        lines(&converted),
        "/md:EntityDescriptor/md:IDPSSODescriptor/@cacheDuration: is not supported by samael"
    );
    let mut value = converted.value;
    value.idp_sso_descriptors.as_mut().expect("roles")[0].cache_duration = Some(3600);
    let restored = from_samael(&value).expect("XML");
    assert_eq!(
        lines(&restored),
        "/md:EntityDescriptor/md:IDPSSODescriptor/@cacheDuration: samael's type is a number, not a duration"
    );
}

#[test]
fn markup_in_samael_strings_is_escaped() {
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
    let restored = to_samael(written.value.entity().expect("one entity"));
    assert_eq!(restored.value, entity);
    entity.entity_id = Some("a\0b".to_owned());
    let error = from_samael(&entity).expect_err("NUL is not allowed in XML");
    assert_eq!(error.to_string(), "a value cannot be written as XML");
}

#[test]
fn samael_and_this_crate_read_okta_metadata_alike() {
    let theirs = theirs::EntityDescriptor::from_str(OKTA).expect("samael reads Okta's metadata");
    let ours = to_samael(document(OKTA).entity().expect("one entity")).value;
    assert_eq!(ours.entity_id, theirs.entity_id);
    assert_eq!(ours.idp_sso_descriptors, theirs.idp_sso_descriptors);
}

#[test]
fn corpus_documents_survive_the_round_trip() {
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
            let (converted, restored) = round_trip(entity);
            let again = to_samael(restored.entity().expect("one entity"));
            assert_eq!(again.value, converted.value, "{}", path.display());
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
    fn samael_values_survive_the_round_trip_except_for_losses((mut entity, losses) in entity()) {
        let document = from_samael(&entity).expect("XML");
        prop_assert_eq!(document.losses.len(), losses);
        let restored = to_samael(document.value.entity().expect("one entity"));
        prop_assert!(restored.losses.is_empty(), "{}", lines(&restored));
        for role in entity.sp_sso_descriptors.iter_mut().flatten() {
            role.cache_duration = None;
        }
        prop_assert_eq!(restored.value, entity);
    }
}
