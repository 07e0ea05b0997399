//! A linter of SAML responses: explains why AWS refuses a sign-in.
//!
//! IAM Identity Center shows the same error page for every refused sign-in. [`lint`] reads the
//! response that the browser posted, copied from the form field `SAMLResponse`. The report lists
//! each rule of SAML or AWS that the response breaks, with the value found, the value expected and
//! the change to make in Okta or AWS.
//!
//! ```
//! use okta_aws_sso::saml_response::{Expectations, lint};
//!
//! # let metadata = okta_aws_sso::saml::write::IdpMetadata::new("http://www.okta.com/exk1")
//! #     .single_sign_on_service("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", "https://a.example")
//! #     .build()?;
//! # let now = "2026-11-24T12:00:00Z".parse()?;
//! let expectations = Expectations::new(
//!     "https://eu-central-1.signin.aws/platform/saml/acs/0a1b",
//!     "https://eu-central-1.signin.aws.amazon.com/platform/saml/d-9067000000",
//!     now,
//! );
//! let report = lint("not a response", &metadata, &expectations);
//! assert!(!report.is_readable());
//! assert_eq!(report.findings()[0].rule.id, "RESP-XML-01");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Input
//!
//! [`lint`] finds the response in a copied text: the form field (Base64, also URL-encoded, with
//! HTML character references or line breaks, or compressed with DEFLATE), a request body or URL with this
//! field, the source of the page with the form, a network log of a browser, and the XML itself.
//! [`LintReport::form`] names the form.
//!
//! # Signature verification
//!
//! [`saml_metadata::signature`] verifies the signatures with the keys of the metadata, over the same tree
//! that the other checks read. The linter then checks the signed assertion. If no signature covers an
//! assertion, the report has a finding, and the linter checks the unsigned assertion, because further
//! findings help to repair the sign-in.
//!
//! An encrypted assertion is reported, and not read.
//!
//! With the feature `samael` (default: off; needs libxml2, xmlsec1 and OpenSSL), xmlsec1 verifies the
//! signatures too, and `samael` reads the signed values. Each difference is a finding; the result of this
//! project's verifier stands. xmlsec1 gets only signatures that refer to elements of the response,
//! because it would fetch the targets of other references.
//!
//! # Personal data
//!
//! A response names a user. Findings quote wrong values of the response, so they can name the user
//! too; their `Debug` output leaves the values out. The linter logs and stores nothing. If a signature is
//! invalid, xmlsec1 itself writes the names of its failed functions to standard error. These lines name
//! elements and algorithms of the signature, but not the signed contents.

mod assertion;
#[cfg(feature = "samael")]
mod compare;
mod input;
mod reformatted;
mod report;
mod rule;
#[cfg(feature = "samael")]
mod second_opinion;
mod status;
mod text;
mod time;
mod trust;
mod values;

pub use self::{
    report::{LintFinding, LintReport},
    rule::{LintRule, rules},
};

use jiff::{SignedDuration, Timestamp};
use saml_metadata::{Certificate, Document, Element, names::namespace};

use self::{
    input::{Input, Unreadable},
    rule as rule_table,
};

/// The namespace of SAML's protocol messages.
const PROTOCOL: &str = saml_metadata::names::protocol::SAML_2_0;

/// The default clock skew that the linter allows between Okta and AWS: 5 min.
///
/// This is an assumption, because AWS does not document the skew that it allows. Other
/// implementations allow three to five minutes.
pub const DEFAULT_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The maximum length of a response in bytes, after decoding: ten times AWS's quota.
const MAX_BYTES: usize = 500_000;

/// The values that AWS expects in a response.
#[derive(Debug, Clone)]
#[must_use]
pub struct Expectations {
    acs_urls: Vec<String>,
    issuer_url: String,
    user_name: Option<String>,
    certificates: Vec<Certificate>,
    now: Timestamp,
    skew: SignedDuration,
}

impl Expectations {
    /// Creates expectations from the URLs that the IAM Identity Center console shows, and the time
    /// of the sign-in.
    ///
    /// `acs_url` is the "IAM Identity Center Assertion Consumer Service (ACS) URL", the recipient of
    /// assertions. `issuer_url` is the "IAM Identity Center issuer URL", the audience of assertions.
    /// `now` is the time of the sign-in.
    pub fn new(acs_url: impl Into<String>, issuer_url: impl Into<String>, now: Timestamp) -> Self {
        Self {
            acs_urls: vec![acs_url.into()],
            issuer_url: issuer_url.into(),
            user_name: None,
            certificates: Vec::new(),
            now,
            skew: DEFAULT_SKEW,
        }
    }

    /// Adds another ACS URL, such as the dual-stack URL or the URL of another Region.
    pub fn acs_url(mut self, url: impl Into<String>) -> Self {
        self.acs_urls.push(url.into());
        self
    }

    /// Sets the SCIM `userName` of the user who signs in. Default: the linter does not check the name.
    pub fn user_name(mut self, name: impl Into<String>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Adds a certificate that AWS has besides those of the metadata, such as a certificate that was
    /// imported for a rotation. At most 16 certificates are used.
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificates.push(certificate);
        self
    }

    /// Sets the allowed clock skew between Okta and AWS. Default: [`DEFAULT_SKEW`].
    pub fn skew(mut self, skew: SignedDuration) -> Self {
        self.skew = skew.abs();
        self
    }
}

/// Returns the reasons why AWS would refuse a SAML response.
///
/// `pasted` is what was copied from the browser, in one of the forms that the
/// [module](self#input) lists. `metadata` is the identity provider's metadata that was uploaded to AWS.
#[must_use]
pub fn lint(pasted: &str, metadata: &Document, expectations: &Expectations) -> LintReport {
    let mut report = LintReport::new();
    let Input { document, form } = match input::read(pasted) {
        Ok(input) => input,
        Err(unreadable) => {
            let rule = match unreadable {
                Unreadable::Doctype => &rule_table::XML_02,
                Unreadable::TooLong { .. } | Unreadable::Inflated => &rule_table::XML_04,
                _ => &rule_table::XML_01,
            };
            report.unreadable(rule, unreadable.to_string());
            return report;
        }
    };
    report.set_form(form);
    let response = document.root();
    if !response.is(PROTOCOL, "Response") {
        let found = format!("the element {}", values::short(response.qualified_name()));
        report.unreadable(&rule_table::XML_03, found);
        return report;
    }
    input::check_length(response, &mut report);
    text::check(response, &mut report);
    status::check(response, metadata, expectations, &mut report);
    if let Some(assertion) = trust::select_assertion(response, metadata, expectations, &mut report)
    {
        assertion::check(response, assertion, metadata, expectations, &mut report);
    }
    report.sort();
    report
}

/// Returns the children with this name in SAML's assertion namespace.
fn assertion_children<'a>(element: Element<'a>, name: &'static str) -> Vec<Element<'a>> {
    element
        .children()
        .filter(|child| child.is(namespace::ASSERTION, name))
        .collect()
}

/// Returns the first child with this name in SAML's assertion namespace.
fn assertion_child<'a>(element: Element<'a>, name: &'static str) -> Option<Element<'a>> {
    element
        .children()
        .find(|child| child.is(namespace::ASSERTION, name))
}
