//! The statements of a policy: their resources, their length, and the patterns of a policy that would be too long.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use aws_sso_glue::PermissionSetArn;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::AwsTarget;
use crate::plan::count;

/// An IAM policy document that allows its statements.
///
/// serde writes the document as JSON, and `Display` writes it with line breaks, for the console.
///
/// ```
/// use okta_aws_sso::rights::AwsPolicy;
///
/// let empty = AwsPolicy::default();
/// assert_eq!(serde_json::to_string(&empty)?, r#"{"Version":"2012-10-17","Statement":[]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwsPolicy {
    /// The statements.
    pub statements: Vec<AwsStatement>,
}

/// A statement of an IAM policy, which allows each of its actions on each of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwsStatement {
    /// The actions, such as `sso:ListInstances`.
    pub actions: Vec<&'static str>,
    /// The resources: ARNs, patterns of ARNs, or `*`.
    pub resources: Vec<String>,
}

/// Resources that are one pattern in a policy, because the policy would be too long with each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collapsed {
    /// The resources: `unusable account`, `account` or `permission set`.
    pub kind: &'static str,
    /// The number of the resources.
    pub number: usize,
    /// The pattern.
    pub pattern: String,
}

/// A resource of an action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    /// All resources, for actions without a resource type.
    Any,
    Instance,
    AnyPermissionSet,
    PermissionSet(PermissionSetArn),
    AnyAccount,
    Account(String),
    IdentityStore,
    Users,
    Groups,
    Memberships,
    Roots,
    Units,
    OrganizationAccounts,
    OrganizationAccount(String),
    Roles,
    SamlProvider,
}

/// The actions of a part of the policy, each with its resources.
pub(super) type Actions = BTreeMap<&'static str, BTreeSet<Resource>>;

impl AwsPolicy {
    /// Maximum number of characters of a managed policy without white space (IAM user guide, "IAM and AWS STS quotas").
    pub const MAX_CHARACTERS: usize = 6_144;

    pub(super) fn new(statements: Vec<AwsStatement>) -> Self {
        Self { statements }
    }

    /// Returns the number of characters as IAM counts them: without white space.
    ///
    /// # Panics
    ///
    /// Never panics, because every policy can be written as JSON.
    #[must_use]
    pub fn characters(&self) -> usize {
        let json = serde_json::to_string(self).expect("a policy has string keys only");
        json.chars().filter(|c| !c.is_whitespace()).count()
    }

    /// Returns the actions, sorted.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<&'static str> {
        let actions = self.statements.iter();
        actions
            .flat_map(|one| one.actions.iter().copied())
            .collect()
    }
}

impl Serialize for AwsPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("AwsPolicy", 2)?;
        document.serialize_field("Version", "2012-10-17")?;
        document.serialize_field("Statement", &self.statements)?;
        document.end()
    }
}

impl Serialize for AwsStatement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut statement = serializer.serialize_struct("AwsStatement", 3)?;
        statement.serialize_field("Effect", "Allow")?;
        statement.serialize_field("Action", &self.actions)?;
        statement.serialize_field("Resource", &self.resources)?;
        statement.end()
    }
}

impl fmt::Display for AwsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self).map_err(|_not_json| fmt::Error)?;
        f.write_str(&json)
    }
}

impl fmt::Display for Collapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = count(self.number, self.kind);
        write!(f, "{number}: {} allows all of this kind", self.pattern)
    }
}

/// Returns the statements for reading and for writing. If both together would be too long, they have a pattern instead of the accounts
/// that are only read, then also of the accounts with changes, and then also of the permission sets.
pub(super) fn statements(
    read: &Actions,
    write: &Actions,
    target: &AwsTarget,
) -> (Vec<AwsStatement>, Vec<AwsStatement>, Vec<Collapsed>) {
    let attempt = |kinds: &[Kind]| {
        let part = |actions| grouped(actions, kinds, target);
        let (read, write) = (part(read), part(write));
        let both = AwsPolicy::new([read.clone(), write.clone()].concat());
        (both.characters() <= AwsPolicy::MAX_CHARACTERS, read, write)
    };
    for kinds in (0..=Kind::ALL.len()).map(|number| &Kind::ALL[..number]) {
        let (fits, read_part, write_part) = attempt(kinds);
        // With all patterns, each policy fits: a test has the longest one.
        if fits || kinds.len() == Kind::ALL.len() {
            let all = || read.values().chain(write.values()).flatten();
            let collapsed = kinds.iter().map(|kind| Collapsed {
                kind: kind.name(),
                number: all()
                    .filter(|one| kind.has(one))
                    .collect::<BTreeSet<_>>()
                    .len(),
                pattern: target.arn(&kind.pattern()),
            });
            let collapsed = collapsed.filter(|one| one.number > 0).collect();
            return (read_part, write_part, collapsed);
        }
    }
    unreachable!("the last attempt is returned")
}

