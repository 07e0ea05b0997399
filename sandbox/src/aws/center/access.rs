//! Assignments and provisioned roles, as rows of numbers in ordered indexes.
//!
//! An organization can have hundreds of thousands of assignments. A row contains the indexes of its account, its
//! permission set and its principal, and each list of the API is a range of one of the maps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::SetIx;
use crate::aws::organizations::AccountIx;

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Principal {
    /// `USER` or `GROUP`.
    pub(crate) kind: &'static str,
    /// The id in the identity store.
    pub(crate) id: Arc<str>,
}

/// The index of a principal that has or had an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PrincipalIx(u32);

/// The position of an assignment in creation order.
type Position = u64;

/// The role of a permission set in an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provisioned {
    /// The position in creation order.
    pub(crate) position: u64,
    /// The version of the permission set at the time of the last provisioning.
    pub(crate) version: u64,
}

/// The assignment of a permission set to a user or group in one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) account: AccountIx,
    pub(crate) set: SetIx,
    pub(crate) principal: PrincipalIx,
}

/// The assignments and the provisioned roles of an instance.
#[derive(Debug, Default)]
pub(crate) struct Access {
    principals: Vec<Principal>,
    principal_indexes: HashMap<Principal, PrincipalIx>,
    by_pair: BTreeMap<(AccountIx, SetIx, Position), PrincipalIx>,
    by_principal: BTreeMap<(PrincipalIx, Position), (AccountIx, SetIx)>,
    by_account: BTreeMap<(AccountIx, PrincipalIx, Position), SetIx>,
    roles: BTreeMap<(SetIx, AccountIx), Provisioned>,
    sets_of_account: BTreeSet<(AccountIx, SetIx)>,
    last_position: Position,
}

impl Access {
    /// Returns the principal of an assignment.
    pub(crate) fn principal(&self, ix: PrincipalIx) -> &Principal {
        &self.principals[ix.0 as usize]
    }

    /// Returns the index of a principal that has or had an assignment.
    pub(crate) fn principal_ix(&self, principal: &Principal) -> Option<PrincipalIx> {
        self.principal_indexes.get(principal).copied()
    }

    /// Returns the index of a principal; adds it if it is new.
    pub(crate) fn intern(&mut self, principal: &Principal) -> PrincipalIx {
        if let Some(ix) = self.principal_ix(principal) {
            return ix;
        }
        let ix =
            PrincipalIx(u32::try_from(self.principals.len()).expect("fewer than 2^32 principals"));
        self.principals.push(principal.clone());
        self.principal_indexes.insert(principal.clone(), ix);
        ix
    }

