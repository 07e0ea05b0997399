//! Generates the documentation page of every rule from the rule table and from tested examples.
//!
//! `UPDATE_RULE_DOCS=1 cargo test -p saml-metadata --all-features pages` updates the pages.

mod examples;
#[cfg(feature = "signature")]
mod signature;

use std::{fmt::Write as _, fs, path::PathBuf};

use saml_metadata::{Document, Finding, Profile, Rule, Severity, read, rules, validate};

use crate::support::{self, AGGREGATE, AWS_SP, AWS_SP_CLASSIC, IDP, OKTA, SP, now};

/// An example of a rule: a change of a fixture that satisfies the rule, and one that violates it.
struct Example {
    rule: &'static str,
    profile: Profile,
    base: Base,
    /// The text in the fixture that `passes` or `fails` replaces.
    place: &'static str,
    passes: &'static str,
    fails: &'static str,
}

#[derive(Clone, Copy)]
enum Base {
    Idp,
    Sp,
    Aggregate,
    Okta,
    AwsSp,
    AwsSpClassic,
    /// `Idp`, signed by xmlsec1, with the content of the signature as a placeholder.
    #[cfg(feature = "signature")]
    Signed,
    /// `Idp`, signed by xmlsec1, with the complete signature.
    #[cfg(feature = "signature")]
    Signature,
    /// `Signature` inside a group.
    #[cfg(feature = "signature")]
    SignedInGroup,
}

impl Base {
    /// Returns the fixture. Each certificate is replaced by a placeholder with its file name.
    fn text(self) -> String {
        const START: &str = "<ds:X509Certificate>";

        #[cfg(feature = "signature")]
        if let Some(text) = signature::base(self) {
            return text;
        }
        let text = match self {
            Self::Idp => IDP,
            Self::Sp => SP,
            Self::Aggregate => AGGREGATE,
            Self::Okta => OKTA,
            Self::AwsSp => AWS_SP,
            Self::AwsSpClassic => AWS_SP_CLASSIC,
            #[cfg(feature = "signature")]
            Self::Signed | Self::Signature | Self::SignedInGroup => unreachable!("returned above"),
        };
        let mut named = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(START) {
            let (certificate, after) = behind.split_once('<').expect("a closing character");
            let digits: String = certificate.split_whitespace().collect();
            let name = ["p256", "p256-encryption", "rsa2048"]
                .into_iter()
                .find(|name| support::certificate(name) == digits)
                .expect("a known certificate");
            write!(named, "{before}{START}{{{name}}}<").expect("writing to a string");
            rest = after;
        }
        named + rest
    }
}

/// Returns the text for a placeholder, which is a name in braces.
fn placeholder(name: &str) -> String {
    match name {
        "75000 characters" => "x".repeat(75_000),
        "300 elements" => "<a>".repeat(300),
        "250 characters" => "x".repeat(250),
        #[cfg(feature = "signature")]
        "signature by rsa" => signature::inside("xmlsec1-rsa-sha256"),
        #[cfg(feature = "signature")]
        "signature by a key with an expired certificate" => {
            signature::inside("xmlsec1-ecdsa-sha384")
        }
        certificate => {
            let text = support::certificate(certificate);
            let lines: Vec<&str> = (0..text.len())
                .step_by(76)
                .map(|at| &text[at..text.len().min(at + 76)])
                .collect();
            lines.join("\n")
        }
    }
}

/// Replaces the placeholders in a text.
fn expand(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').expect("a closing character");
        expanded += before;
        expanded += &with(name);
        rest = after;
    }
    expanded + rest
}

impl Example {
    fn document(&self, changed: &str) -> String {
        let base = self.base.text();
        assert!(
            base.contains(self.place),
            "{}: the fixture does not contain the place",
            self.rule
        );
        expand(&base.replacen(self.place, changed, 1), placeholder)
    }

    fn findings(&self, document: &Document) -> Vec<Finding> {
        #[cfg(feature = "signature")]
        if self.rule.starts_with("MD-SIG-") {
            return signature::verifier().validate(document, self.profile, now());
        }
        validate(document, self.profile, now())
    }

    /// Returns the messages of the rule about the changed fixture.
    fn messages(&self, changed: &str) -> Vec<String> {
        match read(self.document(changed).as_bytes()) {
            Err(error) => vec![error.to_string()],
            Ok(document) => self
                .findings(&document)
                .into_iter()
                .filter(|finding| finding.rule.as_str() == self.rule)
                .map(|finding| format!("{}: {}", finding.severity, finding.message))
                .collect(),
        }
    }
}

