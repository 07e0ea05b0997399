//! The users and groups of a blueprint, as read from Okta: assigned users, pushed groups, and profile violations.

mod groups;
mod selection;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use okta_client::{App, Client, Group, Id, ItemError, ListError, User, UserRef, UserStatus};

use self::{
    groups::{Groups, members_error},
    selection::{Listed, select},
};
use crate::{
    aws_user_name::{AppAssignments, NameTemplate},
    blueprint::{Blueprint, Principals, ProvisioningMode, both_assigned_and_pushed},
    error::{Error, ErrorKind, Result},
    plan::{Note, Problem, Subject, count},
    text::abbreviated,
};

/// The users and groups of a blueprint, as read from Okta.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResolvedScope {
    /// The users that are assigned to the app individually.
    pub users: Vec<User>,
    /// The groups that are assigned to the app, with their members.
    pub assigned: Vec<GroupWithMembers>,
    /// The groups that are pushed to AWS, with their members.
    pub pushed: Vec<GroupWithMembers>,
    /// The users and groups of the blueprint that do not exist or cannot be used, and the members that cannot be read.
    pub problems: Vec<Problem>,
    /// The users that can be provisioned to AWS.
    provisionable: BTreeSet<Id<User>>,
    /// The rules of AWS that the profiles of users violate.
    violations: BTreeMap<Id<User>, Vec<String>>,
    /// The provisionable users whose name in AWS is no email address.
    unusual_names: Vec<String>,
}

/// A group with its members.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupWithMembers {
    /// The group.
    pub group: Group,
    /// The group's members.
    pub users: Vec<User>,
    /// The members that could not be read.
    pub unread: Vec<ItemError>,
}

impl ResolvedScope {
    /// Reads the users and groups that a blueprint names.
    ///
    /// A user or group that does not exist or cannot be used is a problem; all others are read. Okta keeps a group of the app for
    /// each pushed group, with the same name; the groups of `app` are not groups of the blueprint.
    ///
    /// # Errors
    ///
    /// Fails if Okta refuses a request for another reason or does not answer.
    pub async fn read(okta: &Client, blueprint: &Blueprint, app: Option<&Id<App>>) -> Result<Self> {
        let assignments = match app {
            Some(app) => {
                let template = NameTemplate::read(okta, app).await?;
                AppAssignments::read(okta, app, template).await?
            }
            None => AppAssignments::default(),
        };
        Self::read_with(okta, blueprint, app, &assignments).await
    }

