//! The blueprint: the user's description of the wanted access.
//!
//! A blueprint is read from TOML or JSON, or deserialized with serde. A small case needs few lines:
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
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    error::{Error, ErrorKind},
    plan::{Problem, Subject},
};

pub use diagnostic::ParseBlueprintError;
pub(crate) use validate::well_known_policy;

/// The wanted state of Okta and AWS.
///
/// Fields may be added: end with `..Blueprint::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// The Okta org.
    #[serde(default)]
    pub okta: OktaSection,
    /// The AWS organization.
    #[serde(default)]
    pub aws: AwsSection,
    /// Users and groups that are provisioned into AWS in addition to the users and groups in `access`.
    #[serde(default)]
    pub provisioning: Provisioning,
    /// The permission sets that `access` uses, by name.
    ///
    /// A set with the name of an AWS managed policy for a job function (`AdministratorAccess`, `ReadOnlyAccess`, …)
    /// needs no entry. If its entry names no policy, the set gets that managed policy.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"pattern": r"^[A-Za-z0-9_+=,.@-]{1,32}$"}))]
    pub permission_sets: BTreeMap<String, PermissionSetSpec>,
    /// The access: each entry gives one user or group one role in one or more accounts.
    #[serde(default)]
    pub access: Vec<Access>,
    /// The sign-in test at the end.
    #[serde(default)]
    pub sign_in: SignIn,
}

/// The section `okta` of a blueprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OktaSection {
    /// The label of the app (default: `AWS IAM Identity Center`). An existing app of the catalog entry
    /// `amazon_aws_sso` with this label is adopted.
    #[schemars(extend("pattern" = r"^[^\u0000-\u001f\u007f]{1,100}$"))]
    pub app_label: String,
    /// The id of an existing app, `0oa…`. It adopts exactly this app, also if its URLs are those of another AWS organization.
    #[schemars(extend("pattern" = r"^[A-Za-z0-9]+$"))]
    pub app_id: Option<String>,
    /// The ids of groups whose name another group of the org has too, by name. Groups that were imported from apps are unique
    /// only in their app.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub group_ids: BTreeMap<String, String>,
    /// The custom domain of the org, such as `login.example.com`. It needs two DNS records.
    #[schemars(extend("pattern" = r"^[^:/.]+(\.[^:/.]+){2,}$"))]
    pub custom_domain: Option<String>,
    /// The name or the id (`rst…`) of the sign-on policy of the app, which decides who can sign in to it, and how (default: the
    /// policy that the app has). Only for orgs on the Identity Engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = r"\S"))]
    pub sign_on_policy: Option<String>,
}

/// The section `aws` of a blueprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwsSection {
    /// The Region for a new Identity Center instance. The choice is permanent. An existing instance is found in any
    /// Region.
    pub region: Option<String>,
    /// The URL of the access portal, if it differs from the default of the instance.
    #[schemars(extend("pattern" = r"^https://[^/:?#@]+(/[^?#]*)?$"))]
    pub portal_url: Option<Url>,
}

/// Users and groups that are provisioned into AWS in addition to the users and groups in `access`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Provisioning {
    /// The writer of users and groups in AWS.
    pub mode: ProvisioningMode,
    /// Okta groups whose members are assigned to the app and become users in AWS.
    pub assign_groups: Vec<String>,
    /// Logins of Okta users that are assigned to the app individually.
    pub assign_users: Vec<String>,
    /// Whether the app's profile mapping gives users without a display name their first and last name instead (default: no). AWS
    /// refuses a user without a display name. The mapping is only changed if it has no expression for `displayName`, or
    /// `user.displayName`. It has no effect in mode `direct`, in which the run itself sends the first and the last name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub display_name: bool,
    /// The users and groups that must arrive in AWS before any access is assigned.
    pub wait_for: WaitFor,
    /// Okta groups that become groups in AWS. In mode `okta`, a group is either assigned or pushed, never both.
    pub push_groups: Vec<String>,
}

