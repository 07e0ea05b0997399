//! Limits for the removals of a run, checked before the first write.

use std::collections::BTreeSet;

use super::plan::{GroupChange, SyncPlan, UserChange};
use crate::{
    blueprint::CONTROL_TOWER_GROUPS,
    error::{Error, ErrorKind},
    plan::{Hazard, count},
    text::{Shown, abbreviated},
};

/// Limits for the removals of a run. A plan above a limit is not applied until the operator raises the limit.
///
/// Later versions may add fields: end a literal with `..RemovalLimits::default()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalLimits {
    /// Maximum number of removals: users deactivated or deleted, plus groups deleted (default: 100).
    pub max_removals: usize,
    /// Maximum share of removals in percent (default: 10). The limit applies to users and groups together, as a share of
    /// all managed users and groups. It also applies to groups alone, as a share of all managed groups. The share always
    /// allows one removal.
    pub max_share: u8,
    /// Maximum share of removed memberships in percent (default: 30). The share always allows ten removals.
    pub max_member_share: u8,
    /// Whether the source may have new ids for most of the managed users (default: false).
    pub new_ids: bool,
    /// Whether the source may have no active users (default: false).
    pub empty_source: bool,
    /// Names of groups that the sync must not change, in any letter case (default: the groups of AWS Control Tower).
    pub protected_groups: BTreeSet<String>,
    /// Names of users that the sync must not change, in any letter case (default: none).
    pub protected_users: BTreeSet<String>,
}

impl Default for RemovalLimits {
    fn default() -> Self {
        Self {
            max_removals: 100,
            max_share: 10,
            max_member_share: 30,
            new_ids: false,
            empty_source: false,
            protected_groups: CONTROL_TOWER_GROUPS.map(str::to_owned).into(),
            protected_users: BTreeSet::new(),
        }
    }
}

/// The removal limit that a plan exceeds. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// The source has no active users.
    #[error(
        "the source has no active users, but the target has {}",
        count(*.managed, "managed user")
    )]
    #[non_exhaustive]
    EmptySource {
        /// Number of active managed users of the target.
        managed: usize,
    },
    /// The source has new ids for most of the managed users.
    #[error(
        "the source no longer has the ids of {missing} of {}, and {} would be created or adopted",
        count(*.managed, "managed user"), count(*.new, "user")
    )]
    #[non_exhaustive]
    NewIds {
        /// Number of active managed users of the target.
        managed: usize,
        /// Number of active managed users whose id is no longer in the source.
        missing: usize,
        /// Number of users that would be created or adopted.
        new: usize,
    },
    /// Too many users would be deactivated or deleted, or too many groups deleted.
    #[error(
        "the plan deactivates or deletes {removals} of {managed} managed users and groups, and the limit is {allowed}: {}",
        Shown(&abbreviated(.names, MAX_NAMES))
    )]
    #[non_exhaustive]
    TooManyRemovals {
        /// Number of removals.
        removals: usize,
        /// Number of managed users and groups of the target.
        managed: usize,
        /// Maximum number of removals.
        allowed: usize,
        /// The users and groups that would be removed.
        names: Vec<String>,
    },
    /// Too many groups would be deleted.
    ///
    /// Groups have their own limit. If there are many more users than groups, the deletion of all groups is only a small
    /// share of all users and groups, but this deletion removes the access of all users.
    #[error(
        "the plan deletes {} of {}, and the limit is {allowed}: {}",
        .names.len(), count(*.managed, "managed group"), Shown(&abbreviated(.names, MAX_NAMES))
    )]
    #[non_exhaustive]
    TooManyGroups {
        /// Number of managed groups of the target.
        managed: usize,
        /// Maximum number of deleted groups.
        allowed: usize,
        /// The groups that would be deleted.
        names: Vec<String>,
    },
    /// Too many memberships would be removed.
    #[error(
        "the plan removes {removals} of {}, and the limit is {allowed}",
        count(*.memberships, "membership")
    )]
    #[non_exhaustive]
    TooManyMemberRemovals {
        /// Number of removed memberships.
        removals: usize,
        /// Number of memberships in managed groups.
        memberships: usize,
        /// Maximum number of removed memberships.
        allowed: usize,
    },
    /// Protected users or groups would be changed.
    #[error("the plan changes protected users or groups: {}", Shown(&.names.join(", ")))]
    #[non_exhaustive]
    Protected {
        /// The protected users and groups that would be changed.
        names: Vec<String>,
    },
}