    /// Reads the users and groups, with the users' names in AWS from the assignments of the app and its template.
    pub(crate) async fn read_with(
        okta: &Client,
        blueprint: &Blueprint,
        app: Option<&Id<App>>,
        assignments: &AppAssignments,
    ) -> Result<Self> {
        let mut scope = Self {
            users: Vec::new(),
            assigned: Vec::new(),
            pushed: Vec::new(),
            problems: Vec::new(),
            provisionable: BTreeSet::new(),
            violations: BTreeMap::new(),
            unusual_names: Vec::new(),
        };
        let violations =
            |user: &User| profile_violations(user, assignments.name_id(user).as_deref());
        for login in &blueprint.assigned_users() {
            let subject = || Subject::user(login);
            match read_user(okta, login).await {
                Ok(user) => {
                    if let Err(error) = require_provisionable(&user, &violations(&user)) {
                        let problem = Problem::new(Some(subject()), &error);
                        scope.problems.push(problem);
                    }
                    scope.users.push(user);
                }
                Err(error) => scope.collect(subject(), error)?,
            }
        }
        let provisioning = &blueprint.provisioning;
        let selector = &provisioning.assign_users;
        let selected = scope
            .select(okta, selector, "provisioning.assign_users")
            .await?;
        let named: BTreeSet<Id<User>> = scope.users.iter().map(|user| user.id.clone()).collect();
        let selected = selected.into_values().flatten();
        let selected = selected.filter(|user: &User| !named.contains(&user.id));
        scope.users.extend(selected);
        let mut groups = Groups {
            okta,
            ids: &blueprint.okta.group_ids,
            sources: app.map(|app| (app.clone(), true)).into_iter().collect(),
        };
        let selector = &provisioning.assign_groups;
        let selected = scope
            .select(okta, selector, "provisioning.assign_groups")
            .await?;
        let named = blueprint.assigned_groups();
        scope.assigned = scope
            .read_groups(&mut groups, named.into_iter(), selected)
            .await?;
        let selector = &provisioning.push_groups;
        let selected = scope
            .select(okta, selector, "provisioning.push_groups")
            .await?;
        let named = blueprint.pushed_groups();
        let named = named.iter().map(String::as_str);
        scope.pushed = scope.read_groups(&mut groups, named, selected).await?;
        if provisioning.mode != ProvisioningMode::Direct {
            scope.leave_out_assigned_and_pushed();
        }
        let unknown: Vec<Problem> = scope
            .all_users()
            .into_values()
            .filter(|user| !scope.has_problem(&user.profile.login))
            .filter_map(|user| {
                let error = unknown_status_error(user, &unknown_status(user)?);
                Some(Problem::new(
                    Some(Subject::user(&user.profile.login)),
                    &error,
                ))
            })
            .collect();
        scope.problems.extend(unknown);
        let (mut provisionable, mut refused) = (BTreeSet::new(), BTreeMap::new());
        let mut unusual_names = Vec::new();
        for user in scope.assigned_users().into_values() {
            let violations = violations(user);
            if !violations.is_empty() {
                refused.insert(user.id.clone(), violations);
            } else if is_provisioned(&user.status) {
                provisionable.insert(user.id.clone());
                let name = assignments.name_id(user);
                unusual_names.extend(name.filter(|name| !name.contains('@')).map(Cow::into_owned));
            }
        }
        scope.provisionable = provisionable;
        scope.violations = refused;
        scope.unusual_names = unusual_names;
        Ok(scope)
    }

    /// Makes a problem of an error that concerns one subject. Returns any other error.
    fn collect(&mut self, subject: Subject, error: Error) -> Result<()> {
        if error.kind() != ErrorKind::UnusableSubject {
            return Err(error);
        }
        let problem = Problem::new(Some(subject), &error);
        // One group can be both assigned and pushed.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Ok(())
    }

    /// Reads what a selector matches and does not name exactly, by name.
    async fn select<T: Listed>(
        &mut self,
        okta: &Client,
        selector: &Principals,
        key: &str,
    ) -> Result<BTreeMap<String, Vec<T>>> {
        if !selector.is_open() {
            return Ok(BTreeMap::new());
        }
        let selected = select(okta, selector, key).await?;
        self.problems.extend(selected.problems);
        Ok(selected.found)
    }

    /// Reads the groups that the blueprint names, and those that a selector has found.
    async fn read_groups(
        &mut self,
        groups: &mut Groups<'_>,
        named: impl Iterator<Item = &str>,
        mut selected: BTreeMap<String, Vec<Group>>,
    ) -> Result<Vec<GroupWithMembers>> {
        let mut read = Vec::new();
        for name in named {
            selected.remove(name);
            read.extend(self.read_group(groups, name, None).await?);
        }
        for (name, found) in selected {
            let found = groups.without_imports_from_aws(found).await?;
            if found.is_empty() {
                continue;
            }
            read.extend(self.read_group(groups, &name, Some(found)).await?);
        }
        Ok(read)
    }

    /// Makes a problem of each group that is both assigned and pushed, which neither Okta nor AWS supports, and leaves it out.
    fn leave_out_assigned_and_pushed(&mut self) {
        let pushed: BTreeSet<&Id<Group>> = { self.pushed.iter() }
            .map(|members| &members.group.id)
            .collect();
        let both: BTreeMap<Id<Group>, String> = { self.assigned.iter() }
            .map(|members| &members.group)
            .filter(|group| pushed.contains(&group.id))
            .map(|group| (group.id.clone(), group.name.clone()))
            .collect();
        for groups in [&mut self.assigned, &mut self.pushed] {
            groups.retain(|members| !both.contains_key(&members.group.id));
        }
        self.problems.extend(both.into_values().map(|name| {
            let (message, help) = both_assigned_and_pushed(&name);
            let error = Error::new(ErrorKind::UnusableSubject, message).with_help(help);
            Problem::new(Some(Subject::group(&name)), &error)
        }));
    }

