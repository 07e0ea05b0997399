//! The groups of a blueprint in Okta: by the id of the blueprint, or by a name that only one group has.

use std::collections::BTreeMap;

use okta_client::{App, Client, Group, Id};

use super::GroupWithMembers;
use crate::aws_app;
use crate::error::{Error, ErrorKind, Result};

/// The look-ups of groups for one scope.
pub(super) struct Groups<'a> {
    pub(super) okta: &'a Client,
    /// The ids of the blueprint, by name.
    pub(super) ids: &'a BTreeMap<String, String>,
    /// The apps that groups are imported from, and whether each one is AWS IAM Identity Center.
    pub(super) sources: BTreeMap<Id<App>, bool>,
}

impl Groups<'_> {
    /// Reads a group by its name, or by the id that the blueprint has for the name. `found` are the groups with the name, if
    /// they are known.
    pub(super) async fn read(
        &mut self,
        name: &str,
        found: Option<Vec<Group>>,
    ) -> Result<GroupWithMembers> {
        let failed = |error| {
            Error::service(
                format!("group `{name}` could not be looked up in Okta"),
                error,
            )
        };
        let groups = self.okta.groups();
        let group = if let Some(id) = self.ids.get(name) {
            let found = match Id::parse(id) {
                Ok(id) => groups.get_opt(&id).await.map_err(failed)?,
                Err(_not_an_id) => None,
            };
            with_id(name, id, found)?
        } else {
            let found = match found {
                Some(found) => found,
                None => groups.named(name).await.map_err(failed)?,
            };
            only_one(name, self.without_imports_from_aws(found).await?)?
        };
        let members = groups.members(&group.id).collect_partial().await;
        let members = members.map_err(|error| members_error(name, error))?;
        Ok(GroupWithMembers {
            group,
            users: members.items,
            unread: members.errors,
        })
    }

    /// Removes the groups that Okta has imported from AWS. A pushed group has such a counterpart of the same name.
    pub(super) async fn without_imports_from_aws(
        &mut self,
        found: Vec<Group>,
    ) -> Result<Vec<Group>> {
        let mut kept = Vec::new();
        for group in found {
            let is_of_aws = match &group.source {
                Some(source) => self.is_aws(source).await?,
                None => false,
            };
            if !is_of_aws {
                kept.push(group);
            }
        }
        Ok(kept)
    }

    async fn is_aws(&mut self, source: &Id<App>) -> Result<bool> {
        if let Some(known) = self.sources.get(source) {
            return Ok(*known);
        }
        let app = self.okta.apps().get_opt(source).await.map_err(|error| {
            Error::service(format!("app {source} could not be read from Okta"), error)
        })?;
        let is_aws = app.is_some_and(|app| app.name() == aws_app::CATALOG_NAME);
        self.sources.insert(source.clone(), is_aws);
        Ok(is_aws)
    }
}

/// Returns the group with the id of the blueprint, if it has the name of the blueprint.
fn with_id(name: &str, id: &str, found: Option<Group>) -> Result<Group> {
    let why = match found {
        Some(group) if group.name == name => return Ok(group),
        Some(group) => format!("has the name `{}`", group.name),
        None => "does not exist".to_owned(),
    };
    Err(Error::new(
        ErrorKind::UnusableSubject,
        format!("group {id} of Okta, which okta.group_ids has for `{name}`, {why}"),
    )
    .with_help("correct the id in the blueprint: it is in the address of the group in Okta's admin console, /admin/group/ID"))
}

/// Returns the only group with a name. A name of several groups could give the access to the wrong one.
fn only_one(name: &str, mut found: Vec<Group>) -> Result<Group> {
    if found.len() > 1 {
        let groups: Vec<String> = found
            .iter()
            .map(|group| match &group.source {
                Some(app) => format!("{} ({} of app {app})", group.id, group.kind),
                None => format!("{} ({})", group.id, group.kind),
            })
            .collect();
        return Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "Okta has {} groups `{name}`: {}",
                groups.len(),
                groups.join(", ")
            ),
        )
        .with_help(format!(
            "name one of them in the blueprint: under [okta.group_ids], \"{name}\" = \"{}\"",
            found[0].id
        )));
    }
    found.pop().ok_or_else(|| {
        Error::new(ErrorKind::UnusableSubject, format!("Okta has no group `{name}`"))
            .with_help("correct the name in the blueprint (names are compared exactly), or create the group in Okta")
    })
}

pub(super) fn members_error(group: &str, error: okta_client::Error) -> Error {
    Error::service(
        format!("the members of group `{group}` could not be read from Okta"),
        error,
    )
}
