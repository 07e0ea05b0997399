//! Operations that take time: they start as `IN_PROGRESS` and end as `SUCCEEDED` or `FAILED`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Assignment, Center, Principal};
use crate::aws::organizations::Organization;
use crate::aws::reply::{Refusal, epoch};

/// An asynchronous operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Its place among the operations.
    pub(crate) place: u64,
    /// What is done.
    pub(crate) kind: Kind,
    /// The id by which its status is asked for.
    pub(crate) request_id: String,
    /// When it was started.
    pub(crate) created: Timestamp,
    /// How far it is.
    pub(crate) status: Status,
    /// The account; `None` for all accounts that a permission set is provisioned to.
    pub(crate) account: Option<String>,
    /// The ARN of the permission set.
    pub(crate) permission_set: String,
    /// Whose assignment it is.
    pub(crate) principal: Option<Principal>,
    due: Timestamp,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Creates an assignment and provisions the permission set.
    Assign,
    /// Deletes an assignment, and the role if nobody else is assigned.
    Unassign,
    /// Makes roles what the permission set is now.
    Provision,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has not ended.
    InProgress,
    /// It ended well.
    Succeeded,
    /// It ended without effect.
    Failed {
        /// Why, as `FailureReason`.
        reason: String,
    },
}

/// "`CreateAccountAssignment`: 15 outstanding async calls" (Identity Center quotas).
const OUTSTANDING: usize = 15;

/// "`ProvisionPermissionSet`: 3 concurrent calls" (Identity Center quotas).
const PROVISIONING: usize = 3;

impl Status {
    /// The status as the API writes it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed { .. } => "FAILED",
        }
    }
}

impl Operation {
    /// The status of an assignment operation as the API shows it.
    pub(crate) fn assignment_json(&self) -> Value {
        let mut shown = json!({
            "Status": self.status.name(),
            "RequestId": self.request_id,
            "TargetId": self.account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": self.permission_set,
            "PrincipalType": self.principal.as_ref().map(|principal| principal.kind),
            "PrincipalId": self.principal.as_ref().map(|principal| &principal.id),
            "CreatedDate": epoch(self.created),
        });
        self.add_reason(&mut shown);
        shown
    }

    /// The status of a provisioning operation as the API shows it.
    pub(crate) fn provisioning_json(&self) -> Value {
        let mut shown = json!({
            "Status": self.status.name(),
            "RequestId": self.request_id,
            "PermissionSetArn": self.permission_set,
            "CreatedDate": epoch(self.created),
        });
        if let Some(account) = &self.account {
            shown["AccountId"] = account.as_str().into();
        }
        self.add_reason(&mut shown);
        shown
    }

    /// The little that lists show: no target and no reason.
    pub(crate) fn summary_json(&self) -> Value {
        json!({
            "Status": self.status.name(),
            "RequestId": self.request_id,
            "CreatedDate": epoch(self.created),
        })
    }

    fn add_reason(&self, shown: &mut Value) {
        if let Status::Failed { reason } = &self.status {
            shown["FailureReason"] = reason.as_str().into();
        }
    }
}

impl Center {
    /// The operation with a request id.
    pub(crate) fn operation(&self, kind: Kind, request_id: &str) -> Option<&Operation> {
        let index = self.by_request.get(request_id)?;
        self.operations
            .get(*index)
            .filter(|operation| operation.kind == kind)
    }

    /// The operations of a kind, oldest first.
    pub(crate) fn operations(&self, kind: Kind) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(move |operation| operation.kind == kind)
    }

    /// Starts an operation.
    ///
    /// # Errors
    ///
    /// `ThrottlingException` if too many are under way, `ConflictException` if one that collides is.
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
        let place = self.next_place();
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        self.operations.push(Operation {
            place,
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

    /// Ends the operations that are due.
    pub(crate) fn settle(&mut self, organization: &Organization, now: Timestamp) {
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
        let under_way = || {
            self.outstanding
                .iter()
                .map(|index| &self.operations[*index])
        };
        let provisioning = |operation: &&Operation| {
            (operation.kind == Kind::Provision) == (kind == Kind::Provision)
        };
        let limit = if kind == Kind::Provision {
            PROVISIONING
        } else {
            OUTSTANDING
        };
        if under_way().filter(provisioning).count() >= limit {
            return Err(Refusal::new(
                "ThrottlingException",
                "There are too many requests processing. Please try again later.",
            ));
        }
        let collides = under_way().any(|operation| {
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
                .ok_or_else(gone)?;
            set.role_in(organization, account)?;
        }
        if !self.is_assigned(account, &operation.permission_set, principal) {
            let place = self.next_place();
            self.assignments.push(Assignment {
                place,
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
        let set = self.permission_set(permission_set).ok_or_else(gone)?;
        let mut role = set.role_in(organization, account)?;
        let known = self
            .roles
            .iter_mut()
            .find(|known| known.account == account && known.permission_set == permission_set);
        if let Some(known) = known {
            role.place = known.place;
            *known = role;
        } else {
            role.place = self.next_place();
            self.roles.push(role);
        }
        Ok(())
    }
}

fn gone() -> String {
    "Received a 404 status error: PermissionSet not found.".to_owned()
}
