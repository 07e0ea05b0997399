//! Changes of the identity store by hand, past the API and past SCIM.

use jiff::Timestamp;

use crate::{Person, Sandbox, aws::Directory};

impl Sandbox {
    /// Adds a user to the identity store by hand, and returns the user's id. The login is the user name.
    ///
    /// [`Company::estate`](crate::Company::estate) adds users and groups before the start.
    ///
    /// # Panics
    ///
    /// Panics if Identity Center is not enabled, or if a user has the name or the address.
    #[must_use = "the API identifies the user by this id"]
    pub fn add_identity_user(&self, person: &Person) -> String {
        self.change_directory(|directory, now| directory.add_person(person, now))
    }

    /// Adds a group to the identity store by hand, whose members are the users with these names, and returns its id.
    ///
    /// # Panics
    ///
    /// Panics if Identity Center is not enabled, if a group has the name, or if a member does not exist.
    #[must_use = "the API identifies the group by this id"]
    pub fn add_identity_group(&self, name: &str, members: &[&str]) -> String {
        self.change_directory(|directory, now| {
            directory.add_group(name, members.iter().copied(), now)
        })
    }

    /// Adds a user to a group of the identity store by hand, or removes the user from it.
    ///
    /// # Panics
    ///
    /// Panics if the group or the user does not exist.
    pub fn set_identity_member(&self, group: &str, user_name: &str, member: bool) {
        self.change_directory(|directory, now| {
            let group = group_id(directory, group)?;
            let user = user_id(directory, user_name)?;
            if member {
                directory.join(&group, &user, now);
            } else {
                directory.leave(&group, &user);
            }
            Ok(())
        });
    }

    /// Deletes a user of the identity store by hand, with the user's memberships. The user's account assignments stay.
    ///
    /// # Panics
    ///
    /// Panics if no user has this name.
    pub fn delete_identity_user(&self, user_name: &str) {
        self.change_directory(|directory, _| {
            let id = user_id(directory, user_name)?;
            directory.delete_user(&id);
            Ok(())
        });
    }

    /// Deletes a group of the identity store by hand, with its memberships. The group's account assignments stay.
    ///
    /// # Panics
    ///
    /// Panics if no group has this name.
    pub fn delete_identity_group(&self, name: &str) {
        self.change_directory(|directory, _| {
            let id = group_id(directory, name)?;
            directory.delete_group(&id);
            Ok(())
        });
    }

    fn change_directory<T>(
        &self,
        change: impl FnOnce(&mut Directory, Timestamp) -> Result<T, String>,
    ) -> T {
        let changed = self.change(|state, now| {
            let directory = state.cloud.directory_mut();
            change(directory.ok_or("IAM Identity Center is not enabled")?, now)
        });
        changed.unwrap_or_else(|problem| panic!("{problem}"))
    }
}

fn user_id(directory: &Directory, name: &str) -> Result<String, String> {
    let user = directory.user_by("userName", name);
    let user = user.ok_or_else(|| format!("the identity store has no user {name}"))?;
    Ok(user.id.clone())
}

fn group_id(directory: &Directory, name: &str) -> Result<String, String> {
    let group = directory.group_by("displayName", name);
    let group = group.ok_or_else(|| format!("the identity store has no group {name}"))?;
    Ok(group.id.clone())
}
