//! Keeps the finished lists of a long read outside of the program, so that a later read can go on with them.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::{AccountId, Assignment, PermissionSetArn, Principal};

/// Keeps the lists that a read has finished.
///
/// The caller decides how old a list may be, and removes the lists when the read has ended. [`EstateReader::log`] uses a log.
///
/// [`EstateReader::log`]: super::EstateReader::log
pub trait ReadLog: Send + Sync {
    /// Removes and returns the list that an earlier read has finished.
    fn take(&self, key: &ListKey) -> Option<FinishedList>;

    /// Keeps a list. A log that cannot keep it does not end the read.
    fn keep(&self, list: FinishedList) -> BoxFuture<'_, ()>;
}

/// The subject of a list of assignments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListKey {
    /// The assignments of a user or group.
    Principal(Principal),
    /// The assignments of a permission set in an account.
    Pair(PermissionSetArn, AccountId),
}

/// A list of assignments that was read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedList(List);

/// Each id stands once, because a list can have many assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum List {
    Principal {
        principal: Principal,
        accounts: BTreeMap<PermissionSetArn, Vec<AccountId>>,
    },
    Pair {
        permission_set: PermissionSetArn,
        account: AccountId,
        principals: Vec<Principal>,
    },
}

impl ListKey {
    pub(super) fn strategy(&self) -> Strategy {
        match self {
            Self::Principal(_) => Strategy::ByPrincipal,
            Self::Pair(..) => Strategy::ByPair,
        }
    }
}

impl FinishedList {
    pub(super) fn new(key: &ListKey, assignments: &[Assignment]) -> Self {
        let rows = assignments.iter().cloned();
        Self(match key.clone() {
            ListKey::Principal(principal) => {
                let mut accounts: BTreeMap<_, Vec<_>> = BTreeMap::new();
                for row in rows {
                    let of_set = accounts.entry(row.permission_set).or_default();
                    of_set.push(row.account);
                }
                List::Principal {
                    principal,
                    accounts,
                }
            }
            ListKey::Pair(permission_set, account) => List::Pair {
                permission_set,
                account,
                principals: rows.map(|row| row.principal).collect(),
            },
        })
    }

    /// Returns the subject of the list.
    #[must_use]
    pub fn key(&self) -> ListKey {
        match &self.0 {
            List::Principal { principal, .. } => ListKey::Principal(principal.clone()),
            List::Pair {
                permission_set,
                account,
                ..
            } => ListKey::Pair(permission_set.clone(), account.clone()),
        }
    }

    pub(super) fn into_assignments(self) -> Vec<Assignment> {
        match self.0 {
            List::Principal {
                principal,
                accounts,
            } => {
                let rows = accounts.into_iter().flat_map(|(permission_set, accounts)| {
                    let principal = principal.clone();
                    accounts.into_iter().map(move |account| Assignment {
                        account,
                        permission_set: permission_set.clone(),
                        principal: principal.clone(),
                    })
                });
                rows.collect()
            }
            List::Pair {
                permission_set,
                account,
                principals,
            } => {
                let rows = principals.into_iter().map(|principal| Assignment {
                    account: account.clone(),
                    permission_set: permission_set.clone(),
                    principal,
                });
                rows.collect()
            }
        }
    }
}
