//! Compares two documents, and shows the impact of each change on sign-in.

mod compare;
mod endpoint;
mod impact;
pub(crate) mod meaning;

use std::fmt;

use jiff::Timestamp;

use crate::{
    Document, EntityError, matching,
    names::binding::short_name,
    rollover::{
        CertificateValidity, UnreadableCertificate, Verdict, rollover, timeline, unreadable,
    },
};

/// Compares two documents, and returns the changes from the old to the new one.
///
/// Entities are matched by entityID; if both documents describe one entity, these two are always
/// matched. Roles are matched by type and protocols, keys by public key, and endpoints by type,
/// binding, location and index. Whitespace, comments, namespace prefixes and the order of
/// attributes are ignored.
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
/// let changes = diff(&old, &new)?;
/// assert_eq!(
///     changes[0].to_string(),
///     "https://sp.example.com: SPSSODescriptor: endpoint changed: AssertionConsumerService \
///      (HTTP-POST) https://sp.example.com/acs to https://sp.example.com/acs2",
/// );
/// assert!(changes[0].partner_lags.breaks() && changes[0].partner_leads.breaks());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if one of the documents is not SAML metadata: then nothing can be said about the changes.
pub fn diff(old: &Document, new: &Document) -> Result<Vec<Change>, DiffError> {
    check(old, new)?;
    Ok(compare::documents(old, new))
}

/// Compares two documents as [`diff`] does, and checks the change of keys of each entity as
/// [`rollover`] does, at the time `now`.
///
/// Both parts match entities, roles and keys alike. The time grows linearly with the number of
/// entities.
///
/// # Errors
///
/// Fails if one of the documents is not SAML metadata.
pub fn compare(old: &Document, new: &Document, now: Timestamp) -> Result<Comparison, DiffError> {
    let changes = diff(old, new)?;
    let is_single = old.entity().is_ok() && new.entity().is_ok();
    let mut rollovers = Vec::new();
    for pair in matching::entities(old, new) {
        let (Some(before), Some(after)) = pair else {
            continue;
        };
        let verdict = rollover(before, after, now);
        if is_single || !verdict.steps.is_empty() || !verdict.reasons.is_empty() {
            rollovers.push(EntityRollover {
                entity: after.entity_id().to_owned(),
                certificates: timeline(after, now),
                unreadable: unreadable(after),
                verdict,
            });
        }
    }
    let safe =
        !changes.iter().any(Change::breaks) && rollovers.iter().all(|entity| entity.verdict.safe);
    Ok(Comparison {
        changes,
        rollovers,
        safe,
    })
}

fn check(old: &Document, new: &Document) -> Result<(), DiffError> {
    for (document, side) in [(old, Side::Old), (new, Side::New)] {
        if let Err(source @ EntityError::NotMetadata { .. }) = document.entity() {
            return Err(DiffError { side, source });
        }
    }
    Ok(())
}

/// The result of [`compare()`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Comparison {
    /// The changes, as [`diff`] returns them.
    pub changes: Vec<Change>,
    /// The change of keys of each entity whose keys change. If each document describes one entity,
    /// the entity is always here.
    pub rollovers: Vec<EntityRollover>,
    /// Whether sign-in keeps working: no change breaks it, and all rollovers are safe.
    pub safe: bool,
}

/// The change of keys of one entity, in a [`Comparison`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EntityRollover {
    /// The entityID in the new document.
    pub entity: String,
    /// The certificates in the new document.
    pub certificates: Vec<CertificateValidity>,
    /// The certificates in the new document that cannot be read.
    pub unreadable: Vec<UnreadableCertificate>,
    /// Whether the change of keys is safe.
    pub verdict: Verdict,
}

/// The document that cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Side {
    /// The old document.
    Old,
    /// The new document.
    New,
}

/// The reason why two documents cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {} document cannot be compared", match .side { Side::Old => "old", Side::New => "new" })]
#[non_exhaustive]
pub struct DiffError {
    /// The document that is not metadata.
    pub side: Side,
    /// The reason.
    pub source: EntityError,
}

/// One change between two documents.
///
/// The provider and its partner do not switch to the new metadata at the same time. So a change has
/// two impacts: one if the partner lags (it still has the old document when the provider already
/// follows the new one), and one if the partner leads (the reverse case).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// The entityID in the old document; for a new entity, its entityID in the new document.
    pub entity: String,
    /// The element name of the role, if a role changed.
    pub role: Option<String>,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The changed part: an element, an attribute, or the use of a key.
    pub subject: String,
    /// The binding URI of a changed endpoint.
    pub binding: Option<String>,
    /// The old value; `None` if there was none.
    pub before: Option<String>,
    /// The new value; `None` if there is none.
    pub after: Option<String>,
    /// The impact on sign-in while the partner still has the old document.
    pub partner_lags: Impact,
    /// The impact on sign-in while the partner already has the new document, but the provider still
    /// follows the old one.
    pub partner_leads: Impact,
}

impl Change {
    /// Returns whether sign-in certainly fails in at least one of the two cases.
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
        if let Some(binding) = &self.binding {
            write!(f, " ({})", short_name(binding))?;
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, " {before} to {after}"),
            (Some(value), None) | (None, Some(value)) if self.kind == ChangeKind::UnreadableKey => {
                write!(f, ": {value}")
            }
            (Some(value), None) | (None, Some(value)) if *value != self.subject => {
                write!(f, " {value}")
            }
            _ => Ok(()),
        }
    }
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The new document describes an additional entity.
    EntityAdded,
    /// The new document no longer describes an entity.
    EntityRemoved,
    /// The entity has a different entityID.
    EntityId,
    /// The entity has an additional role.
    RoleAdded,
    /// The entity has lost a role.
    RoleRemoved,
    /// A role has an additional key.
    KeyAdded,
    /// A role has lost a key.
    KeyRemoved,
    /// A key has another certificate around the same public key.
    Certificate,
    /// A certificate that cannot be read was added or removed.
    UnreadableKey,
    /// A role has an additional endpoint.
    EndpointAdded,
    /// A role has lost an endpoint.
    EndpointRemoved,
    /// An endpoint has a different location, index or default.
    EndpointChanged,
    /// A role has an additional `NameIDFormat`.
    NameIdFormatAdded,
    /// A role has lost a `NameIDFormat`.
    NameIdFormatRemoved,
    /// The required signatures or the supported protocols changed.
    Requirement,
    /// `validUntil` or `cacheDuration` changed.
    Validity,
    /// A `ContactPerson` changed.
    Contact,
    /// An `Organization` changed.
    Organization,
    /// Any other change.
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
            Self::Certificate => "certificate of the same key changed",
            Self::UnreadableKey => "unreadable certificate",
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

/// The impact of a change on sign-in, in one of the two cases of [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case", tag = "impact", content = "reason")
)]
#[non_exhaustive]
pub enum Impact {
    /// Sign-in keeps working.
    None,
    /// Sign-in may fail, under the condition in the reason.
    May(&'static str),
    /// Sign-in fails for this reason.
    Breaks(&'static str),
}

impl Impact {
    /// Returns whether sign-in certainly fails.
    #[must_use]
    pub fn breaks(self) -> bool {
        matches!(self, Self::Breaks(_))
    }

    /// Returns the reason why sign-in fails or may fail; `None` if it keeps working.
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
            Self::None => f.write_str("sign-in keeps working"),
            Self::May(reason) => write!(f, "sign-in may fail: {reason}"),
            Self::Breaks(reason) => write!(f, "sign-in fails: {reason}"),
        }
    }
}
