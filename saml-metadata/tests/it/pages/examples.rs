//! An example for every rule. What stands in braces is the name of a certificate of the fixtures, or
//! tells what stands there in a document.

mod consumer;
mod document;
mod endpoint;
mod entity;
mod extension;
mod key;
mod role;
#[cfg(feature = "signature")]
mod signature;

use super::{Base, Example};

pub(super) fn all() -> impl Iterator<Item = &'static Example> {
    [
        document::EXAMPLES,
        entity::EXAMPLES,
        role::EXAMPLES,
        endpoint::EXAMPLES,
        key::EXAMPLES,
        extension::EXAMPLES,
        consumer::EXAMPLES,
        #[cfg(feature = "signature")]
        signature::EXAMPLES,
    ]
    .into_iter()
    .flatten()
}
