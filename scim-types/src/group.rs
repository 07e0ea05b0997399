//! Groups.

use crate::{ExternalId, Meta, Reference, ResourceId, Text, attribute::document};

document! {
    /// A group (RFC 7643 section 4.2).
    pub struct Group of GROUP {
        /// The server's id of the group; absent before the group is created.
        pub id: Option<ResourceId> = "id",
        /// The client's id of the group.
        pub external_id: Option<ExternalId> = "externalId",
        /// The name of the group.
        pub display_name: Option<Text> = "displayName",
        /// The members, if the server returns them.
        ///
        /// AWS IAM Identity Center returns an empty list for every group, even for a group with members (AWS
        /// SCIM developer guide, `GetGroup`). An empty list from AWS therefore does not mean that the group is
        /// empty.
        pub members: Vec<Reference> = "members",
        /// The metadata of the resource.
        pub meta: Option<Meta> = "meta",
    }
}

impl Group {
    /// Returns a group with only a name.
    pub fn new(display_name: impl Into<Text>) -> Self {
        Self {
            display_name: Some(display_name.into()),
            ..Self::default()
        }
    }
}
