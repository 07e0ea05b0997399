mod core;
pub(crate) mod definition;
mod schemas;

use serde_json::Value;

pub use self::schemas::{SchemaWithoutIdError, Schemas};
pub(crate) use self::schemas::{declares, is_core_urn};
use crate::{
    Meta,
    attribute::{complex, document},
};

document! {
    /// The attributes a resource may have (RFC 7643 section 7).
    pub struct Schema of SCHEMA {
        /// The URN of the schema.
        pub id: Option<String> = "id",
        /// The name, such as `User`.
        pub name: Option<String> = "name",
        /// What it is, in a sentence.
        pub description: Option<String> = "description",
        /// The attributes.
        pub attributes: Vec<SchemaAttribute> = "attributes",
        /// What the server says about the document as such.
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
        /// The attributes of a complex value.
        pub sub_attributes: Vec<SchemaAttribute> = "subAttributes",
        /// Whether there may be several values.
        pub multi_valued: Option<bool> = "multiValued",
        /// What it is, in a sentence.
        pub description: Option<String> = "description",
        /// Whether it must have a value.
        pub required: Option<bool> = "required",
        /// Values that are suggested.
        pub canonical_values: Vec<Value> = "canonicalValues",
        /// Whether upper and lower case are different; they are not unless this says so.
        pub case_exact: Option<bool> = "caseExact",
        /// Who may write it: `readOnly`, `readWrite`, `immutable`, `writeOnly`.
        pub mutability: Option<String> = "mutability",
        /// When it is returned: `always`, `never`, `default`, `request`.
        pub returned: Option<String> = "returned",
        /// Where a value is unique: `none`, `server`, `global`.
        pub uniqueness: Option<String> = "uniqueness",
        /// The kinds of resources a reference may point at.
        pub reference_types: Vec<String> = "referenceTypes",
    }
}
