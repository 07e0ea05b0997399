//! The users, groups, permission sets and assignments of the instance.
//!
//! They are read once for a plan, the run that applies it and the check after the run. Own writes are recorded, and the check
//! reads again what the run has written.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sso_glue::{
    Assignment, Aws, IdentityCenter, InstanceArn, Principal,
    estate::{AssignmentTable, PermissionSetTable, Principals},
};

use super::{app_lists::Cached, lookup};
use crate::{
    context::Context,
    error::{Error, Result},
    sync::identity_store_error,
};

/// The maximum age of what a run uses again: a plan is often read for some minutes before it is applied.
pub(super) const SHARED: Duration = Duration::from_mins(15);

/// The shared reads.
#[derive(Default)]
struct Cache {
    principals: Cached<InstanceArn, Principals>,
    sets: Cached<InstanceArn, PermissionSetTable>,
    assignments: Cached<InstanceArn, AssignmentTable>,
    /// The assignments that the run has written and not read since.
    written: Mutex<BTreeSet<Assignment>>,
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
            match principals.unread() {
                [] => Ok(principals),
                [first, ..] => {
                    let error = aws_sso_glue::ListError::Item(first.clone());
                    Err(identity_store_error(error.into()))
                }
            }
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
            let sets = reader
                .read_permission_sets()
                .await
                .map_err(unreadable_sets)?;
            match sets.unread() {
                [] => Ok(sets),
                [first, ..] => {
                    let error = aws_sso_glue::ListError::Item(first.clone());
                    Err(unreadable_sets(error.into()))
                }
            }
        };
        let cache = &self.cache.sets;
        cache
            .get(self.instance.clone(), self.cx, SHARED, read)
            .await
    }

    /// Forgets the permission sets after a write that changes them.
    pub(super) fn permission_sets_changed(&self) {
        self.cache.sets.forget();
    }

    /// Returns the assignments of all groups, and all that tells whether the `wanted` ones exist. What the run has written is
    /// read again.
    pub(super) async fn assignments(
        &self,
        principals: &Principals,
        wanted: &[Assignment],
    ) -> Result<Arc<AssignmentTable>> {
        let sets = self.permission_sets([]).await?;
        let users = wanted.iter().filter_map(|one| match &one.principal {
            Principal::User(id) => Some(principals.user(id)?.user_name.clone()),
            Principal::Group(_) => None,
        });
        let pairs = wanted.iter();
        let pairs: BTreeSet<_> = pairs
            .map(|one| (&one.permission_set, &one.account))
            .collect();
        let reader = self.center.estate().users(users).wanted_pairs(pairs.len());
        let read = async {
            let read = reader.read_assignments(principals, &sets).await;
            read.map_err(unreadable_assignments)
        };
        let cache = &self.cache.assignments;
        let table = cache
            .get(self.instance.clone(), self.cx, SHARED, read)
            .await?;
        let mut again = std::mem::take(&mut *self.unread());
        let unknown = wanted.iter().filter(|one| table.contains(one).is_none());
        again.extend(unknown.cloned());
        if again.is_empty() {
            return Ok(table);
        }
        let again: Vec<Assignment> = again.into_iter().collect();
        let mut table = AssignmentTable::clone(&table);
        if let Err(error) = reader.refresh(&mut table, &again).await {
            self.unread().extend(again);
            return Err(unreadable_assignments(error));
        }
        let table = Arc::new(table);
        cache.set(self.instance.clone(), self.cx, Arc::clone(&table));
        Ok(table)
    }

    /// Records an assignment that the run has created or removed. The next look reads it from AWS.
    pub(super) fn written(&self, assignment: &Assignment) {
        self.unread().insert(assignment.clone());
    }

    fn unread(&self) -> MutexGuard<'_, BTreeSet<Assignment>> {
        self.cache
            .written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreadable_sets(error: aws_sso_glue::Error) -> Error {
    Error::service("the permission sets could not be listed", error)
}

fn unreadable_assignments(error: aws_sso_glue::Error) -> Error {
    Error::service("the assignments could not be read from AWS", error)
}
