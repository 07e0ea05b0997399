//! Prepares and starts a run: the code that [`DirectorySync`](super::DirectorySync) and the pipeline's step share.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    num::NonZeroU32,
    sync::Arc,
};

use aws_sso_glue::IdentityCenter;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{Timestamp, civil::Date};
use rest_core::Clock;
use scim_client::{Client, Dialect};
use scim_types::{ExternalId, ResourceId, User};

use super::{
    apply::Run,
    collisions::leave_out_collisions,
    directory::Directory,
    hazards::hazards,
    identity_store,
    plan::{GroupChange, Skipped, SyncPlan, UserChange},
    planner::{self, GroupRemoval, Policy, Removal},
    prepared::PreparedSync,
    profile::UserProfile,
    records,
    snapshot::{TargetSnapshot, match_users},
    source::Source,
    state::{CachedGroup, SyncState},
    target,
};
use crate::{
    error::{Error, ErrorKind, Result},
    state::now,
    token_age::TokenAge,
    utc_day::utc_day,
};

/// The part of the target that a run reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadMode {
    /// Trusts the cached state and reads nothing from the target. Without a cached state the run reads everything.
    ///
    /// A run without changes sends the target one request, which verifies the token, and does not detect drift. After an interrupted run, the next
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
    pub(crate) mode: ReadMode,
    /// Of this number of runs, one reads all users, groups and memberships.
    pub(crate) verify_every: Option<NonZeroU32>,
    /// Whether the plan needs the current names of all users that it changes, because some names are protected.
    pub(crate) reads_names: bool,
}

/// A sync with everything except the place of its state.
pub(crate) struct Engine<'a> {
    pub(crate) source: &'a dyn Source,
    /// The target's endpoint.
    pub(crate) endpoint: String,
    /// The client of the target; `None` if the target cannot be read, because there is no token.
    pub(crate) scim: Option<&'a Client>,
    /// The client of AWS's Identity Store API, which a first plan reads if there is no token; `None` if AWS has no instance yet.
    pub(crate) center: Option<IdentityCenter>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Reads the names of exactly the removed users and members whose names neither the source nor the cached state has.
async fn read_removed_names(scim: &Client, plan: &mut SyncPlan) -> Result<()> {
    let ids: BTreeSet<ResourceId> = removed_names(plan)
        .filter(|(_, name)| name.is_none())
        .map(|(id, _)| id.clone())
        .collect();
    let names = read_names(scim, ids).await?;
    for (id, name) in removed_names(plan) {
        if name.is_none() {
            *name = names.get(id).cloned();
        }
    }
    Ok(())
}

/// Reads the names of users.
async fn read_names(
    scim: &Client,
    ids: BTreeSet<ResourceId>,
) -> Result<HashMap<ResourceId, String>> {
    let reads: Vec<_> = ids
        .into_iter()
        .map(|id| async move {
            let user = read_user(scim, &id).await?;
            let name = user.and_then(|user| user.user_name);
            Ok::<_, Error>((id, name.map(|name| name.to_string())))
        })
        .collect();
    let names: Vec<(ResourceId, Option<String>)> = futures::stream::iter(reads)
        .buffer_unordered(target::concurrency(scim))
        .try_collect()
        .await?;
    let names = names.into_iter();
    Ok(names.filter_map(|(id, name)| Some((id, name?))).collect())
}

/// Returns the ids of the removed users and members, with the places of their names.
fn removed_names(plan: &mut SyncPlan) -> impl Iterator<Item = (&ResourceId, &mut Option<String>)> {
    let kept = plan.kept.iter_mut();
    let (kept_users, kept_groups): (Vec<_>, Vec<_>) =
        kept.map(|kept| (&mut kept.users, &mut kept.groups)).unzip();
    let users = plan
        .users
        .iter_mut()
        .chain(kept_users.into_iter().flatten());
    let users = users.filter_map(|change| match change {
        UserChange::Deactivate(removed) | UserChange::Delete(removed) => {
            Some((&removed.id, &mut removed.name))
        }
        _ => None,
    });
    let groups = plan
        .groups
        .iter_mut()
        .chain(kept_groups.into_iter().flatten());
    let members = groups.flat_map(|change| match change {
        GroupChange::Update { remove, .. } => remove.as_mut_slice(),
        _ => &mut [],
    });
    users.chain(members.map(|member| (&member.id, &mut member.name)))
}

