//! A SCIM server as a source.

use futures::future::BoxFuture;
use scim_client::{Client, ItemError};
use scim_types::ExternalId;

use super::Source;
use crate::{
    error::{Error, ErrorKind, Result},
    sync::{
        directory::{Directory, Group, UnreadItem, User},
        profile::UserProfile,
    },
};

/// The users and groups of a SCIM server, such as the directory of another identity provider.
///
/// The server's `id` of a user or group is its id in the target. The server must list the members of groups.
#[derive(Clone, Debug)]
pub struct ScimSource {
    scim: Client,
}

impl ScimSource {
    /// Creates a source for a SCIM server.
    #[must_use]
    pub fn new(scim: &Client) -> Self {
        Self { scim: scim.clone() }
    }
}

impl Source for ScimSource {
    fn name(&self) -> String {
        format!("SCIM server ({})", self.scim.endpoint())
    }

    fn read(&self) -> BoxFuture<'_, Result<Directory>> {
        Box::pin(async move {
            if !self.scim.dialect().rules().returns_members {
                let message = format!("{} does not list the members of groups", self.name());
                return Err(Error::new(ErrorKind::UnusableSubject, message)
                    .with_help("use a server that returns `members`, or another source"));
            }
            let failed = |what: &'static str| {
                let name = self.name();
                move |error| {
                    Error::service(format!("the {what} of {name} could not be read"), error)
                }
            };
            let users = self.scim.users().list(None).collect_partial();
            let groups = self.scim.groups().list(None).collect_partial();
            let (users, groups) =
                futures::try_join!(async { users.await.map_err(failed("users")) }, async {
                    groups.await.map_err(failed("groups"))
                })?;
            let mut directory = Directory::default();
            directory.unread("the source's users", &users.errors);
            directory.unread("the source's groups", &groups.errors);
            for user in users.items {
                let profile = UserProfile::of(&user);
                match &user.id {
                    Some(id) => {
                        let id = ExternalId::new(id.as_str());
                        directory.users.push(User::new(id, profile));
                    }
                    None => directory
                        .incomplete
                        .push(without_id("user", &profile.user_name)),
                }
            }
            for group in groups.items {
                let name = group.display_name.unwrap_or_default().into_string();
                let Some(id) = group.id else {
                    directory.incomplete.push(without_id("group", &name));
                    continue;
                };
                let members = group.members.into_iter();
                let members = members.filter_map(|member| member.value);
                directory.groups.push(Group {
                    id: ExternalId::new(id.as_str()),
                    name,
                    members: members.map(|id| ExternalId::new(id.as_str())).collect(),
                });
            }
            Ok(directory)
        })
    }

    /// Returns `false`: the ids of SCIM servers have no common form, so that only the cached state tells which users and groups
    /// an earlier run has made.
    fn may_have_issued(&self, _: &ExternalId) -> bool {
        false
    }
}

impl Directory {
    fn unread(&mut self, list: &str, errors: &[ItemError]) {
        let items = errors.iter();
        self.incomplete
            .extend(items.map(|error| UnreadItem::of_list(list, error)));
    }
}

fn without_id(kind: &str, name: &str) -> UnreadItem {
    UnreadItem {
        item: format!("{kind} {name}"),
        reason: "the source returned it without an id".to_owned(),
    }
}
