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
//! assert_eq!(blueprint.access[0].user.as_deref(), Some("ada.lovelace@example.com"));
//! # Ok::<(), okta_aws_sso::blueprint::ParseBlueprintError>(())
//! ```
//!
//! For many accounts, an entry selects them: by organizational unit, tag or name. `for` repeats an entry for each value of a
//! list:
//!
//! ```
//! let blueprint = okta_aws_sso::Blueprint::from_toml(
//!     r#"
//!     [lists]
//!     team = ["payments", "search"]
//!
//!     [[access]]
//!     for = "team"
//!     groups = { "aws-{team}-developers" = "PowerUserAccess", "aws-{team}-readers" = "ReadOnlyAccess" }
//!     accounts = { tag = { team = "{team}" }, ou = ["Development"], except = ["*-archive"] }
//!     "#,
//! )?;
//! assert_eq!(blueprint.pushed_groups().len(), 4);
//! # Ok::<(), okta_aws_sso::blueprint::ParseBlueprintError>(())
//! ```
//!
//! [`Blueprint::expand`] resolves the selectors against the accounts of an organization.

mod access;
mod accounts;
mod diagnostic;
mod expand;
mod include;
mod ownership;
mod permission_set;
mod principals;
mod rounds;
mod select;
mod shape;
mod text;
mod validate;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use aws_sso_glue::Partition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

pub(crate) use self::text::nearest;
use crate::{
    error::{Error, ErrorKind},
    plan::{Note, Problem, Subject},
    user_attribute::Attribute,
};

pub use access::{Access, ForEach, OneOrMany, PrincipalSpec};
pub(crate) use accounts::is_pattern;
pub use accounts::{AccountFilter, Accounts};
pub use diagnostic::ParseBlueprintError;
pub use expand::{EarlierMatches, Expansion, Row};
pub use include::{Origin, Origins};
pub(crate) use ownership::{
    CONTROL_TOWER_GROUPS, CONTROL_TOWER_SETS, is_of_control_tower, matches_any,
};
pub use ownership::{Ownership, OwnershipSection, Protect, Scope};
pub(crate) use permission_set::OWNER_TAG;
pub use permission_set::{PermissionSetSpec, PermissionsBoundary};
pub use principals::{PrincipalFilter, Principals};
pub(crate) use select::{account_name, matches_text};
pub(crate) use validate::both_assigned_and_pushed;

/// The wanted state of Okta and AWS.
///
/// Fields may be added: end with `..Blueprint::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// The name of the blueprint (default: `default`). Blueprints that share a state store have different names: what each of
    /// them has made is recorded under its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub name: Option<String>,
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
    /// The access: each entry gives users or groups their roles in accounts.
    #[serde(default)]
    pub access: Vec<Access>,
    /// The mode of ownership: which things that the blueprint does not name a run removes (default: none).
    #[serde(default, skip_serializing_if = "is_default")]
    pub ownership: OwnershipSection,
    /// Where mode `exclusive` removes what the blueprint does not name (default: everywhere).
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: Scope,
    /// The things that no run removes or changes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protect: Protect,
    /// The lists for `for`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, Vec<String>>,
    /// Files with more `access`, `permission_sets` and `lists`: paths relative to this file, which may contain `*`, `?`
    /// and `**`. Only a file has them ([`Blueprint::load`]), and a loaded blueprint has the contents instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The sign-in test at the end.
    #[serde(default)]
    pub sign_in: SignIn,
    /// The places of the entries of `access`, if the blueprint was read from text.
    #[serde(skip)]
    pub origins: Origins,
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
    pub assign_groups: Principals,
    /// Okta users, by login, that are assigned to the app individually.
    pub assign_users: Principals,
    /// Whether the app's profile mapping gives users without a display name their first and last name instead (default: no). AWS
    /// refuses a user without a display name. The mapping is only changed if it has no expression for `displayName`, or
    /// `user.displayName`. It has no effect in mode `direct`, in which the run itself sends the first and the last name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub display_name: bool,
    /// The attributes of Okta's profile from which the directory sync writes attributes of users (mode `direct`), such as
    /// `phone = "mobilePhone"`. An attribute that is empty, `manager = ""`, is not written. Default: the attributes of the same
    /// meaning in Okta's default profile.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "attributes_schema")]
    pub attributes: BTreeMap<Attribute, String>,
    /// The users and groups that must arrive in AWS before any access is assigned.
    pub wait_for: WaitFor,
    /// Okta groups that become groups in AWS. In mode `okta`, a group is either assigned or pushed, never both.
    pub push_groups: Principals,
}

