//! A plan together with the data that was read for it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
};

use scim_types::{ExternalId, ResourceId, User};

use super::{
    changes::{UserNames, changes, retain_approved},
    plan::{GroupChange, SyncPlan, UserChange},
    state::SyncState,
};
use crate::plan::{Action, Change, Subject};

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
    /// Whether the plan leaves out other users than the runs before.
    pub(super) leaves_out_others: bool,
    /// Whether the plan is made with the members of the groups that it deletes.
    pub(super) knows_members: bool,
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

impl PreparedSync {
    /// Drops changes from the plan.
    pub(super) fn without(mut self, withheld: &[Change]) -> Self {
        if withheld.is_empty() {
            return self;
        }
        let key = |change: &Change| (change.action == Action::Remove, change.subject.clone());
        let held: HashSet<(bool, Subject)> = withheld.iter().map(key).collect();
        let names = UserNames::default();
        let planned = changes(&self.plan, &names).into_iter();
        let keys = planned.map(|planned| key(&planned.change));
        let allowed = keys.filter(|key| !held.contains(key)).collect();
        retain_approved(&mut self.plan, &names, &allowed);
        self
    }

    /// Returns whether the plan leaves out other users than the runs before.
    pub(crate) fn leaves_out_others(&self) -> bool {
        self.leaves_out_others
    }

    /// Returns the attributes that earlier runs have found the target not to keep.
    pub(crate) fn not_kept(&self) -> impl Iterator<Item = &str> {
        self.state.not_kept.iter().map(String::as_str)
    }

    /// Returns the source's id of each managed user of the target.
    pub(crate) fn external_ids(&self) -> HashMap<ResourceId, ExternalId> {
        let users = self.state.users.iter();
        users
            .map(|(external_id, user)| (user.id.clone(), external_id.clone()))
            .collect()
    }

    /// Returns the source's ids of the users that the plan deactivates, deletes, or takes out of a group.
    pub(crate) fn losing_access(
        &self,
        external_ids: &HashMap<ResourceId, ExternalId>,
    ) -> BTreeSet<ExternalId> {
        let users = self.plan.users.iter().filter_map(|change| match change {
            UserChange::Deactivate(removed) | UserChange::Delete(removed) => {
                removed.external_id.clone()
            }
            _ => None,
        });
        let members = self.plan.groups.iter().flat_map(|change| match change {
            GroupChange::Update { remove, .. } => remove.as_slice(),
            _ => &[],
        });
        let members = members.filter_map(|member| {
            let known = external_ids.get(&member.id);
            known.or(member.external_id.as_ref()).cloned()
        });
        users.chain(members).collect()
    }
}

impl fmt::Debug for PreparedSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedSync")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
