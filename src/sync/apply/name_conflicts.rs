//! Resolves name conflicts between the changes of a run.
//!
//! A name belongs to only one user or group at a time; in AWS the same holds for email addresses. A change conflicts if
//! another resource still holds a name that the change claims. If the holder has a pending change that releases the name,
//! the holder is written first. If pending changes form a cycle, such as two users that swap names, one resource gets a
//! temporary name.

mod changes;

use std::collections::{HashMap, HashSet};

use futures::future::BoxFuture;
use scim_client::Error as ScimError;
use scim_types::{ExternalId, PatchOp, PatchOperation, User};

use changes::unique_names;

use super::{GroupChange, ResourceId, Run, UserChange, retry_undecodable, run_all, target};
use crate::sync::{UserProfile, plan::Counts};

/// A change of one user or one group.
pub(super) trait Change: Sync {
    /// Writes the change to the target.
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>>;

    /// Describes the change for messages, such as `create user ada@example.com`.
    fn description(&self) -> String;

    /// Counts the change as applied.
    fn count(&self, done: &mut Counts);

    /// Returns the unique names that the resource has after the change.
    fn desired_names(&self) -> Vec<String>;

    /// Returns whether the change may release names. Only removals are asked.
    fn releases_names(&self) -> bool {
        false
    }

    /// Records that this removal is applied early: before the other removals, to release names.
    fn mark_applied_early(&self, _: &Run<'_>) {}

    /// Reads the current names of the resource, if the change updates an existing one.
    fn existing<'r>(
        &'r self,
        run: &'r Run<'_>,
    ) -> BoxFuture<'r, Result<Option<ExistingResource>, ScimError>>;
}

/// A change that the target rejected because another resource has one of its names.
pub(super) struct ConflictingChange<'c, C> {
    pub(super) change: &'c C,
    pub(super) error: ScimError,
}

/// An existing user or group of the target, with its current and its desired names.
pub(super) enum ExistingResource {
    User {
        id: ResourceId,
        external_id: ExternalId,
        user: Box<User>,
        desired: Box<UserProfile>,
    },
    Group {
        id: ResourceId,
        name: String,
        desired_name: String,
    },
}

impl ExistingResource {
    fn current_names(&self) -> Vec<String> {
        match self {
            Self::User { user, .. } => unique_names(&UserProfile::of(user)),
            Self::Group { name, .. } => vec![name.to_lowercase()],
        }
    }
}

/// A conflicting change that waits for another attempt.
struct PendingChange<'c, C> {
    change: &'c C,
    /// The error of the last attempt.
    error: ScimError,
    /// The resource before the change, if it exists and could be read.
    existing: Option<ExistingResource>,
    desired_names: Vec<String>,
    /// Whether the change cannot succeed: the retry or the temporary rename failed although no other pending change
    /// held the names, so an unrelated resource holds one of them.
    stuck: bool,
    has_temporary_name: bool,
}

impl Run<'_> {
    /// Retries each change as soon as no other pending change holds its names.
    ///
    /// If pending changes form a cycle, one resource gets a temporary name. If the change of this resource still fails,
    /// its old names are restored.
    pub(super) async fn resolve_conflicts<C: Change>(
        &self,
        conflicting: Vec<ConflictingChange<'_, C>>,
    ) {
        let mut pending: Vec<PendingChange<'_, C>> = conflicting
            .into_iter()
            .map(|ConflictingChange { change, error }| PendingChange {
                desired_names: change.desired_names(),
                change,
                error,
                existing: None,
                stuck: false,
                has_temporary_name: false,
            })
            .collect();
        self.read_existing(&mut pending).await;
        while !pending.is_empty() {
            let ready = ready_changes(&pending);
            if !ready.is_empty() {
                self.retry_changes(&mut pending, &ready).await;
                continue;
            }
            let Some((index, held_names)) = find_cycle(&pending) else {
                break;
            };
            let first = &mut pending[index];
            if let Some(existing) = &first.existing {
                match self.rename(existing, Some(&held_names)).await {
                    Ok(()) => first.has_temporary_name = true,
                    Err(error) => {
                        first.error = error;
                        first.stuck = true;
                    }
                }
            }
        }
        // A last attempt for all: a resource whose names could not be read may have released a name in the meantime.
        let all: Vec<usize> = (0..pending.len()).collect();
        self.retry_changes(&mut pending, &all).await;
        for failed in pending {
            self.record_result(Err(failed.error), failed.change);
            if let Some(existing) = failed.existing.filter(|_| failed.has_temporary_name)
                && let Err(error) = self.rename(&existing, None).await
            {
                self.record_result(Err(error), failed.change);
            }
        }
    }

    /// Reads the current names of the pending resources. The search for cycles ignores a resource that cannot be read.
    async fn read_existing<C: Change>(&self, pending: &mut [PendingChange<'_, C>]) {
        let mut work: Vec<BoxFuture<'_, Option<(usize, ExistingResource)>>> = Vec::new();
        for (index, waiting) in pending.iter().enumerate() {
            let change = waiting.change;
            work.push(Box::pin(async move {
                Some((index, change.existing(self).await.ok().flatten()?))
            }));
        }
        for (index, existing) in run_all(work, target::concurrency(self.scim)).await {
            pending[index].existing = Some(existing);
        }
    }

    /// Retries some of the pending changes. A change stays pending only if it conflicts again. Such a change is marked
    /// as stuck.
    async fn retry_changes<C: Change>(
        &self,
        pending: &mut Vec<PendingChange<'_, C>>,
        indexes: &[usize],
    ) {
        let changes: Vec<&C> = indexes.iter().map(|index| pending[*index].change).collect();
        let conflicting = self.write_batch(&changes).await;
        let mut conflicting: HashMap<*const C, ScimError> = conflicting
            .into_iter()
            .map(|ConflictingChange { change, error }| (std::ptr::from_ref(change), error))
            .collect();
        let retried: HashSet<*const C> = changes.into_iter().map(std::ptr::from_ref).collect();
        pending.retain_mut(|waiting| {
            let key = std::ptr::from_ref(waiting.change);
            if !retried.contains(&key) {
                return true;
            }
            let error = conflicting.remove(&key);
            let conflicts_again = error.is_some();
            if let Some(error) = error {
                waiting.error = error;
                waiting.stuck = true;
            }
            conflicts_again
        });
    }

    /// Renames a resource to break a cycle, or restores its old names.
    ///
    /// `held_names` are the names that other pending changes hold. If they are given, the resource gets each desired name
    /// that is free. In place of each desired name that is held, it gets a temporary name: the old name with a prefix.
    /// Without `held_names`, the old names are restored.
    async fn rename(
        &self,
        existing: &ExistingResource,
        held_names: Option<&HashSet<String>>,
    ) -> Result<(), ScimError> {
        let new_name = |old: &str, desired: &str| match held_names {
            None => old.to_owned(),
            Some(held) if held.contains(&desired.to_lowercase()) => {
                format!("{TEMPORARY_PREFIX}{old}")
            }
            Some(_) => desired.to_owned(),
        };
        match existing {
            ExistingResource::User {
                id,
                external_id,
                user,
                desired,
            } => {
                let old = UserProfile::of(user);
                let email = match (&old.email, &desired.email) {
                    (Some(old), Some(desired)) => Some(new_name(old, desired)),
                    (Some(_), None) if held_names.is_some() => None,
                    (old, _) => old.clone(),
                };
                let profile = UserProfile {
                    user_name: new_name(&old.user_name, &desired.user_name),
                    email,
                    ..old
                };
                let written = profile.merge_into(user.as_ref().clone(), external_id);
                retry_undecodable(|| async { self.scim.users().replace(id, &written).await })
                    .await?;
            }
            ExistingResource::Group {
                id,
                name,
                desired_name,
            } => {
                let name = new_name(name, desired_name);
                let patch: PatchOp = PatchOperation::replace("displayName", name).into();
                retry_undecodable(|| async { self.scim.groups().patch(id, &patch).await }).await?;
            }
        }
        Ok(())
    }
}

