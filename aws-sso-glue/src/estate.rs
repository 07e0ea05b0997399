//! The access that an instance of IAM Identity Center gives, read once as a value.
//!
//! An [`Estate`] has the [users and groups](Principals), the [permission sets](PermissionSetTable) and the
//! [assignments](AssignmentTable) of an instance. [`IdentityCenter::estate`](crate::IdentityCenter::estate) reads them,
//! together or one by one, with as few calls as the question needs. [`Coverage`] tells what was not read. An
//! [`Organization`] has the accounts and the organizational units.

mod forecast;
mod log;
mod organization;
mod read;
mod rows;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    hash::Hash,
    sync::Arc,
};

use rest_core::ItemError;
use serde::Serialize;

pub use self::{
    forecast::Forecast,
    log::{FinishedList, ListKey, ReadLog},
    organization::Organization,
    read::{EstateReader, ReadProgress},
    rows::{AssignmentRef, AssignmentSet},
};
use crate::{
    AccountId, Assignment, ExternalId, GroupId, IdentityGroup, IdentityUser, PermissionSet,
    PermissionSetArn, Principal, UserId,
};

/// The users, groups, permission sets and assignments of an instance, as they were when they were read.
///
/// Reading takes some time, in which the instance can change. A user, group or set that is deleted meanwhile is absent, or
/// is there without assignments.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Estate {
    /// The users and groups.
    pub principals: Arc<Principals>,
    /// The permission sets.
    pub permission_sets: Arc<PermissionSetTable>,
    /// The assignments.
    pub assignments: Arc<AssignmentTable>,
}

/// The users and groups of an identity store.
#[derive(Debug, Clone, Default)]
pub struct Principals {
    users: Vec<IdentityUser>,
    groups: Vec<IdentityGroup>,
    users_by_id: HashMap<UserId, usize>,
    users_by_name: HashMap<String, usize>,
    groups_by_id: HashMap<GroupId, usize>,
    groups_by_name: HashMap<String, usize>,
    unread: Vec<ItemError>,
}

/// The permission sets of an instance.
#[derive(Debug, Clone, Default)]
pub struct PermissionSetTable {
    sets: Vec<SetInEstate>,
    by_arn: HashMap<PermissionSetArn, usize>,
    by_name: HashMap<String, usize>,
    unread: Vec<ItemError>,
}

/// A permission set of a [`PermissionSetTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetInEstate {
    /// The ARN.
    pub arn: PermissionSetArn,
    /// The name.
    pub name: String,
    /// The properties, if they were read: AWS describes one set per call, and the name of a set never changes.
    pub details: Option<PermissionSet>,
}

/// The assignments of an instance: a principal has a permission set in an account.
#[derive(Debug, Clone)]
pub struct AssignmentTable {
    rows: AssignmentSet,
    /// The principals whose assignments were read; `None` if all were read.
    read: Option<HashSet<Principal>>,
    provisioned: Option<Vec<(PermissionSetArn, AccountId)>>,
    unread: Vec<ItemError>,
    coverage: Coverage,
}

/// The principals whose assignments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CoverageLevel {
    /// All groups, and the users that the caller names.
    ///
    /// Most organizations assign groups only, and have many times more users than groups.
    Groups,
    /// All groups and users.
    Full,
}

/// The kind of calls that read the assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// `ListAccountAssignmentsForPrincipal`: one call per 100 assignments of a principal, and one for a principal without any.
    ByPrincipal,
    /// `ListAccountAssignments`: one call for each account in which a permission set is provisioned.
    ByPair,
}

/// Tells which assignments were read, and which were not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The level. It can be higher than the requested one where that costs no more calls.
    pub level: CoverageLevel,
    /// The kind of calls.
    pub strategy: Strategy,
    /// Number of users whose own assignments were read.
    pub users_read: usize,
    /// Number of users whose own assignments were not read. An assignment of such a user is not in the table.
    pub users_not_read: usize,
    /// Number of assignments that AWS returned in a form that cannot be read. The table then proves of no assignment that it
    /// does not exist.
    pub unreadable: usize,
    /// Whether AWS does not let the caller list the assignments of a principal: only the management account may.
    pub denied_by_principal: bool,
    /// Number of principals or pairs that were read earlier, by a read that was ended (see [`ReadLog`]).
    pub from_log: usize,
}

