//! The recorded requests, for assertions in tests.

use std::fmt;

use http::Method;
use serde::Serialize;

/// An API that the sandbox serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Service {
    /// The Okta management API.
    Okta,
    /// The AWS APIs that need AWS credentials, and the sign-in endpoints.
    Aws,
    /// The SCIM endpoint: of IAM Identity Center, or of the generic SCIM service.
    Scim,
}

/// One recorded request, without headers and body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The API that received the request.
    pub service: Service,
    /// The HTTP method, such as `GET`.
    pub method: String,
    /// The path as sent, including percent-encoding.
    pub path: String,
    /// The query as sent, without the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The operation of an AWS API, such as `ListInstances`; `None` for Okta and SCIM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether the request changes data. A rejected write counts too.
    pub write: bool,
    /// The status of the response; `None` if the sandbox sent no response.
    pub status: Option<u16>,
}

impl fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if let Some(target) = &self.target {
            write!(f, " {target}")?;
        }
        match self.status {
            Some(status) => write!(f, " -> {status}"),
            None => f.write_str(" -> no response"),
        }
    }
}

/// Returns whether an HTTP method of a REST API changes data.
pub(crate) fn method_writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