impl Provisioning {
    /// Returns the attribute of Okta's profile from which the directory sync writes an attribute, or `None` if it does not
    /// write the attribute.
    #[must_use]
    pub fn okta_attribute(&self, attribute: Attribute) -> Option<&str> {
        match self.attributes.get(&attribute) {
            Some(name) => Some(name.as_str()).filter(|name| !name.is_empty()),
            None => attribute.okta_default(),
        }
    }
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

/// The sign-in test at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// The login of the Okta user for the sign-in test (default: the first user in `access`).
    pub user: Option<String>,
    /// Whether to skip the sign-in test (default: no).
    pub skip: bool,
}

/// The blueprint of the sandbox's company: groups whose members become AWS users, groups that are pushed to AWS and get access,
/// and described permission sets.
pub const EXAMPLE: &str = include_str!("../examples/blueprint.toml");

/// Maximum size of the text of a blueprint. A blueprint of 300 accounts has 40 KB.
const MAX_BYTES: usize = 4 << 20;

impl Blueprint {
    /// Reads a blueprint from TOML and validates it.
    ///
    /// # Errors
    ///
    /// Fails if the text has more than 4 MiB, is not TOML, has an unknown key, or contradicts a rule of the blueprint. The error
    /// points to the position in the text.
    pub fn from_toml(text: &str) -> Result<Self, ParseBlueprintError> {
        include::from_text(text, include::Format::Toml)
    }

    /// Reads a blueprint from JSON and validates it.
    ///
    /// # Errors
    ///
    /// Fails in the same cases as [`Blueprint::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, ParseBlueprintError> {
        include::from_text(text, include::Format::Json)
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

    /// Returns the entries of access after `for`, each with the position of its entry in `access`. An entry that cannot be
    /// repeated is left out, and [`validate`](Self::validate) reports it.
    pub fn entries(&self) -> impl Iterator<Item = (usize, Cow<'_, Access>)> {
        let entries = self.access.iter().enumerate();
        entries.flat_map(|(position, access)| {
            let rounds = rounds::rounds(access, &self.lists).unwrap_or_default();
            rounds.into_iter().map(move |access| (position, access))
        })
    }

    /// Returns the place of an entry of access for a message, such as `access[2] (company.toml:40)`.
    #[must_use]
    pub fn place(&self, entry: usize) -> String {
        match self.origins.0.get(entry) {
            Some(origin) => format!("access[{entry}] ({origin})"),
            None => format!("access[{entry}]"),
        }
    }

