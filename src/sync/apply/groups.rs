//! Writing one group and who is in it.

use scim_client::{Created, MemberRemoval};
use scim_types::{Group, Reference};

use super::{
    BTreeSet, ExternalId, GroupChange, PatchOp, PatchOperation, ResourceId, Run, ScimError, TRIES,
    retry_undecodable, target,
};
use crate::sync::{plan::Member, state::CachedGroup};

/// What is written about a group: in one request, or in as many as its members need.
#[derive(Default)]
struct Writes {
    name: Option<String>,
    external_id: Option<ExternalId>,
    add: Vec<ResourceId>,
    remove: Vec<ResourceId>,
    /// Who is in it, if that is not remembered yet.
    present: Vec<ResourceId>,
}

impl Run<'_> {
    pub(super) async fn group(&self, change: &GroupChange) -> Result<(), ScimError> {
        match change {
            GroupChange::Create {
                external_id,
                name,
                members,
            } => {
                let members = self.resolve(name, members);
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
                present,
            } => {
                let add = self.resolve(name, add);
                let writes = Writes {
                    name: renamed_from.is_some().then(|| name.clone()),
                    external_id: adopts.then(|| external_id.clone()),
                    // One who was made anew in the source has the account of before, and is both.
                    remove: remove
                        .iter()
                        .filter(|id| !add.contains(id))
                        .cloned()
                        .collect(),
                    add,
                    present: self.ours(present.0.iter().flatten()),
                };
                self.write_group(id, external_id, name, writes).await
            }
            GroupChange::Delete(gone) => {
                match retry_undecodable(|| async { self.scim.groups().delete(&gone.id).await })
                    .await
                {
                    Err(error) if !error.is_not_found() => return Err(error),
                    _ => self.lock().state.forget_group(&gone.id),
                }
                Ok(())
            }
        }
    }

    /// The ids of members; who could not be written is left out and reported.
    fn resolve(&self, group: &str, members: &[Member]) -> Vec<ResourceId> {
        let mut inner = self.lock();
        let mut ids = Vec::with_capacity(members.len());
        let mut left_out = Vec::new();
        for member in members {
            let id = member
                .id
                .as_ref()
                .or_else(|| inner.made.get(&member.external_id))
                // A run that goes on after an error knows who was made before it.
                .or_else(|| {
                    let known = inner.state.users.get(&member.external_id);
                    known.map(|user| &user.id)
                });
            match id {
                Some(id) => ids.push(id.clone()),
                None => left_out.push(format!(
                    "user {} is not in group {group}, because the user could not be written",
                    member.external_id
                )),
            }
        }
        inner.report.members_left_out.extend(left_out);
        ids
    }

    async fn create_group(
        &self,
        external_id: &ExternalId,
        name: &str,
        members: &[ResourceId],
    ) -> Result<(), ScimError> {
        let rules = self.scim.dialect().rules();
        let first = rules.groups.max_members.unwrap_or(members.len());
        let (first, rest) = members.split_at(first.min(members.len()));
        let wanted = Group {
            external_id: Some(external_id.clone()),
            members: first.iter().cloned().map(Reference::to).collect(),
            ..Group::new(name)
        };
        let mut left = TRIES;
        let created = loop {
            left -= 1;
            match self.scim.groups().create_or_adopt(&wanted).await {
                Err(error) if error.may_have_acted() && left > 0 => {}
                Err(error) => {
                    if error.is_not_found() {
                        self.forget_missing(first).await?;
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
                self.remember_group(&id, external_id, name, first, &[]);
                self.lock().report.done.members_added += first.len();
                let writes = Writes {
                    add: rest.to_vec(),
                    ..Writes::default()
                };
                self.write_group(&id, external_id, name, writes).await
            }
            Created::Adopted(found) => {
                let Some(id) = found.id else {
                    return Ok(());
                };
                let present = target::members_of(self.scim, &id).await?;
                let ours = self.ours(present.iter());
                self.remember_group(&id, external_id, name, &ours, &[]);
                let wanted: BTreeSet<&ResourceId> = members.iter().collect();
                let renamed = found.display_name.as_deref() != Some(name);
                let adopted = found.external_id.as_ref() != Some(external_id);
                let writes = Writes {
                    name: renamed.then(|| name.to_owned()),
                    external_id: adopted.then(|| external_id.clone()),
                    add: members
                        .iter()
                        .filter(|id| !present.contains(id))
                        .cloned()
                        .collect(),
                    // Whom others have put there stays.
                    remove: ours.into_iter().filter(|id| !wanted.contains(id)).collect(),
                    present: Vec::new(),
                };
                self.write_group(&id, external_id, name, writes).await
            }
        }
    }

    /// Those of some users whom this sync manages.
    fn ours<'u>(&self, users: impl Iterator<Item = &'u ResourceId>) -> Vec<ResourceId> {
        let inner = self.lock();
        let ours: BTreeSet<&ResourceId> = inner.state.users.values().map(|user| &user.id).collect();
        users.filter(|id| ours.contains(id)).cloned().collect()
    }

    /// Writes in as few requests as the dialect takes; each may be sent again.
    async fn write_group(
        &self,
        id: &ResourceId,
        external_id: &ExternalId,
        name: &str,
        mut writes: Writes,
    ) -> Result<(), ScimError> {
        let rules = self.scim.dialect().rules();
        let limit = rules.max_member_changes.unwrap_or(usize::MAX).max(1);
        let mut attributes: Vec<PatchOperation> = Vec::new();
        attributes.extend(
            writes
                .name
                .take()
                .map(|name| PatchOperation::replace("displayName", name)),
        );
        attributes.extend(
            writes
                .external_id
                .take()
                .map(|id| PatchOperation::replace("externalId", id.as_str())),
        );
        if !rules.mixed_group_patch && !attributes.is_empty() {
            self.patch_group(id, std::mem::take(&mut attributes), &[])
                .await?;
        }
        let present = std::mem::take(&mut writes.present);
        let mut present = Some(present).filter(|present| !present.is_empty());
        while !attributes.is_empty() || !writes.add.is_empty() || !writes.remove.is_empty() {
            let added: Vec<ResourceId> = writes.add.drain(..writes.add.len().min(limit)).collect();
            let room = if rules.mixed_group_patch {
                limit - added.len()
            } else if added.is_empty() {
                limit
            } else {
                0
            };
            let removed: Vec<ResourceId> = writes
                .remove
                .drain(..writes.remove.len().min(room))
                .collect();
            let mut operations = std::mem::take(&mut attributes);
            if !added.is_empty() {
                operations.push(PatchOperation::add_members(&added));
            }
            if !removed.is_empty() {
                operations.extend(removal(rules.member_removal, &removed));
            }
            self.patch_group(id, operations, &added).await?;
            // Before the first removal is forgotten, and not before the group is known under this id.
            if let Some(present) = present.take() {
                self.remember_group(id, external_id, name, &present, &[]);
            }
            self.remember_group(id, external_id, name, &added, &removed);
            let done = &mut self.lock().report.done;
            done.members_added += added.len();
            done.members_removed += removed.len();
        }
        // Nothing may have been left to write about a group that was made empty.
        self.remember_group(id, external_id, name, &present.unwrap_or_default(), &[]);
        Ok(())
    }

    async fn patch_group(
        &self,
        id: &ResourceId,
        operations: Vec<PatchOperation>,
        added: &[ResourceId],
    ) -> Result<(), ScimError> {
        let patch = PatchOp::new(operations);
        let result =
            retry_undecodable(|| async { self.scim.groups().patch(id, &patch).await }).await;
        if result.as_ref().is_err_and(ScimError::is_not_found) {
            // Either the group is gone or one of those who were to be put into it: the next run makes what is missing.
            if self.scim.groups().get_opt(id).await?.is_none() {
                self.lock().state.forget_group(id);
            } else {
                self.forget_missing(added).await?;
            }
        }
        result.map(|_| ())
    }

    /// Forgets those users whom the target does not have any more.
    async fn forget_missing(&self, users: &[ResourceId]) -> Result<(), ScimError> {
        for id in users {
            if self.scim.users().get_opt(id).await?.is_none() {
                self.lock().state.forget_user(id);
            }
        }
        Ok(())
    }

    fn remember_group(
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
            // One that was known under another id of the source is known under this one alone.
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

fn removal(form: MemberRemoval, ids: &[ResourceId]) -> Vec<PatchOperation> {
    match form {
        MemberRemoval::ByFilter => ids.iter().map(PatchOperation::remove_member).collect(),
        MemberRemoval::ByList => vec![PatchOperation::remove_listed_members(ids)],
    }
}
