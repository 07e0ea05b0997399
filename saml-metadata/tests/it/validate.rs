//! Every rule, with a document that keeps it and documents that break it.

mod consumer;
mod document;
mod endpoint;
mod entity;
mod extension;
mod finding;
mod key;
mod other_consumers;
mod role;
mod sso;

use saml_metadata::{Profile, rules, validate};

use crate::support::{self, now};

/// Replacements in a document, and what a rule says then.
type Break<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// Checks what one rule has against a document: `severity: message` in the document's order.
#[track_caller]
fn expect(profile: Profile, xml: &str, rule: &str, expected: &[&str]) {
    let document = support::document(xml);
    let found: Vec<String> = validate(&document, profile, now())
        .into_iter()
        .filter(|finding| finding.rule.as_str() == rule)
        .map(|finding| format!("{}: {}", finding.severity, finding.message))
        .collect();
    assert_eq!(found, expected, "{rule}");
}

/// Checks a rule of the specification: a document that keeps it, and changes that break it.
#[track_caller]
fn core(rule: &str, keeps: &str, breaks: &[Break<'_>]) {
    of(Profile::SamlCore, rule, keeps, breaks);
}

/// Checks a rule in a profile: a document that keeps it, and changes that break it.
#[track_caller]
fn of(profile: Profile, rule: &str, keeps: &str, breaks: &[Break<'_>]) {
    expect(profile, keeps, rule, &[]);
    for (replacements, expected) in breaks {
        expect(
            profile,
            &support::change(keeps, replacements),
            rule,
            expected,
        );
    }
}

/// The rules that the reader itself holds; they have tests of their own.
const OF_THE_READER: [&str; 4] = ["MD-XML-01", "MD-XML-02", "MD-XML-03", "MD-XML-04"];

#[test]
fn every_rule_has_a_test() {
    let tests = [
        include_str!("validate/consumer.rs"),
        include_str!("validate/document.rs"),
        include_str!("validate/endpoint.rs"),
        include_str!("validate/entity.rs"),
        include_str!("validate/extension.rs"),
        include_str!("validate/key.rs"),
        include_str!("validate/other_consumers.rs"),
        include_str!("validate/role.rs"),
        include_str!("validate/sso.rs"),
    ]
    .concat();
    let missing: Vec<&str> = rules()
        .map(|rule| rule.id.as_str())
        .filter(|id| !OF_THE_READER.contains(id) && !tests.contains(&format!("\"{id}\"")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
