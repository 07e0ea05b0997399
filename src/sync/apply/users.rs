//! Writes one user.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use scim_client::{Created, Error as ScimError};
use scim_types::{
    ExternalId, PatchOp, PatchOperation, Resource as _, ResourceId, User, filter::Filter,
};

use super::run::{Change, Existing, MAX_WRITE_ATTEMPTS, Recreated, Run, retry_undecodable};
use crate::{
    sync::{
        name_conflicts::{NameKind, Names},
        plan::{Counts, RemovedPrincipal, UserChange},
        planner::no_sign_in,
        profile::{UserProfile, kept_digest},
        report::ACTIVE,
        state::{CachedUser, SyncState},
        target,
    },
    user_attribute::Attribute,
};

impl Change for UserChange {
    fn write<'r>(&'r self, run: &'r Run) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.apply_user_change(self))
    }

    fn description(&self) -> String {
        Self::description(self)
    }

    fn no_sign_in(&self, state: &SyncState) -> Option<String> {
        let Self::Update {
            external_id,
            before,
            profile,
            ..
        } = self
        else {
            return None;
        };
        let before = before.as_ref().map(|before| before.user_name.as_str());
        let is_renamed = match (before, state.users.get(external_id)) {
            (Some(before), _) => before != profile.user_name,
            (None, Some(cached)) => cached.keys.user_name != profile.keys().user_name,
            (None, None) => false,
        };
        (is_renamed && profile.active).then(|| no_sign_in(before, &profile.user_name))
    }

    fn count(&self, done: &mut Counts) {
        match self {
            Self::Create { .. } => done.users_created += 1,
            Self::Delete(_) => done.users_deleted += 1,
            _ if self.removes() => done.users_deactivated += 1,
            _ => done.users_updated += 1,
        }
    }

    fn wanted_names(&self) -> Names {
        match self {
            Self::Create { profile, .. } | Self::Update { profile, .. } => unique_names(profile),
            Self::Deactivate(_) | Self::Delete(_) => Names::new(),
        }
    }

    fn existing<'r>(&'r self, run: &'r Run) -> BoxFuture<'r, Result<Option<Existing>, ScimError>> {
        Box::pin(async move {
            let Self::Update { id, .. } = self else {
                return Ok(None);
            };
            let user = match run.prepared.users.get(id) {
                Some(user) => user.clone(),
                None => run.scim.users().get(id).await?,
            };
            Ok(Some(Existing {
                names: unique_names(&UserProfile::of(&user)),
                user: Some(user),
            }))
        })
    }

    fn rename<'r>(
        &'r self,
        run: &'r Run,
        existing: &'r Existing,
        names: &'r Names,
    ) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(async move {
            let (
                Self::Update {
                    id, external_id, ..
                },
                Some(user),
            ) = (self, &existing.user)
            else {
                return Ok(());
            };
            let name = |kind| names.get(&kind).cloned();
            let profile = UserProfile {
                user_name: name(NameKind::UserName).unwrap_or_default(),
                email: name(NameKind::Email),
                ..UserProfile::of(user)
            };
            let written = profile.merge_into(user.clone(), external_id);
            retry_undecodable(|| async { run.scim.users().replace(id, &written).await }).await?;
            Ok(())
        })
    }
}

/// Returns the names of a user that must be unique: user name and email address.
fn unique_names(profile: &UserProfile) -> Names {
    let names = [
        (NameKind::UserName, Some(&profile.user_name)),
        (NameKind::Email, profile.email.as_ref()),
    ];
    let names = names.into_iter();
    names
        .filter_map(|(kind, name)| Some((kind, name?.clone())))
        .collect()
}

/// A user of the target, for a write.
#[derive(Clone, Copy)]
struct Written<'a> {
    id: &'a ResourceId,
    external_id: &'a ExternalId,
    profile: &'a UserProfile,
    /// The attributes that the user loses.
    removes: &'a BTreeSet<Attribute>,
}

impl Run {
    /// Applies one change of a user.
    async fn apply_user_change(&self, change: &UserChange) -> Result<(), ScimError> {
        match change {
            UserChange::Create {
                external_id,
                profile,
            } => self.create_user(external_id, profile).await,
            UserChange::Update {
                id,
                external_id,
                profile,
                removes,
                adopts,
                ..
            } => {
                let written = Written {
                    id,
                    external_id,
                    profile,
                    removes,
                };
                match self.update_user(written, *adopts).await {
                    Err(error) if error.is_not_found() => {
                        self.recreate_user(id, external_id, profile).await
                    }
                    result => result,
                }
            }
            UserChange::Deactivate(removed) => self.deactivate_user(removed).await,
            UserChange::Delete(removed) => self.delete_user(removed).await,
        }
    }