    /// Reads a group, which was `found` by a selector or is looked up by its name.
    async fn read_group(
        &mut self,
        groups: &mut Groups<'_>,
        name: &str,
        found: Option<Vec<Group>>,
    ) -> Result<Option<GroupWithMembers>> {
        let subject = || Subject::group(name);
        let is_selected = found.is_some();
        match groups.read(name, found).await {
            // Okta's search may still have a group that was deleted.
            Err(error) if is_selected && error.is_not_found() => Ok(None),
            Ok(members) => {
                for item in &members.unread {
                    let error = okta_client::Error::from(ListError::Item(item.clone()));
                    let error = members_error(name, error);
                    self.problems.push(Problem::new(Some(subject()), &error));
                }
                Ok(Some(members))
            }
            Err(error) => self.collect(subject(), error).map(|()| None),
        }
    }

    /// Returns the users and groups of the blueprint that Okta does not have, and the selectors that have a problem, with their
    /// problems.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (&Subject, &Problem)> {
        let read: BTreeSet<&str> = self
            .all_users()
            .into_values()
            .map(|user| user.profile.login.as_str())
            .collect();
        self.problems.iter().filter_map(move |problem| {
            let subject = problem.subject.as_ref()?;
            let is_read = match subject {
                Subject::User { name } => read.contains(&**name),
                Subject::Group { name } => self
                    .assigned
                    .iter()
                    .chain(&self.pushed)
                    .any(|members| *members.group.name == **name),
                // A selector with a problem may not have found all that it should.
                Subject::Input { .. } => false,
                _ => true,
            };
            (!is_read).then_some((subject, problem))
        })
    }

    /// Returns whether a user of the blueprint has a problem.
    pub(crate) fn has_problem(&self, login: &str) -> bool {
        let subject = Subject::user(login);
        self.problems
            .iter()
            .any(|problem| problem.subject.as_ref() == Some(&subject))
    }

    /// Returns all users that are assigned to the app, individually or through a group. The key is the user id.
    #[must_use]
    pub fn assigned_users(&self) -> BTreeMap<&Id<User>, &User> {
        self.assigned
            .iter()
            .flat_map(|members| &members.users)
            .chain(&self.users)
            .map(|user| (&user.id, user))
            .collect()
    }

    /// Returns all users that were read: assigned, or members of a pushed group. The key is the user id.
    pub(crate) fn all_users(&self) -> BTreeMap<&Id<User>, &User> {
        let members = self.pushed.iter().flat_map(|members| &members.users);
        let mut all: BTreeMap<&Id<User>, &User> = members.map(|user| (&user.id, user)).collect();
        all.extend(self.assigned_users());
        all
    }

    /// Returns the users that can be provisioned to AWS: assigned, active, and without profile violations.
    pub fn provisionable_users(&self) -> impl Iterator<Item = &User> {
        let users = self.assigned_users().into_values();
        users.filter(|user| self.provisionable.contains(&user.id))
    }

    /// Returns the group members that can be provisioned to AWS.
    pub fn provisionable_members<'a>(
        &'a self,
        members: &'a GroupWithMembers,
    ) -> impl Iterator<Item = &'a User> {
        let users = members.users.iter();
        users.filter(|user| self.provisionable.contains(&user.id))
    }

    /// Returns one note per pushed group with active members that are not assigned to the app.
    pub(crate) fn unassigned_member_notes(&self) -> Vec<Note> {
        let assigned = self.assigned_users();
        let mut notes = Vec::new();
        for members in &self.pushed {
            let missing: Vec<&str> = members
                .users
                .iter()
                .filter(|user| is_provisioned(&user.status) && !assigned.contains_key(&user.id))
                .map(|user| user.profile.login.as_str())
                .collect();
            if !missing.is_empty() {
                notes.push(Note::new("members-not-assigned", format!(
                    "group {} is pushed without {} not assigned to the app: {} (to include them, add one of their groups to provisioning.assign_groups, or add the users to provisioning.assign_users)",
                    members.group.name,
                    count(missing.len(), "member"),
                    missing.join(", ")
                )));
            }
        }
        notes
    }

    /// Returns notes for the reader of a plan: the users that will be missing in AWS or in a pushed group, with reasons.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let assigned = self.assigned_users();
        let mut notes = self.unassigned_member_notes();
        for user in assigned.values() {
            if self.has_problem(&user.profile.login) {
                continue;
            }
            if !is_provisioned(&user.status) {
                notes.push(Note::new(
                    "user-inactive",
                    format!(
                        "user {} is {} in Okta and will not be provisioned to AWS",
                        user.profile.login, user.status
                    ),
                ));
            } else if let Some(violations) = self.violations.get(&user.id) {
                notes.push(Note::new(
                    "user-profile",
                    format!(
                        "user {} will not be provisioned to AWS: {}",
                        user.profile.login,
                        violations.join("; ")
                    ),
                ));
            }
        }
        if !self.unusual_names.is_empty() {
            notes.push(Note::new(
                "user-name-without-domain",
                format!(
                    "the name of {} in AWS is no email address: {} (sign-in works only if Okta sends exactly this name as the SAML NameID)",
                    count(self.unusual_names.len(), "user"),
                    abbreviated(&self.unusual_names, MAX_NAMES)
                ),
            ));
        }
        notes
    }
}

