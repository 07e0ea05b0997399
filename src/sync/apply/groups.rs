//! Writes one group and its members.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture};
use scim_client::{Created, Error as ScimError, MemberRemoval};
use scim_types::{ExternalId, Group, PatchOp, PatchOperation, Reference, ResourceId};

use super::run::{
    Change, Existing, MAX_CONSECUTIVE_FAILURES, MAX_WRITE_ATTEMPTS, Run, retry_undecodable,
};
use crate::{
    error::ServiceError as _,
    sync::{
        name_conflicts::{NameKind, Names},
        plan::{Counts, GroupChange, Member, RemovedMember},
        report::FailedMembership,
        state::{CachedGroup, SyncState},
        target,
    },
};

impl Change for GroupChange {
    fn write<'r>(&'r self, run: &'r Run) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.apply_group_change(self))
    }

    fn description(&self) -> String {
        Self::description(self)
    }

    fn no_sign_in(&self, _: &SyncState) -> Option<String> {
        None
    }

    fn count(&self, done: &mut Counts) {
        match self {
            Self::Create { .. } => done.groups_created += 1,
            Self::Update { .. } => done.groups_updated += 1,
            Self::Delete(_) => done.groups_deleted += 1,
        }
    }

    fn wanted_names(&self) -> Names {
        match self {
            Self::Create { name, .. } | Self::Update { name, .. } => group_name(name),
            Self::Delete(_) => Names::new(),
        }
    }

    fn existing<'r>(&'r self, _: &'r Run) -> BoxFuture<'r, Result<Option<Existing>, ScimError>> {
        let existing = match self {
            Self::Update {
                renamed_from: Some(name),
                ..
            } => Some(Existing {
                names: group_name(name),
                user: None,
            }),
            _ => None,
        };
        Box::pin(std::future::ready(Ok(existing)))
    }

    fn rename<'r>(
        &'r self,
        run: &'r Run,
        _: &'r Existing,
        names: &'r Names,
    ) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(async move {
            if let (Self::Update { id, .. }, Some(name)) = (self, names.get(&NameKind::GroupName)) {
                let patch: PatchOp = PatchOperation::replace("displayName", name.as_str()).into();
                retry_undecodable(|| async { run.scim.groups().patch(id, &patch).await }).await?;
            }
            Ok(())
        })
    }
}

fn group_name(name: &str) -> Names {
    [(NameKind::GroupName, name.to_owned())].into()
}

/// The changes to one existing group. They need several requests if there are many members.
#[derive(Default)]
struct GroupPatch {
    /// The current name, if the group is renamed.
    renamed_from: Option<String>,
    /// Whether the group gets the source's id.
    adopts: bool,
    add: Vec<ResourceId>,
    remove: Vec<ResourceId>,
    /// The current managed members, if the cached state does not have them yet.
    present: Vec<ResourceId>,
}

/// A group of the target, for a write.
#[derive(Clone, Copy)]
struct Written<'a> {
    id: &'a ResourceId,
    external_id: &'a ExternalId,
    name: &'a str,
    /// Whether the group existed before, without the source's id.
    adopted: bool,
}

/// A kind of change of memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemberChange {
    Add,
    Remove,
}

impl Run {
    /// Applies one change of a group.
    async fn apply_group_change(&self, change: &GroupChange) -> Result<(), ScimError> {
        match change {
            GroupChange::Create {
                external_id,
                name,
                members,
            } => {
                let members = self.member_ids(name, members);
                self.create_group(external_id, name, &members).await
            }
            GroupChange::Update {
                id,
                external_id,
                name,
                renamed_from,
                adopts,
                add,
                remove,
            } => {
                let present = self.prepared.adopted_members.get(id);
                let add = self.member_ids(name, add);
                let patch = GroupPatch {
                    renamed_from: renamed_from.clone(),
                    adopts: *adopts,
                    remove: without(remove, &add),
                    add,
                    present: self.managed_among(present.into_iter().flatten()),
                };
                let group = Written {
                    id,
                    external_id,
                    name,
                    adopted: *adopts,
                };
                self.patch_group(group, patch).await
            }
            GroupChange::Delete(removed) => {
                match retry_undecodable(|| async { self.scim.groups().delete(&removed.id).await })
                    .await
                {
                    Err(error) if !error.is_not_found() => return Err(error),
                    _ => self.lock().state.remove_group(&removed.id),
                }
                Ok(())
            }
        }
    }

