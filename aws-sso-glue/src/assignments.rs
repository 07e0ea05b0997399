//! Account assignments: a principal, a permission set and an account.

mod engine;
mod run;

use aws_sdk_ssoadmin::{
    config::retry::RetryConfig,
    types::{
        AccountAssignmentOperationStatus, OperationStatusFilter, PrincipalType, StatusValues,
        TargetType,
    },
};
use rest_core::Pager;
use serde::{Deserialize, Serialize};

use self::engine::FailedList;
pub use self::run::{
    AssignmentChange, AssignmentEnd, AssignmentProgress, AssignmentRun, AssignmentRunEvent,
};
use crate::{
    AccountId, Error, GroupId, IdentityCenter, OperationStatus, PermissionSetArn, RequestId,
    UserId, instances::PAGE_SIZE, service::Service,
};

/// Calls for account assignments.
///
/// AWS carries out the writes asynchronously, 10 to 15 at a time (the number differs between
/// versions of AWS's quotas page). [`run`](Self::run) carries out many changes.
#[derive(Debug, Clone, Copy)]
pub struct Assignments<'a> {
    center: &'a IdentityCenter,
}

/// A permission set that a principal has in an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Assignment {
    /// The account.
    pub account: AccountId,
    /// The permission set.
    pub permission_set: PermissionSetArn,
    /// The user or group.
    pub principal: Principal,
}

/// A user or group that can have assignments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// One user.
    User(UserId),
    /// All members of a group.
    Group(GroupId),
}

/// An asynchronous write that was started.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Operation {
    /// The kind of write. AWS has a separate status call for each kind.
    pub kind: OperationKind,
    /// The request id of the write.
    pub id: RequestId,
}

/// The kind of an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationKind {
    /// Creates an assignment.
    Create,
    /// Deletes an assignment.
    Delete,
}

impl IdentityCenter {
    /// Returns the calls for account assignments.
    #[must_use]
    pub fn assignments(&self) -> Assignments<'_> {
        Assignments { center: self }
    }
}

/// Completes a call that creates or deletes an assignment. A macro, because the SDK has a
/// type for each call.
macro_rules! call_for {
    ($assignment:expr, $center:expr, $call:expr) => {
        $call
            .instance_arn($center.instance())
            .target_type(TargetType::AwsAccount)
            .target_id($assignment.account.as_str())
            .permission_set_arn($assignment.permission_set.as_str())
            .principal_type($assignment.principal.kind())
            .principal_id($assignment.principal.id())
    };
}

/// Sends a call and reads the status of a write from this field of its response. A macro, because the
/// SDK has a type for each response.
macro_rules! read_status {
    ($operation:expr, $call:expr, $kind:expr, $field:ident, $read:expr) => {
        SERVICE
            .call_and_read($operation, $call, |response| {
                let status = SERVICE.require_field($operation, $kind.field(), response.$field)?;
                $read($operation, $kind, status)
            })
            .await
    };
}

