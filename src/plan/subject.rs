//! The subjects of changes: what a change acts on, as data.

use std::{fmt, ops::Deref, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::StepId;
use crate::text::Shown;

/// A name or id in a [`Subject`]. Clones share the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(transparent)]
pub struct Name(Arc<str>);

/// The object of a change, a problem or a note.
///
/// A subject is found again in a later plan, so it has only names and ids that are known before the run: logins, names of
/// Okta and of the blueprint, account ids, ARNs of policies. What a run learns, such as an app id, is a [`Field`](super::Field).
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Subject {
    /// The Okta app.
    App {
        /// The label of the app in the blueprint.
        label: Name,
    },
    /// The SAML settings of the Okta app.
    AppSettings {},
    /// The sign-on policy of the Okta app, which decides who can sign in to it, and how.
    SignOnPolicy {},
    /// The mapping of the profiles of Okta users to those of the Okta app.
    ProfileMapping {},
    /// A user who is assigned to the Okta app.
    AppUser {
        /// The login in Okta.
        login: Name,
    },
    /// A group that is assigned to the Okta app.
    AppGroup {
        /// The name in Okta.
        group: Name,
    },
    /// A group that Okta pushes to AWS.
    GroupPush {
        /// The name in Okta.
        group: Name,
    },
    /// Okta's provisioning to AWS.
    OktaProvisioning {},
    /// A custom domain of the Okta org.
    CustomDomain {
        /// The host name.
        name: Name,
    },
    /// The certificate of a custom domain, if Okta does not manage it.
    DomainCertificate {
        /// The host name.
        domain: Name,
    },
    /// Okta's SAML metadata.
    IdpMetadata {},
    /// The trusted access of a service to the AWS organization.
    TrustedAccess {
        /// The service principal, such as `sso.amazonaws.com`.
        service: Name,
    },
    /// The instance of IAM Identity Center.
    IdentityCenter {},
    /// The identity source of IAM Identity Center.
    IdentitySource {},
    /// The AWS access portal.
    AccessPortal {},
    /// AWS's SCIM endpoint and its access token.
    ScimEndpoint {},
    /// A user in AWS.
    User {
        /// The login in Okta.
        name: Name,
    },
    /// A group in AWS.
    Group {
        /// The display name.
        name: Name,
    },
    /// The membership of a user in a group in AWS.
    Membership {
        /// The display name of the group.
        group: Name,
        /// The login of the user in Okta.
        user: Name,
    },
    /// An AWS account.
    Account {
        /// The account id, or the name in the blueprint if the organization has no such account.
        id: Name,
    },
    /// A permission set.
    PermissionSet {
        /// The name.
        name: Name,
    },
    /// A policy of a permission set.
    Policy {
        /// The name of the permission set.
        permission_set: Name,
        /// The policy.
        policy: PolicyRef,
    },
    /// The provisioning of a permission set into its accounts.
    Provisioning {
        /// The name of the permission set.
        permission_set: Name,
    },
    /// An account assignment.
    Assignment {
        /// The user or group.
        principal: Principal,
        /// The account id.
        account: Name,
        /// The name of the permission set.
        permission_set: Name,
    },
    /// The sign-in of a test user.
    SignIn {
        /// The login in Okta.
        user: Name,
    },
    /// A place in the blueprint. Only problems have this subject.
    Input {
        /// The path, such as `access[2].group`.
        path: Name,
    },
    /// A subject of a step of another crate.
    Custom {
        /// The step.
        step: StepId,
        /// The name, which is unique within the step.
        name: Name,
    },
}

/// The user or group of an assignment.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Principal {
    /// A user.
    User {
        /// The login in Okta.
        name: Name,
    },
    /// A group.
    Group {
        /// The name.
        name: Name,
    },
    /// A user that AWS no longer has.
    DeletedUser {
        /// The id that the user had in AWS.
        id: Name,
    },
    /// A group that AWS no longer has.
    DeletedGroup {
        /// The id that the group had in AWS.
        id: Name,
    },
}

/// A policy of a permission set.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PolicyRef {
    /// A policy of AWS.
    Managed {
        /// The ARN.
        arn: Name,
    },
    /// A policy of the accounts.
    CustomerManaged {
        /// The name.
        name: Name,
        /// The path.
        path: Name,
    },
    /// The inline policy.
    Inline {},
    /// The permissions boundary.
    Boundary {},
}