/// Drops the deletion of groups that have members that the sync does not manage. The next plan says what becomes of them.
async fn keep_groups_of_others(scim: &Client, prepared: &mut PreparedSync) -> Result<()> {
    let mut kept = HashSet::new();
    let managed = prepared.state.target_ids();
    for id in prepared.plan.groups.iter().filter_map(GroupChange::removed) {
        let members = target::named_members_of(scim, id).await?;
        if members.keys().any(|member| !managed.contains(member)) {
            kept.insert(id.clone());
        }
    }
    let groups = &mut prepared.plan.groups;
    groups.retain(|change| change.removed().is_none_or(|id| !kept.contains(id)));
    Ok(())
}

/// Verifies the token with one request. Otherwise, a run that reads and writes nothing would not notice that the token has
/// expired.
pub(super) async fn verify_token(scim: &Client) -> Result<()> {
    let has_users = scim.has_users().await;
    has_users.map(|_| ()).map_err(|error| {
        let what =
            "nothing has changed, but the target cannot be reached with the SCIM access token";
        Error::service(what, error)
    })
}

/// Reads a user of the target for the plan.
async fn read_user(scim: &Client, id: &ResourceId) -> Result<Option<User>> {
    scim.users().get_opt(id).await.map_err(|error| {
        Error::service(
            format!("user {id} could not be read from the target; nothing was written"),
            error,
        )
    })
}

/// Returns the managed users of the target that no user of the source matches.
fn missing_users(directory: &Directory, snapshot: &TargetSnapshot) -> BTreeSet<ResourceId> {
    // If the source is incomplete, every managed user may still have its user in the source.
    if !directory.incomplete.is_empty() {
        return BTreeSet::new();
    }
    let matches = match_users(&directory.users, &snapshot.users);
    let missing = snapshot.missing_users(&matches);
    missing.map(|user| user.id.clone()).collect()
}

/// Plans the sync to AWS for a target that does not exist yet.
pub(crate) fn plan_for_new_target(directory: &Directory, now: Timestamp) -> Result<SyncPlan> {
    let mut nothing = TargetSnapshot::default();
    let usable = leave_out_collisions(records::usable(directory)?, &nothing);
    let policy = Policy {
        users: Removal::default(),
        groups: GroupRemoval::default(),
        dialect: Dialect::AwsIdentityCenter,
    };
    Ok(planner::plan(&usable, &mut nothing, policy, now, 0))
}

