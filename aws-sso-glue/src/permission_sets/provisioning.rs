//! Provisioning of permission sets into their accounts.

use aws_sdk_ssoadmin::{
    client::customize::CustomizableOperation,
    config::retry::RetryConfig,
    types::{
        OperationStatusFilter, PermissionSetProvisioningStatus, ProvisionTargetType, StatusValues,
    },
};
use rest_core::Pager;

use super::{PermissionSets, SERVICE};
use crate::{AccountId, Error, OperationStatus, PermissionSetArn, RequestId, instances::PAGE_SIZE};

mod calls;
mod run;

use calls::Target;
pub use run::{
    FailedAccount, ProvisioningEnd, ProvisioningEvent, ProvisioningProgress, ProvisioningRequest,
    ProvisioningRun,
};

/// Sends `ProvisionPermissionSet` and reads the request id. `$with` adds the target and options.
macro_rules! provision {
    ($sets:expr, $arn:expr, $target:expr, $with:expr) => {{
        const OPERATION: &str = "ProvisionPermissionSet";
        let call = $sets.client().provision_permission_set();
        let call = call.instance_arn($sets.instance());
        let call = call.permission_set_arn($arn.as_str());
        let call = match $target {
            Target::AllAccounts => call.target_type(ProvisionTargetType::AllProvisionedAccounts),
            Target::Account(account) => call
                .target_type(ProvisionTargetType::AwsAccount)
                .target_id(account.as_str()),
        };
        let call = $with(call.customize()).send();
        SERVICE
            .call_and_read(OPERATION, call, |response| {
                let status = response.permission_set_provisioning_status;
                let status = SERVICE.require_field(OPERATION, STATUS, status)?;
                SERVICE.id(OPERATION, "RequestId", status.request_id)
            })
            .await
    }};
}

impl PermissionSets<'_> {
    /// Starts to provision the current version of the permission set in all accounts in which the
    /// set is provisioned.
    ///
    /// AWS carries out three of these calls at a time (IAM Identity Center quotas). A permission set
    /// that is provisioned in no account does not need this call: the first assignment in an account
    /// provisions it there. [`provision`](Self::provision) waits for the end, and tries again the
    /// accounts that fail.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn start_provisioning(&self, arn: &PermissionSetArn) -> Result<RequestId, Error> {
        let target: &Target<AccountId> = &Target::AllAccounts;
        provision!(self, arn, target, std::convert::identity)
    }

    /// Starts to provision the permission set, with one attempt.
    async fn provision_once(
        self,
        arn: &PermissionSetArn,
        target: &Target<AccountId>,
    ) -> Result<RequestId, Error> {
        let once = aws_sdk_ssoadmin::Config::builder().retry_config(RetryConfig::disabled());
        provision!(self, arn, target, |call: CustomizableOperation<_, _, _>| {
            call.config_override(once)
        })
    }

    /// Returns the status of a call of [`start_provisioning`](Self::start_provisioning).
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn provisioning_status(&self, id: &RequestId) -> Result<OperationStatus, Error> {
        self.describe_provisioning(id, |status| {
            OperationStatus::read(DESCRIBE, status.status.as_ref(), status.failure_reason)
        })
        .await
    }

    /// Describes a provisioning, and reads what is needed of it.
    async fn describe_provisioning<T>(
        self,
        id: &RequestId,
        read: impl FnOnce(PermissionSetProvisioningStatus) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let call = self.client().describe_permission_set_provisioning_status();
        let call = call.instance_arn(self.instance());
        let call = call.provision_permission_set_request_id(id.as_str()).send();
        SERVICE
            .call_and_read(DESCRIBE, call, |response| {
                let status = response.permission_set_provisioning_status;
                read(SERVICE.require_field(DESCRIBE, STATUS, status)?)
            })
            .await
    }

    /// Lists the provisionings that are in progress, including those of other callers.
    pub fn provisionings_in_progress(&self) -> Pager<RequestId, Error> {
        const OPERATION: &str = "ListPermissionSetProvisioningStatus";
        let filter = OperationStatusFilter::builder().status(StatusValues::InProgress);
        let call = self
            .client()
            .list_permission_set_provisioning_status()
            .instance_arn(self.instance())
            .filter(filter.build())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let rows = response.permission_sets_provisioning_status;
                (rows.unwrap_or_default(), response.next_token)
            },
            |row| SERVICE.id(OPERATION, "RequestId", row.request_id),
        )
    }

    /// Returns the accounts in which a provisioning is still to be done, or the first 100 of them.
    pub(crate) async fn accounts_of_provisioning(
        self,
        id: &RequestId,
    ) -> Result<Vec<AccountId>, Error> {
        let status = self.describe_provisioning(id, Ok).await?;
        if status.account_id.is_some() {
            let account = SERVICE.id(DESCRIBE, "AccountId", status.account_id)?;
            return Ok(vec![account]);
        }
        let set = SERVICE.id(DESCRIBE, "PermissionSetArn", status.permission_set_arn)?;
        let mut behind = self.outdated_accounts(&set);
        let mut accounts = Vec::new();
        while accounts.len() < FIRST_PAGE
            && let Some(account) = behind.try_next().await?
        {
            accounts.push(account);
        }
        Ok(accounts)
    }
}

const DESCRIBE: &str = "DescribePermissionSetProvisioningStatus";
const STATUS: &str = "PermissionSetProvisioningStatus";
/// Number of accounts on a page.
const FIRST_PAGE: usize = 100;
