//! Patches: their paths, their application to a resource, and their computation from two resources (RFC
//! 7644 section 3.5.2).
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
//! // The reverse: the patch that changes one resource into the other.
//! let patch = PatchOp::diff(&user, &patched, &Options::default())?.expect("a difference");
//! assert_eq!(patch.apply(&user, &Options::default())?, patched);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Implementations differ. [`PatchOp::apply`](crate::PatchOp::apply) follows the wording of the RFC:
//!
//! - A complex attribute that is added or replaced keeps the sub-attributes that the value does not
//!   contain, with or without a path.
//! - A value that already exists is not added again.
//! - If an element becomes primary, the other elements become non-primary.
//! - A filter that selects nothing is an error (`noTarget`), except in a removal.
//! - `replace` with a filter replaces the selected elements as a whole.
//! - A sub-attribute of a multi-valued attribute is set in all values.
//!
//! [`Options`] has the settings for clients that do not follow the RFC.

mod apply;
mod change;
mod diff;
mod error;
mod list;
mod path;
mod removals;
mod target;
mod value;

pub use self::{
    diff::DiffError,
    error::PatchError,
    path::{ParsePathError, Path},
};
use crate::{Schemas, filter::Limits};

/// Options for the cases in which servers and clients differ.
///
/// The default follows the RFC, and also accepts strings for booleans.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The schemas of the resource; `None` for the built-in schemas that the resource declares
    /// ([`Schemas::of`](crate::Schemas::of)).
    pub schemas: Option<Schemas>,
    /// Policy for an attribute that is not in its schema.
    pub unknown_attributes: UnknownAttributes,
    /// Policy for a removal that lists the values to remove.
    pub listed_removal: ListedRemoval,
    /// Policy for a write with a filter that selects no element.
    pub missing_element: MissingElement,
    /// Whether strings are converted: `"True"` to `true`, `"7"` to 7, and `"x"` to the complex value
    /// `{"value": "x"}`. The empty string removes a complex value. In a filter, the string `"True"` equals `true`. Microsoft
    /// Entra sends such strings.
    pub lenient_values: bool,
    /// Meaning of an absent attribute for [`PatchOp::diff`](crate::PatchOp::diff).
    pub absent: AbsentAttributes,
    /// Limits on the length of a path and the nesting depth of its filter.
    pub path_limits: Limits,
    /// Maximum number of operations in one patch, and of values in a listed removal (default: 5,000).
    ///
    /// Each operation and each listed value may have to be compared with every element of a list.
    pub max_operations: usize,
}

impl Options {
    /// Returns the options that a server needs for Microsoft Entra.
    ///
    /// A missing element is created, and a removal may list members (Microsoft Learn, "Known issues with
    /// SCIM 2.0 protocol compliance").
    #[must_use]
    pub fn entra() -> Self {
        Self {
            listed_removal: ListedRemoval::RemoveListed,
            missing_element: MissingElement::Create,
            ..Self::default()
        }
    }

    /// Returns the options for AWS IAM Identity Center.
    ///
    /// A removal lists the members to remove (AWS SCIM developer guide, `PatchGroup`).
    #[must_use]
    pub fn aws_identity_center() -> Self {
        Self {
            listed_removal: ListedRemoval::RemoveListed,
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
            lenient_values: true,
            absent: AbsentAttributes::Remove,
            path_limits: Limits::default(),
            // Okta's group push sends one operation for each removed member; AWS accepts 100 changes.
            max_operations: 5_000,
        }
    }
}

/// Policy for an attribute that is not in its schema.
///
/// If the schema of a resource or an extension is unknown, its attributes are always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownAttributes {
    /// Refuse the patch: `invalidPath`.
    Refuse,
    /// Keep the attribute.
    Keep,
}

/// Policy for a removal that lists the values to remove.
///
/// The RFC does not define a value for a removal, and a server that ignores the value removes *all*
/// members. This crate never removes members that are not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedRemoval {
    /// Refuse the patch: `invalidValue`.
    Refuse,
    /// Remove the listed values: members by their `value`, and other elements if they have all listed
    /// sub-attributes. [`PatchOp::diff`](crate::PatchOp::diff) then also removes members by a list.
    RemoveListed,
}

/// Policy for a write with a filter that selects no element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingElement {
    /// Refuse the patch: `noTarget`.
    Refuse,
    /// Create the element, if the filter consists only of `eq` comparisons joined by `and`.
    Create,
}

/// Meaning of an attribute that is absent from the desired resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentAttributes {
    /// The desired resource is complete, so the patch removes the attribute.
    Remove,
    /// The desired resource contains only the changes: an absent attribute stays unchanged, and an
    /// attribute that is `null` or empty is removed.
    Keep,
}
