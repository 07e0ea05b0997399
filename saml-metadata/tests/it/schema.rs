//! Validation with xmllint and the XML schemas. Neither is part of the project; without them, these
//! tests print that they are skipped.
//!
//! `SAML_XSD` names the file with the imports of all schemas.

mod mutants;

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use saml_metadata::{
    Profile,
    names::{binding, name_id_format},
    read, validate,
    write::{IdpMetadata, SpMetadata},
};

use crate::support::{ALL, change, document, now, read_certificate};

/// Returns whether xmllint finds a document valid, or `None` if xmllint or the schemas are missing.
fn is_valid(xml: &[u8]) -> Option<bool> {
    Some(are_valid(&[xml.to_vec()])?[0])
}

/// Returns which documents xmllint finds valid, or `None` if xmllint or the schemas are missing.
#[expect(clippy::print_stdout, reason = "a skipped test prints why")]
fn are_valid(documents: &[Vec<u8>]) -> Option<Vec<bool>> {
    let driver = std::env::var_os("SAML_XSD").map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../../shared/corpus/saml-xsd/all-metadata-driver.xsd")
        },
        PathBuf::from,
    );
    let has_program = || Command::new("xmllint").arg("--version").output().is_ok();
    if !driver.exists() || !has_program() {
        println!("skipped: xmllint or {} is missing", driver.display());
        return None;
    }
    // Every test has its own thread, so the folders are different.
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "schema-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    fs::create_dir_all(&folder).expect("a folder");
    let names: Vec<String> = (0..documents.len()).map(|n| format!("{n}.xml")).collect();
    for (name, xml) in names.iter().zip(documents) {
        fs::write(folder.join(name), xml).expect("a file");
    }
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(fs::canonicalize(&driver).expect("a path"))
        .args(&names)
        .current_dir(&folder)
        .output()
        .expect("xmllint runs");
    fs::remove_dir_all(&folder).expect("the folder is removed");
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    let valid: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.strip_suffix(" validates"))
        .collect();
    Some(
        names
            .iter()
            .map(|name| valid.contains(&name.as_str()))
            .collect(),
    )
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

/// The rules that check the schema.
const SCHEMA_RULES: [&str; 4] = ["MD-ROOT-03", "MD-ROOT-04", "MD-ROOT-05", "MD-EXT-02"];

#[test]
fn at_least_97_of_100_mutants_that_the_schema_refuses_have_an_error() {
    const NUMBER: usize = 2_000;
    let signed = include_str!("../fixtures/signature/xmlsec1-rsa-sha256.xml");
    let sources: Vec<&str> = ALL.iter().map(|(_, xml)| *xml).chain([signed]).collect();
    let mutants = mutants::draw(&sources, NUMBER, 20_261_124);
    let documents: Vec<Vec<u8>> = mutants
        .iter()
        .map(|mutant| mutant.xml.clone().into_bytes())
        .collect();
    let Some(valid) = are_valid(&documents) else {
        return;
    };
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for (mutant, is_valid) in mutants.iter().zip(valid) {
        let errors: Vec<String> = match read(mutant.xml.as_bytes()) {
            Err(error) => vec![error.to_string()],
            Ok(document) => validate(&document, Profile::SamlCore, now())
                .into_iter()
                .filter(saml_metadata::Finding::is_error)
                .map(|finding| finding.to_string())
                .collect(),
        };
        if is_valid {
            // xmllint skips characters that are not base64.
            let is_schema_error = |error: &&String| {
                SCHEMA_RULES.iter().any(|rule| error.contains(rule))
                    && !error.ends_with("not base64")
            };
            wrong.extend(
                errors
                    .iter()
                    .find(is_schema_error)
                    .map(|error| format!("{} of {}: {error}", mutant.kind, mutant.place)),
            );
            continue;
        }
        let (all, found) = counts.entry(mutant.kind).or_default();
        *all += 1;
        if errors.is_empty() {
            missed.push(format!("{} of {}", mutant.kind, mutant.place));
        } else {
            *found += 1;
        }
    }
    missed.sort_unstable();
    let (all, found) = counts
        .values()
        .fold((0, 0), |sum, (all, found)| (sum.0 + all, sum.1 + found));
    println!("{found} of {all} invalid mutants have an error: {counts:#?}\nmissed: {missed:#?}");
    assert!(
        wrong.is_empty(),
        "valid mutants have schema errors: {wrong:#?}"
    );
    assert!(all > NUMBER / 2, "only {all} mutants are invalid");
    assert!(
        found * 100 >= all * 97,
        "only {found} of {all} invalid mutants have an error: {missed:#?}"
    );
}
