//! Makes `contract.json` again from the `OpenAPI` description of Okta and compares.
//!
//! The description is not in this repository. With its path in `OKTA_OPENAPI`, the test compares;
//! with `UPDATE_CONTRACT=1` as well, it writes the file. A new operation is a new key in the file,
//! such as `"GET /api/v1/apps": {}`, before the file is written.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test without async code")]

mod description;
mod types;

use std::{env, fmt::Write as _, fs, path::Path};

use description::Description;
use serde_json::{Map, Value, json};

#[test]
fn the_contract_is_the_extract_of_the_description() {
    let Ok(path) = env::var("OKTA_OPENAPI") else {
        eprintln!("skipped: OKTA_OPENAPI does not name Okta's OpenAPI description");
        return;
    };
    let description = Description::read(&fs::read_to_string(path).unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract.json");
    let contract: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let covered = contract["operations"].as_object().unwrap().keys();
    let made = text(&description, covered.map(String::as_str));
    if env::var_os("UPDATE_CONTRACT").is_some() {
        fs::write(&file, &made).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap() == made,
        "contract.json differs from the description: run this test with UPDATE_CONTRACT=1"
    );
}

/// Returns the text of the contract, with one line for each operation and each schema.
fn text<'a>(description: &Description, covered: impl Iterator<Item = &'a str>) -> String {
    let mut schemas = Map::new();
    let operations: Map<String, Value> = covered
        .map(|name| (name.to_owned(), description.operation(name, &mut schemas)))
        .collect();
    let refusal = json!({ "$ref": "#/components/schemas/Error" });
    let refusal = description.value_type(&refusal, &mut schemas);
    let about = description.about();
    let mut text = format!("{{\n\"description\": {about},\n\"refusal\": {refusal},\n");
    section(&mut text, "operations", operations);
    text.push_str(",\n");
    section(&mut text, "schemas", schemas);
    text.push_str("\n}\n");
    text
}

fn section(text: &mut String, name: &str, mut entries: Map<String, Value>) {
    entries.sort_keys();
    let lines: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{}: {value}", json!(key)))
        .collect();
    write!(text, "\"{name}\": {{\n{}\n}}", lines.join(",\n")).unwrap();
}
