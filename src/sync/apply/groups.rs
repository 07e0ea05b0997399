//! Writes one group and its members.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use scim_client::{Created, Error as ScimError, MemberRemoval};
use scim_types::{ExternalId, Group, PatchOp, PatchOperation, Reference, ResourceId};

use super::run::{Change, Existing, MAX_WRITE_ATTEMPTS, Run, retry_undecodable};
use crate::sync::{
    name_conflicts::{NameKind, Names},
    plan::{Counts, GroupChange, Member},
    state::CachedGroup,
    target,
};

impl Change for GroupChange {
    fn write<'r>(&'r self, run: &'r Run) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.apply_group_change(self))
    }

    fn description(&self) -> String {
        Self::description(self)
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
    name: Option<String>,
    external_id: Option<ExternalId>,
    add: Vec<ResourceId>,
    remove: Vec<ResourceId>,
    /// The current managed members, if the cached state does not have them yet.
    present: Vec<ResourceId>,
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
                    name: renamed_from.is_some().then(|| name.clone()),
                    external_id: adopts.then(|| external_id.clone()),
                    // A user recreated in the source keeps its account, so one id can be both added and removed.
                    remove: remove
                        .iter()
                        .filter(|id| !add.contains(id))
                        .cloned()
                        .collect(),
                    add,
                    present: self.managed_among(present.into_iter().flatten()),
                };
                self.patch_group(id, external_id, name, patch).await
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

    /// Returns the target ids of members. Members that could not be written are omitted and reported.
    fn member_ids(&self, group: &str, members: &[Member]) -> Vec<ResourceId> {
        let mut inner = self.lock();
        let mut ids = Vec::with_capacity(members.len());
        let mut omitted = Vec::new();
        for member in members {
            let id = member
                .id
                .as_ref()
                .or_else(|| inner.created_ids.get(&member.external_id))
                // A resumed run finds users that were created before the interruption in the state.
                .or_else(|| {
                    let cached = inner.state.users.get(&member.external_id);
                    cached.map(|user| &user.id)
                });
            match id {
                Some(id) => ids.push(id.clone()),
                None => omitted.push(format!(
                    "user {} was not added to group {group}, because the user could not be written",
                    member.external_id
                )),
            }
        }
        inner.report.omitted_memberships.extend(omitted);
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
        let (first, rest) = members.split_at(first.min(members.len()));
        let group = Group {
            external_id: Some(external_id.clone()),
            members: first.iter().cloned().map(Reference::to).collect(),
            ..Group::new(name)
        };
        let mut attempts_left = MAX_WRITE_ATTEMPTS;
        let created = loop {
            attempts_left -= 1;
            match self.scim.groups().create_or_adopt(&group).await {
                Err(error) if error.may_have_acted() && attempts_left > 0 => {}
                Err(error) => {
                    if error.is_not_found() {
                        self.uncache_missing_users(first).await?;
                    }
                    return Err(error);
                }
                Ok(created) => break created,
            }
        };
        match created {
            Created::New(group) => {
                let Some(id) = group.id else {
                    return Ok(());
                };
                self.cache_group(&id, external_id, name, first, &[]);
                self.lock().report.done.members_added += first.len();
                let patch = GroupPatch {
                    add: rest.to_vec(),
                    ..GroupPatch::default()
                };
                self.patch_group(&id, external_id, name, patch).await
            }
            Created::Adopted(found) => {
                let Some(id) = found.id else {
                    return Ok(());
                };
                let present = target::members_of(&self.scim, &id).await?;
                let managed = self.managed_among(present.iter());
                self.cache_group(&id, external_id, name, &managed, &[]);
                let wanted: BTreeSet<&ResourceId> = members.iter().collect();
                let renamed = found.display_name.as_deref() != Some(name);
                let adopted = found.external_id.as_ref() != Some(external_id);
                let patch = GroupPatch {
                    name: renamed.then(|| name.to_owned()),
                    external_id: adopted.then(|| external_id.clone()),
                    add: members
                        .iter()
                        .filter(|id| !present.contains(id))
                        .cloned()
                        .collect(),
                    // Unmanaged members are kept.
                    remove: managed
                        .into_iter()
                        .filter(|id| !wanted.contains(id))
                        .collect(),
                    present: Vec::new(),
                };
                self.patch_group(&id, external_id, name, patch).await
            }
        }
    }

    /// Returns the managed users among `users`.
    fn managed_among<'u>(&self, users: impl Iterator<Item = &'u ResourceId>) -> Vec<ResourceId> {
        let inner = self.lock();
        let managed: BTreeSet<&ResourceId> =
            inner.state.users.values().map(|user| &user.id).collect();
        users.filter(|id| managed.contains(id)).cloned().collect()
    }

    /// Sends the changes in as few requests as the dialect allows. Each request is idempotent.
    async fn patch_group(
        &self,
        id: &ResourceId,
        external_id: &ExternalId,
        name: &str,
        mut patch: GroupPatch,
    ) -> Result<(), ScimError> {
        let rules = self.scim.dialect().rules();
        let limit = rules.max_member_changes.unwrap_or(usize::MAX).max(1);
        let mut attributes: Vec<PatchOperation> = Vec::new();
        attributes.extend(
            patch
                .name
                .take()
                .map(|name| PatchOperation::replace("displayName", name)),
        );
        attributes.extend(
            patch
                .external_id
                .take()
                .map(|id| PatchOperation::replace("externalId", id.as_str())),
        );
        if !rules.mixed_group_patch && !attributes.is_empty() {
            self.send_patch(id, std::mem::take(&mut attributes), &[])
                .await?;
        }
        let present = std::mem::take(&mut patch.present);
        let mut present = Some(present).filter(|present| !present.is_empty());
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
            let mut operations = std::mem::take(&mut attributes);
            if !added.is_empty() {
                operations.push(PatchOperation::add_members(&added));
            }
            if !removed.is_empty() {
                operations.extend(member_removals(rules.member_removal, &removed));
            }
            self.send_patch(id, operations, &added).await?;
            // The current members are cached only when the group has its new external id, and before removed members
            // leave the cached state.
            if let Some(present) = present.take() {
                self.cache_group(id, external_id, name, &present, &[]);
            }
            self.cache_group(id, external_id, name, &added, &removed);
            let done = &mut self.lock().report.done;
            done.members_added += added.len();
            done.members_removed += removed.len();
        }
        // The loop sends nothing if no attributes and no member changes are left; the group must be cached anyway.
        self.cache_group(id, external_id, name, &present.unwrap_or_default(), &[]);
        Ok(())
    }

    /// Sends one `PATCH`. If the target returns 404, removes the missing group or users from the cached state.
    async fn send_patch(
        &self,
        id: &ResourceId,
        operations: Vec<PatchOperation>,
        added: &[ResourceId],
    ) -> Result<(), ScimError> {
        let patch = PatchOp::new(operations);
        self.count_write();
        let result =
            retry_undecodable(|| async { self.scim.groups().patch(id, &patch).await }).await;
        if result.as_ref().is_err_and(ScimError::is_not_found) {
            // The group or one of the added users does not exist. The next run creates it again.
            if self.scim.groups().get_opt(id).await?.is_none() {
                self.lock().state.remove_group(id);
            } else {
                self.uncache_missing_users(added).await?;
            }
        }
        result.map(|_| ())
    }

    /// Removes users that no longer exist in the target from the cached state.
    async fn uncache_missing_users(&self, users: &[ResourceId]) -> Result<(), ScimError> {
        for id in users {
            if self.scim.users().get_opt(id).await?.is_none() {
                self.lock().state.remove_user(id);
            }
        }
        Ok(())
    }

    /// Updates the cached state of a group after a write.
    fn cache_group(
        &self,
        id: &ResourceId,
        external_id: &ExternalId,
        name: &str,
        added: &[ResourceId],
        removed: &[ResourceId],
    ) {
        let mut inner = self.lock();
        let groups = &mut inner.state.groups;
        if !groups.contains_key(external_id) {
            // An adopted group may be cached under another external id.
            groups.retain(|_, group| group.id != *id);
        }
        let group = groups
            .entry(external_id.clone())
            .or_insert_with(|| CachedGroup {
                id: id.clone(),
                name: name.to_owned(),
                members: BTreeSet::new(),
            });
        group.id.clone_from(id);
        name.clone_into(&mut group.name);
        group.members.extend(added.iter().cloned());
        for id in removed {
            group.members.remove(id);
        }
    }
}

/// Returns the patch operations that remove members, in the form that the dialect requires.
fn member_removals(form: MemberRemoval, ids: &[ResourceId]) -> Vec<PatchOperation> {
    match form {
        MemberRemoval::ByFilter => ids.iter().map(PatchOperation::remove_member).collect(),
        MemberRemoval::ByList => vec![PatchOperation::remove_listed_members(ids)],
    }
}