/// The kind of a [`Subject`], for limits and dependencies.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// [`Subject::App`].
    App,
    /// [`Subject::AppSettings`].
    AppSettings,
    /// [`Subject::SignOnPolicy`].
    SignOnPolicy,
    /// [`Subject::ProfileMapping`].
    ProfileMapping,
    /// [`Subject::AppUser`].
    AppUser,
    /// [`Subject::AppGroup`].
    AppGroup,
    /// [`Subject::GroupPush`].
    GroupPush,
    /// [`Subject::OktaProvisioning`].
    OktaProvisioning,
    /// [`Subject::CustomDomain`].
    CustomDomain,
    /// [`Subject::DomainCertificate`].
    DomainCertificate,
    /// [`Subject::IdpMetadata`].
    IdpMetadata,
    /// [`Subject::TrustedAccess`].
    TrustedAccess,
    /// [`Subject::IdentityCenter`].
    IdentityCenter,
    /// [`Subject::IdentitySource`].
    IdentitySource,
    /// [`Subject::AccessPortal`].
    AccessPortal,
    /// [`Subject::ScimEndpoint`].
    ScimEndpoint,
    /// [`Subject::User`].
    User,
    /// [`Subject::Group`].
    Group,
    /// [`Subject::Membership`].
    Membership,
    /// [`Subject::Account`].
    Account,
    /// [`Subject::PermissionSet`].
    PermissionSet,
    /// [`Subject::Policy`].
    Policy,
    /// [`Subject::Provisioning`].
    Provisioning,
    /// [`Subject::Assignment`].
    Assignment,
    /// [`Subject::SignIn`].
    SignIn,
    /// [`Subject::Input`].
    Input,
    /// [`Subject::Custom`].
    Custom,
}

/// A subject that must exist before a change can be made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// One subject.
    Subject(Subject),
    /// The only subject of a kind.
    Kind(Kind),
}

impl Subject {
    /// Creates the subject of a user in AWS.
    pub fn user(name: impl Into<Name>) -> Self {
        Self::User { name: name.into() }
    }

    /// Creates the subject of a group in AWS.
    pub fn group(name: impl Into<Name>) -> Self {
        Self::Group { name: name.into() }
    }

    /// Creates the subject of a membership in AWS.
    pub fn membership(group: impl Into<Name>, user: impl Into<Name>) -> Self {
        Self::Membership {
            group: group.into(),
            user: user.into(),
        }
    }

    /// Creates the subject of a permission set.
    pub fn permission_set(name: impl Into<Name>) -> Self {
        Self::PermissionSet { name: name.into() }
    }