    /// Creates a user that the target no longer has. The run later adds it to the groups of the deleted account.
    async fn recreate_user(
        &self,
        id: &ResourceId,
        external_id: &ExternalId,
        profile: &UserProfile,
    ) -> Result<(), ScimError> {
        {
            let mut inner = self.lock();
            let groups = inner.state.groups.iter();
            let groups = groups.filter(|(_, group)| group.members.contains(id));
            let groups = groups.map(|(group, _)| group.clone()).collect();
            // A creation that failed with a name conflict is tried again.
            let recreated = inner.recreated.entry(external_id.clone());
            recreated.or_insert(Recreated {
                deleted: id.clone(),
                groups,
            });
            inner.state.remove_user(id);
        }
        if !profile.active {
            return Ok(());
        }
        self.create_user(external_id, profile).await
    }

    /// Creates a user, or adopts an existing account with the same id or name.
    async fn create_user(
        &self,
        external_id: &ExternalId,
        profile: &UserProfile,
    ) -> Result<(), ScimError> {
        let user = profile.merge_into(User::default(), external_id);
        let mut attempts_left = MAX_WRITE_ATTEMPTS;
        let created = loop {
            attempts_left -= 1;
            match self.scim.users().create_or_adopt(&user).await {
                // The client has searched for the user and not found it, so the request with the lost response had no
                // effect.
                Err(error) if error.may_have_acted() && attempts_left > 0 => {}
                Err(error) if error.is_conflict() => match self.orphaned_account(profile).await? {
                    Some(found) => break Created::Adopted(found),
                    None => return Err(error),
                },
                Err(error) => return Err(error),
                Ok(Created::Adopted(found))
                    if self.belongs_to_another_user(&found, external_id) =>
                {
                    // The account has lost its external id, but the cached state maps it to another user.
                    break Created::New(self.scim.users().create(&user).await?);
                }
                Ok(created) => break created,
            }
        };
        let mut answer = created.resource().clone();
        let mut removes = BTreeSet::new();
        let id = match &created {
            Created::New(user) => user.id.clone(),
            Created::Adopted(found) => {
                removes = found
                    .id
                    .as_ref()
                    .map(|id| profile.lacks(&self.owned_attributes(id)))
                    .unwrap_or_default();
                let written = profile.replace_in(found.clone(), &removes, external_id);
                let is_current = UserProfile::of(found) == UserProfile::of(&written)
                    && found.external_id.as_ref() == Some(external_id);
                if let (Some(id), false) = (&found.id, is_current) {
                    answer = retry_undecodable(|| async {
                        self.scim.users().replace(id, &written).await
                    })
                    .await?;
                }
                if let (Some(id), None) = (&found.id, &found.external_id) {
                    // An unmanaged user may be a member of groups whose cached members lack it. The next run removes
                    // memberships that the source does not have.
                    let groups = target::groups_of(&self.scim, id).await?;
                    self.lock().state.cache_membership(id, &groups);
                }
                found.id.clone()
            }
        };
        if let Some(id) = id {
            let mut inner = self.lock();
            inner.created_ids.insert(external_id.clone(), id.clone());
            drop(inner);
            // An account with the source's id is of an earlier run whose response was lost.
            let adopted = match &created {
                Created::Adopted(found) => found.external_id.as_ref() != Some(external_id),
                Created::New(_) => false,
            };
            let written = Written {
                id: &id,
                external_id,
                profile,
                removes: &removes,
            };
            self.cache_user(written, &answer, adopted);
        } else {
            // The next run reads the account.
            self.lock().uncertain = true;
        }
        Ok(())
    }

    /// Returns the optional attributes of an account that the sync has written.
    fn owned_attributes(&self, id: &ResourceId) -> BTreeSet<Attribute> {
        let inner = self.lock();
        let mut users = inner.state.users.values();
        let cached = users.find(|user| user.id == *id);
        cached.map(|user| user.owned.clone()).unwrap_or_default()
    }

    /// Returns the managed account that has the profile's user name but no matching user in the source.
    ///
    /// Such an account belongs to a user that was recreated in the source under a new id. A plan based on the cached state
    /// cannot match it, because the cached state has no user names.
    async fn orphaned_account(&self, profile: &UserProfile) -> Result<Option<User>, ScimError> {
        let missing_users = &self.prepared.missing_users;
        if missing_users.is_empty() {
            return Ok(None);
        }
        let has_name = Filter::eq(User::NAME, profile.user_name.as_str());
        let found = self.scim.users().find(has_name).await?;
        let is_orphan = |user: &User| {
            user.id
                .as_ref()
                .is_some_and(|id| missing_users.contains(id))
        };
        Ok(found.filter(is_orphan))
    }

