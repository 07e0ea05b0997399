use crate::{ExternalId, Meta, Reference, ResourceId, Text, attribute::document};

document! {
    /// A group (RFC 7643 section 4.2).
    pub struct Group of GROUP {
        /// The id the server gave; absent before the group is created.
        pub id: Option<ResourceId> = "id",
        /// The id the client gave.
        pub external_id: Option<ExternalId> = "externalId",
        /// The name of the group.
        pub display_name: Option<Text> = "displayName",
        /// The members, if the server says them.
        ///
        /// AWS IAM Identity Center answers every read of a group with an empty list, whoever is in it
        /// (AWS SCIM developer guide, GetGroup): an empty list says nothing there.
        pub members: Vec<Reference> = "members",
        /// What the server says about the resource as such.
        pub meta: Option<Meta> = "meta",
    }
}

impl Group {
    /// Returns a group that has a name and nothing else.
    pub fn new(display_name: impl Into<Text>) -> Self {
        Self {
            display_name: Some(display_name.into()),
            ..Self::default()
        }
    }
}
