//! Applies a plan: writes changes concurrently; a failure affects only its own change.

mod groups;
mod name_conflicts;
mod run;
mod users;

use super::plan::{GroupChange, UserChange};
use crate::error::Result;

use run::Change;

pub(crate) use run::{Run, SaveState, StateSink};

impl Run {
    /// Applies the plan: first the creations and updates, then the removals. Users are written before groups, because they
    /// may be members. Memberships are removed even if the run stops early.
    pub(crate) async fn apply(&self, sink: &StateSink<'_>) -> Result<()> {
        let plan = &self.prepared.plan;
        self.start(sink).await?;
        let (removals, writes): (Vec<&UserChange>, Vec<&UserChange>) =
            plan.users.iter().partition(|change| change.removes());
        // A removal that is also an update may release a name.
        let (releasing, mut removals): (Vec<&UserChange>, Vec<&UserChange>) = removals
            .into_iter()
            .partition(|change| matches!(change, UserChange::Update { .. }));
        if !self.write_all(&writes, &releasing, sink).await? {
            removals.splice(0..0, releasing);
        }
        let (removed_groups, groups): (Vec<&GroupChange>, Vec<&GroupChange>) = plan
            .groups
            .iter()
            .partition(|change| change.removed().is_some());
        self.write_all(&groups, &[], sink).await?;
        self.restore_memberships(&groups).await;
        self.remove_remaining_members(&groups).await;
        self.write_all(&removals, &[], sink).await?;
        self.write_all(&removed_groups, &[], sink).await?;
        Ok(())
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
