//! Applies a plan: writes changes concurrently; a failure affects only its own change.

mod groups;
mod name_conflicts;
mod run;
mod users;

use scim_types::ResourceId;

use super::plan::{GroupChange, SyncPlan, UserChange};
use crate::error::Result;

use run::Change;
pub(crate) use run::{Run, SaveState, StateSink, now};

/// The changes of a plan that one call applies.
pub(crate) enum Selection {
    /// All changes.
    All,
    /// The creations and updates. A removal is applied only if it releases a name that another change needs.
    Writes,
    /// The removal of one user.
    RemoveUser(ResourceId),
    /// The removal of one group.
    RemoveGroup(ResourceId),
}

impl Selection {
    fn writes(&self) -> bool {
        matches!(self, Self::All | Self::Writes)
    }

    fn removes_user(&self, id: &ResourceId) -> bool {
        match self {
            Self::All => true,
            Self::RemoveUser(selected) => selected == id,
            Self::Writes | Self::RemoveGroup(_) => false,
        }
    }

    fn removes_group(&self, id: &ResourceId) -> bool {
        match self {
            Self::All => true,
            Self::RemoveGroup(selected) => selected == id,
            Self::Writes | Self::RemoveUser(_) => false,
        }
    }
}

impl Run {
    /// Applies changes: first the creations and updates, then the removals. Users are written before groups, because they
    /// may be members.
    ///
    /// A removal that this run has attempted is not attempted again.
    pub(crate) async fn apply(&self, selection: &Selection, sink: &StateSink<'_>) -> Result<()> {
        let plan = &self.prepared.plan;
        self.start(sink).await?;
        if selection.writes() {
            let (removals, writes): (Vec<_>, Vec<_>) =
                plan.users.iter().partition(|change| change.removes());
            // A removal that is also an update may release a name.
            let releasing: Vec<&UserChange> = removals
                .into_iter()
                .filter(|change| matches!(change, UserChange::Update { .. }))
                .collect();
            if self.write_all(&writes, &releasing, sink).await? {
                let ids = releasing.iter().filter_map(|change| change.removed());
                self.lock().attempted.users.extend(ids.cloned());
            }
            let groups = plan.groups.iter();
            let writes: Vec<&GroupChange> =
                groups.filter(|change| change.removed().is_none()).collect();
            self.write_all(&writes, &[], sink).await?;
        }
        let users: Vec<&UserChange> = {
            let attempted = &mut self.lock().attempted.users;
            let removals = plan.users.iter().filter(|change| {
                let id = change.removed().filter(|id| selection.removes_user(id));
                id.is_some_and(|id| attempted.insert(id.clone()))
            });
            removals.collect()
        };
        self.write_all(&users, &[], sink).await?;
        let groups: Vec<&GroupChange> = {
            let attempted = &mut self.lock().attempted.groups;
            let removals = plan.groups.iter().filter(|change| {
                let id = change.removed().filter(|id| selection.removes_group(id));
                id.is_some_and(|id| attempted.insert(id.clone()))
            });
            removals.collect()
        };
        self.write_all(&groups, &[], sink).await?;
        Ok(())
    }

    /// Returns the plan.
    pub(crate) fn plan(&self) -> &SyncPlan {
        &self.prepared.plan
    }

    /// Returns whether nothing is left to apply: every removal was attempted, or a change has failed.
    pub(crate) fn is_over(&self) -> bool {
        let inner = self.lock();
        let mut users = self.plan().users.iter().filter_map(UserChange::removed);
        let mut groups = self.plan().groups.iter().filter_map(GroupChange::removed);
        let all_attempted = users.all(|id| inner.attempted.users.contains(id))
            && groups.all(|id| inner.attempted.groups.contains(id));
        all_attempted || !inner.report.is_complete()
    }

    /// Writes changes, and resolves name conflicts at the end.
    ///
    /// If there are name conflicts, the `releasing` removals are applied early. Returns whether this was the case.
    async fn write_all<C: Change>(
        &self,
        changes: &[&C],
        releasing: &[&C],
        sink: &StateSink<'_>,
    ) -> Result<bool> {
        let mut conflicts = self.write_changes(changes, sink).await?;
        if conflicts.is_empty() {
            return Ok(false);
        }
        conflicts.extend(self.write_changes(releasing, sink).await?);
        self.resolve_conflicts(conflicts, sink).await?;
        Ok(true)
    }
}
