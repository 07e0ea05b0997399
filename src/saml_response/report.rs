//! The findings of the linter, and the report that contains them.

use std::fmt;

use saml_metadata::{Element, Severity};

use super::{rule::LintRule, values};

/// A violation of a rule in a response, or a note about the response.
///
/// `Display` is one line: `error RESP-AUD-01: found "https://a", expected "https://b"`. `Debug` leaves out
/// the values, which can name a user.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LintFinding {
    /// The rule, with its clause, its reason and its help text.
    pub rule: &'static LintRule,
    /// The severity of this finding.
    pub severity: Severity,
    /// The value found. It quotes the response, so it can contain a user's name.
    pub found: String,
    /// The value expected.
    pub expected: String,
    /// The location, as an `XPath` with the usual prefixes; empty for the pasted text as a whole.
    pub path: String,
}

impl LintFinding {
    /// Returns whether AWS would refuse the sign-in because of this finding.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Debug for LintFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LintFinding")
            .field("rule", &self.rule.id)
            .field("severity", &self.severity)
            .field("path", &self.path)
            .finish_non_exhaustive()
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

/// The result of [`lint`](super::lint).
///
/// `Display` writes the report for a terminal: each finding with its reason, clause and help text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintReport {
    findings: Vec<LintFinding>,
    readable: bool,
    form: Option<String>,
    signer: Option<String>,
}

impl LintReport {
    pub(super) fn new() -> Self {
        Self {
            findings: Vec::new(),
            readable: true,
            form: None,
            signer: None,
        }
    }

    /// Returns the findings, errors first.
    #[must_use]
    pub fn findings(&self) -> &[LintFinding] {
        &self.findings
    }

    /// Returns whether the pasted text is a readable SAML response.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Returns the form of the pasted text that the linter recognized, such as `HTML form, character
    /// references, Base64`; `None` if no XML was found in the text.
    #[must_use]
    pub fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    pub(super) fn set_form(&mut self, form: String) {
        self.form = Some(form);
    }

    /// Returns whether AWS would accept the response, as far as the linter can tell.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        !self.findings.iter().any(LintFinding::is_error)
    }

    /// Returns the SHA-256 fingerprint of the certificate that verifies the signature.
    ///
    /// `None` if no valid signature by a key of the metadata covers the assertion. The findings
    /// then describe an assertion of unknown origin.
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
        let expected = "a SAML 2.0 response: the form field SAMLResponse, or XML".to_owned();
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

    /// Moves errors to the front. Findings of the same severity keep their order.
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
                "the pasted text"
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
        if let Some(form) = &self.form {
            writeln!(f, "read as: {form}")?;
        }
        match (&self.signer, self.readable) {
            (_, false) => writeln!(f, "the pasted text is not a readable SAML response"),
            (Some(signer), true) => writeln!(
                f,
                "signed by the certificate with SHA-256 fingerprint {signer}"
            ),
            (None, true) => writeln!(
                f,
                "no valid signature covers the assertion, so the findings describe an unverified assertion"
            ),
        }?;
        match errors {
            0 => write!(
                f,
                "AWS would accept this response, as far as the linter can tell"
            ),
            1 => write!(f, "AWS would refuse this response: 1 error"),
            more => write!(f, "AWS would refuse this response: {more} errors"),
        }
    }
}
