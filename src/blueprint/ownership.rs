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
    /// Whether what exists already and what the blueprint names counts as made by it (default: no): assignments in AWS, permission
    /// sets, assignments to the app and pushed groups. Each one is an adoption in the plan. Mode `managed` can then remove it
    /// later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adopt: bool,
    /// The permission sets as a whole. A set is deleted once none of its assignments is kept.
    #[serde(skip_serializing_if = "is_add")]
    pub permission_sets: Ownership,
    /// The assignments of users and groups to the Okta app. Mode `exclusive` concerns this app alone, and no [`Scope`] limits it.
    #[serde(skip_serializing_if = "is_add")]
    pub app_assignments: Ownership,
    /// The groups that Okta pushes to AWS. Mode `exclusive` concerns the app of the blueprint alone, and no [`Scope`] limits it. The
    /// group in AWS stays, with its members and its assignments.
    #[serde(skip_serializing_if = "is_add")]
    pub pushed_groups: Ownership,
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

impl OwnershipSection {
    /// Returns whether a run removes anything that earlier runs have made.
    pub(crate) fn needs_ledger(&self) -> bool {
        let modes = [
            self.access,
            self.permission_sets,
            self.app_assignments,
            self.pushed_groups,
        ];
        modes.contains(&Ownership::Managed)
    }
}

impl Protect {
    /// Returns whether a permission set is protected.
    pub(crate) fn has_permission_set(&self, name: &str) -> bool {
        matches_any(&self.permission_sets, name) || self.is_of_control_tower(name)
    }

    /// Returns whether a group is protected.
    pub(crate) fn has_group(&self, name: &str) -> bool {
        matches_any(&self.groups, name) || self.is_of_control_tower(name)
    }

    /// Returns whether a user is protected.
    pub(crate) fn has_user(&self, name: &str) -> bool {
        matches_any(&self.users, name)
    }

    /// Returns whether an account is protected, by its id or its name.
    pub(crate) fn has_account(&self, id: &str, name: Option<&str>) -> bool {
        matches_any(&self.accounts, id)
            || name.is_some_and(|name| matches_any(&self.accounts, name))
    }

    fn is_of_control_tower(&self, name: &str) -> bool {
        self.control_tower && is_of_control_tower(name)
    }
}

/// A mode that removes nothing is left out, so that the digest of an old blueprint does not change.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_add(mode: &Ownership) -> bool {
    *mode == Ownership::Add
}

/// Returns whether one of the patterns matches a name, in any letter case: AWS compares the names of users and groups so.
pub(crate) fn matches_any(patterns: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    let mut patterns = patterns.iter();
    patterns.any(|pattern| matches_text(&pattern.to_lowercase(), &name))
}

/// The groups that AWS Control Tower creates in the same identity store (AWS Control Tower user guide, "IAM Identity Center
/// Groups for AWS Control Tower"). Their removal locks the administrators out of the landing zone.
pub(crate) const CONTROL_TOWER_GROUPS: [&str; 8] = [
    "AWSAccountFactory",
    "AWSServiceCatalogAdmins",
    "AWSControlTowerAdmins",
    "AWSSecurityAuditPowerUsers",
    "AWSSecurityAuditors",
    "AWSLogArchiveAdmins",
    "AWSLogArchiveViewers",
    "AWSAuditAccountAdmins",
];

/// The permission sets that AWS Control Tower creates (AWS Control Tower user guide, "IAM Identity Center Groups for AWS Control
/// Tower").
pub(crate) const CONTROL_TOWER_SETS: [&str; 6] = [
    "AWSAdministratorAccess",
    "AWSPowerUserAccess",
    "AWSReadOnlyAccess",
    "AWSOrganizationsFullAccess",
    "AWSServiceCatalogAdminFullAccess",
    "AWSServiceCatalogEndUserAccess",
];

/// Returns whether AWS Control Tower creates a group or permission set of this name.
pub(crate) fn is_of_control_tower(name: &str) -> bool {
    let mut names = CONTROL_TOWER_GROUPS.iter().chain(&CONTROL_TOWER_SETS);
    names.any(|known| known.eq_ignore_ascii_case(name))
}
