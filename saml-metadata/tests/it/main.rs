//! Integration tests of the public API, with one module per area.
#![expect(clippy::disallowed_methods, reason = "the package has no async code")]

mod aws;
#[cfg(feature = "signature")]
mod c14n;
mod certificate;
mod consumers;
mod corpus;
mod diff;
mod edit;
mod edit_metadata;
mod encoding;
mod errors;
mod explain;
mod extensions;
mod keys;
mod limits;
mod malformed;
mod model;
mod namespaces;
mod output;
mod pages;
mod policy;
mod properties;
mod rollover;
mod rotation;
mod rotation_roles;
#[cfg(feature = "samael")]
mod samael;
mod schema;
#[cfg(feature = "signature")]
mod signature;
mod stream;
mod support;
mod validate;
mod write;
