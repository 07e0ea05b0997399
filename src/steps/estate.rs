//! The users, groups, permission sets and assignments of the instance.
//!
//! They are read once for a plan, the run that applies it and the check after the run. Own writes are recorded, and the check
//! reads again what the run has written.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sso_glue::{
    AccountId, Assignment, Aws, GroupId, IdentityCenter, InstanceArn, PermissionSet,
    PermissionSetArn, PermissionSetContents, Principal,
    estate::{
        AssignmentRef, AssignmentTable, EstateReader, Members, PermissionSetTable, Principals,
        SetInEstate, Strategy,
    },
};
use futures::future;

use super::{app_lists::Cached, lookup};
use crate::{
    access::{AccessQuery, require_all},
    context::Context,
    error::{Error, Result},
    event::{EventKind, ReadPart},
    state::{FinishedSet, KeptReads, LONG_READ},
    sync::identity_store_error,
};

/// The time after a plan, run or check for which its reads are used again: a plan is often read for some minutes before it is
/// applied.
pub(super) const SHARED: Duration = Duration::from_mins(15);

/// The shared reads.
#[derive(Default)]
struct Cache {
    principals: Cached<InstanceArn, Principals>,
    sets: Cached<InstanceArn, PermissionSetTable>,
    assignments: Cached<InstanceArn, AssignmentTable>,
    contents: Mutex<HashMap<PermissionSetArn, Arc<SetInAws>>>,
    /// The assignments that the run has written and not read since.
    written: Mutex<BTreeSet<Assignment>>,
    /// The finished parts of a long read that has not ended.
    kept: Mutex<Option<Arc<KeptReads>>>,
}

/// A permission set as AWS has it.
pub(super) struct SetInAws {
    pub(super) contents: PermissionSetContents,
    /// The accounts that do not have the latest version of the set.
    pub(super) outdated: Vec<AccountId>,
    /// The elapsed time of the clock at the read, or at the start of a process that goes on with the read.
    pub(super) read_at: Duration,
}

/// Forgets the users and groups after a write that changes them.
pub(super) fn principals_changed(cx: &Context) {
    cx.shared_reads::<Cache>().principals.forget();
}

/// The shared reads of the instance that the context knows.
pub(super) struct InstanceReads<'a> {
    center: IdentityCenter,
    instance: InstanceArn,
    cx: &'a Context,
    cache: Arc<Cache>,
}

impl<'a> InstanceReads<'a> {
    /// Returns the reads of the instance, or `None` if it is not known yet.
    pub(super) fn new(aws: &Aws, cx: &'a Context) -> Option<Self> {
        let instance = cx.facts(|facts| Some(facts.instance.as_ref()?.arn.clone()))?;
        Some(Self {
            center: lookup::identity_center(aws, cx)?,
            instance,
            cx,
            cache: cx.shared_reads(),
        })
    }

    pub(super) fn center(&self) -> &IdentityCenter {
        &self.center
    }

    pub(super) fn instance(&self) -> &InstanceArn {
        &self.instance
    }

    /// Returns the users and groups, read at most `max_age` ago.
    pub(super) async fn principals(&self, max_age: Duration) -> Result<Arc<Principals>> {
        let read = async {
            let read = self.center.estate().read_principals().await;
            let principals = read.map_err(identity_store_error)?;
            require_all(principals.unread()).map_err(identity_store_error)?;
            Ok(principals)
        };
        let cache = &self.cache.principals;
        cache
            .get(self.instance.clone(), self.cx, max_age, read)
            .await
    }

    /// Returns whether the users and groups were read before the context was created, such as for the plan.
    pub(super) fn principals_are_of_the_plan(&self) -> bool {
        self.cache.principals.is_older_than(self.cx)
    }

    /// Returns the permission sets, with the properties of those that are `wanted`.
    pub(super) async fn permission_sets(
        &self,
        wanted: impl IntoIterator<Item = &str>,
    ) -> Result<Arc<PermissionSetTable>> {
        let reader = self.center.estate().wanted_sets(wanted);
        let read = async {
            self.forecast(&reader).await;
            let sets = reader
                .read_permission_sets()
                .await
                .map_err(unreadable_sets)?;
            require_all(sets.unread()).map_err(unreadable_sets)?;
            Ok(sets)
        };
        let cache = &self.cache.sets;
        let sets = cache
            .get(self.instance.clone(), self.cx, SHARED, read)
            .await?;
        let names = sets.iter().map(|set| (&set.arn, &*set.name));
        self.cx
            .update_facts(|facts| facts.record_names_of_sets(names));
        Ok(sets)
    }

