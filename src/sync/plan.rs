//! What a run of the directory sync would do, as data that can be read, saved and compared.

mod show;

use std::{collections::BTreeSet, fmt, sync::Arc};

use jiff::Timestamp;
use scim_types::{ExternalId, ResourceId};
use serde::{Deserialize, Serialize};

use super::{SyncState, UserProfile};

/// Everything that a run would write, in the order in which it is written.
///
/// `Display` shows it the way a reviewer reads a diff; serde saves it. It holds ids and names, never a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SyncPlan {
    /// The format of this document; see [`SyncPlan::VERSION`].
    pub version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// The serial of the memory it was made from; a plan is stale once the memory has moved on.
    pub serial: u64,
    /// How many there are on both sides, which the guard compares the changes with.
    pub totals: Totals,
    /// What would be done to users; all of it before the first group, removals apart.
    pub users: Vec<UserChange>,
    /// What would be done to groups.
    pub groups: Vec<GroupChange>,
    /// Who is left as they are, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// What a reader should know although nothing changes because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What the target was like when the plan was made, if it was made in this process.
    #[serde(skip)]
    pub(crate) next_state: Transient<Arc<SyncState>>,
    /// Managed users of the target whom the source does not know any more: one who was made anew there has the name of
    /// one of them.
    #[serde(skip)]
    pub(crate) missing_users: Transient<Arc<BTreeSet<ResourceId>>>,
}

/// What goes with a plan in the process that has made it; it is neither saved nor compared.
#[derive(Clone)]
pub struct Transient<T>(pub(crate) Option<T>);

impl<T> fmt::Debug for Transient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transient").finish_non_exhaustive()
    }
}

impl<T> Default for Transient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PartialEq for Transient<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How many there are on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Users of the source who may sign in.
    pub source_active: usize,
    /// Groups of the source.
    pub source_groups: usize,
    /// Active users of the target that this sync manages.
    pub managed_users: usize,
    /// Groups of the target that this sync manages.
    pub managed_groups: usize,
    /// Memberships in groups that this sync manages.
    pub memberships: usize,
    /// Managed users of the target whose id the source does not know any more.
    pub missing_users_count: usize,
}

/// One thing that would be done to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum UserChange {
    /// Makes a user who is not there.
    Create {
        /// The id of the source.
        external_id: ExternalId,
        /// What the user will be.
        profile: UserProfile,
    },
    /// Makes a user who is there what the source says; a new name too.
    Update {
        /// The id of the target.
        id: ResourceId,
        /// The id of the source.
        external_id: ExternalId,
        /// What the user is now, if it was read.
        before: Option<UserProfile>,
        /// What the user will be.
        profile: UserProfile,
        /// The user was there under its name, and gets the id of the source now.
        adopts: bool,
        /// The user can sign in now, and may not afterwards.
        deactivates: bool,
        /// The user as the target has it, if this run has read it: what others have set is written back.
        #[serde(skip)]
        base: Transient<Box<scim_types::User>>,
    },
    /// Makes a user who is gone from the source unable to sign in.
    Deactivate(RemovedPrincipal),
    /// Deletes a user who is gone from the source and was deactivated before.
    Delete(RemovedPrincipal),
}

/// One thing that would be done to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum GroupChange {
    /// Makes a group that is not there, with its members.
    Create {
        /// The id of the source.
        external_id: ExternalId,
        /// The name.
        name: String,
        /// Who will be in it.
        members: Vec<Member>,
    },
    /// Makes a group that is there what the source says.
    Update {
        /// The id of the target.
        id: ResourceId,
        /// The id of the source.
        external_id: ExternalId,
        /// The name it will have.
        name: String,
        /// The name it had, if it gets another; its members and its access stay.
        renamed_from: Option<String>,
        /// The group was there under its name, and gets the id of the source now.
        adopts: bool,
        /// Who is put into it.
        add: Vec<Member>,
        /// Who is taken out of it.
        remove: Vec<ResourceId>,
        /// Who is in it now, if it is adopted: from then on that is remembered.
        #[serde(skip)]
        present: Transient<BTreeSet<ResourceId>>,
    },
    /// Deletes a group that is gone from the source.
    Delete(RemovedPrincipal),
}

