//! Asynchronous operations: each starts as `IN_PROGRESS` and ends as `SUCCEEDED` or `FAILED`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Assignment, Center, Principal};
use crate::aws::organizations::Organization;
use crate::aws::reply::{Refusal, epoch};

/// An asynchronous operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The position in creation order.
    pub(crate) position: u64,
    /// The kind of change.
    pub(crate) kind: Kind,
    /// The id for requests of the operation's status.
    pub(crate) request_id: String,
    /// The start time.
    pub(crate) created: Timestamp,
    /// The current status.
    pub(crate) status: Status,
    /// The account; `None` provisions every account that already has a role of the permission set.
    pub(crate) account: Option<String>,
    /// The ARN of the permission set.
    pub(crate) permission_set: String,
    /// The principal of the assignment; `None` for provisioning.
    pub(crate) principal: Option<Principal>,
    due: Timestamp,
}

/// The kind of change that an operation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Creates an assignment and provisions the permission set.
    Assign,
    /// Deletes an assignment, and the role if no other assignment uses it.
    Unassign,
    /// Updates roles to the current version of the permission set.
    Provision,
}

/// The status of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The operation has not ended.
    InProgress,
    /// The operation succeeded.
    Succeeded,
    /// The operation failed.
    Failed {
        /// The value of `FailureReason`.
        reason: String,
    },
}

/// "`CreateAccountAssignment`: 15 outstanding async calls" (Identity Center quotas).
const MAX_OUTSTANDING: usize = 15;

/// "`ProvisionPermissionSet`: 3 concurrent calls" (Identity Center quotas).
const MAX_PROVISIONING: usize = 3;

impl Status {
    /// Returns the status as the API spells it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed { .. } => "FAILED",
        }
    }
}

impl Operation {
    /// Returns the status of an assignment operation in the format of the API.
    pub(crate) fn assignment_json(&self) -> Value {
        let mut json = json!({
            "Status": self.status.name(),
            "RequestId": self.request_id,
            "TargetId": self.account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": self.permission_set,
            "PrincipalType": self.principal.as_ref().map(|principal| principal.kind),
            "PrincipalId": self.principal.as_ref().map(|principal| &principal.id),
            "CreatedDate": epoch(self.created),
        });
        self.add_reason(&mut json);
        json
    }

    /// Returns the status of a provisioning operation in the format of the API.
    pub(crate) fn provisioning_json(&self) -> Value {
        let mut json = json!({
            "Status": self.status.name(),
            "RequestId": self.request_id,
            "PermissionSetArn": self.permission_set,
            "CreatedDate": epoch(self.created),
        });
        if let Some(account) = &self.account {
            json["AccountId"] = account.as_str().into();
        }
        self.add_reason(&mut json);
        json
    }

    /// Returns the short form that lists contain, without target and reason.
    pub(crate) fn summary_json(&self) -> Value {
        json!({
            "Status": self.status.name(),
            "RequestId": self.request_id,
            "CreatedDate": epoch(self.created),
        })
    }

    fn add_reason(&self, json: &mut Value) {
        if let Status::Failed { reason } = &self.status {
            json["FailureReason"] = reason.as_str().into();
        }
    }
}

impl Center {
    /// Returns the operation of this kind with a request id.
    pub(crate) fn operation(&self, kind: Kind, request_id: &str) -> Option<&Operation> {
        let index = self.by_request.get(request_id)?;
        self.operations
            .get(*index)
            .filter(|operation| operation.kind == kind)
    }

