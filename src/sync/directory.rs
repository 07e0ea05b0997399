//! The desired users and groups, as the source has them.

use std::{collections::BTreeSet, fmt};

use scim_client::ItemError;
use scim_types::ExternalId;
use serde::{Deserialize, Serialize};

use super::profile::UserProfile;
use crate::text::Shown;

/// The users and groups that the target should have.
///
/// Later versions may add fields: end a literal with `..Directory::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// All users, including inactive users.
    pub users: Vec<User>,
    /// The groups, with their members.
    pub groups: Vec<Group>,
    /// Remarks about the source for the reviewer of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The parts of the source that could not be read. If there are any, the sync removes nothing from the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<UnreadItem>,
}

/// A user, a group or a list that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnreadItem {
    /// The item and its place, such as `user 00u1 in the members of group engines`.
    pub item: String,
    /// The reason why the item could not be read.
    pub reason: String,
}

impl UnreadItem {
    /// Returns the unread item of a list.
    pub(super) fn of_list(list: &str, error: &ItemError) -> Self {
        let reason =
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        Self {
            item: format!(
                "item {} of page {} of {list}",
                error.index() + 1,
                error.page()
            ),
            reason,
        }
    }
}

impl fmt::Display for UnreadItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", Shown(&self.item), Shown(&self.reason))
    }
}

/// A user of the source.
///
/// Later versions may add fields: end a literal with `..User::default()`. The id is required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The source's id, which never changes; the target stores it as `externalId`.
    pub id: ExternalId,
    /// The user's attributes.
    pub profile: UserProfile,
    /// Reasons why the target would reject the user, if the source knows any. The sync skips such a user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A group of the source.
///
/// Later versions may add fields: end a literal with `..Group::default()`. The id and the name are required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The source's id, which never changes; the target stores it as `externalId`.
    pub id: ExternalId,
    /// The group's name.
    pub name: String,
    /// The ids of the members: users, or groups whose members count too. The plan has a note of other ids.
    pub members: BTreeSet<ExternalId>,
}

impl User {
    /// Creates a user without problems.
    #[must_use]
    pub fn new(id: ExternalId, profile: UserProfile) -> Self {
        Self {
            id,
            profile,
            problems: Vec::new(),
        }
    }
}

impl Default for User {
    fn default() -> Self {
        Self::new(ExternalId::new(String::new()), UserProfile::default())
    }
}

impl Default for Group {
    fn default() -> Self {
        Self {
            id: ExternalId::new(String::new()),
            name: String::new(),
            members: BTreeSet::new(),
        }
    }
}

impl Directory {
    /// Returns the number of memberships.
    #[must_use]
    pub fn memberships(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }
}