    /// Returns the name, which is `default` if the blueprint has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("default")
    }

    /// Returns the groups that are pushed: the groups in `access`, and those that `provisioning.push_groups` names exactly.
    #[must_use]
    pub fn pushed_groups(&self) -> BTreeSet<String> {
        let named = self.provisioning.push_groups.exact();
        let named = named.map(|(_, name)| name.to_owned());
        let with_access = self.principals().into_iter();
        let groups = with_access.filter_map(|principal| match principal {
            PrincipalSpec::Group(name) => Some(name),
            PrincipalSpec::User(_) => None,
        });
        groups.chain(named).collect()
    }

    /// Returns the users that are assigned individually: the users in `access`, and those that `provisioning.assign_users` names
    /// exactly.
    #[must_use]
    pub fn assigned_users(&self) -> BTreeSet<String> {
        let named = self.provisioning.assign_users.exact();
        let named = named.map(|(_, login)| login.to_owned());
        let with_access = self.principals().into_iter();
        let users = with_access.filter_map(|principal| match principal {
            PrincipalSpec::User(login) => Some(login),
            PrincipalSpec::Group(_) => None,
        });
        users.chain(named).collect()
    }

    /// Returns the groups whose members are assigned and that `provisioning.assign_groups` names exactly.
    #[must_use]
    pub fn assigned_groups(&self) -> BTreeSet<&str> {
        let named = self.provisioning.assign_groups.exact();
        named.map(|(_, name)| name).collect()
    }

    /// Returns the permission sets that are used or described, by name, as the commercial partition of AWS has them: see
    /// [`desired_permission_sets_in`](Self::desired_permission_sets_in).
    #[must_use]
    pub fn desired_permission_sets(&self) -> BTreeMap<String, PermissionSetSpec> {
        self.desired_permission_sets_in(&Partition::Aws)
    }

    /// Returns the permission sets that are used or described, by name. A set without policies whose name is an AWS
    /// managed policy for a job function gets that policy. Managed policies have their ARNs in this partition of AWS, and
    /// session durations are in ISO 8601. A policy that the blueprint gives by its ARN keeps this ARN, also if it is of
    /// another partition.
    #[must_use]
    pub fn desired_permission_sets_in(
        &self,
        partition: &Partition,
    ) -> BTreeMap<String, PermissionSetSpec> {
        let mut desired: BTreeMap<String, PermissionSetSpec> = BTreeMap::new();
        for (name, set) in &self.permission_sets {
            let mut set = set.normalized(partition);
            let has_policy = !set.managed_policies.is_empty()
                || !set.customer_managed_policies.is_empty()
                || set.inline_policy.is_some();
            if !has_policy && !set.existing {
                set.managed_policies
                    .extend(validate::well_known_policy(name, partition));
            }
            desired.insert(name.clone(), set);
        }
        for (_, access) in self.entries() {
            for (_, set) in access.grants() {
                if !desired.contains_key(set) {
                    let well_known = PermissionSetSpec {
                        managed_policies: validate::well_known_policy(set, partition)
                            .into_iter()
                            .collect(),
                        ..PermissionSetSpec::default()
                    };
                    desired.insert(set.to_owned(), well_known);
                }
            }
        }
        desired
    }

    /// Returns the old names of renamed permission sets, each with the new name.
    ///
    /// A run creates the set of the new name with its assignments. A later run removes the assignments of the old set that are
    /// replaced. The old set itself can go as soon as it has no assignment left.
    pub(crate) fn renamed_sets(&self) -> impl Iterator<Item = (&str, &str)> {
        let sets = self.permission_sets.iter();
        sets.filter_map(|(name, set)| Some((set.renamed_from.as_deref()?, name.as_str())))
    }

    /// Returns whether runs may remove assignments that no entry gives: by their ownership, or because their set has another
    /// name.
    pub(crate) fn may_remove_assignments(&self) -> bool {
        self.ownership.access != Ownership::Add || self.renamed_sets().next().is_some()
    }

    /// Returns whether runs may delete permission sets, by their ownership or because they have another name.
    pub(crate) fn may_delete_sets(&self) -> bool {
        self.ownership.permission_sets != Ownership::Add || self.renamed_sets().next().is_some()
    }

    /// Returns warnings about values that may be right and may be wrong, such as an unknown AWS managed policy.
    #[must_use]
    pub fn warnings(&self) -> Vec<Note> {
        self.warnings_in(&Partition::Aws)
    }

    /// Returns the [warnings](Self::warnings) with the ARNs of this partition of AWS.
    pub(crate) fn warnings_in(&self, partition: &Partition) -> Vec<Note> {
        let sets = self.permission_sets.iter();
        let notes = sets.flat_map(|(name, set)| {
            let note = move |code, text| {
                Note::new(code, text).about(Subject::permission_set(name.clone()))
            };
            let unknown = set.unknown_policies(partition);
            let unknown = unknown.map(move |text| note("unknown-managed-policy", text));
            let relay_state = set.foreign_relay_state(partition);
            let relay_state =
                relay_state.map(|text| note("relay-state-of-another-partition", text));
            let many = set.many_policies();
            let many = many.map(|text| note("more-policies-than-the-default-quota", text));
            unknown.chain(relay_state).chain(many)
        });
        notes.collect()
    }

    /// Returns the users and groups of `access`.
    pub(crate) fn principals(&self) -> BTreeSet<PrincipalSpec> {
        let entries = self.entries();
        let principals = entries.map(|(_, access)| access.principals().collect::<Vec<_>>());
        principals.flatten().collect()
    }

    /// Returns the roles that a group gets, such as `AdministratorAccess in 111122223333`.
    pub(crate) fn roles_of_group(&self, group: &str) -> Vec<String> {
        let mut roles = Vec::new();
        for (_, access) in self.entries() {
            let grants = access.grants();
            let sets = grants.filter(
                |(principal, _)| matches!(principal, PrincipalSpec::Group(name) if name == group),
            );
            for (_, set) in sets {
                match &*access.selector() {
                    Accounts::Named(names) => {
                        roles.extend(names.iter().map(|name| format!("{set} in {name}")));
                    }
                    filter @ Accounts::Where(_) => roles.push(format!("{set} in {filter}")),
                }
            }
        }
        roles
    }
}

/// Returns the schema of [`Provisioning::attributes`], from the table of attributes.
fn attributes_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let properties = Attribute::ALL.iter().map(|attribute| {
        let default = attribute.okta_default().unwrap_or("not written");
        let schema = serde_json::json!({
            "description": format!("`{}` in SCIM (default: `{default}`).", attribute.name()),
            "type": "string",
            "pattern": "^[A-Za-z0-9_]*$",
        });
        (attribute.key().to_owned(), schema)
    });
    let properties: serde_json::Map<_, _> = properties.collect();
    schemars::json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A section without effect is left out, so that the digest of an old blueprint does not change.
fn is_default<T: Default + PartialEq>(section: &T) -> bool {
    *section == T::default()
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
