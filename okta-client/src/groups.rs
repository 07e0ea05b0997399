//! Groups of users.

use std::collections::BTreeSet;

use rest_core::{Call, Pager};
use serde_json::json;

use crate::{App, Client, Edit, Error, Id, SortOrder, User, Users, client::join, filter, users};

mod group;

pub use group::{Group, GroupKind};

/// Calls for groups.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for groups.
    #[must_use]
    pub fn groups(&self) -> Groups<'_> {
        Groups { client: self }
    }
}

impl Groups<'_> {
    /// Returns a group. Use [`get_opt`](Self::get_opt) if the group may not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = group(&okta).await?;
    /// let group = okta.groups().get(&id).await?;
    /// assert_eq!(group.name, "aws-users");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the group does not exist.
    ///
    /// Scope: `okta.groups.read`.
    pub async fn get(&self, id: &Id<Group>) -> Result<Group, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Returns a group, or `None` if the group does not exist.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = group(&okta).await?;
    /// okta.groups().delete(&id).await?;
    /// assert_eq!(okta.groups().get_opt(&id).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.groups.read`.
    pub async fn get_opt(&self, id: &Id<Group>) -> Result<Option<Group>, Error> {
        self.client.read_opt(Call::get(path(id, &[]))).await
    }

    /// Lists the groups that match `options`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let mut groups = okta.groups().list(ListGroups {
    ///     name_prefix: Some("aws-".to_owned()),
    ///     expand: Some(GroupExpand::Stats),
    ///     ..ListGroups::default()
    /// });
    /// while let Some(group) = groups.try_next().await? {
    ///     println!("{}: {:?} members", group.name, group.users_count);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or if Okta rejects the filter or the search.
    ///
    /// Scope: `okta.groups.read`.
    pub fn list(&self, options: ListGroups) -> Pager<Group, Error> {
        // Okta returns the groups with a name prefix as a single page ("Paging and searching are
        // currently mutually exclusive"). The default size of this page is left to Okta.
        let page = options.name_prefix.is_none().then_some(PAGE);
        let limit = options.limit.or(page).map(|limit| limit.to_string());
        self.client.list(move || {
            let order = options.sort_order.map(SortOrder::short);
            Call::get(GROUPS)
                .query_opt("limit", limit.clone())
                .query_opt("q", options.name_prefix.clone())
                .query_opt("filter", options.filter.clone())
                .query_opt("search", options.search.clone())
                .query_opt("sortBy", options.sort_by.clone())
                .query_opt("sortOrder", order)
                .query_opt("expand", options.expand.map(GroupExpand::as_str))
        })
    }

    /// Returns the groups with exactly this name.
    ///
    /// Okta's own groups have unique names. Groups that were imported from apps are unique only in their app, so several
    /// groups may have one name; see [`Group::kind`]. The name is looked up in the list of groups, which sees changes
    /// immediately. That list is cut off at 300 groups whose names start with this name. If it is cut off, the search is used
    /// as well. The search sees changes with a short delay.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let created = okta.groups().create("admins", Some("Admins of the cloud")).await?;
    /// let found = okta.groups().named("admins").await?;
    /// assert_eq!(found[0].id, created.id);
    /// assert_eq!(found[0].kind, GroupKind::OktaGroup);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    ///
    /// Scope: `okta.groups.read`.
    pub async fn named(&self, name: &str) -> Result<Vec<Group>, Error> {
        let options = ListGroups {
            name_prefix: Some(name.to_owned()),
            limit: Some(QUERY_LIMIT),
            ..ListGroups::default()
        };
        let mut groups = self.list(options).try_collect().await?;
        if groups.len() >= QUERY_LIMIT as usize {
            let options = ListGroups {
                search: Some(filter::eq("profile.name", name)),
                ..ListGroups::default()
            };
            groups.extend(self.list(options).try_collect().await?);
        }
        let mut seen = BTreeSet::new();
        groups.retain(|group| group.name == name && seen.insert(group.id.clone()));
        Ok(groups)
    }

    /// Creates a group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let group = okta.groups().create("admins", Some("Admins of the cloud")).await?;
    /// assert_eq!(group.description.as_deref(), Some("Admins of the cloud"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the name is already in use. If [`Error::may_have_acted`], Okta
    /// may have created the group: check with [`named`](Self::named).
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn create(&self, name: &str, description: Option<&str>) -> Result<Group, Error> {
        let mut profile = json!({ "name": name });
        if let Some(description) = description {
            profile["description"] = description.into();
        }
        self.client
            .read(Call::post(GROUPS).json(&json!({ "profile": profile })))
            .await
    }

    /// Replaces the attributes of a group with those of `edit`, from [`Group::edit`].
    ///
    /// Okta has no conditional update of groups. To detect concurrent changes, compare [`Group::last_updated`] before.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = group(&okta).await?;
    /// let mut edit = okta.groups().get(&id).await?.edit();
    /// edit.set_description("Everyone with access to AWS");
    /// let group = okta.groups().replace(&id, &edit).await?;
    /// assert_eq!(group.description.as_deref(), Some("Everyone with access to AWS"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the group does not exist, if it is not managed in Okta
    /// ([`GroupKind::OktaGroup`]), or if the name is already in use.
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn replace(&self, id: &Id<Group>, edit: &Edit<Group>) -> Result<Group, Error> {
        self.client.read(Call::put(path(id, &[])).json(edit)).await
    }

    /// Deletes a group. The members of the group are not deleted.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = group(&okta).await?;
    /// okta.groups().delete(&id).await?;
    /// assert_eq!(okta.groups().get_opt(&id).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the group does not exist.
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn delete(&self, id: &Id<Group>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }

    /// Lists the members of a group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = group(&okta).await?;
    /// let members = okta.groups().members(&id).try_collect().await?;
    /// assert!(members.iter().any(|user| user.profile.login == "grace.hopper@example.com"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the group does not exist.
    ///
    /// Scope: `okta.groups.read`.
    pub fn members(&self, id: &Id<Group>) -> Pager<User, Error> {
        let path = path(id, &["users"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", PAGE.to_string()))
    }

    /// Adds a user to a group. Succeeds if the user is already a member.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let grace = grace(&okta).await?;
    /// let admins = okta.groups().create("admins", None).await?.id;
    /// okta.groups().add_member(&admins, &grace).await?;
    /// let members = okta.groups().members(&admins).try_collect().await?;
    /// assert_eq!(members[0].id, grace);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the group or the user does not exist, or if the group is not
    /// managed in Okta ([`GroupKind::OktaGroup`]).
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn add_member(&self, id: &Id<Group>, user: &Id<User>) -> Result<(), Error> {
        let call = Call::put(path(id, &["users", user.as_str()]));
        match self.client.send_discard(call).await {
            Err(error) if is_already_member(&error) => Ok(()),
            result => result,
        }
    }

    /// Removes a user from a group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let (id, grace) = (group(&okta).await?, grace(&okta).await?);
    /// okta.groups().remove_member(&id, &grace).await?;
    /// let members = okta.groups().members(&id).try_collect().await?;
    /// assert!(members.iter().all(|user| user.id != grace));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the group or the user does not exist, or if the group is not
    /// managed in Okta ([`GroupKind::OktaGroup`]).
    ///
    /// Scope: `okta.groups.manage`.
    pub async fn remove_member(&self, id: &Id<Group>, user: &Id<User>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["users", user.as_str()])))
            .await
    }

    /// Lists the apps that a group is assigned to.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let (app, group) = (aws(&okta).await?, group(&okta).await?);
    /// okta.apps().assign_group(&app, &group).await?;
    /// let apps = okta.groups().apps(&group).try_collect().await?;
    /// assert_eq!(apps[0].id(), &app);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the group does not exist.
    ///
    /// Scope: `okta.groups.read`.
    pub fn apps(&self, id: &Id<Group>) -> Pager<App, Error> {
        let path = path(id, &["apps"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", PAGE.to_string()))
    }
}

impl Users<'_> {
    /// Lists the groups that a user is a member of.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let grace = grace(&okta).await?;
    /// let groups = okta.users().groups(&grace).try_collect().await?;
    /// assert!(groups.iter().any(|group| group.name == "aws-users"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the user does not exist.
    ///
    /// Scope: `okta.users.read`.
    pub fn groups(&self, id: &Id<User>) -> Pager<Group, Error> {
        let path = users::path(id.as_str(), &["groups"]);
        self.client.list(move || Call::get(path.clone()))
    }
}