/// Somebody or something of the target that is gone from the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedPrincipal {
    /// The id of the target.
    pub id: ResourceId,
    /// The id of the source.
    pub external_id: Option<ExternalId>,
    /// The name, if it was read.
    pub name: Option<String>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The id of the source.
    pub external_id: ExternalId,
    /// The id of the target, unless the user is created in the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ResourceId>,
}

/// Somebody who is left as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// How much a plan would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Users who are created.
    pub users_created: usize,
    /// Users who are changed or adopted.
    pub users_updated: usize,
    /// Users who are deactivated: gone from the source, or not allowed to sign in there.
    pub users_deactivated: usize,
    /// Users who are deleted.
    pub users_deleted: usize,
    /// Groups that are created.
    pub groups_created: usize,
    /// Groups that are renamed, adopted, or get other members.
    pub groups_updated: usize,
    /// Groups that are deleted.
    pub groups_deleted: usize,
    /// Memberships that are added, those of new groups included.
    pub members_added: usize,
    /// Memberships that are removed.
    pub members_removed: usize,
}

impl SyncPlan {
    /// The format that this version of the crate writes.
    pub const VERSION: u32 = 2;

    /// Returns whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// How much would be done.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.users {
            match change {
                UserChange::Create { .. } => counts.users_created += 1,
                UserChange::Deactivate(_)
                | UserChange::Update {
                    deactivates: true, ..
                } => counts.users_deactivated += 1,
                UserChange::Update { .. } => counts.users_updated += 1,
                UserChange::Delete(_) => counts.users_deleted += 1,
            }
        }
        for change in &self.groups {
            match change {
                GroupChange::Create { members, .. } => {
                    counts.groups_created += 1;
                    counts.members_added += members.len();
                }
                GroupChange::Update { add, remove, .. } => {
                    counts.groups_updated += 1;
                    counts.members_added += add.len();
                    counts.members_removed += remove.len();
                }
                GroupChange::Delete(_) => counts.groups_deleted += 1,
            }
        }
        counts
    }

    /// Who and what loses something as a whole: users who can sign in no more, users and groups that are deleted.
    pub fn removals(&self) -> impl Iterator<Item = String> {
        let users = self
            .users
            .iter()
            .filter(|change| change.removes())
            .map(|change| format!("user {}", change.name()));
        users.chain(self.deleted_groups())
    }

    pub(super) fn deleted_groups(&self) -> impl Iterator<Item = String> {
        self.groups.iter().filter_map(|change| match change {
            GroupChange::Delete(gone) => Some(format!("group {gone}")),
            GroupChange::Create { .. } | GroupChange::Update { .. } => None,
        })
    }

    /// Returns what this plan would do that `reviewed` would not, if there is anything.
    ///
    /// Between the two something may have come true by itself; nothing may have been added.
    #[must_use]
    pub fn deviation_from(&self, reviewed: &Self) -> Option<String> {
        let user = self
            .users
            .iter()
            .find(|change| !reviewed.users.contains(change));
        let group = || {
            self.groups
                .iter()
                .find(|change| !reviewed.groups.contains(change))
        };
        user.map(ToString::to_string)
            .or_else(|| group().map(ToString::to_string))
    }

    /// One line that says how much would be done.
    #[must_use]
    pub fn summary(&self) -> String {
        self.counts().to_string()
    }
}

impl UserChange {
    /// The name of the user, or an id where no name was read.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Create { profile, .. } | Self::Update { profile, .. } => {
                profile.user_name.clone()
            }
            Self::Deactivate(gone) | Self::Delete(gone) => gone.to_string(),
        }
    }

    /// Whether the user loses the sign-in or is deleted.
    #[must_use]
    pub fn removes(&self) -> bool {
        let deactivates = matches!(
            self,
            Self::Update {
                deactivates: true,
                ..
            }
        );
        matches!(self, Self::Deactivate(_) | Self::Delete(_)) || deactivates
    }

    fn mark(&self) -> char {
        match self {
            Self::Create { .. } => '+',
            Self::Delete(_) => '-',
            _ if self.removes() => 'x',
            _ => '~',
        }
    }
}

impl GroupChange {
    /// The name of the group, or an id where no name was read.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Create { name, .. } | Self::Update { name, .. } => name.clone(),
            Self::Delete(gone) => gone.to_string(),
        }
    }
}
