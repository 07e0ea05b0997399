//! How a plan comes about: the source is read, the target is read or remembered, and both are compared.

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

/// How much of the target a run looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadMode {
    /// What earlier runs remember is believed, and nothing is read; without a memory everything is.
    ///
    /// A run that changes nothing asks the target nothing. What somebody else has changed there is not seen. After a run
    /// that did not come to its end everything is read once.
    #[default]
    Cached,
    /// All users and groups are read, and memberships are remembered: one request for a hundred users or groups.
    Verify,
    /// Everything is read, memberships too.
    Full,
}

/// What a run is made by, apart from the target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) removal: Removal,
    pub(crate) group_removal: GroupRemoval,
    pub(crate) limits: RemovalLimits,
    pub(crate) mode: ReadMode,
}

/// What a plan is made from.
pub(crate) struct PlanInput<'a> {
    pub(crate) source: &'a dyn Source,
    /// What the source has.
    pub(crate) directory: &'a Directory,
    /// The target, if it can be asked.
    pub(crate) scim: Option<&'a Client>,
    /// What it is called: the endpoint.
    pub(crate) target: &'a str,
    pub(crate) state: Option<&'a SyncState>,
    pub(crate) now: Timestamp,
}

impl Settings {
    /// Plans; nothing is written anywhere.
    pub(crate) async fn plan(&self, input: PlanInput<'_>) -> Result<SyncPlan> {
        input.directory.check()?;
        if let Some(state) = input.state {
            state.check_target(input.target)?;
        }
        let known = self.known(&input).await?;
        let dialect = input
            .scim
            .map_or(scim_client::Dialect::AwsIdentityCenter, Client::dialect);
        let policy = Policy {
            users: self.removal,
            groups: self.group_removal,
            dialect,
        };
        let serial = input.state.map_or(0, |state| state.serial);
        let mut plan = planner::plan(input.directory, &known, policy, input.now, serial);
        let mut next_state = input
            .state
            .cloned()
            .unwrap_or_else(|| SyncState::of(input.target));
        let adopted = plan.users.iter().filter_map(|change| match change {
            UserChange::Update {
                id, adopts: true, ..
            } => Some(id.clone()),
            _ => None,
        });
        next_state.update_from(&known, &adopted.collect(), input.now);
        // Everything was read then.
        next_state.dirty &= input.scim.is_none();
        plan.next_state = Transient(Some(Arc::new(next_state)));
        if let Some(scim) = input.scim {
            self.name_protected(scim, &mut plan).await?;
        }
        Ok(plan)
    }

    /// Holds a plan that was made without the target to the guard again, with the names that only the target knows.
    pub(crate) async fn check_protected(&self, scim: &Client, plan: &SyncPlan) -> Result<()> {
        if self.limits.protected_users.is_empty() {
            return Ok(());
        }
        let mut named = plan.clone();
        self.name_protected(scim, &mut named).await?;
        Ok(self.limits.check(&named)?)
    }

    /// Reads the names of those who would be changed and were not read, if the guard has to know them.
    async fn name_protected(&self, scim: &Client, plan: &mut SyncPlan) -> Result<()> {
        if self.limits.protected_users.is_empty() {
            return Ok(());
        }
        for change in &mut plan.users {
            let id = match change {
                UserChange::Update {
                    id, before: None, ..
                } => id.clone(),
                UserChange::Deactivate(gone) | UserChange::Delete(gone) if gone.name.is_none() => {
                    gone.id.clone()
                }
                _ => continue,
            };
            let found = scim.users().get_opt(&id).await.map_err(|error| {
                Error::service(
                    format!("user {id} of the target could not be read; nothing was written"),
                    error,
                )
            })?;
            let Some(user) = found else { continue };
            match change {
                UserChange::Update { before, base, .. } => {
                    *before = Some(UserProfile::of(&user));
                    *base = Transient(Some(Box::new(user)));
                }
                UserChange::Deactivate(gone) | UserChange::Delete(gone) => {
                    gone.name = user.user_name.map(|name| name.to_string());
                }
                UserChange::Create { .. } => {}
            }
        }
        Ok(())
    }

    async fn known(&self, input: &PlanInput<'_>) -> Result<TargetSnapshot> {
        let dirty = input.state.is_some_and(|state| state.dirty);
        let mode = match input.scim {
            // Nobody knows how far it came.
            Some(_) if dirty => ReadMode::Full,
            _ => self.mode,
        };
        let scim = match (mode, input.state, input.scim) {
            (ReadMode::Cached, Some(state), _) => return Ok(state.to_snapshot()),
            (_, _, Some(scim)) => scim,
            (_, _, None) => {
                return Err(Error::new(
                    ErrorKind::ManualStep,
                    "the target cannot be read without its access token",
                )
                .with_help("hand the token over, or run with what earlier runs remember"));
            }
        };
        let mut known = target::read(scim, input.source).await?;
        if let Some(state) = input.state {
            remember(&mut known, state, mode);
            if mode == ReadMode::Verify {
                target::read_groups_of_unknown(
                    scim,
                    input.directory,
                    &mut known,
                    &state.target_ids(),
                )
                .await?;
            }
        }
        target::read_members(scim, input.directory, &mut known).await?;
        Ok(known)
    }
}

/// Adds to what was read what only a memory knows.
fn remember(known: &mut TargetSnapshot, state: &SyncState, mode: ReadMode) {
    let owners: HashMap<&ResourceId, &ExternalId> = state
        .users
        .iter()
        .map(|(external_id, user)| (&user.id, external_id))
        .collect();
    let shown: HashSet<ExternalId> = known
        .users
        .iter()
        .filter_map(|user| user.external_id.clone())
        .collect();
    for user in &mut known.users {
        if user.external_id.is_none() {
            let owner = owners.get(&user.id).copied();
            user.remembered = owner.filter(|owner| !shown.contains(*owner)).cloned();
            user.managed |= user.remembered.is_some();
        }
        let remembered = user
            .external_id
            .as_ref()
            .and_then(|id| state.users.get(id))
            .filter(|remembered| remembered.id == user.id);
        if let Some(remembered) = remembered {
            user.managed = true;
            user.inactive_since = remembered.inactive_since.filter(|_| !user.active);
        }
    }
    for group in &mut known.groups {
        let remembered = group
            .external_id
            .as_ref()
            .and_then(|id| state.groups.get(id))
            .filter(|remembered| remembered.id == group.id);
        if let Some(remembered) = remembered {
            group.managed = true;
            if mode == ReadMode::Verify && group.members.is_none() {
                group.members = Some(remembered.members.clone());
            }
        }
    }
}