/// Maps each current name to the index of the pending change that holds it.
///
/// A resource with a temporary name counts as holding no name.
fn name_holders<C>(pending: &[PendingChange<'_, C>]) -> HashMap<String, usize> {
    let mut holders = HashMap::new();
    for (index, waiting) in pending.iter().enumerate() {
        let names = waiting
            .existing
            .as_ref()
            .filter(|_| !waiting.has_temporary_name)
            .map(ExistingResource::current_names);
        holders.extend(names.into_iter().flatten().map(|name| (name, index)));
    }
    holders
}

/// Returns the changes that no other pending change blocks and that are not stuck.
fn ready_changes<C>(pending: &[PendingChange<'_, C>]) -> Vec<usize> {
    let holders = name_holders(pending);
    (0..pending.len())
        .filter(|index| {
            let waiting = &pending[*index];
            let mut holding = waiting
                .desired_names
                .iter()
                .filter_map(|name| holders.get(name));
            !waiting.stuck && holding.all(|holder| holder == index)
        })
        .collect()
}

/// Returns a change that is part of a cycle and whose resource can get a temporary name, and the names that the other
/// pending changes hold.
///
/// Prefers a change that also claims a name that no pending change holds. The rename claims that name at once. If an
/// unrelated resource has it, the rename fails before another resource has released a name.
fn find_cycle<C>(pending: &[PendingChange<'_, C>]) -> Option<(usize, HashSet<String>)> {
    let holders = name_holders(pending);
    let blockers = |index: usize| {
        let desired = pending[index].desired_names.iter();
        let others = desired.filter_map(|name| holders.get(name));
        others.copied().filter(move |other| *other != index)
    };
    let in_a_cycle = |first: usize| {
        if pending[first].has_temporary_name || pending[first].stuck {
            return false;
        }
        let (mut seen, mut is_cycle) = (HashSet::new(), false);
        let mut next: Vec<usize> = blockers(first).collect();
        while let Some(index) = next.pop() {
            if pending[index].stuck {
                // A change that waits for a stuck change stays blocked, even with a temporary name.
                return false;
            }
            is_cycle |= index == first;
            if seen.insert(index) {
                next.extend(blockers(index));
            }
        }
        is_cycle
    };
    let claims_other_name = |index: &usize| {
        let desired = &pending[*index].desired_names;
        !desired.iter().all(|name| holders.contains_key(name))
    };
    let (preferred, others): (Vec<usize>, Vec<usize>) =
        (0..pending.len()).partition(claims_other_name);
    let first = preferred
        .into_iter()
        .chain(others)
        .find(|index| in_a_cycle(*index))?;
    let held_names = holders
        .into_iter()
        .filter_map(|(name, index)| (index != first).then_some(name));
    Some((first, held_names.collect()))
}

/// The prefix of a temporary name. No other resource claims such a name, and an operator who sees it recognizes a rename in
/// progress.
const TEMPORARY_PREFIX: &str = "renaming-";
