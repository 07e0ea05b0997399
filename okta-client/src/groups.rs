//! Groups of people.

use rest_core::{Call, Pager};
use serde_json::{Value, json};

use crate::{
    App, Client, Error, Id, User, filter,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

/// The calls about groups.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    client: &'a Client,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Returns a group; see [`get_opt`](Self::get_opt) where absence is normal.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such group.
    pub async fn get(&self, id: &Id<Group>) -> Result<Group, Error> {
        self.client.read(Call::get(one(id))).await
    }

    /// Returns a group, or `None` if there is no such group.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails.
    pub async fn get_opt(&self, id: &Id<Group>) -> Result<Option<Group>, Error> {
        self.client.read_opt(Call::get(one(id))).await
    }

    /// Returns the groups that `options` asks for.
    pub fn list(&self, options: ListGroups) -> Pager<Group, Error> {
        // Okta cannot page through a query by name ("Paging and searching are currently mutually
        // exclusive"), so that comes as one page as long as Okta makes it.
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

    /// Returns the group with exactly this name, or `None` if there is none.
    ///
    /// Several groups of one name are possible, if apps brought some of them; then Okta's own comes
    /// first, and [`Group::kind`] says which it is. The name is looked up in the list of groups,
    /// which knows of every change at once; only where very many names begin with this one, the
    /// search is asked as well, which lags behind a little.
    ///
    /// # Errors
    ///
    /// [`Error`] if a call fails.
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
    /// [`Error`] if the call fails or the name is taken. After [`Error::Transport`] the group may
    /// exist nevertheless: [`find_by_name`](Self::find_by_name) tells.
    pub async fn create(&self, name: &str, description: Option<&str>) -> Result<Group, Error> {
        let mut profile = json!({ "name": name });
        if let Some(description) = description {
            profile["description"] = description.into();
        }
        self.client
            .read(Call::post(GROUPS).json(&json!({ "profile": profile })))
            .await
    }

    /// Deletes a group; who is in it stays.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such group.
    pub async fn delete(&self, id: &Id<Group>) -> Result<(), Error> {
        self.client.delete_idempotent(Call::delete(one(id))).await
    }

    /// Returns who is in the group.
    pub fn members(&self, id: &Id<Group>) -> Pager<User, Error> {
        let path = path(id, &["users"]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", PAGE.to_string()))
    }

    /// Puts a user into the group; one who is in it already is no error.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if group or user do not exist, or if the group is not one that
    /// Okta itself keeps ([`GroupKind::OktaGroup`]).
    pub async fn add_member(&self, id: &Id<Group>, user: &Id<User>) -> Result<(), Error> {
        let call = Call::put(path(id, &["users", user.as_str()]));
        match self.client.send_discard(call).await {
            Err(error) if is_already_so(&error) => Ok(()),
            result => result,
        }
    }

    /// Takes a user out of the group.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if group or user do not exist, or if the group is not one that
    /// Okta itself keeps ([`GroupKind::OktaGroup`]).
    pub async fn remove_member(&self, id: &Id<Group>, user: &Id<User>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["users", user.as_str()])))
            .await
    }
}

/// Which groups [`Groups::list`] returns.
#[derive(Debug, Clone, Default)]
pub struct ListGroups {
    /// What the names begin with; Okta returns one page of these and no more.
    pub name_prefix: Option<String>,
    /// A filter on id, type or time of change, such as `type eq "OKTA_GROUP"`; sees every change
    /// at once.
    pub filter: Option<String>,
    /// A search over any attribute, such as `profile.name eq "admins"`; lags behind changes.
    pub search: Option<String>,
    /// How many groups a page has; 200 unless told otherwise, and what Okta likes with a prefix.
    pub limit: Option<u32>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The id.
    pub id: Id<Self>,
    /// Who looks after the group.
    pub kind: GroupKind,
    /// The name; empty only if Okta left it out.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The app that brought the group, if one did.
    pub source: Option<Id<App>>,
    /// When the group itself was last changed, as Okta writes it.
    pub last_updated: Option<String>,
    /// When its members were last changed, as Okta writes it.
    pub last_membership_updated: Option<String>,
}

impl FromJson for Group {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            kind: json::word(&value, "/type"),
            name: json::text(&value, "/profile/name").unwrap_or_default(),
            description: json::text(&value, "/profile/description"),
            source: json::id_opt(&value, "/source/id"),
            last_updated: json::text(&value, "/lastUpdated"),
            last_membership_updated: json::text(&value, "/lastMembershipUpdated"),
        })
    }
}

open_enum! {
    /// Who looks after a group.
    GroupKind {
        /// Okta: members are added one by one or by rules.
        OktaGroup = "OKTA_GROUP",
        /// Okta, and nobody can change it, such as `Everyone`.
        BuiltIn = "BUILT_IN",
        /// An app, from which the group was imported.
        AppGroup = "APP_GROUP",
    }
}

/// Returns the group of this name that is most Okta's own.
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

/// Returns whether Okta refuses a membership because it exists.
fn is_already_so(error: &Error) -> bool {
    let refused = error
        .status()
        .is_some_and(|status| matches!(status.as_u16(), 400 | 409));
    refused && error.summary().is_some_and(|text| text.contains("already"))
}

fn one(id: &Id<Group>) -> Vec<String> {
    path(id, &[])
}

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
        Group::from_json(value).expect("a group")
    }

    #[test]
    fn a_group_is_read_with_where_it_comes_from() {
        let group = Group::from_json(json!({
            "id": "00g1", "type": "APP_GROUP", "lastUpdated": "2026-01-01T00:00:00.000Z",
            "profile": { "name": "admins", "description": null }, "source": { "id": "0oa1" }
        }))
        .expect("a group");
        assert_eq!(group.kind, GroupKind::AppGroup);
        assert_eq!(group.name, "admins");
        assert_eq!(group.description, None);
        assert_eq!(group.source.expect("an app").as_str(), "0oa1");
    }

    #[test]
    fn an_odd_group_is_still_a_group() {
        let group = Group::from_json(json!({ "id": "00g1", "profile": 7 })).expect("a group");
        assert_eq!(
            (group.kind, group.name.as_str()),
            (GroupKind::Other(String::new()), "")
        );
        assert_eq!(Group::from_json(json!({ "id": "" })), Err(Missing("/id")));
    }

    #[test]
    fn among_groups_of_one_name_oktas_own_comes_first() {
        let groups = || {
            vec![
                group("00g1", "OKTA_GROUP", "admins-eu"),
                group("00g2", "APP_GROUP", "admins"),
                group("00g3", "OKTA_GROUP", "admins"),
                group("00g4", "OKTA_GROUP", "Admins"),
            ]
        };
        assert_eq!(
            best_named(groups(), "admins").expect("a group").id.as_str(),
            "00g3"
        );
        assert_eq!(best_named(groups(), "admin"), None);
    }
}