impl Engine<'_> {
    /// Plans the changes that make the target match the directory. Writes nothing.
    ///
    /// `state` is the cached state of earlier runs.
    pub(crate) async fn prepare(
        &self,
        directory: &Directory,
        state: Option<SyncState>,
    ) -> Result<PreparedSync> {
        let usable = records::usable(directory)?;
        if let Some(state) = &state {
            state.check_target(&self.endpoint)?;
        }
        let is_cached = state.is_some() && self.read_mode(state.as_ref()) == ReadMode::Cached;
        let runs_since_verify = match (&state, self.settings.verify_every) {
            (Some(state), Some(_)) if is_cached => state.runs_since_verify.saturating_add(1),
            _ => 0,
        };
        let mut snapshot = self
            .read_snapshot(&usable.directory, state.as_ref())
            .await?;
        let usable = leave_out_collisions(usable, &snapshot);
        let directory = &usable.directory;
        let deletes_groups = self.settings.group_removal == GroupRemoval::Delete;
        if let (true, Some(scim)) = (deletes_groups, self.scim) {
            target::read_members_of_missing(scim, directory, &mut snapshot).await?;
        }
        let policy = Policy {
            users: self.settings.removal,
            groups: self.settings.group_removal,
            dialect: self
                .scim
                .map_or(Dialect::AwsIdentityCenter, Client::dialect),
        };
        let now = now(self.clock.as_ref());
        let serial = state.as_ref().map_or(0, |state| state.serial);
        let mut plan = planner::plan(&usable, &mut snapshot, policy, now, serial);
        let mut state = state.unwrap_or_else(|| SyncState::empty(&self.endpoint));
        let adopted = plan.users.iter().filter_map(|change| match change {
            UserChange::Update {
                id, adopts: true, ..
            } => Some(id.clone()),
            _ => None,
        });
        state.update_from(&snapshot, &adopted.collect(), now);
        state.runs_since_verify = runs_since_verify;
        let left_out = left_out(&mut plan.skipped, &state.left_out, now);
        let leaves_out_others = left_out != state.left_out;
        state.left_out = left_out;
        if let Some(scim) = self.scim
            && scim.dialect() == Dialect::AwsIdentityCenter
        {
            let age = TokenAge::of(scim.token_fingerprint(), state.token.as_ref(), now);
            state.token = Some(age);
            plan.token.clone_from(&state.token);
        }
        let target_incomplete = snapshot.is_incomplete();
        // If there is a client, `read_snapshot` has read the whole target for a dirty state.
        state.dirty = target_incomplete || (state.dirty && self.scim.is_none());
        let missing_users = missing_users(directory, &snapshot);
        let names = self.names_of_adopted(&plan, &snapshot).await?;
        plan.hazards = hazards(&plan, &state, &names);
        let updated: HashSet<&ResourceId> = plan
            .users
            .iter()
            .filter_map(|change| match change {
                UserChange::Update { id, .. } => Some(id),
                _ => None,
            })
            .collect();
        let users = snapshot.users.into_iter();
        let users = users.filter(|user| updated.contains(&user.id));
        let users = users
            .filter_map(|user| Some((user.id, *user.scim_user?)))
            .collect();
        let adopted: HashSet<&ResourceId> = plan
            .groups
            .iter()
            .filter_map(|change| match change {
                GroupChange::Update {
                    id, adopts: true, ..
                } => Some(id),
                _ => None,
            })
            .collect();
        let groups = snapshot.groups.into_iter();
        let adopted_members = groups
            .filter(|group| adopted.contains(&group.id))
            .filter_map(|group| Some((group.id, group.members?)))
            .collect();
        let mut prepared = PreparedSync {
            plan,
            state,
            missing_users,
            users,
            adopted_members,
            leaves_out_others,
            knows_members: self.scim.is_some(),
        };
        if let Some(scim) = self.scim {
            read_removed_names(scim, &mut prepared.plan).await?;
            self.read_missing_names(scim, &mut prepared).await?;
            if is_cached && prepared.plan.is_empty() {
                verify_token(scim).await?;
            }
        }
        Ok(prepared)
    }

    /// Returns the run that applies the plan. Writes nothing.
    pub(crate) async fn start(&self, mut prepared: PreparedSync) -> Result<Run> {
        prepared.state.check_target(&self.endpoint)?;
        let scim = self.scim.ok_or_else(|| {
            Error::new(
                ErrorKind::ManualStep,
                "this run has no SCIM access token of AWS",
            )
            .with_help("pass the token to the pipeline, or run with an operator who can provide it")
        })?;
        if !prepared.knows_members {
            keep_groups_of_others(scim, &mut prepared).await?;
        }
        Ok(Run::new(scim.clone(), self.clock.clone(), prepared))
    }

    /// Returns the names of the users that are in adopted groups and not in the groups of the source.
    async fn names_of_adopted(
        &self,
        plan: &SyncPlan,
        snapshot: &TargetSnapshot,
    ) -> Result<HashMap<ResourceId, String>> {
        let mut unknown: BTreeSet<ResourceId> = plan
            .members_of_adopted
            .values()
            .flatten()
            .cloned()
            .collect();
        let mut names = HashMap::new();
        for user in &snapshot.users {
            let name = user.scim_user.as_ref();
            let name = name.and_then(|user| user.user_name.as_ref());
            if let Some(name) = name
                && unknown.remove(&user.id)
            {
                names.insert(user.id.clone(), name.to_string());
            }
        }
        if let Some(scim) = self.scim {
            names.extend(read_names(scim, unknown).await?);
        }
        Ok(names)
    }

    /// Adds the names of the changed users that the plan lacks.
    async fn read_missing_names(&self, scim: &Client, prepared: &mut PreparedSync) -> Result<()> {
        if !self.settings.reads_names {
            return Ok(());
        }
        for change in &mut prepared.plan.users {
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
            let Some(user) = read_user(scim, &id).await? else {
                continue;
            };
            match change {
                UserChange::Update {
                    before, profile, ..
                } => {
                    let current = UserProfile::of(&user).limited_to(&profile.attributes());
                    *before = Some(Box::new(current));
                    prepared.users.insert(id, user);
                }
                UserChange::Deactivate(removed) | UserChange::Delete(removed) => {
                    removed.name = user.user_name.map(|name| name.to_string());
                }
                UserChange::Create { .. } => {}
            }
        }
        Ok(())
    }

    /// Returns whether this run is the one that reads everything.
    fn is_verify_due(&self, state: Option<&SyncState>) -> bool {
        let before = state.map_or(0, |state| state.runs_since_verify);
        let every = self.settings.verify_every;
        every.is_some_and(|every| before >= every.get() - 1)
    }

    /// Returns what a run with this cached state reads.
    fn read_mode(&self, state: Option<&SyncState>) -> ReadMode {
        match self.scim {
            // The last run was interrupted: its writes are unknown.
            Some(_) if state.is_some_and(|state| state.dirty) => ReadMode::Full,
            Some(_) if self.settings.mode == ReadMode::Cached && self.is_verify_due(state) => {
                ReadMode::Full
            }
            _ => self.settings.mode,
        }
    }

    /// Reads the target, or takes the snapshot from the cached state.
    async fn read_snapshot(
        &self,
        directory: &Directory,
        state: Option<&SyncState>,
    ) -> Result<TargetSnapshot> {
        let mode = self.read_mode(state);
        let scim = match (mode, state, self.scim) {
            (ReadMode::Cached, Some(state), _) => return Ok(state.to_snapshot()),
            (_, _, Some(scim)) => scim,
            (_, _, None) => {
                if let (None, Some(center)) = (state, &self.center) {
                    return identity_store::read(center, self.source, directory).await;
                }
                return Err(Error::new(
                    ErrorKind::ManualStep,
                    "the target cannot be read without its SCIM access token",
                )
                .with_help("provide the token, or restore the cached state of earlier runs"));
            }
        };
        let mut snapshot = target::read(scim, self.source).await?;
        if let Some(state) = state {
            merge_cached_state(&mut snapshot, state, mode);
            if mode == ReadMode::Verify {
                target::read_groups_of_uncached(
                    scim,
                    directory,
                    &mut snapshot,
                    &state.target_ids(),
                )
                .await?;
            }
        }
        target::read_members(scim, directory, &mut snapshot).await?;
        Ok(snapshot)
    }
}