impl Coverage {
    /// Returns whether everything was read, so that an assignment that is not in the table does not exist.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.users_not_read == 0 && self.unreadable == 0
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            CoverageLevel::Full => {
                f.write_str("the assignments of all groups and users were read")?;
            }
            CoverageLevel::Groups => {
                let users = if self.users_not_read == 1 {
                    "user"
                } else {
                    "users"
                };
                write!(
                    f,
                    "the assignments of all groups were read, and not the direct assignments of {} {users}",
                    self.users_not_read
                )?;
            }
        }
        if self.from_log > 0 {
            let what = match self.strategy {
                Strategy::ByPrincipal => "users and groups",
                Strategy::ByPair => "pairs of permission set and account",
            };
            write!(
                f,
                "; {} {what} by an earlier read that was ended",
                self.from_log
            )?;
        }
        match self.unreadable {
            0 => Ok(()),
            unreadable => write!(f, "; {unreadable} of AWS's answers could not be read"),
        }
    }
}

impl Principals {
    pub(crate) fn new(
        users: Vec<IdentityUser>,
        groups: Vec<IdentityGroup>,
        unread: Vec<ItemError>,
    ) -> Self {
        Self {
            users_by_id: index(&users, |user| user.id.clone()),
            users_by_name: index(&users, |user| user.user_name.to_lowercase()),
            groups_by_id: index(&groups, |group| group.id.clone()),
            groups_by_name: index(&groups, |group| group.display_name.clone()),
            users,
            groups,
            unread,
        }
    }

    /// Returns the users.
    #[must_use]
    pub fn users(&self) -> &[IdentityUser] {
        &self.users
    }

    /// Returns the groups.
    #[must_use]
    pub fn groups(&self) -> &[IdentityGroup] {
        &self.groups
    }

    /// Returns the user with this id.
    #[must_use]
    pub fn user(&self, id: &UserId) -> Option<&IdentityUser> {
        self.users_by_id.get(id).map(|index| &self.users[*index])
    }

    /// Returns the user with this user name. The identity store ignores the case of user names.
    #[must_use]
    pub fn user_by_name(&self, name: &str) -> Option<&IdentityUser> {
        let index = self.users_by_name.get(&name.to_lowercase())?;
        Some(&self.users[*index])
    }

    /// Returns the users by the external ids that a provisioner has given them.
    #[must_use]
    pub fn users_by_external_id(&self) -> HashMap<&str, &IdentityUser> {
        by_external_id(&self.users, |user| &user.external_ids)
    }

    /// Returns the group with this id.
    #[must_use]
    pub fn group(&self, id: &GroupId) -> Option<&IdentityGroup> {
        self.groups_by_id.get(id).map(|index| &self.groups[*index])
    }

    /// Returns the group with this display name.
    #[must_use]
    pub fn group_by_name(&self, name: &str) -> Option<&IdentityGroup> {
        self.groups_by_name
            .get(name)
            .map(|index| &self.groups[*index])
    }

    /// Returns the groups by the external ids that a provisioner has given them.
    #[must_use]
    pub fn groups_by_external_id(&self) -> HashMap<&str, &IdentityGroup> {
        by_external_id(&self.groups, |group| &group.external_ids)
    }

    /// Returns the name of a user or group, or `None` if the identity store does not have it. Assignments outlive a principal
    /// that is deleted.
    #[must_use]
    pub fn name(&self, principal: &Principal) -> Option<&str> {
        match principal {
            Principal::User(id) => self.user(id).map(|user| &*user.user_name),
            Principal::Group(id) => self.group(id).map(|group| &*group.display_name),
        }
    }

    /// Returns the users and groups that AWS returned in a form that cannot be read.
    #[must_use]
    pub fn unread(&self) -> &[ItemError] {
        &self.unread
    }
}

fn by_external_id<T>(items: &[T], ids: fn(&T) -> &[ExternalId]) -> HashMap<&str, &T> {
    let pairs = items
        .iter()
        .flat_map(|item| ids(item).iter().map(move |id| (id.id.as_str(), item)));
    pairs.collect()
}

