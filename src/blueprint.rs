//! What the user wants: who gets which role in which accounts, and what is needed for it.
//!
//! A blueprint is a serde value. It is small for the small case:
//!
//! ```
//! let blueprint = okta_aws_sso::Blueprint::from_toml(
//!     r#"
//!     [[access]]
//!     user = "ada.lovelace@example.com"
//!     account = "Sandbox"
//!     permission_set = "AdministratorAccess"
//!     "#,
//! )?;
//! assert_eq!(blueprint.access[0].permission_set, "AdministratorAccess");
//! # Ok::<(), okta_aws_sso::blueprint::ParseBlueprintError>(())
//! ```

mod diagnostic;
mod validate;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

pub use diagnostic::ParseBlueprintError;
pub(crate) use validate::well_known_policy;

/// What the user wants to be true of Okta and AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// The Okta side.
    #[serde(default)]
    pub okta: OktaSection,
    /// The AWS side.
    #[serde(default)]
    pub aws: AwsSection,
    /// Who and what Okta provisions into AWS, beyond what `access` names.
    #[serde(default)]
    pub provisioning: Provisioning,
    /// The permission sets that `access` uses, by name. One that is named like a policy that AWS manages for a job
    /// (`AdministratorAccess`, `ReadOnlyAccess`, …) needs no entry, and has that policy if an entry names none.
    #[serde(default)]
    pub permission_sets: BTreeMap<String, PermissionSetSpec>,
    /// Who gets which role in which accounts.
    #[serde(default)]
    pub access: Vec<Access>,
    /// How the result is tried out.
    #[serde(default)]
    pub sign_in: SignIn,
}

/// The Okta side of a blueprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OktaSection {
    /// The label of the app; an app of the catalog entry `amazon_aws_sso` with this label is adopted.
    pub app_label: String,
    /// A host of your own for the org, such as `login.example.com`; needs two DNS records.
    pub custom_domain: Option<String>,
}

/// The AWS side of a blueprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwsSection {
    /// The Region a new Identity Center instance is to be enabled in; one that exists is found in any Region. The
    /// choice is permanent.
    pub region: Option<String>,
    /// The address of the access portal, if it is known to be another than the default of the instance.
    pub portal_url: Option<Url>,
}

/// Who and what Okta provisions into AWS, beyond what `access` names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Provisioning {
    /// Who writes users and groups to AWS.
    pub mode: ProvisioningMode,
    /// Okta groups whose members are assigned to the app, and so become users in AWS.
    pub assign_groups: Vec<String>,
    /// Okta users, by login, who are assigned to the app one by one.
    pub assign_users: Vec<String>,
    /// Who has to arrive in AWS before anybody is given access.
    pub wait_for: WaitFor,
    /// Okta groups that become groups in AWS. Where Okta pushes them, a group is assigned or pushed, never both.
    pub push_groups: Vec<String>,
}

/// Who writes users and groups to AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProvisioningMode {
    /// Okta provisions users and pushes groups, in the background. A person configures it once at both consoles.
    #[default]
    Okta,
    /// Each run writes what has changed, and nothing waits for Okta. The app's provisioning stays off; the users are
    /// assigned to the app all the same, for it is what lets them sign in.
    Direct,
}

/// Who has to arrive in AWS before anybody is given access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WaitFor {
    /// Everybody who is assigned, with all memberships.
    #[default]
    Everybody,
    /// The users and groups that `access` names; who else is missing is found by verification.
    Access,
}

/// A permission set: what a role may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PermissionSetSpec {
    /// What it is for; at most 700 characters.
    pub description: Option<String>,
    /// How long a session lasts, as an ISO 8601 duration from `PT1H` to `PT12H`.
    pub session_duration: Option<String>,
    /// The ARNs of policies that AWS manages.
    pub managed_policies: Vec<String>,
    /// A policy document of its own, as JSON text.
    pub inline_policy: Option<String>,
}

/// One line of access: who gets which role in which accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// An Okta user, by login. Exactly one of `user` and `group` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// An Okta group, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// An account, by id or by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Several accounts, by id or by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// The permission set, by name.
    pub permission_set: String,
}

/// How the result is tried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// The Okta user, by login, who signs in as a test; otherwise the first one that `access` names.
    pub user: Option<String>,
    /// Whether to leave the sign-in test out.
    pub skip: bool,
}

