//! The people of a blueprint as Okta knows them: who is assigned, which groups are pushed, who is fit for AWS.

use std::collections::{BTreeMap, BTreeSet};

use okta_client::{Client, Group, Id, User, UserRef, UserStatus};

use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind, Result},
};

/// The people of a blueprint as Okta knows them.
#[derive(Clone, Debug)]
pub struct ResolvedScope {
    /// The users who are assigned one by one.
    pub users: Vec<User>,
    /// The groups whose members are assigned, with their members.
    pub assigned: Vec<GroupWithMembers>,
    /// The groups that are pushed, with their members.
    pub pushed: Vec<GroupWithMembers>,
}

/// A group with its members.
#[derive(Clone, Debug)]
pub struct GroupWithMembers {
    /// The group.
    pub group: Group,
    /// Who is in it.
    pub users: Vec<User>,
}

impl ResolvedScope {
    /// Reads the people whom a blueprint names.
    ///
    /// # Errors
    ///
    /// If Okta has no such user or group, or a user whom `access` names cannot be provisioned.
    pub async fn read(okta: &Client, blueprint: &Blueprint) -> Result<Self> {
        let scope = Self::read_all(okta, blueprint).await?;
        scope.users.iter().try_for_each(require_provisionable)?;
        Ok(scope)
    }

    /// Reads the people whom a blueprint names, those who cannot be provisioned too.
    pub(crate) async fn read_all(okta: &Client, blueprint: &Blueprint) -> Result<Self> {
        let mut scope = Self {
            users: Vec::new(),
            assigned: Vec::new(),
            pushed: Vec::new(),
        };
        for login in blueprint.assigned_users() {
            let user = okta
                .users()
                .get(&UserRef::login(login))
                .await
                .map_err(|error| no_user(login, error))?;
            // Okta also finds a user by a short name or an id; AWS knows the whole login alone.
            if user.profile.login != login {
                return Err(Error::new(
                    ErrorKind::UnusableSubject,
                    format!("`{login}` is the user `{}` in Okta", user.profile.login),
                )
                .with_help("write the whole login in the blueprint, spelt as in Okta"));
            }
            scope.users.push(user);
        }
        for name in blueprint.assigned_groups() {
            scope.assigned.push(members(okta, name).await?);
        }
        for name in blueprint.pushed_groups() {
            scope.pushed.push(members(okta, name).await?);
        }
        Ok(scope)
    }

    /// Everybody who is assigned to the app, one by one or through a group, by id.
    #[must_use]
    pub fn assigned_users(&self) -> BTreeMap<&Id<User>, &User> {
        self.assigned
            .iter()
            .flat_map(|members| &members.users)
            .chain(&self.users)
            .map(|user| (&user.id, user))
            .collect()
    }

    /// Everybody who is to arrive in AWS: who is assigned, active and fit.
    pub fn provisionable_users(&self) -> impl Iterator<Item = &User> {
        self.assigned_users()
            .into_values()
            .filter(|user| is_provisioned(&user.status) && profile_violations(user).is_empty())
    }

    /// Who of a group is to arrive in AWS.
    pub fn provisionable_members<'a>(
        &'a self,
        members: &'a GroupWithMembers,
    ) -> impl Iterator<Item = &'a User> {
        let provisionable_users: BTreeSet<&Id<User>> =
            self.provisionable_users().map(|user| &user.id).collect();
        members
            .users
            .iter()
            .filter(move |user| provisionable_users.contains(&user.id))
    }

    /// GroupWithMembers of pushed groups who are not assigned to the app, as notes.
    pub(crate) fn unassigned_member_notes(&self) -> Vec<String> {
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
                notes.push(format!(
                    "group {} is pushed without members who are not assigned to the app: {} (name a group of theirs in provisioning.assign_groups, or them in provisioning.assign_users)",
                    members.group.name,
                    missing.join(", ")
                ));
            }
        }
        notes
    }

    /// What a reader should know: members of pushed groups who will be missing in AWS, and why.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let assigned = self.assigned_users();
        let mut notes = self.unassigned_member_notes();
        for user in assigned.values() {
            if !is_provisioned(&user.status) {
                notes.push(format!(
                    "{} is {} in Okta and will not arrive in AWS",
                    user.profile.login, user.status
                ));
            } else if let problems @ [_, ..] = profile_violations(user).as_slice() {
                notes.push(format!(
                    "{} will not arrive in AWS: {}",
                    user.profile.login,
                    problems.join("; ")
                ));
            }
        }
        notes
    }
}

