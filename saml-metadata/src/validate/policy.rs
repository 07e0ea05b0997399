//! Custom policies, each based on a profile.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::SignedDuration;

use super::{Profile, Rule, RuleId, Severity};

/// A custom set of rules: one of the [`Profile`]s, and changes to it.
///
/// Every function that takes a policy also takes a profile.
///
/// ```
/// use saml_metadata::{Policy, Profile, RuleId, Severity, validate};
///
/// let no_valid_until = RuleId::parse("MD-TIME-03").expect("a known rule");
/// let policy = Policy::new(Profile::Edugain)
///     .severity(no_valid_until, Severity::Info)
///     .registration_authority("https://federation.example.org/");
/// # let document = saml_metadata::read(
/// #     br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"/>"#,
/// # )?;
/// # let now = "2026-11-24T12:00:00Z".parse()?;
/// let findings = validate(&document, &policy, now);
/// let finding = findings.iter().find(|finding| finding.rule == no_valid_until);
/// assert_eq!(finding.expect("a finding").severity, Severity::Info);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    profile: Profile,
    changes: BTreeMap<RuleId, Option<Severity>>,
    pub(super) registration_authorities: Vec<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) published_keys: Vec<String>,
    pub(super) max_validity: SignedDuration,
    pub(super) certificate_notice: SignedDuration,
    pub(super) clock_skew: SignedDuration,
    pub(super) findings_per_rule: usize,
}

impl Policy {
    /// Creates a policy from a profile, without changes.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        // OpenSAML's default; eduGAIN allows four weeks.
        let days = if profile == Profile::Edugain { 28 } else { 14 };
        Self {
            profile,
            changes: BTreeMap::new(),
            registration_authorities: Vec::new(),
            namespaces: Vec::new(),
            published_keys: Vec::new(),
            max_validity: SignedDuration::from_hours(days * 24),
            certificate_notice: SignedDuration::from_hours(30 * 24),
            clock_skew: SignedDuration::from_mins(5),
            findings_per_rule: 100,
        }
    }

    /// Sets the severity of a rule.
    ///
    /// A minor violation keeps at most the severity that it has in the profile. If the rule is off
    /// in the profile, a minor violation also gets the new severity.
    #[must_use]
    pub fn severity(mut self, rule: RuleId, severity: Severity) -> Self {
        self.changes.insert(rule, Some(severity));
        self
    }

    /// Turns a rule off.
    #[must_use]
    pub fn without(mut self, rule: RuleId) -> Self {
        self.changes.insert(rule, None);
        self
    }

    /// Adds an authority to the registration authorities that the policy expects (MD-RPI-02).
    /// Default: every authority is accepted.
    #[must_use]
    pub fn registration_authority(mut self, authority: impl Into<String>) -> Self {
        self.registration_authorities.push(authority.into());
        self
    }

    /// Adds a namespace to the known namespaces (MD-ROOT-08).
    #[must_use]
    pub fn namespace(mut self, uri: impl Into<String>) -> Self {
        self.namespaces.push(uri.into());
        self
    }

    /// Adds a public key whose private key is publicly known (MD-KEY-07), for example a key from
    /// the documentation of a product, or a key of Debian's broken generator.
    ///
    /// `sha256` is the SHA-256 digest of the key's `SubjectPublicKeyInfo` in hexadecimal digits.
    /// Colons and case are ignored.
    #[must_use]
    pub fn published_key(mut self, sha256: &str) -> Self {
        let digits = sha256.chars().filter(char::is_ascii_hexdigit);
        self.published_keys
            .push(digits.map(|digit| digit.to_ascii_lowercase()).collect());
        self
    }

    /// Sets the maximum time from now to `validUntil` (MD-TIME-04); default: 14 days (eduGAIN: 28
    /// days).
    #[must_use]
    pub fn max_validity(mut self, duration: SignedDuration) -> Self {
        self.max_validity = duration;
        self
    }

    /// Sets the remaining validity at which a certificate is reported as expiring soon (MD-KEY-05);
    /// default: 30 days.
    #[must_use]
    pub fn certificate_notice(mut self, duration: SignedDuration) -> Self {
        self.certificate_notice = duration;
        self
    }

    /// Sets the tolerated difference between clocks (MD-TIME-02, MD-RPI-02); default: 5 minutes.
    #[must_use]
    pub fn clock_skew(mut self, duration: SignedDuration) -> Self {
        self.clock_skew = duration;
        self
    }

    /// Sets the maximum number of listed findings per rule; default: 100.
    ///
    /// One additional finding states the number of findings that were left out. Its severity is the
    /// highest severity of these findings.
    #[must_use]
    pub fn findings_per_rule(mut self, max: usize) -> Self {
        self.findings_per_rule = max;
        self
    }

    /// Returns the profile that the policy is based on.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns the severity of a rule; `None` if the rule is off.
    #[must_use]
    pub fn severity_of(&self, rule: &Rule) -> Option<Severity> {
        match self.changes.get(&rule.id) {
            Some(change) => *change,
            None => rule.severity(self.profile),
        }
    }

    /// Returns the severity of a minor violation of a rule; `None` if it is ignored.
    #[must_use]
    pub fn minor_severity_of(&self, rule: &Rule) -> Option<Severity> {
        let minor = rule.minor_severity(self.profile);
        match self.changes.get(&rule.id) {
            Some(change) if rule.severity(self.profile).is_none() => *change,
            Some(change) => minor.zip(*change).map(|(minor, most)| minor.min(most)),
            None => minor,
        }
    }
}

impl From<Profile> for Policy {
    fn from(profile: Profile) -> Self {
        Self::new(profile)
    }
}

impl From<Profile> for Cow<'_, Policy> {
    fn from(profile: Profile) -> Self {
        Cow::Owned(Policy::new(profile))
    }
}

impl From<Policy> for Cow<'_, Policy> {
    fn from(policy: Policy) -> Self {
        Cow::Owned(policy)
    }
}

impl<'a> From<&'a Policy> for Cow<'a, Policy> {
    fn from(policy: &'a Policy) -> Self {
        Cow::Borrowed(policy)
    }
}
