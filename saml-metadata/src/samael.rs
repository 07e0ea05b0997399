//! To the types of the crate `samael` and back, with a list of what they have no place for.
//!
//! samael 0.0.22 knows no extensions, no keys but certificates, and no role's `cacheDuration`; what
//! it writes is not in the schema's order and not escaped. Here nothing is lost silently: each
//! conversion returns its [`Loss`]es, and what goes from samael to a [`Document`] is written in
//! the schema's order and escaped.
//!
//! ```
//! use saml_metadata::{samael, write::IdpMetadata};
//!
//! let document = IdpMetadata::new("http://www.okta.com/exk1")
//!     .single_sign_on_service("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", "https://a.example/sso")
//!     .build()?;
//! let there = samael::to_samael(document.entity()?);
//! assert!(there.losses.is_empty());
//! let back = samael::from_samael(&there.value)?;
//! assert_eq!(back.value.entity()?.entity_id(), "http://www.okta.com/exk1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What does not count
//!
//! Comments, processing instructions, white space between elements, prefixes, the spelling of
//! times and booleans, and the order of elements with different names within the schema's freedom.
//! An empty list and none are the same.

mod group;
mod read;
mod write;

pub use self::{
    group::{group_from_samael, group_to_samael},
    read::to_samael,
    write::from_samael,
};

/// About types of values.
const PREFIX: &str =
    "samael keeps the name and not what its prefix means; `xs` is taken to be XML Schema";

#[cfg(doc)]
use crate::Document;

/// A value in other types, and what they have no place for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Converted<T> {
    /// The value.
    pub value: T,
    /// What is not in it, in the order of the document.
    pub losses: Vec<Loss>,
}

/// Something that a conversion could not keep.
///
/// `Display` is one line: `/md:EntityDescriptor/md:Extensions: the element has no place in samael`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Loss {
    /// Where, as an `XPath` with the usual prefixes.
    pub path: String,
    /// What was lost, and why.
    pub what: &'static str,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}