async fn members(okta: &Client, name: &str) -> Result<GroupWithMembers> {
    let found = okta.groups().find_by_name(name).await.map_err(|error| {
        Error::service(
            format!("group `{name}` could not be looked up in Okta"),
            error,
        )
    })?;
    let group = found.ok_or_else(|| {
        Error::new(ErrorKind::UnusableSubject, format!("Okta has no group `{name}`"))
            .with_help("correct the name in the blueprint (it is compared exactly), or create the group in Okta")
    })?;
    let users = okta
        .groups()
        .members(&group.id)
        .try_collect()
        .await
        .map_err(|error| {
            Error::service(
                format!("the members of group `{name}` could not be read from Okta"),
                error,
            )
        })?;
    Ok(GroupWithMembers { group, users })
}

fn no_user(login: &str, error: okta_client::Error) -> Error {
    if error.is_not_found() {
        let mut unfit = Error::new(
            ErrorKind::UnusableSubject,
            format!("Okta has no user `{login}`"),
        );
        unfit = unfit
            .with_response(crate::error::ServiceError::response(&error))
            .with_source(error);
        return unfit.with_help("correct the login in the blueprint, or create the user in Okta");
    }
    Error::service(format!("user `{login}` could not be read from Okta"), error)
}

fn require_provisionable(user: &User) -> Result<()> {
    let login = &user.profile.login;
    if !is_provisioned(&user.status) {
        return Err(Error::new(
            ErrorKind::UnusableSubject,
            format!("user `{login}` is {} in Okta", user.status),
        )
        .with_help("activate the user in Okta, or take the line out of the blueprint"));
    }
    match profile_violations(user).as_slice() {
        [] => Ok(()),
        problems => Err(Error::new(
            ErrorKind::UnusableSubject,
            format!("AWS will not take user `{login}`: {}", problems.join("; ")),
        )
        .with_help("correct the profile in Okta (Directory > People), then run again")),
    }
}

/// Whether Okta provisions a user in this status into apps.
fn is_provisioned(status: &UserStatus) -> bool {
    !matches!(
        status,
        UserStatus::Staged | UserStatus::Suspended | UserStatus::Deprovisioned
    )
}

/// What AWS's SCIM endpoint will not take about a user (AWS "SCIM profile and SAML 2.0 implementation"; Okta KB
/// "Request is unparsable, syntactically incorrect, or violates schema").
#[must_use]
pub fn profile_violations(user: &User) -> Vec<String> {
    let profile = &user.profile;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let values = [
        ("login", profile.login.clone(), true),
        ("firstName", text(&profile.first_name), true),
        ("lastName", text(&profile.last_name), true),
        ("email", text(&profile.email), true),
        // Often empty in Okta; what the app's mapping sends then, only a tenant can tell (docs/UNVERIFIED.md).
        ("displayName", text(&profile.display_name), false),
    ];
    let mut problems = Vec::new();
    if !profile.login.contains('@') {
        problems
            .push("login is no email address, which AWS wants the SAML NameID to be".to_owned());
    }
    for (name, value, needed) in values {
        if needed && value.trim().is_empty() {
            problems.push(format!("{name} is empty"));
        }
        if value.chars().count() > 128 {
            problems.push(format!("{name} has more than 128 characters"));
        }
        if let Some(bad) = value.chars().find(|c| "<>;:%".contains(*c)) {
            problems.push(format!("{name} has `{bad}`, which AWS refuses"));
        }
        if let Some(bad) = value.chars().find(|c| c.is_control() || is_invisible(*c)) {
            problems.push(format!(
                "{name} has the invisible character U+{:04X}, which AWS refuses",
                u32::from(bad)
            ));
        }
    }
    problems
}

/// Characters that format text and are not seen: they come with copied names.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}
