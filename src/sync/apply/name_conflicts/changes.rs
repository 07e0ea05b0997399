//! [`Change`] for users and groups: their names before and after the change.

use futures::future::BoxFuture;
use scim_client::Error as ScimError;

use super::{Change, ExistingResource, GroupChange, Run, UserChange};
use crate::sync::{UserProfile, plan::Counts};

/// Returns the names of a user that must be unique: user name and email address, in lower case.
pub(super) fn unique_names(profile: &UserProfile) -> Vec<String> {
    let names = [Some(&profile.user_name), profile.email.as_ref()];
    names
        .into_iter()
        .flatten()
        .map(|name| name.to_lowercase())
        .collect()
}

impl Change for UserChange {
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.apply_user_change(self))
    }

    fn description(&self) -> String {
        let verb = match self {
            Self::Create { .. } => "create",
            Self::Delete(_) => "delete",
            _ if self.removes() => "deactivate",
            _ => "update",
        };
        format!("{verb} user {}", self.name())
    }

    fn count(&self, done: &mut Counts) {
        match self {
            Self::Create { .. } => done.users_created += 1,
            Self::Delete(_) => done.users_deleted += 1,
            _ if self.removes() => done.users_deactivated += 1,
            _ => done.users_updated += 1,
        }
    }

    fn desired_names(&self) -> Vec<String> {
        match self {
            Self::Create { profile, .. } | Self::Update { profile, .. } => unique_names(profile),
            Self::Deactivate(_) | Self::Delete(_) => Vec::new(),
        }
    }

    fn releases_names(&self) -> bool {
        matches!(self, Self::Update { .. })
    }

    fn mark_applied_early(&self, run: &Run<'_>) {
        if let Self::Update { id, .. } = self {
            run.lock().applied_early.insert(id.clone());
        }
    }

    fn existing<'r>(
        &'r self,
        run: &'r Run<'_>,
    ) -> BoxFuture<'r, Result<Option<ExistingResource>, ScimError>> {
        Box::pin(async move {
            let Self::Update {
                id,
                external_id,
                base,
                profile,
                ..
            } = self
            else {
                return Ok(None);
            };
            let user = match &base.0 {
                Some(user) => user.clone(),
                None => Box::new(run.scim.users().get(id).await?),
            };
            Ok(Some(ExistingResource::User {
                id: id.clone(),
                external_id: external_id.clone(),
                user,
                desired: Box::new(profile.clone()),
            }))
        })
    }
}

impl Change for GroupChange {
    fn write<'r>(&'r self, run: &'r Run<'_>) -> BoxFuture<'r, Result<(), ScimError>> {
        Box::pin(run.apply_group_change(self))
    }

    fn description(&self) -> String {
        let verb = match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete(_) => "delete",
        };
        format!("{verb} group {}", self.name())
    }

    fn count(&self, done: &mut Counts) {
        match self {
            Self::Create { .. } => done.groups_created += 1,
            Self::Update { .. } => done.groups_updated += 1,
            Self::Delete(_) => done.groups_deleted += 1,
        }
    }

    fn desired_names(&self) -> Vec<String> {
        match self {
            Self::Create { name, .. } | Self::Update { name, .. } => vec![name.to_lowercase()],
            Self::Delete(_) => Vec::new(),
        }
    }

    fn existing<'r>(
        &'r self,
        _: &'r Run<'_>,
    ) -> BoxFuture<'r, Result<Option<ExistingResource>, ScimError>> {
        let existing = match self {
            Self::Update {
                id,
                name: desired_name,
                renamed_from: Some(name),
                ..
            } => Some(ExistingResource::Group {
                id: id.clone(),
                name: name.clone(),
                desired_name: desired_name.clone(),
            }),
            _ => None,
        };
        Box::pin(std::future::ready(Ok(existing)))
    }
}
