//! The scopes that the docs of the methods name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::{coverage, operations};

/// Reads the public methods that send requests, such as `Apps::get`, with the scopes in their docs.
///
/// Such a method is in a type with the client's lifetime, and is async or returns a pager.
#[expect(
    clippy::disallowed_methods,
    reason = "the runtime of the test has no other task"
)]
fn documented(folder: &Path, methods: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documented(&path, methods);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let (mut owner, mut scopes) = ("", BTreeSet::new());
        for (start, line) in source.lines().scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some((start, line))
        }) {
            let line = line.trim();
            if let Some(name) = line.strip_prefix("impl ") {
                owner = name.strip_suffix("<'_> {").unwrap_or_default();
            }
            if let Some(text) = line
                .strip_prefix("/// Scope: ")
                .or(line.strip_prefix("/// Scopes: "))
            {
                scopes = text
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect();
            }
            let name = line
                .strip_prefix("pub async fn ")
                .or(line.strip_prefix("pub fn "));
            let Some(name) = name.and_then(|name| name.split(['(', '<']).next()) else {
                continue;
            };
            let signature = source[start..].split('{').next().unwrap();
            let sends = signature.contains("async fn") || signature.contains("-> Pager<");
            let scopes = std::mem::take(&mut scopes);
            if sends && !owner.is_empty() {
                methods.insert(format!("{owner}::{name}"), scopes);
            }
        }
    }
}

#[tokio::test]
async fn the_docs_of_each_method_name_the_scopes_of_its_operations() {
    let mut documented_scopes = BTreeMap::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    documented(&sources, &mut documented_scopes);
    let calls = coverage::calls().await;
    let known: BTreeSet<&str> = documented_scopes.keys().map(String::as_str).collect();
    let called: BTreeSet<&str> = calls.keys().copied().collect();
    assert_eq!(
        known, called,
        "the table in methods.rs has one call of each method"
    );
    for (method, called) in calls {
        let needed: BTreeSet<String> = called
            .iter()
            .flat_map(|name| operations()[*name]["scopes"].as_array().unwrap())
            .map(|scope| scope.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            documented_scopes[method], needed,
            "the scopes in the docs of {method}"
        );
    }
}
