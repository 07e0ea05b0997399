//! Real documents, which are not part of the project: without them these tests say that they skip.

use std::{fs, path::PathBuf};

use saml_metadata::{Document, Profile, read, validate};

/// The row of one document in the corpus' index.
struct Row {
    file: String,
    kind: String,
    entities: usize,
    schema: String,
}

fn corpus() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/saml");
    if folder.join("index.tsv").exists() {
        return Some(folder);
    }
    println!("skipped: there is no corpus at {}", folder.display());
    None
}

fn rows(folder: &PathBuf) -> Vec<(Row, Vec<u8>)> {
    let index = fs::read_to_string(folder.join("index.tsv")).expect("the index");
    index
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let row = Row {
                file: columns[0].to_owned(),
                kind: columns[4].to_owned(),
                entities: columns[6].parse().unwrap_or(0),
                schema: columns[7].to_owned(),
            };
            // The index lists more documents than were picked.
            let bytes = fs::read(folder.join(&row.file)).ok()?;
            Some((row, bytes))
        })
        .collect()
}

fn now() -> jiff::Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

/// Returns what the document breaks of the schema itself.
fn schema_errors(document: &Document) -> Vec<String> {
    validate(document, Profile::SamlCore, now())
        .into_iter()
        .filter(|finding| finding.is_error())
        .map(|finding| finding.to_string())
        .collect()
}

#[test]
fn dump() {
    let Some(folder) = corpus() else { return };
    for (row, bytes) in rows(&folder) {
        match read(&bytes) {
            Err(e) => println!("{} [{}] {}: UNREADABLE {e}", row.file, row.kind, row.schema),
            Ok(d) => {
                let n = d.entities().count();
                if n != row.entities { println!("{} entities {} vs {}", row.file, n, row.entities); }
                assert_eq!(d.bytes(), bytes);
                for e in schema_errors(&d) {
                    println!("{} [{}] {}: {}", row.file, row.kind, row.schema, e);
                }
            }
        }
    }
}