    /// Sends the removals of members that were not sent with the change of their group: the change failed, or the run stopped
    /// before it. A removal does not wait for additions, renames or other users.
    ///
    /// Sends nothing if the target rejects the token, and stops after several transient failures in a row.
    pub(super) async fn remove_remaining_members(&self, changes: &[&GroupChange]) {
        let mut failures = 0;
        for change in changes {
            let GroupChange::Update {
                id,
                external_id,
                name,
                renamed_from,
                add,
                remove,
                ..
            } = change
            else {
                continue;
            };
            let remaining = {
                let inner = self.lock();
                let added: Vec<ResourceId> = add
                    .iter()
                    .filter_map(|member| inner.id_of(member))
                    .collect();
                let mut remaining = without(remove, &added);
                remaining
                    .retain(|user| !inner.removed_members.contains(&(id.clone(), user.clone())));
                if inner.token_rejected {
                    remaining.clear();
                }
                drop(inner);
                if !self.is_cached(id) {
                    remaining.clear();
                }
                remaining
            };
            let cached = self.lock().state.groups.get(external_id).cloned();
            let group = Written {
                id,
                external_id,
                // If the rename failed, the group still has the old name.
                name: cached.as_ref().map_or_else(
                    || renamed_from.as_deref().unwrap_or(name),
                    |cached| &cached.name,
                ),
                adopted: false,
            };
            let limit = self.member_limit();
            for users in remaining.chunks(limit) {
                match self
                    .change_members(group, MemberChange::Remove, users)
                    .await
                {
                    Ok(()) => failures = 0,
                    // A group that does not exist has no members.
                    Err(_) if !self.is_cached(id) => break,
                    Err(error) => {
                        failures += 1;
                        self.fail_members(group, MemberChange::Remove, users, &error);
                    }
                }
                if failures >= MAX_CONSECUTIVE_FAILURES {
                    return;
                }
            }
        }
    }

    /// Adds users that this run has created again to the groups of their deleted accounts, except to groups that they leave.
    pub(super) async fn restore_memberships(&self, changes: &[&GroupChange]) {
        let leaves = |group: &ExternalId, user: &ResourceId| {
            changes.iter().any(|change| match change {
                GroupChange::Update {
                    external_id,
                    remove,
                    ..
                } => external_id == group && remove.iter().any(|member| member.id == *user),
                _ => false,
            })
        };
        let mut by_group: BTreeMap<ExternalId, Vec<ResourceId>> = BTreeMap::new();
        {
            let inner = self.lock();
            for (external_id, recreated) in &inner.recreated {
                let Some(id) = inner.created_ids.get(external_id) else {
                    continue;
                };
                let groups = recreated.groups.iter();
                for group in groups.filter(|group| !leaves(group, &recreated.deleted)) {
                    by_group.entry(group.clone()).or_default().push(id.clone());
                }
            }
        }
        for (external_id, mut users) in by_group {
            let Some(cached) = self.lock().state.groups.get(&external_id).cloned() else {
                continue;
            };
            users.retain(|user| !cached.members.contains(user));
            let group = Written {
                id: &cached.id,
                external_id: &external_id,
                name: &cached.name,
                adopted: false,
            };
            for users in users.chunks(self.member_limit()) {
                if let Err(error) = self.change_members(group, MemberChange::Add, users).await {
                    self.fail_members(group, MemberChange::Add, users, &error);
                }
            }
        }
    }

