//! The transport: sends a request to a server and receives the response.

use std::{error, fmt};

use bytes::Bytes;
use futures::future::BoxFuture;

mod http;

pub use self::http::{HttpOptions, HttpTransport};

/// Sends a request to a server and returns its response.
///
/// A response with any status is `Ok`. A transport does not follow redirects and does not retry:
/// [`Service`](crate::Service) decides both.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends `request` and waits for the complete response.
    fn send(
        &self,
        request: ::http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<::http::Response<Bytes>, TransportError>>;
}

/// Whether a failed request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The server did not receive the request; a retry is always safe.
    NotSent,
    /// The server may have received and processed the request.
    MaybeSent,
}

/// The error of [`Transport::send`]: no usable response was received.
///
/// The message never contains a header, a query or a body.
#[derive(Debug)]
pub struct TransportError {
    kind: Kind,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl TransportError {
    /// Returns an error for a request that was not sent, because the name resolution, the
    /// connection or the TLS handshake failed.
    pub fn not_sent(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::NotSent,
            source: Some(source.into()),
        }
    }

    /// Returns an error for a connection that broke after the request may have been sent.
    pub fn maybe_sent(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::MaybeSent,
            source: Some(source.into()),
        }
    }

    /// Returns an error for a response that did not arrive before the timeout.
    pub fn timeout(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::Timeout,
            source: Some(source.into()),
        }
    }

    /// Returns an error for a response whose body is larger than `limit` bytes.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        Self {
            kind: Kind::BodyTooLarge { limit },
            source: None,
        }
    }

    /// Returns whether the request may have reached the server.
    #[must_use]
    pub fn reached(&self) -> Reached {
        match self.kind {
            Kind::NotSent => Reached::NotSent,
            Kind::MaybeSent | Kind::Timeout | Kind::BodyTooLarge { .. } => Reached::MaybeSent,
        }
    }

    /// Returns whether the timeout expired after the request may have been sent.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, Kind::Timeout)
    }

    /// Returns whether the body of the response is larger than the limit.
    ///
    /// A retry would get the same response, so such a request is never retried.
    #[must_use]
    pub fn is_body_too_large(&self) -> bool {
        matches!(self.kind, Kind::BodyTooLarge { .. })
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::NotSent => f.write_str("the server could not be reached"),
            Kind::MaybeSent => f.write_str("the connection broke before the response was complete"),
            Kind::Timeout => f.write_str("the response did not arrive before the timeout"),
            Kind::BodyTooLarge { limit } => {
                write!(f, "the response body is larger than {limit} bytes")
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
    fn the_text_does_not_repeat_the_source() {
        let error = TransportError::maybe_sent("connection reset");
        assert_eq!(
            error.to_string(),
            "the connection broke before the response was complete"
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
            "the response did not arrive before the timeout"
        );
        assert_eq!(
            TransportError::body_too_large(16).to_string(),
            "the response body is larger than 16 bytes"
        );
    }
}
