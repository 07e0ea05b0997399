//! Planning: reads the target or the cached state, and compares it with the source's directory.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use scim_client::Client;
use scim_types::{ExternalId, ResourceId};

use super::{
    Directory, GroupRemoval, Removal, RemovalLimits, Source, SyncState, UserProfile,
    plan::{SyncPlan, Transient, UserChange},
    planner::{self, Policy, TargetSnapshot},
    target,
};
use crate::error::{Error, ErrorKind, Result};

/// The part of the target that a run reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadMode {
    /// Trusts the cached state and reads nothing from the target. Without a cached state the run reads everything.
    ///
    /// A run without changes sends no requests to the target and does not detect drift. After an interrupted run, the next
    /// run reads everything once.
    #[default]
    Cached,
    /// Reads all users and groups, and takes memberships from the cached state: one request per 100 users or groups.
    Verify,
    /// Reads all users, groups and memberships.
    Full,
}

/// The settings of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) removal: Removal,
    pub(crate) group_removal: GroupRemoval,
    pub(crate) limits: RemovalLimits,
    pub(crate) mode: ReadMode,
}

/// The input of planning.
pub(crate) struct PlanInput<'a> {
    pub(crate) source: &'a dyn Source,
    /// The users and groups of the source.
    pub(crate) directory: &'a Directory,
    /// The client of the target; `None` if the target cannot be read, because there is no token.
    pub(crate) scim: Option<&'a Client>,
    /// The target's endpoint.
    pub(crate) target: &'a str,
    /// The cached state of earlier runs.
    pub(crate) state: Option<&'a SyncState>,
    pub(crate) now: Timestamp,
}

impl Settings {
    /// Returns the plan. Writes nothing.
    pub(crate) async fn plan(&self, input: PlanInput<'_>) -> Result<SyncPlan> {
        input.directory.check()?;
        if let Some(state) = input.state {
            state.check_target(input.target)?;
        }
        let snapshot = self.read_snapshot(&input).await?;
        let dialect = input
            .scim
            .map_or(scim_client::Dialect::AwsIdentityCenter, Client::dialect);
        let policy = Policy {
            users: self.removal,
            groups: self.group_removal,
            dialect,
        };
        let serial = input.state.map_or(0, |state| state.serial);
        let mut plan = planner::plan(input.directory, &snapshot, policy, input.now, serial);
        let mut next_state = input
            .state
            .cloned()
            .unwrap_or_else(|| SyncState::empty(input.target));
        let adopted = plan.users.iter().filter_map(|change| match change {
            UserChange::Update {
                id, adopts: true, ..
            } => Some(id.clone()),
            _ => None,
        });
        next_state.update_from(&snapshot, &adopted.collect(), input.now);
        // If there is a client, `read_snapshot` has read the whole target for a dirty state.
        next_state.dirty &= input.scim.is_none();
        plan.next_state = Transient(Some(Arc::new(next_state)));
        if let Some(scim) = input.scim {
            self.read_missing_names(scim, &mut plan).await?;
        }
        Ok(plan)
    }

    /// Checks a plan against the removal limits again, with user names read from the target.
    ///
    /// A plan that was made without a client lacks these names, so protected users are not recognized in it.
    pub(crate) async fn check_protected(&self, scim: &Client, plan: &SyncPlan) -> Result<()> {
        if self.limits.protected_users.is_empty() {
            return Ok(());
        }
        let mut plan = plan.clone();
        self.read_missing_names(scim, &mut plan).await?;
        Ok(self.limits.check(&plan)?)
    }

    /// Adds the names of the changed users that the plan lacks. Reads nothing if no users are protected.
    async fn read_missing_names(&self, scim: &Client, plan: &mut SyncPlan) -> Result<()> {
        if self.limits.protected_users.is_empty() {
            return Ok(());
        }
        for change in &mut plan.users {
            let id = match change {
                UserChange::Update {
                    id, before: None, ..
                } => id.clone(),
                UserChange::Deactivate(removed) | UserChange::Delete(removed)
                    if removed.name.is_none() =>
                {
                    removed.id.clone()
                }
                _ => continue,
            };
            let found = scim.users().get_opt(&id).await.map_err(|error| {
                Error::service(
                    format!("user {id} could not be read from the target; nothing was written"),
                    error,
                )
            })?;
            let Some(user) = found else { continue };
            match change {
                UserChange::Update { before, base, .. } => {
                    *before = Some(UserProfile::of(&user));
                    *base = Transient(Some(Box::new(user)));
                }
                UserChange::Deactivate(removed) | UserChange::Delete(removed) => {
                    removed.name = user.user_name.map(|name| name.to_string());
                }
                UserChange::Create { .. } => {}
            }
        }
        Ok(())
    }

    /// Reads the target, or takes the snapshot from the cached state.
    async fn read_snapshot(&self, input: &PlanInput<'_>) -> Result<TargetSnapshot> {
        let dirty = input.state.is_some_and(|state| state.dirty);
        let mode = match input.scim {
            // The last run was interrupted: its writes are unknown.
            Some(_) if dirty => ReadMode::Full,
            _ => self.mode,
        };
        let scim = match (mode, input.state, input.scim) {
            (ReadMode::Cached, Some(state), _) => return Ok(state.to_snapshot()),
            (_, _, Some(scim)) => scim,
            (_, _, None) => {
                return Err(Error::new(
                    ErrorKind::ManualStep,
                    "the target cannot be read without its SCIM access token",
                )
                .with_help("provide the token, or restore the cached state of earlier runs"));
            }
        };
        let mut snapshot = target::read(scim, input.source).await?;
        if let Some(state) = input.state {
            merge_cached_state(&mut snapshot, state, mode);
            if mode == ReadMode::Verify {
                target::read_groups_of_uncached(
                    scim,
                    input.directory,
                    &mut snapshot,
                    &state.target_ids(),
                )
                .await?;
            }
        }
        target::read_members(scim, input.directory, &mut snapshot).await?;
        Ok(snapshot)
    }
}

/// Adds facts that only the cached state has: the managed users and groups, the deactivation times, and the external ids
/// that were removed in the target. In [`ReadMode::Verify`], also adds the cached members of groups.
fn merge_cached_state(snapshot: &mut TargetSnapshot, state: &SyncState, mode: ReadMode) {
    let owners: HashMap<&ResourceId, &ExternalId> = state
        .users
        .iter()
        .map(|(external_id, user)| (&user.id, external_id))
        .collect();
    let present_ids: HashSet<ExternalId> = snapshot
        .users
        .iter()
        .filter_map(|user| user.external_id.clone())
        .collect();
    for user in &mut snapshot.users {
        if user.external_id.is_none() {
            let owner = owners.get(&user.id).copied();
            user.cached_external_id = owner.filter(|owner| !present_ids.contains(*owner)).cloned();
            user.managed |= user.cached_external_id.is_some();
        }
        let cached = user
            .external_id
            .as_ref()
            .and_then(|id| state.users.get(id))
            .filter(|cached| cached.id == user.id);
        if let Some(cached) = cached {
            user.managed = true;
            user.inactive_since = cached.inactive_since.filter(|_| !user.active);
        }
    }
    for group in &mut snapshot.groups {
        let cached = group
            .external_id
            .as_ref()
            .and_then(|id| state.groups.get(id))
            .filter(|cached| cached.id == group.id);
        if let Some(cached) = cached {
            group.managed = true;
            if mode == ReadMode::Verify && group.members.is_none() {
                group.members = Some(cached.members.clone());
            }
        }
    }
}
