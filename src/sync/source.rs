//! Sources of users and groups: Okta, a directory in memory or in files, a SCIM server, or another system that can list
//! them.

mod scim;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta, Id};
use scim_types::ExternalId;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use scim::ScimSource;

use super::{
    directory::{Directory, Group, UnreadItem, User},
    profile::UserProfile,
};
use crate::{
    aws_app,
    aws_user_name::{AppAssignments, NameTemplate},
    blueprint::{Blueprint, Provisioning},
    error::Result,
    plan::count,
    resolved_scope::{Required, ResolvedScope, is_provisioned, unknown_status},
    text::abbreviated,
    user_attribute::Attribute,
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
    pub(crate) fn directory_of(
        scope: &ResolvedScope,
        assignments: &AppAssignments,
        provisioning: &Provisioning,
    ) -> Directory {
        let assigned = scope.assigned_users();
        let mapping = Mapping::of(provisioning);
        let users = assigned
            .values()
            .map(|user| to_user(user, assignments, &mapping))
            .collect();
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
            reason: match &problem.response {
                Some(response) => format!("{}: {response}", problem.message),
                None => problem.message.clone(),
            },
        });
        let incomplete = unread.chain(missing);
        let remarks = { scope.unassigned_member_notes().into_iter() }.map(|note| note.text);
        let users_in_okta: Vec<&okta_client::User> = assigned.values().copied().collect();
        let unknown = mapping.unknown_attributes(&users_in_okta);
        Directory {
            users,
            groups: groups.collect(),
            remarks: remarks.chain(unknown).collect(),
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
            let found = match &self.app {
                Some(_) => None,
                None => aws_app::find(okta, &blueprint.okta).await?,
            };
            let app = self.app.as_ref().or(found.as_ref().map(App::id));
            let assignments = match app {
                Some(id) => {
                    let template = match &found {
                        Some(app) => NameTemplate::of(app),
                        None => NameTemplate::read(okta, id).await?,
                    };
                    AppAssignments::read(okta, id, template).await?
                }
                None => AppAssignments::default(),
            };
            let scope = ResolvedScope::read_with(okta, blueprint, app, &assignments).await?;
            let unassigned = unassigned(&scope, &assignments);
            let mut directory = Self::directory_of(&scope, &assignments, &blueprint.provisioning);
            let remark = if app.is_none() {
                let label = &blueprint.okta.app_label;
                Some(format!(
                    "Okta has no app `{label}`, so the user names are the logins: create the app, whose assignments have the names that users sign in with"
                ))
            } else if unassigned.is_empty() {
                None
            } else {
                Some(format!(
                    "not assigned to the app: {} ({}); they cannot sign in, and their user names are those of a new assignment: assign them",
                    abbreviated(&unassigned, MAX_NAMED),
                    count(unassigned.len(), "user"),
                ))
            };
            directory.remarks.extend(remark);
            Ok(directory)
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

/// Returns the logins of the active users of a scope that are not assigned to the app.
fn unassigned(scope: &ResolvedScope, assignments: &AppAssignments) -> Vec<String> {
    let users = scope.assigned_users().into_values();
    let unassigned = users
        .filter(|user| is_provisioned(&user.status) && assignments.get(&user.id).is_none())
        .map(|user| user.profile.login.clone());
    unassigned.collect()
}

/// Maximum number of users in a remark.
const MAX_NAMED: usize = 20;

/// The length of an Okta id: `00u` or `00g`, and 17 letters and digits.
const OKTA_ID_LENGTH: usize = 20;

/// The attributes that are written, each with the attribute of Okta's profile that has its value.
struct Mapping<'a> {
    attributes: Vec<(Attribute, &'a str)>,
    /// The attributes that the blueprint names.
    named: BTreeSet<Attribute>,
}

/// The profile of an Okta user, with the values as Okta has sent them.
#[derive(Deserialize)]
struct OktaProfile<'a> {
    #[serde(borrow)]
    profile: BTreeMap<String, &'a RawValue>,
}

impl<'a> Mapping<'a> {
    fn of(provisioning: &'a Provisioning) -> Self {
        let attributes = Attribute::ALL.iter().filter_map(|attribute| {
            let name = provisioning.okta_attribute(*attribute)?;
            Some((*attribute, name))
        });
        Self {
            attributes: attributes.collect(),
            named: provisioning.attributes.keys().copied().collect(),
        }
    }

    /// Returns the values of a user that are texts and not empty.
    fn read(&self, user: &okta_client::User) -> Result<BTreeMap<Attribute, String>, String> {
        let read = user.raw().read::<OktaProfile<'_>>();
        let profile = read
            .map_err(|error| format!("the profile in Okta could not be read: {error}"))?
            .profile;
        let values = self.attributes.iter().filter_map(|(attribute, name)| {
            let text: String = serde_json::from_str(profile.get(*name)?.get()).ok()?;
            let text = text.trim();
            (!text.is_empty()).then(|| (*attribute, text.to_owned()))
        });
        Ok(values.collect())
    }

    /// Returns a remark for each attribute of Okta that the blueprint names and no user has, such as a misspelt one.
    fn unknown_attributes(&self, users: &[&okta_client::User]) -> Vec<String> {
        let named = self.attributes.iter();
        let named = named.filter(|(attribute, _)| self.named.contains(attribute));
        let unknown = named.filter(|(_, name)| {
            let has_none = |user: &&okta_client::User| user.profile.get(name).is_none();
            !users.is_empty() && users.iter().all(has_none)
        });
        let remark = |(attribute, name): &(Attribute, &str)| {
            let key = attribute.key();
            format!(
                "no user has the attribute {name} in Okta, which provisioning.attributes.{key} names"
            )
        };
        unknown.map(remark).collect()
    }
}

/// Converts an Okta user.
fn to_user(user: &okta_client::User, assignments: &AppAssignments, mapping: &Mapping<'_>) -> User {
    let name_id = assignments.name_id(user);
    // The `NameID` that Okta will send is not known: another `userName` would be an account without sign-in.
    let unknown_name = name_id.is_none().then(|| match assignments.template() {
        NameTemplate::Other(template) => format!(
            "the user is not assigned to the app, and only Okta evaluates its template `{template}` of user names: assign the user to the app, then run again"
        ),
        _ => "the user has no email address in Okta, from which the app takes the user name: fill it in".to_owned(),
    });
    let user_name = name_id.unwrap_or_else(|| user.profile.login.as_str().into());
    let required = Required::of(user);
    let (optional, unreadable) = match mapping.read(user) {
        Ok(optional) => (optional, None),
        Err(problem) => (BTreeMap::new(), Some(problem)),
    };
    let unknown_status = unknown_status(user);
    let active = is_provisioned(&user.status) || unknown_status.is_some();
    User {
        id: ExternalId::new(user.id.as_str()),
        profile: UserProfile {
            user_name: user_name.into_owned(),
            display_name: required.display_name,
            given_name: required.given_name.to_owned(),
            family_name: required.family_name.to_owned(),
            email: required.email.map(ToOwned::to_owned),
            active,
            optional,
        },
        // With an unknown status, the account stays as it is.
        problems: { unknown_status.into_iter() }
            .map(|status| format!("the user has {status} in Okta"))
            .chain(unreadable)
            .chain(unknown_name)
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
