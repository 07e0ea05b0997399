//! The changes that the asynchronous operations make when they end.

use jiff::Timestamp;

use super::{Kind, Operation};
use crate::aws::center::permission_set::check_access;
use crate::aws::center::{Assignment, Center, Principal, SetIx};
use crate::aws::organizations::{AccountIx, Organization};
use crate::operations::OperationFault;

impl Center {
    /// Makes the change of an operation.
    ///
    /// # Errors
    ///
    /// Returns the value of `FailureReason`.
    pub(super) fn carry_out(
        &mut self,
        organization: &Organization,
        operation: &Operation,
    ) -> Result<(), String> {
        match (&operation.failure, operation.foreign) {
            (Some(reason), _) => Err(reason.clone()),
            (None, true) => Ok(()),
            (None, false) => match operation.kind {
                Kind::Assign => self.assign(organization, operation),
                Kind::Unassign => self.unassign(organization, operation),
                Kind::Provision => self.provision(organization, operation),
            },
        }
    }

    fn assign(&mut self, organization: &Organization, operation: &Operation) -> Result<(), String> {
        let (account, set, principal) = self.target(organization, operation)?;
        self.require_principal(&principal)?;
        if self.access.role(set, account).is_none() {
            self.provision_in(organization, operation, set, account)?;
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
        if operation.account_was_active {
            check_access(organization.account_at(account))?;
        }
        let principal = self.access.intern(&principal);
        let row = Assignment {
            account,
            set,
            principal,
        };
        let is_last = self
            .access
            .of_pair(account, set, 0)
            .all(|(_, each)| each == row);
        if is_last {
            self.check_role_rights(organization, operation, set, account)?;
        }
        self.access.remove(row);
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
            Err(OperationFault::PRINCIPAL_NOT_FOUND.replace("{principal}", principal.kind))
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
            ended = ended.and(self.provision_in(organization, operation, set, account));
        }
        ended
    }

    /// Provisions the part of the accounts of an operation that the elapsed part of its duration has. UNVERIFIED: the accounts
    /// of a long operation get the new version one by one.
    pub(super) fn provision_in_part(
        &mut self,
        organization: &Organization,
        index: usize,
        now: Timestamp,
    ) {
        let operation = self.operations[index].clone();
        let is_partial = operation.kind == Kind::Provision
            && operation.account.is_none()
            && operation.failure.is_none()
            && !operation.foreign
            && operation.due != Timestamp::MAX;
        let Some(set) = self
            .sets
            .ix(&operation.permission_set)
            .filter(|_| is_partial)
        else {
            return;
        };
        let accounts: Vec<_> = self.access.accounts_of(set, AccountIx::default()).collect();
        let millis = |end: Timestamp| end.duration_since(operation.created).as_millis();
        let whole = millis(operation.due).max(1);
        let version = self.sets.at(set).version;
        for (number, (account, role)) in (1..).zip(&accounts) {
            let is_done = number * whole <= millis(now) * accounts.len() as i128;
            if is_done && role.version != version {
                // The operation ends as failed if an account cannot be provisioned.
                let _failed = self.provision_in(organization, &operation, set, *account);
            }
        }
    }

    fn provision_in(
        &mut self,
        organization: &Organization,
        operation: &Operation,
        set: SetIx,
        account: AccountIx,
    ) -> Result<(), String> {
        self.sets
            .at(set)
            .check_role_in(organization.account_at(account))?;
        self.check_role_rights(organization, operation, set, account)?;
        let version = self.sets.at_mut(set).record_provisioning();
        self.access.provision(set, account, version);
        Ok(())
    }
}

/// Returns the reason of an operation whose permission set was deleted after its start.
fn permission_set_not_found() -> String {
    "Received a 404 status error: PermissionSet not found.".to_owned()
}