impl RemovalLimits {
    /// Returns limits with this maximum number of removals, and without limits on the shares of removals and of removed
    /// memberships.
    #[must_use]
    pub fn at_most(max_removals: usize) -> Self {
        Self {
            max_removals,
            max_share: 100,
            max_member_share: 100,
            ..Self::default()
        }
    }

    /// Returns limits that allow everything, for a plan that the guard of the pipeline has checked.
    pub(crate) fn unlimited() -> Self {
        Self {
            max_removals: usize::MAX,
            max_share: 100,
            max_member_share: 100,
            new_ids: true,
            empty_source: true,
            protected_groups: BTreeSet::new(),
            protected_users: BTreeSet::new(),
        }
    }

    /// Checks a plan against the limits.
    ///
    /// # Errors
    ///
    /// Returns [`LimitExceeded`] if the plan exceeds a limit. If it exceeds several limits, the error is the most
    /// specific one.
    pub fn check(&self, plan: &SyncPlan) -> Result<(), LimitExceeded> {
        let totals = &plan.totals;
        let managed = totals.managed_users;
        if let Some(exceeded) = empty_source(plan).filter(|_| !self.empty_source) {
            return Err(exceeded);
        }
        if let Some(exceeded) = new_ids(plan).filter(|_| !self.new_ids) {
            return Err(exceeded);
        }
        let names = self.protected_names(plan);
        if !names.is_empty() {
            return Err(LimitExceeded::Protected { names });
        }
        let names: Vec<String> = plan.removals().collect();
        let managed = managed + totals.managed_groups;
        let allowed = self
            .max_removals
            .min(percent_of(managed, self.max_share).max(1));
        if names.len() > allowed {
            return Err(LimitExceeded::TooManyRemovals {
                removals: names.len(),
                managed,
                allowed,
                names,
            });
        }
        let names: Vec<String> = plan.deleted_groups().collect();
        let allowed = percent_of(totals.managed_groups, self.max_share).max(1);
        if names.len() > allowed {
            return Err(LimitExceeded::TooManyGroups {
                managed: totals.managed_groups,
                allowed,
                names,
            });
        }
        let removals = plan.counts().members_removed;
        let allowed = percent_of(totals.memberships, self.max_member_share).max(10);
        if removals > allowed {
            return Err(LimitExceeded::TooManyMemberRemovals {
                removals,
                memberships: totals.memberships,
                allowed,
            });
        }
        Ok(())
    }

    /// Returns the protected users and groups that the plan changes.
    fn protected_names(&self, plan: &SyncPlan) -> Vec<String> {
        // Servers compare names case-insensitively.
        let lowercase = |names: &BTreeSet<String>| -> BTreeSet<String> {
            names.iter().map(|name| name.to_lowercase()).collect()
        };
        let protected_groups = lowercase(&self.protected_groups);
        let protected_users = lowercase(&self.protected_users);
        let groups = plan.groups.iter().filter_map(|change| {
            let before = match change {
                GroupChange::Update { renamed_from, .. } => renamed_from.clone(),
                GroupChange::Create { .. } | GroupChange::Delete(_) => None,
            };
            let name = [Some(change.name()), before]
                .into_iter()
                .flatten()
                .find(|name| protected_groups.contains(&name.to_lowercase()))?;
            Some(format!("group {name}"))
        });
        let users = plan.users.iter().filter_map(|change| {
            let before = match change {
                UserChange::Update { before, .. } => before.as_deref(),
                _ => None,
            };
            let before = before.map(|before| before.user_name.clone());
            let name = [Some(change.name()), before]
                .into_iter()
                .flatten()
                .find(|name| protected_users.contains(&name.to_lowercase()))?;
            Some(format!("user {name}"))
        });
        groups.chain(users).collect()
    }
}

