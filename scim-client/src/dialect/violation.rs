//! A violation of a server's rules by a value or a document.

use std::fmt;

use super::attribute_rules::Need;
use crate::text::is_visible;

/// A violation of a server's rules by a value or a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    attribute: &'static str,
    need: Need,
    kind: ViolationKind,
}

/// The way in which a value or a document violates a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The attribute has no value, but it is required.
    Missing,
    /// The value is an empty string. The attribute must be omitted instead.
    Empty,
    /// The value has too many characters.
    TooLong {
        /// Number of characters.
        length: usize,
        /// Maximum number of characters.
        limit: usize,
    },
    /// The value contains this character, which the server refuses.
    Character(char),
    /// The value is a reserved name.
    Reserved,
    /// The attribute has too many values.
    TooMany {
        /// Number of values.
        count: usize,
        /// Maximum number of values.
        limit: usize,
    },
    /// A value is not marked as primary.
    NotPrimary,
    /// The server does not take the attribute.
    Unsupported,
}

impl Violation {
    pub(super) const fn new(attribute: &'static str, need: Need, kind: ViolationKind) -> Self {
        Self {
            attribute,
            need,
            kind,
        }
    }

    /// Returns the full path of the attribute, such as `name.givenName` or
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`.
    #[must_use]
    pub const fn attribute(&self) -> &'static str {
        self.attribute
    }

    /// Returns what the rule refuses.
    #[must_use]
    pub const fn kind(&self) -> ViolationKind {
        self.kind
    }

    /// Returns the first character that the server refuses, if a character is the problem.
    #[must_use]
    pub const fn character(&self) -> Option<char> {
        match self.kind {
            ViolationKind::Character(found) => Some(found),
            _ => None,
        }
    }

    /// Returns whether the server needs the attribute, so that the whole user or group cannot be written.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self.need, Need::Required)
    }

    /// Returns the full path of the attribute to leave out, so that the server accepts the rest: the attribute itself,
    /// or the attribute that cannot be sent without it, such as `addresses` for `addresses.country`.
    ///
    /// Returns `None` if the attribute is required.
    #[must_use]
    pub fn omit(&self) -> Option<&'static str> {
        match self.need {
            Need::Required => None,
            Need::Optional => Some(self.attribute),
            Need::RequiredInParent => Some(parent(self.attribute)),
        }
    }
}

/// Returns the path without its last name.
pub(super) fn parent(path: &'static str) -> &'static str {
    path.rsplit_once('.').map_or(path, |(parent, _)| parent)
}

impl fmt::Display for Violation {
    /// Writes text such as `title contains U+200B, which is not accepted`, without values of the document.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attribute = self.attribute;
        match self.kind {
            ViolationKind::Missing if self.need == Need::RequiredInParent => {
                write!(
                    formatter,
                    "{attribute} is required in {}",
                    parent(attribute)
                )
            }
            ViolationKind::Missing => write!(formatter, "{attribute} is required"),
            ViolationKind::Empty => {
                write!(
                    formatter,
                    "{attribute} is an empty string; omit the attribute"
                )
            }
            ViolationKind::TooLong { length, limit } => {
                write!(
                    formatter,
                    "{attribute} has {length} characters, but may have only {limit}"
                )
            }
            ViolationKind::Character(found) => {
                write!(formatter, "{attribute} contains ")?;
                if is_visible(found) {
                    write!(formatter, "`{found}`, ")?;
                }
                write!(
                    formatter,
                    "U+{:04X}, which is not accepted",
                    u32::from(found)
                )
            }
            ViolationKind::Reserved => write!(formatter, "{attribute} is a reserved name"),
            ViolationKind::TooMany { count, limit: 1 } => {
                write!(
                    formatter,
                    "{attribute} has {count} values, but may have only one"
                )
            }
            ViolationKind::TooMany { count, limit } => {
                write!(
                    formatter,
                    "{attribute} has {count} values, but may have only {limit}"
                )
            }
            ViolationKind::NotPrimary => write!(formatter, "{attribute} must be marked as primary"),
            ViolationKind::Unsupported => write!(formatter, "{attribute} is not supported"),
        }
    }
}