    /// Returns whether the cached state has the group: it lacks a group that the target no longer has.
    fn is_cached(&self, id: &ResourceId) -> bool {
        let inner = self.lock();
        inner.state.groups.values().any(|group| group.id == *id)
    }

    /// Returns the maximum number of member changes in one request.
    fn member_limit(&self) -> usize {
        let limit = self.scim.dialect().rules().max_member_changes;
        limit.unwrap_or(usize::MAX).max(1)
    }

    /// Returns the target ids of members. Members that could not be written are reported.
    fn member_ids(&self, group: &str, members: &[Member]) -> Vec<ResourceId> {
        let mut inner = self.lock();
        let mut ids = Vec::with_capacity(members.len());
        for member in members {
            match inner.id_of(member) {
                Some(id) => ids.push(id),
                None => inner.report.failed_memberships.push(FailedMembership {
                    group: group.to_owned(),
                    user: member.name.clone(),
                    external_id: Some(member.external_id.clone()),
                    removal: false,
                    response: None,
                    ids: None,
                }),
            }
        }
        ids
    }

    /// Creates a group, or adopts an existing group with the same id or name.
    async fn create_group(
        &self,
        external_id: &ExternalId,
        name: &str,
        members: &[ResourceId],
    ) -> Result<(), ScimError> {
        let rules = self.scim.dialect().rules();
        let first = rules.groups.max_members.unwrap_or(members.len());
        let (mut first, mut rest) = members.split_at(first.min(members.len()));
        let mut group = Group {
            external_id: Some(external_id.clone()),
            members: first.iter().cloned().map(Reference::to).collect(),
            ..Group::new(name)
        };
        let mut attempts_left = MAX_WRITE_ATTEMPTS;
        let created = loop {
            attempts_left -= 1;
            match self.scim.groups().create_or_adopt(&group).await {
                Err(error) if error.may_have_acted() && attempts_left > 0 => {}
                // One of the members may be the reason: they are added one request later.
                Err(error) if is_refused(&error) && !first.is_empty() => {
                    group.members.clear();
                    (first, rest) = (&[], members);
                    attempts_left = MAX_WRITE_ATTEMPTS;
                }
                Err(error) => return Err(error),
                Ok(Created::Adopted(found)) if found.external_id.as_ref() != Some(external_id) => {
                    // The reviewed plan does not name the members, which would get the access of the group. The next run reads the
                    // whole target and plans the adoption.
                    self.lock().uncertain = true;
                    break Created::New(self.scim.groups().create(&group).await?);
                }
                Ok(created) => break created,
            }
        };
        match created {
            Created::New(answer) => {
                let Some(id) = answer.id else {
                    // The next run reads the group, and adds its other members.
                    self.lock().uncertain = true;
                    return Ok(());
                };
                let group = Written {
                    id: &id,
                    external_id,
                    name,
                    adopted: false,
                };
                self.cache_group(group, first, &[]);
                if answer.display_name.is_some() && answer.external_id.is_none() {
                    let mut inner = self.lock();
                    inner.note_not_kept("externalId of groups");
                    let cached = inner.state.groups.get_mut(external_id);
                    if let Some(cached) = cached {
                        cached.drops_id = true;
                    }
                }
                self.lock().report.done.members_added += first.len();
                let patch = GroupPatch {
                    add: rest.to_vec(),
                    ..GroupPatch::default()
                };
                self.patch_group(group, patch).await
            }
            Created::Adopted(found) => {
                let Some(id) = found.id else {
                    self.lock().uncertain = true;
                    return Ok(());
                };
                let present = target::members_of(&self.scim, &id).await?;
                let managed = self.managed_among(present.iter());
                let group = Written {
                    id: &id,
                    external_id,
                    name,
                    adopted: false,
                };
                self.cache_group(group, &managed, &[]);
                let current = found.display_name.map(|name| name.to_string());
                let patch = GroupPatch {
                    renamed_from: current.filter(|current| current != name),
                    adopts: false,
                    add: members
                        .iter()
                        .filter(|id| !present.contains(id))
                        .cloned()
                        .collect(),
                    // The plan has not seen the members, so it removes none. The next plan names those that leave.
                    ..GroupPatch::default()
                };
                self.patch_group(group, patch).await
            }
        }
    }

