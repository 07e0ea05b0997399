//! What a run may take away, decided before the first write.

use std::collections::BTreeSet;

use super::plan::{GroupChange, SyncPlan, UserChange};
use crate::error::{Error, ErrorKind};

/// What a run may take away before a person has to say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalLimits {
    /// How many users may lose the sign-in or be deleted, and groups be deleted, together; 100 unless told otherwise.
    pub max_removals: usize,
    /// How many of a hundred managed users and groups that may be, and how many of a hundred groups alone; 10 unless told
    /// otherwise, and one is always allowed.
    pub max_share: u8,
    /// How many of a hundred memberships may be removed; 30 unless told otherwise, and ten are always allowed.
    pub max_member_share: u8,
    /// Whether a source may know most of the managed users under other ids than before.
    pub new_ids: bool,
    /// Groups that nobody may touch, by name in any case of letters; the groups of AWS Control Tower unless told otherwise.
    pub protected_groups: BTreeSet<String>,
    /// Users whom nobody may touch, by name in any case of letters; nobody unless told otherwise.
    pub protected_users: BTreeSet<String>,
}

impl Default for RemovalLimits {
    fn default() -> Self {
        Self {
            max_removals: 100,
            max_share: 10,
            max_member_share: 30,
            new_ids: false,
            protected_groups: CONTROL_TOWER.map(str::to_owned).into(),
            protected_users: BTreeSet::new(),
        }
    }
}

/// Why a plan is not applied; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// Nobody is in the source.
    #[error("the source has nobody who may sign in, and the target has {managed} managed users")]
    #[non_exhaustive]
    EmptySource {
        /// The managed users of the target.
        managed: usize,
    },
    /// The source knows most users under other ids than before.
    #[error(
        "the source does not know the ids of {lost} of {managed} managed users any more, and has {new} who are new"
    )]
    #[non_exhaustive]
    NewIds {
        /// The managed users of the target.
        managed: usize,
        /// Those of them whose id is gone.
        lost: usize,
        /// Users who would be created or adopted.
        new: usize,
    },
    /// Too many would lose the sign-in or be deleted.
    #[error(
        "the plan takes away {removals} of {managed} managed users and groups, and the guard allows {allowed}: {}",
        shown(.names)
    )]
    #[non_exhaustive]
    TooManyRemovals {
        /// How many.
        removals: usize,
        /// The managed users and groups of the target.
        managed: usize,
        /// How many may be.
        allowed: usize,
        /// Who and what.
        names: Vec<String>,
    },
    /// Too many groups would be deleted, which is little where there are many more users, and takes everybody's access.
    #[error(
        "the plan deletes {} of {managed} managed groups, and the guard allows {allowed}: {}",
        .names.len(), shown(.names)
    )]
    #[non_exhaustive]
    TooManyGroups {
        /// The managed groups of the target.
        managed: usize,
        /// How many may be deleted.
        allowed: usize,
        /// Which.
        names: Vec<String>,
    },
    /// Too many would leave their groups.
    #[error(
        "the plan removes {removals} of {memberships} memberships, and the guard allows {allowed}"
    )]
    #[non_exhaustive]
    TooManyMemberRemovals {
        /// How many.
        removals: usize,
        /// The memberships of managed groups.
        memberships: usize,
        /// How many may be.
        allowed: usize,
    },
    /// Somebody or something that nobody may touch would be changed.
    #[error("the plan changes what is protected: {}", .names.join(", "))]
    #[non_exhaustive]
    Protected {
        /// Who and what.
        names: Vec<String>,
    },
}

impl RemovalLimits {
    /// A guard that allows so many removals, whatever their share.
    #[must_use]
    pub fn at_most(max_removals: usize) -> Self {
        Self {
            max_removals,
            max_share: 100,
            ..Self::default()
        }
    }

