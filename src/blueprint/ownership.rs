//! The removals that a blueprint asks for: ownership, its scope, and protection from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{accounts::Accounts, select::matches_text};

/// The things that a run removes although the blueprint does not name them.
///
/// The guard limits all removals. Expired entries of `access` are removed in every mode.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ownership {
    /// Nothing.
    #[default]
    Add,
    /// The things that earlier runs of this blueprint have made, and that it no longer names. A file beside the state, the ledger,
    /// lists them.
    Managed,
    /// Everything in the [`Scope`] that the blueprint does not name.
    Exclusive,
}

/// The section `ownership` of a blueprint: what a run removes, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnershipSection {
    /// The account assignments.
    pub access: Ownership,
    /// Whether assignments that exist already and that the blueprint names count as made by it (default: no). Each one is an
    /// adoption in the plan. Mode `managed` can then remove them later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adopt: bool,
}

/// The section `scope` of a blueprint: where mode `exclusive` removes what the blueprint does not name (default: everywhere).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// The accounts, as in an entry of `access` (default: all accounts).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Accounts>,
    /// Names of permission sets, which may contain `*` and `?` (default: all sets).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permission_sets: Vec<String>,
}

/// The section `protect` of a blueprint: what no run removes or changes, in any mode. All names may contain `*` and `?`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Protect {
    /// Groups, by their name in AWS. Neither their members nor their assignments are removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Users, by their user name in AWS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Permission sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permission_sets: Vec<String>,
    /// Accounts, by name or id, in which no assignment is removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Whether the groups and permission sets of AWS Control Tower are protected (default: yes).
    pub control_tower: bool,
}

impl Default for Protect {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            users: Vec::new(),
            permission_sets: Vec::new(),
            accounts: Vec::new(),
            control_tower: true,
        }
    }
}

impl Scope {
    /// Returns whether the scope has a permission set.
    #[must_use]
    pub fn has_permission_set(&self, name: &str) -> bool {
        self.permission_sets.is_empty() || matches_any(&self.permission_sets, name)
    }
}

/// Returns whether one of the patterns matches a name, in any letter case: AWS compares the names of users and groups so.
pub(crate) fn matches_any(patterns: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    let mut patterns = patterns.iter();
    patterns.any(|pattern| matches_text(&pattern.to_lowercase(), &name))
}
