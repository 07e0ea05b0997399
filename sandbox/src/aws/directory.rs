//! The identity store: users, groups and memberships, shared by its API, by SCIM and by sign-in.

mod user;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::ids::Ids;

pub(crate) use user::{Draft, User};

/// A group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its place among the groups.
    pub(crate) place: u64,
    /// Its id.
    pub(crate) id: String,
    /// The name, which is unique.
    pub(crate) display_name: String,
    /// What it is for; only the Identity Store API can set it.
    pub(crate) description: Option<String>,
    /// The id that the identity provider gave it through SCIM.
    pub(crate) external_id: Option<String>,
    /// When it was created.
    pub(crate) created: Timestamp,
    /// When it was changed last.
    pub(crate) updated: Timestamp,
    /// How often it was changed.
    pub(crate) revision: u64,
}

/// That a user is in a group.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    /// Its id.
    pub(crate) id: String,
    /// Since when.
    pub(crate) created: Timestamp,
}

/// Another user or group has this name, address or external id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken(
    /// What is taken, as the attribute is called in SCIM.
    pub(crate) &'static str,
);

/// The users, groups and memberships of one Identity Center.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// The ten digits of the id of the identity store, which ids of users and groups begin with.
    prefix: String,
    ids: Ids,
    last_place: u64,
    users: BTreeMap<u64, User>,
    groups: BTreeMap<u64, Group>,
    places: HashMap<String, u64>,
    unique: HashMap<(&'static str, String), u64>,
    by_group: BTreeMap<(u64, u64), Membership>,
    by_user: BTreeSet<(u64, u64)>,
    by_id: HashMap<String, (u64, u64)>,
}

