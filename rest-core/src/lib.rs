//! What every REST client in this workspace is made of.
//!
//! A client for a service is a [`Service`] (one base address, one credential) and a [`Vendor`]
//! (how that service speaks about rate limits and refusals). The client's own crate describes each
//! call as a [`Call`], a value; [`Service::send`] is the one place where requests are authorized,
//! paced, sent and repeated.
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
//! let answer = service.send(Call::get(["things", "7"])).await?;
//! println!("{}", answer.status());
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - A secret is attached to requests for the service's own origin and to nothing else. Redirects
//!   are not followed; a link to another origin is an error before anything is sent.
//! - A request that the server may have acted on is repeated only where repeating it is harmless.
//! - Time comes in through [`Clock`] and bytes through [`Transport`]; a test replaces both.
//! - Secrets, headers, query values and bodies are never logged.

mod call;
mod clock;
mod error;
pub mod headers;
mod link;
mod pager;
mod rate_limit_windows;
mod rate_limiter;
mod retry;
mod secret;
mod service;
mod transport;
mod vendor;

pub use call::{Call, Response};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{BuildError, Error, RequestError};
pub use link::{LinkError, next_link};
pub use pager::{Page, Pager, PagerError};
pub use rate_limiter::{Rate, RateLimiter, RateLimiterStats};
pub use retry::{Attempt, AttemptResult, Idempotency, RetryDecision, RetryPolicy};
pub use secret::Secret;
pub use service::{Service, ServiceBuilder};
pub use transport::{HttpOptions, HttpTransport, Reached, Transport, TransportError};
pub use vendor::{PlainVendor, RateLimit, Vendor};
