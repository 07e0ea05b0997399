//! Calls to IAM Identity Center and the services around it, over the official AWS SDK.
//!
//! [`Aws`] is a connection with one caller, one region and one clock. It has the calls for the
//! [organization](Aws::organizations) and for the [instances](Aws::instances) of IAM Identity
//! Center. [`IdentityCenter`] has the calls for one instance: [permission
//! sets](IdentityCenter::permission_sets), [account assignments](IdentityCenter::assignments), and
//! [users and groups](IdentityCenter::identity_store). [`Aws::sign_in`] signs a user in at an access
//! portal. With the feature `secrets-manager`, `Aws::secret` reads a secret of AWS Secrets Manager.
//!
//! ```
//! use aws_sso_glue::{Aws, ConnectOptions};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let aws = Aws::connect(ConnectOptions { profile: Some("main".into()), ..ConnectOptions::default() }).await?;
//! println!("calling as {}", aws.caller().await?.arn);
//! for instance in aws.instances().try_collect().await? {
//!     let center = aws.identity_center(&instance);
//!     let mut sets = center.permission_sets().list();
//!     while let Some(set) = sets.try_next().await? {
//!         println!("{} {}", instance.primary_region, set.name);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! AWS carries out some writes asynchronously. One call starts such a write, and another call reads
//! its status. The calls do not wait for the end of the write, and an [`AssignmentRun`] carries out many
//! writes and waits for them:
//!
//! ```
//! use aws_sso_glue::{Assignment, Error, IdentityCenter, OperationStatus};
//!
//! # async fn run(center: IdentityCenter, wanted: Assignment) -> Result<(), Error> {
//! let assignments = center.assignments();
//! let operation = assignments.start_create(&wanted).await?;
//! match assignments.status(&operation).await? {
//!     OperationStatus::InProgress => println!("check again in a few seconds"),
//!     OperationStatus::Succeeded => println!("done"),
//!     OperationStatus::Failed { reason } => println!("failed: {reason:?}"),
//!     other => println!("unknown status: {other:?}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - Calls are retried as in the SDK's standard retry mode, and also after temporary conflicts. The
//!   number of attempts is always limited. A throttled attempt does not count; a throttled call is
//!   repeated for at most [`ConnectOptions::throttling_timeout`], and a write of an [`AssignmentRun`]
//!   until the run is dropped. The waits between attempts use [`ConnectOptions::clock`].
//! - Calls to `sso-admin`, retries included, stay within
//!   [`ConnectOptions::sso_admin_calls_per_second`]. Each other service has a limit of its own. A limit
//!   falls when AWS throttles a call, and grows again.
//! - A list is a [`Pager`]: it is read completely, or it fails. An item that cannot be read is an
//!   error of its own and does not hide the others.
//! - Requests go to `https` URLs or to this machine. A response arrives completely within a minute
//!   and has at most 16 MiB, or the attempt fails.
//! - Creating, attaching, detaching and deleting are idempotent: they succeed if the write is already
//!   done.
//! - No `Debug` output, error or log contains a key or a token. Spans contain the service and the
//!   operation. The SDK's own log events during a call are suppressed, because they contain whole
//!   requests.

mod assignments;
mod call;
mod caller;
mod connect;
mod credentials;
mod error;
pub mod estate;
mod https;
mod identity_store;
mod ids;
mod instances;
mod noop_subscriber;
mod operations;
mod organizations;
mod other_clients;
mod partition;
mod permission_sets;
mod rate_limit;
#[cfg(test)]
mod replay;
mod retry;
#[cfg(feature = "secrets-manager")]
mod secrets;
mod service;
mod session;
mod sign_in;
#[cfg(test)]
mod tests;
mod throttling;
mod time;
mod transport;

pub use assignments::{
    Assignment, AssignmentChange, AssignmentEnd, AssignmentProgress, AssignmentRun,
    AssignmentRunEvent, Assignments, Operation, OperationKind, Principal,
};
pub use aws_config::{self, SdkConfig};
pub use aws_credential_types::provider::SharedCredentialsProvider;
pub use caller::Caller;
pub use connect::{Aws, ConnectOptions, SdkClients};
pub use credentials::Credentials;
pub use error::Error;
pub use identity_store::{ExternalId, IdentityGroup, IdentityStore, IdentityUser};
#[cfg(feature = "secrets-manager")]
pub use ids::SecretArn;
pub use ids::{
    AccountId, GroupId, IdentityStoreId, InstanceArn, ParseIdError, PermissionSetArn, RequestId,
    UnitId, UserId,
};
pub use instances::{IdentityCenter, Instance, InstanceDetails, InstanceStatus};
pub use operations::OperationStatus;
pub use organizations::{
    Account, AccountState, OrganizationDetails, OrganizationalUnit, Organizations,
};
pub use partition::Partition;
pub use permission_sets::{
    Boundary, FailedAccount, NewPermissionSet, PermissionSet, PermissionSetContents,
    PermissionSets, ProvisioningEnd, ProvisioningEvent, ProvisioningProgress, ProvisioningRequest,
    ProvisioningRun, UpdatePermissionSet,
};
pub use session::{AssignedAccount, Session};
pub use sign_in::{DeviceAuthorization, PollResult, SignIn};

// The types in the signatures of this crate, so that a caller needs no other crate.
pub use rest_core::{
    Clock, Hold, ItemError, ListError, ListPosition, ManualClock, Pager, PartialList, Reachability,
    Secret, SystemClock, Unreachable,
};

/// The SDK's crates whose clients [`Aws::sdk`] returns.
pub mod sdk {
    pub use aws_sdk_identitystore as identitystore;
    pub use aws_sdk_organizations as organizations;
    pub use aws_sdk_ssoadmin as ssoadmin;
    pub use aws_sdk_sts as sts;
}

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
