//! Asynchronous operations: each starts as `IN_PROGRESS` and ends as `SUCCEEDED` or `FAILED`.

mod admission;
mod effects;
mod role_rights;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Assignment, Center, Principal};
use crate::aws::authorization::LimitedCaller;
use crate::aws::later;
use crate::aws::organizations::Organization;
use crate::aws::reply::{Refusal, epoch};
use crate::clock::signed;
use crate::operations::{Effect, OperationControl, OperationTarget};

pub(crate) use crate::operations::OperationKind as Kind;

/// An asynchronous operation.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the facts about an operation do not depend on each other"
)]
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
    /// The end; [`Timestamp::MAX`] for an operation that is held.
    due: Timestamp,
    /// The reason with which a fault lets the operation fail.
    failure: Option<String>,
    /// The caller, if a policy limits its rights.
    caller: Option<LimitedCaller>,
    /// Whether another tool started the operation, which then changes nothing.
    pub(crate) foreign: bool,
    /// Whether the assignment existed at the start.
    pub(crate) existed: bool,
    /// Whether the account was active at the start.
    account_was_active: bool,
    /// Whether AWS no longer returns the operation.
    forgotten: bool,
}

/// An operation to start.
#[derive(Debug)]
pub(crate) struct NewOperation {
    pub(crate) kind: Kind,
    /// The account; `None` provisions every account that already has a role of the permission set.
    pub(crate) account: Option<String>,
    /// The ARN of the permission set.
    pub(crate) permission_set: String,
    /// The principal of the assignment; `None` for provisioning.
    pub(crate) principal: Option<Principal>,
    /// The caller, if a policy limits its rights.
    pub(crate) caller: Option<LimitedCaller>,
    pub(crate) now: Timestamp,
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
    fn new(new: NewOperation, request_id: String, duration: Duration) -> Self {
        Self {
            kind: new.kind,
            request_id,
            created: new.now,
            status: Status::InProgress,
            account: new.account,
            permission_set: new.permission_set,
            principal: new.principal,
            due: later(new.now, signed(duration)),
            failure: None,
            caller: new.caller,
            foreign: false,
            existed: false,
            account_was_active: false,
            forgotten: false,
        }
    }

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

