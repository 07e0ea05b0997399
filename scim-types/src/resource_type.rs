use crate::{
    Meta, Text,
    attribute::{complex, document},
};

document! {
    /// A kind of resource a server keeps (RFC 7643 section 6).
    pub struct ResourceType of RESOURCE_TYPE {
        /// The id, mostly the same as the name.
        pub id: Option<Text> = "id",
        /// The name, such as `User`.
        pub name: Option<Text> = "name",
        /// The path below the base URL, such as `/Users`.
        pub endpoint: Option<Text> = "endpoint",
        /// What it is, in a sentence.
        pub description: Option<Text> = "description",
        /// The URN of the core schema.
        pub schema: Option<Text> = "schema",
        /// The extensions a resource may or must have.
        pub schema_extensions: Vec<SchemaExtension> = "schemaExtensions",
        /// What the server says about the document as such.
        pub meta: Option<Meta> = "meta",
    }
}

complex! {
    /// An extension of a kind of resource.
    pub struct SchemaExtension {
        /// The URN of the extension's schema.
        pub schema: Option<Text> = "schema",
        /// Whether every resource must have it.
        pub required: Option<bool> = "required",
    }
}
