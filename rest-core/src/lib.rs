//! Shared base of the REST clients in this workspace: requests, retries, rate limits, pagination
//! and secrets.
//!
//! A client consists of a [`Service`] (one base URL, one credential) and a [`Vendor`] (the
//! service's conventions for rate limits, errors and request ids). The client's crate describes
//! each call as a value, a [`Call`]. [`Service::send`] is the only place that authorizes,
//! rate-limits, sends and retries requests.
//!
//! ```
//! use std::sync::Arc;
//! use rest_core::{Call, PlainVendor, Secret, Service};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let service = Service::builder("https://api.example.com/v1/".parse()?)
//!     .authorization("Bearer", Secret::new("a token"))
//!     .vendor(Arc::new(PlainVendor))
//!     .build()?;
//! let response = service.send(Call::get(["things", "7"])).await?;
//! println!("{}", response.status());
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - The secret is sent only to the service's own origin, also by an [`Authorizer`]. Redirects are not followed. A link to
//!   another origin is an error, and nothing is sent.
//! - A request that the server may have processed is retried only if it is idempotent.
//! - [`Clock`] provides the time and [`Transport`] sends the bytes; tests can replace both.
//! - Secrets, headers, query values and bodies are never logged.

mod authorizer;
mod call;
mod clock;
mod error;
pub mod headers;
mod link;
mod pager;
mod rate_limit;
mod reachability;
mod response;
mod retry;
mod secret;
mod service;
mod text;
mod transport;
mod vendor;

pub use authorizer::{Authorizer, Inspection};
pub use call::Call;
pub use clock::{Clock, Hold, ManualClock, SystemClock};
pub use error::{AuthorizeError, BuildError, Error, RequestError};
pub use link::{LinkError, next_link};
pub use pager::{ItemError, ListError, ListPosition, Page, Pager, PartialList};
pub use rate_limit::{LimitWait, Rate, RateLimiter, RateLimiterStats};
pub use reachability::{Reachability, Unreachable};
pub use response::Response;
pub use retry::{Attempt, AttemptResult, Idempotency, RetryDecision, RetryPolicy};
pub use secret::Secret;
pub use service::{Service, ServiceBuilder};
pub use text::to_single_line;
pub use transport::{HttpOptions, HttpTransport, Reached, Transport, TransportError};
pub use vendor::{PlainVendor, RateLimit, Vendor};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
