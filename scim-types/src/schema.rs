//! Schema documents of a server.

mod core;
pub(crate) mod definition;
mod schemas;

use serde_json::Value;

pub use self::schemas::{MissingSchemaIdError, Schemas};
pub(crate) use self::schemas::{declares, is_core_urn};
use crate::{
    Meta,
    attribute::{complex, document},
};

document! {
    /// A schema: the attributes that a resource may have (RFC 7643 section 7).
    pub struct Schema of SCHEMA {
        /// The URN of the schema.
        pub id: Option<String> = "id",
        /// The name, such as `User`.
        pub name: Option<String> = "name",
        /// A short description of the schema.
        pub description: Option<String> = "description",
        /// The attributes.
        pub attributes: Vec<SchemaAttribute> = "attributes",
        /// The metadata of the document.
        pub meta: Option<Meta> = "meta",
    }
}

complex! {
    /// One attribute of a schema.
    pub struct SchemaAttribute {
        /// The name, such as `userName`.
        pub name: Option<String> = "name",
        /// The type of a value, such as `string` or `complex`.
        pub kind: Option<String> = "type",
        /// The sub-attributes of a complex attribute.
        pub sub_attributes: Vec<SchemaAttribute> = "subAttributes",
        /// Whether the attribute is multi-valued.
        pub multi_valued: Option<bool> = "multiValued",
        /// A short description of the attribute.
        pub description: Option<String> = "description",
        /// Whether the attribute must have a value.
        pub required: Option<bool> = "required",
        /// Suggested values.
        pub canonical_values: Vec<Value> = "canonicalValues",
        /// Whether values are case-sensitive (default: `false`).
        pub case_exact: Option<bool> = "caseExact",
        /// Whether a client may write the attribute: `readOnly`, `readWrite`, `immutable`, `writeOnly`.
        pub mutability: Option<String> = "mutability",
        /// The condition for returning the attribute: `always`, `never`, `default`, `request`.
        pub returned: Option<String> = "returned",
        /// The scope in which a value is unique: `none`, `server`, `global`.
        pub uniqueness: Option<String> = "uniqueness",
        /// The resource types that a reference may point to.
        pub reference_types: Vec<String> = "referenceTypes",
    }
}
