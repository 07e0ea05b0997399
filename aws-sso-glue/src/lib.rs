//! IAM Identity Center and what is around it, over the official AWS SDK.
//!
//! [`Aws`] is a connection: a caller, a region, a clock. From it come the calls about the
//! [organization](Aws::organizations), about [instances](Aws::instances) of IAM Identity Center,
//! and, for one instance, about [permission sets](IdentityCenter::permission_sets),
//! [assignments](IdentityCenter::assignments), and [users and
//! groups](IdentityCenter::identity_store). [`Aws::sign_in`] signs a person in at an access portal.
//!
//! ```
//! use aws_sso_glue::{Aws, Connect};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let aws = Aws::connect(Connect { profile: Some("main".into()), ..Connect::default() }).await?;
//! println!("calling as {}", aws.caller().await?.arn);
//! for instance in aws.instances().await? {
//!     let center = aws.identity_center(&instance);
//!     for set in center.permission_sets().list().await? {
//!         println!("{} {}", instance.primary_region, set.name);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Writes that take AWS a while are started by one call and asked about by another; nothing here
//! waits for them:
//!
//! ```
//! use aws_sso_glue::{Assignment, Error, IdentityCenter, OperationStatus};
//!
//! # async fn run(center: IdentityCenter, wanted: Assignment) -> Result<(), Error> {
//! let assignments = center.assignments();
//! let operation = assignments.start_create(&wanted).await?;
//! match assignments.status(&operation).await? {
//!     OperationStatus::InProgress => println!("ask again in some seconds"),
//!     OperationStatus::Succeeded => println!("done"),
//!     OperationStatus::Failed { reason } => println!("failed: {reason:?}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - A call is repeated by the SDK's standard rules, and after a conflict where a conflict passes;
//!   never without a limit. The waits in between are those of [`Connect::clock`].
//! - Calls to `sso-admin` keep to [`Connect::sso_admin_calls_per_second`], repeated ones too.
//! - A list is read to its end, or is an error; never half of it.
//! - Creating, attaching, detaching and deleting may be repeated: what is done already is no error.
//! - Keys and tokens appear in no `Debug` output, error or log. Spans name service and operation;
//!   what the SDK itself would log during a call, whole requests among it, is kept back.

mod assignments;
mod caller;
mod connect;
mod credentials;
mod error;
mod https;
mod identity_store;
mod ids;
mod instances;
mod noop_subscriber;
mod operations;
mod organizations;
mod paging;
mod permission_sets;
mod rate_limit;
#[cfg(test)]
mod replay;
mod retry;
mod service;
mod session;
mod sign_in;
#[cfg(test)]
mod tests;
mod time;

pub use assignments::{Assignment, Assignments, Operation, OperationKind, Principal};
pub use caller::Caller;
pub use connect::{Aws, Connect};
pub use credentials::Credentials;
pub use error::Error;
pub use identity_store::{ExternalId, IdentityGroup, IdentityStore, IdentityUser};
pub use ids::{
    AccountId, GroupId, IdentityStoreId, InstanceArn, ParseIdError, PermissionSetArn, RequestId,
    UserId,
};
pub use instances::{IdentityCenter, Instance, InstanceDetails, InstanceStatus};
pub use operations::OperationStatus;
pub use organizations::{Account, AccountState, Organization, Organizations};
pub use permission_sets::{NewPermissionSet, PermissionSet, PermissionSets, UpdatePermissionSet};
pub use session::{AssignedAccount, Session};
pub use sign_in::{DeviceAuthorization, Polled, SignIn};