    /// Emits the number of calls that the permission sets and the assignments of all groups need. If they take long, their parts
    /// are kept.
    async fn forecast(&self, reader: &EstateReader) {
        let principals = self.cache.principals.known(&self.instance, self.cx, SHARED);
        let groups = principals.map_or(0, |principals| principals.groups().len());
        let forecast = reader.forecast(groups);
        self.cx.emit(EventKind::ReadForecast {
            service: "sso-admin".into(),
            calls: forecast.calls,
            duration: forecast.duration,
        });
        if forecast.duration > LONG_READ && self.kept().is_none() {
            let kept = self.cx.kept_reads(&self.instance).await;
            *lock(&self.cache.kept) = kept;
        }
    }

    fn kept(&self) -> Option<Arc<KeptReads>> {
        lock(&self.cache.kept).clone()
    }

    /// Forgets the permission sets after a write that creates or changes them.
    pub(super) fn permission_sets_changed(&self) {
        self.cache.sets.forget();
        lock(&self.cache.contents).clear();
    }

    /// Forgets a permission set after a write that changes its policies.
    pub(super) fn set_changed(&self, name: &str) {
        lock(&self.cache.contents).retain(|_, set| set.contents.set.name != name);
    }

    /// Returns a permission set with its contents. `None` if it was deleted meanwhile.
    pub(super) async fn set(
        &self,
        found: &SetInEstate,
        with_tags: bool,
    ) -> Result<Option<Arc<SetInAws>>> {
        let known = lock(&self.cache.contents).get(&found.arn).cloned();
        let is_usable = |set: &Arc<SetInAws>| {
            self.cx.is_shared(set.read_at, SHARED) && (set.contents.tags.is_some() || !with_tags)
        };
        if let Some(known) = known.filter(is_usable) {
            return Ok(Some(known));
        }
        let Some(details) = &found.details else {
            return self.set_now(&found.arn, with_tags).await;
        };
        let kept = self.kept();
        let earlier = kept.as_ref().and_then(|kept| kept.take_set(&found.arn));
        let earlier = earlier.filter(|set| {
            set.contents.set == *details && (set.contents.tags.is_some() || !with_tags)
        });
        if let Some(set) = earlier {
            return Ok(Some(self.know_set(set)));
        }
        let set = self.read_set(details.clone(), with_tags).await?;
        if let Some(kept) = kept {
            let (contents, outdated) = (set.contents.clone(), set.outdated.clone());
            kept.keep_set(FinishedSet { contents, outdated }).await;
        }
        Ok(Some(set))
    }

    /// Reads a permission set with its contents now.
    pub(super) async fn set_now(
        &self,
        arn: &PermissionSetArn,
        with_tags: bool,
    ) -> Result<Option<Arc<SetInAws>>> {
        let details = self.center.permission_sets().get_opt(arn).await;
        match details.map_err(|error| unreadable_set(arn.as_str(), error))? {
            Some(details) => self.read_set(details, with_tags).await.map(Some),
            None => Ok(None),
        }
    }

    async fn read_set(&self, set: PermissionSet, with_tags: bool) -> Result<Arc<SetInAws>> {
        let name = set.name.clone();
        let sets = self.center.permission_sets();
        let contents = sets.contents(set.clone(), with_tags);
        let contents = async {
            let contents = contents.await;
            contents.map_err(|error| unreadable_set(&name, error))
        };
        // A box, because the future is large.
        let read = future::try_join(contents, outdated_accounts(&self.center, &set));
        let (contents, outdated) = Box::pin(read).await?;
        Ok(self.know_set(FinishedSet { contents, outdated }))
    }

    /// Shares a set that was read.
    fn know_set(&self, set: FinishedSet) -> Arc<SetInAws> {
        let FinishedSet { contents, outdated } = set;
        let set = Arc::new(SetInAws {
            contents,
            outdated,
            read_at: self.cx.clock().elapsed(),
        });
        let arn = set.contents.set.arn.clone();
        lock(&self.cache.contents).insert(arn, Arc::clone(&set));
        set
    }

    /// Returns the contents of a permission set of the instance, or `None` if it was deleted meanwhile.
    pub(super) async fn contents(
        &self,
        found: &SetInEstate,
    ) -> Result<Option<PermissionSetContents>> {
        let set = self.set(found, false).await?;
        Ok(set.map(|set| set.contents.clone()))
    }

