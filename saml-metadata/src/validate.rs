//! What is wrong with a document, rule by rule.

mod algorithms;
mod aws;
mod aws_sp;
mod endpoint;
mod entity;
mod finding;
mod key;
mod okta;
mod report;
mod role;
pub(crate) mod rules;
mod schema;
mod sso;
mod structure;
mod texts;
mod time;
mod uri;
mod weak_keys;
mod xml;

use jiff::Timestamp;

pub use self::{
    finding::{Finding, Severity},
    rules::{Rule, RuleId, rules},
};

use self::report::Report;
use crate::Document;

/// Whose eyes to look at a document with.
///
/// The rules are the same for all; which of them count, and how much, is the profile's. The table
/// is data: see [`rules()`] and [`Rule::severity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// The specification, and what federations make of it.
    SamlCore,
    /// The identity provider's file that Okta hands out for an app.
    Okta,
    /// The identity provider's file that IAM Identity Center is given.
    AwsIdentityCenter,
    /// The service provider's file that IAM Identity Center hands out.
    AwsIdentityCenterSp,
}

/// Checks a document against all rules of a profile, at a moment.
///
/// The result depends on nothing else, and is in the order of the document. An empty result means
/// that no rule was broken; a document is fit for use if no finding
/// [is an error](Finding::is_error).
///
/// ```
/// use saml_metadata::{Profile, validate};
///
/// let document = saml_metadata::read(
///     br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"/>"#,
/// )?;
/// let now = "2026-11-24T12:00:00Z".parse()?;
/// let findings = validate(&document, Profile::AwsIdentityCenter, now);
/// assert_eq!(
///     findings[0].to_string(),
///     "line 1, column 1: error MD-AWS-02: the file describes no identity provider",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn validate(document: &Document, profile: Profile, now: Timestamp) -> Vec<Finding> {
    let mut report = Report::new(document, profile, now);
    xml::check(&mut report);
    if structure::check_root(&mut report) {
        structure::check(&mut report);
        time::check(&mut report);
        texts::check(&mut report);
        algorithms::check(&mut report);
        for entity in document.entities() {
            entity::check(&mut report, entity);
            for role in entity.roles() {
                role::check(&mut report, role);
                endpoint::check(&mut report, role.descriptor().element());
                sso::check(&mut report, role);
                key::check(&mut report, role.descriptor().key_descriptors());
            }
            if let Some(affiliation) = entity.affiliation() {
                key::check(&mut report, affiliation.key_descriptors());
            }
        }
    }
    match profile {
        Profile::SamlCore => {}
        Profile::Okta => okta::check(&mut report),
        Profile::AwsIdentityCenter => aws::check(&mut report),
        Profile::AwsIdentityCenterSp => aws_sp::check(&mut report),
    }
    report.finish()
}
