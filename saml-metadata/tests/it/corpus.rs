//! Tests on a corpus of real documents. The corpus is not part of the project; without it, these
//! tests print that they are skipped.

use std::{collections::BTreeSet, fs, path::PathBuf};

use saml_metadata::{Profile, ReadErrorKind, Severity, read, validate};

use crate::support::now;

/// A document of the corpus and its row in the index.
struct Sample {
    file: String,
    entities: usize,
    schema: String,
    bytes: Vec<u8>,
}

#[expect(clippy::print_stdout, reason = "a skipped test prints why")]
fn corpus() -> Option<Vec<Sample>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/saml");
    let Ok(index) = fs::read_to_string(folder.join("index.tsv")) else {
        println!("skipped: there is no corpus at {}", folder.display());
        return None;
    };
    let sample = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, _, _, _, _, _, entities, schema, ..] = columns[..] else {
            panic!("the index line has too few columns: {line:?}");
        };
        Some(Sample {
            file: file.to_owned(),
            entities: entities.parse().ok()?,
            schema: schema.to_owned(),
            // The index also lists documents that are not in the folder.
            bytes: fs::read(folder.join(file)).ok()?,
        })
    };
    Some(index.lines().skip(1).filter_map(sample).collect())
}

#[test]
fn every_schema_valid_document_is_read_and_written_back_byte_for_byte() {
    let Some(samples) = corpus() else { return };
    let mut count = 0;
    for sample in samples.iter().filter(|sample| sample.schema == "valid") {
        let document = match read(&sample.bytes) {
            Ok(document) => document,
            Err(error) => panic!("{}: {error}", sample.file),
        };
        let unchanged = document.edit().apply().expect("nothing changed");
        assert!(document.bytes() == sample.bytes, "{}", sample.file);
        assert!(unchanged.bytes() == sample.bytes, "{}", sample.file);
        assert_eq!(
            document.entities().count(),
            sample.entities,
            "{}",
            sample.file
        );
        count += 1;
    }
    assert!(count > 100, "only {count} documents");
}

#[test]
fn the_schema_rules_agree_with_the_schema() {
    /// Rules that no schema can check: a schema-valid document may break them.
    const NOT_IN_SCHEMA: [&str; 22] = [
        "MD-TIME-02",
        "MD-ENT-02",
        "MD-ENT-05",
        "MD-ENT-08",
        "MD-ROLE-01",
        "MD-ROLE-02",
        "MD-EP-01",
        "MD-EP-05",
        "MD-EP-07",
        "MD-EP-08",
        "MD-EP-11",
        "MD-IDP-03",
        "MD-SP-04",
        "MD-KEY-06",
        "MD-ROOT-09",
        "MD-UI-01",
        "MD-UI-03",
        "MD-UI-04",
        "MD-UI-05",
        "MD-RPI-02",
        "MD-SHIB-01",
        "MD-ATTR-01",
    ];
    /// Rules about the contents of keys and certificates, which the schema does not check either.
    const KEY_CONTENTS: [&str; 3] = ["MD-KEY-02", "MD-KEY-03", "MD-KEY-04"];

    let Some(samples) = corpus() else { return };
    for sample in samples {
        let Ok(document) = read(&sample.bytes) else {
            assert_ne!(sample.schema, "valid", "{}", sample.file);
            continue;
        };
        let errors: Vec<String> = validate(&document, Profile::SamlCore, now())
            .into_iter()
            .filter(saml_metadata::Finding::is_error)
            .map(|finding| finding.to_string())
            .collect();
        let is_schema_error = |error: &&String| {
            NOT_IN_SCHEMA
                .iter()
                .chain(&KEY_CONTENTS)
                .all(|rule| !error.contains(rule))
        };
        match sample.schema.as_str() {
            "valid" => {
                let wrong: Vec<&String> = errors.iter().filter(is_schema_error).collect();
                assert!(wrong.is_empty(), "{}: {wrong:?}", sample.file);
            }
            "invalid" => {
                assert!(!errors.is_empty(), "{} has no error", sample.file);
            }
            _ => {}
        }
    }
}

#[test]
fn attacks_are_refused_or_read_as_one_unchanged_entity() {
    let Some(samples) = corpus() else { return };
    for sample in samples.iter().filter(|sample| sample.schema == "attack") {
        match read(&sample.bytes) {
            Ok(document) => {
                assert!(document.bytes() == sample.bytes, "{}", sample.file);
                // An entity inside an extension or a signature does not count as an entity of the document.
                assert_eq!(document.entities().count(), 1, "{}", sample.file);
                let _ = validate(&document, Profile::AwsIdentityCenter, now());
            }
            Err(error) => {
                assert_eq!(error.kind(), ReadErrorKind::Doctype, "{}", sample.file);
            }
        }
    }
}

#[test]
fn okta_and_aws_documents_have_no_errors() {
    let Some(samples) = corpus() else { return };
    for (file, profile) in [
        ("SYNTHETIC__okta-idp.xml", Profile::Okta),
        ("SYNTHETIC__okta-idp.xml", Profile::AwsIdentityCenter),
        (
            "SYNTHETIC__aws-iic-sp-multiregion-2026.xml",
            Profile::AwsIdentityCenterSp,
        ),
    ] {
        let sample = samples
            .iter()
            .find(|sample| sample.file == file)
            .expect(file);
        let document = read(&sample.bytes).expect(file);
        let errors: Vec<String> = validate(&document, profile, now())
            .into_iter()
            .filter(saml_metadata::Finding::is_error)
            .map(|finding| finding.to_string())
            .collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
    }
}

/// The snapshot has a line for each document that is not schema-valid: the kind of read error, or
/// the rules of [`Profile::SamlCore`] that the document breaks.
#[test]
fn every_invalid_document_is_refused_or_has_findings() {
    let Some(samples) = corpus() else { return };
    let mut lines: Vec<String> = samples
        .iter()
        .filter(|sample| sample.schema != "valid")
        .map(|sample| {
            let result = match read(&sample.bytes) {
                Err(error) => format!("refused, {:?}", error.kind()),
                Ok(document) => {
                    let rules: BTreeSet<String> = validate(&document, Profile::SamlCore, now())
                        .into_iter()
                        .filter(|finding| finding.severity > Severity::Info)
                        .map(|finding| finding.rule.to_string())
                        .collect();
                    rules.into_iter().collect::<Vec<_>>().join(" ")
                }
            };
            format!("{}: {result}", sample.file)
        })
        .collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"));
}
