//! Conversion to the types of the crate `samael` and back, with a list of the lost data.
//!
//! samael 0.0.22 does not support extensions, keys without a certificate, and the `cacheDuration` of
//! a role. Its own output is not escaped and not in the order of the schema. This module loses
//! nothing silently: each conversion returns its [`Loss`]es. A conversion from samael to a
//! [`Document`] escapes the values and writes the elements in the order of the schema.
//!
//! ```
//! use saml_metadata::{samael, write::IdpMetadata};
//!
//! let document = IdpMetadata::new("http://www.okta.com/exk1")
//!     .single_sign_on_service("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", "https://a.example/sso")
//!     .build()?;
//! let converted = samael::to_samael(document.entity()?);
//! assert!(converted.losses.is_empty());
//! let back = samael::from_samael(&converted.value)?;
//! assert_eq!(back.value.entity()?.entity_id(), "http://www.okta.com/exk1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Differences that are not losses
//!
//! The conversions do not report changes to comments, processing instructions, white space between
//! elements, prefixes, and the spelling of times and booleans. They also do not report a changed
//! order of elements with different names if the schema allows both orders. An empty list and a
//! missing list are the same.

mod group;
mod read;
mod write;

pub use self::{
    group::{group_from_samael, group_to_samael},
    read::to_samael,
    write::from_samael,
};

/// Message for a value whose type has lost its namespace.
const PREFIX: &str =
    "samael keeps the name but not the namespace of its prefix; `xs` is assumed to be XML Schema";

#[cfg(doc)]
use crate::Document;

/// A converted value, with the data that the target type does not support.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Converted<T> {
    /// The converted value.
    pub value: T,
    /// The lost data, in the order of the document.
    pub losses: Vec<Loss>,
}

/// Data that a conversion lost.
///
/// The `Display` text is one line: `/md:EntityDescriptor/md:Extensions: is not supported by samael`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Loss {
    /// The `XPath` of the lost data, with the usual prefixes.
    pub path: String,
    /// The loss and its reason.
    pub what: &'static str,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}
