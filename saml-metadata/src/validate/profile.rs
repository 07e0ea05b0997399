//! The profiles, and the severities that differ from the rule table.

use std::{fmt, str::FromStr};

use super::{RuleId, Severity};

/// The consumer or specification for which a document is checked.
///
/// All profiles share the same rules. A profile decides which rules are on, and their severities.
/// The table is data: see [`rules()`](super::rules()) and
/// [`Rule::severity`](super::Rule::severity). A [`Policy`](super::Policy) is based on a profile and
/// changes it.
///
/// `Display` and `FromStr` use the [name](Profile::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// The specification, and common practice of federations.
    SamlCore,
    /// The deployment profile saml2int 2.0 of the Kantara Initiative.
    Saml2int,
    /// The requirements of eduGAIN for the metadata that federations submit.
    Edugain,
    /// The identity provider file that Okta generates for an app.
    Okta,
    /// The identity provider file for upload to IAM Identity Center.
    AwsIdentityCenter,
    /// The service provider file that IAM Identity Center generates.
    AwsIdentityCenterSp,
    /// The identity provider file for Google's Workforce Identity Federation.
    GoogleWorkforce,
    /// The identity provider file for AWS IAM (`CreateSAMLProvider`).
    AwsIam,
    /// The identity provider file for Amazon `OpenSearch` Service.
    OpenSearch,
}

/// A rule whose severities in a profile differ from the columns of the table.
pub(crate) struct Difference {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) minor: Option<Severity>,
}

const fn error(rule: &'static str, minor: Option<Severity>) -> Difference {
    Difference {
        rule,
        severity: Severity::Error,
        minor,
    }
}

const fn warning(rule: &'static str) -> Difference {
    Difference {
        rule,
        severity: Severity::Warning,
        minor: Some(Severity::Warning),
    }
}

const E: Option<Severity> = Some(Severity::Error);
const W: Option<Severity> = Some(Severity::Warning);

/// Requirements that are a MUST in saml2int, but not in the specification.
const SAML2INT: &[Difference] = &[
    error("MD-TIME-03", None),
    error("MD-TIME-06", None),
    // SDP-G04: entity identifiers have at most 256 characters.
    error("MD-ENT-01", E),
    error("MD-ROLE-03", W),
    error("MD-EP-03", None),
    error("MD-SP-02", None),
    error("MD-SP-03", None),
    error("MD-UI-02", W),
    // SDP-MD10: a logo has an https URL.
    error("MD-UI-03", E),
];

/// Errors of eduGAIN's validator that are not errors in the specification.
const EDUGAIN: &[Difference] = &[
    error("MD-TIME-03", None),
    error("MD-TIME-04", None),
    error("MD-ENT-07", E),
    error("MD-SP-08", None),
    // The minor violation is an entity without any RegistrationInfo.
    error("MD-RPI-02", E),
    Difference {
        rule: "MD-UI-02",
        severity: Severity::Warning,
        minor: W,
    },
];

/// AWS IAM uses only the key, and documents no rule about the dates of its certificate. Its
/// providers also serve programs, which start at the identity provider and need no
/// `SingleSignOnService`.
const AWS_IAM: &[Difference] = &[
    warning("MD-KEY-05"),
    warning("MD-IDP-01"),
    warning("MD-IDP-06"),
];

/// MD-GCP-01 has Google's own rules about the dates of certificates.
const GOOGLE_WORKFORCE: &[Difference] = &[warning("MD-KEY-05")];

/// The API of `OpenSearch` refuses a byte order mark; its console accepts it
/// (hashicorp/terraform-provider-aws#36052). The minor violation is a file in UTF-16. No rule about
/// the dates of certificates is documented.
const OPEN_SEARCH: &[Difference] = &[warning("MD-KEY-05"), error("MD-XML-07", W)];

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

    /// Returns the name for command lines and configuration files, such as `aws-identity-center`.
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

    /// Returns whether the consumer reads only the identity provider's role of a document. An error
    /// elsewhere is a warning for such a consumer.
    pub(crate) const fn reads_only_the_identity_provider(self) -> bool {
        matches!(
            self,
            Self::AwsIdentityCenter | Self::GoogleWorkforce | Self::AwsIam | Self::OpenSearch
        )
    }

    pub(crate) const fn differences(self) -> &'static [Difference] {
        match self {
            Self::Saml2int => SAML2INT,
            Self::Edugain => EDUGAIN,
            Self::AwsIam => AWS_IAM,
            Self::GoogleWorkforce => GOOGLE_WORKFORCE,
            Self::OpenSearch => OPEN_SEARCH,
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

/// The error for a text that is not the [name](Profile::name) of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile name")]
#[non_exhaustive]
pub struct ParseProfileError;