    /// Creates the subject of a step of another crate.
    pub fn custom(step: StepId, name: impl Into<Name>) -> Self {
        Self::Custom {
            step,
            name: name.into(),
        }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::App { .. } => Kind::App,
            Self::AppSettings {} => Kind::AppSettings,
            Self::SignOnPolicy {} => Kind::SignOnPolicy,
            Self::ProfileMapping {} => Kind::ProfileMapping,
            Self::AppUser { .. } => Kind::AppUser,
            Self::AppGroup { .. } => Kind::AppGroup,
            Self::GroupPush { .. } => Kind::GroupPush,
            Self::OktaProvisioning {} => Kind::OktaProvisioning,
            Self::CustomDomain { .. } => Kind::CustomDomain,
            Self::DomainCertificate { .. } => Kind::DomainCertificate,
            Self::IdpMetadata {} => Kind::IdpMetadata,
            Self::TrustedAccess { .. } => Kind::TrustedAccess,
            Self::IdentityCenter {} => Kind::IdentityCenter,
            Self::IdentitySource {} => Kind::IdentitySource,
            Self::AccessPortal {} => Kind::AccessPortal,
            Self::ScimEndpoint {} => Kind::ScimEndpoint,
            Self::User { .. } => Kind::User,
            Self::Group { .. } => Kind::Group,
            Self::Membership { .. } => Kind::Membership,
            Self::Account { .. } => Kind::Account,
            Self::PermissionSet { .. } => Kind::PermissionSet,
            Self::Policy { .. } => Kind::Policy,
            Self::Provisioning { .. } => Kind::Provisioning,
            Self::Assignment { .. } => Kind::Assignment,
            Self::SignIn { .. } => Kind::SignIn,
            Self::Input { .. } => Kind::Input,
            Self::Custom { .. } => Kind::Custom,
        }
    }

    /// Returns what must exist before this subject can be changed.
    ///
    /// If a change of one of these fails, the change of this subject is skipped.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let kinds = |kinds: &[Kind]| kinds.iter().copied().map(Need::Kind).collect::<Vec<_>>();
        match self {
            Self::IdpMetadata {} | Self::SignOnPolicy {} | Self::ProfileMapping {} => {
                kinds(&[Kind::App])
            }
            // No user gets the app while it has another sign-on policy than the reviewed one.
            Self::AppUser { .. } | Self::AppGroup { .. } => kinds(&[Kind::App, Kind::SignOnPolicy]),
            Self::DomainCertificate { domain } => vec![Need::Subject(Self::CustomDomain {
                name: domain.clone(),
            })],
            Self::IdentityCenter {} => kinds(&[Kind::TrustedAccess]),
            Self::IdentitySource {} => kinds(&[Kind::IdpMetadata, Kind::IdentityCenter]),
            Self::AppSettings {} => kinds(&[Kind::App, Kind::IdentitySource]),
            // AWS offers automatic provisioning only with an external identity source.
            Self::ScimEndpoint {} => kinds(&[Kind::IdentityCenter, Kind::IdentitySource]),
            Self::OktaProvisioning {} => kinds(&[Kind::App, Kind::ScimEndpoint]),
            Self::GroupPush { .. } => kinds(&[Kind::App, Kind::OktaProvisioning]),
            Self::User { name } => {
                let assigned = Self::AppUser {
                    login: name.clone(),
                };
                let mut needs = kinds(&[Kind::ScimEndpoint, Kind::OktaProvisioning]);
                needs.push(Need::Subject(assigned));
                needs
            }
            Self::Group { name } => {
                let pushed = Self::GroupPush {
                    group: name.clone(),
                };
                let mut needs = kinds(&[Kind::ScimEndpoint, Kind::OktaProvisioning]);
                needs.push(Need::Subject(pushed));
                needs
            }
            Self::Membership { group, user } => vec![
                Need::Kind(Kind::ScimEndpoint),
                Need::Subject(Self::group(group.clone())),
                Need::Subject(Self::user(user.clone())),
            ],
            Self::AccessPortal {} | Self::PermissionSet { .. } => kinds(&[Kind::IdentityCenter]),
            Self::Policy { permission_set, .. } | Self::Provisioning { permission_set } => {
                vec![Need::Subject(Self::permission_set(permission_set.clone()))]
            }
            Self::Assignment {
                principal,
                account,
                permission_set,
            } => {
                let principal = match principal {
                    Principal::User { name } => Some(Self::user(name.clone())),
                    Principal::Group { name } => Some(Self::group(name.clone())),
                    Principal::DeletedUser { .. } | Principal::DeletedGroup { .. } => None,
                };
                let account = Self::Account {
                    id: account.clone(),
                };
                let set = Self::permission_set(permission_set.clone());
                principal
                    .into_iter()
                    .chain([account, set])
                    .map(Need::Subject)
                    .collect()
            }
            Self::SignIn { user } => vec![
                Need::Kind(Kind::AccessPortal),
                Need::Kind(Kind::AppSettings),
                Need::Subject(Self::user(user.clone())),
            ],
            Self::App { .. }
            | Self::CustomDomain { .. }
            | Self::TrustedAccess { .. }
            | Self::Account { .. }
            | Self::Input { .. }
            | Self::Custom { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App { label } => write!(f, "app \"{label}\""),
            Self::AppSettings {} => f.write_str("SAML settings of the app"),
            Self::SignOnPolicy {} => f.write_str("sign-on policy of the app"),
            Self::ProfileMapping {} => f.write_str("profile mapping of the app"),
            Self::AppUser { login } => write!(f, "user {login} assigned to the app"),
            Self::AppGroup { group } => write!(f, "group {group} assigned to the app"),
            Self::GroupPush { group } => write!(f, "group {group} pushed to AWS"),
            Self::OktaProvisioning {} => f.write_str("provisioning of the app"),
            Self::CustomDomain { name } => write!(f, "custom domain {name}"),
            Self::DomainCertificate { domain } => {
                write!(f, "certificate of custom domain {domain}")
            }
            Self::IdpMetadata {} => f.write_str("metadata.xml"),
            Self::TrustedAccess { service } => write!(f, "trusted access for {service}"),
            Self::IdentityCenter {} => f.write_str("IAM Identity Center for the organization"),
            Self::IdentitySource {} => f.write_str("external identity provider"),
            Self::AccessPortal {} => f.write_str("access portal URL"),
            Self::ScimEndpoint {} => f.write_str("automatic provisioning"),
            Self::User { name } => write!(f, "user {name}"),
            Self::Group { name } => write!(f, "group {name}"),
            Self::Membership { group, user } => write!(f, "membership of {user} in group {group}"),
            Self::Account { id } => write!(f, "account {id}"),
            Self::PermissionSet { name } => write!(f, "permission set {name}"),
            Self::Policy {
                permission_set,
                policy,
            } => write!(f, "{policy} of permission set {permission_set}"),
            Self::Provisioning { permission_set } => {
                write!(f, "provisioning of permission set {permission_set}")
            }
            Self::Assignment {
                principal,
                account,
                permission_set,
            } => write!(f, "{principal}: {permission_set} in {account}"),
            Self::SignIn { user } => write!(f, "sign in as {user}"),
            Self::Input { path } => write!(f, "`{path}` of the blueprint"),
            Self::Custom { name, .. } => f.write_str(name),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name } => write!(f, "user {name}"),
            Self::Group { name } => write!(f, "group {name}"),
            Self::DeletedUser { id } => write!(f, "deleted user {id}"),
            Self::DeletedGroup { id } => write!(f, "deleted group {id}"),
        }
    }
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Managed { arn } => write!(f, "policy {arn}"),
            Self::CustomerManaged { name, path } => {
                write!(f, "customer-managed policy {path}{name}")
            }
            Self::Inline {} => f.write_str("inline policy"),
            Self::Boundary {} => f.write_str("permissions boundary"),
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

/// Writes the name on one line: control characters and invisible characters are escaped.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0).fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
