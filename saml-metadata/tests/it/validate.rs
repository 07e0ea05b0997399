//! Each validation rule, with a document that passes it and documents that break it.

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

/// Replacements that break a rule, and the expected findings.
type Break<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// Checks the findings of one rule in document order, each as `severity: message`.
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

/// Checks a rule in [`Profile::SamlCore`]: a document that passes it, and changes that break it.
#[track_caller]
fn core(rule: &str, passing: &str, breaks: &[Break<'_>]) {
    in_profile(Profile::SamlCore, rule, passing, breaks);
}

/// Checks a rule in a profile: a document that passes it, and changes that break it.
#[track_caller]
fn in_profile(profile: Profile, rule: &str, passing: &str, breaks: &[Break<'_>]) {
    expect(profile, passing, rule, &[]);
    for (replacements, expected) in breaks {
        expect(
            profile,
            &support::change(passing, replacements),
            rule,
            expected,
        );
    }
}

/// Rules that the parser enforces while it reads; other modules test them.
const PARSER_RULES: [&str; 4] = ["MD-XML-01", "MD-XML-02", "MD-XML-03", "MD-XML-04"];

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
        .filter(|id| !PARSER_RULES.contains(id) && !tests.contains(&format!("\"{id}\"")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
