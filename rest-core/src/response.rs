//! Defines [`Response`], the complete response of a server.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::link::{self, LinkError};

/// A server's complete response, with the body not yet decoded.
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
}

impl Response {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, byte for byte as the server sent it.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Consumes the response and returns the body.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// Returns the vendor's id of the request, if the response has one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the number of attempts, including the one that got this response.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Decodes the body as JSON.
    ///
    /// # Errors
    ///
    /// Fails if the body is not JSON or does not match `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Returns the URL of the next page from the `Link` headers.
    ///
    /// # Errors
    ///
    /// Fails if a `Link` header cannot be parsed. Do not treat this as the end of the list.
    pub fn next_link(&self) -> Result<Option<String>, LinkError> {
        link::next_link(&self.headers)
    }
}

impl fmt::Debug for Response {
    /// Omits the headers and the body, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
