//! Why a call has no good answer.

use crate::{Response, TransportError};

/// Why a call failed, in the order of how far it got.
///
/// A vendor's client turns this into its own error; [`Error::Refused`] has the whole answer for it
/// to read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be made; nothing was sent.
    #[error("the request could not be made")]
    Request(#[from] RequestError),
    /// No answer arrived.
    #[error("no answer arrived")]
    Transport(#[from] TransportError),
    /// The server answered with something else than success.
    #[error("the server refused the request with {}", .0.status())]
    Refused(Box<Response>),
}

/// Why a request could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A part of the path is empty, `.`, `..`, or has a control character: any of these would make
    /// the request go to another address.
    #[error("{segment:?} cannot be a part of an address")]
    #[non_exhaustive]
    Segment {
        /// The part.
        segment: String,
    },
    /// A link is not an address.
    #[error("a link of the server is not an address")]
    Link(#[from] url::ParseError),
    /// A link leads to another origin; following it would show the secret to a stranger.
    #[error("a link leads away from {own} to {other}, and was not followed")]
    #[non_exhaustive]
    ForeignOrigin {
        /// The origin of the service.
        own: String,
        /// The origin of the link.
        other: String,
    },
    /// The address is one that HTTP cannot carry.
    #[error("the address cannot be sent")]
    Uri(#[from] http::uri::InvalidUri),
    /// The body could not be written as JSON.
    #[error("the body could not be written as JSON")]
    Body(#[from] serde_json::Error),
}

/// Why a service could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base address is no `http` or `https` address, or has a user, a query or a fragment.
    #[error("{base} is not a base address: it {problem}")]
    #[non_exhaustive]
    Base {
        /// The address, without any user or password in it.
        base: String,
        /// What is wrong with it, as the end of a sentence.
        problem: &'static str,
    },
    /// The secret is empty, or has a character that a header cannot carry, such as a line break.
    #[error("the secret {problem}")]
    #[non_exhaustive]
    Secret {
        /// What is wrong with it, as the end of a sentence.
        problem: &'static str,
    },
    /// The name for the `User-Agent` header has a character that a header cannot carry.
    #[error("the user agent cannot be sent in a header")]
    UserAgent(#[source] http::header::InvalidHeaderValue),
}
