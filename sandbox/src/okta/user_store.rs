//! The users of the org, found by id, login and short login.

use std::collections::{BTreeMap, btree_map};

use jiff::{SignedDuration, Timestamp};

use super::{paging::After, search_index::SearchIndex, users::User};

/// All users. Each change keeps the index of the logins and the outdated versions for `search`.
#[derive(Debug)]
pub(crate) struct Users {
    by_id: BTreeMap<String, User>,
    /// The id of the user with this login in lower case.
    by_login: BTreeMap<String, String>,
    search: SearchIndex<User>,
}

impl Users {
    pub(super) fn new(search_delay: SignedDuration) -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_login: BTreeMap::new(),
            search: SearchIndex::new(search_delay),
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&User> {
        self.by_id.get(id)
    }

    pub(crate) fn values(&self) -> btree_map::Values<'_, String, User> {
        self.by_id.values()
    }

    pub(super) fn range(&self, ids: After<'_>) -> btree_map::Range<'_, String, User> {
        self.by_id.range::<str, _>(ids)
    }

    /// Returns the user with this login, in any case.
    pub(crate) fn by_login(&self, login: &str) -> Option<&User> {
        self.by_id.get(self.by_login.get(&login.to_lowercase())?)
    }

    /// Returns the user whose login begins with `short_login` and an `@`, if there is exactly one.
    pub(super) fn by_short_login(&self, short_login: &str) -> Option<&User> {
        let prefix = format!("{}@", short_login.to_lowercase());
        let mut logins = self.by_login.range(prefix.clone()..);
        let (login, id) = logins.next()?;
        let is_other = |(login, _): (&String, &String)| login.starts_with(&prefix);
        let found = login.starts_with(&prefix) && !logins.next().is_some_and(is_other);
        found.then(|| self.by_id.get(id))?
    }

    /// Adds a user, without an entry in the outdated versions if the user is part of the first state.
    pub(super) fn insert(&mut self, user: User, now: Option<Timestamp>) {
        if let Some(now) = now {
            self.search.record(&user.id, None, now);
        }
        self.by_login
            .insert(user.login().to_lowercase(), user.id.clone());
        self.by_id.insert(user.id.clone(), user);
    }

    /// Changes a user.
    pub(super) fn edit<T>(
        &mut self,
        id: &str,
        now: Timestamp,
        change: impl FnOnce(&mut User) -> T,
    ) -> Option<T> {
        let user = self.by_id.get_mut(id)?;
        self.search.record(id, Some(user), now);
        let login = user.login().to_lowercase();
        let result = change(user);
        let new = user.login().to_lowercase();
        if new != login {
            self.by_login.remove(&login);
            self.by_login.insert(new, id.to_owned());
        }
        Some(result)
    }

    pub(super) fn remove(&mut self, id: &str, now: Timestamp) {
        if let Some(user) = self.by_id.remove(id) {
            self.search.record(id, Some(&user), now);
            self.by_login.remove(&user.login().to_lowercase());
        }
    }

    /// Returns the users as `search` finds them at `now`; `None` if they are the current users.
    pub(super) fn outdated_view(&self, now: Timestamp) -> Option<BTreeMap<&str, &User>> {
        (!self.search.is_current(now)).then(|| self.search.view(&self.by_id, now))
    }
}