    /// Returns all assignments, oldest first.
    pub(crate) fn assignments(&self) -> Vec<Assignment> {
        let mut rows: Vec<(Position, Assignment)> = self
            .by_principal
            .iter()
            .map(|(&(principal, position), &(account, set))| {
                (
                    position,
                    Assignment {
                        account,
                        set,
                        principal,
                    },
                )
            })
            .collect();
        rows.sort_unstable_by_key(|(position, _)| *position);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Returns the assignments of a pair of account and permission set from a position on, oldest first.
    pub(crate) fn of_pair(
        &self,
        account: AccountIx,
        set: SetIx,
        from: Position,
    ) -> impl Iterator<Item = (Position, Assignment)> {
        self.by_pair
            .range((account, set, from)..=(account, set, Position::MAX))
            .map(move |(&(.., position), &principal)| {
                (
                    position,
                    Assignment {
                        account,
                        set,
                        principal,
                    },
                )
            })
    }

    /// Returns the assignments of a principal from a position on, oldest first.
    pub(crate) fn of_principal(
        &self,
        principal: PrincipalIx,
        from: Position,
    ) -> impl Iterator<Item = (Position, Assignment)> {
        self.by_principal
            .range((principal, from)..=(principal, Position::MAX))
            .map(move |(&(_, position), &(account, set))| {
                (
                    position,
                    Assignment {
                        account,
                        set,
                        principal,
                    },
                )
            })
    }

    /// Returns the assignments of a principal in one account from a position on, oldest first.
    pub(crate) fn of_principal_in(
        &self,
        principal: PrincipalIx,
        account: AccountIx,
        from: Position,
    ) -> impl Iterator<Item = (Position, Assignment)> {
        self.by_account
            .range((account, principal, from)..=(account, principal, Position::MAX))
            .map(move |(&(.., position), &set)| {
                (
                    position,
                    Assignment {
                        account,
                        set,
                        principal,
                    },
                )
            })
    }

    /// Returns whether an assignment exists.
    pub(crate) fn contains(&self, row: Assignment) -> bool {
        self.position(row).is_some()
    }

    /// Adds an assignment; does nothing if it exists.
    pub(crate) fn insert(&mut self, row: Assignment) {
        if self.contains(row) {
            return;
        }
        self.last_position += 1;
        let position = self.last_position;
        let Assignment {
            account,
            set,
            principal,
        } = row;
        self.by_pair.insert((account, set, position), principal);
        self.by_principal
            .insert((principal, position), (account, set));
        self.by_account.insert((account, principal, position), set);
    }

    /// Adds many assignments to an instance that has none, in this order, and provisions their pairs; skips repeated
    /// assignments.
    ///
    /// Building the maps from sorted rows is several times faster than inserting each row.
    pub(crate) fn fill(&mut self, rows: &[Assignment], version_of: impl Fn(SetIx) -> u64) {
        let mut pairs: Vec<_> = rows.iter().map(|row| (row.set, row.account)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let roles = pairs.iter().zip(1..).map(|(&pair, position)| {
            let version = version_of(pair.0);
            (pair, Provisioned { position, version })
        });
        self.roles = roles.collect();
        self.sets_of_account = pairs
            .into_iter()
            .map(|(set, account)| (account, set))
            .collect();

        let mut rows: Vec<_> = rows.iter().copied().zip(1..).collect();
        self.last_position = rows.len() as u64;
        rows.sort_unstable_by_key(|(row, position)| {
            (row.account, row.principal, row.set, *position)
        });
        rows.dedup_by_key(|(row, _)| *row);
        self.by_pair = rows
            .iter()
            .map(|(row, position)| ((row.account, row.set, *position), row.principal))
            .collect();
        self.by_principal = rows
            .iter()
            .map(|(row, position)| ((row.principal, *position), (row.account, row.set)))
            .collect();
        self.by_account = rows
            .iter()
            .map(|(row, position)| ((row.account, row.principal, *position), row.set))
            .collect();
    }

    /// Removes an assignment, and the role if no other assignment uses it.
    pub(crate) fn remove(&mut self, row: Assignment) {
        let Some(position) = self.position(row) else {
            return;
        };
        let Assignment {
            account,
            set,
            principal,
        } = row;
        self.by_pair.remove(&(account, set, position));
        self.by_principal.remove(&(principal, position));
        self.by_account.remove(&(account, principal, position));
        if self.of_pair(account, set, 0).next().is_none() {
            self.roles.remove(&(set, account));
            self.sets_of_account.remove(&(account, set));
        }
    }

    /// Returns the role of a permission set in an account.
    pub(crate) fn role(&self, set: SetIx, account: AccountIx) -> Option<Provisioned> {
        self.roles.get(&(set, account)).copied()
    }

    /// Creates or updates the role of a permission set in an account.
    pub(crate) fn provision(&mut self, set: SetIx, account: AccountIx, version: u64) {
        self.last_position += 1;
        let position = self.last_position;
        self.roles
            .entry((set, account))
            .and_modify(|role| role.version = version)
            .or_insert(Provisioned { position, version });
        self.sets_of_account.insert((account, set));
    }

    /// Returns the accounts with a role of the permission set, from an account on.
    pub(crate) fn accounts_of(
        &self,
        set: SetIx,
        from: AccountIx,
    ) -> impl Iterator<Item = (AccountIx, Provisioned)> {
        self.roles
            .range((set, from)..=(set, AccountIx(u32::MAX)))
            .map(|(&(_, account), &role)| (account, role))
    }

    /// Returns the permission sets with a role in the account, from a permission set on.
    pub(crate) fn sets_of(
        &self,
        account: AccountIx,
        from: SetIx,
    ) -> impl Iterator<Item = (SetIx, Provisioned)> {
        self.sets_of_account
            .range((account, from)..=(account, SetIx(u32::MAX)))
            .map(|&(account, set)| (set, self.roles[&(set, account)]))
    }

    /// Returns the position of an assignment.
    fn position(&self, row: Assignment) -> Option<Position> {
        self.of_principal_in(row.principal, row.account, 0)
            .find(|(_, found)| found.set == row.set)
            .map(|(position, _)| position)
    }
}
