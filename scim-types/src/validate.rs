//! Whether a resource is what its schemas say, on its way in and on its way out.
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
//! let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
//! assert_eq!(texts, [
//!     "emails[1].primary: takes a boolean, not a text (invalidValue)",
//!     "id: is read-only, and overlooked",
//!     "userName: is required, and empty (invalidValue)",
//! ]);
//! ```

mod document;
pub(crate) mod form;

use std::fmt;

use serde_json::Value;

use crate::ScimType;

/// Which way a resource goes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Direction<'a> {
    /// A client creates it: what is read-only is overlooked (RFC 7644 section 3.3).
    Create,
    /// A client replaces it: what is read-only is overlooked, and what is immutable stays (RFC 7644
    /// section 3.5.1).
    #[non_exhaustive]
    Replace {
        /// The resource as it was.
        before: &'a Value,
    },
    /// A server returns it: it has an id, and nothing that is never returned. Attributes may be missing,
    /// because the client may have asked for some only.
    Response,
}

impl<'a> Direction<'a> {
    /// Returns the direction of a replacement of `before`.
    #[must_use]
    pub fn replace(before: &'a Value) -> Self {
        Self::Replace { before }
    }

    fn is_request(self) -> bool {
        !matches!(self, Self::Response)
    }
}

/// Something about a resource that is not as its schemas say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    problem: String,
    scim_type: Option<ScimType>,
}

impl Finding {
    /// Returns where it is, as names on the wire; brackets hold the number of an element, from 0.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is wrong, without the place.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns the kind of mistake, as it is said on the wire; `None` for what is tolerated.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.scim_type.as_ref()
    }

    /// Returns whether the resource is to be refused for it, and not just to be read with care.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.scim_type.is_some()
    }
}

impl fmt::Display for Finding {
    /// Writes place, problem and kind: `userName: is required, and missing (invalidValue)`.
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
