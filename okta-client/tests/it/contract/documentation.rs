//! The docs of the methods: the scopes that they name, and their examples.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::{coverage, operations};

/// The lines of the docs of each public method that sends requests, such as `Apps::get`.
///
/// Such a method is in a type with the client's lifetime, and is async or returns a pager.
fn documented() -> BTreeMap<String, Vec<String>> {
    let mut methods = BTreeMap::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read_folder(&sources, &mut methods);
    methods
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runtime of the test has no other task"
)]
fn read_folder(folder: &Path, methods: &mut BTreeMap<String, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, methods);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let (mut owner, mut docs) = ("", Vec::new());
        for (start, line) in source.lines().scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some((start, line))
        }) {
            let line = line.trim();
            if let Some(name) = line.strip_prefix("impl ") {
                owner = name.strip_suffix("<'_> {").unwrap_or_default();
            }
            if let Some(text) = line.strip_prefix("///") {
                docs.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
            } else if line.is_empty() {
                docs.clear();
            }
            let name = line
                .strip_prefix("pub async fn ")
                .or(line.strip_prefix("pub fn "));
            let Some(name) = name.and_then(|name| name.split(['(', '<']).next()) else {
                continue;
            };
            let signature = source[start..].split('{').next().unwrap();
            let sends = signature.contains("async fn") || signature.contains("-> Pager<");
            let docs = std::mem::take(&mut docs);
            if sends && !owner.is_empty() {
                methods.insert(format!("{owner}::{name}"), docs);
            }
        }
    }
}

/// Returns the scopes that the docs of a method name.
fn scopes(docs: &[String]) -> BTreeSet<String> {
    let line = docs
        .iter()
        .find_map(|line| (line.strip_prefix("Scope: ")).or(line.strip_prefix("Scopes: ")));
    let names = line.into_iter().flat_map(|text| text.split('`'));
    names.skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the visible lines of the examples that are compiled and run.
///
/// An example with a word after its fence, such as `no_run` or `ignore`, is not one of them.
fn examples(docs: &[String]) -> impl Iterator<Item = &str> {
    let mut fence = None;
    docs.iter().filter_map(move |line| {
        match (line.strip_prefix("```"), fence) {
            (Some(word), None) => fence = Some(word),
            (Some(_), Some(_)) => fence = None,
            (None, Some("")) if !line.starts_with('#') => return Some(line.as_str()),
            (None, _) => {}
        }
        None
    })
}

#[tokio::test]
async fn the_docs_of_each_method_name_the_scopes_of_its_operations() {
    let documented = documented();
    let calls = coverage::calls().await;
    let known: BTreeSet<&str> = documented.keys().map(String::as_str).collect();
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
            scopes(&documented[method]),
            needed,
            "the scopes in the docs of {method}"
        );
    }
}

#[test]
fn the_docs_of_each_method_have_an_example_that_runs_and_calls_it() {
    let has_none = |(method, docs): &(&String, &Vec<String>)| {
        let (_, name) = method.split_once("::").unwrap();
        let call = format!(".{name}(");
        !examples(docs).any(|line| line.contains(&call))
    };
    let documented = documented();
    let without: Vec<&String> = documented
        .iter()
        .filter(has_none)
        .map(|(method, _)| method)
        .collect();
    assert!(
        without.is_empty(),
        "add an example that runs and calls the method to the docs of {without:?}"
    );
}
