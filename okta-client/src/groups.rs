//! Groups of users.

use rest_core::{Call, Pager};
use serde_json::{Value, json};

use crate::{
    App, Client, Error, Id, User, filter,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
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
    pub async fn get(&self, id: &Id<Group>) -> Result<Group, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Returns a group, or `None` if the group does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn get_opt(&self, id: &Id<Group>) -> Result<Option<Group>, Error> {
        self.client.read_opt(Call::get(path(id, &[]))).await
    }

    /// Lists the groups that match `options`.
    pub fn list(&self, options: ListGroups) -> Pager<Group, Error> {
        // Okta returns the groups with a name prefix as a single page ("Paging and searching are
        // currently mutually exclusive"). The default size of this page is left to Okta.
        let page = options.name_prefix.is_none().then_some(PAGE);
        let limit = options.limit.or(page).map(|limit| limit.to_string());
        self.client.list(move || {
            Call::get(GROUPS)
                .query_opt("limit", limit.clone())
                .query_opt("q", options.name_prefix.clone())
                .query_opt("filter", options.filter.clone())
                .query_opt("search", options.search.clone())
        })
    }

    /// Returns the group with exactly this name, or `None` if there is no such group.
    ///
    /// Several groups may have the same name if some were imported from apps. In this case, Okta's
    /// own group is preferred; see [`Group::kind`]. The name is looked up in the list of groups,
    /// which sees changes immediately. That list is cut off at 300 groups whose names start with
    /// this name. If it is cut off before this name, the search is used as well. The search sees
    /// changes with a short delay.
    ///
    /// # Errors
    ///
    /// Fails if a request fails.
    pub async fn find_by_name(&self, name: &str) -> Result<Option<Group>, Error> {
        let name_prefix = Some(name.to_owned());
        let limit = Some(QUERY_LIMIT);
        let options = ListGroups {
            name_prefix,
            limit,
            ..ListGroups::default()
        };
        let found = self.list(options).try_collect().await?;
        let complete = found.len() < QUERY_LIMIT as usize;
        let best = best_named(found, name);
        if complete || best.is_some() {
            return Ok(best);
        }
        let search = Some(filter::eq("profile.name", name));
        let found = self.list(ListGroups {
            search,
            ..ListGroups::default()
        });
        Ok(best_named(found.try_collect().await?, name))
    }

    /// Creates a group.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the name is already in use. If [`Error::may_have_acted`], Okta
    /// may have created the group: check with [`find_by_name`](Self::find_by_name).
    pub async fn create(&self, name: &str, description: Option<&str>) -> Result<Group, Error> {
        let mut profile = json!({ "name": name });
        if let Some(description) = description {
            profile["description"] = description.into();
        }
        self.client
            .read(Call::post(GROUPS).json(&json!({ "profile": profile })))
            .await
    }

    /// Deletes a group. The members of the group are not deleted.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the group does not exist.
    pub async fn delete(&self, id: &Id<Group>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }

    /// Lists the members of a group.
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
    pub async fn remove_member(&self, id: &Id<Group>, user: &Id<User>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["users", user.as_str()])))
            .await
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
    /// Number of groups per page (default: 200; with a name prefix: Okta's default).
    pub limit: Option<u32>,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The id.
    pub id: Id<Self>,
    /// The kind of group.
    pub kind: GroupKind,
    /// The name; empty only if Okta omitted it.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The app from which the group was imported, if any.
    pub source: Option<Id<App>>,
    /// Time of the last change of the group itself, in Okta's format.
    pub last_updated: Option<String>,
    /// Time of the last change of the group's members, in Okta's format.
    pub last_membership_updated: Option<String>,
}

impl FromJson for Group {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            kind: json::open_enum(&value, "/type"),
            name: json::string(&value, "/profile/name").unwrap_or_default(),
            description: json::string(&value, "/profile/description"),
            source: json::id_opt(&value, "/source/id"),
            last_updated: json::string(&value, "/lastUpdated"),
            last_membership_updated: json::string(&value, "/lastMembershipUpdated"),
        })
    }
}

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

/// Returns the group with this name, with a preference for groups that are managed in Okta.
fn best_named(groups: Vec<Group>, name: &str) -> Option<Group> {
    let rank = |group: &Group| match group.kind {
        GroupKind::OktaGroup => 0,
        GroupKind::BuiltIn => 1,
        GroupKind::AppGroup => 2,
        GroupKind::Other(_) => 3,
    };
    groups
        .into_iter()
        .filter(|group| group.name == name)
        .min_by_key(rank)
}

/// Returns whether Okta refused a membership because the membership already exists.
fn is_already_member(error: &Error) -> bool {
    let refused = matches!(error.status(), Some(400 | 409));
    refused && error.message().is_some_and(|text| text.contains("already"))
}

/// Returns the path of a group, with the segments `rest` appended.
fn path(id: &Id<Group>, rest: &[&str]) -> Vec<String> {
    GROUPS
        .iter()
        .copied()
        .chain([id.as_str()])
        .chain(rest.iter().copied())
        .map(String::from)
        .collect()
}

const GROUPS: [&str; 3] = ["api", "v1", "groups"];
// "Recommended page limit is now limit=200" (Okta, "List all member users").
const PAGE: u32 = 200;
// "The default limit for a query is 300 results" (Okta, "List all groups", `q`).
const QUERY_LIMIT: u32 = 300;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Group, GroupKind, best_named};
    use crate::json::{FromJson, Missing};

    fn group(id: &str, kind: &str, name: &str) -> Group {
        let value = json!({ "id": id, "type": kind, "profile": { "name": name } });
        Group::from_json(value).expect("a valid group")
    }

    #[test]
    fn a_group_is_decoded_with_its_source() {
        let group = Group::from_json(json!({
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
        let group = Group::from_json(json!({ "id": "00g1", "profile": 7 })).expect("a valid group");
        assert_eq!(
            (group.kind, group.name.as_str()),
            (GroupKind::Other(String::new()), "")
        );
        assert_eq!(Group::from_json(json!({ "id": "" })), Err(Missing("/id")));
    }

    #[test]
    fn the_okta_group_is_preferred_among_groups_with_the_same_name() {
        let groups = || {
            vec![
                group("00g1", "OKTA_GROUP", "admins-eu"),
                group("00g2", "APP_GROUP", "admins"),
                group("00g3", "OKTA_GROUP", "admins"),
                group("00g4", "OKTA_GROUP", "Admins"),
            ]
        };
        assert_eq!(
            best_named(groups(), "admins")
                .expect("a valid group")
                .id
                .as_str(),
            "00g3"
        );
        assert_eq!(best_named(groups(), "admin"), None);
    }
}
