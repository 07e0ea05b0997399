//! Checks a document against the rules of a profile.

mod algorithms;
mod aws;
mod aws_sp;
mod endpoint;
mod entity;
mod extensions;
mod finding;
mod google;
mod key;
mod okta;
mod policy;
mod profile;
mod report;
mod role;
pub(crate) mod rules;
pub(crate) mod schema;
mod seen;
#[cfg(feature = "signature")]
pub(crate) mod signature;
mod sizes;
mod sso;
mod structure;
mod texts;
mod time;
mod uri;
mod weak_keys;
mod xml;

use std::borrow::Cow;

use jiff::Timestamp;

pub use self::{
    finding::{Finding, Severity},
    policy::Policy,
    profile::{ParseProfileError, Profile},
    rules::{Rule, RuleId, rules},
};

pub(crate) use self::report::Paths;
use self::report::Report;
use crate::{Document, Position};

/// Checks a document against all rules of a profile or a custom policy, at the time `now`.
///
/// The result depends only on the arguments, and is in document order. An empty result means that
/// the document breaks no rule. A document is usable if no finding
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
pub fn validate<'p>(
    document: &Document,
    policy: impl Into<Cow<'p, Policy>>,
    now: Timestamp,
) -> Vec<Finding> {
    check(document, &policy.into(), now).finish()
}

/// Checks a document like [`validate`], and returns only the findings at wanted offsets.
///
/// `position` supplies the position of an offset.
pub(crate) fn validate_part(
    document: &Document,
    policy: &Policy,
    now: Timestamp,
    is_wanted: impl Fn(usize) -> bool,
    position: impl FnMut(usize) -> Position,
) -> Vec<Finding> {
    check(document, policy, now).finish_at(is_wanted, position)
}

fn check<'a>(document: &'a Document, policy: &'a Policy, now: Timestamp) -> Report<'a> {
    let mut report = Report::new(document, policy, now);
    xml::check(&mut report);
    if structure::check_root(&mut report) {
        // One walk for all checks: the findings are sorted by position afterwards.
        let mut before = structure::Before::new();
        let mut languages = texts::Languages::new();
        for element in document.root().descendants() {
            structure::check(&mut report, element, &mut before);
            time::check(&mut report, element);
            texts::check(&mut report, element, &mut languages);
            algorithms::check(&mut report, element);
            extensions::check(&mut report, element);
        }
        structure::check_duplicate_entities(&mut report);
        for entity in document.entities() {
            extensions::check_entity(&mut report, entity);
        }
        for entity in document.entities() {
            report.certificates.clear();
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
    okta::check(&mut report);
    aws::check(&mut report);
    aws_sp::check(&mut report);
    google::check(&mut report);
    sizes::check(&mut report);
    report
}
