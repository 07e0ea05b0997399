//! The table of rules: what each asks, where it comes from, what to do, and how much it matters.

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

/// The name of a rule, such as `MD-AWS-01`. Names stay the same over versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(&'static str);

impl RuleId {
    /// Returns the id of a name, if there is such a rule.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        rules()
            .map(|rule| rule.id)
            .find(|id| id.as_str().eq_ignore_ascii_case(name))
    }

    /// Returns the name.
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
    /// Its name.
    pub id: RuleId,
    /// What it asks of a document.
    pub summary: &'static str,
    /// The document and section it comes from.
    pub clause: &'static str,
    /// What to do about a document that breaks it.
    pub help: &'static str,
    severities: Severities,
    mild: Severities,
}

impl Rule {
    /// Returns how much it matters in a profile; `None` if the profile does not have it.
    #[must_use]
    pub fn severity(&self, profile: Profile) -> Option<Severity> {
        match profile.difference(self.id) {
            Some(difference) => Some(difference.severity),
            None => self.severities.of(profile),
        }
    }

    /// Returns how much it matters in a profile when it is broken only a little.
    ///
    /// A certificate that expires soon breaks the rule that certificates must be valid a little.
    #[must_use]
    pub fn mild_severity(&self, profile: Profile) -> Option<Severity> {
        match profile.difference(self.id) {
            Some(difference) => difference.mild,
            None => self.mild.of(profile),
        }
    }
}

/// How much a rule matters, profile by profile; [`Profile::difference`] has the exceptions.
#[derive(Debug, PartialEq, Eq)]
enum Severities {
    General {
        core: Option<Severity>,
        okta: Option<Severity>,
        aws: Option<Severity>,
        aws_sp: Option<Severity>,
    },
    /// The rule is about the files of one consumer.
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
                // What one consumer of an identity provider's file does not mind, none does.
                Profile::AwsIdentityCenter
                | Profile::GoogleWorkforce
                | Profile::AwsIam
                | Profile::OpenSearch => aws,
                Profile::AwsIdentityCenterSp => aws_sp,
            },
        }
    }
}

/// Returns all rules, in the order of their names.
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

/// Returns the rules that only the verification of signatures can check.
#[cfg(feature = "signature")]
pub(crate) fn signature_rules() -> impl Iterator<Item = &'static Rule> {
    signature::TABLE.iter().copied()
}

/// Declares rules and the table of them.
///
/// A rule is a constant name, its id, the severities in the profiles core, Okta, AWS and AWS SP
/// (`E` for error, `W` for warning, `I` for info, `O` for off) or `only` the one of a profile,
/// perhaps the mild ones, summary, clause and help.
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
    (@mild $($mild:ident)+) => { table!(@severities $($mild)+) };
    (@mild) => { table!(@severities O O O O) };
    ($(
        $name:ident $id:literal [$($severity:ident)+] $(mild [$($mild:ident)+])?
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
                mild: table!(@mild $($($mild)+)?),
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
    fn every_rule_has_a_name_of_its_own_of_the_form_md_area_number() {
        let ids: Vec<&str> = rules().map(|rule| rule.id.as_str()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for id in ids {
            let parts: Vec<&str> = id.split('-').collect();
            let [md, area, number] = parts[..] else {
                panic!("{id} has not three parts");
            };
            assert_eq!(md, "MD");
            assert!(area.bytes().all(|b| b.is_ascii_uppercase()), "{id}");
            assert!(number.len() == 2 && number.parse::<u8>().is_ok(), "{id}");
        }
    }

    #[test]
    fn mild_never_matters_more() {
        for rule in rules() {
            for profile in Profile::ALL {
                assert!(
                    rule.mild_severity(profile) <= rule.severity(profile),
                    "{} in {profile:?}",
                    rule.id
                );
            }
        }
    }

    #[test]
    fn the_differences_of_profiles_are_about_rules_that_there_are() {
        for profile in Profile::ALL {
            for difference in profile.differences() {
                let id = difference.rule;
                assert!(rules().any(|rule| rule.id.as_str() == id), "{id}");
            }
        }
    }

    #[test]
    fn every_rule_says_what_where_from_and_what_to_do() {
        for rule in rules() {
            for text in [rule.summary, rule.clause, rule.help] {
                assert!(!text.is_empty() && text.trim() == text, "{}", rule.id);
            }
            assert!(rule.help.ends_with('.'), "{}: {}", rule.id, rule.help);
        }
    }
}
