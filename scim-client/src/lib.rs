//! A typed async client for SCIM 2.0, and the dialects it meets (AWS IAM Identity Center first).
//!
//! ```no_run
//! use rest_core::Secret;
//! use scim_client::{Client, Endpoint};
//! use scim_types::{User, filter::{AttributePath, Filter}};
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
//! - The token goes to the endpoint's own origin and nowhere else, and is never printed.
//! - What the [`Dialect`] is known not to take is refused before it is sent, where sending it would
//!   do harm or say nothing: filters, membership changes.
//! - A `POST` whose answer was lost is not sent again, because the server may have acted; the error
//!   says so ([`Error::may_have_acted`]), and [`Resources::create_or_adopt`] looks.
//! - A list ends where the server says so: an empty page in the middle is not the end, and a list
//!   that stops short of its own total is an error.

mod client;
mod dialect;
mod endpoint;
mod error;

mod paging;
mod probe;
mod resources;
mod vendor;

pub use client::{Client, ClientBuilder};
pub use dialect::{
    Dialect, DocumentRules, FilterRules, MemberRemoval, Paging, RefusedRequest, Rules, Violation,
};
pub use endpoint::{Endpoint, ParseEndpointError};
pub use error::{Error, Refusal};
pub use probe::Probe;
pub use resources::{Created, Resources};
#[doc(no_inline)]
pub use rest_core::{BuildError, Pager, Rate, RateLimiter};
