//! A typed async client for the Okta management API.
//!
//! ```
//! use okta_client::{Client, ListGroups, Secret};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let okta = Client::builder("https://acme.okta.com", Secret::new("00abc")).build()?;
//! println!("the token belongs to {}", okta.users().me().await?.profile.login);
//!
//! let mut groups = okta.groups().list(ListGroups {
//!     name_prefix: Some("aws-".to_owned()),
//!     ..ListGroups::default()
//! });
//! while let Some(group) = groups.try_next().await? {
//!     println!("{} {}", group.id, group.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - The token is sent only to the org's own origin. A pagination link to another origin is an
//!   error.
//! - The client tracks Okta's rate limit of each bucket. If a limit is used up, calls wait before
//!   Okta would throttle them. Idempotent calls are retried; see [`rest_core::RetryPolicy`].
//! - Responses are decoded tolerantly, because Okta sends undocumented `null` values, adds fields
//!   and values without notice, and uses undocumented status codes. Only indispensable fields, such
//!   as ids, are required.
//! - An app's document is kept losslessly, so that an update does not delete unknown fields: see
//!   [`App::edit`].
//! - Errors contain the call, Okta's error code and Okta's request id; [`Error::help`] says what to
//!   do.

mod apps;
mod assignments;
mod client;
mod domains;
mod error;
mod filter;
mod groups;
mod id;
mod json;
mod open_enum;
mod push;
mod users;
mod vendor;

pub use apps::{
    App, AppDocument, AppStatus, Apps, AuthScheme, Connection, ConnectionStatus, ListApps, NewApp,
    Provisioning, ProvisioningOptions, ProvisioningStatus, SigningKey,
};
pub use assignments::{AppGroup, AppUser, AppUserScope, AppUserStatus, SyncState};
pub use client::{BuildError, Client, ClientBuilder};
pub use domains::{CertificateSource, DnsRecord, Domain, DomainValidation, Domains, NewDomain};
pub use error::{ApiError, BodyError, Error};
pub use groups::{Group, GroupKind, Groups, ListGroups};
pub use id::{Id, ParseIdError};
pub use push::{
    NewPushMapping, PushActivation, PushMapping, PushMappings, PushStatus, PushTarget,
    TargetGroupAction,
};
// The types in the signatures of this crate, so that a caller needs no other crate.
pub use rest_core::{
    BuildError as ServiceBuildError, Call, Clock, Hold, HttpOptions, HttpTransport, Idempotency,
    ItemError, ListError, ListPosition, ManualClock, Pager, PartialList, Reachability, Reached,
    RequestError, Response, RetryPolicy, Secret, SystemClock, Transport, TransportError,
    Unreachable,
};
pub use users::{ListUsers, User, UserProfile, UserRef, UserStatus, Users};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