    /// Returns the time of the end, if the operation has ended.
    pub(crate) fn ended(&self) -> Option<Timestamp> {
        (self.status != Status::InProgress).then_some(self.due)
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

    /// Returns the operations of a kind, and of a status if there is one, from a position on, oldest first. A list has an
    /// operation only after the delay of the settings.
    pub(crate) fn operations(
        &self,
        kind: Kind,
        status: Option<&str>,
        from: u64,
        now: Timestamp,
    ) -> impl Iterator<Item = (u64, &Operation)> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let delay = signed(self.options.operation_list_delay);
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
                    && !operation.forgotten
                    && later(operation.created, delay) <= now
                    && status.is_none_or(|status| operation.status.name() == status)
            })
    }

    /// Starts an operation.
    ///
    /// # Errors
    ///
    /// Returns `ThrottlingException` if too many operations are in progress, `ConflictException` if a
    /// conflicting operation is in progress, and the error of a fault that refuses the operation.
    pub(crate) fn start(
        &mut self,
        organization: &Organization,
        control: &mut OperationControl,
        new: NewOperation,
    ) -> Result<&Operation, Refusal> {
        let name = self.sets.ix(&new.permission_set);
        let name = name.map(|set| self.sets.at(set).name.clone());
        let target = OperationTarget {
            kind: new.kind,
            account: new.account.as_deref(),
            permission_set: (name.as_deref().unwrap_or_default(), &new.permission_set),
            principal: new.principal.as_ref().map(|principal| &*principal.id),
        };
        if let Some((code, message)) = control.take_refusal(&target) {
            return Err(Refusal::new(code, message));
        }
        self.admit(organization, &new)?;
        let request_id = self.request_id(&new);
        let (mut duration, effect) = control.start(&target, &request_id);
        let mut failure = None;
        match effect {
            Some(Effect::Hold) => duration = Duration::MAX,
            Some(Effect::Fail(reason)) => {
                let account = new.account.as_deref().unwrap_or_default();
                let kind = new
                    .principal
                    .as_ref()
                    .map_or("", |principal| principal.kind);
                let reason = reason.replace("{account}", account);
                failure = Some(reason.replace("{principal}", kind));
            }
            Some(Effect::Refuse(..)) | None => {}
        }
        let account = new.account.as_deref();
        let account_was_active = account
            .and_then(|account| organization.account(account))
            .is_some_and(|account| account.state == "ACTIVE");
        let existed = self.has_assignment(organization, &new);
        let operation = Operation {
            failure,
            existed,
            account_was_active,
            ..Operation::new(new, request_id, duration)
        };
        Ok(self.add_operation(operation))
    }

    /// Returns all operations that have started, oldest first, also those that AWS no longer returns.
    pub(crate) fn all_operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Returns whether the assignment of an operation exists.
    fn has_assignment(&self, organization: &Organization, new: &NewOperation) -> bool {
        let account = new.account.as_deref();
        let account = account.and_then(|account| organization.account_ix(account));
        let principal = new.principal.as_ref();
        let principal = principal.and_then(|principal| self.access.principal_ix(principal));
        let row = account
            .zip(self.sets.ix(&new.permission_set))
            .zip(principal);
        row.is_some_and(|((account, set), principal)| {
            self.access.contains(Assignment {
                account,
                set,
                principal,
            })
        })
    }

    /// Starts operations of another tool, which change nothing. The quotas do not limit them.
    pub(crate) fn start_foreign(&mut self, new: &NewOperation, count: usize, duration: Duration) {
        for _ in 0..count {
            let request_id = self.request_id(new);
            let principal = new.principal.is_some().then(|| Principal {
                kind: "GROUP",
                id: self.ids.uuid("foreign principal", "").into(),
            });
            let new = NewOperation {
                kind: new.kind,
                account: new.account.clone(),
                permission_set: new.permission_set.clone(),
                principal,
                caller: None,
                now: new.now,
            };
            self.add_operation(Operation {
                foreign: true,
                ..Operation::new(new, request_id, duration)
            });
        }
    }

    /// Lets the operations that are held end at a time.
    pub(crate) fn release_operations(&mut self, now: Timestamp) {
        for index in &self.outstanding {
            let operation = &mut self.operations[*index];
            if operation.due == Timestamp::MAX {
                operation.due = now;
            }
        }
    }

    /// Completes the operations that are due, in the order in which they end.
    pub(crate) fn complete_due_operations(&mut self, organization: &Organization, now: Timestamp) {
        let (mut due, outstanding): (Vec<usize>, Vec<usize>) =
            std::mem::take(&mut self.outstanding)
                .into_iter()
                .partition(|index| self.operations[*index].due <= now);
        self.outstanding = outstanding;
        for index in self.outstanding.clone() {
            self.provision_in_part(organization, index, now);
        }
        due.sort_by_key(|index| self.operations[*index].due);
        for index in due {
            let operation = self.operations[index].clone();
            let ended = self.carry_out(organization, &operation);
            self.operations[index].status = match ended {
                Ok(()) => Status::Succeeded,
                Err(reason) => Status::Failed { reason },
            };
            self.ended.push_back(index);
        }
        self.forget_operations(now);
    }

    /// Forgets the operations that ended longer ago than AWS keeps them.
    fn forget_operations(&mut self, now: Timestamp) {
        let Some(retention) = self.options.operation_retention else {
            return;
        };
        while let Some(index) = self.ended.front() {
            let operation = &mut self.operations[*index];
            if later(operation.due, signed(retention)) > now {
                break;
            }
            operation.forgotten = true;
            self.by_request.remove(&operation.request_id);
            self.ended.pop_front();
        }
    }

    fn request_id(&mut self, new: &NewOperation) -> String {
        let NewOperation {
            kind,
            account,
            permission_set,
            principal,
            ..
        } = new;
        let name = format!("{kind:?}/{account:?}/{permission_set}/{principal:?}");
        self.ids.uuid("operation", &name)
    }

    fn add_operation(&mut self, operation: Operation) -> &Operation {
        let index = self.operations.len();
        self.by_request.insert(operation.request_id.clone(), index);
        self.outstanding.push(index);
        self.operations.push(operation);
        &self.operations[index]
    }
}
