//! The lists of the Okta app that several steps share: its users, its groups and its pushed groups.
//!
//! They count against Okta's scarcest rate limit. A list is therefore read once per context, and again only after an own
//! write or while a step waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use okta_client::{App, Client as Okta, Error as OktaError, Group, Id, PushMapping};

use super::estate::SHARED;
use crate::{
    aws_user_name::{AppAssignments, NameTemplate},
    context::Context,
    error::{Error, Result},
};

/// The maximum age of a list that is read now.
pub(super) const NOW: Duration = Duration::ZERO;
/// The maximum age of a list that serves the whole run.
pub(super) const RUN: Duration = Duration::MAX;
/// The maximum age of a list that a step shows while it waits for AWS.
pub(super) const WHILE_WAITING: Duration = Duration::from_mins(1);

/// The push mappings of the app by their group in Okta.
pub(super) type Pushes = BTreeMap<Id<Group>, PushMapping>;

/// The cached lists of one context.
#[derive(Default)]
struct Cache {
    template: Cached<Id<App>, NameTemplate>,
    users: Cached<Id<App>, AppAssignments>,
    groups: Cached<Id<App>, BTreeSet<Id<Group>>>,
    pushes: Cached<Id<App>, Pushes>,
}

/// A value that was read, with its key and the elapsed time of the clock at the read.
pub(super) struct Cached<K, T>(Mutex<Option<(K, Duration, Arc<T>)>>);

impl<K, T> Default for Cached<K, T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq, T> Cached<K, T> {
    /// Returns the value of this key if it is younger than `max_age`, and otherwise reads it.
    pub(super) async fn get(
        &self,
        key: K,
        cx: &Context,
        max_age: Duration,
        read: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let now = cx.clock().elapsed();
        if let Some(value) = self.known(&key, cx, max_age) {
            return Ok(value);
        }
        let value = Arc::new(read.await?);
        *self.lock() = Some((key, now, Arc::clone(&value)));
        Ok(value)
    }

    /// Returns the value of this key if it was read and is younger than `max_age`.
    pub(super) fn known(&self, key: &K, cx: &Context, max_age: Duration) -> Option<Arc<T>> {
        let now = cx.clock().elapsed();
        let read = self.lock();
        let (cached, at, value) = read.as_ref()?;
        let is_young = match max_age {
            SHARED => cx.is_shared(*at, SHARED),
            _ => now.saturating_sub(*at) < max_age,
        };
        (cached == key && is_young).then(|| Arc::clone(value))
    }

    /// Returns whether the value was read before the context was created.
    pub(super) fn is_older_than(&self, cx: &Context) -> bool {
        let now = cx.clock().elapsed();
        let read = self.lock();
        read.as_ref()
            .is_some_and(|(_, at, _)| now.saturating_sub(*at) > cx.age())
    }

    /// Sets the value that was read now.
    pub(super) fn set(&self, key: K, cx: &Context, value: Arc<T>) {
        *self.lock() = Some((key, cx.clock().elapsed(), value));
    }

    /// Forgets the value after a write that changes it.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(K, Duration, Arc<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: PartialEq, T: Clone> Cached<K, T> {
    /// Records an own write in the value, if it was read.
    fn update(&self, update: impl FnOnce(&mut T)) {
        if let Some((_, _, value)) = &mut *self.lock() {
            update(Arc::make_mut(value));
        }
    }
}

/// The lists of the app that the context knows. Without an app, they are empty.
pub(super) struct AppLists<'a> {
    okta: &'a Okta,
    cx: &'a Context,
    app: Option<Id<App>>,
    cache: Arc<Cache>,
}

impl<'a> AppLists<'a> {
    pub(super) fn new(okta: &'a Okta, cx: &'a Context) -> Self {
        Self {
            okta,
            cx,
            app: cx.facts(|facts| facts.app.clone()),
            cache: cx.run_memory::<Cache>(),
        }
    }

    /// Returns the users of the app.
    pub(super) async fn users(&self, max_age: Duration) -> Result<Arc<AppAssignments>> {
        let Some(app) = &self.app else {
            return Ok(Arc::default());
        };
        let read = async {
            let template = NameTemplate::read(self.okta, app);
            let template = self.cache.template.get(app.clone(), self.cx, RUN, template);
            AppAssignments::read(self.okta, app, (*template.await?).clone()).await
        };
        let users = &self.cache.users;
        users.get(app.clone(), self.cx, max_age, read).await
    }

    /// Returns the groups that are assigned to the app.
    pub(super) async fn groups(&self, max_age: Duration) -> Result<Arc<BTreeSet<Id<Group>>>> {
        let Some(app) = &self.app else {
            return Ok(Arc::default());
        };
        let read = async {
            let groups = self.okta.apps().groups(app).try_collect().await;
            let groups = groups.map_err(unreadable("assigned groups", app))?;
            Ok(groups.into_iter().map(|group| group.id).collect())
        };
        let groups = &self.cache.groups;
        groups.get(app.clone(), self.cx, max_age, read).await
    }

    /// Returns the groups that the app pushes.
    pub(super) async fn pushes(&self, max_age: Duration) -> Result<Arc<Pushes>> {
        let Some(app) = &self.app else {
            return Ok(Arc::default());
        };
        let read = async {
            let pushes = self.okta.push_mappings(app).list().try_collect().await;
            let pushes = pushes.map_err(unreadable("pushed groups", app))?;
            let by_group = pushes.into_iter();
            Ok(by_group
                .map(|push| (push.source_group.clone(), push))
                .collect())
        };
        let pushes = &self.cache.pushes;
        pushes.get(app.clone(), self.cx, max_age, read).await
    }

    /// Records the template of an app that was read for another reason.
    pub(super) fn app_read(&self, app: &App) {
        let template = Arc::new(NameTemplate::of(app));
        self.cache.template.set(app.id().clone(), self.cx, template);
    }

    /// Records that a user was assigned to the app, or unassigned.
    pub(super) fn users_changed(&self) {
        self.cache.users.forget();
    }

    /// Records that a group was assigned to the app. Okta then assigns its members.
    pub(super) fn group_assigned(&self, group: &Id<Group>) {
        self.cache.users.forget();
        let insert = |groups: &mut BTreeSet<_>| _ = groups.insert(group.clone());
        self.cache.groups.update(insert);
    }

    /// Records that a group was unassigned from the app. Okta then unassigns its members.
    pub(super) fn groups_changed(&self) {
        self.cache.users.forget();
        self.cache.groups.forget();
    }

    /// Records that a push mapping was deleted.
    pub(super) fn push_deleted(&self) {
        self.cache.pushes.forget();
    }

    /// Records the new state of a push mapping.
    pub(super) fn push_changed(&self, push: PushMapping) {
        let insert = |all: &mut Pushes| _ = all.insert(push.source_group.clone(), push);
        self.cache.pushes.update(insert);
    }
}

fn unreadable(what: &str, app: &Id<App>) -> impl FnOnce(OktaError) -> Error {
    let what = format!("the {what} of app {app} could not be read from Okta");
    move |error| Error::service(what, error)
}