/// A kind of resources that can become one pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The accounts of the blueprint with a problem, which are only read.
    ProblemAccounts,
    Accounts,
    Sets,
}

impl Kind {
    /// The kinds in the order in which they become patterns.
    const ALL: [Self; 3] = [Self::ProblemAccounts, Self::Accounts, Self::Sets];

    fn name(self) -> &'static str {
        match self {
            Self::ProblemAccounts => "unusable account",
            Self::Accounts => "account",
            Self::Sets => "permission set",
        }
    }

    fn has(self, resource: &Resource) -> bool {
        match self {
            Self::ProblemAccounts => matches!(resource, Resource::OrganizationAccount(_)),
            Self::Accounts => matches!(resource, Resource::Account(_)),
            Self::Sets => matches!(resource, Resource::PermissionSet(_)),
        }
    }

    fn pattern(self) -> Resource {
        match self {
            Self::ProblemAccounts => Resource::OrganizationAccounts,
            Self::Accounts => Resource::AnyAccount,
            Self::Sets => Resource::AnyPermissionSet,
        }
    }
}

/// Returns one statement for all actions that have the same resources.
fn grouped(actions: &Actions, collapsed: &[Kind], target: &AwsTarget) -> Vec<AwsStatement> {
    let mut by_resources: BTreeMap<BTreeSet<Resource>, Vec<&'static str>> = BTreeMap::new();
    for (action, resources) in actions {
        let mut resources = resources.clone();
        for kind in Kind::ALL {
            if collapsed.contains(&kind) && resources.iter().any(|one| kind.has(one)) {
                resources.insert(kind.pattern());
            }
            if resources.contains(&kind.pattern()) {
                resources.retain(|one| !kind.has(one));
            }
        }
        by_resources.entry(resources).or_default().push(action);
    }
    let statements = by_resources
        .into_iter()
        .map(|(resources, actions)| AwsStatement {
            actions,
            resources: resources.iter().map(|one| target.arn(one)).collect(),
        });
    statements.collect()
}

impl AwsTarget {
    /// Returns the ARN of a resource, or the pattern of its ARN.
    ///
    /// Source of the forms: Service Authorization Reference, "Resource types defined by" IAM Identity Center, Identity Store, Organizations
    /// and IAM. The roles and the SAML provider are those of the user guide ("Identity-based policy examples", example 2).
    fn arn(&self, resource: &Resource) -> String {
        let partition = &self.partition;
        let any = "*";
        let sso = |resource: String| format!("arn:{partition}:sso:::{resource}");
        let instance = self.instance.as_ref().map_or(any, |arn| {
            let arn = arn.as_str();
            arn.rsplit('/').next().unwrap_or(arn)
        });
        let store = |kind: &str| format!("arn:{partition}:identitystore:::{kind}/*");
        let management = self.management_account.as_ref();
        let management = management.map_or(any, |account| account.as_str());
        let node = |kind: &str, id: &str| {
            let organization = self.organization.as_deref().unwrap_or(any);
            format!("arn:{partition}:organizations::{management}:{kind}/{organization}/{id}")
        };
        match resource {
            Resource::Any => any.to_owned(),
            Resource::Instance => sso(format!("instance/{instance}")),
            Resource::AnyPermissionSet => sso(format!("permissionSet/{instance}/*")),
            Resource::PermissionSet(arn) => arn.to_string(),
            Resource::AnyAccount => sso("account/*".to_owned()),
            Resource::Account(id) => sso(format!("account/{id}")),
            Resource::IdentityStore => {
                let owner = self.owner.as_ref().map_or(any, |owner| owner.as_str());
                let id = self.identity_store.as_ref().map_or(any, |id| id.as_str());
                format!("arn:{partition}:identitystore::{owner}:identitystore/{id}")
            }
            Resource::Users => store("user"),
            Resource::Groups => store("group"),
            Resource::Memberships => store("membership"),
            Resource::Roots => node("root", any),
            Resource::Units => node("ou", any),
            Resource::OrganizationAccounts => node("account", any),
            Resource::OrganizationAccount(id) => node("account", id),
            Resource::Roles => {
                format!("arn:{partition}:iam::{management}:role/aws-reserved/sso.amazonaws.com/*")
            }
            Resource::SamlProvider => {
                format!("arn:{partition}:iam::{management}:saml-provider/AWSSSO_*_DO_NOT_DELETE")
            }
        }
    }
}