/// The writer of users and groups in AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProvisioningMode {
    /// Okta provisions users and pushes groups in the background. The operator configures it once in both consoles.
    #[default]
    Okta,
    /// Each run writes the differences and does not wait for Okta. The app's provisioning stays off. The users are
    /// still assigned to the app, because the assignment allows them to sign in.
    Direct,
}

/// The users and groups that must arrive in AWS before any access is assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WaitFor {
    /// All assigned users and pushed groups, with all memberships.
    #[default]
    All,
    /// Only the users and groups in `access`. Verification also reports the other users and groups that are missing.
    Access,
}

/// A permission set: the permissions of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PermissionSetSpec {
    /// The description, 1 to 700 characters.
    #[schemars(extend("minLength" = 1, "maxLength" = 700))]
    pub description: Option<String>,
    /// The session duration, an ISO 8601 duration from `PT1H` to `PT12H`.
    #[schemars(extend("pattern" = r"^PT(?=[0-9])(([0-9]|1[0-2])H)?([0-9]+M)?([0-9]+S)?$"))]
    pub session_duration: Option<String>,
    /// ARNs of AWS managed policies.
    #[schemars(inner(regex(pattern = r"^arn:[^:]*:iam::aws:policy/")))]
    pub managed_policies: Vec<String>,
    /// The inline policy document, as a JSON string.
    #[schemars(extend("pattern" = r"^\s*\{", "contentMediaType" = "application/json"))]
    pub inline_policy: Option<String>,
}

/// One entry of access: a user or group, a role, and its accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = access_schema)]
pub struct Access {
    /// The login of an Okta user. Exactly one of `user` and `group` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The name of an Okta group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The id or name of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Ids or names of several accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    pub accounts: Vec<String>,
    /// The name of the permission set.
    pub permission_set: String,
}

/// The sign-in test at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// The login of the Okta user for the sign-in test (default: the first user in `access`).
    pub user: Option<String>,
    /// Whether to skip the sign-in test (default: no).
    pub skip: bool,
}

/// A user or a group, by its name in Okta.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PrincipalSpec {
    /// A user's login.
    User(String),
    /// A group's name.
    Group(String),
}

/// The blueprint of the sandbox's company: groups whose members become AWS users, groups that are pushed to AWS and get access,
/// and described permission sets.
pub const EXAMPLE: &str = include_str!("../examples/blueprint.toml");

/// Maximum size of the text of a blueprint. A blueprint of 300 accounts has 40 KB.
const MAX_BYTES: usize = 4 << 20;

/// Adds to the schema of an access entry: one user or group, and at least one account.
fn access_schema(schema: &mut schemars::Schema) {
    let present = |key: &str| json!({"required": [key], "properties": {key: {"type": "string"}}});
    schema.insert(
        "oneOf".to_owned(),
        json!([present("user"), present("group")]),
    );
    let accounts = json!({"required": ["accounts"], "properties": {"accounts": {"minItems": 1}}});
    schema.insert("anyOf".to_owned(), json!([present("account"), accounts]));
}

impl Blueprint {
    /// Reads a blueprint from TOML and validates it.
    ///
    /// # Errors
    ///
    /// Fails if the text has more than 4 MiB, is not TOML, has an unknown key, or contradicts a rule of the blueprint. The error
    /// points to the position in the text.
    pub fn from_toml(text: &str) -> Result<Self, ParseBlueprintError> {
        ParseBlueprintError::check_size(text, MAX_BYTES)?;
        let blueprint: Self =
            toml::from_str(text).map_err(|error| ParseBlueprintError::toml(text, &error))?;
        match ParseBlueprintError::problems(Some(text), &validate::problems(&blueprint)) {
            Some(error) => Err(error),
            None => Ok(blueprint),
        }
    }

