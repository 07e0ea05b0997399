//! The least number of calls that read the access of an organization.

use serde::Serialize;

use crate::organization::Size;

/// The parts of the least number of calls.
#[derive(Serialize)]
pub(crate) struct Least {
    /// `GetCallerIdentity`, `ListInstances`, `DescribeOrganization` and `DescribeInstance`.
    beginning: usize,
    /// Pages of accounts.
    accounts: usize,
    /// The roots, and pages of units in each root and unit.
    units: usize,
    permission_sets: usize,
    users: usize,
    groups: usize,
    /// Six parts of each set: properties, AWS managed policies, customer managed policies, inline policy, permissions boundary,
    /// and the accounts that are behind.
    contents_of_sets: usize,
    /// Pages of assignments: by principal, or by pair if that needs fewer calls.
    assignments: usize,
    /// The names of sets that are not wanted and not cached. All sets of a size are wanted.
    names_of_sets: usize,
}

impl Least {
    /// Returns the calls if the assignments of all groups are read.
    pub(crate) fn of_groups(size: Size) -> Self {
        Self::with_assignments(size, size.rows().map(pages).sum())
    }

    /// Returns the calls if the assignments of all groups and users are read. No user has an assignment of its own; the pages of
    /// a user have those of the user's groups.
    pub(crate) fn of_all(size: Size) -> Self {
        let by_principal: usize = size.rows().chain(size.rows_of_users()).map(pages).sum();
        let accounts = size.accounts_of_sets();
        let by_pair = accounts.iter().map(|accounts| pages(*accounts) + accounts);
        Self::with_assignments(size, by_principal.min(by_pair.sum()))
    }

    pub(crate) fn total(&self) -> usize {
        self.beginning
            + self.accounts
            + self.units
            + self.permission_sets
            + self.users
            + self.groups
            + self.contents_of_sets
            + self.assignments
            + self.names_of_sets
    }

    fn with_assignments(size: Size, assignments: usize) -> Self {
        // The root has one unit, that unit has the teams, and the teams have no unit.
        let units = 1 + 1 + size.teams.div_ceil(ORGANIZATIONS_PAGE) + size.teams;
        Self {
            beginning: 4,
            accounts: size.accounts.div_ceil(ORGANIZATIONS_PAGE),
            units,
            permission_sets: pages(size.sets),
            users: pages(size.users()),
            groups: pages(size.groups),
            contents_of_sets: 6 * size.sets,
            assignments,
            names_of_sets: 0,
        }
    }
}

/// Returns the number of pages of a list of Identity Center or of the identity store. An empty list has one page.
fn pages(items: usize) -> usize {
    items.div_ceil(100).max(1)
}

/// Number of items on a page of Organizations (API reference).
const ORGANIZATIONS_PAGE: usize = 20;
