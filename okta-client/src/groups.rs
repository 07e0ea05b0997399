//! Groups of users.

use std::collections::BTreeSet;

use rest_core::{Call, Pager};
use serde_json::json;

use crate::{
    App, Client, Edit, Error, Id, SortOrder, User, Users, client::join, filter, json::resource,
    open_enum::open_enum, users,
};

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
    /// # use okta_client::{Client, GroupKind};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = sandbox::Sandbox::start().await;
    /// # let token = okta_client::Secret::new(sandbox.okta_token());
    /// # let okta = Client::builder(&sandbox.okta_url(), token).build()?;
    /// let created = okta.groups().create("admins", Some("Admins of the cloud")).await?;
    /// let found = okta.groups().named("admins").await?;
    /// assert_eq!(found[0].id, created.id);
    /// assert_eq!(found[0].kind, GroupKind::OktaGroup);
    /// # Ok(()) }
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

resource! {
    /// A group of users.
    resource Group {
        /// The id.
        pub id: Id<Group> = "/id",
        /// The kind of group.
        pub kind: GroupKind = "/type",
        /// The name; empty only if Okta omitted it.
        pub name: String = "/profile/name",
        /// The description.
        pub description: Option<String> = "/profile/description",
        /// The app from which the group was imported, if any.
        pub source: Option<Id<App>> = "/source/id",
        /// Time of the last change of the group itself, in Okta's format.
        pub last_updated: Option<String> = "/lastUpdated",
        /// Time of the last change of the group's members, in Okta's format.
        pub last_membership_updated: Option<String> = "/lastMembershipUpdated",
        /// The number of members, with [`GroupExpand::Stats`].
        pub users_count: Option<i64> = "/_embedded/stats/usersCount",
        /// The number of apps that the group is assigned to, with [`GroupExpand::Stats`].
        pub apps_count: Option<i64> = "/_embedded/stats/appsCount",
    }
}

impl Group {
    /// Returns the document for [`Groups::replace`]: all fields except those that are read-only.
    #[must_use]
    pub fn edit(&self) -> Edit<Self> {
        Edit::of(&self.raw, &READ_ONLY)
    }
}

impl Edit<Group> {
    /// Sets the name.
    pub fn set_name(&mut self, name: &str) {
        self.set_text("/profile/name", name);
    }

    /// Sets the description.
    pub fn set_description(&mut self, description: &str) {
        self.set_text("/profile/description", description);
    }
}

/// The fields that Okta sets itself.
const READ_ONLY: [&str; 10] = [
    "id",
    "orn",
    "type",
    "source",
    "created",
    "lastUpdated",
    "lastMembershipUpdated",
    "objectClass",
    "_links",
    "_embedded",
];

open_enum! {
    /// Kind of a group, which determines where its members are managed.
    GroupKind {
        /// A group in Okta; members are added one by one or by rules.
        OktaGroup = "OKTA_GROUP",
        /// A group that only Okta changes, such as `Everyone`.
        BuiltIn = "BUILT_IN",
        /// A group that was imported from an app.
        AppGroup = "APP_GROUP",
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Group, GroupKind};
    use crate::json::{Missing, decode};

    #[test]
    fn a_group_is_decoded_with_its_source() {
        let group = decode::<Group>(json!({
            "id": "00g1", "type": "APP_GROUP", "lastUpdated": "2026-01-01T00:00:00.000Z",
            "profile": { "name": "admins", "description": null }, "source": { "id": "0oa1" }
        }))
        .expect("a valid group");
        assert_eq!(group.kind, GroupKind::AppGroup);
        assert_eq!(group.name, "admins");
        assert_eq!(group.description, None);
        assert_eq!(group.source.expect("a valid app").as_str(), "0oa1");
    }

    #[test]
    fn a_group_with_invalid_fields_is_decoded() {
        let group = decode::<Group>(json!({ "id": "00g1", "profile": 7 })).expect("a valid group");
        assert_eq!(
            (group.kind, group.name.as_str()),
            (GroupKind::Other(String::new()), "")
        );
        assert_eq!(decode::<Group>(json!({ "id": "" })), Err(Missing("/id")));
    }
}