/// Options of [`Groups::list`].
///
/// Fields may be added: end with `..ListGroups::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListGroups {
    /// A prefix of the group names. Okta returns only one page of matching groups.
    pub name_prefix: Option<String>,
    /// A filter on id, type or time of change, such as `type eq "OKTA_GROUP"`. It sees changes
    /// immediately.
    pub filter: Option<String>,
    /// A search over any attribute, such as `profile.name eq "admins"`. It sees changes with a
    /// delay.
    pub search: Option<String>,
    /// The attribute that determines the order, such as `profile.name`. Only for a search.
    pub sort_by: Option<String>,
    /// The order. Only for a search.
    pub sort_order: Option<SortOrder>,
    /// The additional data of each group.
    pub expand: Option<GroupExpand>,
    /// Number of groups per page (default: 200; with a name prefix: Okta's default).
    pub limit: Option<u32>,
}

/// Additional data of the groups of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupExpand {
    /// The numbers of members and apps: [`Group::users_count`], [`Group::apps_count`].
    Stats,
    /// The app from which a group was imported, in `/_embedded/app` of [`Group::raw`].
    App,
}

impl GroupExpand {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stats => "stats",
            Self::App => "app",
        }
    }
}

/// Returns whether Okta refused a membership because the membership already exists.
fn is_already_member(error: &Error) -> bool {
    let refused = matches!(error.status(), Some(400 | 409));
    refused && error.message().is_some_and(|text| text.contains("already"))
}

/// Returns the path of a group, with the segments `rest` appended.
fn path(id: &Id<Group>, rest: &[&str]) -> Vec<String> {
    join(&[&GROUPS, &[id.as_str()], rest])
}

const GROUPS: [&str; 3] = ["api", "v1", "groups"];
// "Recommended page limit is now limit=200" (Okta, "List all member users").
const PAGE: u32 = 200;
// "The default limit for a query is 300 results" (Okta, "List all groups", `q`).
const QUERY_LIMIT: u32 = 300;
