//! Assignments: who may use which permission set in which account.

use aws_sdk_ssoadmin::types::{
    AccountAssignmentOperationStatus, OperationStatusFilter, PrincipalType, StatusValues,
    TargetType,
};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Error, GroupId, IdentityCenter, OperationStatus, PermissionSetArn, RequestId,
    UserId,
    instances::PAGE,
    paging::{self, Page},
    service::Service,
};

/// The calls about assignments.
///
/// Writes are started here and carried out by AWS later. AWS carries out 10 to 15 at a time (the
/// number differs between editions of its quotas page): start no more than 10, then ask for their
/// [`status`](Self::status) until some are done.
#[derive(Debug, Clone, Copy)]
pub struct Assignments<'a> {
    center: &'a IdentityCenter,
}

/// A permission set that somebody may use in an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Assignment {
    /// The account.
    pub account: AccountId,
    /// What may be done there.
    pub permission_set: PermissionSetArn,
    /// Who may do it.
    pub principal: Principal,
}

/// Who something is assigned to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// One person.
    User(UserId),
    /// All members of a group.
    Group(GroupId),
}

/// A write that was started, to be asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Operation {
    /// Which write it is; AWS keeps the two apart.
    pub kind: OperationKind,
    /// Its id.
    pub id: RequestId,
}

/// What an [`Operation`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Makes an assignment.
    Create,
    /// Removes an assignment.
    Delete,
}

impl<'a> Assignments<'a> {
    pub(crate) fn new(center: &'a IdentityCenter) -> Self {
        Self { center }
    }

    /// Returns who may use `permission_set` in `account`.
    ///
    /// Principals that were deleted may be among them.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn list(
        &self,
        account: &AccountId,
        permission_set: &PermissionSetArn,
    ) -> Result<Vec<Principal>, Error> {
        const OPERATION: &str = "ListAccountAssignments";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignments()
                .instance_arn(self.instance())
                .account_id(account.as_str())
                .permission_set_arn(permission_set.as_str())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let rows = answer.account_assignments.unwrap_or_default().into_iter();
            let items = rows.map(|row| principal(OPERATION, row.principal_type, row.principal_id));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns what `principal` may use, in all accounts: the quick way to look at a whole company.
    ///
    /// For a user, AWS lists what the user has access to, which may include assignments of the
    /// user's groups; each row names the principal that it is of. It may be asked by the
    /// management account only.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn for_principal(&self, of: &Principal) -> Result<Vec<Assignment>, Error> {
        const OPERATION: &str = "ListAccountAssignmentsForPrincipal";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignments_for_principal()
                .instance_arn(self.instance())
                .principal_type(of.kind())
                .principal_id(of.id())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let rows = answer.account_assignments.unwrap_or_default().into_iter();
            let items = rows.map(|row| {
                Ok(Assignment {
                    account: SERVICE.id(OPERATION, "AccountId", row.account_id)?,
                    permission_set: SERVICE.id(
                        OPERATION,
                        "PermissionSetArn",
                        row.permission_set_arn,
                    )?,
                    principal: principal(OPERATION, row.principal_type, row.principal_id)?,
                })
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Starts to make an assignment, which provisions the permission set in the account too.
    ///
    /// Making one that exists is no error, and uses up one of the writes that AWS carries out at
    /// a time: list first.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
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
        let answer = SERVICE.call(OPERATION, call).await?;
        let status = SERVICE.require_field(
            OPERATION,
            CREATION,
            answer.account_assignment_creation_status,
        )?;
        let id = SERVICE.id(OPERATION, "RequestId", status.request_id)?;
        Ok(Operation {
            kind: OperationKind::Create,
            id,
        })
    }

    /// Starts to remove an assignment.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such assignment, which AWS may also
    /// say later, as a failed status.
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
        let answer = SERVICE.call(OPERATION, call).await?;
        let status = SERVICE.require_field(
            OPERATION,
            DELETION,
            answer.account_assignment_deletion_status,
        )?;
        let id = SERVICE.id(OPERATION, "RequestId", status.request_id)?;
        Ok(Operation {
            kind: OperationKind::Delete,
            id,
        })
    }

    /// Returns how far a write has come.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
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
                let answer = SERVICE.call(OPERATION, call).await?;
                status(
                    OPERATION,
                    CREATION,
                    answer.account_assignment_creation_status,
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
                let answer = SERVICE.call(OPERATION, call).await?;
                status(
                    OPERATION,
                    DELETION,
                    answer.account_assignment_deletion_status,
                )
            }
        }
    }

    /// Returns the writes that are still being carried out, whoever started them.
    ///
    /// Two calls instead of one for each write; one that is not listed any more is done or failed.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn in_progress(&self) -> Result<Vec<Operation>, Error> {
        let mut operations = self.creations_in_progress().await?;
        operations.extend(self.deletions_in_progress().await?);
        Ok(operations)
    }

    async fn creations_in_progress(&self) -> Result<Vec<Operation>, Error> {
        const OPERATION: &str = "ListAccountAssignmentCreationStatus";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignment_creation_status()
                .instance_arn(self.instance())
                .filter(in_progress())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let rows = answer
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
                next: answer.next_token,
            })
        })
        .await
    }

    async fn deletions_in_progress(&self) -> Result<Vec<Operation>, Error> {
        const OPERATION: &str = "ListAccountAssignmentDeletionStatus";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_account_assignment_deletion_status()
                .instance_arn(self.instance())
                .filter(in_progress())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let rows = answer
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
                next: answer.next_token,
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

fn principal(
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
            let text = other.as_ref().map_or("nothing", PrincipalType::as_str);
            let problem = format!("the answer's PrincipalType is {text}");
            Err(Error::unreadable(SERVICE, operation, problem))
        }
    }
}

fn status(
    operation: &'static str,
    member: &'static str,
    status: Option<AccountAssignmentOperationStatus>,
) -> Result<OperationStatus, Error> {
    let status = SERVICE.require_field(operation, member, status)?;
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
