//! The error of a stream.

use std::io;

use crate::{Position, ReadError};

/// The error that ends a stream early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The input returned an I/O error.
    #[error("the metadata cannot be read")]
    #[non_exhaustive]
    Io {
        /// The error of the input.
        source: io::Error,
    },
    /// The bytes are not readable metadata.
    #[error("the stream of metadata is not valid")]
    #[non_exhaustive]
    Read {
        /// The error of the reader, with the position in the whole stream.
        source: ReadError,
    },
}

impl StreamError {
    /// Returns the position of the error in the stream; `None` for an I/O error.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Read { source } => Some(source.position()),
            Self::Io { .. } => None,
        }
    }
}
