//! The desired users and groups, as the source has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use scim_client::ItemError;
use scim_types::ExternalId;
use serde::{Deserialize, Serialize};

use super::profile::UserProfile;
use crate::error::{Error, ErrorKind, Result};

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
        write!(f, "{} ({})", self.item, self.reason)
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
    /// The ids of the members. Members that are not in [`Directory::users`] are ignored.
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
    /// Checks that ids and names are unique and that no id is empty. A source with duplicates is not reliable evidence
    /// for removals.
    ///
    /// # Errors
    ///
    /// Fails if two users or two groups have the same id or the same name, or if an id is empty.
    pub fn check(&self) -> Result<()> {
        let ids = self
            .users
            .iter()
            .map(|user| (&user.id, &user.profile.user_name));
        let ids = ids.chain(self.groups.iter().map(|group| (&group.id, &group.name)));
        if let Some((_, name)) = ids.into_iter().find(|(id, _)| id.as_str().is_empty()) {
            return Err(Error::new(
                ErrorKind::UnusableSubject,
                format!("`{name}` has no id in the source"),
            )
            .with_help("give every user and group of the source an id that never changes"));
        }
        let ids = self.users.iter().map(|user| user.id.as_str().to_owned());
        require_unique("users have the id", ids)?;
        let names = self
            .users
            .iter()
            .map(|user| user.profile.user_name.to_lowercase())
            .filter(|name| !name.is_empty());
        require_unique("users have the user name", names)?;
        let ids = self.groups.iter().map(|group| group.id.as_str().to_owned());
        require_unique("groups have the id", ids)?;
        require_unique(
            "groups have the name",
            self.groups.iter().map(|group| group.name.clone()),
        )
    }

    /// Returns the number of memberships.
    #[must_use]
    pub fn memberships(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }
}

/// Fails if a value occurs more than once.
fn require_unique(what: &str, values: impl Iterator<Item = String>) -> Result<()> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0_usize) += 1;
    }
    let Some((value, count)) = counts.into_iter().find(|(_, count)| *count > 1) else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::UnusableSubject,
        format!("{count} {what} `{value}`"),
    )
    .with_help("correct it in the source: names and ids must be unique in the target"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str, name: &str) -> User {
        User::new(
            ExternalId::new(id),
            UserProfile {
                user_name: name.into(),
                ..UserProfile::default()
            },
        )
    }

    #[test]
    fn a_duplicate_user_name_is_rejected_regardless_of_case() {
        let directory = Directory {
            users: vec![user("1", "ada@example.com"), user("2", "Ada@Example.com")],
            ..Directory::default()
        };
        let error = directory.check().expect_err("a duplicate name");
        assert_eq!(
            error.to_string(),
            "2 users have the user name `ada@example.com`"
        );
    }

    #[test]
    fn an_empty_id_is_rejected() {
        let directory = Directory {
            users: vec![user("", "ada")],
            ..Directory::default()
        };
        let error = directory.check().expect_err("an empty id");
        assert_eq!(error.to_string(), "`ada` has no id in the source");
    }

    #[test]
    fn a_duplicate_user_id_is_rejected() {
        let directory = Directory {
            users: vec![user("1", "a"), user("1", "b")],
            ..Directory::default()
        };
        let error = directory.check().expect_err("a duplicate id");
        assert_eq!(error.to_string(), "2 users have the id `1`");
    }
}
