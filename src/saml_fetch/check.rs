//! The check of a document: is it whole metadata, signed with a pinned key, and how long is it valid?

use std::io;

use jiff::{SignedDuration, Timestamp};
use saml_metadata::{
    CacheDuration, EntityStream, ParseTimeError, ReadError, StreamError,
    signature::{SignatureError, SignedStreamError, Verifier, VerifyingKey},
};

use super::Signature;

/// A document that is whole metadata, and is signed with a pinned key if there is one.
pub(super) struct Checked {
    pub(super) signature: Signature,
    /// `validUntil` of the root element.
    pub(super) valid_until: Option<Timestamp>,
    /// `cacheDuration` of the root element.
    pub(super) cache_duration: Result<Option<SignedDuration>, ParseTimeError>,
}

/// The reason why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("its `validUntil` cannot be read: {0}")]
    ValidUntil(ParseTimeError),
    /// Bytes in memory have no I/O error but their early end.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Read { source, .. } => Self::Read(source),
            StreamError::Io { source, .. } => Self::Io(source),
            error => Self::Io(io::Error::other(error)),
        }
    }
}

impl From<SignedStreamError> for Fault {
    fn from(error: SignedStreamError) -> Self {
        match error {
            SignedStreamError::Rejected(error) => Self::Signature(error),
            SignedStreamError::Read(error) => error.into(),
            error => Self::Io(io::Error::other(error)),
        }
    }
}

/// Checks a document. Its entities are read one by one, so that an aggregate needs no memory beside its bytes.
pub(super) fn check(bytes: &[u8], pins: &[VerifyingKey]) -> Result<Checked, Fault> {
    let mut signature = Signature::NotChecked;
    if !pins.is_empty() {
        // The bytes do not change, so the second pass of the stream is not needed.
        let verified = Verifier::new(pins.iter().cloned()).verify_stream(|| Ok(bytes))?;
        signature = Signature::Verified {
            key: verified.key(),
        };
    }
    let mut lifetime = None;
    for streamed in EntityStream::new(bytes) {
        let streamed = streamed?;
        // Each entity has the start tags of the groups around it.
        lifetime = lifetime.or_else(|| {
            Some(match streamed.document().group() {
                Some(group) => (group.valid_until(), group.cache_duration()),
                None => (
                    streamed.entity().valid_until(),
                    streamed.entity().cache_duration(),
                ),
            })
        });
        if signature != Signature::NotChecked {
            // The verification has read the whole document.
            break;
        }
    }
    let (valid_until, cache_duration) = match lifetime {
        Some(lifetime) => lifetime,
        // A group without entities.
        None => match saml_metadata::read(bytes)?.group() {
            Some(group) => (group.valid_until(), group.cache_duration()),
            None => (Ok(None), Ok(None)),
        },
    };
    Ok(Checked {
        signature,
        valid_until: valid_until.map_err(Fault::ValidUntil)?,
        cache_duration: cache_duration.map(|duration| duration.map(CacheDuration::estimate)),
    })
}
