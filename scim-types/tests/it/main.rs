//! What the crate promises, held against documents and filters: its own, the RFCs', and collected ones.

mod corpus;
mod documents;
mod filters;
mod properties;