impl PermissionSetTable {
    pub(crate) fn new(sets: Vec<SetInEstate>, unread: Vec<ItemError>) -> Self {
        Self {
            by_arn: index(&sets, |set| set.arn.clone()),
            by_name: index(&sets, |set| set.name.clone()),
            sets,
            unread,
        }
    }

    /// Returns the permission sets.
    pub fn iter(&self) -> impl Iterator<Item = &SetInEstate> {
        self.sets.iter()
    }

    /// Returns the permission set with this ARN.
    #[must_use]
    pub fn get(&self, arn: &PermissionSetArn) -> Option<&SetInEstate> {
        self.by_arn.get(arn).map(|index| &self.sets[*index])
    }

    /// Returns the permission set with this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&SetInEstate> {
        self.by_name.get(name).map(|index| &self.sets[*index])
    }

    /// Returns the ARNs that AWS returned in a form that cannot be read.
    #[must_use]
    pub fn unread(&self) -> &[ItemError] {
        &self.unread
    }
}

impl AssignmentTable {
    /// Returns the assignments that were read.
    pub fn iter(&self) -> impl Iterator<Item = AssignmentRef<'_>> {
        self.rows.iter()
    }

    /// Returns the assignments that were read, in the order of `rank` of their accounts.
    pub fn by_account(
        &self,
        rank: impl Fn(&AccountId) -> usize,
    ) -> impl Iterator<Item = AssignmentRef<'_>> {
        self.rows.by_account(rank)
    }

    /// Returns the number of assignments that were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether no assignment was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether an assignment exists, or `None` if that was not read.
    #[must_use]
    pub fn contains<'a>(&self, assignment: impl Into<AssignmentRef<'a>>) -> Option<bool> {
        let assignment = assignment.into();
        if self.rows.contains(assignment) {
            return Some(true);
        }
        let was_read = self.unread.is_empty() && self.was_read(assignment.principal);
        was_read.then_some(false)
    }

    /// Returns whether the assignments of a principal were read.
    #[must_use]
    pub fn was_read(&self, principal: &Principal) -> bool {
        self.read
            .as_ref()
            .is_none_or(|read| read.contains(principal))
    }

    /// Returns the pairs of permission set and account in which AWS has provisioned the set, if they were read.
    #[must_use]
    pub fn provisioned(&self) -> Option<&[(PermissionSetArn, AccountId)]> {
        self.provisioned.as_deref()
    }

    /// Returns those of the [`provisioned`](Self::provisioned) pairs that no assignment explains. It is empty if the pairs were
    /// not read.
    #[must_use]
    pub fn unexplained(&self) -> Vec<(PermissionSetArn, AccountId)> {
        let pairs = self.provisioned.as_deref().unwrap_or_default();
        self.rows.unexplained(pairs)
    }

    /// Returns the assignments that AWS returned in a form that cannot be read.
    #[must_use]
    pub fn unread(&self) -> &[ItemError] {
        &self.unread
    }

    /// Returns what was read and what was not.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Records an own write that AWS has completed: the assignment now exists, or no longer exists.
    pub fn record(&mut self, assignment: &Assignment, exists: bool) {
        if exists {
            self.rows.insert(assignment);
        } else {
            self.rows.remove(assignment);
        }
    }
}

impl AssignmentTable {
    /// Records that the assignments of these principals were read.
    fn add_read(&mut self, principals: Vec<Principal>) {
        let Some(read) = &mut self.read else {
            return;
        };
        for principal in principals {
            let is_user = matches!(principal, Principal::User(_));
            if read.insert(principal) && is_user {
                self.coverage.users_read += 1;
                self.coverage.users_not_read = self.coverage.users_not_read.saturating_sub(1);
            }
        }
        if self.coverage.users_not_read == 0 {
            self.coverage.level = CoverageLevel::Full;
        }
    }
}

fn index<T, K: Hash + Eq>(items: &[T], key: impl Fn(&T) -> K) -> HashMap<K, usize> {
    let items = items.iter().enumerate();
    items.map(|(index, item)| (key(item), index)).collect()
}

/// Names of permission sets by their ARN. A name never changes, so a program may keep them between runs.
pub type SetNames = BTreeMap<PermissionSetArn, String>;

/// The members of groups.
pub type Members = BTreeMap<GroupId, Vec<UserId>>;
