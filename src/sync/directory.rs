//! The desired users and groups, as the source has them.

use std::collections::{BTreeMap, BTreeSet};

use scim_types::ExternalId;
use serde::{Deserialize, Serialize};

use super::UserProfile;
use crate::error::{Error, ErrorKind, Result};

/// The complete set of users and groups that the target should have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// All users, including inactive users.
    pub users: Vec<User>,
    /// The groups, with their members.
    pub groups: Vec<Group>,
    /// Remarks about the source for the reviewer of the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A user of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Directory {
    /// Checks that ids and names are unique. A source with duplicates is not reliable evidence for removals.
    ///
    /// # Errors
    ///
    /// Fails if two users or two groups have the same id or the same name.
    pub fn check(&self) -> Result<()> {
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
    fn a_duplicate_user_id_is_rejected() {
        let directory = Directory {
            users: vec![user("1", "a"), user("1", "b")],
            ..Directory::default()
        };
        let error = directory.check().expect_err("a duplicate id");
        assert_eq!(error.to_string(), "2 users have the id `1`");
    }
}
