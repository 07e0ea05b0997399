//! Why does AWS not let somebody in? A linter of SAML responses.
//!
//! IAM Identity Center shows one page for every reason to refuse a sign-in. [`lint`] reads the
//! response that the browser posted, as it was copied out of the form field `SAMLResponse`, and
//! says which rule of SAML or of AWS it breaks, what was found and what was expected, and what to
//! change in Okta or AWS.
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
//! # Who reads the response
//!
//! The strict reader of [`saml_metadata`] comes first, so that a DOCTYPE or malformed XML never
//! reaches the C libraries. Signatures are verified twice: by xmlsec1 through `samael`, and by
//! [`saml_metadata::signature`]; where the two disagree, that is a finding. xmlsec1 is only asked
//! about signatures that refer to elements of the response, as it would fetch other references.
//! What is read after that is what the signature covers. If nothing is covered, the report says
//! so and reads on as it stands, since further reasons help whoever has to mend it.
//!
//! # Personal data
//!
//! A response names a person. Findings quote what is wrong in it, so they name the person too;
//! nothing is logged or kept. xmlsec1 itself writes to standard error which of its functions failed
//! when a signature does not hold; its lines name elements and algorithms of the signature, and not
//! what is signed.

mod assertion;
mod compare;
mod input;
mod report;
mod rule;
mod status;
mod time;
mod trust;
mod values;

pub use self::{
    report::{LintFinding, LintReport},
    rule::{LintRule, rules},
};

use jiff::{SignedDuration, Timestamp};
use saml_metadata::{Document, Element, names::namespace};

use self::{input::Unreadable, rule as rules_of};

/// The namespace of SAML's protocol messages.
const PROTOCOL: &str = saml_metadata::names::protocol::SAML_2_0;

/// How much the clocks of Okta and AWS may differ unless told: an assumption, as no page of AWS
/// says how much it allows. Other implementations allow three to five minutes.
pub const DEFAULT_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The longest response that is looked at, in bytes after decoding: ten times AWS's quota.
const MOST_BYTES: usize = 500_000;

/// What AWS expects of a response.
#[derive(Debug, Clone)]
#[must_use]
pub struct Expectations {
    acs_urls: Vec<String>,
    issuer_url: String,
    user_name: Option<String>,
    now: Timestamp,
    skew: SignedDuration,
}

impl Expectations {
    /// Starts with what the console of IAM Identity Center shows, and the moment of the sign-in.
    ///
    /// `acs_url` is the "IAM Identity Center Assertion Consumer Service (ACS) URL", which is the
    /// recipient of assertions; `issuer_url` is the "IAM Identity Center issuer URL", their
    /// audience.
    pub fn new(acs_url: impl Into<String>, issuer_url: impl Into<String>, now: Timestamp) -> Self {
        Self {
            acs_urls: vec![acs_url.into()],
            issuer_url: issuer_url.into(),
            user_name: None,
            now,
            skew: DEFAULT_SKEW,
        }
    }

    /// Adds another ACS URL, such as the dual-stack one or that of another Region.
    pub fn acs_url(mut self, url: impl Into<String>) -> Self {
        self.acs_urls.push(url.into());
        self
    }

    /// Sets the SCIM `userName` of the person who signs in.
    pub fn user_name(mut self, name: impl Into<String>) -> Self {
        self.user_name = Some(name.into());
        self
    }

    /// Sets how much the clocks of Okta and AWS may differ; the default is [`DEFAULT_SKEW`].
    pub fn skew(mut self, skew: SignedDuration) -> Self {
        self.skew = skew.abs();
        self
    }
}

/// Says what AWS has against a SAML response.
///
/// `pasted` is the value of the form field `SAMLResponse`, as Base64, URL-encoded or not, or the
/// XML itself; white space around it does not matter. `metadata` is what AWS was given of the
/// identity provider.
#[must_use]
pub fn lint(pasted: &str, metadata: &Document, expectations: &Expectations) -> LintReport {
    let mut report = LintReport::new();
    let document = match input::read(pasted) {
        Ok(document) => document,
        Err(unreadable) => {
            let rule = match unreadable {
                Unreadable::Doctype => &rules_of::XML_02,
                Unreadable::TooLong { .. } => &rules_of::XML_04,
                _ => &rules_of::XML_01,
            };
            report.unreadable(rule, unreadable.to_string());
            return report;
        }
    };
    let response = document.root();
    if !response.is(PROTOCOL, "Response") {
        let found = format!("the element {}", values::short(response.qualified_name()));
        report.unreadable(&rules_of::XML_03, found);
        return report;
    }
    input::check_length(response, &mut report);
    status::check(response, metadata, expectations, &mut report);
    if let Some(assertion) = trust::assertion(response, metadata, expectations, &mut report) {
        assertion::check(response, assertion, metadata, expectations, &mut report);
    }
    report.sort();
    report
}

/// Returns the children of an element that are of SAML's assertion namespace and have a name.
fn assertion_children<'a>(element: Element<'a>, name: &'static str) -> Vec<Element<'a>> {
    element
        .children()
        .filter(|child| child.is(namespace::ASSERTION, name))
        .collect()
}

/// Returns the first of them.
fn assertion_child<'a>(element: Element<'a>, name: &'static str) -> Option<Element<'a>> {
    element
        .children()
        .find(|child| child.is(namespace::ASSERTION, name))
}
