//! A group and the edits of it.

use crate::{App, Edit, Id, json::resource, open_enum::open_enum};

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
        /// The number of members, with [`GroupExpand::Stats`](crate::GroupExpand::Stats).
        pub users_count: Option<i64> = "/_embedded/stats/usersCount",
        /// The number of apps that the group is assigned to, with [`GroupExpand::Stats`](crate::GroupExpand::Stats).
        pub apps_count: Option<i64> = "/_embedded/stats/appsCount",
    }
}

impl Group {
    /// Returns the document for [`Groups::replace`](crate::Groups::replace): all fields except those that are read-only.
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
