//! Resource types of a server.

use crate::{
    Meta, Text,
    attribute::{complex, document},
};

document! {
    /// A resource type of a server (RFC 7643 section 6).
    pub struct ResourceType of RESOURCE_TYPE {
        /// The id, usually equal to the name.
        pub id: Option<Text> = "id",
        /// The name, such as `User`.
        pub name: Option<Text> = "name",
        /// The path below the base URL, such as `/Users`.
        pub endpoint: Option<Text> = "endpoint",
        /// A short description of the resource type.
        pub description: Option<Text> = "description",
        /// The URN of the core schema.
        pub schema: Option<Text> = "schema",
        /// The extensions that a resource may or must have.
        pub schema_extensions: Vec<SchemaExtension> = "schemaExtensions",
        /// The metadata of the document.
        pub meta: Option<Meta> = "meta",
    }
}

complex! {
    /// An extension of a resource type.
    pub struct SchemaExtension {
        /// The URN of the extension's schema.
        pub schema: Option<Text> = "schema",
        /// Whether every resource must have the extension.
        pub required: Option<bool> = "required",
    }
}
