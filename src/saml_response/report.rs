use std::fmt;

use saml_metadata::{Element, Severity};

use super::{rule::LintRule, values};

/// Something that a rule has against a response.
///
/// `Display` is one line: `error RESP-AUD-01: found "https://a", expected "https://b"`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintFinding {
    /// The rule, with the clause, the reason of AWS and the way out.
    pub rule: &'static LintRule,
    /// How much it matters here.
    pub severity: Severity,
    /// What was found. It quotes the response, which may be a person's name.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// Where, as an `XPath` with the usual prefixes; empty for the text as a whole.
    pub path: String,
}

impl LintFinding {
    /// Returns whether AWS would not let the person in because of this.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for LintFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (severity, id) = (self.severity, self.rule.id);
        write!(f, "{severity} {id}: found {}", self.found)?;
        if self.expected.is_empty() {
            return Ok(());
        }
        write!(f, ", expected {}", self.expected)
    }
}

/// What there is to say about a response.
///
/// `Display` is a text for people: each finding with its clause, reason and way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintReport {
    findings: Vec<LintFinding>,
    readable: bool,
    signer: Option<String>,
}

impl LintReport {
    pub(super) fn new() -> Self {
        Self {
            findings: Vec::new(),
            readable: true,
            signer: None,
        }
    }

    /// Returns what was found, errors first.
    #[must_use]
    pub fn findings(&self) -> &[LintFinding] {
        &self.findings
    }

    /// Returns whether what was pasted is a SAML response at all.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Returns whether AWS would take the response, as far as can be said from here.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        !self.findings.iter().any(LintFinding::is_error)
    }

    /// Returns the SHA-256 fingerprint of the certificate whose key signed what was read.
    ///
    /// `None` if no signature of the metadata's keys covers the assertion; what the findings say
    /// of the assertion is then of an assertion that anybody may have written.
    #[must_use]
    pub fn signer(&self) -> Option<&str> {
        self.signer.as_deref()
    }

    pub(super) fn signed_by(&mut self, fingerprint: String) {
        self.signer = Some(fingerprint);
    }

    pub(super) fn add(
        &mut self,
        rule: &'static LintRule,
        at: Element<'_>,
        found: String,
        expected: String,
    ) {
        self.push(rule, rule.severity, values::path(at), found, expected);
    }

    pub(super) fn warn(
        &mut self,
        rule: &'static LintRule,
        at: Element<'_>,
        found: String,
        expected: String,
    ) {
        self.push(rule, Severity::Warning, values::path(at), found, expected);
    }

    pub(super) fn unreadable(&mut self, rule: &'static LintRule, found: String) {
        self.readable = false;
        let expected = "a SAML 2.0 response, as Base64 or XML".to_owned();
        self.push(rule, Severity::Error, String::new(), found, expected);
    }

    pub(super) fn push(
        &mut self,
        rule: &'static LintRule,
        severity: Severity,
        path: String,
        found: String,
        expected: String,
    ) {
        self.findings.push(LintFinding {
            rule,
            severity,
            found,
            expected,
            path,
        });
    }

    pub(super) fn append(&mut self, other: Self) {
        self.findings.extend(other.findings);
    }

    /// Errors first; otherwise in the order in which the response is read.
    pub(super) fn sort(&mut self) {
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }
}

impl fmt::Display for LintReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{} {}", finding.severity, finding.rule.id)?;
            let path = if finding.path.is_empty() {
                "what was pasted"
            } else {
                &finding.path
            };
            writeln!(f, "  where     {path}")?;
            writeln!(f, "  found     {}", finding.found)?;
            if !finding.expected.is_empty() {
                writeln!(f, "  expected  {}", finding.expected)?;
            }
            writeln!(f, "  why       {}", finding.rule.reason)?;
            writeln!(f, "  clause    {}", finding.rule.clause)?;
            writeln!(f, "  to do     {}", finding.rule.help)?;
        }
        let errors = self
            .findings
            .iter()
            .filter(|finding| finding.is_error())
            .count();
        match (&self.signer, self.readable) {
            (_, false) => writeln!(f, "this is not a SAML response that can be read"),
            (Some(signer), true) => writeln!(
                f,
                "signed by the certificate with SHA-256 fingerprint {signer}"
            ),
            (None, true) => writeln!(
                f,
                "no signature covers the assertion: what is said of it is of what stands there"
            ),
        }?;
        match errors {
            0 => write!(
                f,
                "AWS would take this response, as far as can be said from here"
            ),
            1 => write!(f, "AWS would refuse this response: 1 error"),
            more => write!(f, "AWS would refuse this response: {more} errors"),
        }
    }
}
