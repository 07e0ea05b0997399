//! Enforces the dependencies and invariants of docs/ARCHITECTURE.md, and the language rules of CONTRIBUTING.md.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the Rust files below a folder, with their text up to the unit tests at their end.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let code = text
                    .split("#[cfg(test)]\nmod tests")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                found.push((
                    path.strip_prefix(root())
                        .expect("a path of ours")
                        .display()
                        .to_string(),
                    code,
                ));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no source files");
    found.sort();
    found
}

/// Returns the lines of code, without comments, that contain one of the words.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

fn dependencies(package: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("a manifest in TOML");
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table
        .into_iter()
        .flat_map(|table| table.keys().cloned())
        .collect()
}

const OURS: [&str; 8] = [
    "okta-aws-sso",
    "rest-core",
    "okta-client",
    "scim-types",
    "scim-client",
    "saml-metadata",
    "aws-sso-glue",
    "sandbox",
];

#[test]
fn every_dependency_between_the_crates_is_allowed() {
    let allowed: [(&str, &[&str]); 8] = [
        (
            ".",
            &[
                "aws-sso-glue",
                "okta-client",
                "rest-core",
                "saml-metadata",
                "scim-client",
                "scim-types",
            ],
        ),
        ("rest-core", &[]),
        ("okta-client", &["rest-core"]),
        ("scim-types", &[]),
        ("scim-client", &["rest-core", "scim-types"]),
        ("saml-metadata", &[]),
        ("aws-sso-glue", &["rest-core"]),
        ("sandbox", &[]),
    ];
    for (package, allowed) in allowed {
        let ours: BTreeSet<String> = dependencies(package)
            .into_iter()
            .filter(|name| OURS.contains(&name.as_str()))
            .collect();
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        assert_eq!(ours, allowed, "{package}");
    }
}

#[test]
fn scim_types_and_saml_metadata_have_no_async_and_no_network() {
    for package in ["scim-types", "saml-metadata"] {
        for forbidden in ["tokio", "reqwest", "futures", "http", "axum"] {
            assert!(
                !dependencies(package).contains(forbidden),
                "{package} depends on {forbidden}"
            );
        }
        assert_eq!(
            lines_with(
                &format!("{package}/src"),
                &["async fn", ".await", "async move"]
            ),
            Vec::<String>::new()
        );
    }
}

#[test]
fn no_crate_has_an_import_circle() {
    for folder in [
        "src",
        "rest-core/src",
        "okta-client/src",
        "scim-client/src",
        "aws-sso-glue/src",
        "sandbox/src",
    ] {
        let mut imports = imports_of(folder);
        // A module that imports no other remaining module is in no circle.
        loop {
            let remaining: BTreeSet<String> = imports.keys().cloned().collect();
            let before = imports.len();
            imports.retain(|module, used| {
                used.retain(|name| remaining.contains(name) && name != module);
                !used.is_empty()
            });
            if imports.len() == before {
                break;
            }
        }
        assert_eq!(imports, BTreeMap::new(), "{folder} has an import circle");
    }
}

/// Returns the top-level modules of a crate, each with the top-level modules that it imports outside its tests.
fn imports_of(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = regex::Regex::new(r"\bcrate::(\{[^;]*\}|\w+)").expect("a pattern");
    let exports =
        regex::Regex::new(r"pub(?:\(crate\))? use (\w+)::(\{[^}]*\}|\w+)").expect("a pattern");
    let word = regex::Regex::new(r"\w+").expect("a pattern");
    let files = sources(folder);
    let mut module_of: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in &files {
        if file.ends_with("src/lib.rs") {
            for export in exports.captures_iter(text) {
                for name in word.find_iter(&export[2]) {
                    module_of.insert(name.as_str().to_owned(), export[1].to_owned());
                }
            }
        }
    }
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in &files {
        let inner = file
            .split_once("src/")
            .map_or(file.as_str(), |(_, inner)| inner);
        let module = inner
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs");
        if module == "lib" || inner.contains("tests/") || inner.ends_with("tests.rs") {
            continue;
        }
        let code: String = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        for import in path.captures_iter(&code) {
            for name in top_level_names(&import[1]) {
                let used = module_of.get(&name).cloned().unwrap_or(name);
                imports.entry(module.to_owned()).or_default().insert(used);
            }
        }
    }
    imports
}

