//! The hazards of a sync plan: consequences that the number of its removals does not show.

use std::collections::{BTreeSet, HashMap};

use scim_types::ResourceId;

use super::{
    plan::{GroupChange, SyncPlan, Totals, UserChange},
    state::SyncState,
};
use crate::plan::{Hazard, Name};

/// Returns the hazards of a plan. `state` has the target at the time of planning, `names` the names of its users.
pub(super) fn hazards(
    plan: &SyncPlan,
    state: &SyncState,
    names: &HashMap<ResourceId, String>,
) -> Vec<Hazard> {
    let emptied = emptied_groups(plan, state).map(|(group, members)| Hazard::EmptiedGroup {
        group: group.into(),
        members: members as u64,
    });
    let name = |id: &ResourceId| Name::from(names.get(id).map_or(id.as_str(), String::as_str));
    let adopted = plan.members_of_adopted.iter();
    let adopted = adopted.map(|(group, members)| Hazard::GivesAccessTo {
        group: group.into(),
        users: members.iter().map(name).collect(),
        roles: Vec::new(),
    });
    let source = empty_source(&plan.totals).into_iter().chain(new_ids(plan));
    source.chain(emptied).chain(adopted).collect()
}

fn empty_source(totals: &Totals) -> Option<Hazard> {
    let managed = totals.managed_users as u64;
    let is_empty = totals.source_active == 0;
    is_empty.then_some(Hazard::EmptySource { managed })
}

/// Returns the hazard of a source that has new ids for most of the managed users.
fn new_ids(plan: &SyncPlan) -> Option<Hazard> {
    let (managed, missing) = (plan.totals.managed_users, plan.totals.missing_users);
    let is_new = |change: &&UserChange| {
        matches!(
            change,
            UserChange::Create { .. } | UserChange::Update { adopts: true, .. }
        )
    };
    let new = plan.users.iter().filter(is_new).count();
    let has_new_ids = missing >= MIN_MISSING_USERS && missing * 2 >= managed && new * 2 >= missing;
    has_new_ids.then_some(Hazard::NewIds {
        managed: managed as u64,
        missing: missing as u64,
    })
}

/// Returns the groups that lose all members, each with the number of members that leave. A member whose user is deactivated
/// in the same plan counts as leaving.
fn emptied_groups<'a>(
    plan: &'a SyncPlan,
    state: &'a SyncState,
) -> impl Iterator<Item = (&'a str, usize)> {
    let removed: BTreeSet<&ResourceId> =
        plan.users.iter().filter_map(UserChange::removed).collect();
    plan.groups.iter().filter_map(move |change| match change {
        GroupChange::Update {
            id,
            external_id,
            name,
            add,
            remove,
            ..
        } if add.is_empty() => {
            let cached = state.groups.get(external_id);
            let before = &cached.filter(|group| group.id == *id)?.members;
            let leaving: BTreeSet<&ResourceId> = remove.iter().map(|member| &member.id).collect();
            let leaves = |member| leaving.contains(member) || removed.contains(member);
            let is_emptied = !before.is_empty() && before.iter().all(leaves);
            is_emptied.then_some((name.as_str(), before.len()))
        }
        _ => None,
    })
}

/// If fewer users are missing, they were probably recreated one by one in the source.
const MIN_MISSING_USERS: usize = 3;
