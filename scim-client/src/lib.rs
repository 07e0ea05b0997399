//! A typed async client for SCIM 2.0 that supports server dialects, such as AWS IAM Identity Center.
//!
//! ```no_run
//! use scim_client::{
//!     Client, Endpoint, Secret,
//!     scim_types::{User, filter::{AttributePath, Filter}},
//! };
//!
//! # async fn run(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::parse("https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/")?;
//! let scim = Client::builder(&endpoint, Secret::new(token)).build()?;
//! scim.probe().await?;
//!
//! let ada = Filter::eq(AttributePath::USER_NAME, "ada@example.com");
//! if scim.users().find(ada).await?.is_none() {
//!     scim.users().create_or_adopt(&User::new("ada@example.com")).await?;
//! }
//! let mut groups = scim.groups().list(None);
//! while let Some(group) = groups.try_next().await? {
//!     println!("{}", group.display_name.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - The token is sent only to the endpoint's own origin and is never printed.
//! - Filters and membership changes that the [`Dialect`] does not support are not sent, because the
//!   server would misread them or would not explain its refusal.
//! - A `POST` whose response was lost is not retried, because the server may have processed it.
//!   [`Error::may_have_acted`] reports this case, and [`Resources::create_or_adopt`] handles it by
//!   looking the resource up.
//! - An empty page does not end a list. A list that ends before the total that the server reported
//!   is an error.
//! - A resource that cannot be read is an [`ItemError`] with its JSON; the other resources of its
//!   page are returned. [`Resources::find`] and [`Resources::create_or_adopt`] never treat such a
//!   resource as absent.
//! - [`Client::send`] sends any other [`Call`] in the same way: authorized, rate-limited, retried.

mod client;
mod dialect;
mod endpoint;
mod error;
mod paging;
mod probe;
mod resources;
mod text;
mod vendor;

pub use client::{Client, ClientBuilder};
pub use dialect::{
    AttributeRule, Dialect, DocumentRules, FilterRules, MemberRemoval, Need, Paging, Rules,
    TextRule, UnsupportedRequest, Violation, ViolationKind,
};
pub use endpoint::{Endpoint, ParseEndpointError};
pub use error::{Error, ErrorResponse};
pub use probe::Probe;
pub use resources::{Created, Resources};
#[doc(no_inline)]
pub use rest_core::{
    BuildError, Call, Clock, Hold, HttpOptions, HttpTransport, Idempotency, ItemError, ListError,
    ListPosition, ManualClock, Pager, PartialList, Rate, RateLimiter, RateLimiterStats,
    Reachability, Reached, Response, RetryPolicy, Secret, SystemClock, Transport, TransportError,
    Unreachable,
};
#[doc(no_inline)]
pub use scim_types;

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
