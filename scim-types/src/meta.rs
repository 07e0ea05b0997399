//! The metadata of a resource.

use crate::{Text, attribute::complex};

complex! {
    /// The metadata of a resource; read-only (RFC 7643 section 3.1).
    pub struct Meta {
        /// The name of the resource type, such as `User`.
        pub resource_type: Option<Text> = "resourceType",
        /// The creation time as the server wrote it (specified format: RFC 3339).
        pub created: Option<Text> = "created",
        /// The time of the last change as the server wrote it (specified format: RFC 3339).
        pub last_modified: Option<Text> = "lastModified",
        /// The URI of the resource.
        pub location: Option<Text> = "location",
        /// The version of the resource, equal to its entity tag.
        pub version: Option<Text> = "version",
    }
}
