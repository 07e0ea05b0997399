//! The [`Authorizer`] trait: adds the credential to each attempt of a request.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};

use crate::{AuthorizeError, BuildError, Secret};

/// Adds a credential to each attempt of a request, and learns from the responses.
///
/// [`Service::send`](crate::Service::send) calls it only for requests to the service's own origin. A
/// service with one constant secret needs no implementation of its own:
/// [`ServiceBuilder::authorization`](crate::ServiceBuilder::authorization) is enough.
pub trait Authorizer: Send + Sync + fmt::Debug {
    /// Makes sure that there is a credential, before the request waits for the limits of the service.
    ///
    /// Requests that start together can so wait for one new token. The default does nothing.
    ///
    /// # Errors
    ///
    /// Fails like [`authorize`](Self::authorize).
    fn prepare(&self) -> BoxFuture<'_, Result<(), AuthorizeError>> {
        Box::pin(async { Ok(()) })
    }

    /// Adds the credential to `request`, and returns the secrets in it.
    ///
    /// It is called before each attempt, after all waits, so a credential with a short life is fresh
    /// when it is sent. The service removes the secrets from the body of the response, because a
    /// server or a proxy may repeat them in an error message.
    ///
    /// # Errors
    ///
    /// Fails if there is no credential, for example because a token could not be obtained. The
    /// request is then not sent, and not retried.
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<Vec<Secret>, AuthorizeError>>;

    /// Learns from the response to a request, and returns whether the credential was rejected and
    /// another one may be accepted.
    ///
    /// `secrets` are those that [`authorize`](Self::authorize) returned for the request. `resent` is
    /// the number of times that this method has already asked to send the request again in this
    /// attempt. At 2, the result is ignored.
    ///
    /// The default learns nothing and keeps the response.
    fn inspect(&self, secrets: &[Secret], resent: u32, response: &Response<Bytes>) -> Inspection {
        let _ = (secrets, resent, response);
        Inspection::Keep
    }

    /// Returns what all credentials of the same principal have in common, such as the id of a client.
    ///
    /// Services of this process with the same origin and the same identity count their requests
    /// together, because they share the limits of the server. The default is a service of its own.
    fn identity(&self) -> Option<Secret> {
        None
    }
}

/// The result of [`Authorizer::inspect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// The response is the result of the attempt.
    Keep,
    /// The server rejected the credential without processing the request: authorize the request again
    /// and send it at once. This is safe for every request.
    SendAgain,
}

/// An authorization scheme with a constant secret.
#[derive(Debug)]
pub(crate) struct ConstantHeader {
    scheme: String,
    secret: Secret,
}

impl ConstantHeader {
    pub(crate) fn new(scheme: String, secret: Secret) -> Result<Self, BuildError> {
        if secret.expose().is_empty() {
            return Err(BuildError::Secret {
                problem: "is empty",
            });
        }
        let header = Self { scheme, secret };
        let whitespace = header.secret.expose().contains(char::is_whitespace);
        // The header's error is discarded because it might contain the secret.
        if whitespace || header.value().is_err() {
            return Err(BuildError::Secret {
                problem: "has a space, a line break or another character that a header cannot contain",
            });
        }
        Ok(header)
    }

    fn value(&self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let mut value = HeaderValue::try_from(format!("{} {}", self.scheme, self.secret.expose()))?;
        // `Debug` output of the request shows `Sensitive`, and HTTP/2 does not index the header.
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Authorizer for ConstantHeader {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<Vec<Secret>, AuthorizeError>> {
        Box::pin(async {
            request.headers_mut().insert(AUTHORIZATION, self.value()?);
            Ok(vec![self.secret.clone()])
        })
    }

    fn identity(&self) -> Option<Secret> {
        Some(self.secret.clone())
    }
}
