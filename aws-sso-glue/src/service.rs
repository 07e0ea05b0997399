//! The AWS services that this crate calls.

/// An AWS service, with its name in the AWS CLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The configuration of a connection, which calls no service.
    Configuration,
    IdentityStore,
    Organizations,
    Portal,
    SecretsManager,
    SignIn,
    SsoAdmin,
    Sts,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::IdentityStore => "identitystore",
            Self::Organizations => "organizations",
            Self::Portal => "sso",
            Self::SecretsManager => "secretsmanager",
            Self::SignIn => "sso-oidc",
            Self::SsoAdmin => "sso-admin",
            Self::Sts => "sts",
        }
    }

    /// Returns the prefix of the service's actions in IAM policies. The sign-in services have no
    /// prefix.
    pub(crate) fn iam_prefix(self) -> Option<&'static str> {
        match self {
            Self::IdentityStore => Some("identitystore"),
            Self::Organizations => Some("organizations"),
            Self::SecretsManager => Some("secretsmanager"),
            Self::SsoAdmin => Some("sso"),
            Self::Sts => Some("sts"),
            Self::Configuration | Self::Portal | Self::SignIn => None,
        }
    }

    /// Returns the name of an operation with its service, such as `sso-admin ListInstances`.
    pub(crate) fn operation(self, operation: &str) -> String {
        format!("{} {operation}", self.name())
    }
}
