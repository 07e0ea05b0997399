use super::blocks::Changed;
use crate::{StreamError, signature::SignatureError};

/// Why a signed stream is not verified, or ended before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignedStreamError {
    /// The metadata cannot be opened or read.
    #[error("the signed metadata cannot be read")]
    Read(#[source] StreamError),
    /// The metadata is not what its signature says, or has none.
    #[error("the signature of the metadata is refused")]
    Refused(#[from] SignatureError),
    /// What was opened again is not what was verified.
    #[error("the metadata was changed after it was verified, from byte {offset} on")]
    #[non_exhaustive]
    Changed {
        /// Bytes from the beginning that are the same, in steps of 64 KiB.
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