/// Reads a user by the full login.
async fn read_user(okta: &Client, login: &str) -> Result<User> {
    let user = okta.users().get(&UserRef::login(login)).await;
    let user = user.map_err(|error| user_error(login, error))?;
    // Okta also finds a user by a short name or an id, but AWS knows only the full login.
    if user.profile.login == login {
        return Ok(user);
    }
    Err(Error::new(
        ErrorKind::UnusableSubject,
        format!(
            "`{login}` is not the full login of Okta user `{}`",
            user.profile.login
        ),
    )
    .with_help("write the full login in the blueprint, spelled as in Okta"))
}

fn user_error(login: &str, error: okta_client::Error) -> Error {
    if error.is_not_found() {
        return Error::new(
            ErrorKind::UnusableSubject,
            format!("Okta has no user `{login}`"),
        )
        .with_response(crate::error::ServiceError::response(&error))
        .with_source(error)
        .with_help("correct the login in the blueprint, or create the user in Okta");
    }
    Error::service(format!("user `{login}` could not be read from Okta"), error)
}

/// Fails if the user cannot be provisioned to AWS.
fn require_provisionable(user: &User, violations: &[String]) -> Result<()> {
    let login = &user.profile.login;
    if let Some(status) = unknown_status(user) {
        return Err(unknown_status_error(user, &status));
    }
    if !is_provisioned(&user.status) {
        return Err(Error::new(
            ErrorKind::UnusableSubject,
            format!("user `{login}` is {} in Okta", user.status),
        )
        .with_help(activation_help(&user.status)));
    }
    match violations {
        [] => Ok(()),
        violations => Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "AWS does not accept user `{login}`: {}",
                violations.join("; ")
            ),
        )
        .with_help("correct the profile in Okta (Directory > People), then run again")),
    }
}

/// Returns whether Okta provisions a user with this status to apps.
///
/// A status that is not known is no such status: it must not create or activate an account.
pub(crate) fn is_provisioned(status: &UserStatus) -> bool {
    matches!(
        status,
        UserStatus::Active
            | UserStatus::Provisioned
            | UserStatus::Recovery
            | UserStatus::PasswordExpired
            | UserStatus::LockedOut
    )
}