/// Returns the first names of an import: of `{a::{b, c}, d}`, `a` and `d`.
fn top_level_names(import: &str) -> Vec<String> {
    let Some(list) = import.strip_prefix('{') else {
        return vec![import.to_owned()];
    };
    let (mut names, mut name, mut depth) = (Vec::new(), String::new(), 0);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => names.push(std::mem::take(&mut name)),
            _ if depth == 0 => name.push(c),
            _ => {}
        }
    }
    let first = |name: String| {
        let end = name.trim().find(|c: char| c != '_' && !c.is_alphanumeric());
        let name = name.trim();
        name[..end.unwrap_or(name.len())].to_owned()
    };
    names
        .into_iter()
        .map(first)
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn the_aws_sdk_is_in_one_crate() {
    for package in OURS.iter().filter(|package| **package != "aws-sso-glue") {
        let folder = if *package == "okta-aws-sso" {
            "."
        } else {
            package
        };
        let sdk: Vec<String> = dependencies(folder)
            .into_iter()
            .filter(|name| {
                name.starts_with("aws-") && name != "aws-sso-glue" && name != "aws-lc-rs"
            })
            .collect();
        assert_eq!(sdk, Vec::<String>::new(), "{package}");
    }
}

#[test]
fn rest_core_names_no_vendor_and_each_client_knows_one_vendor() {
    let words = [
        "okta", "Okta", "OKTA", "aws", "AWS", "amazon", "scim", "SCIM",
    ];
    assert_eq!(lines_with("rest-core/src", &words), Vec::<String>::new());
    assert_eq!(
        lines_with("aws-sso-glue/src", &["okta", "Okta", "OKTA"]),
        Vec::<String>::new()
    );
    assert_eq!(
        lines_with(
            "okta-client/src",
            &["amazon_aws", "awsapps", "IdentityCenter", "AWS"]
        ),
        Vec::<String>::new()
    );
}

#[test]
fn the_clock_is_read_in_one_file() {
    let words = [
        "SystemTime::now(",
        "Instant::now(",
        "Timestamp::now(",
        "tokio::time::sleep",
        "time::sleep(",
        "thread::sleep",
    ];
    for folder in [
        "src",
        "rest-core/src",
        "okta-client/src",
        "scim-client/src",
        "scim-types/src",
        "saml-metadata/src",
        "aws-sso-glue/src",
    ] {
        let found: Vec<String> = lines_with(folder, &words)
            .into_iter()
            .filter(|line| !line.starts_with("rest-core/src/clock.rs:"))
            .collect();
        assert_eq!(found, Vec::<String>::new(), "{folder}");
    }
    assert!(
        !lines_with("rest-core/src", &words).is_empty(),
        "the clock is read in rest-core/src/clock.rs"
    );
}

#[test]
fn a_step_never_sleeps_prints_or_saves() {
    let words = [
        ".sleep(",
        "println!",
        "eprintln!",
        "print!",
        "std::fs",
        "StateStore",
        "std::io",
    ];
    assert_eq!(lines_with("src/steps", &words), Vec::<String>::new());
}

#[test]
fn only_the_pipeline_saves_state() {
    let savers: Vec<String> = lines_with("src", &["lock.save("])
        .into_iter()
        .filter(|line| {
            !line.starts_with("src/pipeline/saver.rs:") && !line.starts_with("src/state/")
        })
        .collect();
    assert_eq!(savers, Vec::<String>::new());
    // The sync state is a separate file. Its step passes the file to the pipeline.
    let writers: Vec<String> = lines_with("src", &["lock.put("])
        .into_iter()
        .filter(|line| {
            !line.starts_with("src/pipeline/saver.rs:")
                && !line.starts_with("src/sync/apply/run.rs:")
                && !line.starts_with("src/state/")
        })
        .collect();
    assert_eq!(writers, Vec::<String>::new());
}

