//! Measurements, to be looked at by a person: `cargo test --release -p saml-metadata -- --ignored --nocapture speed`.

use std::time::{Duration, Instant};

use quick_xml::{Reader, events::Event};
use saml_metadata::{Limits, Profile, read, read_with, validate};

use crate::support::{IDP, OKTA, now};

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn best_of(times: usize, mut run: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    best
}

fn tokens(xml: &str) -> usize {
    let mut reader = Reader::from_str(xml);
    let mut count = 0;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) | Event::Empty(tag) => count += tag.attributes().count(),
            Event::Eof => return count,
            _ => {}
        }
    }
}

/// An aggregate of copies of the fixtures' identity provider.
fn aggregate(bytes: usize) -> String {
    let entity = &IDP[IDP.find("<md:Entity").expect("a root")..];
    let mut xml =
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>".to_owned();
    let mut number = 0;
    while xml.len() < bytes {
        number += 1;
        xml.push_str(
            &entity
                .replace("idp.example.com", &format!("idp{number}.example.com"))
                .replace("_idp", &format!("_{number}")),
        );
    }
    xml + "</md:EntitiesDescriptor>"
}

#[test]
#[ignore = "a measurement, for release builds"]
fn compared_with_the_tokenizer_alone() {
    println!("one Okta document of {} bytes", OKTA.len());
    println!(
        "  quick-xml events and attributes {:?}",
        best_of(1_000, || {
            tokens(OKTA);
        })
    );
    println!(
        "  read                            {:?}",
        best_of(1_000, || {
            drop(read(OKTA.as_bytes()));
        })
    );
    let document = read(OKTA.as_bytes()).expect("a document");
    println!(
        "  validate for AWS                {:?}",
        best_of(1_000, || {
            drop(validate(&document, Profile::AwsIdentityCenter, now()));
        })
    );

    for megabytes in [25, 50, 100] {
        let xml = aggregate(megabytes << 20);
        println!("an aggregate of {megabytes} MiB");
        println!(
            "  quick-xml events and attributes {:?}",
            best_of(3, || {
                tokens(&xml);
            })
        );
        println!(
            "  read                            {:?}",
            best_of(3, || {
                drop(read_with(xml.as_bytes(), &Limits::default()).expect("a document"));
            })
        );
        let document = read(xml.as_bytes()).expect("a document");
        println!(
            "  entities                        {:?}",
            best_of(3, || {
                assert!(
                    document
                        .entities()
                        .all(|entity| !entity.entity_id().is_empty())
                );
            })
        );
        println!(
            "  validate                        {:?}",
            best_of(1, || {
                drop(validate(&document, Profile::SamlCore, now()));
            })
        );
    }
}
