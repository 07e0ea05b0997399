//! How bytes reach a server and come back.

use std::{error, fmt};

use bytes::Bytes;
use futures::future::BoxFuture;

mod http;

pub use self::http::{HttpOptions, HttpTransport};

/// Carries one request to a server and brings its answer back.
///
/// A status of any kind is an answer, not an error. A transport follows no redirect and repeats
/// nothing: both are decided above it.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends `request` and waits for the whole answer.
    fn send(
        &self,
        request: ::http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<::http::Response<Bytes>, TransportError>>;
}

/// How far a request got that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The server has not seen the request; sending it again is always safe.
    NotSent,
    /// The server may have seen the request, and may have acted on it.
    MaybeSent,
}

/// Why no answer arrived.
///
/// The text never holds a header, a query or a body.
#[derive(Debug)]
pub struct TransportError {
    kind: Kind,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl TransportError {
    /// Returns an error for a request that never left: no connection, no name, no TLS session.
    pub fn not_sent(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::NotSent,
            source: Some(source.into()),
        }
    }

    /// Returns an error for a connection that broke after the request may have left.
    pub fn maybe_sent(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::MaybeSent,
            source: Some(source.into()),
        }
    }

    /// Returns an error for an answer that did not arrive in time.
    pub fn timeout(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::Timeout,
            source: Some(source.into()),
        }
    }

    /// Returns an error for an answer with a body of more than `limit` bytes.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        Self {
            kind: Kind::BodyTooLarge { limit },
            source: None,
        }
    }

    /// Returns how far the request got.
    #[must_use]
    pub fn reached(&self) -> Reached {
        match self.kind {
            Kind::NotSent => Reached::NotSent,
            Kind::MaybeSent | Kind::Timeout | Kind::BodyTooLarge { .. } => Reached::MaybeSent,
        }
    }

    /// Returns whether the time ran out after the request had left.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, Kind::Timeout)
    }

    /// Returns whether an answer came that is larger than the limit on bodies.
    ///
    /// Asking again would only fetch the same answer, so this is never repeated.
    #[must_use]
    pub fn is_body_too_large(&self) -> bool {
        matches!(self.kind, Kind::BodyTooLarge { .. })
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::NotSent => f.write_str("the server could not be reached"),
            Kind::MaybeSent => f.write_str("the connection broke before the answer was complete"),
            Kind::Timeout => f.write_str("the answer did not arrive in time"),
            Kind::BodyTooLarge { limit } => {
                write!(f, "the answer is larger than {limit} bytes")
            }
        }
    }
}

impl error::Error for TransportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    NotSent,
    MaybeSent,
    Timeout,
    BodyTooLarge { limit: usize },
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::{Reached, TransportError};

    #[test]
    fn the_kind_says_whether_the_server_may_have_acted() {
        assert_eq!(TransportError::not_sent("x").reached(), Reached::NotSent);
        assert_eq!(
            TransportError::maybe_sent("x").reached(),
            Reached::MaybeSent
        );
        assert_eq!(TransportError::timeout("x").reached(), Reached::MaybeSent);
        assert_eq!(
            TransportError::body_too_large(1).reached(),
            Reached::MaybeSent
        );
    }

    #[test]
    fn the_text_leaves_the_source_to_the_chain() {
        let error = TransportError::maybe_sent("connection reset");
        assert_eq!(
            error.to_string(),
            "the connection broke before the answer was complete"
        );
        assert_eq!(
            error.source().expect("a source").to_string(),
            "connection reset"
        );
        assert_eq!(
            TransportError::not_sent("x").to_string(),
            "the server could not be reached"
        );
        assert_eq!(
            TransportError::timeout("x").to_string(),
            "the answer did not arrive in time"
        );
        assert_eq!(
            TransportError::body_too_large(16).to_string(),
            "the answer is larger than 16 bytes"
        );
    }
}
