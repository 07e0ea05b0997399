//! Writing one user.

use scim_client::Created;
use scim_types::{Resource as _, User, filter::Filter};

use super::{
    CachedUser, ExternalId, PatchOp, PatchOperation, RemovedPrincipal, ResourceId, Run, ScimError,
    TRIES, UserChange, retry_undecodable, target,
};
use crate::sync::UserProfile;

impl Run<'_> {
    pub(super) async fn user(&self, change: &UserChange) -> Result<(), ScimError> {
        match change {
            UserChange::Create {
                external_id,
                profile,
            } => self.create_user(external_id, profile).await,
            UserChange::Update {
                id,
                external_id,
                profile,
                base,
                adopts,
                ..
            } => {
                let base = base.0.as_deref().cloned();
                let result = self
                    .update_user(id, external_id, profile, base, *adopts)
                    .await;
                if result.as_ref().is_err_and(ScimError::is_not_found) {
                    // RemovedPrincipal from the target: the next run makes them anew.
                    self.lock().state.forget_user(id);
                }
                result
            }
            UserChange::Deactivate(gone) => self.deactivate(gone).await,
            UserChange::Delete(gone) => self.delete_user(gone).await,
        }
    }

    async fn create_user(
        &self,
        external_id: &ExternalId,
        profile: &UserProfile,
    ) -> Result<(), ScimError> {
        let wanted = profile.written_onto(User::default(), external_id);
        let mut left = TRIES;
        let user = loop {
            left -= 1;
            match self.scim.users().create_or_adopt(&wanted).await {
                // It was looked for and is not there, so the lost request has done nothing.
                Err(error) if error.may_have_acted() && left > 0 => {}
                Err(error) if error.is_conflict() => match self.left_behind(profile).await? {
                    Some(found) => break Created::Adopted(found),
                    None => return Err(error),
                },
                Err(error) => return Err(error),
                Ok(Created::Adopted(found)) if self.is_somebody_elses(&found, external_id) => {
                    // The id of the source is gone from it, and yet it is known whose it is.
                    break Created::New(self.scim.users().create(&wanted).await?);
                }
                Ok(created) => break created,
            }
        };
        let id = match &user {
            Created::New(user) => user.id.clone(),
            Created::Adopted(found) => {
                let same = UserProfile::of(found) == *profile
                    && found.external_id.as_ref() == Some(external_id);
                if let (Some(id), false) = (&found.id, same) {
                    let written = profile.written_onto(found.clone(), external_id);
                    retry_undecodable(|| async { self.scim.users().replace(id, &written).await })
                        .await?;
                }
                if let (Some(id), None) = (&found.id, &found.external_id) {
                    // What nobody has managed may be in groups of which nobody has remembered that; the next run sees to it.
                    let groups = target::groups_of(self.scim, id).await?;
                    self.lock().state.cache_membership(id, &groups);
                }
                found.id.clone()
            }
        };
        if let Some(id) = id {
            let mut inner = self.lock();
            inner.made.insert(external_id.clone(), id.clone());
            drop(inner);
            let adopted = matches!(user, Created::Adopted(_));
            self.remember_user(id, external_id, profile, adopted);
        }
        Ok(())
    }

    /// Who has the name and is of the source no more: the person was made anew there. A plan that was made from memory
    /// could not see that.
    async fn left_behind(&self, profile: &UserProfile) -> Result<Option<User>, ScimError> {
        if self.lost.is_empty() {
            return Ok(None);
        }
        let name = Filter::eq(User::NAME, profile.user_name.as_str());
        let found = self.scim.users().find(name).await?;
        let lost = |user: &User| user.id.as_ref().is_some_and(|id| self.lost.contains(id));
        Ok(found.filter(lost))
    }

    /// Whether a user of the target is remembered to be somebody's who is in the source still.
    fn is_somebody_elses(&self, found: &User, external_id: &ExternalId) -> bool {
        let inner = self.lock();
        let mut users = inner.state.users.iter();
        users.any(|(known, user)| {
            known != external_id
                && found.id.as_ref() == Some(&user.id)
                && !self.lost.contains(&user.id)
        })
    }

    /// Whether somebody of the source has been given the account in this run.
    fn taken_over(&self, gone: &RemovedPrincipal) -> bool {
        let inner = self.lock();
        let mut users = inner.state.users.iter();
        users.any(|(known, user)| user.id == gone.id && Some(known) != gone.external_id.as_ref())
    }

    async fn update_user(
        &self,
        id: &ResourceId,
        external_id: &ExternalId,
        profile: &UserProfile,
        base: Option<User>,
        adopts: bool,
    ) -> Result<(), ScimError> {
        // A user is replaced as a whole; what this run has not read is read now, so that what others have set stays.
        let base = match base {
            Some(base) => base,
            None => self.scim.users().get(id).await?,
        };
        let written = profile.written_onto(base, external_id);
        retry_undecodable(|| async { self.scim.users().replace(id, &written).await }).await?;
        self.remember_user(id.clone(), external_id, profile, adopts);
        Ok(())
    }

    async fn deactivate(&self, gone: &RemovedPrincipal) -> Result<(), ScimError> {
        if self.taken_over(gone) {
            return Ok(());
        }
        let patch: PatchOp = PatchOperation::replace("active", false).into();
        match retry_undecodable(|| async { self.scim.users().patch(&gone.id, &patch).await }).await
        {
            Err(error) if error.is_not_found() => self.lock().state.forget_user(&gone.id),
            result => {
                result?;
                let now = self.now();
                let mut inner = self.lock();
                let users = &mut inner.state.users;
                if let Some(id) = &gone.external_id
                    && let Some(user) = users.get_mut(id)
                {
                    user.active = false;
                    user.inactive_since = Some(now);
                    // Whoever comes back is written, whatever they are like then.
                    user.digest.clear();
                }
            }
        }
        Ok(())
    }

    async fn delete_user(&self, gone: &RemovedPrincipal) -> Result<(), ScimError> {
        if self.taken_over(gone) {
            return Ok(());
        }
        match retry_undecodable(|| async { self.scim.users().delete(&gone.id).await }).await {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => self.lock().state.forget_user(&gone.id),
        }
        Ok(())
    }

    fn remember_user(
        &self,
        id: ResourceId,
        external_id: &ExternalId,
        profile: &UserProfile,
        adopted: bool,
    ) {
        let now = self.now();
        let mut inner = self.lock();
        if adopted {
            // One who was known under another id of the source is known under this one alone.
            let users = &mut inner.state.users;
            users.retain(|known, user| user.id != id || known == external_id);
        }
        let user = CachedUser {
            id,
            digest: profile.digest(),
            active: profile.active,
            inactive_since: (!profile.active).then_some(now),
        };
        inner.state.users.insert(external_id.clone(), user);
    }
}