    /// Returns the managed users among `users`.
    fn managed_among<'u>(&self, users: impl Iterator<Item = &'u ResourceId>) -> Vec<ResourceId> {
        let mut users = users.peekable();
        if users.peek().is_none() {
            return Vec::new();
        }
        let inner = self.lock();
        let managed: BTreeSet<&ResourceId> =
            inner.state.users.values().map(|user| &user.id).collect();
        users.filter(|id| managed.contains(id)).cloned().collect()
    }

    /// Sends the changes in as few requests as the dialect allows. Each request is idempotent.
    ///
    /// If the target refuses a request, its parts are sent one by one, so that a part does not wait for another one.
    async fn patch_group(
        &self,
        mut group: Written<'_>,
        mut patch: GroupPatch,
    ) -> Result<(), ScimError> {
        let rules = self.scim.dialect().rules();
        let limit = self.member_limit();
        let mut attributes: Vec<PatchOperation> = Vec::new();
        if patch.renamed_from.is_some() {
            attributes.push(PatchOperation::replace("displayName", group.name));
        }
        if patch.adopts {
            let id = group.external_id.as_str();
            attributes.push(PatchOperation::replace("externalId", id));
        }
        if !rules.mixed_group_patch && !attributes.is_empty() {
            self.send_patch(group.id, std::mem::take(&mut attributes))
                .await?;
        }
        let present = std::mem::take(&mut patch.present);
        let mut present = Some(present).filter(|present| !present.is_empty());
        let mut failed = None;
        while !attributes.is_empty() || !patch.add.is_empty() || !patch.remove.is_empty() {
            let added: Vec<ResourceId> = patch.add.drain(..patch.add.len().min(limit)).collect();
            let room = if rules.mixed_group_patch {
                limit - added.len()
            } else if added.is_empty() {
                limit
            } else {
                0
            };
            let removed: Vec<ResourceId> =
                patch.remove.drain(..patch.remove.len().min(room)).collect();
            let changes = std::mem::take(&mut attributes);
            let mut operations = changes.clone();
            operations.extend(self.member_operations(MemberChange::Add, &added));
            operations.extend(self.member_operations(MemberChange::Remove, &removed));
            let sent = self.send_patch(group.id, operations).await;
            // The current members are cached only when the group has its new external id, and before removed members
            // leave the cached state.
            if sent.is_ok()
                && let Some(present) = present.take()
            {
                self.cache_group(group, &present, &[]);
            }
            let Err(error) = sent else {
                self.finish_members(group, MemberChange::Add, &added);
                self.finish_members(group, MemberChange::Remove, &removed);
                continue;
            };
            if !is_refused(&error)
                || !self.group_exists(group.id).await?
                || (added.is_empty() && removed.is_empty())
            {
                return Err(error);
            }
            if !changes.is_empty()
                && let Err(error) = self.send_patch(group.id, changes).await
            {
                // Without its external id, the group is not adopted, and keeps its members.
                if patch.adopts {
                    return Err(error);
                }
                group.name = patch.renamed_from.as_deref().unwrap_or(group.name);
                failed = Some(error);
            }
            if let Some(present) = present.take() {
                self.cache_group(group, &present, &[]);
            }
            self.change_members(group, MemberChange::Add, &added)
                .await?;
            self.change_members(group, MemberChange::Remove, &removed)
                .await?;
        }
        // The loop sends nothing if no attributes and no member changes are left; the group must be cached anyway.
        self.cache_group(group, &present.unwrap_or_default(), &[]);
        failed.map_or(Ok(()), Err)
    }

    /// Sends one `PATCH` of a group.
    async fn send_patch(
        &self,
        id: &ResourceId,
        operations: Vec<PatchOperation>,
    ) -> Result<(), ScimError> {
        let patch = PatchOp::new(operations);
        self.count_write();
        retry_undecodable(|| async { self.scim.groups().patch(id, &patch).await }).await?;
        Ok(())
    }

    /// Reads whether the group exists. A missing group leaves the cached state, so the next run creates it again.
    async fn group_exists(&self, id: &ResourceId) -> Result<bool, ScimError> {
        let exists = self.scim.groups().get_opt(id).await?.is_some();
        if !exists {
            self.lock().state.remove_group(id);
        }
        Ok(exists)
    }

    /// Adds members or removes them, in one request if the target takes it.
    ///
    /// If the target refuses the request, users that do not exist are left out, and the rest is sent again in halves down to
    /// one user. A user that is refused alone is reported.
    fn change_members<'r>(
        &'r self,
        group: Written<'r>,
        change: MemberChange,
        users: &'r [ResourceId],
    ) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(async move {
            let Err(refusal) = self.send_members(group, change, users).await else {
                return Ok(());
            };
            if !is_refused(&refusal) {
                return Err(refusal);
            }
            let missing = self.missing_among(users).await?;
            let (missing, present): (Vec<ResourceId>, Vec<ResourceId>) = users
                .iter()
                .cloned()
                .partition(|user| missing.contains(user));
            match change {
                MemberChange::Add => self.fail_members(group, change, &missing, &refusal),
                // A user that does not exist is in no group.
                MemberChange::Remove => self.finish_members(group, change, &missing),
            }
            for user in &missing {
                // The next run creates the user again.
                self.lock().state.remove_user(user);
            }
            if missing.is_empty() {
                if !self.group_exists(group.id).await? {
                    return Err(refusal);
                }
                self.halve(group, change, &present, refusal).await
            } else {
                self.send_or_halve(group, change, &present).await
            }
        })
    }

    /// Sends a member change of users that exist. If the target refuses it, sends it in halves.
    fn send_or_halve<'r>(
        &'r self,
        group: Written<'r>,
        change: MemberChange,
        users: &'r [ResourceId],
    ) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(async move {
            match self.send_members(group, change, users).await {
                Err(refusal) if is_refused(&refusal) => {
                    self.halve(group, change, users, refusal).await
                }
                result => result,
            }
        })
    }

    /// Sends the halves of a refused member change. Reports the user if there is only one.
    async fn halve(
        &self,
        group: Written<'_>,
        change: MemberChange,
        users: &[ResourceId],
        refusal: ScimError,
    ) -> Result<(), ScimError> {
        if users.len() < 2 {
            self.fail_members(group, change, users, &refusal);
            return Ok(());
        }
        let (first, second) = users.split_at(users.len() / 2);
        self.send_or_halve(group, change, first).await?;
        self.send_or_halve(group, change, second).await
    }

    /// Sends one member change, and records it.
    async fn send_members(
        &self,
        group: Written<'_>,
        change: MemberChange,
        users: &[ResourceId],
    ) -> Result<(), ScimError> {
        let operations = self.member_operations(change, users);
        if operations.is_empty() {
            return Ok(());
        }
        self.send_patch(group.id, operations).await?;
        self.finish_members(group, change, users);
        Ok(())
    }

    /// Records a member change that was written.
    fn finish_members(&self, group: Written<'_>, change: MemberChange, users: &[ResourceId]) {
        match change {
            MemberChange::Add => self.cache_group(group, users, &[]),
            MemberChange::Remove => self.cache_group(group, &[], users),
        }
        let mut inner = self.lock();
        match change {
            MemberChange::Add => inner.report.done.members_added += users.len(),
            MemberChange::Remove => {
                inner.report.done.members_removed += users.len();
                let removed = users.iter().map(|user| (group.id.clone(), user.clone()));
                inner.removed_members.extend(removed);
            }
        }
    }

    /// Reports memberships that could not be changed. A removal that was refused is not sent again in this run.
    fn fail_members(
        &self,
        group: Written<'_>,
        change: MemberChange,
        users: &[ResourceId],
        error: &ScimError,
    ) {
        let mut inner = self.lock();
        let removal = change == MemberChange::Remove;
        for user in users {
            let external_id = inner.external_id_of(user);
            let name = external_id.as_ref().map(|id| self.name_of(id));
            inner.report.failed_memberships.push(FailedMembership {
                group: group.name.to_owned(),
                user: name.unwrap_or_else(|| user.to_string()),
                external_id,
                removal,
                response: Some(error.response()),
                ids: Some((group.id.clone(), user.clone())),
            });
            if removal {
                let key = (group.id.clone(), user.clone());
                inner.removed_members.insert(key);
            }
        }
        // Whether a lost request was processed is unknown.
        inner.uncertain |= !is_refused(error);
    }

    /// Returns the patch operations that change members, in the form that the dialect requires.
    fn member_operations(&self, change: MemberChange, users: &[ResourceId]) -> Vec<PatchOperation> {
        match (change, self.scim.dialect().rules().member_removal) {
            _ if users.is_empty() => Vec::new(),
            (MemberChange::Add, _) => vec![PatchOperation::add_members(users)],
            (MemberChange::Remove, MemberRemoval::ByFilter) => {
                users.iter().map(PatchOperation::remove_member).collect()
            }
            (MemberChange::Remove, MemberRemoval::ByList) => {
                vec![PatchOperation::remove_listed_members(users)]
            }
        }
    }

    /// Reads which of the users do not exist in the target.
    async fn missing_among(&self, users: &[ResourceId]) -> Result<BTreeSet<ResourceId>, ScimError> {
        let reads = users.iter().map(|user| async move {
            let found = self.scim.users().get_opt(user).await?;
            Ok::<_, ScimError>(found.is_none().then(|| user.clone()))
        });
        let reads: Vec<_> = reads.collect();
        let found: Vec<Option<ResourceId>> = futures::stream::iter(reads)
            .buffer_unordered(target::concurrency(&self.scim))
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Updates the cached state of a group after a write.
    fn cache_group(&self, written: Written<'_>, added: &[ResourceId], removed: &[ResourceId]) {
        let mut inner = self.lock();
        let groups = &mut inner.state.groups;
        let before = groups.values().find(|group| group.id == *written.id);
        let adopted = before.map_or(written.adopted, |group| group.adopted);
        if !groups.contains_key(written.external_id) {
            // An adopted group may be cached under another external id.
            groups.retain(|_, group| group.id != *written.id);
        }
        let group = groups
            .entry(written.external_id.clone())
            .or_insert_with(|| CachedGroup {
                id: written.id.clone(),
                name: written.name.to_owned(),
                members: BTreeSet::new(),
                drops_id: false,
                adopted,
            });
        group.id.clone_from(written.id);
        written.name.clone_into(&mut group.name);
        group.members.extend(added.iter().cloned());
        for id in removed {
            group.members.remove(id);
        }
    }
}

/// Returns the users that are not added too. A user recreated in the source keeps its account, so one id can be both added
/// and removed.
fn without(remove: &[RemovedMember], add: &[ResourceId]) -> Vec<ResourceId> {
    let add: HashSet<&ResourceId> = add.iter().collect();
    let remove = remove.iter().map(|member| &member.id);
    remove.filter(|id| !add.contains(id)).cloned().collect()
}

/// Returns whether the target has refused the request for its content: its parts may be accepted alone.
fn is_refused(error: &ScimError) -> bool {
    let refused = matches!(error.status(), Some(400..=499)) && error.error_response().is_some();
    refused && !error.is_conflict() && !matches!(error.status(), Some(401 | 403 | 429))
}
