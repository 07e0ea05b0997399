//! The identity store: users, groups and memberships, shared by its API, SCIM and sign-in.

mod user;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::ids::Ids;

pub(crate) use user::{Draft, User};

/// A group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The position in creation order.
    pub(crate) position: u64,
    /// The group's id.
    pub(crate) id: String,
    /// The name, which is unique.
    pub(crate) display_name: String,
    /// The description; only the Identity Store API can set it.
    pub(crate) description: Option<String>,
    /// The external id, which the identity provider sets through SCIM.
    pub(crate) external_id: Option<String>,
    /// The creation time.
    pub(crate) created: Timestamp,
    /// The time of the last change.
    pub(crate) updated: Timestamp,
    /// The revision number, which starts at 1 and increases with every change.
    pub(crate) revision: u64,
}

/// The membership of a user in a group.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    /// The membership's id.
    pub(crate) id: String,
    /// The creation time.
    pub(crate) created: Timestamp,
}

/// The error for a name, address or external id that another user or group already has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Duplicate(
    /// The SCIM name of the conflicting attribute.
    pub(crate) &'static str,
);

/// The users, groups and memberships of one Identity Center.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// The ten digits of the identity store's id, which start the ids of users and groups.
    prefix: String,
    ids: Ids,
    last_position: u64,
    users: BTreeMap<u64, User>,
    groups: BTreeMap<u64, Group>,
    positions: HashMap<String, u64>,
    unique: HashMap<(&'static str, String), u64>,
    by_group: BTreeMap<(u64, u64), Membership>,
    by_user: BTreeSet<(u64, u64)>,
    by_id: HashMap<String, (u64, u64)>,
}

