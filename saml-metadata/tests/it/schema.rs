//! Validation with xmllint and the XML schemas. Neither is part of the project; without them, these
//! tests print that they are skipped.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use saml_metadata::{
    names::{binding, name_id_format},
    write::{IdpMetadata, SpMetadata},
};

use crate::support::{ALL, change, document, read_certificate};

/// Returns whether xmllint finds a document valid, or `None` if xmllint or the schemas are missing.
#[expect(clippy::print_stdout, reason = "a skipped test prints why")]
fn is_valid(xml: &[u8]) -> Option<bool> {
    let driver = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/corpus/saml-xsd/all-metadata-driver.xsd");
    let child = driver.exists().then(|| {
        Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .arg(&driver)
            .arg("-")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    });
    let Some(Ok(mut child)) = child else {
        println!("skipped: xmllint or {} is missing", driver.display());
        return None;
    };
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(xml).expect("xmllint reads its input");
    drop(stdin);
    Some(child.wait().expect("xmllint exits").success())
}

#[test]
fn the_fixtures_are_valid() {
    for (name, xml) in ALL {
        assert_ne!(is_valid(xml.as_bytes()), Some(false), "{name}");
    }
}

#[test]
fn built_metadata_is_valid() {
    let idp = IdpMetadata::new("https://idp.example.com/")
        .single_sign_on_service(binding::HTTP_POST, "https://idp.example.com/sso?a=1&b=2")
        .name_id_format(name_id_format::PERSISTENT)
        .single_logout_service(binding::HTTP_POST, "https://idp.example.com/slo")
        .encryption_certificate(&read_certificate("p256-encryption"))
        .signing_certificate(&read_certificate("p256"))
        .want_authn_requests_signed(true)
        .valid_until("2026-12-01T00:00:00.5Z".parse().expect("a time"))
        .technical_contact("ada@example.com")
        .organization("en", "A & B <C>", "https://www.example.com/")
        .build()
        .expect("metadata");
    let sp = SpMetadata::new("https://sp.example.com/")
        .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/acs")
        .assertion_consumer_service(binding::HTTP_ARTIFACT, "https://sp.example.com/acs")
        .name_id_format(name_id_format::PERSISTENT)
        .single_logout_service(binding::HTTP_POST, "https://sp.example.com/slo")
        .signing_certificate(&read_certificate("p256"))
        .valid_until("2026-12-01T00:00:00Z".parse().expect("a time"))
        .technical_contact("ada@example.com")
        .organization("en", "Example", "https://www.example.com/")
        .build()
        .expect("metadata");
    for built in [idp, sp] {
        assert_ne!(is_valid(built.bytes()), Some(false), "{}", built.text());
    }
}

#[test]
fn edited_metadata_stays_valid() {
    for (name, xml) in ALL {
        let document = document(xml);
        let mut edit = document.edit();
        for entity in document.entities() {
            edit = edit.set_attribute(entity.element(), "validUntil", "2026-12-01T00:00:00Z");
        }
        let edited = edit.apply().expect(name);
        assert_ne!(is_valid(edited.bytes()), Some(false), "{name}");
    }
}

#[test]
fn an_invalid_document_is_detected() {
    let broken = change(ALL[0].1, &[("entityID=", "entityName=")]);
    assert_ne!(is_valid(broken.as_bytes()), Some(true));
}