    /// Returns the operations of a kind, oldest first.
    pub(crate) fn operations(&self, kind: Kind) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(move |operation| operation.kind == kind)
    }

    /// Starts an operation.
    ///
    /// # Errors
    ///
    /// Returns `ThrottlingException` if too many operations are in progress, and `ConflictException` if a
    /// conflicting operation is in progress.
    pub(crate) fn start(
        &mut self,
        kind: Kind,
        account: Option<String>,
        permission_set: &str,
        principal: Option<Principal>,
        when: (Timestamp, Duration),
    ) -> Result<&Operation, Refusal> {
        self.admit(kind, account.as_deref(), permission_set, principal.as_ref())?;
        let (now, delay) = when;
        let name = format!("{kind:?}/{account:?}/{permission_set}/{principal:?}");
        let request_id = self.ids.uuid("operation", &name);
        let index = self.operations.len();
        self.by_request.insert(request_id.clone(), index);
        self.outstanding.push(index);
        let position = self.next_position();
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        self.operations.push(Operation {
            position,
            kind,
            request_id,
            created: now,
            status: Status::InProgress,
            account,
            permission_set: permission_set.to_owned(),
            principal,
            due: crate::aws::later(now, delay),
        });
        Ok(&self.operations[index])
    }

    /// Completes the operations that are due.
    pub(crate) fn complete_due_operations(&mut self, organization: &Organization, now: Timestamp) {
        let (due, outstanding): (Vec<usize>, Vec<usize>) = std::mem::take(&mut self.outstanding)
            .into_iter()
            .partition(|index| self.operations[*index].due <= now);
        self.outstanding = outstanding;
        for index in due {
            let operation = self.operations[index].clone();
            let ended = match operation.kind {
                Kind::Assign => self.assign(organization, &operation),
                Kind::Unassign => {
                    self.unassign(&operation);
                    Ok(())
                }
                Kind::Provision => self.provision(organization, &operation),
            };
            self.operations[index].status = match ended {
                Ok(()) => Status::Succeeded,
                Err(reason) => Status::Failed { reason },
            };
        }
    }

    fn admit(
        &self,
        kind: Kind,
        account: Option<&str>,
        permission_set: &str,
        principal: Option<&Principal>,
    ) -> Result<(), Refusal> {
        let in_progress = || {
            self.outstanding
                .iter()
                .map(|index| &self.operations[*index])
        };
        let provisioning = |operation: &&Operation| {
            (operation.kind == Kind::Provision) == (kind == Kind::Provision)
        };
        let limit = if kind == Kind::Provision {
            MAX_PROVISIONING
        } else {
            MAX_OUTSTANDING
        };
        if in_progress().filter(provisioning).count() >= limit {
            return Err(Refusal::new(
                "ThrottlingException",
                "There are too many requests processing. Please try again later.",
            ));
        }
        let collides = in_progress().any(|operation| {
            operation.permission_set == permission_set
                && match kind {
                    Kind::Provision => operation.kind == Kind::Provision,
                    _ => {
                        operation.kind != kind
                            && operation.account.as_deref() == account
                            && operation.principal.as_ref() == principal
                    }
                }
        });
        if collides {
            return Err(Refusal::conflict(
                "A conflicting operation is in progress. Please try again later.",
            ));
        }
        Ok(())
    }

    fn assign(&mut self, organization: &Organization, operation: &Operation) -> Result<(), String> {
        let (Some(account), Some(principal)) = (&operation.account, &operation.principal) else {
            return Ok(());
        };
        let exists = match principal.kind {
            "USER" => self.directory.user(&principal.id).is_some(),
            _ => self.directory.group(&principal.id).is_some(),
        };
        if !exists {
            return Err(format!(
                "Received a 404 status error: {} not found.",
                principal.kind
            ));
        }
        if self.role(account, &operation.permission_set).is_none() {
            self.provision_in(organization, &operation.permission_set, account)?;
        } else if organization
            .account(account)
            .is_none_or(|account| account.state != "ACTIVE")
        {
            let set = self
                .permission_set(&operation.permission_set)
                .ok_or_else(permission_set_not_found)?;
            set.role_in(organization, account)?;
        }
        if !self.is_assigned(account, &operation.permission_set, principal) {
            let position = self.next_position();
            self.assignments.push(Assignment {
                position,
                account: account.clone(),
                permission_set: operation.permission_set.clone(),
                principal: principal.clone(),
            });
        }
        Ok(())
    }

    fn unassign(&mut self, operation: &Operation) {
        let (Some(account), Some(principal)) = (&operation.account, &operation.principal) else {
            return;
        };
        self.assignments.retain(|assignment| {
            assignment.account != *account
                || assignment.permission_set != operation.permission_set
                || assignment.principal != *principal
        });
        self.deprovision_unused(account, &operation.permission_set);
    }

    fn provision(
        &mut self,
        organization: &Organization,
        operation: &Operation,
    ) -> Result<(), String> {
        let accounts = match &operation.account {
            Some(account) => vec![account.clone()],
            None => self
                .roles
                .iter()
                .filter(|role| role.permission_set == operation.permission_set)
                .map(|role| role.account.clone())
                .collect(),
        };
        for account in accounts {
            self.provision_in(organization, &operation.permission_set, &account)?;
        }
        Ok(())
    }

    fn provision_in(
        &mut self,
        organization: &Organization,
        permission_set: &str,
        account: &str,
    ) -> Result<(), String> {
        let set = self
            .permission_set(permission_set)
            .ok_or_else(permission_set_not_found)?;
        let mut role = set.role_in(organization, account)?;
        let known = self
            .roles
            .iter_mut()
            .find(|known| known.account == account && known.permission_set == permission_set);
        if let Some(known) = known {
            role.position = known.position;
            *known = role;
        } else {
            role.position = self.next_position();
            self.roles.push(role);
        }
        Ok(())
    }
}

fn permission_set_not_found() -> String {
    "Received a 404 status error: PermissionSet not found.".to_owned()
}
