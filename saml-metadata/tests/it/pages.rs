//! The documentation page of every rule, written from the table of rules and from examples that
//! are run here. `UPDATE_RULE_DOCS=1 cargo test -p saml-metadata --all-features pages` writes them again.

mod examples;
#[cfg(feature = "signature")]
mod signature;

use std::{fmt::Write as _, fs, path::PathBuf};

use saml_metadata::{Document, Finding, Profile, Rule, Severity, read, rules, validate};

use crate::support::{self, AGGREGATE, AWS_SP, AWS_SP_CLASSIC, IDP, OKTA, SP, now};

/// A document that keeps a rule, and one that breaks it: one of the fixtures with a place changed.
struct Example {
    rule: &'static str,
    profile: Profile,
    base: Base,
    /// The place in the fixture.
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
    /// The first signed by xmlsec1, with the inside of the signature in braces.
    #[cfg(feature = "signature")]
    Signed,
    /// The same with the signature as it stands.
    #[cfg(feature = "signature")]
    Signature,
    /// The same in a group.
    #[cfg(feature = "signature")]
    SignedInGroup,
}

impl Base {
    /// Returns the fixture, with each certificate as the name of its file in braces.
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
            Self::Signed | Self::Signature | Self::SignedInGroup => unreachable!("made before"),
        };
        let mut named = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(START) {
            let (certificate, after) = behind.split_once('<').expect("an end");
            let digits: String = certificate.split_whitespace().collect();
            let name = ["p256", "p256-encryption", "rsa2048"]
                .into_iter()
                .find(|name| support::certificate(name) == digits)
                .expect("a certificate of the fixtures");
            write!(named, "{before}{START}{{{name}}}<").expect("a string");
            rest = after;
        }
        named + rest
    }
}

/// Names in braces, and what stands for them in a document.
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

fn expand(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').expect("an end");
        expanded += before;
        expanded += &with(name);
        rest = after;
    }
    expanded + rest
}

impl Example {
    fn document(&self, changed: &str) -> String {
        let base = self.base.text();
        assert!(base.contains(self.place), "{}: no place", self.rule);
        expand(&base.replacen(self.place, changed, 1), placeholder)
    }

    fn findings(&self, document: &Document) -> Vec<Finding> {
        #[cfg(feature = "signature")]
        if self.rule.starts_with("MD-SIG-") {
            return signature::verifier().validate(document, self.profile, now());
        }
        validate(document, self.profile, now())
    }

    /// Returns what the rule says about a document.
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
fn the_passing_example_of_a_rule_passes_and_the_failing_one_fails() {
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
            wrong.push(format!("{rule} does not pass: {passing:?}"));
        }
        if example.messages(fails).is_empty() {
            wrong.push(format!("{rule} does not fail"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the rules about signatures, which only a verifier can hold documents to.
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
        "# {id}\n\nThe rule: {summary}.\n\nSource: {clause}.\n\nWhat to do: {help}\n\n\
         | profile | severity | broken only a little |\n| --- | --- | --- |\n"
    );
    for profile in Profile::ALL {
        let strict = severity(rule.severity(profile));
        let mild = severity(rule.mild_severity(profile));
        writeln!(page, "| {profile} | {strict} | {mild} |").expect("a string");
    }
    if id.as_str().starts_with("MD-SIG-") {
        page += "\n`signature::Verifier` holds documents to this rule, with keys that the caller has from elsewhere;\nwithout keys there is nothing to say about a signature. `Verifier::validate` makes findings of it.\n";
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
    write!(page, "\n## Passes\n\n```xml\n{passes}\n```\n").expect("a string");
    write!(
        page,
        "\n## Fails\n\nIn the profile {profile}:\n\n```xml\n{fails}\n```\n\n"
    )
    .expect("a string");
    for message in example.messages(example.fails) {
        writeln!(page, "> {message}").expect("a string");
    }
    page
}

fn index() -> String {
    let mut index =
        "# Rules\n\nWhat each rule asks, with a page that has its severities, where it \
         comes from, what to do, and an example that passes and one that fails. The rules about \
         signatures (MD-SIG) are held by the verification, which needs keys.\n\n\
         | rule | it asks that |\n| --- | --- |\n"
            .to_owned();
    let mut all: Vec<&Rule> = rules().chain(signature_rules()).collect();
    all.sort_by_key(|rule| rule.id);
    for Rule { id, summary, .. } in all {
        writeln!(index, "| [{id}]({id}.md) | {summary} |").expect("a string");
    }
    index
}

#[test]
fn the_pages_say_what_the_table_says() {
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
    let again = "run `UPDATE_RULE_DOCS=1 cargo test -p saml-metadata --all-features pages`";
    for (name, text) in &pages {
        let mut written = fs::read_to_string(folder.join(name)).unwrap_or_default();
        if cfg!(not(feature = "signature")) {
            let lines = written.split_inclusive('\n');
            written = lines
                .filter(|line| !line.starts_with("| [MD-SIG-"))
                .collect();
        }
        assert!(written == *text, "{name} is not up to date: {again}");
    }
    let known = |name: &str| {
        let is_of_feature = cfg!(not(feature = "signature")) && name.starts_with("MD-SIG-");
        is_of_feature || pages.iter().any(|(page, _)| page == name)
    };
    for entry in fs::read_dir(&folder).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(known(&name), "{name} is the page of no rule");
    }
}
