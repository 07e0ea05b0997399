//! Sources of users and groups: Okta, a directory in memory or in files, a SCIM server, or another system that can list
//! them.

mod scim;

use std::sync::Arc;

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta, Id};
use scim_types::ExternalId;

pub use scim::ScimSource;

use super::{
    directory::{Directory, Group, UnreadItem, User},
    profile::{Attribute, UserProfile},
};
use crate::{
    aws_app,
    aws_user_name::AppAssignments,
    blueprint::Blueprint,
    error::Result,
    resolved_scope::{Required, ResolvedScope, is_provisioned, unknown_status},
};

/// A source of users and groups.
///
/// # Contract
///
/// - `read` returns the complete directory, or names what it could not read in [`Directory::incomplete`]. Any other
///   incomplete read must be an error: the sync would treat every missing user as removed.
/// - Ids never change and are never reused.
pub trait Source: Send + Sync {
    /// Returns the source's name for messages.
    fn name(&self) -> String;

    /// Reads all users and groups in scope.
    fn read(&self) -> BoxFuture<'_, Result<Directory>>;

    /// Returns whether this source may have issued an `externalId` that was found in the target.
    ///
    /// A user or group with such an id is managed: the sync may remove it when the source no longer contains it. Without
    /// the cached state of an earlier run, the id is the only evidence.
    fn may_have_issued(&self, id: &ExternalId) -> bool;
}

/// The users and groups of an Okta org that a blueprint names.
///
/// The source contains the users that are assigned to the app and the groups that Okta would push. It reads no other users
/// and groups.
#[derive(Clone, Debug)]
pub struct OktaSource {
    okta: Okta,
    blueprint: Blueprint,
    app: Option<Id<App>>,
}

impl OktaSource {
    /// Creates a source for the users and groups that a blueprint names.
    #[must_use]
    pub fn new(okta: &Okta, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            blueprint: blueprint.clone(),
            app: None,
        }
    }

    /// Sets the app, whose assignments contain each user's name in the SAML assertion.
    ///
    /// AWS signs in the user whose `userName` is the assertion's `NameID`. Default: the app with the id or label of the
    /// blueprint; if the org does not have it, the `userName` is the Okta login.
    #[must_use]
    pub fn app(mut self, app: Option<Id<App>>) -> Self {
        self.app = app;
        self
    }

    /// Returns the directory of a scope that was already read.
    pub(crate) fn directory_of(scope: &ResolvedScope, assignments: &AppAssignments) -> Directory {
        let assigned = scope.assigned_users();
        let users = assigned
            .values()
            .map(|user| to_user(user, assignments.aws_user_name(user)));
        let groups = scope.pushed.iter().map(|members| Group {
            id: ExternalId::new(members.group.id.as_str()),
            name: members.group.name.clone(),
            members: members
                .users
                .iter()
                // Members that are not assigned have their own notes.
                .filter(|user| assigned.contains_key(&user.id))
                .map(|user| ExternalId::new(user.id.as_str()))
                .collect(),
        });
        // Without an assignment, the name of its user in AWS would be unknown, so the list of assignments is read completely
        // or the whole read fails.
        let groups_read = scope.assigned.iter().chain(&scope.pushed);
        let unread = groups_read.flat_map(|members| {
            let list = format!("the members of group {}", members.group.name);
            let items = members.unread.iter();
            items.map(move |item| UnreadItem::of_list(&list, item))
        });
        let missing = scope.missing().map(|(subject, problem)| UnreadItem {
            item: subject.to_string(),
            reason: problem.message.clone(),
        });
        let incomplete = unread.chain(missing);
        Directory {
            users: users.collect(),
            groups: groups.collect(),
            remarks: scope
                .unassigned_member_notes()
                .into_iter()
                .map(|note| note.text)
                .collect(),
            incomplete: incomplete.collect(),
        }
    }
}

impl Source for OktaSource {
    fn name(&self) -> String {
        format!("Okta ({})", self.okta.org_url())
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        Box::pin(async move {
            let (okta, blueprint) = (&self.okta, &self.blueprint);
            let app = match &self.app {
                Some(app) => Some(app.clone()),
                None => { aws_app::find(okta, &blueprint.okta).await? }.map(|app| app.id().clone()),
            };
            let app = app.as_ref();
            let assignments = AppAssignments::read(okta, app).await?;
            let scope = ResolvedScope::read_with(okta, blueprint, app, &assignments).await?;
            Ok(Self::directory_of(&scope, &assignments))
        })
    }

    /// Okta's user ids start with `00u`, its group ids with `00g`.
    fn may_have_issued(&self, id: &ExternalId) -> bool {
        let id = id.as_str();
        id.len() == OKTA_ID_LENGTH
            && (id.starts_with("00u") || id.starts_with("00g"))
            && id.chars().all(|c| c.is_ascii_alphanumeric())
    }
}

/// The length of an Okta id: `00u` or `00g`, and 17 letters and digits.
const OKTA_ID_LENGTH: usize = 20;

/// Converts an Okta user.
fn to_user(user: &okta_client::User, user_name: &str) -> User {
    let profile = &user.profile;
    let required = Required::of(user);
    let optional = Attribute::ALL.into_iter().filter_map(|attribute| {
        let value = profile.text(attribute.name())?.trim().to_owned();
        (!value.is_empty()).then_some((attribute, value))
    });
    let unknown_status = unknown_status(user);
    let active = is_provisioned(&user.status) || unknown_status.is_some();
    User {
        id: ExternalId::new(user.id.as_str()),
        profile: UserProfile {
            user_name: user_name.to_owned(),
            display_name: required.display_name,
            given_name: required.given_name.to_owned(),
            family_name: required.family_name.to_owned(),
            email: required.email.map(ToOwned::to_owned),
            active,
            optional: optional.collect(),
        },
        // With an unknown status, the account stays as it is.
        problems: { unknown_status.into_iter() }
            .map(|status| format!("the user has {status} in Okta"))
            .collect(),
    }
}

/// A source that several parts of a program share.
impl<S: Source + ?Sized> Source for Arc<S> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        (**self).read()
    }

    fn may_have_issued(&self, id: &ExternalId) -> bool {
        (**self).may_have_issued(id)
    }
}

/// A directory in memory, such as an export of another system.
impl Source for Directory {
    fn name(&self) -> String {
        "the directory".to_owned()
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    /// Returns whether the directory contains the id. For removed users and groups the sync depends on the cached state.
    fn may_have_issued(&self, id: &ExternalId) -> bool {
        self.users.iter().any(|user| user.id == *id)
            || self.groups.iter().any(|group| group.id == *id)
    }
}
