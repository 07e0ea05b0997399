//! The access of an instance as a value: what AWS gives to users and groups, and which entries of the blueprint give it.
//!
//! [`Pipeline::access`](crate::Pipeline::access) reads an [`AccessSnapshot`]. An [`AccessReport`] shows it: as rows, CSV, JSON, a
//! page of HTML, or text.

mod csv;
mod explain;
mod html;
mod report;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use aws_sso_glue::{
    Account, AccountId, GroupId, IdentityUser, ItemError, ListError, PermissionSetArn, Principal,
    UserId,
    estate::{
        AssignmentRef, AssignmentTable, Coverage, CoverageLevel, Members, Organization,
        PermissionSetTable, Principals,
    },
};
use schemars::JsonSchema;
use serde::Serialize;

pub use self::{
    explain::Explanation,
    report::{AccessReport, AccessRow, Entries, OrphanCoverage, ReportCoverage, ReportLevel},
};
use crate::blueprint::{Expansion, PrincipalSpec};

/// The part of the access that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessQuery {
    /// The users and groups whose assignments are read (default: [`CoverageLevel::Groups`]).
    pub level: CoverageLevel,
    /// Users whose own assignments are read at any level, by user name in AWS.
    pub users: Vec<String>,
    /// Whether to read the accounts in which each permission set is provisioned, which shows the assignments of deleted users
    /// and groups (default: yes). It takes one call for each permission set.
    pub provisioned: bool,
    /// Whether to read every pair of permission set and account in which the set is provisioned (default: no), which shows all
    /// assignments, also each one of a deleted user or group. It takes one call for each set and each pair: more than 180,000
    /// calls, or three hours, in an organization with that many pairs.
    pub sweep: bool,
    /// Whether to read the members of the groups that have assignments (default: yes). It takes one call for each such group.
    pub members: bool,
}

impl Default for AccessQuery {
    fn default() -> Self {
        Self {
            level: CoverageLevel::Groups,
            users: Vec::new(),
            provisioned: true,
            sweep: false,
            members: true,
        }
    }
}

impl AccessQuery {
    /// Returns the query of all that AWS gives.
    #[must_use]
    pub fn full() -> Self {
        Self {
            level: CoverageLevel::Full,
            ..Self::default()
        }
    }

    /// Returns what a plan needs.
    pub(crate) fn plan() -> Self {
        Self {
            provisioned: false,
            members: false,
            ..Self::default()
        }
    }
}

/// The access of an instance, as it was when it was read.
///
/// Ids are interned: an assignment takes 12 bytes. All iterators derive what they return.
#[derive(Clone, Debug)]
pub struct AccessSnapshot {
    pub(crate) organization: Arc<Organization>,
    pub(crate) principals: Arc<Principals>,
    pub(crate) permission_sets: Arc<PermissionSetTable>,
    pub(crate) assignments: Arc<AssignmentTable>,
    pub(crate) members: Option<Arc<Members>>,
    pub(crate) rules: Option<Rules>,
}

/// The access of the blueprint.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) expansion: Arc<Expansion>,
    /// The users and groups of the blueprint that AWS has.
    pub(crate) specs: HashMap<Principal, PrincipalSpec>,
    /// The places of the entries of `access`.
    pub(crate) places: Vec<String>,
}

/// An assignment of a snapshot with its names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccountAssignment<'a> {
    /// The user or group.
    pub principal: &'a Principal,
    /// The user name or the name of the group; `None` if the identity store no longer has it.
    pub principal_name: Option<&'a str>,
    /// The id of the account.
    pub account_id: &'a AccountId,
    /// The account; `None` if the organization no longer has it.
    pub account: Option<&'a Account>,
    /// The ARN of the permission set.
    pub permission_set_arn: &'a PermissionSetArn,
    /// The name of the permission set, which is the role in the account.
    pub permission_set: &'a str,
    /// Whether the assignment gives access now.
    pub status: AssignmentStatus,
    /// The positions in [`Blueprint::access`](crate::Blueprint::access) of the entries that give the assignment.
    pub entries: &'a [usize],
}

/// Whether an assignment gives access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AssignmentStatus {
    /// Users have the role.
    Active,
    /// The user is disabled and cannot sign in.
    DisabledUser,
    /// The account is closed or being closed. AWS keeps its assignments.
    ClosedAccount,
    /// The identity store no longer has the user or group. AWS keeps its assignments.
    Orphan,
    /// The group has no members.
    NoMembers,
}

impl fmt::Display for AssignmentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::DisabledUser => "disabled user",
            Self::ClosedAccount => "closed account",
            Self::Orphan => "orphan",
            Self::NoMembers => "group without members",
        })
    }
}

impl AccessSnapshot {
    /// Returns the accounts and organizational units.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// Returns the users and groups.
    #[must_use]
    pub fn principals(&self) -> &Principals {
        &self.principals
    }

    /// Returns the permission sets.
    #[must_use]
    pub fn permission_sets(&self) -> &PermissionSetTable {
        &self.permission_sets
    }

    /// Returns the table of the assignments.
    #[must_use]
    pub fn table(&self) -> &AssignmentTable {
        &self.assignments
    }

