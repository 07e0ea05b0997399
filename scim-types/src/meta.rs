use crate::{Text, attribute::complex};

complex! {
    /// What a server says about a resource as such; read-only (RFC 7643 section 3.1).
    pub struct Meta {
        /// The name of the resource's type, such as `User`.
        pub resource_type: Option<Text> = "resourceType",
        /// When the resource was added, as the server wrote it (RFC 3339 by the book).
        pub created: Option<Text> = "created",
        /// When the resource was changed last, as the server wrote it (RFC 3339 by the book).
        pub last_modified: Option<Text> = "lastModified",
        /// The URI of the resource.
        pub location: Option<Text> = "location",
        /// The version of the resource, the same as its entity tag.
        pub version: Option<Text> = "version",
    }
}