impl<'a> Assignments<'a> {
    /// Lists the principals that have `permission_set` in `account`.
    ///
    /// The list may contain principals that were deleted.
    pub fn list(
        &self,
        account: &AccountId,
        permission_set: &PermissionSetArn,
    ) -> Pager<Principal, Error> {
        const OPERATION: &str = "ListAccountAssignments";
        let call = self
            .client()
            .list_account_assignments()
            .instance_arn(self.center.instance())
            .account_id(account.as_str())
            .permission_set_arn(permission_set.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let rows = response.account_assignments.unwrap_or_default();
                (rows, response.next_token)
            },
            |row| read_principal(OPERATION, row.principal_type, row.principal_id),
        )
    }

    /// Lists the assignments of a principal in all accounts.
    ///
    /// This call is the fastest way to read the assignments of a whole company. Only the management
    /// account may make this call. For a user, AWS returns all the user's access, which may include
    /// assignments of the user's groups. Each assignment contains the principal that has it.
    pub fn for_principal(&self, principal: &Principal) -> Pager<Assignment, Error> {
        const OPERATION: &str = "ListAccountAssignmentsForPrincipal";
        let call = self
            .client()
            .list_account_assignments_for_principal()
            .instance_arn(self.center.instance())
            .principal_type(principal.kind())
            .principal_id(principal.id())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let rows = response.account_assignments.unwrap_or_default();
                (rows, response.next_token)
            },
            |row| {
                let set = row.permission_set_arn;
                Ok(Assignment {
                    account: SERVICE.id(OPERATION, "AccountId", row.account_id)?,
                    permission_set: SERVICE.id(OPERATION, "PermissionSetArn", set)?,
                    principal: read_principal(OPERATION, row.principal_type, row.principal_id)?,
                })
            },
        )
    }

    /// Starts to create an assignment. AWS also provisions the permission set in the account.
    ///
    /// Succeeds if the assignment already exists. Such a call still counts as one of the few writes
    /// that AWS carries out at a time, so call [`list`](Self::list) first.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn start_create(&self, assignment: &Assignment) -> Result<Operation, Error> {
        self.start(assignment, OperationKind::Create, None).await
    }

    /// Starts to delete an assignment.
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the assignment does not exist. AWS may
    /// instead report the missing assignment later, as a failed status.
    pub async fn start_delete(&self, assignment: &Assignment) -> Result<Operation, Error> {
        self.start(assignment, OperationKind::Delete, None).await
    }

    /// Starts to create or delete an assignment, with these retries instead of those of the connection.
    async fn start(
        &self,
        assignment: &Assignment,
        kind: OperationKind,
        retries: Option<RetryConfig>,
    ) -> Result<Operation, Error> {
        let mut config = aws_sdk_ssoadmin::Config::builder();
        config.set_retry_config(retries);
        match kind {
            OperationKind::Create => {
                const OPERATION: &str = "CreateAccountAssignment";
                let call = self.client().create_account_assignment();
                let call = call_for!(assignment, self.center, call);
                let call = call.customize().config_override(config).send();
                read_status!(
                    OPERATION,
                    call,
                    kind,
                    account_assignment_creation_status,
                    read_operation
                )
            }
            OperationKind::Delete => {
                const OPERATION: &str = "DeleteAccountAssignment";
                let call = self.client().delete_account_assignment();
                let call = call_for!(assignment, self.center, call);
                let call = call.customize().config_override(config).send();
                read_status!(
                    OPERATION,
                    call,
                    kind,
                    account_assignment_deletion_status,
                    read_operation
                )
            }
        }
    }

    /// Returns the status of an asynchronous write.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn status(&self, operation: &Operation) -> Result<OperationStatus, Error> {
        self.describe(operation, read_result).await
    }

    /// Returns the assignment of an asynchronous write; `None` if AWS does not tell it whole.
    async fn target(&self, operation: &Operation) -> Result<Option<Assignment>, Error> {
        self.describe(operation, read_target).await
    }

    async fn describe<T>(
        &self,
        operation: &Operation,
        read: fn(&'static str, OperationKind, AccountAssignmentOperationStatus) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (client, instance, id) = (self.client(), self.center.instance(), operation.id.as_str());
        let kind = operation.kind;
        match kind {
            OperationKind::Create => {
                const OPERATION: &str = "DescribeAccountAssignmentCreationStatus";
                let call = client.describe_account_assignment_creation_status();
                let call = call.account_assignment_creation_request_id(id);
                let call = call.instance_arn(instance).send();
                read_status!(
                    OPERATION,
                    call,
                    kind,
                    account_assignment_creation_status,
                    read
                )
            }
            OperationKind::Delete => {
                const OPERATION: &str = "DescribeAccountAssignmentDeletionStatus";
                let call = client.describe_account_assignment_deletion_status();
                let call = call.account_assignment_deletion_request_id(id);
                let call = call.instance_arn(instance).send();
                read_status!(
                    OPERATION,
                    call,
                    kind,
                    account_assignment_deletion_status,
                    read
                )
            }
        }
    }

    /// Lists the writes of a kind that are in progress, including the writes of other callers.
    ///
    /// The client sends one call for many writes, instead of one status call for each write. A write
    /// that is no longer in the list has succeeded or failed.
    pub fn in_progress(&self, kind: OperationKind) -> Pager<Operation, Error> {
        self.with_status(kind, StatusValues::InProgress)
    }

    /// Lists the writes of a kind that have failed, up to a number of pages.
    async fn failed(self, kind: OperationKind) -> Result<FailedList<RequestId>, Error> {
        let mut list = self.with_status(kind, StatusValues::Failed);
        let mut ids = Vec::new();
        while let Some(operation) = list.try_next().await? {
            if ids.len() == MAX_FAILED {
                let complete = false;
                return Ok(FailedList { ids, complete });
            }
            ids.push(operation.id);
        }
        let complete = true;
        Ok(FailedList { ids, complete })
    }

    fn with_status(self, kind: OperationKind, status: StatusValues) -> Pager<Operation, Error> {
        let (client, instance) = (self.client(), self.center.instance());
        let filter = OperationStatusFilter::builder().status(status).build();
        match kind {
            OperationKind::Create => {
                let call = client
                    .list_account_assignment_creation_status()
                    .instance_arn(instance)
                    .filter(filter)
                    .max_results(PAGE_SIZE);
                SERVICE.list(
                    CREATIONS,
                    move |token| call.clone().set_next_token(token).send(),
                    |response| {
                        let rows = response.account_assignments_creation_status;
                        (rows.unwrap_or_default(), response.next_token)
                    },
                    move |row| read_operation_id(CREATIONS, kind, row.request_id),
                )
            }
            OperationKind::Delete => {
                let call = client
                    .list_account_assignment_deletion_status()
                    .instance_arn(instance)
                    .filter(filter)
                    .max_results(PAGE_SIZE);
                SERVICE.list(
                    DELETIONS,
                    move |token| call.clone().set_next_token(token).send(),
                    |response| {
                        let rows = response.account_assignments_deletion_status;
                        (rows.unwrap_or_default(), response.next_token)
                    },
                    move |row| read_operation_id(DELETIONS, kind, row.request_id),
                )
            }
        }
    }

    fn client(self) -> &'a aws_sdk_ssoadmin::Client {
        self.center.client()
    }
}