    /// Says whether a plan may be applied.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`], the one that says most about what is wrong.
    pub fn check(&self, plan: &SyncPlan) -> Result<(), LimitExceeded> {
        let totals = &plan.totals;
        let managed = totals.managed_users;
        if totals.source_active == 0 && managed > 0 {
            return Err(LimitExceeded::EmptySource { managed });
        }
        let new = plan.users.iter().filter(|change| is_new(change)).count();
        let lost = totals.missing_users_count;
        if !self.new_ids && lost >= MANY && lost * 2 >= managed && new * 2 >= lost {
            return Err(LimitExceeded::NewIds { managed, lost, new });
        }
        let names = self.protected(plan);
        if !names.is_empty() {
            return Err(LimitExceeded::Protected { names });
        }
        let names: Vec<String> = plan.removals().collect();
        let managed = managed + totals.managed_groups;
        let allowed = self.max_removals.min(share(managed, self.max_share).max(1));
        if names.len() > allowed {
            return Err(LimitExceeded::TooManyRemovals {
                removals: names.len(),
                managed,
                allowed,
                names,
            });
        }
        let names: Vec<String> = plan.deleted_groups().collect();
        let allowed = share(totals.managed_groups, self.max_share).max(1);
        if names.len() > allowed {
            return Err(LimitExceeded::TooManyGroups {
                managed: totals.managed_groups,
                allowed,
                names,
            });
        }
        let removals = plan.counts().members_removed;
        let allowed = share(totals.memberships, self.max_member_share).max(10);
        if removals > allowed {
            return Err(LimitExceeded::TooManyMemberRemovals {
                removals,
                memberships: totals.memberships,
                allowed,
            });
        }
        Ok(())
    }

    fn protected(&self, plan: &SyncPlan) -> Vec<String> {
        // Servers find names whatever their case.
        let folded = |names: &BTreeSet<String>| -> BTreeSet<String> {
            names.iter().map(|name| name.to_lowercase()).collect()
        };
        let protected_groups = folded(&self.protected_groups);
        let protected_users = folded(&self.protected_users);
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
                UserChange::Update { before, .. } => before.as_ref(),
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

fn is_new(change: &UserChange) -> bool {
    matches!(
        change,
        UserChange::Create { .. } | UserChange::Update { adopts: true, .. }
    )
}

/// Rounded down.
fn share(of: usize, percent: u8) -> usize {
    of * usize::from(percent) / 100
}

fn shown(names: &[String]) -> String {
    let mut text = names
        .iter()
        .take(10)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = names.len().checked_sub(10).filter(|more| *more > 0) {
        use std::fmt::Write as _;
        let _infallible = write!(text, " and {more} more");
    }
    text
}

impl LimitExceeded {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::EmptySource { .. } => {
                "look at what the source is asked for: its scope, the rights of its token; nobody is removed because of an empty source"
            }
            Self::NewIds { .. } => {
                "look whether it is the right org; if the users have really got new ids, such as after a move, allow that for one run (new_ids)"
            }
            Self::TooManyGroups { .. } => {
                "look whether the source still has its groups; if the removals are meant, raise max_share for this run"
            }
            Self::TooManyRemovals { .. } => {
                "read the plan; if the removals are meant, allow as many for this run (max_removals, or `--max-removals N`)"
            }
            Self::TooManyMemberRemovals { .. } => {
                "read the plan; if the removals are meant, raise max_member_share for this run"
            }
            Self::Protected { .. } => {
                "take it out of the scope of the source, give it another name there, or take the name off the guard's list"
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

/// From how many users on a change of ids is one of all, and not of somebody who was made anew.
const MANY: usize = 3;

/// The groups that AWS Control Tower makes in the same store (AWS Control Tower user guide, "IAM Identity Center
/// Groups for AWS Control Tower"). Taking them away locks the administrators out of the landing zone.
const CONTROL_TOWER: [&str; 8] = [
    "AWSAccountFactory",
    "AWSServiceCatalogAdmins",
    "AWSControlTowerAdmins",
    "AWSSecurityAuditPowerUsers",
    "AWSSecurityAuditors",
    "AWSLogArchiveAdmins",
    "AWSLogArchiveViewers",
    "AWSAuditAccountAdmins",
];
