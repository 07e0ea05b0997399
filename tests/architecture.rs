//! The arrows and invariants of docs/ARCHITECTURE.md, held by a machine.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder, with their text up to the unit tests at their end.
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

/// The lines of code, without comments, that have one of the words in them.
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
fn every_arrow_between_our_crates_is_in_the_picture() {
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
fn values_have_no_runtime_and_no_network() {
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
fn the_core_names_no_vendor_and_the_clients_know_one_each() {
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
        "somebody has to read it"
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
    let savers: Vec<String> = lines_with("src", &["store.save("])
        .into_iter()
        .filter(|line| !line.starts_with("src/pipeline/run.rs:") && !line.starts_with("src/state/"))
        .collect();
    assert_eq!(savers, Vec::<String>::new());
    // What the directory sync remembers is a file of its own; a step of it hands that to the pipeline.
    let keepers: Vec<String> = lines_with("src", &["store.put("])
        .into_iter()
        .filter(|line| {
            !line.starts_with("src/pipeline/run.rs:") && !line.starts_with("src/sync/apply.rs:")
        })
        .collect();
    assert_eq!(keepers, Vec::<String>::new());
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
