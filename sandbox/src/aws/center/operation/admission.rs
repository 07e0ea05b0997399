//! The conditions under which an asynchronous operation can start.

use super::{Kind, NewOperation, Operation};
use crate::aws::center::Center;
use crate::aws::organizations::Organization;
use crate::aws::reply::Refusal;
use crate::operations::{CONFLICT, TOO_MANY_REQUESTS};

impl Center {
    /// Checks the quotas and the operations in progress.
    pub(super) fn admit(
        &self,
        organization: &Organization,
        new: &NewOperation,
    ) -> Result<(), Refusal> {
        let (kind, account) = (new.kind, new.account.as_deref());
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
            return Err(Refusal::new("ThrottlingException", TOO_MANY_REQUESTS));
        }
        let collides = in_progress().any(|operation| {
            // "IAM roles (permission sets) per account updated at a time: 1" (Identity Center quotas). UNVERIFIED: a
            // provisioning also conflicts with assignments of its own permission set, which can create or delete the role.
            let updates_role = || {
                account
                    .is_some_and(|account| self.updates_role_in(organization, operation, account))
            };
            if operation.permission_set != new.permission_set {
                return updates_role();
            }
            match (kind, operation.kind) {
                (Kind::Provision, Kind::Provision) => true,
                (Kind::Provision, _) | (_, Kind::Provision) => updates_role(),
                _ => {
                    operation.kind != kind
                        && operation.account.as_deref() == account
                        && operation.principal == new.principal
                }
            }
        });
        if collides {
            return Err(Refusal::conflict(CONFLICT));
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
}
