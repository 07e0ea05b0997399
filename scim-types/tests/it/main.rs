//! What the crate promises, held against documents and filters: its own, the RFCs', and collected ones.

mod between;
mod corpus;
mod documents;
mod filters;
mod patch_properties;
mod patch_refusals;
mod patches;
mod patching;
mod paths;
mod properties;
mod recorded;
mod recorded_filters;
mod validation;
