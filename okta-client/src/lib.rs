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
//! - Calls wait before Okta would throttle them: see [Rate limits](#rate-limits). Idempotent calls are
//!   retried; see [`RetryPolicy`].
//! - Responses are decoded tolerantly, because Okta sends undocumented `null` values, adds fields
//!   and values without notice, and uses undocumented status codes. Only indispensable fields, such
//!   as ids, are required.
//! - Each resource keeps the JSON text that Okta sent ([`Raw`]). An update with an [`Edit`] of it changes the named values
//!   and nothing else.
//! - Errors contain the call, Okta's error code and Okta's request id; [`Error::help`] says what to
//!   do.
//!
//! # Rate limits
//!
//! Okta counts the requests to a group of endpoints, a bucket, in windows of one minute. A window begins with
//! its first request. Each response reports the limit, the rest and the end of the window (Okta, "Rate limits").
//! The client counts a request in flight as used, sends as long as requests remain, and then waits for the end of
//! the window. A program with one client, or several clients of one token, is therefore not throttled.
//!
//! | setting | default | where |
//! | --- | --- | --- |
//! | share of the limit that Okta reports, which is the token's part of the org's limit | 100 % | [`ClientBuilder::rate_limit_share`] |
//! | longest time that a call waits because Okta asks for it; the call fails at once if Okta asks for more | 15 min | [`RetryPolicy::max_wait`] |
//! | attempts of a call | 5 | [`RetryPolicy::max_attempts`] |
//! | backoff if Okta names no time, with jitter | 0.5 s, doubled up to 20 s | [`RetryPolicy::base_delay`], [`RetryPolicy::max_delay`] |
//! | concurrent calls | at most 10 | |
//! | concurrent calls in a bucket until a response reports its window | at most 2 | |
//!
//! - Clones, and clients with one org URL, token and clock in this process, count together.
//! - The end of a window is measured on Okta's `Date`, so a wrong local clock does no harm.
//! - If Okta refuses a call because of too many concurrent calls of the org (a 429 with limit 0), the client
//!   lowers their number by a quarter. It then tries one more every 10 s.
//! - The client measures how fast other programs use the same bucket, and leaves as many requests as
//!   they need until the next response. Okta throttles a call nevertheless if another program uses all the
//!   rest between a response and the next call. The call is then sent again after the window.
//! - A wait of 1 s or more is an event of the crate `tracing` (target `rest_core`, level: info) with the time at which
//!   it ends. [`Error::throttled_until`] has the end of a limit that a call did not wait for.
//! - With four clients and 600 calls a minute, 5,000 calls take 1.01 times the time that the limit needs.
//!   `examples/page_groups.rs` reads 10,000 groups with half of a limit.

mod app_groups;
mod app_users;
mod apps;
mod auth;
mod body;
mod brands;
mod client;
mod config;
mod domains;
mod edit;
mod error;
mod filter;
mod grants;
mod groups;
mod id;
mod json;
mod lifecycle;
mod logs;
mod mappings;
mod open_enum;
mod org;
mod policies;
mod push;
mod rate_limits;
mod raw;
pub mod rights;
mod rules;
mod schemas;
mod tokens;
mod users;
mod vendor;

pub use app_groups::{AppGroup, ListAppGroups, PatchOperation};
pub use app_users::{AppUser, AppUserScope, AppUserStatus, ListAppUsers, SyncState};
pub use apps::{
    AcsSettings, App, AppFeature, AppStatus, Apps, AuthScheme, Connection, ConnectionStatus, Csr,
    CsrSubject, FeatureName, ListApps, NewApp, Provisioning, ProvisioningOptions,
    ProvisioningStatus, SigningKey,
};
pub use auth::{
    AccessToken, Credential, DpopKey, KeyError, PrivateKey, ServiceApp, SigningAlgorithm,
    TokenSource, TokenType,
};
pub use brands::{Brand, Brands};
pub use client::{BuildError, Client, ClientBuilder};
pub use config::{Config, ConfigError, Environment, MissingSetting};
pub use domains::{
    CertificateSource, DnsRecord, Domain, DomainCertificate, DomainValidation, Domains, NewDomain,
};
pub use edit::{Edit, EditError};
pub use error::{ApiError, BodyError, Error, TokenError};
pub use filter::SortOrder;
pub use grants::Grant;
pub use groups::{Group, GroupExpand, GroupKind, Groups, ListGroups};
pub use id::{Id, ParseIdError};
pub use lifecycle::{
    Activation, CreateUser, NewUser, PasswordReset, SendEmail, TemporaryPassword, UserProvider,
};
pub use logs::{EventType, FollowLogs, ListLogs, LogEvent, LogObject, Logs, OutcomeResult};
pub use mappings::{
    ListProfileMappings, MappingSide, ProfileMapping, ProfileMappings, PropertyMapping,
    PropertyPush, UserType,
};
pub use org::{Org, OrgSettings};
pub use policies::{Policies, Policy, PolicyType};
pub use push::{
    NewPushMapping, PushActivation, PushMapping, PushMappings, PushStatus, PushTarget,
    TargetGroupAction,
};
pub use rate_limits::{
    NewPrincipalRateLimit, PrincipalRateLimit, PrincipalRateLimits, PrincipalType,
};
pub use raw::Raw;
// The types in the signatures of this crate, so that a caller needs no other crate.
pub use rest_core::{
    BuildError as ServiceBuildError, Call, Clock, Hold, HttpOptions, HttpTransport, Idempotency,
    ItemError, ListError, ListPosition, ManualClock, Pager, PartialList, Reachability, Reached,
    RequestError, Response, RetryPolicy, Secret, SystemClock, Transport, TransportError,
    Unreachable,
};
pub use rules::{
    GroupRule, GroupRuleStatus, GroupRules, ListGroupRules, NewGroupRule, RuleMembers,
};
pub use schemas::{Schema, SchemaAttribute, Schemas};
pub use tokens::{ApiToken, ApiTokens};
pub use users::{ListUsers, UpdateUser, User, UserProfile, UserRef, UserStatus, Users};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