impl OperationKind {
    /// Returns the field of a response that contains the status.
    fn field(self) -> &'static str {
        match self {
            Self::Create => "AccountAssignmentCreationStatus",
            Self::Delete => "AccountAssignmentDeletionStatus",
        }
    }
}

impl Principal {
    fn kind(&self) -> PrincipalType {
        match self {
            Self::User(_) => PrincipalType::User,
            Self::Group(_) => PrincipalType::Group,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Group(id) => id.as_str(),
        }
    }
}

fn read_principal(
    operation: &'static str,
    kind: Option<PrincipalType>,
    id: Option<String>,
) -> Result<Principal, Error> {
    match kind {
        Some(PrincipalType::User) => {
            Ok(Principal::User(SERVICE.id(operation, "PrincipalId", id)?))
        }
        Some(PrincipalType::Group) => Ok(Principal::Group(SERVICE.id(
            operation,
            "PrincipalId",
            id,
        )?)),
        other => {
            let text = other.as_ref().map_or("missing", PrincipalType::as_str);
            let problem = format!("the response's PrincipalType is {text}");
            Err(Error::invalid_response(SERVICE, operation, problem))
        }
    }
}

fn read_operation(
    operation: &'static str,
    kind: OperationKind,
    status: AccountAssignmentOperationStatus,
) -> Result<Operation, Error> {
    read_operation_id(operation, kind, status.request_id)
}

fn read_result(
    operation: &'static str,
    _: OperationKind,
    status: AccountAssignmentOperationStatus,
) -> Result<OperationStatus, Error> {
    OperationStatus::read(operation, status.status.as_ref(), status.failure_reason)
}

fn read_operation_id(
    operation: &'static str,
    kind: OperationKind,
    id: Option<String>,
) -> Result<Operation, Error> {
    let id = SERVICE.id(operation, "RequestId", id)?;
    Ok(Operation { kind, id })
}

fn read_target(
    operation: &'static str,
    _: OperationKind,
    status: AccountAssignmentOperationStatus,
) -> Result<Option<Assignment>, Error> {
    if status.target_type != Some(TargetType::AwsAccount) {
        return Ok(None);
    }
    Ok(Some(Assignment {
        account: SERVICE.id(operation, "TargetId", status.target_id)?,
        permission_set: SERVICE.id(operation, "PermissionSetArn", status.permission_set_arn)?,
        principal: read_principal(operation, status.principal_type, status.principal_id)?,
    }))
}

const SERVICE: Service = Service::SsoAdmin;
/// Number of failed writes that are read: 3 pages. An instance that has more has a long history.
const MAX_FAILED: usize = 300;
const CREATIONS: &str = "ListAccountAssignmentCreationStatus";
const DELETIONS: &str = "ListAccountAssignmentDeletionStatus";

#[cfg(test)]
mod tests;