/// A user or a group, by the name Okta knows it under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PrincipalSpec {
    /// A user, by login.
    User(String),
    /// A group, by name.
    Group(String),
}

impl Blueprint {
    /// Reads a blueprint from TOML and validates it.
    ///
    /// # Errors
    ///
    /// If it is not TOML, has a key that does not exist, or asks for something that cannot be; the error points into
    /// the text.
    pub fn from_toml(text: &str) -> Result<Self, ParseBlueprintError> {
        let blueprint: Self =
            toml::from_str(text).map_err(|error| ParseBlueprintError::toml(text, &error))?;
        match validate::first_problem(&blueprint) {
            Some(problem) => Err(ParseBlueprintError::problem(text, &problem)),
            None => Ok(blueprint),
        }
    }

    /// Reads a blueprint from JSON and validates it.
    ///
    /// # Errors
    ///
    /// As [`Blueprint::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, ParseBlueprintError> {
        let blueprint: Self =
            serde_json::from_str(text).map_err(|error| ParseBlueprintError::json(text, &error))?;
        match validate::first_problem(&blueprint) {
            Some(problem) => Err(ParseBlueprintError::problem_without_span(&problem)),
            None => Ok(blueprint),
        }
    }

    /// The JSON Schema of a blueprint, for editors.
    #[must_use]
    pub fn json_schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// A digest that changes when the blueprint does.
    ///
    /// # Panics
    ///
    /// Never: a blueprint is always JSON.
    #[must_use]
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("a blueprint has string keys only");
        crate::state::hex(&Sha256::digest(json))
    }

    /// The groups that are pushed: those of `access`, and those named for it.
    #[must_use]
    pub fn pushed_groups(&self) -> BTreeSet<&str> {
        let named = self.provisioning.push_groups.iter().map(String::as_str);
        self.access
            .iter()
            .filter_map(|access| access.group.as_deref())
            .chain(named)
            .collect()
    }

    /// The users who are assigned one by one: those of `access`, and those named for it.
    #[must_use]
    pub fn assigned_users(&self) -> BTreeSet<&str> {
        let named = self.provisioning.assign_users.iter().map(String::as_str);
        self.access
            .iter()
            .filter_map(|access| access.user.as_deref())
            .chain(named)
            .collect()
    }

    /// The groups whose members are assigned.
    #[must_use]
    pub fn assigned_groups(&self) -> BTreeSet<&str> {
        self.provisioning
            .assign_groups
            .iter()
            .map(String::as_str)
            .collect()
    }

    /// The permission sets that are used or described, by name, completed by what AWS manages under that name.
    #[must_use]
    pub fn wanted_permission_sets(&self) -> BTreeMap<&str, PermissionSetSpec> {
        let mut wanted: BTreeMap<&str, PermissionSetSpec> = self
            .permission_sets
            .iter()
            .map(|(name, set)| (name.as_str(), set.clone()))
            .collect();
        for (name, set) in &mut wanted {
            if set.managed_policies.is_empty() && set.inline_policy.is_none() {
                set.managed_policies.extend(well_known_policy(name));
            }
        }
        for access in &self.access {
            wanted
                .entry(&access.permission_set)
                .or_insert_with(|| PermissionSetSpec {
                    managed_policies: well_known_policy(&access.permission_set)
                        .into_iter()
                        .collect(),
                    ..PermissionSetSpec::default()
                });
        }
        wanted
    }
}

impl Access {
    /// Who it is about. A validated blueprint has exactly one.
    #[must_use]
    pub fn principal(&self) -> PrincipalSpec {
        match (&self.user, &self.group) {
            (Some(user), _) => PrincipalSpec::User(user.clone()),
            (None, group) => PrincipalSpec::Group(group.clone().unwrap_or_default()),
        }
    }

    /// The accounts, by id or by name.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.account
            .iter()
            .chain(&self.accounts)
            .map(String::as_str)
    }
}

impl std::fmt::Display for PrincipalSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(login) => write!(f, "user {login}"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

impl Default for OktaSection {
    fn default() -> Self {
        Self {
            app_label: "AWS IAM Identity Center".to_owned(),
            custom_domain: None,
        }
    }
}
