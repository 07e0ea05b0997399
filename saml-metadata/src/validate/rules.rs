//! The table of rules: requirement, source, help text and severities of each rule.

pub(crate) mod consumer;
pub(crate) mod document;
pub(crate) mod entity;
pub(crate) mod extension;
pub(crate) mod key;
pub(crate) mod role;
#[cfg(feature = "signature")]
pub(crate) mod signature;

use std::fmt;

use super::{Profile, Severity};

/// The id of a rule, such as `MD-AWS-01`. Ids stay the same in later versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(&'static str);

impl RuleId {
    /// Returns the id with this name, ignoring case; `None` if no rule has this id.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        rules()
            .map(|rule| rule.id)
            .find(|id| id.as_str().eq_ignore_ascii_case(name))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A rule of the table.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The rule's id.
    pub id: RuleId,
    /// The requirement for a document.
    pub summary: &'static str,
    /// The source of the rule: a document and a section of it.
    pub clause: &'static str,
    /// Advice for a document that breaks the rule.
    pub help: &'static str,
    severities: Severities,
    minor: Severities,
}

impl Rule {
    /// Returns the severity in a profile; `None` if the rule is off there.
    #[must_use]
    pub fn severity(&self, profile: Profile) -> Option<Severity> {
        match profile.difference(self.id) {
            Some(difference) => Some(difference.severity),
            None => self.severities.of(profile),
        }
    }

    /// Returns the severity of a minor violation in a profile; `None` if the profile ignores it.
    ///
    /// Example: a certificate that expires soon is a minor violation of the rule that certificates
    /// must be valid.
    #[must_use]
    pub fn minor_severity(&self, profile: Profile) -> Option<Severity> {
        match profile.difference(self.id) {
            Some(difference) => difference.minor,
            None => self.minor.of(profile),
        }
    }
}

/// The severities of a rule per profile. [`Profile::difference`] has the exceptions.
#[derive(Debug, PartialEq, Eq)]
enum Severities {
    General {
        core: Option<Severity>,
        okta: Option<Severity>,
        aws: Option<Severity>,
        aws_sp: Option<Severity>,
    },
    /// The rule applies to one consumer only.
    Only(Profile, Severity),
}

impl Severities {
    fn of(&self, profile: Profile) -> Option<Severity> {
        match *self {
            Self::Only(only, severity) => (only == profile).then_some(severity),
            Self::General {
                core,
                okta,
                aws,
                aws_sp,
            } => match profile {
                Profile::SamlCore | Profile::Saml2int | Profile::Edugain => core,
                Profile::Okta => okta,
                // All consumers of an identity provider's file share one column.
                Profile::AwsIdentityCenter
                | Profile::GoogleWorkforce
                | Profile::AwsIam
                | Profile::OpenSearch => aws,
                Profile::AwsIdentityCenterSp => aws_sp,
            },
        }
    }
}

/// Returns all rules, in the order of their ids.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let mut all: Vec<&Rule> = [
        document::TABLE,
        entity::TABLE,
        extension::TABLE,
        role::TABLE,
        key::TABLE,
        consumer::TABLE,
    ]
    .concat();
    all.sort_by_key(|rule| rule.id);
    all.into_iter()
}

/// Returns the rules that only signature verification can check.
#[cfg(feature = "signature")]
pub(crate) fn signature_rules() -> impl Iterator<Item = &'static Rule> {
    signature::TABLE.iter().copied()
}

/// Declares rules, and the table that lists them.
///
/// A rule consists of the name of its constant, its id, its severities, optionally the severities
/// of minor violations (`minor`), summary, clause and help. The severities are those of the profiles
/// core, Okta, AWS and AWS SP (`E` for error, `W` for warning, `I` for info, `O` for off), or
/// `only`, a profile and its severity.
macro_rules! table {
    (@severity E) => { Some($crate::validate::Severity::Error) };
    (@severity W) => { Some($crate::validate::Severity::Warning) };
    (@severity I) => { Some($crate::validate::Severity::Info) };
    (@severity O) => { None };
    (@severities only $profile:ident E) => { table!(@only $profile Error) };
    (@severities only $profile:ident W) => { table!(@only $profile Warning) };
    (@severities only $profile:ident I) => { table!(@only $profile Info) };
    (@only $profile:ident $severity:ident) => {
        $crate::validate::rules::Severities::Only(
            $crate::validate::Profile::$profile,
            $crate::validate::Severity::$severity,
        )
    };
    (@severities $core:ident $okta:ident $aws:ident $aws_sp:ident) => {
        $crate::validate::rules::Severities::General {
            core: table!(@severity $core),
            okta: table!(@severity $okta),
            aws: table!(@severity $aws),
            aws_sp: table!(@severity $aws_sp),
        }
    };
    (@minor $($minor:ident)+) => { table!(@severities $($minor)+) };
    (@minor) => { table!(@severities O O O O) };
    ($(
        $name:ident $id:literal [$($severity:ident)+] $(minor [$($minor:ident)+])?
        $summary:literal,
        $clause:literal,
        $help:literal;
    )+) => {
        $(
            pub(crate) static $name: $crate::validate::Rule = $crate::validate::Rule {
                id: $crate::validate::rules::RuleId($id),
                summary: $summary,
                clause: $clause,
                help: $help,
                severities: table!(@severities $($severity)+),
                minor: table!(@minor $($($minor)+)?),
            };
        )+
        pub(super) static TABLE: &[&$crate::validate::Rule] = &[$(&$name),+];
    };
}

use table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_id_is_unique_and_has_the_form_md_area_number() {
        let ids: Vec<&str> = rules().map(|rule| rule.id.as_str()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for id in ids {
            let parts: Vec<&str> = id.split('-').collect();
            let [md, area, number] = parts[..] else {
                panic!("{id} does not have three parts");
            };
            assert_eq!(md, "MD");
            assert!(area.bytes().all(|b| b.is_ascii_uppercase()), "{id}");
            assert!(number.len() == 2 && number.parse::<u8>().is_ok(), "{id}");
        }
    }

    #[test]
    fn a_minor_violation_is_never_more_severe() {
        for rule in rules() {
            for profile in Profile::ALL {
                assert!(
                    rule.minor_severity(profile) <= rule.severity(profile),
                    "{} in {profile:?}",
                    rule.id
                );
            }
        }
    }

    #[test]
    fn every_difference_of_a_profile_names_an_existing_rule() {
        for profile in Profile::ALL {
            for difference in profile.differences() {
                let id = difference.rule;
                assert!(rules().any(|rule| rule.id.as_str() == id), "{id}");
            }
        }
    }

    #[test]
    fn every_rule_has_a_summary_a_clause_and_a_help_text() {
        for rule in rules() {
            for text in [rule.summary, rule.clause, rule.help] {
                assert!(!text.is_empty() && text.trim() == text, "{}", rule.id);
            }
            assert!(rule.help.ends_with('.'), "{}: {}", rule.id, rule.help);
        }
    }
}
