//! The people of a blueprint as Okta knows them: who is assigned, which groups are pushed, who is fit for AWS.

use std::collections::{BTreeMap, BTreeSet};

use okta_client::{Client, Group, Id, User, UserRef, UserStatus};

use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind, Outcome},
};

/// The people of a blueprint as Okta knows them.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The users who are assigned one by one.
    pub users: Vec<User>,
    /// The groups whose members are assigned, with their members.
    pub assigned: Vec<Members>,
    /// The groups that are pushed, with their members.
    pub pushed: Vec<Members>,
}

/// A group with its members.
#[derive(Clone, Debug)]
pub struct Members {
    /// The group.
    pub group: Group,
    /// Who is in it.
    pub users: Vec<User>,
}

impl Roster {
    /// Reads the people whom a blueprint names.
    ///
    /// # Errors
    ///
    /// If Okta has no such user or group, or a user whom `access` names cannot be provisioned.
    pub async fn read(okta: &Client, blueprint: &Blueprint) -> Outcome<Self> {
        let roster = Self::read_all(okta, blueprint).await?;
        roster.users.iter().try_for_each(refuse_unfit)?;
        Ok(roster)
    }

    /// Reads the people whom a blueprint names, those who cannot be provisioned too.
    pub(crate) async fn read_all(okta: &Client, blueprint: &Blueprint) -> Outcome<Self> {
        let mut roster = Self {
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
                    ErrorKind::Unfit,
                    format!("`{login}` is the user `{}` in Okta", user.profile.login),
                )
                .help("write the whole login in the blueprint, spelt as in Okta"));
            }
            roster.users.push(user);
        }
        for name in blueprint.assigned_groups() {
            roster.assigned.push(members(okta, name).await?);
        }
        for name in blueprint.pushed_groups() {
            roster.pushed.push(members(okta, name).await?);
        }
        Ok(roster)
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
    pub fn travellers(&self) -> impl Iterator<Item = &User> {
        self.assigned_users()
            .into_values()
            .filter(|user| is_provisioned(&user.status) && misfits(user).is_empty())
    }

    /// Who of a group is to arrive in AWS.
    pub fn members_who_travel<'a>(
        &'a self,
        members: &'a Members,
    ) -> impl Iterator<Item = &'a User> {
        let travellers: BTreeSet<&Id<User>> = self.travellers().map(|user| &user.id).collect();
        members
            .users
            .iter()
            .filter(move |user| travellers.contains(&user.id))
    }

    /// Members of pushed groups who are not assigned to the app, as remarks.
    pub(crate) fn strangers(&self) -> Vec<String> {
        let assigned = self.assigned_users();
        let mut remarks = Vec::new();
        for members in &self.pushed {
            let missing: Vec<&str> = members
                .users
                .iter()
                .filter(|user| is_provisioned(&user.status) && !assigned.contains_key(&user.id))
                .map(|user| user.profile.login.as_str())
                .collect();
            if !missing.is_empty() {
                remarks.push(format!(
                    "group {} is pushed without members who are not assigned to the app: {} (name a group of theirs in provisioning.assign_groups, or them in provisioning.assign_users)",
                    members.group.name,
                    missing.join(", ")
                ));
            }
        }
        remarks
    }

    /// What a reader should know: members of pushed groups who will be missing in AWS, and why.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let assigned = self.assigned_users();
        let mut remarks = self.strangers();
        for user in assigned.values() {
            if !is_provisioned(&user.status) {
                remarks.push(format!(
                    "{} is {} in Okta and will not arrive in AWS",
                    user.profile.login, user.status
                ));
            } else if let problems @ [_, ..] = misfits(user).as_slice() {
                remarks.push(format!(
                    "{} will not arrive in AWS: {}",
                    user.profile.login,
                    problems.join("; ")
                ));
            }
        }
        remarks
    }
}

async fn members(okta: &Client, name: &str) -> Outcome<Members> {
    let found = okta.groups().find_by_name(name).await.map_err(|error| {
        Error::service(
            format!("group `{name}` could not be looked up in Okta"),
            error,
        )
    })?;
    let group = found.ok_or_else(|| {
        Error::new(ErrorKind::Unfit, format!("Okta has no group `{name}`"))
            .help("correct the name in the blueprint (it is compared exactly), or create the group in Okta")
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
    Ok(Members { group, users })
}

fn no_user(login: &str, error: okta_client::Error) -> Error {
    if error.is_not_found() {
        let mut unfit = Error::new(ErrorKind::Unfit, format!("Okta has no user `{login}`"));
        unfit = unfit
            .answered(crate::error::ServiceError::answer(&error))
            .because(error);
        return unfit.help("correct the login in the blueprint, or create the user in Okta");
    }
    Error::service(format!("user `{login}` could not be read from Okta"), error)
}

fn refuse_unfit(user: &User) -> Outcome<()> {
    let login = &user.profile.login;
    if !is_provisioned(&user.status) {
        return Err(Error::new(
            ErrorKind::Unfit,
            format!("user `{login}` is {} in Okta", user.status),
        )
        .help("activate the user in Okta, or take the line out of the blueprint"));
    }
    match misfits(user).as_slice() {
        [] => Ok(()),
        problems => Err(Error::new(
            ErrorKind::Unfit,
            format!("AWS will not take user `{login}`: {}", problems.join("; ")),
        )
        .help("correct the profile in Okta (Directory > People), then run again")),
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
pub fn misfits(user: &User) -> Vec<String> {
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
