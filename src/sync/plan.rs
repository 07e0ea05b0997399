//! The plan of a directory sync run, as data that can be displayed, saved and compared.

mod show;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use scim_types::{ExternalId, ResourceId};
use serde::{Deserialize, Serialize};

use super::profile::UserProfile;
use crate::{plan::Hazard, token_age::TokenAge, user_attribute::Attribute};

/// All changes that a run would write, in the order of writing.
///
/// `Display` shows the plan like a diff for review; serde saves and loads it without loss. A plan holds ids and profiles,
/// never secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SyncPlan {
    /// The format version of this document; see [`SyncPlan::VERSION`].
    pub version: u32,
    /// The time of planning.
    pub made_at: Timestamp,
    /// The serial number of the state that the plan is based on. The plan is stale once the state has another serial.
    pub serial: u64,
    /// The members of adopted groups that the group of the source does not have, by the name of the group. They keep their
    /// membership in this run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members_of_adopted: BTreeMap<String, Vec<ResourceId>>,
    /// The hazards, which the guard refuses unless they are allowed by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<Hazard>,
    /// Totals of source and target. The guard limits the share that is removed.
    pub totals: Totals,
    /// The changes of users. Except for removals, they are all written before the first group.
    pub users: Vec<UserChange>,
    /// The changes of groups.
    pub groups: Vec<GroupChange>,
    /// The users that are left out, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// The items of source and target that could not be read, so that nothing is removed, and the groups whose records in the
    /// source contradict each other, which keep their members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The removals that the plan does not make yet, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// Notes for the reviewer. They cause no change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The age of the access token of AWS's SCIM endpoint, if the run has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenAge>,
}

/// Removals that a plan does not make, although the source no longer has the users, groups or members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Kept {
    /// The reason.
    pub reason: String,
    /// The users that stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserChange>,
    /// The groups that stay, or whose members stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupChange>,
}

/// Totals of source and target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Number of active users of the source.
    pub source_active: usize,
    /// Number of groups of the source.
    pub source_groups: usize,
    /// Number of active managed users of the target.
    pub managed_users: usize,
    /// Number of managed groups of the target.
    pub managed_groups: usize,
    /// Number of memberships in managed groups.
    pub memberships: usize,
    /// Number of active managed users of the target whose external id is no longer in the source.
    pub missing_users: usize,
}

/// A planned change of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UserChange {
    /// Creates a user.
    Create {
        /// The source's id.
        external_id: ExternalId,
        /// The desired profile.
        profile: UserProfile,
    },
    /// Updates an existing user to the source's profile, including the name.
    Update {
        /// The target's id.
        id: ResourceId,
        /// The source's id.
        external_id: ExternalId,
        /// The current profile with the attributes that the sync has written or takes over, if it was read.
        before: Option<Box<UserProfile>>,
        /// The desired profile.
        profile: UserProfile,
        /// The attributes that the sync has written and that the source no longer has. The target's other attributes are kept.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        removes: BTreeSet<Attribute>,
        /// Whether the update adopts the user: the user was matched by name and gets the source's id.
        adopts: bool,
        /// Whether the update deactivates an active user.
        deactivates: bool,
    },
    /// Deactivates a user that is no longer in the source, or an inactive user whose profile the target would reject.
    Deactivate(RemovedPrincipal),
    /// Deletes a deactivated user that is no longer in the source.
    Delete(RemovedPrincipal),
}

/// A planned change of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GroupChange {
    /// Creates a group with its members.
    Create {
        /// The source's id.
        external_id: ExternalId,
        /// The group's name.
        name: String,
        /// The members.
        members: Vec<Member>,
    },
    /// Updates an existing group to the source's name and members.
    Update {
        /// The target's id.
        id: ResourceId,
        /// The source's id.
        external_id: ExternalId,
        /// The desired name.
        name: String,
        /// The current name, if the group is renamed. The rename keeps members and access.
        renamed_from: Option<String>,
        /// Whether the update adopts the group: the group was matched by name and gets the source's id.
        adopts: bool,
        /// The members to add.
        add: Vec<Member>,
        /// The members to remove.
        remove: Vec<RemovedMember>,
    },
    /// Deletes a group that is no longer in the source.
    Delete(RemovedPrincipal),
}

/// A user or group of the target that is deactivated or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemovedPrincipal {
    /// The target's id.
    pub id: ResourceId,
    /// The source's id, if the target or the cached state has it.
    pub external_id: Option<ExternalId>,
    /// The name, if the source or the target has it.
    pub name: Option<String>,
    /// The reason of the removal.
    pub why: Why,
    /// Whether the cached state says that the user or group existed before the sync adopted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
}

/// A member that a group loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemovedMember {
    /// The target's id of the user.
    pub id: ResourceId,
    /// The source's id of the user, if the target or the cached state has it.
    pub external_id: Option<ExternalId>,
    /// The user's name, if the source or the target has it.
    pub name: Option<String>,
    /// The reason of the removal.
    pub why: Why,
}

/// The reason of a removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Why {
    /// The source does not have the user or group.
    Missing,
    /// The user is inactive in the source.
    Inactive,
    /// The user is inactive in the source, and the target would refuse the profile, so only the deactivation is written.
    ProfileRefused {
        /// The problems of the profile.
        problems: Vec<String>,
    },
    /// The user is not a member of the group in the source.
    NotMember,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// The source's id of the user.
    pub external_id: ExternalId,
    /// The user's name.
    pub name: String,
    /// The target's id of the user; `None` if the user is created in the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ResourceId>,
}