/// Returns the limit that a plan of an empty source exceeds.
fn empty_source(plan: &SyncPlan) -> Option<LimitExceeded> {
    let managed = plan.totals.managed_users;
    let is_empty = plan.totals.source_active == 0 && managed > 0;
    is_empty.then_some(LimitExceeded::EmptySource { managed })
}

/// Returns the limit that a plan exceeds if the source has new ids for most of the managed users.
fn new_ids(plan: &SyncPlan) -> Option<LimitExceeded> {
    let (managed, missing) = (plan.totals.managed_users, plan.totals.missing_users);
    let new = plan.users.iter();
    let new = new.filter(|change| creates_or_adopts(change)).count();
    let has_new_ids = missing >= MIN_MISSING_USERS && missing * 2 >= managed && new * 2 >= missing;
    has_new_ids.then_some(LimitExceeded::NewIds {
        managed,
        missing,
        new,
    })
}

impl SyncPlan {
    /// Returns the hazards of the source as a whole.
    pub(crate) fn source_hazards(&self) -> Vec<Hazard> {
        let found = empty_source(self).into_iter().chain(new_ids(self));
        found
            .filter_map(|exceeded| match exceeded {
                LimitExceeded::EmptySource { managed } => Some(Hazard::EmptySource {
                    managed: managed as u64,
                }),
                LimitExceeded::NewIds {
                    managed, missing, ..
                } => Some(Hazard::NewIds {
                    managed: managed as u64,
                    missing: missing as u64,
                }),
                _ => None,
            })
            .collect()
    }
}

fn creates_or_adopts(change: &UserChange) -> bool {
    matches!(
        change,
        UserChange::Create { .. } | UserChange::Update { adopts: true, .. }
    )
}

/// Returns a percentage of a number, rounded down.
fn percent_of(number: usize, percent: u8) -> usize {
    number * usize::from(percent) / 100
}

impl LimitExceeded {
    /// Returns advice for the operator.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::EmptySource { .. } => {
                "check the scope of the source and the permissions of its token; if it really has no active users, allow it for one run (empty_source, or `--allow-empty-source`)"
            }
            Self::NewIds { .. } => {
                "check that the source is the right org; if the users really have new ids, for example after a migration, allow it for one run (new_ids, or `--allow-new-ids`)"
            }
            Self::TooManyGroups { .. } => {
                "check that the source still has its groups; if the deletions are intended, raise the limit for this run (max_share, or `--max-removals N`)"
            }
            Self::TooManyRemovals { .. } => {
                "review the plan; if the removals are intended, raise the limit for this run (max_removals, or `--max-removals N`)"
            }
            Self::TooManyMemberRemovals { .. } => {
                "review the plan; if the removals are intended, raise the limit for this run (max_member_share, or `--max-removals N`)"
            }
            Self::Protected { .. } => {
                "remove these users or groups from the scope of the source, rename them in the source, or remove their names from protected_users or protected_groups"
            }
        }
    }
}

impl From<LimitExceeded> for Error {
    fn from(exceeded: LimitExceeded) -> Self {
        let help = exceeded.help();
        Self::new(ErrorKind::GuardRejected, exceeded.to_string())
            .with_help(help)
            .with_source(exceeded)
    }
}

/// The number of removals that an exceeded limit names.
const MAX_NAMES: usize = 10;

/// Minimum number of missing users for [`LimitExceeded::NewIds`]. If fewer users are missing, they were probably
/// recreated one by one in the source.
const MIN_MISSING_USERS: usize = 3;