#[test]
fn the_state_and_the_plan_have_no_place_for_a_secret() {
    for (folder, file) in [
        ("src/state", "src/state/"),
        ("src", "src/plan.rs"),
        ("src", "src/state.rs"),
    ] {
        let found: Vec<String> = lines_with(folder, &["Secret;", "Secret>", ": Secret", "expose("])
            .into_iter()
            .filter(|line| line.starts_with(file))
            .collect();
        assert_eq!(found, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn nothing_is_unfinished_and_no_test_is_ignored() {
    for folder in [
        "src",
        "rest-core",
        "okta-client",
        "scim-client",
        "scim-types",
        "saml-metadata",
        "aws-sso-glue",
        "sandbox",
        "examples",
        "tests",
    ] {
        let words = [
            concat!("todo", "!("),
            concat!("unimplemented", "!("),
            concat!("#[ign", "ore"),
        ];
        assert_eq!(lines_with(folder, &words), Vec::<String>::new(), "{folder}");
    }
}

#[test]
fn every_public_async_function_is_checked_to_be_send() {
    let listed = fs::read_to_string(root().join("tests/it/send.rs")).expect("tests/it/send.rs");
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in [
        "src",
        "rest-core/src",
        "okta-client/src",
        "scim-client/src",
        "aws-sso-glue/src",
        "sandbox/src",
    ] {
        for (path, text) in sources(folder) {
            for line in text.lines() {
                if let Some(rest) = line.trim_start().strip_prefix("pub async fn ") {
                    let name = rest.split(['(', '<']).next().unwrap_or_default();
                    defined
                        .entry(name.to_owned())
                        .or_default()
                        .push(path.clone());
                }
            }
        }
    }
    assert!(!defined.is_empty());
    for (name, paths) in defined {
        let calls = Regex::new(&format!(r"[.:]{name}\(")).expect("a pattern");
        let checked = calls.find_iter(&listed).count();
        assert!(
            checked >= paths.len(),
            "tests/it/send.rs checks {checked} of {} functions `{name}`: {paths:?}",
            paths.len()
        );
    }
}

/// Words that make readers decode a sentence before they learn its fact (CONTRIBUTING.md, "Language").
///
/// One phrase per entry: string literals of four words or more count as messages.
const UNCLEAR: [&str; 36] = [
    "nobody",
    "somebody",
    "everybody",
    "whoever",
    "whom",
    "anew",
    "anybody",
    "who is gone",
    "who are gone",
    "what is gone",
    "is gone",
    "are gone",
    "came true",
    "come true",
    "comes true",
    "unless told otherwise",
    "unless said otherwise",
    "by itself who",
    "those who",
    "he who",
    "in whose",
    "of whom",
    "to whom",
    "traveler",
    "travelers",
    "traveller",
    "travellers",
    "stranger",
    "strangers",
    "of one's own",
    "a person",
    "a person is",
    "a person has",
    "a person's",
    "the moment",
    "by hand over",
];

/// First words of a paragraph that hide its subject. A question may start with them.
const HEADLESS: [&str; 9] = [
    "Who",
    "Whoever",
    "What",
    "Whatever",
    "Nobody",
    "Somebody",
    "Those",
    "Whom",
    "Everybody",
];

/// The figures of one folder: comment lines or lines of Markdown, and string literals of four words or more.
#[derive(Default)]
struct Language {
    lines: usize,
    unclear: Vec<String>,
    headless: Vec<String>,
    messages: usize,
    unclear_messages: Vec<String>,
}

fn project_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            // Build output and hidden folders are not part of the project.
            if name != "target" && !name.starts_with('.') {
                project_files(&path, found);
            }
        } else if name.ends_with(".rs") || name.ends_with(".md") {
            found.push(path);
        }
    }
}

fn count_language(path: &Path, unclear: &Regex, literal: &Regex, figures: &mut Language) {
    let text = fs::read_to_string(path).expect("a text file");
    let rust = path.extension().is_some_and(|extension| extension == "rs");
    let (mut fenced, mut previous) = (false, None);
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}: {}", path.display(), number + 1, line.trim());
        let comment = line.trim_start().strip_prefix("//");
        if rust && comment.is_none() {
            for found in literal.captures_iter(line) {
                if found[1].split_whitespace().count() >= 4 {
                    figures.messages += 1;
                    if unclear.is_match(&found[1]) {
                        figures.unclear_messages.push(place());
                    }
                }
            }
            continue;
        }
        let prose = if let Some(comment) = comment.filter(|_| rust) {
            comment.trim_start_matches(['/', '!']).trim()
        } else if line.starts_with("```") {
            fenced = !fenced;
            continue;
        } else if fenced {
            continue;
        } else {
            line.trim_matches([' ', '#', '>', '*', '-', '|'])
        };
        if prose.is_empty() {
            continue;
        }
        figures.lines += 1;
        if unclear.is_match(prose) {
            figures.unclear.push(place());
        }
        let first = prose.split(|c: char| !c.is_alphanumeric()).next();
        let starts_paragraph = number == 0 || previous != Some(number - 1);
        let possessive = first.is_some_and(|first| prose[first.len()..].starts_with("'s "));
        if starts_paragraph
            && first.is_some_and(|first| HEADLESS.contains(&first))
            && !possessive
            && !prose.ends_with('?')
        {
            figures.headless.push(place());
        }
        previous = Some(number);
    }
}

