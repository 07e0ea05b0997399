use std::{borrow::Cow, collections::BTreeMap};

use jiff::SignedDuration;

use super::{Profile, Rule, RuleId, Severity};

/// A profile of one's own: one of the [`Profile`]s, and what is different from it.
///
/// Wherever a policy is asked for, a profile will do.
///
/// ```
/// use saml_metadata::{Policy, Profile, RuleId, Severity, validate};
///
/// let unsaid = RuleId::parse("MD-TIME-03").expect("a rule");
/// let policy = Policy::new(Profile::Edugain)
///     .severity(unsaid, Severity::Info)
///     .registration_authority("https://federation.example.org/");
/// # let document = saml_metadata::read(
/// #     br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"/>"#,
/// # )?;
/// # let now = "2026-11-24T12:00:00Z".parse()?;
/// let findings = validate(&document, &policy, now);
/// let finding = findings.iter().find(|finding| finding.rule == unsaid);
/// assert_eq!(finding.expect("no validUntil").severity, Severity::Info);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    profile: Profile,
    changes: BTreeMap<RuleId, Option<Severity>>,
    pub(super) registration_authorities: Vec<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) published_keys: Vec<String>,
    pub(super) longest_validity: SignedDuration,
    pub(super) certificate_notice: SignedDuration,
    pub(super) clock_skew: SignedDuration,
    pub(super) findings_per_rule: usize,
}

impl Policy {
    /// Starts from a profile.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        // The default of OpenSAML; eduGAIN takes four weeks.
        let days = if profile == Profile::Edugain { 28 } else { 14 };
        Self {
            profile,
            changes: BTreeMap::new(),
            registration_authorities: Vec::new(),
            namespaces: Vec::new(),
            published_keys: Vec::new(),
            longest_validity: SignedDuration::from_hours(days * 24),
            certificate_notice: SignedDuration::from_hours(30 * 24),
            clock_skew: SignedDuration::from_mins(5),
            findings_per_rule: 100,
        }
    }

    /// Lets a rule matter so much. Where it is broken only a little, it does not matter more than
    /// it did.
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

    /// Expects entities to be registered by this authority, or another one named this way
    /// (MD-RPI-02). Without any, all are welcome.
    #[must_use]
    pub fn registration_authority(mut self, authority: impl Into<String>) -> Self {
        self.registration_authorities.push(authority.into());
        self
    }

    /// Takes elements of this namespace for known ones (MD-ROOT-08).
    #[must_use]
    pub fn namespace(mut self, uri: impl Into<String>) -> Self {
        self.namespaces.push(uri.into());
        self
    }

    /// Warns of a public key whose private half is known to others (MD-KEY-07), such as those of
    /// products' examples and of Debian's broken generator.
    ///
    /// The key is named by the SHA-256 of its `SubjectPublicKeyInfo` in hexadecimal digits; colons
    /// and case do not matter.
    #[must_use]
    pub fn published_key(mut self, sha256: &str) -> Self {
        let digits = sha256.chars().filter(char::is_ascii_hexdigit);
        self.published_keys
            .push(digits.map(|digit| digit.to_ascii_lowercase()).collect());
        self
    }

    /// Sets how far ahead `validUntil` may be (MD-TIME-04); 14 days, in eduGAIN 28, if not set.
    #[must_use]
    pub fn longest_validity(mut self, duration: SignedDuration) -> Self {
        self.longest_validity = duration;
        self
    }

    /// Sets how long before a certificate expires to say so (MD-KEY-05); 30 days if not set.
    #[must_use]
    pub fn certificate_notice(mut self, duration: SignedDuration) -> Self {
        self.certificate_notice = duration;
        self
    }

    /// Sets how much the clocks of others may differ (MD-TIME-02, MD-RPI-02); 5 minutes if not
    /// set.
    #[must_use]
    pub fn clock_skew(mut self, duration: SignedDuration) -> Self {
        self.clock_skew = duration;
        self
    }

    /// Sets how many findings of one rule to list before only counting them; 100 if not set.
    ///
    /// One more finding says how many are left out, and is as severe as the worst of them.
    #[must_use]
    pub fn findings_per_rule(mut self, most: usize) -> Self {
        self.findings_per_rule = most;
        self
    }

    /// Returns the profile that the policy started from.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns how much a rule matters; `None` if it is off.
    #[must_use]
    pub fn severity_of(&self, rule: &Rule) -> Option<Severity> {
        match self.changes.get(&rule.id) {
            Some(change) => *change,
            None => rule.severity(self.profile),
        }
    }

    /// Returns how much a rule matters where it is broken only a little.
    #[must_use]
    pub fn mild_severity_of(&self, rule: &Rule) -> Option<Severity> {
        let mild = rule.mild_severity(self.profile);
        match self.changes.get(&rule.id) {
            Some(change) if rule.severity(self.profile).is_none() => *change,
            Some(change) => mild.zip(*change).map(|(mild, most)| mild.min(most)),
            None => mild,
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