impl Directory {
    /// An empty directory whose ids begin with the digits of its identity store.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..Self::default()
        }
    }

    /// All users, oldest first, with their places.
    pub(crate) fn users(&self) -> impl Iterator<Item = (u64, &User)> {
        self.users.iter().map(|(place, user)| (*place, user))
    }

    /// All groups, oldest first, with their places.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (u64, &Group)> {
        self.groups.iter().map(|(place, group)| (*place, group))
    }

    /// The user with an id.
    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.get(self.places.get(id)?)
    }

    /// The group with an id.
    pub(crate) fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(self.places.get(id)?)
    }

    /// The user of a name, of an address (`emails.value`) or of an external id.
    pub(crate) fn user_by(&self, attribute: &'static str, value: &str) -> Option<&User> {
        self.users
            .get(self.unique.get(&(attribute, fold(attribute, value)))?)
    }

    /// The group of a name or of an external id.
    pub(crate) fn group_by(&self, attribute: &'static str, value: &str) -> Option<&Group> {
        self.groups
            .get(self.unique.get(&(group_key(attribute), value.to_owned()))?)
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`Taken`] if the name, the address or the external id belongs to another user.
    pub(crate) fn create_user(&mut self, draft: Draft, now: Timestamp) -> Result<&User, Taken> {
        self.free(&draft.keys(), None)?;
        let id = format!(
            "{}-{}",
            self.prefix,
            self.ids.uuid("user", draft.user_name())
        );
        let place = self.next_place();
        self.claim(&draft.keys(), place);
        self.places.insert(id.clone(), place);
        Ok(self
            .users
            .entry(place)
            .or_insert(User::new(place, id, draft, now)))
    }

    /// Replaces what is known about a user.
    ///
    /// # Errors
    ///
    /// [`Taken`] if the name, the address or the external id belongs to another user.
    ///
    /// # Panics
    ///
    /// If there is no such user.
    pub(crate) fn update_user(
        &mut self,
        id: &str,
        draft: Draft,
        now: Timestamp,
    ) -> Result<&User, Taken> {
        let place = self.places[id];
        self.free(&draft.keys(), Some(place))?;
        let old = self.users[&place].draft().keys();
        self.release(&old);
        self.claim(&draft.keys(), place);
        let user = self.users.get_mut(&place).expect("every place is taken");
        user.replace(draft, now);
        Ok(user)
    }

    /// Removes a user and the memberships; returns whether there was one.
    pub(crate) fn delete_user(&mut self, id: &str) -> bool {
        let Some(&place) = self.places.get(id) else {
            return false;
        };
        let Some(user) = self.users.remove(&place) else {
            return false;
        };
        self.places.remove(id);
        self.release(&user.draft().keys());
        let groups: Vec<u64> = self.range_of_user(place).collect();
        for group in groups {
            self.forget(group, place);
        }
        true
    }

    /// Adds a group without members.
    ///
    /// # Errors
    ///
    /// [`Taken`] if the name or the external id belongs to another group.
    pub(crate) fn create_group(
        &mut self,
        display_name: &str,
        description: Option<String>,
        external_id: Option<String>,
        now: Timestamp,
    ) -> Result<&Group, Taken> {
        let keys = group_keys(display_name, external_id.as_deref());
        self.free(&keys, None)?;
        let id = format!("{}-{}", self.prefix, self.ids.uuid("group", display_name));
        let place = self.next_place();
        self.claim(&keys, place);
        self.places.insert(id.clone(), place);
        Ok(self.groups.entry(place).or_insert(Group {
            place,
            id,
            display_name: display_name.to_owned(),
            description,
            external_id,
            created: now,
            updated: now,
            revision: 1,
        }))
    }

    /// Replaces what is known about a group, except its members.
    ///
    /// # Errors
    ///
    /// [`Taken`] if the name or the external id belongs to another group.
    ///
    /// # Panics
    ///
    /// If there is no such group.
    pub(crate) fn update_group(
        &mut self,
        id: &str,
        group: Group,
        now: Timestamp,
    ) -> Result<&Group, Taken> {
        let place = self.places[id];
        let keys = group_keys(&group.display_name, group.external_id.as_deref());
        self.free(&keys, Some(place))?;
        let old = &self.groups[&place];
        let old_keys = group_keys(&old.display_name, old.external_id.as_deref());
        self.release(&old_keys);
        self.claim(&keys, place);
        let slot = self.groups.get_mut(&place).expect("every place is taken");
        *slot = group;
        slot.updated = now;
        slot.revision += 1;
        Ok(slot)
    }

    /// Removes a group and its memberships; returns whether there was one.
    pub(crate) fn delete_group(&mut self, id: &str) -> bool {
        let Some(&place) = self.places.get(id) else {
            return false;
        };
        let Some(group) = self.groups.remove(&place) else {
            return false;
        };
        self.places.remove(id);
        self.release(&group_keys(
            &group.display_name,
            group.external_id.as_deref(),
        ));
        let users: Vec<u64> = self.range_of_group(place).map(|(user, _)| user).collect();
        for user in users {
            self.forget(place, user);
        }
        true
    }

    /// Puts a user into a group; returns the id of the membership and whether it is new.
    ///
    /// `None` if one of the two does not exist.
    pub(crate) fn join(
        &mut self,
        group: &str,
        user: &str,
        now: Timestamp,
    ) -> Option<(String, bool)> {
        let (group_place, user_place) = (self.group(group)?.place, self.user(user)?.place);
        let key = (group_place, user_place);
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
        self.by_user.insert((user_place, group_place));
        self.by_id.insert(id.clone(), key);
        Some((id, true))
    }

    /// Takes a user out of a group; returns whether the user was in it.
    pub(crate) fn leave(&mut self, group: &str, user: &str) -> bool {
        match (self.group(group), self.user(user)) {
            (Some(group), Some(user)) => {
                let (group, user) = (group.place, user.place);
                self.forget(group, user)
            }
            _ => false,
        }
    }

    /// The membership of a user in a group.
    pub(crate) fn membership(&self, group: &Group, user: &User) -> Option<&Membership> {
        self.by_group.get(&(group.place, user.place))
    }

    /// The group, user and membership behind the id of a membership.
    pub(crate) fn membership_by_id(&self, id: &str) -> Option<(&Group, &User, &Membership)> {
        let key = self.by_id.get(id)?;
        Some((
            &self.groups[&key.0],
            &self.users[&key.1],
            &self.by_group[key],
        ))
    }

    /// The members of a group, with their places.
    pub(crate) fn members(
        &self,
        group: &Group,
    ) -> impl Iterator<Item = (u64, (&User, &Membership))> {
        self.range_of_group(group.place)
            .map(|(user, membership)| (user, (&self.users[&user], membership)))
    }

    /// The groups of a user, with their places.
    pub(crate) fn groups_of(
        &self,
        user: &User,
    ) -> impl Iterator<Item = (u64, (&Group, &Membership))> {
        let user = user.place;
        self.range_of_user(user).map(move |group| {
            (
                group,
                (&self.groups[&group], &self.by_group[&(group, user)]),
            )
        })
    }

    fn range_of_group(&self, group: u64) -> impl Iterator<Item = (u64, &Membership)> {
        self.by_group
            .range((group, 0)..=(group, u64::MAX))
            .map(|((_, user), membership)| (*user, membership))
    }

    fn range_of_user(&self, user: u64) -> impl Iterator<Item = u64> {
        self.by_user
            .range((user, 0)..=(user, u64::MAX))
            .map(|(_, group)| *group)
    }

    fn forget(&mut self, group: u64, user: u64) -> bool {
        let Some(membership) = self.by_group.remove(&(group, user)) else {
            return false;
        };
        self.by_user.remove(&(user, group));
        self.by_id.remove(&membership.id);
        true
    }

    fn next_place(&mut self) -> u64 {
        self.last_place += 1;
        self.last_place
    }

    fn free(&self, keys: &[(&'static str, String)], owner: Option<u64>) -> Result<(), Taken> {
        for key in keys {
            if let Some(place) = self.unique.get(key)
                && Some(*place) != owner
            {
                return Err(Taken(key.0.trim_start_matches("group ")));
            }
        }
        Ok(())
    }

    fn claim(&mut self, keys: &[(&'static str, String)], place: u64) {
        for key in keys {
            self.unique.insert(key.clone(), place);
        }
    }

    fn release(&mut self, keys: &[(&'static str, String)]) {
        for key in keys {
            self.unique.remove(key);
        }
    }
}

/// Names and addresses of users are compared without regard to case, as SCIM prescribes for both.
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
    fn names_and_addresses_are_unique_whatever_their_case() {
        let (mut directory, ..) = directory();
        let taken = directory.create_user(draft("ADA", "other@example.com"), Timestamp::UNIX_EPOCH);
        assert_eq!(taken.map(|user| user.id.clone()), Err(Taken("userName")));
        let taken = directory.create_user(draft("eve", "Ada@Example.com"), Timestamp::UNIX_EPOCH);
        assert_eq!(
            taken.map(|user| user.id.clone()),
            Err(Taken("emails.value"))
        );
    }

    #[test]
    fn a_deleted_user_leaves_its_groups_and_its_name() {
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
    fn joining_twice_is_one_membership() {
        let (mut directory, user, group) = directory();
        let (first, new) = directory
            .join(&group, &user, Timestamp::UNIX_EPOCH)
            .expect("both exist");
        assert!(new);
        assert_eq!(
            directory.join(&group, &user, Timestamp::UNIX_EPOCH),
            Some((first, false))
        );
    }

    #[test]
    fn a_renamed_group_gives_its_old_name_free() {
        let (mut directory, _, id) = directory();
        let mut group = directory.group(&id).expect("the group").clone();
        group.display_name = "owners".to_owned();
        directory
            .update_group(&id, group, Timestamp::UNIX_EPOCH)
            .expect("a free name");
        assert!(directory.group_by("displayName", "admins").is_none());
        assert_eq!(
            directory
                .group_by("displayName", "owners")
                .map(|group| &group.id),
            Some(&id)
        );
    }
}