#[test]
fn comments_docs_and_messages_use_plain_language() {
    let unclear = Regex::new(&format!(r"(?i)\b(?:{})\b", UNCLEAR.join("|"))).expect("a pattern");
    let literal = Regex::new(r#""((?:[^"\\]|\\.)*)""#).expect("a pattern");
    let mut paths = Vec::new();
    project_files(root(), &mut paths);
    paths.sort();
    let mut folders: BTreeMap<String, Language> = BTreeMap::new();
    for path in paths {
        let relative = path.strip_prefix(root()).expect("a path of the project");
        let top = match relative.components().count() {
            0 | 1 => "(top)".into(),
            _ => relative.iter().next().unwrap_or_default().to_string_lossy(),
        };
        let figures = folders.entry(top.into_owned()).or_default();
        count_language(&path, &unclear, &literal, figures);
    }
    let mut faults = Vec::new();
    for (folder, figures) in folders.iter().filter(|(_, figures)| figures.lines >= 50) {
        for (what, found, allowed) in [
            ("unclear lines", &figures.unclear, 2 * figures.lines / 1000),
            (
                "headless paragraphs",
                &figures.headless,
                (figures.lines / 1000).max(1),
            ),
            (
                "unclear messages",
                &figures.unclear_messages,
                2 * figures.messages / 1000,
            ),
        ] {
            if found.len() > allowed {
                faults.push(format!(
                    "{folder}: {} {what}, at most {allowed}:\n  {}",
                    found.len(),
                    found.join("\n  ")
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns each sentence under "Guarantees" in the README, without links.
fn guarantees() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let section = readme.split("## Guarantees\n").nth(1).expect("the section");
    let section = section.split("\n[`docs/").next().unwrap_or_default();
    let link = Regex::new(r" \(\[[^\]]*\]\([^)]*\)\)").expect("a pattern");
    let end = Regex::new(r"\.\s+([A-Z])").expect("a pattern");
    let points = section.split("\n- ").skip(1);
    points
        .flat_map(|point| {
            let point = link
                .replace_all(&point.replace("\n  ", " "), "")
                .into_owned();
            let sentences = end.replace_all(point.trim(), ".\n$1").into_owned();
            sentences.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_guarantee_of_the_readme_has_tests() {
    let promises = fs::read_to_string(root().join("docs/PROMISES.md")).expect("the promises");
    let rows: Vec<&str> = promises
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let guarantees = guarantees();
    // Each row is a sentence; the first two lines are the head of the table.
    assert_eq!(rows.len(), guarantees.len() + 2, "{guarantees:#?}");
    for guarantee in guarantees {
        let promise = format!("| {guarantee} | `");
        let is_row = |row: &&str| row.starts_with(&promise);
        assert_eq!(
            rows.iter().filter(|row| is_row(row)).count(),
            1,
            "docs/PROMISES.md: {guarantee}"
        );
    }
    let mut paths = Vec::new();
    project_files(&root().join("src"), &mut paths);
    for folder in ["tests", "cli/tests", "aws-sso-glue/src"] {
        project_files(&root().join(folder), &mut paths);
    }
    let read = |path| fs::read_to_string(path).expect("a text file");
    let tests: String = paths.iter().map(read).collect();
    let name = Regex::new("[|,] `([a-z_]+)`").expect("a pattern");
    for found in name.captures_iter(&promises) {
        let definition = format!("fn {}(", &found[1]);
        assert!(
            tests.contains(&definition),
            "there is no test `{}`",
            &found[1]
        );
    }
}
