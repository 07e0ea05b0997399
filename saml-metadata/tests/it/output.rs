//! What findings look like to machines and to people.

#[cfg(feature = "serde")]
mod json;
#[cfg(feature = "report")]
mod terminal;
