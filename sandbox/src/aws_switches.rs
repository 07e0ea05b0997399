//! The run-time switches of the AWS services.

use std::time::Duration;

use crate::{AccountState, IamPolicy, OperationDurations, OperationFault, OperationKind, Sandbox};

impl Sandbox {
    /// Gives the users of the AWS access keys exactly the rights of this IAM policy; `None`: all rights.
    ///
    /// [`SandboxBuilder::limit_aws_caller`](crate::SandboxBuilder::limit_aws_caller) describes the check.
    pub fn limit_aws_caller(&self, policy: impl Into<Option<IamPolicy>>) {
        self.state().cloud.caller_policy = policy.into();
    }

    /// Queues a fault for the asynchronous operations of Identity Center that start later.
    pub fn inject_operation_fault(&self, fault: OperationFault) {
        self.state().cloud.operations.push(fault);
    }

    /// Sets the durations of the asynchronous operations of Identity Center that start later.
    pub fn set_operation_durations(&self, durations: OperationDurations) {
        self.state().cloud.operations.durations = durations;
    }

    /// Lets the operations end that [`OperationFault::hold`] or a duration of [`Duration::MAX`] holds.
    pub fn release_operations(&self) {
        self.change(|state, now| state.cloud.release_operations(now));
    }

    /// Starts `count` operations of another tool on a permission set, given by its name or ARN, in an account.
    ///
    /// They take slots of the quota of outstanding operations, conflict with operations on other permission sets in the
    /// account, and are in the lists of operations. They stand for repeated assignments or provisionings: they end as
    /// `SUCCEEDED` and change nothing. The quotas do not limit them.
    ///
    /// # Panics
    ///
    /// Panics if Identity Center is not enabled or has no such permission set.
    pub fn start_foreign_operations(
        &self,
        kind: OperationKind,
        account: &str,
        permission_set: &str,
        count: usize,
        duration: Duration,
    ) {
        let target = (kind, account, permission_set);
        let started = self.change(|state, now| {
            let cloud = &mut state.cloud;
            cloud.start_foreign_operations(target, count, duration, now)
        });
        started.unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Sets the state of an AWS account at once.
    ///
    /// Operations that run in an account that is no longer active end as `FAILED`, and change nothing in it.
    ///
    /// # Panics
    ///
    /// Panics if the organization has no such account.
    pub fn set_account_state(&self, account: &str, state: AccountState) {
        let found =
            self.change(|sandbox, _| sandbox.cloud.set_account_state(account, state.name()));
        assert!(found, "the organization has no account {account}");
    }

    /// Returns the policies of the IAM role of a permission set in an account, sorted: the ARNs of managed policies, and the paths
    /// and names of customer managed ones. They are those of the permission set at the last provisioning. `None`: the account has
    /// no such role.
    #[must_use]
    pub fn role_policies(&self, account: &str, permission_set: &str) -> Option<Vec<String>> {
        let mut policies = self
            .current_state()
            .cloud
            .role_policies(account, permission_set)?;
        policies.sort();
        Some(policies)
    }
}