    /// Returns whether the cached state maps this target user to another user that still exists in the source.
    fn belongs_to_another_user(&self, found: &User, external_id: &ExternalId) -> bool {
        let inner = self.lock();
        let mut users = inner.state.users.iter();
        users.any(|(cached_id, user)| {
            cached_id != external_id
                && found.id.as_ref() == Some(&user.id)
                && !self.prepared.missing_users.contains(&user.id)
        })
    }

    /// Returns whether this run has mapped the account to another user of the source.
    fn was_adopted(&self, removed: &RemovedPrincipal) -> bool {
        let inner = self.lock();
        let mut users = inner.state.users.iter();
        users.any(|(external_id, user)| {
            user.id == removed.id && Some(external_id) != removed.external_id.as_ref()
        })
    }

    /// Updates a user to a profile.
    async fn update_user(&self, user: Written<'_>, adopts: bool) -> Result<(), ScimError> {
        let id = user.id;
        // `PUT` replaces the whole user. Without the current user, attributes that the sync does not manage would be lost.
        let base = match self.prepared.users.get(id) {
            Some(base) => base.clone(),
            None => self.scim.users().get(id).await?,
        };
        let written = user
            .profile
            .replace_in(base, user.removes, user.external_id);
        let answer =
            retry_undecodable(|| async { self.scim.users().replace(id, &written).await }).await?;
        self.cache_user(user, &answer, adopts);
        Ok(())
    }

    /// Deactivates a user, unless another user of the source has adopted the account in this run.
    async fn deactivate_user(&self, removed: &RemovedPrincipal) -> Result<(), ScimError> {
        if self.was_adopted(removed) {
            return Ok(());
        }
        let patch: PatchOp = PatchOperation::replace("active", false).into();
        match retry_undecodable(|| async { self.scim.users().patch(&removed.id, &patch).await })
            .await
        {
            Err(error) if error.is_not_found() => self.lock().state.remove_user(&removed.id),
            result => {
                let answer = result?;
                let now = self.now();
                let mut inner = self.lock();
                // A deactivation that the target has not kept is planned again by the next run.
                let active = answer.is_some_and(|user| user.active == Some(true));
                if active {
                    inner.note_not_kept(ACTIVE);
                }
                let users = &mut inner.state.users;
                if let Some(id) = &removed.external_id
                    && let Some(user) = users.get_mut(id)
                {
                    user.active = active;
                    user.inactive_since = (!active).then_some(now);
                    // An unknown digest forces an update if the user comes back.
                    user.digest.clear();
                    user.kept = None;
                }
            }
        }
        Ok(())
    }

    /// Deletes a user, unless another user of the source has adopted the account in this run.
    async fn delete_user(&self, removed: &RemovedPrincipal) -> Result<(), ScimError> {
        if self.was_adopted(removed) {
            return Ok(());
        }
        match retry_undecodable(|| async { self.scim.users().delete(&removed.id).await }).await {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => self.lock().state.remove_user(&removed.id),
        }
        Ok(())
    }

    /// Updates the cached state of a user after a write, and notes what the target has not kept.
    fn cache_user(&self, written: Written<'_>, answer: &User, adopts: bool) {
        let Written {
            id,
            external_id,
            profile,
            removes,
        } = written;
        let now = self.now();
        let mut inner = self.lock();
        let users = &inner.state.users;
        let mut before = users.get(external_id).filter(|user| user.id == *id);
        if adopts {
            before = before.or_else(|| users.values().find(|user| user.id == *id));
        }
        let adopted = before.map_or(adopts, |user| user.adopted);
        let inactive_since = before.and_then(|user| user.inactive_since);
        if adopts {
            // An adopted account may be cached under another external id.
            let users = &mut inner.state.users;
            users.retain(|cached_id, user| user.id != *id || cached_id == external_id);
        }
        let mut concerned = profile.attributes();
        concerned.extend(removes);
        let has = UserProfile::of(answer).limited_to(&concerned);
        let mut not_kept = Vec::new();
        // An answer without attributes says nothing.
        if answer.user_name.is_some() {
            not_kept = profile.differences(&has);
            if answer.external_id.as_ref() != Some(external_id) {
                not_kept.push("externalId");
            }
        }
        for attribute in &not_kept {
            inner.note_not_kept(attribute);
        }
        let is_active_kept = !not_kept.contains(&ACTIVE);
        let user = CachedUser {
            id: id.clone(),
            // If the target does not keep whether the user is active, every run sends it again: the digest is unknown.
            digest: if is_active_kept {
                profile.digest()
            } else {
                String::new()
            },
            owned: profile.attributes(),
            kept: (!not_kept.is_empty() && is_active_kept).then(|| kept_digest(answer)),
            keys: profile.keys(),
            active: profile.active == is_active_kept,
            adopted,
            // The retention period does not start again with another update of an inactive user.
            inactive_since: (!profile.active).then(|| inactive_since.unwrap_or(now)),
        };
        inner.state.users.insert(external_id.clone(), user);
    }
}
