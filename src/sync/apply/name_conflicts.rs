//! Carries out the order of writes that resolves name conflicts.

use std::collections::HashMap;

use scim_client::Error as ScimError;

use super::run::{Change, Conflict, Existing, Run, StateSink, Work, run_all};
use crate::{
    error::Result,
    sync::{
        name_conflicts::{Claim, Names, Write, resolve},
        target,
    },
};

/// A conflicting change that waits for another attempt.
struct Pending<'c, C> {
    change: &'c C,
    /// The error of the last attempt; `None` after the change was written.
    error: Option<ScimError>,
    /// The resource before the change, if it exists and could be read.
    existing: Option<Existing>,
    has_temporary_name: bool,
}

impl Run {
    /// Writes each change as soon as no other change holds its names, and breaks cycles with temporary names.
    ///
    /// After a failure, the order is computed again without the failed change. If a change with a temporary name fails, its
    /// old names are restored.
    pub(super) async fn resolve_conflicts<C: Change>(
        &self,
        mut conflicts: Vec<Conflict<'_, C>>,
        sink: &StateSink<'_>,
    ) -> Result<()> {
        // The order of the responses is random. Sorted changes get the same temporary names in every run.
        conflicts.sort_by_cached_key(|conflict| conflict.change.description());
        let mut pending = self.read_existing(conflicts).await;
        let mut claims: Vec<Claim> = pending
            .iter()
            .map(|pending| Claim {
                held: pending
                    .existing
                    .as_ref()
                    .map_or_else(Names::new, |existing| existing.names.clone()),
                wanted: pending.change.wanted_names(),
                settled: false,
            })
            .collect();
        loop {
            let order = resolve(&claims);
            if order.is_empty() {
                break;
            }
            for group in order {
                if !self
                    .write_group(group, &mut pending, &mut claims, sink)
                    .await?
                {
                    break;
                }
            }
        }
        // A last attempt for all: a resource whose names could not be read may have released a name in the meantime.
        let rest: Vec<usize> = (0..pending.len())
            .filter(|index| pending[*index].error.is_some())
            .collect();
        self.retry(&rest, &mut pending, sink).await?;
        for failed in pending {
            let Some(error) = failed.error else { continue };
            self.record_result(Err(error), failed.change);
            if let Some(existing) = failed.existing.filter(|_| failed.has_temporary_name)
                && let Err(error) = failed.change.rename(self, &existing, &existing.names).await
            {
                self.record_result(Err(error), failed.change);
            }
        }
        Ok(())
    }

    /// Reads the resources of the changes. A resource that cannot be read counts as holding no name.
    async fn read_existing<'c, C: Change>(
        &self,
        conflicts: Vec<Conflict<'c, C>>,
    ) -> Vec<Pending<'c, C>> {
        let mut work: Work<'_, (usize, Existing)> = Vec::with_capacity(conflicts.len());
        for (index, conflict) in conflicts.iter().enumerate() {
            let change = conflict.change;
            work.push(Box::pin(async move {
                Some((index, change.existing(self).await.ok().flatten()?))
            }));
        }
        let existing = run_all(work, target::concurrency(&self.scim)).await;
        let mut existing: HashMap<usize, Existing> = existing.into_iter().collect();
        let pending = conflicts.into_iter().enumerate();
        pending
            .map(|(index, Conflict { change, error })| Pending {
                change,
                error: Some(error),
                existing: existing.remove(&index),
                has_temporary_name: false,
            })
            .collect()
    }

    /// Carries out writes that do not depend on each other. Returns whether all of them succeeded.
    async fn write_group<C: Change>(
        &self,
        group: Vec<Write>,
        pending: &mut [Pending<'_, C>],
        claims: &mut [Claim],
        sink: &StateSink<'_>,
    ) -> Result<bool> {
        let (mut changes, mut succeeded) = (Vec::new(), true);
        for write in group {
            let (index, names) = match write {
                Write::Change(index) => {
                    changes.push(index);
                    continue;
                }
                Write::Rename(index, names) => (index, names),
            };
            let first = &mut pending[index];
            let Some(existing) = &first.existing else {
                continue;
            };
            match first.change.rename(self, existing, &names).await {
                Ok(()) => {
                    first.has_temporary_name = true;
                    claims[index].held = names;
                }
                Err(error) => {
                    first.error = Some(error);
                    claims[index].settled = true;
                    succeeded = false;
                }
            }
        }
        self.retry(&changes, pending, sink).await?;
        for index in changes {
            claims[index].settled = true;
            if pending[index].error.is_none() {
                claims[index].held = claims[index].wanted.clone();
            } else {
                succeeded = false;
            }
        }
        Ok(succeeded)
    }

    /// Writes some of the pending changes. A change stays pending only if it conflicts again.
    async fn retry<C: Change>(
        &self,
        indexes: &[usize],
        pending: &mut [Pending<'_, C>],
        sink: &StateSink<'_>,
    ) -> Result<()> {
        let changes: Vec<&C> = indexes.iter().map(|index| pending[*index].change).collect();
        let conflicts = self.write_changes(&changes, sink).await?;
        let mut errors: HashMap<*const C, ScimError> = conflicts
            .into_iter()
            .map(|Conflict { change, error }| (std::ptr::from_ref(change), error))
            .collect();
        for index in indexes {
            let pending = &mut pending[*index];
            pending.error = errors.remove(&std::ptr::from_ref(pending.change));
        }
        Ok(())
    }
}
