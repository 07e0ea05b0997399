use std::io;

use crate::{Position, ReadError};

/// Why a stream ended before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes could not be had.
    #[error("the metadata cannot be read")]
    #[non_exhaustive]
    Io {
        /// What the source of the bytes says.
        source: io::Error,
    },
    /// The bytes are not metadata that can be read; the place is that in the whole stream.
    #[error("the stream of metadata is broken")]
    #[non_exhaustive]
    Read {
        /// What is wrong, and where.
        source: ReadError,
    },
}

impl StreamError {
    /// Returns where in the stream it was noticed, if it is the text that is wrong.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Read { source } => Some(source.position()),
            Self::Io { .. } => None,
        }
    }
}
