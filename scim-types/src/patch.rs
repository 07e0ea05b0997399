//! Patches: their paths, applying them to a resource, and computing them from two resources (RFC 7644
//! section 3.5.2).
//!
//! ```
//! use scim_types::{PatchOp, PatchOperation, patch::Options};
//! use serde_json::json;
//!
//! let user = json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "userName": "ada",
//!     "emails": [{"type": "work", "value": "ada@example.com", "primary": true}],
//! });
//! let patch = PatchOp::new(vec![
//!     PatchOperation::replace(r#"emails[type eq "work"].value"#, "lovelace@example.com"),
//!     PatchOperation::add("emails", json!({"value": "ada@home.example", "primary": true})),
//! ]);
//! let patched = patch.apply(&user, &Options::default())?;
//! assert_eq!(patched["emails"], json!([
//!     {"type": "work", "value": "lovelace@example.com", "primary": false},
//!     {"value": "ada@home.example", "primary": true},
//! ]));
//! // The other way round: what is to be sent so that the one becomes the other.
//! let patch = PatchOp::between(&user, &patched, &Options::default())?.expect("a difference");
//! assert_eq!(patch.apply(&user, &Options::default())?, patched);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where implementations differ, applying goes by the words of the RFC: a complex attribute that is
//! added or replaced keeps the sub-attributes the value does not say, with a path or without; a value
//! that is there already is not added again; an element that becomes the primary one takes that from
//! the others; a filter that chooses nothing is an error (`noTarget`) except for a removal; an element
//! that is chosen and replaced is replaced whole; a sub-attribute of several values is set in all of
//! them. What a server must take from a client that does not go by them is in [`Options`].

mod apply;
mod between;
mod change;
mod error;
mod list;
mod path;
mod removals;
mod target;
mod value;

pub use self::{
    between::BetweenError,
    error::PatchError,
    path::{ParsePathError, Path},
};
use crate::{Schemas, filter::Limits};

/// How patches are read where servers and clients differ.
///
/// The default goes by the RFC, and takes texts for booleans.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What is known of the resource; `None` for the built-in schemas it declares
    /// ([`Schemas::of`](crate::Schemas::of)).
    pub schemas: Option<Schemas>,
    /// What is done with an attribute that its schema does not have.
    pub unknown_attributes: UnknownAttributes,
    /// What is done with a removal that lists what to remove in its value.
    pub listed_removal: ListedRemoval,
    /// What is done when a filter chooses no element to write to.
    pub missing_element: MissingElement,
    /// Whether `"True"` is taken for `true`, `"7"` for 7, and a text for a complex value with that
    /// `value`, as Microsoft Entra sends them.
    pub loose_values: bool,
    /// What it means for [`PatchOp::between`](crate::PatchOp::between) that an attribute is absent.
    pub absent: Absent,
    /// How long a path may be, and how deep its filter.
    pub path_limits: Limits,
    /// The most operations in one patch; each may have to look at every element of a list.
    pub max_operations: usize,
}

impl Options {
    /// Returns what Microsoft Entra needs of a server (Microsoft Learn, "Known issues with SCIM 2.0
    /// protocol compliance"): elements that are not there are made, and listed members are removed.
    #[must_use]
    pub fn entra() -> Self {
        Self {
            listed_removal: ListedRemoval::Listed,
            missing_element: MissingElement::Create,
            ..Self::default()
        }
    }

    /// Returns what AWS IAM Identity Center takes (AWS SCIM developer guide, `PatchGroup`): members are
    /// removed by a list.
    #[must_use]
    pub fn aws_identity_center() -> Self {
        Self {
            listed_removal: ListedRemoval::Listed,
            ..Self::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schemas: None,
            unknown_attributes: UnknownAttributes::Refuse,
            listed_removal: ListedRemoval::Refuse,
            missing_element: MissingElement::Refuse,
            loose_values: true,
            absent: Absent::Remove,
            path_limits: Limits::default(),
            // A group push of Okta removes each member by an operation of its own; AWS takes 100 changes.
            max_operations: 5_000,
        }
    }
}

/// What is done with an attribute that its schema does not have.
///
/// An attribute of a resource or an extension of which no schema is known is always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownAttributes {
    /// The patch is refused: `invalidPath`.
    Refuse,
    /// It is kept.
    Keep,
}

/// What is done with a removal that lists what to remove in its value.
///
/// The RFC knows no such value, and a server that overlooks it removes *all* members. That is never
/// done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedRemoval {
    /// The patch is refused: `invalidValue`.
    Refuse,
    /// What is listed is removed: members by their `value`, other elements if they have everything that
    /// is said of one. It is also how [`PatchOp::between`](crate::PatchOp::between) removes members.
    Listed,
}

/// What is done when a filter chooses no element to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingElement {
    /// The patch is refused: `noTarget`.
    Refuse,
    /// The element is made, if the filter says `eq` of it and nothing else, joined by `and`.
    Create,
}

/// What it means that an attribute is absent from the resource that is to come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The resource is whole, so it is to be removed.
    Remove,
    /// The resource says what is to change: what is absent stays, and what is `null` or empty is
    /// removed.
    Stay,
}
