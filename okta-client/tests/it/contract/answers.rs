//! The answers of the sandbox, compared with the types that Okta's description gives them.
//!
//! Each difference is a fault of the sandbox, or stands in `deviations.rs` with its reason.

mod compare;
mod deviations;
mod script;

use std::collections::BTreeSet;

use self::deviations::DEVIATIONS;
use super::{CONTRACT, operations};

#[tokio::test]
async fn the_answers_of_the_sandbox_are_those_of_the_description() {
    let org = script::run().await;
    let deviations = DEVIATIONS.iter();
    let known: Vec<&str> = deviations
        .flat_map(|deviation| deviation.differences)
        .copied()
        .collect();
    let unknown: Vec<String> = (org.differences.iter())
        .filter(|(difference, _)| !known.contains(&difference.as_str()))
        .map(|(difference, request)| format!("{difference} ({request})"))
        .collect();
    assert!(
        unknown.is_empty(),
        "deviations.rs does not have:\n{}",
        unknown.join("\n")
    );
    let unused: Vec<&&str> = (known.iter())
        .filter(|difference| !org.differences.contains_key(**difference))
        .collect();
    assert!(unused.is_empty(), "no answer shows {unused:#?}");

    let described: BTreeSet<&str> = operations().keys().map(String::as_str).collect();
    let missing: BTreeSet<&str> = described.difference(&org.answered).copied().collect();
    assert!(missing.is_empty(), "no answer of {missing:#?}");
    eprintln!(
        "{} covered operations answered {} documents, which differ in {} ways from Okta's description {}",
        org.answered.len(),
        org.documents,
        known.len(),
        CONTRACT["description"]["version"],
    );
}

#[test]
fn each_deviation_is_listed_once_with_a_reason_and_a_source() {
    let mut seen = BTreeSet::new();
    for deviation in DEVIATIONS {
        assert!(!deviation.reason.is_empty() && !deviation.source.is_empty());
        for difference in deviation.differences {
            assert!(seen.insert(difference), "{difference}");
        }
    }
}