/// Returns the status of a user if it is not known. The user's account in AWS is then left as it is.
pub(crate) fn unknown_status(user: &User) -> Option<String> {
    match &user.status {
        UserStatus::Other(status) if status.is_empty() => Some("no status".to_owned()),
        UserStatus::Other(status) => Some(format!("the unknown status {status}")),
        _ => None,
    }
}

fn unknown_status_error(user: &User, status: &str) -> Error {
    let login = &user.profile.login;
    Error::new(
        ErrorKind::UnusableSubject,
        format!("user `{login}` has {status} in Okta: an account in AWS is neither created nor activated nor deactivated"),
    )
    .with_help("look at the user in Okta (Directory > People); if the status is right, report it, so that this crate learns it")
}

/// Returns the action that makes a user with this status active.
fn activation_help(status: &UserStatus) -> &'static str {
    match status {
        UserStatus::Suspended => {
            "unsuspend the user in Okta (Directory > People > the user > More Actions), or remove the user from the blueprint"
        }
        UserStatus::Deprovisioned => {
            "the user was deactivated: remove the user from the blueprint, or activate the user in Okta again and assign the groups, which Okta has removed"
        }
        _ => "activate the user in Okta, or remove the user from the blueprint",
    }
}

/// Returns the rules of AWS that a user violates whose name in AWS is `aws_user_name`, in attributes that AWS requires. A name
/// that is not known yet violates no rule.
///
/// The rules are those of [`Dialect::AwsIdentityCenter`](scim_client::Dialect::AwsIdentityCenter), and apply to the values that
/// are sent. Attributes that AWS does not require are left out if it refuses them.
#[must_use]
pub fn profile_violations(user: &User, aws_user_name: Option<&str>) -> Vec<String> {
    let required = Required::of(user);
    let document = scim_types::User {
        user_name: aws_user_name.map(Into::into),
        name: Some(scim_types::Name {
            given_name: Some(required.given_name.into()),
            family_name: Some(required.family_name.into()),
            ..scim_types::Name::default()
        }),
        display_name: Some(required.display_name.as_str().into()),
        emails: Vec::from_iter(required.email.map(scim_types::MultiValued::primary)),
        ..scim_types::User::default()
    };
    let violations = scim_client::Dialect::AwsIdentityCenter.violations(&document);
    let is_known = |attribute: &str| attribute != "userName" || aws_user_name.is_some();
    let violations = violations
        .iter()
        .filter(|violation| violation.is_required() && is_known(violation.attribute()));
    violations
        .map(|violation| {
            let in_okta = IN_OKTA
                .iter()
                .find(|(path, _)| violation.attribute().starts_with(path));
            match in_okta {
                Some((_, name)) => format!("{name}: {violation}"),
                None => violation.to_string(),
            }
        })
        .collect()
}

/// The values that AWS requires of a user, besides the user name, as they are sent.
pub(crate) struct Required<'a> {
    pub(crate) given_name: &'a str,
    pub(crate) family_name: &'a str,
    pub(crate) display_name: String,
    pub(crate) email: Option<&'a str>,
}

impl<'a> Required<'a> {
    /// Returns the values of a user of Okta. Most users have no display name there, and get one of their names.
    pub(crate) fn of(user: &'a User) -> Self {
        let profile = &user.profile;
        let text = |value: &'a Option<String>| value.as_deref().unwrap_or_default().trim();
        let (given_name, family_name) = (text(&profile.first_name), text(&profile.last_name));
        let display_name = match text(&profile.display_name) {
            "" => format!("{given_name} {family_name}").trim().to_owned(),
            name => name.to_owned(),
        };
        Self {
            given_name,
            family_name,
            display_name,
            email: Some(text(&profile.email)).filter(|email| !email.is_empty()),
        }
    }
}

/// The attributes that AWS requires, each with its name in Okta.
const IN_OKTA: [(&str, &str); 5] = [
    ("userName", "user name in the app"),
    ("name.givenName", "firstName"),
    ("name.familyName", "lastName"),
    ("displayName", "displayName"),
    ("emails", "email"),
];

/// Maximum number of names in a note.
const MAX_NAMES: usize = 10;
