//! Where people and groups come from: Okta, or anything else that can list them.

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta, Id, UserStatus};
use scim_types::ExternalId;

use super::{Attribute, Directory, Group, User, UserProfile};
use crate::{
    blueprint::Blueprint,
    error::{Error, Result},
    resolved_scope::{ResolvedScope, profile_violations},
};

/// Where people and groups come from.
///
/// # Contract
///
/// - `read` returns the whole directory or an error. What could not be read to its end is an error, and never a smaller
///   directory: everybody who is missing would be taken for gone.
/// - Ids never change, and are never given twice.
pub trait Source: Send + Sync {
    /// What the source is called in a message.
    fn name(&self) -> String;

    /// Reads everybody and every group in scope.
    fn read(&self) -> BoxFuture<'_, Result<Directory>>;

    /// Returns whether an `externalId` found in the target may be one of this source.
    ///
    /// What has one is managed, and may be removed when it is gone from the source; without a memory of earlier runs
    /// there is no other way to know.
    fn may_have_issued(&self, id: &ExternalId) -> bool;
}

/// The people and groups of an Okta org whom a blueprint names.
///
/// Users are those who are assigned to the app; groups are those that would be pushed. Nobody else is read.
#[derive(Clone, Debug)]
pub struct OktaSource {
    okta: Okta,
    blueprint: Blueprint,
    app: Option<Id<App>>,
}

impl OktaSource {
    /// The people and groups whom a blueprint names.
    #[must_use]
    pub fn new(okta: &Okta, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            blueprint: blueprint.clone(),
            app: None,
        }
    }

    /// Names the app, whose assignments say what each user is called in the SAML assertion.
    ///
    /// AWS signs in the user whose `userName` is the assertion's `NameID`. Without an app it is taken to be the login.
    #[must_use]
    pub fn app(mut self, app: Option<Id<App>>) -> Self {
        self.app = app;
        self
    }

    /// The directory of a scope that was read.
    pub(crate) async fn of_roster(&self, scope: &ResolvedScope) -> Result<Directory> {
        let mut names = std::collections::BTreeMap::new();
        if let Some(app) = &self.app {
            let users = self.okta.apps().users(app).try_collect().await;
            let users = users.map_err(|error| {
                Error::service(
                    format!("the assigned users of app {app} could not be read from Okta"),
                    error,
                )
            })?;
            names.extend(
                users
                    .into_iter()
                    .filter_map(|user| Some((user.id, user.user_name?))),
            );
        }
        let users = scope
            .assigned_users()
            .into_values()
            .map(|user| person(user, names.get(&user.id)));
        let groups = scope.pushed.iter().map(|members| Group {
            id: ExternalId::new(members.group.id.as_str()),
            name: members.group.name.clone(),
            members: members
                .users
                .iter()
                .map(|user| ExternalId::new(user.id.as_str()))
                .collect(),
        });
        let directory = Directory {
            users: users.collect(),
            groups: groups.collect(),
            remarks: scope.unassigned_member_notes(),
        };
        directory.check()?;
        Ok(directory)
    }
}

impl Source for OktaSource {
    fn name(&self) -> String {
        format!("Okta ({})", self.okta.org_url())
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        Box::pin(async move {
            let scope = ResolvedScope::read_all(&self.okta, &self.blueprint).await?;
            self.of_roster(&scope).await
        })
    }

    /// Okta's ids of users begin with `00u` and those of groups with `00g`.
    fn may_have_issued(&self, id: &ExternalId) -> bool {
        let id = id.as_str();
        id.len() == OKTA_ID
            && (id.starts_with("00u") || id.starts_with("00g"))
            && id.chars().all(|c| c.is_ascii_alphanumeric())
    }
}

/// "00u" and seventeen more letters and digits.
const OKTA_ID: usize = 20;

fn person(user: &okta_client::User, name: Option<&String>) -> User {
    let profile = &user.profile;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (given_name, family_name) = (text(&profile.first_name), text(&profile.last_name));
    let more = Attribute::ALL.into_iter().filter_map(|attribute| {
        let value = profile.other.get(attribute.name())?.as_str()?.trim();
        (!value.is_empty()).then(|| (attribute, value.to_owned()))
    });
    let active = may_sign_in(&user.status);
    User {
        id: ExternalId::new(user.id.as_str()),
        profile: UserProfile {
            user_name: name.unwrap_or(&profile.login).clone(),
            // Okta has none for most people, and AWS needs one.
            display_name: profile
                .display_name
                .clone()
                .filter(|name| !name.trim().is_empty())
                .unwrap_or_else(|| format!("{given_name} {family_name}").trim().to_owned()),
            given_name,
            family_name,
            email: profile.email.clone(),
            active,
            more: more.collect(),
        },
        // What is wrong with somebody who may not sign in keeps nobody from shutting them out.
        problems: if active {
            profile_violations(user)
        } else {
            Vec::new()
        },
    }
}

/// Whether Okta lets somebody in this status sign in to apps, or would after a new password.
fn may_sign_in(status: &UserStatus) -> bool {
    !matches!(
        status,
        UserStatus::Staged | UserStatus::Suspended | UserStatus::Deprovisioned
    )
}

/// A directory that is known already, such as one of another system.
impl Source for Directory {
    fn name(&self) -> String {
        "the directory".to_owned()
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        Box::pin(async move {
            self.check()?;
            Ok(self.clone())
        })
    }

    /// Whatever has an id of the directory's own; what is gone from it is known by memory alone.
    fn may_have_issued(&self, id: &ExternalId) -> bool {
        self.users.iter().any(|user| user.id == *id)
            || self.groups.iter().any(|group| group.id == *id)
    }
}
