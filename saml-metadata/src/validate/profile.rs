use std::{fmt, str::FromStr};

use super::{RuleId, Severity};

/// Whose eyes to look at a document with.
///
/// The rules are the same for all; which of them count, and how much, is the profile's. The table
/// is data: see [`rules()`](super::rules()) and [`Rule::severity`](super::Rule::severity). A
/// [`Policy`](super::Policy) starts from a profile and changes it.
///
/// `Display` and `FromStr` use the [name](Profile::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// The specification, and what federations make of it.
    SamlCore,
    /// The deployment profile saml2int 2.0 of the Kantara Initiative.
    Saml2int,
    /// What eduGAIN asks of the metadata that federations hand in.
    Edugain,
    /// The identity provider's file that Okta hands out for an app.
    Okta,
    /// The identity provider's file that IAM Identity Center is given.
    AwsIdentityCenter,
    /// The service provider's file that IAM Identity Center hands out.
    AwsIdentityCenterSp,
    /// The identity provider's file that Google's Workforce Identity Federation is given.
    GoogleWorkforce,
    /// The identity provider's file that AWS IAM is given (`CreateSAMLProvider`).
    AwsIam,
    /// The identity provider's file that Amazon `OpenSearch` Service is given.
    OpenSearch,
}

/// Where a profile differs from the columns of the table.
pub(crate) struct Difference {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) mild: Option<Severity>,
}

const fn error(rule: &'static str, mild: Option<Severity>) -> Difference {
    Difference {
        rule,
        severity: Severity::Error,
        mild,
    }
}

const fn warning(rule: &'static str) -> Difference {
    Difference {
        rule,
        severity: Severity::Warning,
        mild: Some(Severity::Warning),
    }
}

const E: Option<Severity> = Some(Severity::Error);
const W: Option<Severity> = Some(Severity::Warning);

/// What saml2int says MUST to, and the specification does not.
const SAML2INT: &[Difference] = &[
    error("MD-TIME-03", None),
    error("MD-TIME-06", None),
    // SDP-G04: entity identifiers of up to 256 characters.
    error("MD-ENT-01", E),
    error("MD-ROLE-03", W),
    error("MD-EP-03", None),
    error("MD-SP-02", None),
    error("MD-SP-03", None),
    error("MD-UI-02", W),
    // SDP-MD10: a logo is fetched by https.
    error("MD-UI-03", E),
];

/// What eduGAIN's validator counts as an error, and the specification does not.
const EDUGAIN: &[Difference] = &[
    error("MD-TIME-03", None),
    error("MD-TIME-04", None),
    error("MD-ENT-07", E),
    error("MD-SP-08", None),
    // Entities without any registration are what the mild form is about.
    error("MD-RPI-02", E),
    Difference {
        rule: "MD-UI-02",
        severity: Severity::Warning,
        mild: W,
    },
];

/// Consumers that go by the key, and say nothing about its certificate's dates.
const DATES_DO_NOT_COUNT: &[Difference] = &[warning("MD-KEY-05")];

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 9] = [
        Self::SamlCore,
        Self::Saml2int,
        Self::Edugain,
        Self::Okta,
        Self::AwsIdentityCenter,
        Self::AwsIdentityCenterSp,
        Self::GoogleWorkforce,
        Self::AwsIam,
        Self::OpenSearch,
    ];

    /// Returns the name for command lines and files, such as `aws-identity-center`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SamlCore => "saml-core",
            Self::Saml2int => "saml2int",
            Self::Edugain => "edugain",
            Self::Okta => "okta",
            Self::AwsIdentityCenter => "aws-identity-center",
            Self::AwsIdentityCenterSp => "aws-identity-center-sp",
            Self::GoogleWorkforce => "google-workforce",
            Self::AwsIam => "aws-iam",
            Self::OpenSearch => "opensearch",
        }
    }

    pub(crate) const fn differences(self) -> &'static [Difference] {
        match self {
            Self::Saml2int => SAML2INT,
            Self::Edugain => EDUGAIN,
            Self::AwsIam | Self::OpenSearch => DATES_DO_NOT_COUNT,
            _ => &[],
        }
    }

    pub(crate) fn difference(self, rule: RuleId) -> Option<&'static Difference> {
        self.differences()
            .iter()
            .find(|difference| difference.rule == rule.as_str())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = ParseProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or(ParseProfileError)
    }
}

/// A text is not the [name](Profile::name) of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a profile")]
#[non_exhaustive]
pub struct ParseProfileError;
