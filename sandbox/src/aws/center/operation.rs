//! Asynchronous operations: each starts as `IN_PROGRESS` and ends as `SUCCEEDED` or `FAILED`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Assignment, Center, Principal, SetIx};
use crate::aws::organizations::{AccountIx, Organization};
use crate::aws::reply::{Refusal, epoch};

/// An asynchronous operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
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
            "PrincipalId": self.principal.as_ref().map(|principal| &*principal.id),
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

    /// Returns the operations of a kind, and of a status if there is one, from a position on, oldest first.
    pub(crate) fn operations(
        &self,
        kind: Kind,
        status: Option<&str>,
        from: u64,
    ) -> impl Iterator<Item = (u64, &Operation)> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        // Only few operations are in progress, and clients ask for them often.
        let (outstanding, all) = if status == Some(Status::InProgress.name()) {
            let first = self.outstanding.partition_point(|index| *index < from);
            (&self.outstanding[first..], 0..0)
        } else {
            (&[][..], from..self.operations.len())
        };
        outstanding
            .iter()
            .copied()
            .chain(all)
            .map(|index| (index as u64, &self.operations[index]))
            .filter(move |(_, operation)| {
                operation.kind == kind
                    && status.is_none_or(|status| operation.status.name() == status)
            })
    }

    /// Starts an operation.
    ///
    /// # Errors
    ///
    /// Returns `ThrottlingException` if too many operations are in progress, and `ConflictException` if a
    /// conflicting operation is in progress.
    pub(crate) fn start(
        &mut self,
        organization: &Organization,
        kind: Kind,
        account: Option<String>,
        permission_set: &str,
        principal: Option<Principal>,
        when: (Timestamp, Duration),
    ) -> Result<&Operation, Refusal> {
        self.admit(
            organization,
            kind,
            account.as_deref(),
            permission_set,
            principal.as_ref(),
        )?;
        let (now, delay) = when;
        let name = format!("{kind:?}/{account:?}/{permission_set}/{principal:?}");
        let request_id = self.ids.uuid("operation", &name);
        let index = self.operations.len();
        self.by_request.insert(request_id.clone(), index);
        self.outstanding.push(index);
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        self.operations.push(Operation {
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
                Kind::Unassign => self.unassign(organization, &operation),
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
        organization: &Organization,
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
            self.options.quotas.outstanding_provisionings
        } else {
            self.options.quotas.outstanding_assignments
        };
        if in_progress().filter(provisioning).count() >= limit {
            return Err(Refusal::new(
                "ThrottlingException",
                "There are too many requests processing. Please try again later.",
            ));
        }
        let collides = in_progress().any(|operation| {
            if operation.permission_set != permission_set {
                // "IAM roles (permission sets) per account updated at a time: 1" (Identity Center quotas).
                return account
                    .is_some_and(|account| self.updates_role_in(organization, operation, account));
            }
            match kind {
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

    /// Returns whether an operation updates the role of its permission set in an account.
    fn updates_role_in(
        &self,
        organization: &Organization,
        operation: &Operation,
        account: &str,
    ) -> bool {
        match &operation.account {
            Some(updated) => updated == account,
            None => organization
                .account_ix(account)
                .zip(self.sets.ix(&operation.permission_set))
                .is_some_and(|(account, set)| self.access.role(set, account).is_some()),
        }
    }

    fn assign(&mut self, organization: &Organization, operation: &Operation) -> Result<(), String> {
        let (account, set, principal) = self.target(organization, operation)?;
        self.require_principal(&principal)?;
        if self.access.role(set, account).is_none() {
            self.provision_in(organization, set, account)?;
        } else {
            self.sets
                .at(set)
                .check_role_in(organization.account_at(account))?;
        }
        let principal = self.access.intern(&principal);
        self.access.insert(Assignment {
            account,
            set,
            principal,
        });
        Ok(())
    }

    fn unassign(
        &mut self,
        organization: &Organization,
        operation: &Operation,
    ) -> Result<(), String> {
        let (account, set, principal) = self.target(organization, operation)?;
        if self.options.orphan_deletion_fails {
            self.require_principal(&principal)?;
        }
        let principal = self.access.intern(&principal);
        self.access.remove(Assignment {
            account,
            set,
            principal,
        });
        Ok(())
    }

    /// Returns the account, the permission set and the principal of an assignment operation.
    fn target(
        &self,
        organization: &Organization,
        operation: &Operation,
    ) -> Result<(AccountIx, SetIx, Principal), String> {
        let account = operation.account.as_deref();
        account
            .and_then(|account| organization.account_ix(account))
            .zip(operation.principal.clone())
            .zip(self.sets.ix(&operation.permission_set))
            .map(|((account, principal), set)| (account, set, principal))
            .ok_or_else(permission_set_not_found)
    }

    fn require_principal(&self, principal: &Principal) -> Result<(), String> {
        let exists = match principal.kind {
            "USER" => self.directory.user(&principal.id).is_some(),
            _ => self.directory.group(&principal.id).is_some(),
        };
        if exists {
            Ok(())
        } else {
            Err(format!(
                "Received a 404 status error: {} not found.",
                principal.kind
            ))
        }
    }

    /// Provisions one account or all accounts with a role. An account that fails does not stop the others.
    fn provision(
        &mut self,
        organization: &Organization,
        operation: &Operation,
    ) -> Result<(), String> {
        let set = self
            .sets
            .ix(&operation.permission_set)
            .ok_or_else(permission_set_not_found)?;
        let accounts: Vec<AccountIx> = match &operation.account {
            Some(account) => organization.account_ix(account).into_iter().collect(),
            None => self
                .access
                .accounts_of(set, AccountIx::default())
                .map(|(account, _)| account)
                .collect(),
        };
        let mut ended = Ok(());
        for account in accounts {
            ended = ended.and(self.provision_in(organization, set, account));
        }
        ended
    }

    fn provision_in(
        &mut self,
        organization: &Organization,
        set: SetIx,
        account: AccountIx,
    ) -> Result<(), String> {
        self.sets
            .at(set)
            .check_role_in(organization.account_at(account))?;
        let version = self.sets.at_mut(set).record_provisioning();
        self.access.provision(set, account, version);
        Ok(())
    }
}

/// Returns the reason of an operation whose permission set was deleted after its start.
fn permission_set_not_found() -> String {
    "Received a 404 status error: PermissionSet not found.".to_owned()
}
