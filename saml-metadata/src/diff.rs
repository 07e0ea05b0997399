//! What changed between two documents, and whether sign-in survives it.

mod compare;
mod impact;
mod meaning;
mod spot;

use std::fmt;

use crate::Document;

/// Compares two documents and returns what changed from the old to the new one.
///
/// Entities are matched by entityID, and two lone ones in any case; roles by kind and protocols;
/// keys by what they are; endpoints by kind, binding and index. White space, comments, prefixes
/// and the order of attributes make no difference.
///
/// ```
/// use saml_metadata::{Edit, diff, names::binding, write::SpMetadata};
///
/// let old = SpMetadata::new("https://sp.example.com")
///     .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/acs")
///     .build()?;
/// let new = SpMetadata::new("https://sp.example.com")
///     .assertion_consumer_service(binding::HTTP_POST, "https://sp.example.com/acs2")
///     .build()?;
/// let changes = diff(&old, &new);
/// assert_eq!(
///     changes[0].to_string(),
///     "https://sp.example.com: SPSSODescriptor: endpoint changed: AssertionConsumerService \
///      https://sp.example.com/acs to https://sp.example.com/acs2",
/// );
/// assert!(changes[0].partner_lags.breaks() && changes[0].partner_leads.breaks());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn diff(old: &Document, new: &Document) -> Vec<Change> {
    compare::documents(old, new)
}

/// One thing that changed.
///
/// Metadata changes on two sides at two moments, so there are two directions to be late in: the
/// partner may still hold the old file when the provider works as the new one says, or the other
/// way round.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// The entityID in the old document, or that of an entity which is new.
    pub entity: String,
    /// The element of the role, if it is a role that changed.
    pub role: Option<String>,
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// What changed: an element, a fingerprint, an attribute.
    pub subject: String,
    /// The old value; `None` when there was none.
    pub before: Option<String>,
    /// The new value; `None` when there is none.
    pub after: Option<String>,
    /// Sign-in while the partner still holds the old document.
    pub partner_lags: Impact,
    /// Sign-in while the partner holds the new document already, and the provider works as before.
    pub partner_leads: Impact,
}

impl Change {
    /// Returns whether sign-in fails for sure in one of the directions, or in both.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.partner_lags.breaks() || self.partner_leads.breaks()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.entity)?;
        if let Some(role) = &self.role {
            write!(f, "{role}: ")?;
        }
        write!(f, "{}: {}", self.kind, self.subject)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, " {before} to {after}"),
            (Some(value), None) | (None, Some(value)) if *value != self.subject => {
                write!(f, " {value}")
            }
            _ => Ok(()),
        }
    }
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ChangeKind {
    /// An entity is described that was not.
    EntityAdded,
    /// An entity is described no more.
    EntityRemoved,
    /// The entity has another entityID.
    EntityId,
    /// The entity has a role more.
    RoleAdded,
    /// The entity has a role less.
    RoleRemoved,
    /// A role has a key more.
    KeyAdded,
    /// A role has a key less.
    KeyRemoved,
    /// A role has an endpoint more.
    EndpointAdded,
    /// A role has an endpoint less.
    EndpointRemoved,
    /// An endpoint has another location, index or default.
    EndpointChanged,
    /// A role has a `NameIDFormat` more.
    NameIdFormatAdded,
    /// A role has a `NameIDFormat` less.
    NameIdFormatRemoved,
    /// What must be signed, or which protocols are spoken.
    Requirement,
    /// `validUntil` or `cacheDuration`.
    Validity,
    /// A `ContactPerson`.
    Contact,
    /// An `Organization`.
    Organization,
    /// Anything else.
    Other,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EntityAdded => "entity added",
            Self::EntityRemoved => "entity removed",
            Self::EntityId => "entityID changed",
            Self::RoleAdded => "role added",
            Self::RoleRemoved => "role removed",
            Self::KeyAdded => "key added",
            Self::KeyRemoved => "key removed",
            Self::EndpointAdded => "endpoint added",
            Self::EndpointRemoved => "endpoint removed",
            Self::EndpointChanged => "endpoint changed",
            Self::NameIdFormatAdded => "name identifier format added",
            Self::NameIdFormatRemoved => "name identifier format removed",
            Self::Requirement => "requirement changed",
            Self::Validity => "validity changed",
            Self::Contact => "contact changed",
            Self::Organization => "organization changed",
            Self::Other => "other change",
        })
    }
}

/// What a change does to sign-in in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case", tag = "impact", content = "reason")
)]
#[non_exhaustive]
pub enum Impact {
    /// Sign-in goes on.
    None,
    /// Sign-in may fail; the reason says when.
    May(&'static str),
    /// Sign-in fails, for this reason.
    Breaks(&'static str),
}

impl Impact {
    /// Returns whether sign-in fails for sure.
    #[must_use]
    pub fn breaks(self) -> bool {
        matches!(self, Self::Breaks(_))
    }

    /// Returns why sign-in fails or may fail.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::May(reason) | Self::Breaks(reason) => Some(reason),
        }
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("sign-in goes on"),
            Self::May(reason) => write!(f, "sign-in may fail: {reason}"),
            Self::Breaks(reason) => write!(f, "sign-in fails: {reason}"),
        }
    }
}
