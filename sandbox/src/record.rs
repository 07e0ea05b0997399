//! What was asked of the sandbox, kept for tests to assert on.

use std::fmt;

use http::Method;
use serde::Serialize;

/// One of the vendors' front doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Service {
    /// The Okta management API.
    Okta,
    /// Every AWS API that is called with AWS credentials, and the sign-in endpoints.
    Aws,
    /// The SCIM endpoint of IAM Identity Center.
    Scim,
}

/// One request that reached the sandbox, without headers or body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Recorded {
    /// The front door it came through.
    pub service: Service,
    /// The HTTP method, such as `GET`.
    pub method: String,
    /// The path as it was sent, percent-encoding included.
    pub path: String,
    /// The query as it was sent, without the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The operation of an AWS API, such as `ListInstances`; nothing for Okta and SCIM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether it changed something, or would have if it had been accepted.
    pub write: bool,
    /// The status it was answered with; nothing if the sandbox hung up.
    pub status: Option<u16>,
}

impl fmt::Display for Recorded {
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
            None => f.write_str(" -> hung up"),
        }
    }
}

/// Returns whether a method of a REST interface is one that changes something.
pub(crate) fn method_writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
