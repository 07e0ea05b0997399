//! A plan together with the data that was read for it.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use scim_types::{ResourceId, User};

use super::{plan::SyncPlan, state::SyncState};

/// A plan that can be applied without planning again: the [`SyncPlan`], and the data that was read for it.
///
/// The data is not saved. [`DirectorySync::apply_plan`](super::DirectorySync::apply_plan) applies a plan that was loaded
/// from a file.
pub struct PreparedSync {
    pub(crate) plan: SyncPlan,
    /// The state with which the run starts: the target at the time of planning.
    pub(super) state: SyncState,
    /// Target ids of managed users that no source user matches. A user recreated in the source may have the name of such a
    /// managed user.
    pub(super) missing_users: BTreeSet<ResourceId>,
    /// The SCIM users of the plan's updates, as far as they were read. An update keeps their other attributes.
    pub(super) users: HashMap<ResourceId, User>,
    /// The current members of the groups that the plan adopts. The run adds them to the cached state.
    pub(super) adopted_members: HashMap<ResourceId, BTreeSet<ResourceId>>,
    /// Whether the target could not be read completely. The next run then reads it again.
    pub(super) target_incomplete: bool,
}

impl PreparedSync {
    /// Returns the plan.
    #[must_use]
    pub fn plan(&self) -> &SyncPlan {
        &self.plan
    }

    /// Returns the plan without the data that was read for it.
    #[must_use]
    pub fn into_plan(self) -> SyncPlan {
        self.plan
    }
}

impl fmt::Debug for PreparedSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedSync")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
