//! Who is to be in the target: people and groups as the source has them.

use std::collections::{BTreeMap, BTreeSet};

use scim_types::ExternalId;
use serde::{Deserialize, Serialize};

use super::UserProfile;
use crate::error::{Error, ErrorKind, Result};

/// The people and groups that are to be in the target, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Everybody, those who may not sign in included.
    pub users: Vec<User>,
    /// The groups, with their members.
    pub groups: Vec<Group>,
    /// What a reader of the plan should know about the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A person as the source has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id that the source gave, which never changes; it is the target's `externalId`.
    pub id: ExternalId,
    /// What is known about the person.
    pub profile: UserProfile,
    /// Why the target will not take the person as they are, if the source knows. Such a user is left as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A group as the source has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The id that the source gave, which never changes; it is the target's `externalId`.
    pub id: ExternalId,
    /// The name.
    pub name: String,
    /// Who is in it. Who is not among the [users](Directory::users) is not in it in the target either.
    pub members: BTreeSet<ExternalId>,
}

impl User {
    /// A user without problems.
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
    /// Refuses a directory that contradicts itself: a source that says one thing twice cannot be trusted about what is
    /// gone.
    ///
    /// # Errors
    ///
    /// If two users or two groups have one id or one name.
    pub fn check(&self) -> Result<()> {
        let ids = self.users.iter().map(|user| user.id.as_str().to_owned());
        twice("users have the id", ids)?;
        let names = self
            .users
            .iter()
            .map(|user| user.profile.user_name.to_lowercase())
            .filter(|name| !name.is_empty());
        twice("users sign in as", names)?;
        let ids = self.groups.iter().map(|group| group.id.as_str().to_owned());
        twice("groups have the id", ids)?;
        twice(
            "groups have the name",
            self.groups.iter().map(|group| group.name.clone()),
        )
    }

    /// How many memberships there are.
    #[must_use]
    pub fn memberships(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }
}

fn twice(what: &str, values: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for value in values {
        *seen.entry(value).or_insert(0_usize) += 1;
    }
    let Some((value, count)) = seen.into_iter().find(|(_, count)| *count > 1) else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::UnusableSubject,
        format!("{count} {what} `{value}`"),
    )
    .with_help("correct it in the source: the target takes each name and each id once"))
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
    fn a_name_that_two_users_have_is_refused_in_any_case_of_letters() {
        let directory = Directory {
            users: vec![user("1", "ada@example.com"), user("2", "Ada@Example.com")],
            ..Directory::default()
        };
        let error = directory.check().expect_err("two of a name");
        assert_eq!(error.to_string(), "2 users sign in as `ada@example.com`");
    }

    #[test]
    fn an_id_that_two_users_have_is_refused() {
        let directory = Directory {
            users: vec![user("1", "a"), user("1", "b")],
            ..Directory::default()
        };
        let error = directory.check().expect_err("two of an id");
        assert_eq!(error.to_string(), "2 users have the id `1`");
    }
}