/// Returns the users that are left out, each with the day of the first run that left it out, and adds these days to the plan.
fn left_out(
    skipped: &mut [Skipped],
    before: &BTreeMap<ExternalId, Date>,
    now: Timestamp,
) -> BTreeMap<ExternalId, Date> {
    let today = utc_day(now);
    let since = skipped.iter_mut().map(|skipped| {
        skipped.since = before.get(&skipped.external_id).copied();
        let since = skipped.since.unwrap_or(today);
        let days = since.until(today).map_or(0, |span| span.get_days());
        skipped.days = u32::try_from(days).unwrap_or(0);
        (skipped.external_id.clone(), since)
    });
    since.collect()
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
        // The target has what it has kept of the last write, so it needs no other write.
        if let Some(owner) = owners.get(&user.id).copied()
            && let Some(cached) = state.users.get(owner)
            && cached.kept.is_some()
            && cached.kept == user.kept
        {
            user.digest.clone_from(&cached.digest);
            user.is_read = false;
            user.keys.clone_from(&cached.keys);
            user.external_id = Some(owner.clone());
        }
        if let Some(cached) = { owners.get(&user.id) }.and_then(|owner| state.users.get(*owner)) {
            user.owned.clone_from(&cached.owned);
        }
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
            user.adopted = cached.adopted;
            user.inactive_since = cached.inactive_since.filter(|_| !user.active);
        }
    }
    let owners: HashMap<&ResourceId, (&ExternalId, &CachedGroup)> = state
        .groups
        .iter()
        .map(|(external_id, group)| (&group.id, (external_id, group)))
        .collect();
    let present_ids: HashSet<ExternalId> = snapshot
        .groups
        .iter()
        .filter_map(|group| group.external_id.clone())
        .collect();
    for group in &mut snapshot.groups {
        if let (None, Some((owner, cached))) = (&group.external_id, owners.get(&group.id)) {
            if cached.drops_id {
                group.external_id = Some((*owner).clone());
            } else if !present_ids.contains(*owner) {
                // The target has lost the id: the sync writes it again.
                group.cached_external_id = Some((*owner).clone());
            }
        }
        let cached = group
            .owner()
            .and_then(|id| state.groups.get(id))
            .filter(|cached| cached.id == group.id);
        if let Some(cached) = cached {
            group.managed = true;
            group.adopted = cached.adopted;
            if mode == ReadMode::Verify && group.members.is_none() {
                group.members = Some(cached.members.clone());
            }
        }
    }
}