impl Directory {
    /// Returns an empty directory whose ids start with the digits of its identity store.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..Self::default()
        }
    }

    /// Returns all users with their positions, oldest first.
    pub(crate) fn users(&self) -> impl Iterator<Item = (u64, &User)> {
        self.users_from(0)
    }

    /// Returns the users from a position on, oldest first.
    pub(crate) fn users_from(&self, first: u64) -> impl Iterator<Item = (u64, &User)> {
        self.users
            .range(first..)
            .map(|(position, user)| (*position, user))
    }

    /// Returns all groups with their positions, oldest first.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (u64, &Group)> {
        self.groups_from(0)
    }

    /// Returns the groups from a position on, oldest first.
    pub(crate) fn groups_from(&self, first: u64) -> impl Iterator<Item = (u64, &Group)> {
        self.groups
            .range(first..)
            .map(|(position, group)| (*position, group))
    }

    /// Returns the user with this id.
    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.get(self.positions.get(id)?)
    }

    /// Returns the group with this id.
    pub(crate) fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(self.positions.get(id)?)
    }

    /// Returns the user with this `userName`, `emails.value` or `externalId`.
    pub(crate) fn user_by(&self, attribute: &'static str, value: &str) -> Option<&User> {
        self.users
            .get(self.unique.get(&(attribute, fold(attribute, value)))?)
    }

    /// Returns the group with this `displayName` or `externalId`.
    pub(crate) fn group_by(&self, attribute: &'static str, value: &str) -> Option<&Group> {
        self.groups
            .get(self.unique.get(&(group_key(attribute), value.to_owned()))?)
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// Returns an error if another user has the name, the address or the external id.
    pub(crate) fn create_user(&mut self, draft: Draft, now: Timestamp) -> Result<&User, Duplicate> {
        self.require_unique(&draft.keys(), None)?;
        let id = format!(
            "{}-{}",
            self.prefix,
            self.ids.uuid("user", draft.user_name())
        );
        let position = self.next_position();
        self.claim(&draft.keys(), position);
        self.positions.insert(id.clone(), position);
        Ok(self
            .users
            .entry(position)
            .or_insert(User::new(position, id, draft, now)))
    }

    /// Replaces the data of a user.
    ///
    /// # Errors
    ///
    /// Returns an error if another user has the name, the address or the external id.
    ///
    /// # Panics
    ///
    /// Panics if the user does not exist.
    pub(crate) fn update_user(
        &mut self,
        id: &str,
        draft: Draft,
        now: Timestamp,
    ) -> Result<&User, Duplicate> {
        let position = self.positions[id];
        self.require_unique(&draft.keys(), Some(position))?;
        let old = self.users[&position].draft().keys();
        self.release(&old);
        self.claim(&draft.keys(), position);
        let user = self
            .users
            .get_mut(&position)
            .expect("every user id refers to a user");
        user.replace(draft, now);
        Ok(user)
    }

    /// Removes a user and the user's memberships; returns whether the user existed.
    pub(crate) fn delete_user(&mut self, id: &str) -> bool {
        let Some(&position) = self.positions.get(id) else {
            return false;
        };
        let Some(user) = self.users.remove(&position) else {
            return false;
        };
        self.positions.remove(id);
        self.release(&user.draft().keys());
        let groups: Vec<u64> = self.groups_of(&user).map(|(group, _)| group).collect();
        for group in groups {
            self.remove_membership(group, position);
        }
        true
    }

    /// Adds a group without members.
    ///
    /// # Errors
    ///
    /// Returns an error if another group has the name or the external id.
    pub(crate) fn create_group(
        &mut self,
        display_name: &str,
        description: Option<String>,
        external_id: Option<String>,
        now: Timestamp,
    ) -> Result<&Group, Duplicate> {
        let keys = group_keys(display_name, external_id.as_deref());
        self.require_unique(&keys, None)?;
        let id = format!("{}-{}", self.prefix, self.ids.uuid("group", display_name));
        let position = self.next_position();
        self.claim(&keys, position);
        self.positions.insert(id.clone(), position);
        Ok(self.groups.entry(position).or_insert(Group {
            position,
            id,
            display_name: display_name.to_owned(),
            description,
            external_id,
            created: now,
            updated: now,
            revision: 1,
        }))
    }

    /// Replaces the data of a group, except its members.
    ///
    /// # Errors
    ///
    /// Returns an error if another group has the name or the external id.
    ///
    /// # Panics
    ///
    /// Panics if the group does not exist.
    pub(crate) fn update_group(
        &mut self,
        id: &str,
        group: Group,
        now: Timestamp,
    ) -> Result<&Group, Duplicate> {
        let position = self.positions[id];
        let keys = group_keys(&group.display_name, group.external_id.as_deref());
        self.require_unique(&keys, Some(position))?;
        let old = &self.groups[&position];
        let old_keys = group_keys(&old.display_name, old.external_id.as_deref());
        self.release(&old_keys);
        self.claim(&keys, position);
        let slot = self
            .groups
            .get_mut(&position)
            .expect("every group id refers to a group");
        *slot = group;
        slot.updated = now;
        slot.revision += 1;
        Ok(slot)
    }

    /// Removes a group and its memberships; returns whether the group existed.
    pub(crate) fn delete_group(&mut self, id: &str) -> bool {
        let Some(&position) = self.positions.get(id) else {
            return false;
        };
        let Some(group) = self.groups.remove(&position) else {
            return false;
        };
        self.positions.remove(id);
        self.release(&group_keys(
            &group.display_name,
            group.external_id.as_deref(),
        ));
        let users: Vec<u64> = self.members(&group).map(|(user, _)| user).collect();
        for user in users {
            self.remove_membership(position, user);
        }
        true
    }

    /// Adds a user to a group; returns the membership's id and whether the membership is new.
    ///
    /// Returns `None` if the user or the group does not exist.
    pub(crate) fn join(
        &mut self,
        group: &str,
        user: &str,
        now: Timestamp,
    ) -> Option<(String, bool)> {
        let (group_position, user_position) =
            (self.group(group)?.position, self.user(user)?.position);
        let key = (group_position, user_position);
        if let Some(membership) = self.by_group.get(&key) {
            return Some((membership.id.clone(), false));
        }
        let id = format!(
            "{}-{}",
            self.prefix,
            self.ids.uuid("membership", &format!("{group}/{user}"))
        );
        self.by_group.insert(
            key,
            Membership {
                id: id.clone(),
                created: now,
            },
        );
        self.by_user.insert((user_position, group_position));
        self.by_id.insert(id.clone(), key);
        Some((id, true))
    }

    /// Removes a user from a group; returns whether the user was a member.
    pub(crate) fn leave(&mut self, group: &str, user: &str) -> bool {
        match (self.group(group), self.user(user)) {
            (Some(group), Some(user)) => {
                let (group, user) = (group.position, user.position);
                self.remove_membership(group, user)
            }
            _ => false,
        }
    }

    /// Returns the membership of a user in a group.
    pub(crate) fn membership(&self, group: &Group, user: &User) -> Option<&Membership> {
        self.by_group.get(&(group.position, user.position))
    }

    /// Returns the group, the user and the membership for a membership id.
    pub(crate) fn membership_by_id(&self, id: &str) -> Option<(&Group, &User, &Membership)> {
        let key = self.by_id.get(id)?;
        Some((
            &self.groups[&key.0],
            &self.users[&key.1],
            &self.by_group[key],
        ))
    }

    /// Returns the members of a group, with their positions.
    pub(crate) fn members(
        &self,
        group: &Group,
    ) -> impl Iterator<Item = (u64, (&User, &Membership))> {
        self.members_from(group, 0)
    }

    /// Returns the members of a group from a position on.
    pub(crate) fn members_from(
        &self,
        group: &Group,
        first: u64,
    ) -> impl Iterator<Item = (u64, (&User, &Membership))> {
        let group = group.position;
        self.by_group
            .range((group, first)..=(group, u64::MAX))
            .map(|(&(_, user), membership)| (user, (&self.users[&user], membership)))
    }

    /// Returns the groups of a user, with their positions.
    pub(crate) fn groups_of(
        &self,
        user: &User,
    ) -> impl Iterator<Item = (u64, (&Group, &Membership))> {
        self.groups_of_from(user, 0)
    }

    /// Returns the groups of a user from a position on.
    pub(crate) fn groups_of_from(
        &self,
        user: &User,
        first: u64,
    ) -> impl Iterator<Item = (u64, (&Group, &Membership))> {
        let user = user.position;
        self.by_user
            .range((user, first)..=(user, u64::MAX))
            .map(move |&(_, group)| {
                (
                    group,
                    (&self.groups[&group], &self.by_group[&(group, user)]),
                )
            })
    }

    fn remove_membership(&mut self, group: u64, user: u64) -> bool {
        let Some(membership) = self.by_group.remove(&(group, user)) else {
            return false;
        };
        self.by_user.remove(&(user, group));
        self.by_id.remove(&membership.id);
        true
    }

    fn next_position(&mut self) -> u64 {
        self.last_position += 1;
        self.last_position
    }

    fn require_unique(
        &self,
        keys: &[(&'static str, String)],
        owner: Option<u64>,
    ) -> Result<(), Duplicate> {
        for key in keys {
            if let Some(position) = self.unique.get(key)
                && Some(*position) != owner
            {
                return Err(Duplicate(key.0.trim_start_matches("group ")));
            }
        }
        Ok(())
    }

    fn claim(&mut self, keys: &[(&'static str, String)], position: u64) {
        for key in keys {
            self.unique.insert(key.clone(), position);
        }
    }

    fn release(&mut self, keys: &[(&'static str, String)]) {
        for key in keys {
            self.unique.remove(key);
        }
    }
}

/// Returns the value for comparison: SCIM compares user names and addresses case-insensitively.
fn fold(attribute: &str, value: &str) -> String {
    match attribute {
        "userName" | "emails.value" => value.to_lowercase(),
        _ => value.to_owned(),
    }
}

fn group_keys(display_name: &str, external_id: Option<&str>) -> Vec<(&'static str, String)> {
    let mut keys = vec![(group_key("displayName"), display_name.to_owned())];
    if let Some(id) = external_id {
        keys.push((group_key("externalId"), id.to_owned()));
    }
    keys
}

fn group_key(attribute: &'static str) -> &'static str {
    match attribute {
        "displayName" => "group displayName",
        _ => "group externalId",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn draft(name: &str, email: &str) -> Draft {
        let attributes =
            json!({ "userName": name, "emails": [{ "value": email, "primary": true }] });
        Draft {
            attributes: attributes.as_object().expect("an object").clone(),
            external_id: None,
            active: true,
        }
    }

    fn directory() -> (Directory, String, String) {
        let mut directory = Directory::new("9067729b3d");
        let user = directory
            .create_user(draft("ada", "ada@example.com"), Timestamp::UNIX_EPOCH)
            .expect("a user");
        let user = user.id.clone();
        let group = directory
            .create_group("admins", None, None, Timestamp::UNIX_EPOCH)
            .expect("a group");
        let group = group.id.clone();
        (directory, user, group)
    }

    #[test]
    fn ids_begin_with_the_digits_of_the_identity_store() {
        let (_, user, _) = directory();
        assert!(user.starts_with("9067729b3d-"), "{user}");
        assert_eq!(user.len(), 47);
    }

    #[test]
    fn names_and_addresses_are_unique_without_regard_to_case() {
        let (mut directory, ..) = directory();
        let taken = directory.create_user(draft("ADA", "other@example.com"), Timestamp::UNIX_EPOCH);
        assert_eq!(
            taken.map(|user| user.id.clone()),
            Err(Duplicate("userName"))
        );
        let taken = directory.create_user(draft("eve", "Ada@Example.com"), Timestamp::UNIX_EPOCH);
        assert_eq!(
            taken.map(|user| user.id.clone()),
            Err(Duplicate("emails.value"))
        );
    }

    #[test]
    fn deleting_a_user_removes_memberships_and_frees_the_name() {
        let (mut directory, user, group) = directory();
        directory.join(&group, &user, Timestamp::UNIX_EPOCH);
        assert!(directory.delete_user(&user));
        let group = directory.group(&group).expect("the group");
        assert_eq!(directory.members(group).count(), 0);
        let again = directory
            .create_user(draft("ada", "ada@example.com"), Timestamp::UNIX_EPOCH)
            .expect("a user");
        assert_ne!(again.id, user);
    }

    #[test]
    fn adding_a_member_twice_creates_one_membership() {
        let (mut directory, user, group) = directory();
        let (first, new) = directory
            .join(&group, &user, Timestamp::UNIX_EPOCH)
            .expect("the group and the user exist");
        assert!(new);
        assert_eq!(
            directory.join(&group, &user, Timestamp::UNIX_EPOCH),
            Some((first, false))
        );
    }

    #[test]
    fn renaming_a_group_frees_the_old_name() {
        let (mut directory, _, id) = directory();
        let mut group = directory.group(&id).expect("the group").clone();
        group.display_name = "owners".to_owned();
        directory
            .update_group(&id, group, Timestamp::UNIX_EPOCH)
            .expect("an unused name");
        assert!(directory.group_by("displayName", "admins").is_none());
        assert_eq!(
            directory
                .group_by("displayName", "owners")
                .map(|group| &group.id),
            Some(&id)
        );
    }
}