    /// Reads a blueprint from JSON and validates it.
    ///
    /// # Errors
    ///
    /// Fails in the same cases as [`Blueprint::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, ParseBlueprintError> {
        ParseBlueprintError::check_size(text, MAX_BYTES)?;
        let blueprint: Self =
            serde_json::from_str(text).map_err(|error| ParseBlueprintError::json(text, &error))?;
        match ParseBlueprintError::problems(None, &validate::problems(&blueprint)) {
            Some(error) => Err(error),
            None => Ok(blueprint),
        }
    }

    /// Returns the violated rules of a blueprint, each with its place. A blueprint that was read from text has none.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let problems = validate::problems(self).into_iter();
        let problems = problems.map(|problem| {
            let subject = Subject::Input {
                path: problem.path().into(),
            };
            let error = Error::new(ErrorKind::Blueprint, problem.message).with_help(problem.help);
            Problem::new(Some(subject), &error)
        });
        problems.collect()
    }

    /// Returns the JSON Schema of a blueprint, for editors.
    #[must_use]
    pub fn json_schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// Returns a digest that changes whenever a value of the blueprint changes.
    ///
    /// # Panics
    ///
    /// Never panics, because every blueprint can be written as JSON.
    #[must_use]
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("a blueprint has string keys only");
        crate::text::hex(&Sha256::digest(json))
    }

    /// Returns the groups that are pushed: the groups in `access` and `provisioning.push_groups`.
    #[must_use]
    pub fn pushed_groups(&self) -> BTreeSet<&str> {
        let named = self.provisioning.push_groups.iter().map(String::as_str);
        self.access
            .iter()
            .filter_map(|access| access.group.as_deref())
            .chain(named)
            .collect()
    }

    /// Returns the users that are assigned individually: the users in `access` and `provisioning.assign_users`.
    #[must_use]
    pub fn assigned_users(&self) -> BTreeSet<&str> {
        let named = self.provisioning.assign_users.iter().map(String::as_str);
        self.access
            .iter()
            .filter_map(|access| access.user.as_deref())
            .chain(named)
            .collect()
    }

    /// Returns the groups whose members are assigned.
    #[must_use]
    pub fn assigned_groups(&self) -> BTreeSet<&str> {
        self.provisioning
            .assign_groups
            .iter()
            .map(String::as_str)
            .collect()
    }

    /// Returns the permission sets that are used or described, by name. A set without policies whose name is an AWS
    /// managed policy for a job function gets that policy.
    #[must_use]
    pub fn desired_permission_sets(&self) -> BTreeMap<&str, PermissionSetSpec> {
        let mut desired: BTreeMap<&str, PermissionSetSpec> = self
            .permission_sets
            .iter()
            .map(|(name, set)| (name.as_str(), set.clone()))
            .collect();
        for (name, set) in &mut desired {
            if set.managed_policies.is_empty() && set.inline_policy.is_none() {
                set.managed_policies.extend(well_known_policy(name));
            }
        }
        for access in &self.access {
            desired
                .entry(&access.permission_set)
                .or_insert_with(|| PermissionSetSpec {
                    managed_policies: well_known_policy(&access.permission_set)
                        .into_iter()
                        .collect(),
                    ..PermissionSetSpec::default()
                });
        }
        desired
    }
}

impl Blueprint {
    /// Returns the roles that a group gets, such as `AdministratorAccess in 111122223333`.
    pub(crate) fn roles_of_group(&self, group: &str) -> Vec<String> {
        let access = self.access.iter();
        let of_group = access.filter(|access| access.group.as_deref() == Some(group));
        of_group
            .flat_map(|access| {
                let role = |account| format!("{} in {account}", access.permission_set);
                access.accounts().map(role)
            })
            .collect()
    }
}

impl Access {
    /// Returns the user or group. A validated entry has either a user or a group.
    #[must_use]
    pub fn principal(&self) -> PrincipalSpec {
        match (&self.user, &self.group) {
            (Some(user), _) => PrincipalSpec::User(user.clone()),
            (None, group) => PrincipalSpec::Group(group.clone().unwrap_or_default()),
        }
    }

    /// Returns the ids or names of the accounts.
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
            app_id: None,
            group_ids: BTreeMap::new(),
            custom_domain: None,
            sign_on_policy: None,
        }
    }
}
