//! Integration tests with handwritten documents and filters, with those in the RFCs, and with collected ones.
#![expect(clippy::disallowed_methods, reason = "the package has no async code")]

mod corpus;
mod diff;
mod documents;
mod filters;
mod patch_errors;
mod patch_properties;
mod patches;
mod patching;
mod paths;
mod properties;
mod recorded;
mod recorded_filters;
mod validation;
