//! A SCIM service provider that follows RFC 7643, RFC 7644 and RFC 9865.
//!
//! The service is strict about client mistakes that are easy to overlook. It rejects attributes that no
//! schema defines, filters on them, values of the wrong type, and a remove operation with a list of values.
//! Public conformance checkers for SCIM service providers, such as scim2-tester, run against it. It is
//! independent of AWS and has a separate directory.

mod store;

use axum::body::Bytes;
use axum::http::{Request, Response};
use jiff::Timestamp;

use super::{Exchange, RFC, ScimOptions, bearer_token};
pub(super) use store::MemoryStore;

/// The service provider with its users and groups.
#[derive(Debug)]
pub(crate) struct Directory {
    token: String,
    store: MemoryStore,
    options: ScimOptions,
    requests: u64,
}

/// The path of the service below its host.
pub(crate) const ROOT: &str = "/scim/v2";

impl Directory {
    /// Returns a service with an empty directory at the URL `base`; clients must send `token`.
    pub(crate) fn new(base: String, token: &str, options: ScimOptions) -> Self {
        Self {
            token: token.to_owned(),
            store: MemoryStore::new(base),
            options,
            requests: 0,
        }
    }

    /// Handles one request; its path starts at the root of the listener.
    pub(crate) fn handle(&mut self, now: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        self.requests += 1;
        let below = request.uri().path().strip_prefix(ROOT);
        let base = self.store.base.clone();
        Exchange {
            profile: &RFC,
            store: &mut self.store,
            base: &base,
            request,
            below: below.filter(|below| below.is_empty() || below.starts_with('/')),
            authorized: bearer_token(request) == Some(&self.token),
            options: &self.options,
            max_page_size: None,
            now,
            request_id: &format!("generic-{}", self.requests),
        }
        .respond()
    }
}

#[cfg(test)]
mod tests;