/// A user that the sync leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Skipped {
    /// The source's id.
    #[schemars(with = "String")]
    pub external_id: ExternalId,
    /// The user's name.
    pub name: String,
    /// The day (UTC) of the first run that left out the user; `None` if this run is the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Date>,
    /// The number of days since then.
    #[serde(default)]
    pub days: u32,
    /// The reason.
    pub reason: String,
}

/// Counts of changes, planned or applied.
///
/// [`planned`](Self::planned) and [`done`](Self::done) describe them, such as `1 user to create` and `1 user created`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Counts {
    /// Number of created users.
    pub users_created: usize,
    /// Number of updated or adopted users.
    pub users_updated: usize,
    /// Number of deactivated users: no longer in the source, or inactive there.
    pub users_deactivated: usize,
    /// Number of deleted users.
    pub users_deleted: usize,
    /// Number of created groups.
    pub groups_created: usize,
    /// Number of groups that are renamed, adopted, or get other members.
    pub groups_updated: usize,
    /// Number of deleted groups.
    pub groups_deleted: usize,
    /// Number of added memberships, including the members of new groups.
    pub members_added: usize,
    /// Number of removed memberships.
    pub members_removed: usize,
}

impl SyncPlan {
    /// The format version that this version of the crate writes.
    pub const VERSION: u32 = 4;

    /// Returns whether the plan has no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Counts the changes.
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

    /// Returns the removals: users that are deactivated or deleted, and groups that are deleted.
    pub fn removals(&self) -> impl Iterator<Item = String> {
        let users = self
            .users
            .iter()
            .filter(|change| change.removes())
            .map(|change| format!("user {}", change.name()));
        let groups = self.groups.iter().filter_map(|change| match change {
            GroupChange::Delete(removed) => Some(format!("group {removed}")),
            GroupChange::Create { .. } | GroupChange::Update { .. } => None,
        });
        users.chain(groups)
    }

    /// Moves the removals, those of members included, to [`kept`](Self::kept).
    pub(crate) fn keep_removals(&mut self, reason: &str) {
        let users = self.users.extract_if(.., |change| change.removes());
        let users = users.collect();
        let mut groups = Vec::new();
        self.groups.retain_mut(|change| match change {
            GroupChange::Create { .. } => true,
            GroupChange::Delete(_) => {
                groups.push(change.clone());
                false
            }
            GroupChange::Update {
                id,
                external_id,
                name,
                renamed_from,
                adopts,
                add,
                remove,
            } => {
                if !remove.is_empty() {
                    groups.push(GroupChange::Update {
                        id: id.clone(),
                        external_id: external_id.clone(),
                        name: name.clone(),
                        renamed_from: None,
                        adopts: false,
                        add: Vec::new(),
                        remove: std::mem::take(remove),
                    });
                }
                renamed_from.is_some() || *adopts || !add.is_empty()
            }
        });
        self.keep(reason, users, groups);
    }

    /// Adds removals that the plan does not make.
    pub(crate) fn keep(
        &mut self,
        reason: impl Into<String>,
        users: Vec<UserChange>,
        groups: Vec<GroupChange>,
    ) {
        if users.is_empty() && groups.is_empty() {
            return;
        }
        let reason = reason.into();
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.reason == reason) {
            kept.users.extend(users);
            kept.groups.extend(groups);
        } else {
            self.kept.push(Kept {
                reason,
                users,
                groups,
            });
        }
    }

    /// Returns a change of this plan that `reviewed` does not have, if there is one.
    ///
    /// Changes of `reviewed` that are missing in this plan are allowed: they may be already done.
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

    /// Returns a summary of the changes in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        self.counts().planned()
    }
}

impl UserChange {
    /// Returns the user's name, or an id if the name was not read.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Create { profile, .. } | Self::Update { profile, .. } => {
                profile.user_name.clone()
            }
            Self::Deactivate(removed) | Self::Delete(removed) => removed.to_string(),
        }
    }

    /// Describes the change for messages, such as `create user ada@example.com`.
    pub(crate) fn description(&self) -> String {
        let verb = match self {
            Self::Create { .. } => "create",
            Self::Delete(_) => "delete",
            _ if self.removes() => "deactivate",
            _ => "update",
        };
        format!("{verb} user {}", self.name())
    }

    /// Returns whether the change deactivates or deletes the user.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.removed().is_some()
    }

    /// Returns the target id of the user, if the change deactivates or deletes it.
    pub(crate) fn removed(&self) -> Option<&ResourceId> {
        match self {
            Self::Update {
                id,
                deactivates: true,
                ..
            } => Some(id),
            Self::Deactivate(removed) | Self::Delete(removed) => Some(&removed.id),
            Self::Create { .. } | Self::Update { .. } => None,
        }
    }

    /// Returns the mark in front of the change in a displayed plan.
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
    /// Returns the group's name, or an id if the name was not read.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Create { name, .. } | Self::Update { name, .. } => name.clone(),
            Self::Delete(removed) => removed.to_string(),
        }
    }

    /// Describes the change for messages, such as `update group deployers`.
    pub(crate) fn description(&self) -> String {
        let verb = match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete(_) => "delete",
        };
        format!("{verb} group {}", self.name())
    }

    /// Returns the target id of the group, if the change deletes it.
    pub(crate) fn removed(&self) -> Option<&ResourceId> {
        match self {
            Self::Delete(removed) => Some(&removed.id),
            Self::Create { .. } | Self::Update { .. } => None,
        }
    }
}
