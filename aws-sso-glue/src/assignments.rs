//! Account assignments: a principal, a permission set and an account.

use aws_sdk_ssoadmin::types::{
    AccountAssignmentOperationStatus, OperationStatusFilter, PrincipalType, StatusValues,
    TargetType,
};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Error, GroupId, IdentityCenter, OperationStatus, PermissionSetArn, RequestId,
    UserId,
    instances::PAGE_SIZE,
    paging::{self, Page},
    service::Service,
};

/// Calls for account assignments.
///
/// AWS carries out the writes asynchronously, 10 to 15 at a time (the number differs between
/// versions of AWS's quotas page). Start at most 10 writes, then read their
/// [`status`](Self::status) until some writes are done.
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
pub enum OperationKind {
    /// Creates an assignment.
    Create,
    /// Deletes an assignment.
    Delete,
}

impl<'a> Assignments<'a> {
    pub(crate) fn new(center: &'a IdentityCenter) -> Self {
        Self { center }
    }

    /// Returns the principals that have `permission_set` in `account`.
    ///
    /// The list may contain principals that were deleted.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn list(
        &self,
        account: &AccountId,
        permission_set: &PermissionSetArn,
    ) -> Result<Vec<Principal>, Error> {
        const OPERATION: &str = "ListAccountAssignments";
        paging::collect_pages(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignments()
                .instance_arn(self.instance())
                .account_id(account.as_str())
                .permission_set_arn(permission_set.as_str())
                .max_results(PAGE_SIZE)
                .set_next_token(token)
                .send();
            let response = SERVICE.call(OPERATION, call).await?;
            let rows = response.account_assignments.unwrap_or_default().into_iter();
            let items =
                rows.map(|row| read_principal(OPERATION, row.principal_type, row.principal_id));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: response.next_token,
            })
        })
        .await
    }

    /// Returns the assignments of a principal in all accounts.
    ///
    /// This call is the fastest way to read the assignments of a whole company. Only the management
    /// account may make this call. For a user, AWS returns all the user's access, which may include
    /// assignments of the user's groups. Each assignment contains the principal that has it.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn for_principal(&self, principal: &Principal) -> Result<Vec<Assignment>, Error> {
        const OPERATION: &str = "ListAccountAssignmentsForPrincipal";
        paging::collect_pages(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignments_for_principal()
                .instance_arn(self.instance())
                .principal_type(principal.kind())
                .principal_id(principal.id())
                .max_results(PAGE_SIZE)
                .set_next_token(token)
                .send();
            let response = SERVICE.call(OPERATION, call).await?;
            let rows = response.account_assignments.unwrap_or_default().into_iter();
            let items = rows.map(|row| {
                Ok(Assignment {
                    account: SERVICE.id(OPERATION, "AccountId", row.account_id)?,
                    permission_set: SERVICE.id(
                        OPERATION,
                        "PermissionSetArn",
                        row.permission_set_arn,
                    )?,
                    principal: read_principal(OPERATION, row.principal_type, row.principal_id)?,
                })
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: response.next_token,
            })
        })
        .await
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
        const OPERATION: &str = "CreateAccountAssignment";
        let call = self
            .client()
            .create_account_assignment()
            .instance_arn(self.instance())
            .target_type(TargetType::AwsAccount)
            .target_id(assignment.account.as_str())
            .permission_set_arn(assignment.permission_set.as_str())
            .principal_type(assignment.principal.kind())
            .principal_id(assignment.principal.id())
            .send();
        let response = SERVICE.call(OPERATION, call).await?;
        let status = SERVICE.require_field(
            OPERATION,
            CREATION,
            response.account_assignment_creation_status,
        )?;
        let id = SERVICE.id(OPERATION, "RequestId", status.request_id)?;
        Ok(Operation {
            kind: OperationKind::Create,
            id,
        })
    }

    /// Starts to delete an assignment.
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the assignment does not exist. AWS may
    /// instead report the missing assignment later, as a failed status.
    pub async fn start_delete(&self, assignment: &Assignment) -> Result<Operation, Error> {
        const OPERATION: &str = "DeleteAccountAssignment";
        let call = self
            .client()
            .delete_account_assignment()
            .instance_arn(self.instance())
            .target_type(TargetType::AwsAccount)
            .target_id(assignment.account.as_str())
            .permission_set_arn(assignment.permission_set.as_str())
            .principal_type(assignment.principal.kind())
            .principal_id(assignment.principal.id())
            .send();
        let response = SERVICE.call(OPERATION, call).await?;
        let status = SERVICE.require_field(
            OPERATION,
            DELETION,
            response.account_assignment_deletion_status,
        )?;
        let id = SERVICE.id(OPERATION, "RequestId", status.request_id)?;
        Ok(Operation {
            kind: OperationKind::Delete,
            id,
        })
    }

    /// Returns the status of an asynchronous write.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn status(&self, operation: &Operation) -> Result<OperationStatus, Error> {
        match operation.kind {
            OperationKind::Create => {
                const OPERATION: &str = "DescribeAccountAssignmentCreationStatus";
                let call = self
                    .client()
                    .describe_account_assignment_creation_status()
                    .instance_arn(self.instance())
                    .account_assignment_creation_request_id(operation.id.as_str())
                    .send();
                let response = SERVICE.call(OPERATION, call).await?;
                read_status(
                    OPERATION,
                    CREATION,
                    response.account_assignment_creation_status,
                )
            }
            OperationKind::Delete => {
                const OPERATION: &str = "DescribeAccountAssignmentDeletionStatus";
                let call = self
                    .client()
                    .describe_account_assignment_deletion_status()
                    .instance_arn(self.instance())
                    .account_assignment_deletion_request_id(operation.id.as_str())
                    .send();
                let response = SERVICE.call(OPERATION, call).await?;
                read_status(
                    OPERATION,
                    DELETION,
                    response.account_assignment_deletion_status,
                )
            }
        }
    }

    /// Returns the writes that are in progress, including the writes of other callers.
    ///
    /// The client sends two calls, instead of one status call for each write. A write that is no longer in
    /// the list has succeeded or failed.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn in_progress(&self) -> Result<Vec<Operation>, Error> {
        let mut operations = self.creations_in_progress().await?;
        operations.extend(self.deletions_in_progress().await?);
        Ok(operations)
    }

    async fn creations_in_progress(&self) -> Result<Vec<Operation>, Error> {
        const OPERATION: &str = "ListAccountAssignmentCreationStatus";
        paging::collect_pages(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignment_creation_status()
                .instance_arn(self.instance())
                .filter(in_progress())
                .max_results(PAGE_SIZE)
                .set_next_token(token)
                .send();
            let response = SERVICE.call(OPERATION, call).await?;
            let rows = response
                .account_assignments_creation_status
                .unwrap_or_default()
                .into_iter();
            let items = rows.map(|row| {
                let id = SERVICE.id(OPERATION, "RequestId", row.request_id)?;
                Ok(Operation {
                    kind: OperationKind::Create,
                    id,
                })
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: response.next_token,
            })
        })
        .await
    }

    async fn deletions_in_progress(&self) -> Result<Vec<Operation>, Error> {
        const OPERATION: &str = "ListAccountAssignmentDeletionStatus";
        paging::collect_pages(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignment_deletion_status()
                .instance_arn(self.instance())
                .filter(in_progress())
                .max_results(PAGE_SIZE)
                .set_next_token(token)
                .send();
            let response = SERVICE.call(OPERATION, call).await?;
            let rows = response
                .account_assignments_deletion_status
                .unwrap_or_default()
                .into_iter();
            let items = rows.map(|row| {
                let id = SERVICE.id(OPERATION, "RequestId", row.request_id)?;
                Ok(Operation {
                    kind: OperationKind::Delete,
                    id,
                })
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: response.next_token,
            })
        })
        .await
    }

    fn client(self) -> &'a aws_sdk_ssoadmin::Client {
        self.center.client()
    }

    fn instance(self) -> &'a str {
        self.center.instance()
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

fn read_status(
    operation: &'static str,
    field: &'static str,
    status: Option<AccountAssignmentOperationStatus>,
) -> Result<OperationStatus, Error> {
    let status = SERVICE.require_field(operation, field, status)?;
    OperationStatus::read(operation, status.status.as_ref(), status.failure_reason)
}

fn in_progress() -> OperationStatusFilter {
    OperationStatusFilter::builder()
        .status(StatusValues::InProgress)
        .build()
}

const SERVICE: Service = Service::SsoAdmin;
const CREATION: &str = "AccountAssignmentCreationStatus";
const DELETION: &str = "AccountAssignmentDeletionStatus";

#[cfg(test)]
mod tests;
