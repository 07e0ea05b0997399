//! A typed, asynchronous client for the Okta management API.
//!
//! ```
//! use okta_client::{Client, ListGroups};
//! use rest_core::Secret;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let okta = Client::builder("https://acme.okta.com", Secret::new("00abc")).build()?;
//! println!("the token is one of {}", okta.users().me().await?.profile.login);
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
//! # What to expect
//!
//! - Every call is authorized for the org's own origin only; a paging link that leads elsewhere is
//!   an error.
//! - Calls wait for Okta's rate limits, bucket by bucket, before Okta has to refuse them, and are
//!   repeated where that can do no harm; see [`rest_core::RetryPolicy`].
//! - Answers are read with tolerance: Okta sends `null` where its specification has none, adds
//!   fields and values without notice, and answers with other status codes than it documents. Only
//!   what nothing can be done without, such as an id, is required.
//! - Documents that are written back, the apps, are kept whole: see [`App::edit`].
//! - Errors name the call, Okta's error code and Okta's request id, and say
//!   [what can be done](Error::help).

mod apps;
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
    App, AppDocument, AppGroup, AppStatus, AppUser, AppUserScope, AppUserStatus, Apps, AuthScheme,
    Connection, ConnectionStatus, ListApps, NewApp, Provisioning, ProvisioningStatus,
    ProvisioningSwitches, SigningKey, SyncState,
};
pub use client::{BuildError, Client, ClientBuilder};
pub use domains::{CertificateSource, DnsRecord, Domain, DomainValidation, Domains, NewDomain};
pub use error::{ApiError, BodyError, Error};
pub use groups::{Group, GroupKind, Groups, ListGroups};
pub use id::{Id, ParseIdError};
pub use push::{
    NewPushMapping, PushMapping, PushMappings, PushStatus, PushSwitch, PushTarget, TargetGroup,
};
pub use rest_core::Pager;
pub use users::{ListUsers, User, UserProfile, UserRef, UserStatus, Users};
