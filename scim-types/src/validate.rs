//! Validation of a resource against its schemas, in requests and in responses.
//!
//! ```
//! use scim_types::{Schemas, validate::Direction};
//!
//! let user = serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "id": "7",
//!     "userName": "",
//!     "emails": [{"value": "a@example.com", "primary": true}, {"primary": "yes"}],
//! });
//! let findings = Schemas::user().check(&user, Direction::Create);
//! let messages: Vec<String> = findings.iter().map(ToString::to_string).collect();
//! assert_eq!(messages, [
//!     "emails[1].primary: must be a boolean, not a string (invalidValue)",
//!     "id: is read-only and ignored",
//!     "userName: is required but empty (invalidValue)",
//! ]);
//! ```

mod document;
pub(crate) mod form;

use std::fmt;

use serde_json::Value;

use crate::ScimType;

/// The direction in which a resource is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Direction<'a> {
    /// A client creates the resource. Read-only attributes are ignored (RFC 7644 section 3.3).
    Create,
    /// A client replaces the resource. Read-only attributes are ignored, and immutable attributes must keep
    /// their values (RFC 7644 section 3.5.1).
    #[non_exhaustive]
    Replace {
        /// The resource before the replacement.
        before: &'a Value,
    },
    /// A server returns the resource. The resource must have an id, and must not have attributes that are
    /// never returned. Other attributes may be missing, because the client may have requested only some
    /// attributes.
    Response,
}

impl<'a> Direction<'a> {
    /// Returns the direction for a replacement of `before`.
    #[must_use]
    pub fn replace(before: &'a Value) -> Self {
        Self::Replace { before }
    }

    fn is_request(self) -> bool {
        !matches!(self, Self::Response)
    }
}

/// A deviation of a resource from its schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    problem: String,
    scim_type: Option<ScimType>,
}

impl Finding {
    /// Returns the path of the attribute, in wire names. Brackets contain the index of an element, from 0.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the problem, without the path.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns the kind of the error (`scimType`); `None` for a tolerated deviation.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.scim_type.as_ref()
    }

    /// Returns whether the resource must be rejected; `false` for a tolerated deviation.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.scim_type.is_some()
    }
}

impl fmt::Display for Finding {
    /// Writes path, problem and kind: `userName: is required but missing (invalidValue)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, problem, .. } = self;
        if path.is_empty() {
            write!(formatter, "the resource {problem}")?;
        } else {
            write!(formatter, "{path}: {problem}")?;
        }
        match &self.scim_type {
            Some(scim_type) => write!(formatter, " ({scim_type})"),
            None => Ok(()),
        }
    }
}