#[test]
fn the_passing_example_passes_and_the_failing_example_fails() {
    let mut wrong = Vec::new();
    for example in examples::all() {
        let Example {
            rule,
            passes,
            fails,
            ..
        } = example;
        let passing = example.messages(passes);
        if !passing.is_empty() {
            wrong.push(format!("{rule}: the passing example fails: {passing:?}"));
        }
        if example.messages(fails).is_empty() {
            wrong.push(format!("{rule}: the failing example passes"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the rules about signatures, which only a verifier can check.
fn signature_rules() -> Vec<&'static Rule> {
    #[cfg(feature = "signature")]
    return saml_metadata::signature::signature_rules().collect();
    #[cfg(not(feature = "signature"))]
    Vec::new()
}

fn example_of(rule: &Rule) -> Option<&'static Example> {
    examples::all().find(|example| example.rule == rule.id.as_str())
}

#[test]
fn every_rule_has_an_example() {
    let missing: Vec<&str> = rules()
        .chain(signature_rules())
        .filter(|rule| example_of(rule).is_none())
        .map(|rule| rule.id.as_str())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn severity(severity: Option<Severity>) -> String {
    severity.map_or_else(|| "off".to_owned(), |severity| severity.to_string())
}

fn page(rule: &Rule) -> String {
    let Rule {
        id,
        summary,
        clause,
        help,
        ..
    } = rule;
    let mut page = format!(
        "# {id}\n\nRule: {summary}.\n\nSource: {clause}.\n\nAction: {help}\n\n\
         | profile | severity | severity of a minor violation |\n| --- | --- | --- |\n"
    );
    for profile in Profile::ALL {
        let strict = severity(rule.severity(profile));
        let minor = severity(rule.minor_severity(profile));
        writeln!(page, "| {profile} | {strict} | {minor} |").expect("writing to a string");
    }
    if id.as_str().starts_with("MD-SIG-") {
        page += "\n`signature::Verifier` checks this rule with keys from the caller: a signature cannot be verified without keys.\n`Verifier::validate` reports a violation as a finding.\n";
    }
    let example = example_of(rule).expect("every rule has an example");
    let shown = |text: &str| {
        expand(text, |name| {
            if support::has_certificate(name) {
                let digits = support::certificate(name);
                format!("{}… <!-- {name} -->", &digits[..24])
            } else {
                format!("… <!-- {name} -->")
            }
        })
    };
    let (passes, fails) = (shown(example.passes), shown(example.fails));
    let profile = example.profile;
    write!(page, "\n## Passes\n\n```xml\n{passes}\n```\n").expect("writing to a string");
    write!(
        page,
        "\n## Fails\n\nIn the profile {profile}:\n\n```xml\n{fails}\n```\n\n"
    )
    .expect("writing to a string");
    for message in example.messages(example.fails) {
        writeln!(page, "> {message}").expect("writing to a string");
    }
    page
}

fn index() -> String {
    let mut index =
        "# Rules\n\nThe requirement of each rule. The page of a rule has its source, the action for a \
         document that violates it, its severities, an example that passes and an example that \
         fails. `signature::Verifier` checks the rules about signatures (MD-SIG), because these \
         rules need keys.\n\n\
         | rule | requirement |\n| --- | --- |\n"
            .to_owned();
    let mut all: Vec<&Rule> = rules().chain(signature_rules()).collect();
    all.sort_by_key(|rule| rule.id);
    for Rule { id, summary, .. } in all {
        writeln!(index, "| [{id}]({id}.md) | {summary} |").expect("writing to a string");
    }
    index
}

#[test]
fn the_pages_match_the_rule_table() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let mut pages: Vec<(String, String)> = rules()
        .chain(signature_rules())
        .map(|rule| (format!("{}.md", rule.id), page(rule)))
        .collect();
    pages.push(("README.md".to_owned(), index()));
    if std::env::var_os("UPDATE_RULE_DOCS").is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in &pages {
            fs::write(folder.join(name), text).expect("a page");
        }
    }
    let command = "run `UPDATE_RULE_DOCS=1 cargo test -p saml-metadata --all-features pages`";
    for (name, text) in &pages {
        let mut written = fs::read_to_string(folder.join(name)).unwrap_or_default();
        if cfg!(not(feature = "signature")) {
            let lines = written.split_inclusive('\n');
            written = lines
                .filter(|line| !line.starts_with("| [MD-SIG-"))
                .collect();
        }
        assert!(written == *text, "{name} is out of date: {command}");
    }
    let known = |name: &str| {
        let is_of_feature = cfg!(not(feature = "signature")) && name.starts_with("MD-SIG-");
        is_of_feature || pages.iter().any(|(page, _)| page == name)
    };
    for entry in fs::read_dir(&folder).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(known(&name), "{name} does not belong to a rule");
    }
}
