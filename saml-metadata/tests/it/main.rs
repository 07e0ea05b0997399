//! Rules that the public interface keeps, one module for each part of it.

mod aws;
mod certificate;
mod corpus;
mod edit;
mod encoding;
mod errors;
mod limits;
mod malformed;
mod model;
mod namespaces;
mod properties;
mod schema;
mod support;
mod validate;
mod write;
