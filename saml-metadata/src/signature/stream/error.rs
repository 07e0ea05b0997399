//! The error of a signed stream.

use super::blocks::Changed;
use crate::{StreamError, signature::SignatureError};

/// The reason why a signed stream could not be verified, or ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignedStreamError {
    /// The metadata cannot be opened or read.
    #[error("the signed metadata cannot be read")]
    Read(#[source] StreamError),
    /// The metadata has no signature, or its signature was rejected.
    #[error("the signature of the metadata was rejected")]
    Rejected(#[from] SignatureError),
    /// The second pass read other bytes than the verified bytes.
    #[error("the metadata was changed after verification, from byte {offset} on")]
    #[non_exhaustive]
    Changed {
        /// Number of unchanged bytes at the start, a multiple of 64 KiB.
        offset: usize,
    },
}

impl From<StreamError> for SignedStreamError {
    fn from(error: StreamError) -> Self {
        let changed = match &error {
            StreamError::Io { source } => source.get_ref(),
            StreamError::Read { .. } => None,
        };
        match changed.and_then(|source| source.downcast_ref::<Changed>()) {
            Some(Changed { offset }) => Self::Changed { offset: *offset },
            None => Self::Read(error),
        }
    }
}
