//! SCIM 2.0 data types: resources, lists, patches, errors and filters (RFC 7643, RFC 7644, RFC 9865).
//!
//! Parsing is lenient where servers are known to deviate: names in any case, booleans as strings,
//! numbers as strings, `null` for an empty list. Serialization follows the RFCs.
//!
//! ```
//! use scim_types::{User, filter::{AttributePath, Filter}};
//!
//! let user: User = serde_json::from_str(
//!     r#"{"USERNAME": "ada@example.com", "active": "True", "badge": {"colour": 7}}"#,
//! )?;
//! assert_eq!(user.user_name.as_deref(), Some("ada@example.com"));
//! assert_eq!(user.active, Some(true));
//! // An attribute without a field is kept and written back unchanged.
//! assert_eq!(
//!     serde_json::to_string(&user)?,
//!     concat!(
//!         r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"#,
//!         r#""userName":"ada@example.com","active":true,"badge":{"colour": 7}}"#,
//!     ),
//! );
//!
//! let filter = Filter::eq(AttributePath::USER_NAME, "ada@example.com");
//! assert_eq!(filter.to_string(), r#"userName eq "ada@example.com""#);
//! assert!(filter.matches(&user)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate also has [`filter`]s, [`patch`]es (applied to a resource, or computed from two resources),
//! and the validation of a resource against its schemas ([`validate`]).
//!
//! # Scope of this crate
//!
//! The crate contains data types only. It builds and sends no requests, has no async code, and reads no
//! clock. Documents are JSON: use `serde_json` to parse and serialize the types, because attributes
//! without a field are kept as [`serde_json::value::RawValue`].

mod attribute;
mod bulk;
mod enterprise;
mod error;
pub mod filter;
mod group;
mod id;
mod json;
mod list;
mod meta;
mod multi_valued;
mod names;
mod other;
pub mod patch;
mod patch_op;
mod presence;
mod resource;
mod resource_type;
mod schema;
pub mod schema_uri;
mod search;
mod service_provider;
mod text;
mod user;
pub mod validate;

pub use bulk::{BulkMethod, BulkOperation, BulkRequest, BulkResponse, BulkResult};
pub use enterprise::{EnterpriseUser, Manager};
pub use error::{Error, ScimType, StatusCode};
pub use group::Group;
pub use id::{ExternalId, ParseResourceIdError, ResourceId};
pub use json::Json;
pub use list::ListResponse;
pub use meta::Meta;
pub use multi_valued::{Address, MultiValued, Reference};
pub use other::OtherAttributes;
pub use patch_op::{Op, ParseOpError, PatchOp, PatchOperation};
pub use presence::Presence;
pub use resource::Resource;
pub use resource_type::{ResourceType, SchemaExtension};
pub use schema::{MissingSchemaIdError, Schema, SchemaAttribute, Schemas};
pub use search::{ParseSortOrderError, SearchRequest, SortOrder};
pub use service_provider::{
    AuthenticationScheme, BulkSupport, FeatureSupport, FilterSupport, Pagination,
    ServiceProviderConfig,
};
pub use text::Text;
pub use user::{Name, User};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