    /// Returns the assignments that the query asks for, and all that tells whether the `wanted` ones exist. What the run has
    /// written is read again.
    pub(super) async fn assignments(
        &self,
        principals: &Principals,
        wanted: &[AssignmentRef<'_>],
        query: &AccessQuery,
    ) -> Result<Arc<AssignmentTable>> {
        let sets = self.permission_sets([]).await?;
        let users = wanted.iter().filter_map(|one| match one.principal {
            Principal::User(id) => Some(principals.user(id)?.user_name.clone()),
            Principal::Group(_) => None,
        });
        let progress = self.cx.read_progress(ReadPart::Assignments);
        let reader = self.center.estate().level(query.level);
        let reader = reader.users(users.chain(query.users.iter().cloned()));
        let reader = reader.by_principal(!query.sweep);
        let mut reader = reader.on_progress(move |read| progress(read.done, read.total));
        let kept = self.kept();
        if let Some(kept) = &kept {
            reader = reader.log(kept.clone());
        }
        let read = || async {
            let pairs = wanted.iter().map(|one| (one.permission_set, one.account));
            let pairs: HashSet<_> = pairs.collect();
            let reader = reader.clone().wanted_pairs(pairs.len());
            let read = reader.read_assignments(principals, &sets).await;
            read.map_err(unreadable_assignments)
        };
        let (cache, instance) = (&self.cache.assignments, &self.instance);
        let mut table = cache.get(instance.clone(), self.cx, SHARED, read()).await?;
        let is_asked = |name: &String| {
            let user = principals.user_by_name(name);
            user.is_none_or(|user| table.was_read(&Principal::User(user.id.clone())))
        };
        let lacks_sweep = query.sweep && table.coverage().strategy == Strategy::ByPrincipal;
        if lacks_sweep || table.coverage().level < query.level || !query.users.iter().all(is_asked)
        {
            table = Arc::new(read().await?);
            cache.set(instance.clone(), self.cx, Arc::clone(&table));
        }
        if let Some(kept) = kept {
            kept.clear().await;
            *lock(&self.cache.kept) = None;
        }
        let mut again = std::mem::take(&mut *self.unread());
        let unknown = wanted.iter().filter(|one| table.contains(**one).is_none());
        again.extend(unknown.map(|one| one.to_assignment()));
        let lacks_pairs = query.provisioned && table.provisioned().is_none();
        if again.is_empty() && !lacks_pairs {
            return Ok(table);
        }
        let again: Vec<Assignment> = again.into_iter().collect();
        let mut table = AssignmentTable::clone(&table);
        if !again.is_empty()
            && let Err(error) = reader.refresh(&mut table, &again).await
        {
            self.unread().extend(again);
            return Err(unreadable_assignments(error));
        }
        if lacks_pairs {
            let read = reader.read_provisioned(&mut table, &sets).await;
            read.map_err(unreadable_assignments)?;
        }
        let table = Arc::new(table);
        cache.set(instance.clone(), self.cx, Arc::clone(&table));
        Ok(table)
    }

    /// Returns the members of the groups that have an assignment.
    pub(super) async fn members(&self, assignments: &AssignmentTable) -> Result<Members> {
        let groups: BTreeSet<GroupId> = assignments
            .iter()
            .filter_map(|row| match row.principal {
                Principal::Group(id) => Some(id.clone()),
                Principal::User(_) => None,
            })
            .collect();
        let read = self.center.estate().read_members(groups).await;
        read.map_err(identity_store_error)
    }

    /// Records an assignment that the run has created or removed. The next look reads it from AWS.
    pub(super) fn written(&self, assignment: &Assignment) {
        self.unread().insert(assignment.clone());
    }

    fn unread(&self) -> MutexGuard<'_, BTreeSet<Assignment>> {
        lock(&self.cache.written)
    }
}

/// Returns the accounts that do not have the latest version of a permission set.
pub(super) async fn outdated_accounts(
    center: &IdentityCenter,
    set: &PermissionSet,
) -> Result<Vec<AccountId>> {
    let accounts = center.permission_sets().outdated_accounts(&set.arn);
    accounts.try_collect().await.map_err(|error| {
        let summary = format!(
            "the accounts with an outdated permission set {} could not be listed",
            set.name
        );
        Error::service(summary, error)
    })
}

fn unreadable_set(name: &str, error: aws_sso_glue::Error) -> Error {
    Error::service(format!("permission set {name} could not be read"), error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreadable_sets(error: aws_sso_glue::Error) -> Error {
    Error::service("the permission sets could not be listed", error)
}

fn unreadable_assignments(error: aws_sso_glue::Error) -> Error {
    Error::service("the assignments could not be read from AWS", error)
}
