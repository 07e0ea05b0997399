//! The accounts in AWS that Okta provisions for the users of the scope, as far as Okta reports them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use okta_client::{AppUser, AppUserStatus, Group, Id, SyncState, User};

use super::app_lists::AppLists;
use crate::{
    aws_user_name::AppAssignments,
    error::{Error, ErrorKind, Result},
    plan::Subject,
    resolved_scope::ResolvedScope,
};

/// The users of the app, and the assigned groups of the scope that each user is in.
pub(super) struct Accounts<'a> {
    pub(super) assigned: Arc<AppAssignments>,
    assigned_groups: Arc<BTreeSet<Id<Group>>>,
    groups_of: BTreeMap<&'a Id<User>, Vec<&'a Group>>,
}

/// The state of a user's account in AWS.
pub(super) enum Account {
    /// Okta has created the account.
    Provisioned,
    /// Okta will create the account; with its status.
    Pending(String),
    /// Okta could not create the account, and tries no more.
    Failed(Error),
    /// The user is not assigned to the app. This assignment is missing.
    Unassigned(Subject),
}

impl<'a> Accounts<'a> {
    /// Reads the users of the app, unless they were read within `max_age`.
    pub(super) async fn read(
        scope: &'a ResolvedScope,
        lists: &AppLists<'_>,
        max_age: Duration,
    ) -> Result<Self> {
        let mut groups_of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for members in &scope.assigned {
            for user in &members.users {
                groups_of.entry(&user.id).or_default().push(&members.group);
            }
        }
        Ok(Self {
            assigned: lists.users(max_age).await?,
            assigned_groups: lists.groups(super::app_lists::RUN).await?,
            groups_of,
        })
    }

    /// Returns the state of the account of a user of the scope.
    pub(super) fn of(&self, user: &User) -> Account {
        if let Some(assigned) = self.assigned.get(&user.id) {
            return account(user, assigned);
        }
        let groups = self.groups_of.get(&user.id).map(Vec::as_slice);
        let groups = groups.unwrap_or_default();
        // Okta assigns the members of an assigned group in the background.
        if groups
            .iter()
            .any(|group| self.assigned_groups.contains(&group.id))
        {
            return Account::Pending("not assigned to the app yet".to_owned());
        }
        Account::Unassigned(match groups {
            [group, ..] => Subject::AppGroup {
                group: (&group.name).into(),
            },
            [] => Subject::AppUser {
                login: (&user.profile.login).into(),
            },
        })
    }
}

fn account(user: &User, assigned: &AppUser) -> Account {
    let is_synchronized = assigned.sync_state == Some(SyncState::Synchronized);
    let is_provisioned = assigned.external_id.is_some()
        || assigned.status == AppUserStatus::Provisioned
        || assigned.status == AppUserStatus::Active && is_synchronized;
    if is_provisioned {
        return Account::Provisioned;
    }
    let status = status(assigned);
    if assigned.sync_state == Some(SyncState::Error) {
        return Account::Failed(failed_user(&user.profile.login, &status));
    }
    Account::Pending(status)
}

/// Returns the status of a user of the app for a message.
pub(super) fn status(assigned: &AppUser) -> String {
    let sync = assigned.sync_state.as_ref();
    let sync = sync.map(|state| format!(", sync {state}"));
    format!("{}{}", assigned.status, sync.unwrap_or_default())
}

fn failed_user(login: &str, status: &str) -> Error {
    Error::new(
        ErrorKind::UnusableSubject,
        format!("Okta could not provision user {login} to AWS ({status})"),
    )
    .with_help("fix the cause, which Okta's Admin Console shows too (Dashboard > Tasks), retry the task there, then run again")
}