    /// Returns what was read and what was not.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        self.assignments.coverage()
    }

    /// Returns the members of a group that has an assignment, or `None` if they were not read.
    #[must_use]
    pub fn members(&self, group: &GroupId) -> Option<&[UserId]> {
        self.members.as_ref()?.get(group).map(Vec::as_slice)
    }

    /// Returns whether a user exists and [may sign in](IdentityUser::is_enabled).
    #[must_use]
    pub fn is_enabled(&self, user: &UserId) -> bool {
        let user = self.principals.user(user);
        user.is_some_and(IdentityUser::is_enabled)
    }

    /// Returns the place of an entry of `access`, such as `access[2] (company.toml:40)`.
    #[must_use]
    pub fn place(&self, entry: usize) -> Option<&str> {
        let places = &self.rules.as_ref()?.places;
        places.get(entry).map(String::as_str)
    }

    /// Returns whether the snapshot has the entries of a blueprint.
    #[must_use]
    pub fn has_blueprint(&self) -> bool {
        self.rules.is_some()
    }

    /// Returns all assignments, sorted by account.
    pub fn assignments(&self) -> impl Iterator<Item = AccountAssignment<'_>> {
        let rank = |id: &AccountId| self.organization.position(id).unwrap_or(usize::MAX);
        let rows = self.assignments.by_account(rank);
        rows.map(|row| self.resolve(row))
    }

    /// Returns the pairs of permission set and account in which AWS has provisioned the set without an assignment, if the
    /// provisioned accounts were read.
    #[must_use]
    pub fn provisioned_without_assignment(&self) -> Vec<(PermissionSetArn, AccountId)> {
        self.assignments.unexplained()
    }

    /// Returns the distinct groups and users that have an assignment.
    #[must_use]
    pub fn assigned_principals(&self) -> BTreeSet<&Principal> {
        self.assignments.iter().map(|row| row.principal).collect()
    }

    /// Returns whether the members of the groups were read.
    #[must_use]
    pub fn has_members(&self) -> bool {
        self.members.is_some()
    }

    /// Returns the places of the entries of `access`; none without a blueprint.
    fn places(&self) -> &[String] {
        self.rules.as_ref().map_or(&[], |rules| &rules.places)
    }

    pub(crate) fn rules(&self) -> Option<&Rules> {
        self.rules.as_ref()
    }

    /// Returns the user or group by the name that the blueprint has for it, or else by its name in AWS.
    pub(crate) fn spec(&self, principal: &Principal) -> Option<PrincipalSpec> {
        let of_blueprint = || self.rules.as_ref()?.specs.get(principal).cloned();
        of_blueprint().or_else(|| spec_in_aws(&self.principals, principal))
    }

    /// Returns the name of a permission set, or its ARN if the instance no longer has it.
    #[must_use]
    pub fn permission_set_name<'a>(&'a self, arn: &'a PermissionSetArn) -> &'a str {
        let set = self.permission_sets.get(arn);
        set.map_or(arn.as_str(), |set| &set.name)
    }

    pub(crate) fn resolve<'a>(&'a self, row: AssignmentRef<'a>) -> AccountAssignment<'a> {
        let permission_set = self.permission_set_name(row.permission_set);
        let account = self.organization.account(row.account);
        AccountAssignment {
            principal: row.principal,
            principal_name: self.principals.name(row.principal),
            account_id: row.account,
            account,
            permission_set_arn: row.permission_set,
            permission_set,
            status: self.status(row.principal, account),
            entries: self.entries(row.principal, permission_set, row.account),
        }
    }

    fn status(&self, principal: &Principal, account: Option<&Account>) -> AssignmentStatus {
        let is_known = self.principals.name(principal).is_some();
        let has_no_members = |group| self.members(group).is_some_and(<[UserId]>::is_empty);
        match principal {
            _ if !is_known => AssignmentStatus::Orphan,
            _ if account.is_none_or(|account| !account.is_open()) => {
                AssignmentStatus::ClosedAccount
            }
            Principal::User(id) if !self.is_enabled(id) => AssignmentStatus::DisabledUser,
            Principal::Group(id) if has_no_members(id) => AssignmentStatus::NoMembers,
            _ => AssignmentStatus::Active,
        }
    }

    fn entries(&self, principal: &Principal, set: &str, account: &AccountId) -> &[usize] {
        let found = || {
            let rules = self.rules.as_ref()?;
            let spec = rules.specs.get(principal)?;
            Some(rules.expansion.row(spec, set, account)?.entries)
        };
        found().unwrap_or_default()
    }
}

/// Returns a user or group by its name in AWS.
pub(crate) fn spec_in_aws(in_aws: &Principals, principal: &Principal) -> Option<PrincipalSpec> {
    let name = in_aws.name(principal)?.to_owned();
    Some(match principal {
        Principal::User(_) => PrincipalSpec::User(name),
        Principal::Group(_) => PrincipalSpec::Group(name),
    })
}

/// Fails if an item of a list was not read.
pub(crate) fn require_all(unread: &[ItemError]) -> Result<(), aws_sso_glue::Error> {
    match unread.first() {
        None => Ok(()),
        Some(first) => Err(ListError::Item(first.clone()).into()),
    }
}

/// Returns the groups that have an assignment.
pub(crate) fn assigned_groups(assignments: &AssignmentTable) -> BTreeSet<GroupId> {
    let groups = assignments.iter().filter_map(|row| match row.principal {
        Principal::Group(id) => Some(id.clone()),
        Principal::User(_) => None,
    });
    groups.collect()
}
